"""The further certificates of -xcert, -xkey, -xchain, -xchain_build, -xcertform and -xkeyform.

The options stand in sets: each -xcert begins one, and what follows up to the next belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handglass.cli.identity import EXTRA, IdentityFiles, LoadError, form_of, load_identity
from handglass.cli.options.identity import Identity as Rows
from handglass.cli.options.table import Option
from handglass.cli.own_chain import built_chain
from handglass.crypto.identity import Identity
from handglass.verify.store import TrustStore

ROWS = (Rows.xcert, Rows.xkey, Rows.xchain, Rows.xchain_build, Rows.xcertform, Rows.xkeyform)


def extra_identities(
    given: tuple[tuple[Option[Any], object], ...], store: TrustStore, now: int
) -> Iterator[Identity]:
    """Load the sets in their order; `given` is the command line. Raises `LoadError`."""
    for files, build in _sets(given):
        identity = load_identity(files, EXTRA)
        yield built_chain(identity, store, now) if build else identity


def _sets(given: tuple[tuple[Option[Any], object], ...]) -> Iterator[tuple[IdentityFiles, bool]]:
    found: dict[Option[Any], object] = {}
    for row, value in given:
        if row not in ROWS:
            continue
        if row is Rows.xcert:
            if found:
                yield _set(found)
            found = {}
        elif not found:
            raise LoadError(f"-{row.names[0]} stands before the -xcert that it belongs to")
        found[row] = value
    if found:
        yield _set(found)


def _set(found: dict[Option[Any], object]) -> tuple[IdentityFiles, bool]:
    def text(row: Option[Any]) -> str | None:
        return None if row not in found else str(found[row])

    files = IdentityFiles(
        str(found[Rows.xcert]),
        text(Rows.xkey),
        text(Rows.xchain),
        form_of(text(Rows.xcertform)),
        form_of(text(Rows.xkeyform)),
    )
    return files, Rows.xchain_build in found
