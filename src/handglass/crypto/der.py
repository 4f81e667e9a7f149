"""DER, read and written by hand: just enough to take certificates, keys and OCSP answers apart.

A reader that hands out pieces of the input as they stand, so that damaged structures can still be shown up to
where they break, and every piece keeps its raw bytes (signatures cover them). It accepts what BER files in
the wild need for the outer shape (definite lengths in long form) and refuses indefinite lengths. Every
problem is a `DerError`.

Source: ITU-T X.690; the universal types as RFC 5280 uses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
SEQUENCE = 0x30
SET = 0x31
PRINTABLE_STRING = 0x13
T61_STRING = 0x14
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
VISIBLE_STRING = 0x1A
UNIVERSAL_STRING = 0x1C
BMP_STRING = 0x1E

# More elements than any real structure holds (the longest CRLs have some hundred thousand entries).
MAX_CHILDREN = 5_000_000
# Identifier octets of a tag number above 30: nobody uses numbers that need more.
MAX_TAG_BYTES = 6


_CLOCK = r"([0-9]{2})" * 4 + r"([0-9]{2})?(?:[.,]([0-9]{1,9}))?(Z|[+-][0-9]{4})"
TIME_FORMS = {
    UTC_TIME: re.compile(r"([0-9]{2})" + _CLOCK),
    GENERALIZED_TIME: re.compile(r"([0-9]{4})" + _CLOCK),
}


class DerError(ValueError):
    """These bytes are not the DER that was expected; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Element:
    """One DER value: its tag (the identifier octets as an integer), its bytes, where its content begins."""

    tag: int
    raw: bytes
    start: int

    @property
    def content(self) -> bytes:
        """The bytes after identifier and length."""
        return self.raw[self.start :]

    @property
    def constructed(self) -> bool:
        """Whether the content is made of further elements."""
        return bool(self.raw[0] & 0x20)

    def children(self) -> list[Element]:
        """Return the elements in the content. Raises `DerError` where they do not fill it exactly."""
        return list(elements(self.raw, self.start))

    def expect(self, tag: int, what: str) -> Element:
        """Return itself if it has the tag; raises `DerError` naming `what` otherwise."""
        if self.tag != tag:
            raise DerError(f"{what} has tag 0x{self.tag:02x} instead of 0x{tag:02x}")
        return self


