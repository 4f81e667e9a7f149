"""A small reader of DER (X.690) that survives damage.

Reading is by position in one buffer: an `Element` is a tag and three offsets, nothing is copied until asked
for. There is no generic recursion: whoever reads a structure descends level by level as its grammar says,
so nested input cannot exhaust the stack. What BER allows and DER forbids (long forms of a length, a tag in
more than one byte) is read and reported through `notes`; what cannot be read at all raises `DerError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

__all__ = [
    "BIT_STRING",
    "BMP_STRING",
    "BOOLEAN",
    "ENUMERATED",
    "GENERALIZED_TIME",
    "GENERAL_STRING",
    "IA5_STRING",
    "INTEGER",
    "NULL",
    "NUMERIC_STRING",
    "OCTET_STRING",
    "OID",
    "PRINTABLE_STRING",
    "SEQUENCE",
    "SET",
    "T61_STRING",
    "UNIVERSAL_STRING",
    "UTC_TIME",
    "UTF8_STRING",
    "VISIBLE_STRING",
    "DerError",
    "Element",
    "bit_string",
    "boolean",
    "decode_oid",
    "encode",
    "encode_integer",
    "encode_object_identifier",
    "encode_oid",
    "integer",
    "is_minimal",
    "object_identifier",
    "octet_string",
    "optional_fields",
    "parse",
    "read",
    "read_all",
    "read_whole",
    "strict_integer",
]

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8_STRING, SEQUENCE, SET = 0x0A, 0x0C, 0x30, 0x31
NUMERIC_STRING, PRINTABLE_STRING, T61_STRING, IA5_STRING = 0x12, 0x13, 0x14, 0x16
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
VISIBLE_STRING, GENERAL_STRING, UNIVERSAL_STRING, BMP_STRING = 0x1A, 0x1B, 0x1C, 0x1E

MAX_OID_BYTES = 256


class DerError(ValueError):
    """The bytes are no DER: one sentence, with the offset in the buffer where it shows."""


class Element:
    """One tag-length-value: `data[start:body]` is its header, `data[body:end]` its content."""

    __slots__ = ("body", "data", "end", "start", "tag")

    def __init__(self, data: bytes, tag: int, start: int, body: int, end: int) -> None:
        self.data = data
        self.tag = tag
        self.start = start
        self.body = body
        self.end = end

    @property
    def content(self) -> bytes:
        """The value's bytes, without the header."""
        return self.data[self.body : self.end]

    @property
    def encoding(self) -> bytes:
        """Header and value."""
        return self.data[self.start : self.end]

    @property
    def constructed(self) -> bool:
        """Whether the value is made of further elements."""
        return bool(self.tag & 0x20)

    def children(self, notes: list[str] | None = None) -> list[Element]:
        """Give the elements inside (X.690 §8.9). Raises DerError where they do not fill the value exactly."""
        return list(read_all(self.data, self.body, self.end, notes))

    def expect(self, tag: int, what: str) -> Element:
        """Give this element if it bears `tag`, else DerError."""
        if self.tag != tag:
            raise DerError(f"{what}: tag 0x{self.tag:02x} where 0x{tag:02x} belongs, at offset {self.start}")
        return self

    def __repr__(self) -> str:
        return f"Element(0x{self.tag:02x}, {self.start}:{self.body}:{self.end})"


def parse(data: bytes, notes: list[str] | None = None) -> Element:
    """Give the first element of `data`; bytes after it are noted."""
    element = read(data, 0, len(data), notes)
    if element.end != len(data) and notes is not None:
        notes.append(f"{len(data) - element.end} bytes after the end")
    return element


def read_whole(data: bytes) -> Element:
    """Give the one element that `data` consists of. Raises DerError where bytes follow it."""
    element = read(data)
    if element.end != len(data):
        raise DerError(f"{len(data) - element.end} bytes follow the end of the value")
    return element


def read_all(
    data: bytes, start: int = 0, end: int | None = None, notes: list[str] | None = None
) -> Iterator[Element]:
    """Elements one after the other until `end`."""
    end = len(data) if end is None else end
    while start < end:
        element = read(data, start, end, notes)
        yield element
        start = element.end


def read(data: bytes, start: int = 0, end: int | None = None, notes: list[str] | None = None) -> Element:
    """Give the element that begins at `start` and may not pass `end` (X.690 §8.1)."""
    end = len(data) if end is None else end
    if end - start < 2:
        raise DerError(f"cut short at offset {start}")
    tag = data[start]
    if tag & 0x1F == 0x1F:
        raise DerError(f"a tag number above 30 at offset {start}")
    length = data[start + 1]
    body = start + 2
    if length >= 0x80:
        count = length & 0x7F
        if count == 0:
            raise DerError(f"an indefinite length at offset {start}")
        if count > 8 or end - body < count:
            raise DerError(f"a length in {count} bytes at offset {start}")
        length = int.from_bytes(data[body : body + count], "big")
        body += count
        if notes is not None and (length < 0x80 or data[start + 2] == 0):
            notes.append(f"a length is not in its shortest form at offset {start}")
    if length > end - body:
        raise DerError(f"{length} bytes announced, {end - body} there, at offset {start}")
    return Element(data, tag, start, body, body + length)


