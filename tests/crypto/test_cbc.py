"""CBC against NIST SP 800-38A, appendix F.2."""

from __future__ import annotations

import pytest

from handglass.crypto.cbc import cbc

h = bytes.fromhex
IV = h("000102030405060708090a0b0c0d0e0f")
PLAIN = h("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
VECTORS = {
    "AES_128_CBC": (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
    ),
    "AES_256_CBC": (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    key, expected = (h(part) for part in VECTORS[name])
    cipher = cbc(name, key)
    assert cipher.encrypt(IV, PLAIN) == expected
    assert cipher.decrypt(IV, expected) == PLAIN


@pytest.mark.parametrize("name", VECTORS)
def test_decrypting_records_one_after_another(name: str) -> None:
    """The running context must not carry anything from one record into the next."""
    key, expected = (h(part) for part in VECTORS[name])
    cipher = cbc(name, key)
    for _ in range(3):
        assert cipher.decrypt_after_iv(IV + expected) == PLAIN
        assert cipher.decrypt_after_iv(memoryview(bytearray(IV + expected[:16]))) == PLAIN[:16]


def test_key_size_is_checked() -> None:
    with pytest.raises(ValueError, match="takes a key of 16 bytes"):
        cbc("AES_128_CBC", bytes(32))
    with pytest.raises(KeyError):
        cbc("ROT13", b"")
