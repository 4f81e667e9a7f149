"""RSA key transport."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from handglass.crypto import BadPublic
from handglass.crypto.rsa import decrypt_pkcs1, encrypt_pkcs1, pss_encode


@cache
def key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@pytest.mark.parametrize("bits", [1024, 1025, 2048])
def test_both_ways_of_encrypting(bits: int) -> None:
    public = key(bits).public_key()
    assert decrypt_pkcs1(key(bits), encrypt_pkcs1(public, b"secret")) == b"secret"
    replayed = encrypt_pkcs1(public, b"secret", Random(1).randbytes)
    assert decrypt_pkcs1(key(bits), replayed) == b"secret"
    assert replayed == encrypt_pkcs1(public, b"secret", Random(1).randbytes)


def test_filler_has_no_zero_bytes() -> None:
    """RFC 8017 §7.2.1: they are drawn again."""
    pieces = iter([bytes(100) + b"\1" * 19, b"\0" * 99 + b"\2", b"\3" * 99])
    encrypted = encrypt_pkcs1(key(1024).public_key(), b"secret", lambda _: next(pieces))
    assert decrypt_pkcs1(key(1024), encrypted) == b"secret"
    assert next(pieces, None) is None
    with pytest.raises(ValueError, match="nothing but zeros"):
        encrypt_pkcs1(key(1024).public_key(), b"secret", bytes)


def test_message_too_long() -> None:
    encrypt_pkcs1(key(1024).public_key(), bytes(117))
    with pytest.raises(BadPublic, match="too small"):
        encrypt_pkcs1(key(1024).public_key(), bytes(118))


def test_nothing_is_told_about_wrong_padding() -> None:
    own = key(1024)
    numbers = own.public_key().public_numbers()
    for block in (
        b"\0\2" + b"\1" * 126,
        b"\0\1" + b"\1" * 100 + b"\0" + bytes(25),
        b"\1" * 128,
        b"\0\2\0" + b"\1" * 125,
    ):
        value = int.from_bytes(block, "big") % numbers.n
        encrypted = pow(value, numbers.e, numbers.n).to_bytes(128, "big")
        first = decrypt_pkcs1(own, encrypted)
        assert decrypt_pkcs1(own, encrypted) == first  # implicit rejection gives the same each time
    for size in (0, 1, 127, 129):
        assert decrypt_pkcs1(own, b"\1" * size) == b""
    assert decrypt_pkcs1(own, b"\xff" * 128) == b""


def test_pss_needs_room() -> None:
    with pytest.raises(ValueError, match="too small for PSS"):
        pss_encode("sha512", bytes(64), bytes(64), 1023)
