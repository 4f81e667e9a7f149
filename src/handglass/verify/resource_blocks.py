"""The resources in a certificate (RFC 3779 §2.2.3, §3.2.3): IP addresses and AS numbers, as ranges of integers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from handglass.crypto import der
from handglass.records import dataclass

__all__ = ["Blocks", "Range", "read_addresses", "read_as_numbers"]

Range = tuple[int, int]
MAX_RANGES = 1 << 16


@dataclass(frozen=True, slots=True)
class Blocks:
    """Resources by family (address family, or which kind of number); None stands for "inherit".

    `canonical`: sorted, without overlaps and without neighbours that could be one (RFC 3779 §2.2.3.6, §3.2.3.4).
    """

    families: dict[bytes, tuple[Range, ...] | None]
    canonical: bool


def read_as_numbers(element: der.Element) -> Blocks:
    """Read ASIdentifiers: [0] AS numbers, [1] routing domain identifiers. Raises DerError, ValueError."""
    families: dict[bytes, tuple[Range, ...] | None] = {}
    canonical = True
    for field in element.expect(der.SEQUENCE, "AS identifiers").children():
        (choice,) = field.children()
        family = bytes((field.tag,))
        if choice.tag == der.NULL:
            families[family] = None
            continue
        ranges = tuple(map(_as_range, choice.expect(der.SEQUENCE, "AS numbers").children()[:MAX_RANGES]))
        families[family] = ranges
        canonical = canonical and bool(ranges) and _is_canonical(ranges)
    return Blocks(families, canonical)


def _as_range(element: der.Element) -> Range:
    if element.tag == der.INTEGER:
        number = der.strict_integer(element)
        return number, number
    low, high = map(der.strict_integer, element.expect(der.SEQUENCE, "AS range").children())
    return low, high


def read_addresses(element: der.Element) -> Blocks:
    """Read IPAddrBlocks: families by AFI and SAFI. Raises DerError, ValueError."""
    families: dict[bytes, tuple[Range, ...] | None] = {}
    canonical = True
    order: list[bytes] = []
    for item in element.expect(der.SEQUENCE, "address blocks").children():
        family, choice = item.expect(der.SEQUENCE, "address family").children()
        key = family.expect(der.OCTET_STRING, "family").content
        order.append(key)
        if choice.tag == der.NULL:
            families[key] = None
            continue
        size = {b"\0\x01": 32, b"\0\x02": 128}.get(key[:2], 0)
        listed = choice.expect(der.SEQUENCE, "addresses").children()[:MAX_RANGES]
        ranges = tuple(_address_range(each, size) for each in listed)
        families[key] = ranges
        canonical = canonical and bool(ranges) and _is_canonical(ranges)
        canonical = canonical and not any(_is_hidden_prefix(each, size) for each in listed)
    return Blocks(families, canonical and all(a < b for a, b in pairwise(order)))


def _address_range(element: der.Element, size: int) -> Range:
    if element.tag == der.BIT_STRING:
        return _bound(element, size, 0), _bound(element, size, 1)
    low, high = element.expect(der.SEQUENCE, "address range").children()
    return _bound(low, size, 0), _bound(high, size, 1)


def _bound(element: der.Element, size: int, fill: int) -> int:
    """Give a prefix's address with the bits that it leaves out set to `fill`."""
    content = element.expect(der.BIT_STRING, "address").content
    given = 8 * (len(content) - 1) - content[0]
    if not 0 <= given <= size:
        raise der.DerError("an address longer than its family's")
    value = int.from_bytes(content[1:], "big") >> content[0]
    return value << size - given | ((1 << size - given) - 1 if fill else 0)


def _is_hidden_prefix(element: der.Element, size: int) -> bool:
    """Whether a range is written out that a prefix could say (RFC 3779 §2.2.3.7)."""
    if element.tag == der.BIT_STRING:
        return False
    low, high = _address_range(element, size)
    span = high - low + 1
    return span > 0 and span & span - 1 == 0 and low % span == 0


def _is_canonical(ranges: Sequence[Range]) -> bool:
    if any(low > high for low, high in ranges):
        return False
    return all(one[1] + 1 < two[0] for one, two in pairwise(ranges))
