"""From a cipher suite to the protection of a direction."""

from __future__ import annotations

from random import Random

import pytest

from handglass.crypto import Missing
from handglass.keys.labels import DTLS13_PREFIX
from handglass.keys.prf import DirectionKeys
from handglass.keys.schedule import traffic_keys
from handglass.record import (
    Aead12,
    Aead13,
    CbcEncryptThenMac,
    CbcMacThenEncrypt,
    key_sizes,
    protection12,
    protection13,
)
from handglass.registry.suites import SuiteFacts, by_iana_name


def facts(name: str) -> SuiteFacts:
    found = by_iana_name(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "key_size", "iv_size"),
    [
        ("TLS_AES_128_GCM_SHA256", 16, 12),
        ("TLS_AES_256_GCM_SHA384", 32, 12),
        ("TLS_CHACHA20_POLY1305_SHA256", 32, 12),
        ("TLS_AES_128_CCM_SHA256", 16, 12),
        ("TLS_AES_128_CCM_8_SHA256", 16, 12),
        ("TLS_SHA256_SHA256", 32, 32),
        ("TLS_SHA384_SHA384", 48, 48),
    ],
)
def test_tls13(name: str, key_size: int, iv_size: int) -> None:
    suite, secret = facts(name), bytes(range(48 if "384" in name else 32))
    key, iv = traffic_keys(suite.prf_hash, secret, key_size, iv_size)
    ours, by_hand = bytearray(), bytearray()
    protection13(suite, secret).seal(23, b"data", ours)
    Aead13(suite.cipher, key, iv).seal(23, b"data", by_hand)
    assert ours == by_hand
    other = bytearray()
    protection13(suite, secret, prefix=DTLS13_PREFIX).seal(23, b"data", other)
    assert other != ours


@pytest.mark.parametrize(
    ("name", "sizes", "kind", "kind_with_etm"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", (0, 16, 4), Aead12, Aead12),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", (0, 32, 4), Aead12, Aead12),
        ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", (0, 32, 12), Aead12, Aead12),
        ("TLS_RSA_WITH_AES_256_CCM_8", (0, 32, 4), Aead12, Aead12),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", (20, 16, 0), CbcMacThenEncrypt, CbcEncryptThenMac),
        ("TLS_RSA_WITH_AES_256_CBC_SHA256", (32, 32, 0), CbcMacThenEncrypt, CbcEncryptThenMac),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", (48, 32, 0), CbcMacThenEncrypt, CbcEncryptThenMac),
    ],
)
def test_tls12(name: str, sizes: tuple[int, int, int], kind: type, kind_with_etm: type) -> None:
    suite, random = facts(name), Random(1)
    assert key_sizes(suite) == sizes
    keys = DirectionKeys(*(random.randbytes(size) for size in sizes))
    assert type(protection12(suite, keys)) is kind
    assert type(protection12(suite, keys, encrypt_then_mac=True)) is kind_with_etm
    for etm in (False, True):
        out = bytearray()
        protection12(suite, keys, encrypt_then_mac=etm).seal(22, b"message", out)
        reader = protection12(suite, keys, encrypt_then_mac=etm)
        assert reader.open(out[:5], memoryview(out)[5:]) == (22, b"message")
        replayed = [bytearray(), bytearray()]
        for record in replayed:
            protection12(suite, keys, encrypt_then_mac=etm, entropy=Random(2).randbytes).seal(
                23, b"x", record
            )
        assert replayed[0] == replayed[1]


@pytest.mark.parametrize("name", ["TLS_RSA_WITH_RC4_128_SHA", "TLS_SHA256_SHA256"])
def test_what_tls12_does_not_have_yet(name: str) -> None:
    with pytest.raises(Missing, match=facts(name).cipher):
        key_sizes(facts(name))


def test_unknown_ciphers_are_missing() -> None:
    suite = facts("TLS_RSA_WITH_RC4_128_SHA")
    with pytest.raises(Missing, match="RC4_128"):
        protection13(suite, bytes(32))
    with pytest.raises(Missing, match="RC4_128"):
        protection12(suite, DirectionKeys(b"", b"", b""))