def header(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Return (tag, start of the content, end of the content) of the element at `offset`."""
    size = len(data)
    if offset + 2 > size:
        raise DerError(f"the data ends at byte {size} inside an element's header")
    tag = data[offset]
    position = offset + 1
    if tag & 0x1F == 0x1F:
        while True:
            if position >= size or position - offset > MAX_TAG_BYTES:
                raise DerError(f"the tag at byte {offset} does not end")
            tag = tag << 8 | data[position]
            position += 1
            if not data[position - 1] & 0x80:
                break
        if position >= size:
            raise DerError(f"the data ends at byte {size} inside an element's header")
    length = data[position]
    position += 1
    if length & 0x80:
        count = length & 0x7F
        if count == 0:
            raise DerError(f"the element at byte {offset} has an indefinite length, which DER does not allow")
        if count > 8 or position + count > size:
            raise DerError(f"the length of the element at byte {offset} is damaged")
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    if position + length > size:
        raise DerError(f"the element at byte {offset} claims {length} bytes where {size - position} are left")
    return tag, position, position + length


def read(data: bytes, offset: int = 0) -> Element:
    """Return the element that begins at `offset`; what follows it is left alone."""
    tag, start, end = header(data, offset)
    return Element(tag, data[offset:end], start - offset)


def read_whole(data: bytes) -> Element:
    """Return the one element that `data` consists of. Raises `DerError` if bytes follow it."""
    element = read(data)
    if len(element.raw) != len(data):
        raise DerError(f"{len(data) - len(element.raw)} bytes follow the end of the value")
    return element


def elements(data: bytes, offset: int = 0) -> Iterator[Element]:
    """Yield the elements that fill `data` from `offset` to its end."""
    size = len(data)
    count = 0
    while offset < size:
        tag, start, end = header(data, offset)
        yield Element(tag, data[offset:end], start - offset)
        offset = end
        count += 1
        if count > MAX_CHILDREN:
            raise DerError("too many elements")


def integer(element: Element) -> int:
    """Return the value of an INTEGER or ENUMERATED (also one that is not minimally encoded)."""
    if element.tag not in {INTEGER, ENUMERATED}:
        raise DerError(f"an integer has tag 0x{element.tag:02x}")
    if not element.content:
        raise DerError("an integer has no content")
    return int.from_bytes(element.content, "big", signed=True)


def boolean(element: Element) -> bool:
    """Return the value of a BOOLEAN."""
    content = element.expect(BOOLEAN, "a boolean").content
    if len(content) != 1:
        raise DerError(f"a boolean has {len(content)} bytes")
    return content != b"\0"


def object_identifier(element: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form, e.g. "1.2.840.113549.1.1.11"."""
    return oid_text(element.expect(OBJECT_IDENTIFIER, "an object identifier").content)


def oid_text(content: bytes) -> str:
    """Return the dotted form of an object identifier's content bytes. Raises `DerError`."""
    if not content or content[-1] & 0x80:
        raise DerError("an object identifier does not end")
    if len(content) > 256:
        raise DerError(f"an object identifier has {len(content)} bytes")
    arcs: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            if not arcs:
                first = min(value // 40, 2)
                arcs += [first, value - 40 * first]
            else:
                arcs.append(value)
            value = 0
    return ".".join(map(str, arcs))


def bit_string(element: Element) -> bytes:
    """Return the bytes of a BIT STRING that has whole bytes, as signatures and keys have."""
    content = element.expect(BIT_STRING, "a bit string").content
    if not content or content[0] > 7:
        raise DerError("a bit string has no valid count of unused bits")
    return content[1:]


def octet_string(element: Element) -> bytes:
    """Return the bytes of an OCTET STRING."""
    return element.expect(OCTET_STRING, "an octet string").content


def time(element: Element) -> datetime:
    """Return a UTCTime or GeneralizedTime as an aware datetime in UTC.

    Lenient on what old tools wrote: seconds may be absent, a fraction and an offset are understood.
    Raises `DerError` for a time that does not exist. Source: RFC 5280 §4.1.2.5.
    """
    text = element.content[:40].decode("latin-1")
    if element.tag not in TIME_FORMS:
        raise DerError(f"a time has tag 0x{element.tag:02x}")
    match = TIME_FORMS[element.tag].fullmatch(text)
    if match is None:
        raise DerError(f"{text!r} is not a time in UTC")
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
    fraction, offset = match.group(7, 8)
    if element.tag == UTC_TIME:
        year += 1900 if year >= 50 else 2000
    try:
        moment = datetime(
            year, month, day, hour, minute, second, int((fraction or "0").ljust(6, "0")[:6]), tzinfo=UTC
        )
        if offset != "Z":
            distance = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
            moment += -distance if offset[0] == "+" else distance
    except (ValueError, OverflowError) as problem:
        raise DerError(f"{text!r} is not a time: {problem}") from None
    return moment


def encode(tag: int, *parts: bytes) -> bytes:
    """Return the DER of an element with a one-byte tag and the concatenated `parts` as its content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    """Return the DER of an INTEGER."""
    return encode(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def encode_oid(dotted: str) -> bytes:
    """Return the DER of an OBJECT IDENTIFIER given in dotted form."""
    first, second, *others = map(int, dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *others):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        content += bytes(reversed(digits))
    return encode(OBJECT_IDENTIFIER, bytes(content))


def encode_generalized_time(moment: datetime) -> bytes:
    """Return the DER of a GeneralizedTime, in UTC and whole seconds."""
    return encode(GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
