"""The extra certificates of -xcert, -xkey, -xchain and their kin: sets in the order of the command line.

-xcert begins a new set when the present one has a certificate already; the other options belong to the present set,
so they may stand before its -xcert.

Source: openssl-s_server(1), openssl-s_client(1) ("Certificate and key options").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handglass.cli.options.identity import ExtraIdentities
from handglass.cli.options.table import Option
from handglass.cli.own_certificates.identity import EXTRA, IdentityFiles, LoadError, load_identity
from handglass.cli.own_certificates.own_chain import built_chain, completed_chain
from handglass.crypto.identity import Identity
from handglass.records import dataclass, replace
from handglass.verify import TrustStore


@dataclass(frozen=True, slots=True)
class ExtraSet:
    """One set: its files, and whether its chain is to be built."""

    files: IdentityFiles
    build: bool = False


def extra_sets(given: tuple[tuple[Option[Any], object], ...]) -> list[ExtraSet]:
    """Return the sets that the options make. Raises LoadError for a set with two keys or two chains."""
    sets: list[ExtraSet] = []
    for row, value in given:
        field = _FIELDS.get(row)
        if field is None:
            continue
        if not sets or (row is ExtraIdentities.xcert and sets[-1].files.certificate):
            sets.append(ExtraSet(IdentityFiles("")))
        last = sets[-1]
        if field == "build":
            sets[-1] = replace(last, build=True)
            continue
        if field in {"key", "chain"} and getattr(last.files, field) is not None:
            raise LoadError(
                f"{field.capitalize()} already specified: give -xcert before -{row.names[0]} {value}"
            )
        sets[-1] = replace(last, files=replace(last.files, **{field: value}))
    # As with OpenSSL, options without any -xcert mean nothing.
    return [] if len(sets) == 1 and not sets[0].files.certificate else sets


def load_extra(
    given: tuple[tuple[Option[Any], object], ...],
    store: TrustStore,
    now: int,
    ask: Callable[[str], bytes] | None = None,
) -> tuple[Identity, ...]:
    """Return the identities of all sets, with the chains that go with them. Raises LoadError.

    `store`: what chains are built and completed from; `now`: seconds since 1970.
    """
    found = []
    for each in extra_sets(given):
        identity = load_identity(each.files, EXTRA, ask)
        complete = built_chain if each.build else completed_chain
        found.append(complete(identity, store, now))
    return tuple(found)


_FIELDS: dict[Option[Any], str] = {
    ExtraIdentities.xcert: "certificate",
    ExtraIdentities.xkey: "key",
    ExtraIdentities.xchain: "chain",
    ExtraIdentities.xchain_build: "build",
    ExtraIdentities.xcertform: "certificate_form",
    ExtraIdentities.xkeyform: "key_form",
}
