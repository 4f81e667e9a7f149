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
