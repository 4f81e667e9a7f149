"""AEAD records of TLS 1.2 against the formulas of RFC 5246, RFC 5288 and RFC 7905, spelled out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from handglass.record import OPEN_ROOM, Aead12, Run

KEY, SALT, IV = bytes(range(16)), b"salt", bytes(range(50, 62))
HANDSHAKE, DATA = 22, 23


def associated(sequence: int, content_type: int, length: int) -> bytes:
    return sequence.to_bytes(8, "big") + bytes((content_type, 3, 3)) + length.to_bytes(2, "big")


def gcm_record(sequence: int, content_type: int, data: bytes, explicit: bytes) -> bytes:
    body = explicit + AESGCM(KEY).encrypt(
        SALT + explicit, data, associated(sequence, content_type, len(data))
    )
    return bytes((content_type, 3, 3)) + len(body).to_bytes(2, "big") + body


def test_gcm_is_what_the_rfc_says() -> None:
    protection, out = Aead12("AES_128_GCM", KEY, SALT), bytearray()
    protection.seal(HANDSHAKE, b"finished", out)
    protection.seal_many(DATA, b"abcde", 3, out)
    assert out == (
        gcm_record(0, HANDSHAKE, b"finished", bytes(8))
        + gcm_record(1, DATA, b"abc", (1).to_bytes(8, "big"))
        + gcm_record(2, DATA, b"de", (2).to_bytes(8, "big"))
    )


def test_ccm_is_what_the_rfc_says() -> None:
    protection, out = Aead12("AES_128_CCM_8", KEY, SALT), bytearray()
    protection.seal(DATA, b"abc", out)
    body = bytes(8) + AESCCM(KEY, 8).encrypt(SALT + bytes(8), b"abc", associated(0, DATA, 3))
    assert out == b"\x17\x03\x03\x00\x13" + body


def test_chacha_is_what_the_rfc_says() -> None:
    protection, out = Aead12("CHACHA20_POLY1305", bytes(32), IV), bytearray()
    protection.sequence = 0x0102
    protection.seal(DATA, b"abc", out)
    nonce = IV[:10] + bytes((IV[10] ^ 1, IV[11] ^ 2))
    body = ChaCha20Poly1305(bytes(32)).encrypt(nonce, b"abc", associated(0x0102, DATA, 3))
    assert out == b"\x17\x03\x03\x00\x13" + body


def test_the_peer_chooses_its_explicit_nonces() -> None:
    """RFC 5288 §3: they need not be the sequence number."""
    protection = Aead12("AES_128_GCM", KEY, SALT)
    first = gcm_record(0, HANDSHAKE, b"message", b"\xa5random!")
    assert protection.open(first[:5], memoryview(first)[5:]) == (HANDSHAKE, b"message")
    wire = gcm_record(1, DATA, b"one", b"\xffwhatevr") + gcm_record(2, DATA, b"two", b"\0\0\0\0\0\0\0\0")
    out = memoryview(bytearray(OPEN_ROOM))
    assert protection.open_run(memoryview(wire), out) == Run(len(wire), 6, None, 0)
    assert bytes(out[:6]) == b"onetwo"


def test_no_cipher_of_tls13_and_no_odd_salt() -> None:
    with pytest.raises(ValueError, match="not for TLS 1"):
        Aead12("SHA256_SHA256", bytes(32), b"")
    with pytest.raises(ValueError, match="takes 4 bytes of IV"):
        Aead12("AES_128_GCM", KEY, IV)


def test_gcm_keys_last_for_all_nonces() -> None:
    assert Aead12("AES_128_GCM", KEY, SALT).seals_left == 2**64 - 1
