"""Host names in the form that DNS, SNI and certificates use: ASCII, with international labels as ``xn--…``.

International names go through the `idna` package (IDNA 2008 with UTS 46's mapping). Without it the standard
library's IDNA 2003 serves, but only where both agree; where they differ (ß, ς, joiners) the package is asked
for.
"""

from __future__ import annotations

from handglass.net.errors import NetCode, NetError

NAME_LIMIT = 253
LABEL_LIMIT = 63
# Mapped away by IDNA 2003, kept by IDNA 2008 (RFC 5894 §7.2): a guess would lead to another host.
DEVIATIONS = frozenset("ßς\u200c\u200d")
DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})


def ascii_name(host: str) -> str:
    """Return the ASCII form of a host name; a trailing dot stays. Raises `NetError` (NAME_MALFORMED)."""
    name = host if host.isascii() else _international(host.translate(DOTS))
    labels = name.removesuffix(".").split(".")
    if len(name.removesuffix(".")) > NAME_LIMIT or any(not 0 < len(label) <= LABEL_LIMIT for label in labels):
        raise _malformed(host, "labels have 1 to 63 characters, the whole at most 253")
    if any(c.isspace() or not c.isprintable() for c in name):
        raise _malformed(host, "it holds spaces or control characters")
    return name


def _international(host: str) -> str:
    try:
        import idna  # noqa: PLC0415 - wanted by few, and large
    except ImportError:
        return _by_2003(host)
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise _malformed(host, str(error)) from None


def _by_2003(host: str) -> str:
    if not DEVIATIONS.isdisjoint(host):
        raise _malformed(
            host, "this international name needs the package idna: pip install 'handglass[idna]'"
        )
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _malformed(host, f"{error} (the package idna knows more names)") from None


def _malformed(host: str, why: str) -> NetError:
    return NetError(NetCode.NAME_MALFORMED, f"{host[:80]!r} is no host name: {why}")
