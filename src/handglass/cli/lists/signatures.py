"""Lists of signature algorithms: `RSA+SHA256` or IANA's `rsa_pss_rsae_sha256`, between colons."""

from __future__ import annotations

from collections.abc import Iterable

from handglass.registry.code_points import SignatureScheme
from handglass.registry.signatures import by_name

from .elements import split
from .errors import ListError


def parse_signatures(text: str, available: Iterable[SignatureScheme]) -> tuple[SignatureScheme, ...]:
    """Read the argument of `-sigalgs` or `-client_sigalgs`, best first; `?name` may be unknown (OpenSSL 3.3).

    Raises ListError for names that are unknown, not available or given twice.
    """
    known = frozenset(available)
    chosen: list[SignatureScheme] = []
    for element in split(text):
        name = element.removeprefix("?")
        facts = by_name(name)
        if facts is None or facts.scheme not in known:
            if element.startswith("?"):
                continue
            why = "is not available" if facts is not None else "is no signature algorithm"
            raise ListError("passed invalid argument", f"{name} {why}")
        if facts.scheme in chosen:
            raise ListError("passed invalid argument", f"{name} stands there twice")
        chosen.append(facts.scheme)
    if not chosen:
        raise ListError("passed invalid argument", "no signature algorithm is left")
    return tuple(chosen)
