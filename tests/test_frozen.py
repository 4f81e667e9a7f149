"""Immutable records."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from handglass.frozen import Frozen


class Point(Frozen):
    units: ClassVar[str] = "mm"
    x: int
    y: int = 2


class Named(Point):
    name: str = "p"


class Empty(Frozen):
    pass


def test_construction() -> None:
    assert (Point(1).x, Point(1).y, Point(y=5, x=4).y, Point.units) == (1, 2, 5, "mm")
    assert (Named(1, 2, "q").name, Named(1).name) == ("q", "p")
    assert Point(1, 2) == Point(1)
    with pytest.raises(TypeError, match="missing 1 required"):
        Point()  # type: ignore[call-arg] # that is the test
    with pytest.raises(TypeError):
        Point(1, 2, 3)  # type: ignore[call-arg] # that is the test


def test_equality_and_hash() -> None:
    assert Point(1) != Point(2)
    assert Point(1) != (1, 2)
    assert Named(1) != Point(1)
    assert Empty() == Empty()
    assert {Point(1): "a"}[Point(1, 2)] == "a"
    assert hash(Empty()) == hash(Empty())


def test_immutability() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="immutable"):
        point.x = 3  # type: ignore[misc] # that is the test
    with pytest.raises(AttributeError, match="immutable"):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 3
    assert not hasattr(point, "__dict__")


def test_copies() -> None:
    point = Named(1, 3, "q")
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(Point(7))) == Point(7)
    assert point.replace(name="r") == Named(1, 3, "r")
    with pytest.raises(TypeError):
        point.replace(colour="red")


def test_repr_and_match() -> None:
    assert repr(Named(1)) == "Named(x=1, y=2, name='p')"
    match Point(4, 5):
        case Point(x, 5):
            assert x == 4
        case _:
            pytest.fail("must match by position")
