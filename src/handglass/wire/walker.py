"""The tolerant reader: goes through bytes as far as they make sense, and says where they stop doing so.

Strategy: the same grammar, interpreted. Damage ends the region that it is in (a vector, or the whole), not
the walk: what comes behind a region whose end is known is still read. A length that claims more than there
is, is cut to what is there. It finds a problem exactly where the strict decoder refuses, and serves to
explain the refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.wire.fields import (
    Fixed,
    Kind,
    Nested,
    Opaque,
    Optional,
    Point,
    Rest,
    Select,
    Uint,
    Vector,
    prefix_size,
)
from handglass.wire.node import Damaged, Node, Place, Walk

if TYPE_CHECKING:
    from handglass.wire.struct import Struct

Values = dict[str, object]


def walk(cls: type[Struct], state: Walk, context: object) -> list[Node]:
    """Read all of `state.data` as `cls`; return the nodes."""
    state.context = context
    _whole(state, cls, Place("", 0, len(state.data), 0), outermost=context is None)
    return state.nodes


def _whole(state: Walk, cls: type[Struct], at: Place, *, outermost: bool = False) -> None:
    """Read a region that should hold exactly one struct."""
    try:
        stop = _struct(state, cls, at, outermost=outermost)
    except Damaged:
        return
    if stop < at.end:
        extra = at.end - stop
        state.damaged(at.inside("trailing", stop), f"{_bytes(extra)} too many")


def _struct(state: Walk, cls: type[Struct], at: Place, *, outermost: bool = False) -> int:
    container = state.open(at, "struct", cls)
    values: Values = {}
    position = at.start
    try:
        for name, kind in cls.grammar():
            if outermost:
                state.context = cls.walk_context(values)
            values[name], position = _field(state, kind, at.inside(name, position), values)
    except Damaged:
        state.close(container, at.end)
        raise
    state.close(container, position)
    return position


def _field(state: Walk, kind: Kind, at: Place, values: Values) -> tuple[object, int]:
    """Read one field: its value, and where the next one starts. Raises Damaged if there is no next one."""
    match kind:
        case Uint(size):
            number = _number(state, at, size)
            return number, state.leaf(at, at.start + size, "uint", number)
        case Point(registry):
            point = registry(_number(state, at, registry.size))
            return point, state.leaf(at, at.start + registry.size, "code_point", point)
        case Fixed(size):
            if at.left < size:
                raise state.damaged(at, f"{_bytes(size)} needed, {at.left} left")
            value = state.data[at.start : at.start + size]
            return value, state.leaf(at, at.start + size, "opaque", value)
        case Opaque():
            return _opaque(state, kind, at, values)
        case Vector():
            return _vector(state, kind, at)
        case Nested(struct):
            return None, _struct(state, struct, at)
        case Optional(inner):
            return _field(state, inner, at, values) if at.left else (None, at.start)
        case Select(on, cases) if values[on] in cases:
            _whole(state, cases[values[on]], at)  # type: ignore[index] # a code point, as `in` has shown
            return None, at.end
        case Rest() | Select():
            value = state.data[at.start : at.end]
            return value, state.leaf(at, at.end, "opaque", value)
    raise TypeError(f"{kind!r} cannot be walked")


def _number(state: Walk, at: Place, size: int) -> int:
    if at.left < size:
        raise state.damaged(at, f"{_bytes(size)} needed, {at.left} left")
    return int.from_bytes(state.data[at.start : at.start + size], "big")


def _opaque(state: Walk, kind: Opaque, at: Place, values: Values) -> tuple[object, int]:
    struct = kind.content(values, state.context) if state.deep and kind.content else None
    if struct is None:
        region, short = _region(state, at, kind.maximum)
        value = state.data[region.start : region.end]
        state.leaf(region, region.end, "opaque", value)
        _bound(state, len(state.nodes) - 1, region, kind.minimum, kind.maximum)
    else:
        container = state.open(at, "content", None)
        region, short = _region(state, at.deeper(), kind.maximum)
        value = state.data[region.start : region.end]
        state.close(container, region.end, value=value)
        _bound(state, container, region, kind.minimum, kind.maximum)
        _whole(state, struct, region)
    if short:
        raise Damaged
    return value, region.end


def _vector(state: Walk, kind: Vector, at: Place) -> tuple[object, int]:
    container = state.open(at, "vector", 0)
    try:
        region, short = _region(state, at.deeper(), kind.maximum)
    except Damaged:
        state.close(container, at.end)
        raise
    count, position = 0, region.start
    assert kind.item is not None  # noqa: S101 - the grammar filled it in
    try:
        while position < region.end:
            _, position = _field(state, kind.item, at.item(count, position, region.end), {})
            count += 1
    except Damaged:
        pass
    state.close(container, region.end, value=count)
    _bound(state, container, region, kind.minimum, kind.maximum)
    if short:
        raise Damaged
    return None, region.end


def _region(state: Walk, at: Place, maximum: int) -> tuple[Place, bool]:
    """Read a length; return the region it spans, and whether there is less than it announces."""
    size = prefix_size(maximum)
    start = at.start + size
    number = Place(f"{at.path}.length", at.start, at.end, at.depth)
    if at.left < size:
        raise state.damaged(number, f"{_bytes(size)} of length needed, {at.left} left")
    length = _number(state, at, size)
    state.leaf(number, start, "length", length)
    left = at.end - start
    if length > left:
        state.note(-1, f"{_bytes(length)} announced, {left} left")
    return Place(at.path, start, start + min(length, left), at.depth), length > left


def _bound(state: Walk, index: int, region: Place, minimum: int, maximum: int) -> None:
    """Note a length out of bounds on the node, unless something is already said of it."""
    if minimum <= region.left <= maximum or state.nodes[index].problem:
        return
    state.note(index, f"{_bytes(region.left)}, must be {minimum} to {maximum}")


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"
