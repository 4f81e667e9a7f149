"""The presentation language: what may be declared, and what its three readers do at the edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handglass.records import replace
from handglass.registry.code_points import ContentType, ProtocolVersion, SSL2CipherKind
from handglass.wire import (
    DecodeError,
    EncodeError,
    Struct,
    fixed,
    opaque,
    optional,
    rest,
    select,
    uint8,
    uint16,
    uint24,
    uint32,
    uint48,
    uint64,
    vector,
)
from support.structs import check_readers_agree, structs


class Numbers(Struct):
    a: uint8
    b: uint16
    c: uint24
    d: uint32
    e: uint48
    f: uint64


class Pair(Struct):
    left: uint16
    right: Annotated[bytes, opaque(1, 3)]


class Everything(Struct):
    version: ProtocolVersion
    kinds: Annotated[tuple[SSL2CipherKind, ...], vector(0, 255)]
    types: Annotated[tuple[ContentType, ...], vector(1, 4)]
    shorts: Annotated[tuple[uint16, ...], vector(0, 2**16 - 1)]
    bytes_: Annotated[tuple[uint8, ...], vector(0, 2**24 - 1)]
    grid: Annotated[tuple[Annotated[tuple[Pair, ...], vector(0, 255)], ...], vector(0, 2**16 - 1)]
    pair: Pair
    tags: Annotated[tuple[Annotated[bytes, fixed(3)], ...], vector(0, 30)]
    last: Annotated[tuple[Pair, ...] | None, optional(vector(0, 255))] = None


class Tail(Struct):
    size: uint8
    tail: Annotated[bytes, rest]


class Chosen(Struct):
    kind: uint8
    body: Annotated[Pair | Tail | bytes, select("kind", {1: Pair, 2: Tail})]


def held(values: Mapping[str, object], context: object) -> type[Struct] | None:
    return Pair if values["kind"] == 1 and context == "pairs here" else None


class Holder(Struct):
    kind: uint8
    content: Annotated[bytes, opaque(0, 255, held)]
    after: uint8

    @classmethod
    def walk_context(cls, values: Mapping[str, object]) -> object:  # noqa: ARG003 - as declared above
        return "pairs here"


class Nothing(Struct):
    fact: ClassVar[str] = "has no fields"


ALL = [Numbers, Pair, Everything, Tail, Chosen, Holder, Nothing]


@pytest.mark.parametrize("cls", ALL)
def test_round_trip(cls: type[Struct]) -> None:
    @settings(max_examples=60, derandomize=True, deadline=None)
    @given(structs(cls))
    def check(value: Struct) -> None:
        assert cls.decode(value.encode()) == value
        assert cls.decode(memoryview(value.encode())) == value
        assert cls.decode(bytearray(value.encode())) == value

    check()


@pytest.mark.parametrize("cls", ALL)
def test_any_bytes(cls: type[Struct]) -> None:
    @settings(max_examples=150, derandomize=True, deadline=None)
    @given(st.binary(max_size=40))
    def check(data: bytes) -> None:
        check_readers_agree(cls, data)

    check()


@pytest.mark.parametrize("cls", ALL)
def test_changed_bytes(cls: type[Struct]) -> None:
    @settings(max_examples=150, derandomize=True, deadline=None)
    @given(structs(cls), st.data())
    def check(value: Struct, data: st.DataObject) -> None:
        damaged = bytearray(value.encode())
        for _ in range(data.draw(st.integers(0, 3)) if damaged else 0):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        check_readers_agree(cls, bytes(damaged))

    check()


@pytest.mark.parametrize(
    ("data", "path", "offset", "problem"),
    [
        ("", "left", 0, "2 bytes needed, 0 left"),
        ("00", "left", 0, "2 bytes needed, 1 left"),
        ("0000", "right.length", 2, "1 byte of length needed, 0 left"),
        ("000000", "right", 3, "0 bytes, must be 1 to 3"),
        ("00000261", "right.length", 2, "2 bytes announced, 1 left"),
        ("00000461626364", "right", 3, "4 bytes, must be 1 to 3"),
        ("0000016162", "trailing", 4, "1 byte too many"),
    ],
)
def test_decode_error_names_the_place(data: str, path: str, offset: int, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Pair.decode(bytes.fromhex(data))
    assert (caught.value.path, caught.value.offset, caught.value.problem) == (path, offset, problem)
    assert str(caught.value) == f"{path} at byte {offset}: {problem}"


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        (Pair(1 << 16, b"a"), "left", "65536 does not fit in 2 bytes"),
        (Pair(-1, b"a"), "left", "-1 does not fit in 2 bytes"),
        (Pair(0, b""), "right", "has 0 bytes, must have 1 to 3"),
        (Pair(0, b"abcd"), "right", "has 4 bytes, must have 1 to 3"),
        (Numbers(0, 0, 1 << 24, 0, 0, 0), "c", "16777216 does not fit in 3 bytes"),
        (Numbers(0, 0, -1, 0, 0, 0), "c", "-1 does not fit in 3 bytes"),
        (Numbers(0, 0, 0, 0, 0, 1 << 64), "f", "18446744073709551616 does not fit in 8 bytes"),
        (Holder(1, b"x" * 256, 0), "content", "has 256 bytes, must have 0 to 255"),
    ],
)
def test_encode_error_names_the_field(value: Struct, path: str, problem: str) -> None:
    with pytest.raises(EncodeError) as caught:
        value.encode()
    assert (caught.value.path, caught.value.problem) == (path, problem)


def test_encode_error_inside_vectors() -> None:
    good = Everything(
        ProtocolVersion.TLS1_2, (), (ContentType.ALERT,), (), (), ((Pair(0, b"a"),),), Pair(0, b"a"), ()
    )
    assert Everything.decode(good.encode()) == good
    cases: list[tuple[dict[str, object], str]] = [
        ({"grid": ((Pair(0, b"a"), Pair(0, b"")),)}, "grid[0][1].right"),
        ({"types": ()}, "types"),
        ({"types": (ContentType.ALERT,) * 5}, "types"),
        ({"shorts": (0, 65536)}, "shorts[1]"),
        ({"bytes_": (0, 256)}, "bytes_[1]"),
        ({"tags": (b"abc", b"ab")}, "tags[1]"),
        ({"last": (Pair(0, b"abcd"),)}, "last[0].right"),
        ({"last": (Pair(0, b"abc"),) * 60}, "last"),
    ]
    for changes, path in cases:
        with pytest.raises(EncodeError) as caught:
            replace(good, **changes).encode()
        assert caught.value.path == path


def test_absent_and_empty_differ() -> None:
    absent = Everything(ProtocolVersion.TLS1_2, (), (ContentType.ALERT,), (), (), (), Pair(0, b"a"), ())
    empty = replace(absent, last=())
    assert empty.encode() == absent.encode() + b"\x00"
    assert Everything.decode(absent.encode()).last is None
    assert Everything.decode(empty.encode()).last == ()


def test_selected_form() -> None:
    assert Chosen.decode(bytes.fromhex("0100050161")) == Chosen(1, Pair(5, b"a"))
    assert Chosen.decode(bytes.fromhex("0205ff")) == Chosen(2, Tail(5, b"\xff"))
    assert Chosen.decode(bytes.fromhex("0905ff")) == Chosen(9, b"\x05\xff")
    with pytest.raises(DecodeError) as caught:
        Chosen.decode(bytes.fromhex("0100050161ff"))
    assert (caught.value.path, caught.value.offset) == ("body.trailing", 5)


def test_walk_looks_into_known_content() -> None:
    data = Holder(1, Pair(7, b"ab").encode(), 9).encode()
    nodes = {(node.path, node.kind): node for node in Holder.walk(data)}
    assert nodes["content", "content"].value == bytes.fromhex("0007026162")
    assert nodes["content", "struct"].value is Pair
    assert (nodes["content.left", "uint"].value, nodes["content.left", "uint"].offset) == (7, 2)
    assert nodes["content.right", "opaque"].value == b"ab"
    assert nodes["after", "uint"].value == 9
    assert ("content.left", "uint") not in {(n.path, n.kind) for n in Holder.walk(data, context="elsewhere")}


def test_damaged_content_does_not_stop_the_walk_nor_decoding() -> None:
    data = Holder(1, b"\x00\x07\x09ab", 9).encode()
    assert Holder.decode(data) == Holder(1, b"\x00\x07\x09ab", 9)
    nodes = list(Holder.walk(data))
    assert [(n.path, n.problem) for n in nodes if n.problem] == [
        ("content.right.length", "9 bytes announced, 2 left"),
    ]
    assert nodes[-1].path == "after"
    assert nodes[-1].value == 9


def test_damage_ends_at_the_end_of_its_vector() -> None:
    data = bytes.fromhex("0303 00 0115 0000 000000 0006 05 0007 01 61 00 0001 01 61 00")
    nodes = list(Everything.walk(data))
    assert [n.path for n in nodes if n.problem] == ["grid[0][1].left"]
    assert [n.value for n in nodes if n.path == "pair.right"] == [b"a"]


def test_nodes_nest() -> None:
    data = Chosen(1, Pair(5, b"a")).encode()
    depths = [(node.path, node.name, node.depth) for node in Chosen.walk(data)]
    assert depths == [
        ("", "", 0),
        ("kind", "kind", 1),
        ("body", "body", 1),
        ("body.left", "left", 2),
        ("body.right.length", "length", 2),
        ("body.right", "right", 2),
    ]


def test_declarations_that_make_no_sense() -> None:
    class Endless(Struct):
        tail: Annotated[bytes, rest]
        more: uint8

    class Plain(Struct):
        number: int

    with pytest.raises(TypeError, match="no field can follow"):
        Endless.grammar()
    with pytest.raises(TypeError, match="not a field"):
        Plain.grammar()


def test_a_class_that_extends_another() -> None:
    class Longer(Pair):
        extra: uint8 = 7

    assert Longer(1, b"a") == Longer(1, b"a", 7)
    assert Longer.decode(Longer(1, b"a").encode()) == Longer(1, b"a", 7)
    assert Pair.decode(b"\x00\x01\x01a") == Pair(1, b"a")
    assert Pair(1, b"a") != Longer(1, b"a")
