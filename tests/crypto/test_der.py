"""The DER reader and writer: round trips, what is refused, and that nothing but `DerError` ever comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handglass.crypto import der


@given(st.integers(-(2**70), 2**70))
def test_integers_round_trip(value: int) -> None:
    assert der.integer(der.read_whole(der.encode_integer(value))) == value


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [("1.2.840.113549", "06062a864886f70d"), ("2.5.29.17", "0603551d11"), ("2.999.1", "0603883701")],
)
def test_object_identifiers(dotted: str, expected: str) -> None:
    # X.690 §8.19.5 and well-known encodings
    assert der.encode_object_identifier(dotted).hex() == expected
    assert der.object_identifier(der.read(bytes.fromhex(expected))) == dotted


@pytest.mark.parametrize(
    "damaged", ["", "30", "3080", "3003020101ff02", "30890102030405060708", "1f", "1fff"]
)
def test_damage_is_named(damaged: str) -> None:
    with pytest.raises(der.DerError):
        der.integer(der.read(bytes.fromhex(damaged)))


@given(st.binary(max_size=60))
def test_garbage_gives_an_error_or_elements(data: bytes) -> None:
    try:
        element = der.read(data)
        element.children()
        for reader in (der.integer, der.object_identifier, der.bit_string, der.octet_string):
            try:
                reader(element)
            except der.DerError:
                continue
    except der.DerError:
        pass


def test_long_lengths() -> None:
    for size in (127, 128, 255, 256, 70_000):
        encoded = der.encode(der.OCTET_STRING, b"x" * size)
        assert len(der.octet_string(der.read_whole(encoded))) == size


@pytest.mark.parametrize(
    ("content", "value"), [("00", 0), ("7f", 127), ("80", -128), ("0080", 128), ("ff7f", -129)]
)
def test_integers_in_as_few_bytes_as_they_need(content: str, value: int) -> None:
    """X.690 §8.3.2."""
    data = bytes.fromhex(content)
    assert der.strict_integer(der.read(der.encode(der.INTEGER, data))) == value
    assert der.strict_integer(der.read(der.encode(0x82, data)), 0x82) == value


@pytest.mark.parametrize("content", ["", "0000", "007f", "ff80", "ffffff"])
def test_integers_in_more_bytes_are_damaged(content: str) -> None:
    with pytest.raises(der.DerError):
        der.strict_integer(der.read(der.encode(der.INTEGER, bytes.fromhex(content))))


def test_booleans_are_one_byte() -> None:
    """X.690 §8.2.1; what is not zero is true, as in BER."""
    assert [der.boolean(der.read(bytes((1, 1, value)))) for value in (0, 1, 255)] == [False, True, True]
    for content in (b"", b"\0\0"):
        with pytest.raises(der.DerError):
            der.boolean(der.read(der.encode(der.BOOLEAN, content)))


@pytest.mark.parametrize(
    ("content", "bits"), [("00", ""), ("00ff", "ff"), ("01ff", "fe"), ("07ffff", "ff80"), ("03", "")]
)
def test_unused_bits_are_cleared(content: str, bits: str) -> None:
    assert der.bit_string(der.read(der.encode(der.BIT_STRING, bytes.fromhex(content)))).hex() == bits


def test_numbers_in_identifiers_are_not_padded() -> None:
    """X.690 §8.19.2."""
    for content in (b"\x2a\x80\x01", b"\x80\x2a"):
        with pytest.raises(der.DerError):
            der.decode_oid(content)


def test_optional_fields_stand_in_their_order_and_once() -> None:
    def fields(*tags: int) -> list[der.Element]:
        return [der.read(bytes((tag, 0))) for tag in tags]

    order = (0xA0, 0x81, 0xA2)
    assert list(der.optional_fields(fields(0xA0, 0xA2), order, "x")) == [0xA0, 0xA2]
    assert der.optional_fields([], order, "x") == {}
    for wrong in ((0xA2, 0xA0), (0x81, 0x81), (0x83,), (0xA0, 0x83)):
        with pytest.raises(der.DerError, match="that does not belong there"):
            der.optional_fields(fields(*wrong), order, "x")
