"""Hypothesis strategies for any declaration, derived from its grammar, and what must hold for any bytes."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from handglass.wire import DecodeError, Struct
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
)

S = TypeVar("S", bound=Struct)
SPREAD = 24
"""How many bytes or so above the least a field may take in a test."""


def structs(cls: type[S]) -> SearchStrategy[S]:
    """Values of `cls` that can be encoded."""

    @st.composite
    def build(draw: st.DrawFn) -> S:
        values: dict[str, Any] = {}
        for name, kind in cls.grammar():
            if isinstance(kind, Select):
                case = kind.cases.get(values[kind.on])
                values[name] = draw(st.binary(max_size=SPREAD) if case is None else structs(case))
            else:
                values[name] = draw(fields(kind))
        return cls(**values)

    return build()


def fields(kind: Kind) -> SearchStrategy[Any]:
    match kind:
        case Uint(size):
            return st.integers(0, (1 << 8 * size) - 1)
        case Point(registry):
            known = st.sampled_from(list(registry))
            return known | st.integers(0, (1 << 8 * registry.size) - 1).map(registry)
        case Fixed(size):
            return st.binary(min_size=size, max_size=size)
        case Opaque(minimum, maximum):
            return st.binary(min_size=minimum, max_size=min(maximum, minimum + SPREAD))
        case Vector(minimum, _, Kind() as item):
            least = -(-minimum // smallest(item))
            return st.lists(fields(item), min_size=least, max_size=least + 3).map(tuple)
        case Nested(struct):
            return structs(struct)
        case Optional(inner):
            return st.none() | fields(inner)
        case Rest():
            return st.binary(max_size=SPREAD)
    raise TypeError(kind)


def smallest(kind: Kind) -> int:
    """Return the least number of bytes that a value takes."""
    match kind:
        case Uint(size) | Fixed(size):
            return size
        case Point(registry):
            return registry.size
        case Opaque(minimum, maximum) | Vector(minimum, maximum):
            return (maximum.bit_length() + 7) // 8 + minimum
        case Nested(struct):
            return sum(smallest(inner) for _, inner in struct.grammar())
    return 0


def check_readers_agree(cls: type[Struct], data: bytes) -> Struct | None:
    """Whatever the bytes: the strict and the tolerant reader agree, and nothing but DecodeError comes out."""
    nodes = list(cls.walk(data, deep=False))
    problems = [node for node in nodes if node.problem is not None]
    for deep in (nodes, list(cls.walk(data))):
        position = 0
        for node in deep:
            assert 0 <= node.offset <= node.offset + node.length <= len(data)
            if node.is_leaf:
                assert node.offset == position, f"{node.path} leaves a gap or overlaps"
                position += node.length
        assert position == len(data)
    if problems:
        first = problems[0]
        with pytest.raises(DecodeError) as caught:
            cls.decode(data)
        assert caught.value.args == (first.path, first.offset, first.problem)
        return None
    value = cls.decode(data)
    assert value.encode() == data, "what was decoded must encode to the same bytes"
    return value
