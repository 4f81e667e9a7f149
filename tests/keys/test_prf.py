"""The PRFs before TLS 1.3 against the vectors that circulated on the IETF TLS list, and their uses."""

from __future__ import annotations

import pytest

from handglass.crypto.hashes import hmac
from handglass.keys.prf import (
    DirectionKeys,
    exporter,
    extended_master_secret,
    finished,
    key_block,
    master_secret,
    prf,
)

h = bytes.fromhex

# https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms/ (PRF for TLS 1.2)
TLS12 = [
    (
        "sha256",
        "9bbe436ba940f017b17652849a71db35",
        "a0ba9f936cda311827a6f796ffd5198c",
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
        "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
        "87347b66",
    ),
    (
        "sha512",
        "b0323523c1853599584d88568bbb05eb",
        "d4640e12e4bcdbfb437f03e6ae418ee5",
        "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45"
        "e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
        "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c3975"
        "45401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6"
        "40d4d898",
    ),
    (
        "sha384",
        "b80b733d6ceefcdc71566ea48e5567df",
        "cd665cf6a8447dd6ff8b27555edb7465",
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
        "e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
        "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703"
        "d73e56f",
    ),
]


@pytest.mark.parametrize(("name", "secret", "seed", "expected"), TLS12, ids=lambda v: str(v)[:8])
def test_tls12_prf(name: str, secret: str, seed: str, expected: str) -> None:
    length = len(expected) // 2
    assert prf("tls12", name, h(secret), b"test label", h(seed), length).hex() == expected


def test_tls10_prf() -> None:
    """The vector by Hal Finney on the IETF TLS list for MD5 and SHA-1 together."""
    expected = (
        "d3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc1187e4eb"
        "d31e602353776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8de9810454b8b2d8f"
        "1afbc655a8c9a013"
    )
    assert prf("tls10", "sha256", b"\xab" * 48, b"PRF Testvector", b"\xcd" * 64, 104).hex() == expected


def test_tls10_prf_shares_the_middle_byte_of_an_odd_secret() -> None:
    """RFC 2246 §5: S1 and S2 are both the rounded-up half."""

    def stream(name: str, secret: bytes) -> bytes:
        first = hmac(name, secret, b"ls")
        return hmac(name, secret, first + b"ls")

    expected = bytes(a ^ b for a, b in zip(stream("md5", b"abc"), stream("sha1", b"cde"), strict=False))
    assert prf("tls10", "", b"abcde", b"l", b"s", 16) == expected


def test_unknown_profile() -> None:
    with pytest.raises(KeyError):
        prf("tls99", "sha256", b"", b"", b"", 1)


CLIENT, SERVER = b"\x11" * 32, b"\x22" * 32


def test_master_secret_takes_the_clients_random_first() -> None:
    made = master_secret("tls12", "sha256", b"premaster", CLIENT, SERVER)
    assert made == prf("tls12", "sha256", b"premaster", b"master secret", CLIENT + SERVER, 48)
    assert len(made) == 48


def test_extended_master_secret() -> None:
    """RFC 7627 §4."""
    made = extended_master_secret("tls12", "sha384", b"premaster", b"h" * 48)
    assert made == prf("tls12", "sha384", b"premaster", b"extended master secret", b"h" * 48, 48)


def test_finished_depends_on_the_side() -> None:
    client = finished("tls12", "sha256", b"m" * 48, client=True, transcript_hash=b"h" * 32)
    server = finished("tls12", "sha256", b"m" * 48, client=False, transcript_hash=b"h" * 32)
    assert client == prf("tls12", "sha256", b"m" * 48, b"client finished", b"h" * 32, 12)
    assert server == prf("tls12", "sha256", b"m" * 48, b"server finished", b"h" * 32, 12)


def test_key_block_takes_the_servers_random_first() -> None:
    """RFC 5246 §6.3, and the order in which it is cut."""
    block = prf("tls12", "sha256", b"m" * 48, b"key expansion", SERVER + CLIENT, 104)
    keys = key_block(
        "tls12", "sha256", b"m" * 48, client_random=CLIENT, server_random=SERVER, sizes=(20, 16, 16)
    )
    assert keys.client == DirectionKeys(block[:20], block[40:56], block[72:88])
    assert keys.server == DirectionKeys(block[20:40], block[56:72], block[88:])
    assert "\\x" not in repr(keys)
    assert repr(keys.client) == "DirectionKeys()"


def test_exporter_tells_no_context_from_an_empty_one() -> None:
    """RFC 5705 §4."""

    def export(label: bytes, context: bytes | None) -> bytes:
        return exporter(
            "tls12",
            "sha256",
            b"m" * 48,
            client_random=CLIENT,
            server_random=SERVER,
            label=label,
            context=context,
            length=20,
        )

    assert export(b"l", None) == prf("tls12", "sha256", b"m" * 48, b"l", CLIENT + SERVER, 20)
    assert export(b"l", b"") == prf("tls12", "sha256", b"m" * 48, b"l", CLIENT + SERVER + b"\0\0", 20)
    assert export(b"l", b"ab") == prf("tls12", "sha256", b"m" * 48, b"l", CLIENT + SERVER + b"\0\2ab", 20)
    with pytest.raises(ValueError, match="65,535"):
        export(b"l", bytes(0x10000))
    with pytest.raises(ValueError, match="TLS itself"):
        export(b"key expansion", None)
