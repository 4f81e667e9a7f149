"""AEAD ciphers against published vectors, and that each keeps to its facts."""

from __future__ import annotations

import hashlib
import hmac
from random import Random

import pytest

from handglass.crypto import BadTag
from handglass.crypto.aead import AEADS, aead
from handglass.crypto.capabilities import missing

h = bytes.fromhex

# name: (source, key, nonce, associated data, plaintext, ciphertext and tag)
VECTORS = {
    "AES_128_GCM": (  # McGrew and Viega, "The Galois/Counter Mode of Operation", test case 4
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
    "AES_256_GCM": (  # the same, test case 16
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
    "CHACHA20_POLY1305": (  # RFC 8439 §2.8.2
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        "070000004041424344454647",
        "50515253c0c1c2c3c4c5c6c7",
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it.".hex(),
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
        "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b6116"
        "1ae10b594f09e26a7e902ecbd0600691",
    ),
    "AES_128_CCM_8": (  # NIST SP 800-38C, example 3
        "404142434445464748494a4b4c4d4e4f",
        "101112131415161718191a1b",
        "000102030405060708090a0b0c0d0e0f10111213",
        "202122232425262728292a2b2c2d2e2f3031323334353637",
        "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951",
    ),
    "SM4_GCM": (  # RFC 8998 §A.1
        "0123456789abcdeffedcba9876543210",
        "00001234567800000000abcd",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    if (problem := missing(name)) is not None:
        pytest.skip(problem)
    key, nonce, associated, plain, sealed = (h(part) for part in VECTORS[name])
    cipher = aead(name, key)
    assert cipher.encrypt(nonce, plain, associated) == sealed
    assert cipher.decrypt(nonce, sealed, associated) == plain
    out = bytearray(len(sealed))
    assert cipher.encrypt_into(nonce, plain, associated, out) == len(sealed)
    assert out == sealed
    out = bytearray(len(plain))
    assert cipher.decrypt_into(nonce, sealed, associated, memoryview(out)) == len(plain)
    assert out == plain


@pytest.mark.parametrize(("name", "digest"), [("SHA256_SHA256", "sha256"), ("SHA384_SHA384", "sha384")])
def test_integrity_only_is_hmac(name: str, digest: str) -> None:
    """RFC 9150 §4: the text, then HMAC of nonce, associated data and text; all sizes are the hash's."""
    size = hashlib.new(digest).digest_size
    key, nonce = bytes(range(size)), bytes(range(size, 2 * size))
    expected = b"text" + hmac.digest(key, nonce + b"header" + b"text", digest)
    assert aead(name, key).encrypt(nonce, b"text", b"header") == expected
    assert aead(name, key).decrypt(nonce, expected, b"header") == b"text"
    assert (AEADS[name].key_size, AEADS[name].nonce_size, AEADS[name].tag_size) == (size, size, size)


@pytest.mark.parametrize("name", AEADS)
def test_each_keeps_to_its_facts(name: str) -> None:
    if (problem := missing(name)) is not None:
        pytest.skip(problem)
    facts, random = AEADS[name], Random(1)
    cipher = aead(name, random.randbytes(facts.key_size))
    nonce = random.randbytes(facts.nonce_size)
    for length in (0, 1, 15, 16, 17, 100):
        plain = random.randbytes(length)
        sealed = bytearray(length + facts.tag_size)
        cipher.encrypt_into(nonce, plain, b"a", sealed)
        assert cipher.decrypt(nonce, sealed, b"a") == plain
        with pytest.raises(BadTag):
            cipher.decrypt(nonce, sealed, b"b")
        for position in range(len(sealed)):
            damaged = bytearray(sealed)
            damaged[position] ^= 1 << random.randrange(8)
            with pytest.raises(BadTag):
                cipher.decrypt_into(nonce, damaged, b"a", bytearray(length))
        for shorter in range(len(sealed)):
            with pytest.raises(BadTag):
                cipher.decrypt(nonce, sealed[:shorter], b"a")
    with pytest.raises(ValueError, match="takes a key of"):
        aead(name, bytes(facts.key_size + 1))


def test_limits() -> None:
    """RFC 8446 §5.5 and RFC 9147 §4.5.3."""
    assert AEADS["AES_128_GCM"].seal_limit == AEADS["AES_256_GCM"].seal_limit == int(2**24.5)
    assert AEADS["CHACHA20_POLY1305"].seal_limit is None
    assert AEADS["AES_128_CCM"].seal_limit == 2**23
    assert AEADS["AES_128_CCM"].forgery_limit == int(2**23.5)
    assert AEADS["AES_128_CCM_8"].forgery_limit == 2**7
    assert AEADS["CHACHA20_POLY1305"].forgery_limit == 2**36


def test_unknown_names() -> None:
    with pytest.raises(KeyError):
        aead("ROT13", b"")
    assert missing("ROT13") == "ROT13 is not supported by this program"
    assert missing("AES_128_GCM") is None
    assert missing("sha256") is None
    assert missing("AES_128_CBC") is None
    assert missing("X25519") is None
    assert missing("MLKEM512") == "MLKEM512 is not supported by this program"
    assert missing("ED448") is None
    assert missing("RSA_PKCS1_SHA256") is None
