"""As much DER as the tests need: take a constructed element apart, put one together."""

from __future__ import annotations


def elements(der: bytes) -> list[bytes]:
    """Split the contents of a constructed element into its elements, each whole."""
    start, end = bounds(der, 0)
    found = []
    while start < end:
        following = bounds(der, start)[1]
        found.append(der[start:following])
        start = following
    return found


def contents(der: bytes) -> bytes:
    """Return what stands in an element."""
    start, end = bounds(der, 0)
    return der[start:end]


def bounds(der: bytes, offset: int) -> tuple[int, int]:
    """Where the contents of the element at `offset` begin and end."""
    length, start = der[offset + 1], offset + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(der[start : start + size]), start + size
    return start, start + length


def sequence(*parts: bytes) -> bytes:
    """Make a SEQUENCE of whole elements."""
    return element(0x30, b"".join(parts))


def element(tag: int, body: bytes) -> bytes:
    """Make an element."""
    length = len(body)
    if length < 0x80:
        return bytes([tag, length]) + body
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size) + body
