"""Records of both spellings."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from handglass.records import Frozen, changed_fields, dataclass, field, replace


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
    with pytest.raises(AttributeError, match="does not change"):
        point.x = 3  # type: ignore[misc] # that is the test
    with pytest.raises(AttributeError, match="does not change"):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 3  # type: ignore[attr-defined] # that is the test
    assert not hasattr(point, "__dict__")


def test_copies() -> None:
    point = Named(1, 3, "q")
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(Point(7))) == Point(7)
    assert replace(point, name="r") == Named(1, 3, "r")
    with pytest.raises(TypeError):
        replace(point, colour="red")


def test_repr_and_match() -> None:
    assert repr(Named(1)) == "Named(x=1, y=2, name='p')"
    match Point(4, 5):
        case Point(x, 5):
            assert x == 4
        case _:
            pytest.fail("must match by position")


@dataclass()
class Visit:
    url: str
    secret: bytes = field(repr=False)
    seen: list[str] = field(default_factory=list)
    count: int = 0


@dataclass(kw_only=True, frozen=True)
class Limits:
    small: int = 1
    large: int = 9

    def __post_init__(self) -> None:
        if self.small > self.large:
            raise ValueError("small must not be above large")


@dataclass(frozen=True, slots=True)
class Place:
    x: int


@dataclass(frozen=True, slots=True)
class Place3(Place):
    y: int = 2
    z: int = 0


def test_a_mutable_record() -> None:
    visit = Visit("a", b"s3cret")
    visit.count += 1
    visit.seen.append("x")
    assert (visit, Visit("b", b"").seen) == (Visit("a", b"s3cret", ["x"], 1), [])
    assert "s3cret" not in repr(visit)
    with pytest.raises(TypeError, match="unhashable"):
        hash(visit)


def test_fields_given_by_name() -> None:
    assert changed_fields(Limits(large=12)) == {"large": 12}
    assert Limits.__match_args__ == ()
    with pytest.raises(TypeError):
        Limits(1)  # type: ignore[call-arg] # that is the test
    with pytest.raises(ValueError, match="small"):
        replace(Limits(), small=10)


def test_both_spellings_of_an_immutable_record() -> None:
    place = Place3(1, z=5)
    assert (place, {place: 1}) == (Place3(1, 2, 5), {Place3(1, 2, 5): 1})
    assert pickle.loads(pickle.dumps(place)) == place
    assert not hasattr(place, "__dict__")
    with pytest.raises(AttributeError, match="does not change"):
        place.z = 3  # type: ignore[misc] # that is the test
