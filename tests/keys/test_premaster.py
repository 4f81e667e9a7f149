"""The RSA premaster secret: RFC 5246 §7.4.7.1."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

from handglass.crypto.rsa import RSAPrivateKey, encrypt_pkcs1
from handglass.keys.premaster import make_rsa_premaster, open_rsa_premaster

VERSION = 0x0303


@cache
def own_key() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - only this needs it

    return rsa.generate_private_key(65537, 1024)


def test_the_servers_answer_to_a_good_one() -> None:
    premaster, encrypted = make_rsa_premaster(own_key().public_key(), VERSION, Random(1).randbytes)
    assert len(premaster) == 48
    assert premaster[:2] == b"\3\3"
    assert open_rsa_premaster(own_key(), encrypted, VERSION, Random(2).randbytes) == premaster


@pytest.mark.parametrize(
    "plain",
    [b"\3\3" + bytes(45), b"\3\3" + bytes(47), b"\3\2" + bytes(46), b"", b"\3", b"\3\3"],
    ids=("short", "long", "other version", "empty", "one byte", "version alone"),
)
def test_whatever_is_wrong_gives_a_random_secret(plain: bytes) -> None:
    encrypted = encrypt_pkcs1(own_key().public_key(), plain)
    made_up = b"\3\3" + Random(2).randbytes(46)
    assert open_rsa_premaster(own_key(), encrypted, VERSION, Random(2).randbytes) == made_up


@pytest.mark.parametrize("encrypted", [b"", b"\1" * 127, b"\1" * 129, b"\xff" * 128, b"\1" * 128])
def test_what_is_no_ciphertext_gives_a_random_secret(encrypted: bytes) -> None:
    made_up = b"\3\3" + Random(2).randbytes(46)
    opened = open_rsa_premaster(own_key(), encrypted, VERSION, Random(2).randbytes)
    assert opened == made_up
