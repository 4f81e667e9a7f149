"""Lists of application protocols (ALPN and NPN): names between commas, best first."""

from __future__ import annotations

import os

from .errors import ListError


def parse_protocols(text: str) -> tuple[bytes, ...]:
    """Read the argument of `-alpn` or `-nextprotoneg`: names of 1 to 255 bytes (RFC 7301 §3.1).

    Empty elements are passed over, as OpenSSL does. Raises ListError.
    """
    names = tuple(os.fsencode(name) for name in text.split(",") if name)
    if not names:
        raise ListError("no protocol", "the list is empty")
    for name in names:
        if len(name) > 255:
            raise ListError("protocol too long", f"{len(name)} bytes; 255 are the most")
    if sum(len(name) + 1 for name in names) > 0xFFFF:
        raise ListError("too many protocols", "the list takes more than 65535 bytes")
    return names
