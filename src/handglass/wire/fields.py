"""The grammar: what kinds of field there are (RFC 8446 §3), and how a class says so with annotations.

Strategy: kinds are plain data. Three readers take them: `decoder` and `encoder` write a function for each
class, `walker` interprets them. A declaration looks like the RFC's:

    class KeyShareEntry(Struct):                                    # RFC 8446 §4.2.8
        group: NamedGroup
        key_exchange: Annotated[bytes, opaque(1, 2**16 - 1)]

Bounds are in bytes, as in the RFC, and a vector's length prefix has as many bytes as its upper bound needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args, get_origin

from handglass.records import Frozen
from handglass.registry.code_point import CodePoint

if TYPE_CHECKING:
    from handglass.wire.struct import Struct

Content = Callable[[Mapping[str, object], object], "type[Struct] | None"]
"""Says what an opaque field holds, given the fields before it and the context of the walk; None: just
bytes."""


class Kind(Frozen):
    """Any kind of field."""

    only_at_end: ClassVar[bool] = False
    """Whether nothing may follow it, because it has no end of its own."""


class Uint(Kind):
    """An unsigned number of `size` bytes in network order."""

    size: int


class Point(Kind):
    """A code point, as wide as its registry says."""

    registry: type[CodePoint]


class Fixed(Kind):
    """Exactly `size` bytes."""

    size: int


class Opaque(Kind):
    """A length, and as many bytes."""

    minimum: int
    maximum: int
    content: Content | None = None


class Vector(Kind):
    """A length in bytes, and items to fill it."""

    minimum: int
    maximum: int
    item: Kind | None = None


class Nested(Kind):
    """Another struct in place."""

    struct: type[Struct]


class Rest(Kind):
    """All bytes that are left."""

    only_at_end: ClassVar[bool] = True


class Optional(Kind):
    """A field that is left out altogether when the value is None: the bytes end before it."""

    only_at_end: ClassVar[bool] = True
    kind: Kind


class Select(Kind):
    """The rest, with a form that an earlier field selects; bytes if that has no known form."""

    only_at_end: ClassVar[bool] = True
    on: str
    cases: Mapping[int, type[Struct]]


uint8 = Annotated[int, Uint(1)]
uint16 = Annotated[int, Uint(2)]
uint24 = Annotated[int, Uint(3)]
uint32 = Annotated[int, Uint(4)]
uint48 = Annotated[int, Uint(6)]
uint64 = Annotated[int, Uint(8)]
rest = Rest()


def opaque(minimum: int, maximum: int, content: Content | None = None) -> Opaque:
    """Mark bytes of variable length, `<minimum..maximum>` in the RFC."""
    return Opaque(minimum, maximum, content)


def fixed(size: int) -> Fixed:
    """Mark bytes of fixed length, `[size]` in the RFC."""
    return Fixed(size)


def vector(minimum: int, maximum: int) -> Vector:
    """Mark a tuple of items (`Type name<minimum..maximum>`); the item comes from the tuple's annotation."""
    return Vector(minimum, maximum)


def optional(kind: Kind) -> Optional:
    """Mark a last field that may be absent; its annotation is that of the field, or None."""
    return Optional(kind)


def select(on: str, cases: Mapping[int, type[Struct]]) -> Select:
    """Mark a last field whose form depends on the field `on`; bytes where no case is named."""
    return Select(on, cases)


def prefix_size(maximum: int) -> int:
    """Return the size in bytes of the length of a vector whose upper bound is `maximum` (RFC 8446 §3.4)."""
    return (maximum.bit_length() + 7) // 8


def kind_of(annotation: Any) -> Kind:
    """Read a field's annotation. Raises TypeError for one that the grammar does not know."""
    from handglass.wire.struct import Struct  # noqa: PLC0415 - which is made of these kinds

    if isinstance(annotation, type):
        if issubclass(annotation, CodePoint):
            return Point(annotation)
        if issubclass(annotation, Struct):
            return Nested(annotation)
    if get_origin(annotation) is Annotated:
        base, *marks = get_args(annotation)
        for mark in marks:
            if isinstance(mark, Kind):
                return _with_items(mark, base)
    raise TypeError(f"{annotation!r} is not a field of the presentation language")


def _with_items(mark: Kind, base: Any) -> Kind:
    """Fill in what the items of a vector are, from `tuple[Item, ...]`."""
    match mark:
        case Vector(minimum, maximum, None):
            return Vector(minimum, maximum, kind_of(get_args(base)[0]))
        case Optional(kind):
            inner = next(part for part in get_args(base) if part is not type(None))
            return Optional(_with_items(kind, inner))
    return mark