def integer(value: Element | bytes) -> int:
    """Give the value of an INTEGER or ENUMERATED (X.690 §8.3); empty content counts as 0.

    An element's tag is looked at (DerError for another), the content bytes alone are taken as they are.
    """
    if isinstance(value, Element):
        if value.tag not in {INTEGER, ENUMERATED}:
            raise DerError(f"an integer has tag 0x{value.tag:02x}, at offset {value.start}")
        value = value.content
    return int.from_bytes(value, "big", signed=True)


def octet_string(element: Element) -> bytes:
    """Give the bytes of an OCTET STRING. Raises DerError for another tag."""
    return element.expect(OCTET_STRING, "an octet string").content


def strict_integer(element: Element, tag: int = INTEGER) -> int:
    """Give the value of an INTEGER, which may have an implicit tag. Raises DerError for one that is empty or padded."""
    content = element.expect(tag, "an integer").content
    if not is_minimal(content):
        raise DerError(
            f"an integer in {len(content)} bytes that needs another number, at offset {element.start}"
        )
    return int.from_bytes(content, "big", signed=True)


def is_minimal(content: bytes) -> bool:
    """Whether these are the content bytes of an INTEGER, no more than it needs (X.690 §8.3.2)."""
    padded = len(content) > 1 and content[0] in {0, 0xFF} and (content[0] ^ content[1]) < 0x80
    return bool(content) and not padded


def boolean(element: Element, tag: int = BOOLEAN) -> bool:
    """Give the value of a BOOLEAN, which may have an implicit tag. Raises DerError for one that is not one byte."""
    content = element.expect(tag, "a boolean").content
    if len(content) != 1:
        raise DerError(f"a boolean of {len(content)} bytes, at offset {element.start}")
    return bool(content[0])


def bit_string(element: Element, tag: int = BIT_STRING) -> bytes:
    """Give the bytes of a BIT STRING, which may have an implicit tag, its unused last bits cleared. Raises DerError."""
    content = element.expect(tag, "a bit string").content
    if not content or content[0] > 7:
        raise DerError(f"a bit string without a valid count of unused bits, at offset {element.start}")
    if not content[0]:
        return content[1:]
    bits = bytearray(content[1:])
    if bits:
        bits[-1] &= 0xFF << content[0] & 0xFF
    return bytes(bits)


def optional_fields(fields: list[Element], order: tuple[int, ...], what: str) -> dict[int, Element]:
    """Give optional fields by their tags. Raises DerError for another tag, and for a field twice or out of order."""
    places = [order.index(field.tag) if field.tag in order else -1 for field in fields]
    for field, place, before in zip(fields, places, [-1, *places], strict=False):
        if place <= before:
            raise DerError(f"{what}: a field with tag 0x{field.tag:02x} that does not belong there")
    return {field.tag: field for field in fields}


def object_identifier(element: Element) -> str:
    """Give an OBJECT IDENTIFIER in dotted form. Raises DerError, for another tag too."""
    return decode_oid(element.expect(OID, "an object identifier").content)


@lru_cache(maxsize=1024)
def decode_oid(content: bytes) -> str:
    """Give an OBJECT IDENTIFIER in dotted form (X.690 §8.19). Raises DerError."""
    if not content or content[-1] & 0x80 or len(content) > MAX_OID_BYTES:
        raise DerError("an object identifier that is empty, unfinished or over long")
    arcs: list[int] = []
    value = 0
    begins = True
    for byte in content:
        if begins and byte == 0x80:
            raise DerError("an object identifier with a number in more bytes than needed")
        begins = byte < 0x80
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


@lru_cache(maxsize=1024)
def encode_oid(dotted: str) -> bytes:
    """Give the content bytes of an OBJECT IDENTIFIER. Raises ValueError for what is not one."""
    arcs = [int(arc) for arc in dotted.split(".")]
    if len(arcs) < 2 or min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise ValueError(f"{dotted!r} is no object identifier")
    out = bytearray()
    for arc in (40 * arcs[0] + arcs[1], *arcs[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return bytes(out)


def encode(tag: int, *parts: bytes) -> bytes:
    """Give one element in DER; its content are `parts`, one after the other."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def encode_integer(value: int) -> bytes:
    """Give the DER of an INTEGER."""
    return encode(
        INTEGER, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)
    )


def encode_object_identifier(dotted: str) -> bytes:
    """Give the DER of an OBJECT IDENTIFIER. Raises ValueError for what is not one."""
    return encode(OID, encode_oid(dotted))
