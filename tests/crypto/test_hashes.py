"""Hashes and HMAC against their RFCs."""

from __future__ import annotations

import hashlib

import pytest

from handglass.crypto import hashes

h = bytes.fromhex

# RFC 4231 §4.2, §4.3, §4.7: key, data, HMAC-SHA-256, HMAC-SHA-384
RFC4231 = [
    (
        h("0b" * 20),
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    ),
    (
        h("aa" * 131),
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
    ),
]


@pytest.mark.parametrize(("key", "data", "sha256", "sha384"), RFC4231, ids=("case 1", "case 2", "case 6"))
def test_hmac_of_rfc4231(key: bytes, data: bytes, sha256: str, sha384: str) -> None:
    assert hashes.hmac("sha256", key, data).hex() == sha256
    assert hashes.hmac("sha384", key, memoryview(data)).hex() == sha384
    mac = hashes.keyed("sha256", key)
    assert mac(data).hex() == sha256
    assert mac(data[:3], memoryview(data)[3:]).hex() == sha256
    assert mac(data).hex() == sha256


def test_hmac_md5_and_sha1_of_rfc2202() -> None:
    assert hashes.hmac("md5", h("0b" * 16), b"Hi There").hex() == "9294727a3638bb1c13f48ef8158bfc9d"
    assert hashes.hmac("sha1", h("0b" * 20), b"Hi There").hex() == "b617318655057264e28bc0b6fb378c8ef146be00"


@pytest.mark.parametrize("name", hashes.HASHES)
def test_the_sizes_are_true(name: str) -> None:
    facts = hashes.HASHES[name]
    assert len(hashes.digest(name, b"abc")) == facts.digest_size
    if name != "md5-sha1":
        assert hashlib.new(name).block_size == facts.block_size


def test_sm3() -> None:
    """GB/T 32905-2016, example 1."""
    assert (
        hashes.digest("sm3", b"abc").hex()
        == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )


def test_md5_sha1_is_both_hashes() -> None:
    running = hashes.HASHES["md5-sha1"].new(b"a")
    copy = running.copy()
    running.update(b"b")
    assert running.digest() == hashlib.md5(b"ab").digest() + hashlib.sha1(b"ab").digest()
    assert copy.digest() == hashlib.md5(b"a").digest() + hashlib.sha1(b"a").digest()


def test_no_key_in_repr() -> None:
    assert b"secret".hex() not in repr(hashes.keyed("sha256", b"secret"))
    assert "secret" not in repr(hashes.keyed("sha256", b"secret"))
