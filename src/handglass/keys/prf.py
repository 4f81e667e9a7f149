"""The pseudorandom functions before TLS 1.3 and everything that is made with them.

A PRF is named by its profile: `tls12` (RFC 5246 §5, one hash that the suite names) or `tls10`
(RFC 2246 §5, MD5 and SHA-1 together, used by TLS 1.0 and 1.1, where the suite's hash plays no
part). All other functions here are the same for both and only pass profile and hash through.
"""

from __future__ import annotations

from collections.abc import Callable

from handglass.crypto.hashes import HASHES, Mac
from handglass.records import dataclass, field

MASTER_SECRET_SIZE = 48
VERIFY_DATA_SIZE = 12


def prf(  # noqa: PLR0917 - what chooses the PRF, then the RFC's arguments in its order
    profile: str, hash_name: str, secret: bytes, label: bytes, seed: bytes, length: int
) -> bytes:
    """Give `length` bytes of PRF(secret, label, seed). Raises KeyError for an unknown profile."""
    return _PRFS[profile](hash_name, secret, label + seed, length)


def master_secret(
    profile: str, hash_name: str, premaster: bytes, client_random: bytes, server_random: bytes
) -> bytes:
    """Give the 48-byte master secret (RFC 5246 §8.1)."""
    seed = client_random + server_random
    return prf(profile, hash_name, premaster, b"master secret", seed, MASTER_SECRET_SIZE)


def extended_master_secret(profile: str, hash_name: str, premaster: bytes, session_hash: bytes) -> bytes:
    """Give the master secret bound to the handshake up to ClientKeyExchange (RFC 7627 §4)."""
    return prf(profile, hash_name, premaster, b"extended master secret", session_hash, MASTER_SECRET_SIZE)


def finished(profile: str, hash_name: str, master: bytes, *, client: bool, transcript_hash: bytes) -> bytes:
    """Give the 12 bytes of verify_data of the client's or the server's Finished (RFC 5246 §7.4.9)."""
    label = b"client finished" if client else b"server finished"
    return prf(profile, hash_name, master, label, transcript_hash, VERIFY_DATA_SIZE)


@dataclass(frozen=True, slots=True)
class DirectionKeys:
    """What protects one direction: MAC key, cipher key, and the IV or the fixed part of the nonce."""

    mac: bytes = field(repr=False)
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """The keys of both directions."""

    client: DirectionKeys
    server: DirectionKeys


def key_block(
    profile: str,
    hash_name: str,
    master: bytes,
    *,
    client_random: bytes,
    server_random: bytes,
    sizes: tuple[int, int, int],
) -> KeyBlock:
    """Make the key block and cut it up (RFC 5246 §6.3). `sizes` are those of MAC key, key and IV."""
    mac, key, iv = sizes
    # Here the server's random comes first, unlike in the master secret.
    seed = server_random + client_random
    block = prf(profile, hash_name, master, b"key expansion", seed, 2 * (mac + key + iv))
    parts: list[bytes] = []
    for size in (mac, mac, key, key, iv, iv):
        parts.append(block[:size])
        block = block[size:]
    return KeyBlock(
        client=DirectionKeys(parts[0], parts[2], parts[4]), server=DirectionKeys(parts[1], parts[3], parts[5])
    )


def exporter(
    profile: str,
    hash_name: str,
    master: bytes,
    *,
    client_random: bytes,
    server_random: bytes,
    label: bytes,
    context: bytes | None,
    length: int,
) -> bytes:
    """Give keying material for an application (RFC 5705 §4). No context and an empty one differ.

    Raises ValueError for a context of more than 65,535 bytes and for a label that TLS itself uses.
    """
    if label in _RESERVED:
        raise ValueError(f"the label {label!r} belongs to TLS itself")
    seed = client_random + server_random
    if context is not None:
        if len(context) > 0xFFFF:
            raise ValueError("an exporter's context has at most 65,535 bytes")
        seed += len(context).to_bytes(2, "big") + context
    return prf(profile, hash_name, master, label, seed, length)


# RFC 5705 §4: these are never exported, whoever asks.
_RESERVED = frozenset(
    {b"client finished", b"server finished", b"master secret", b"extended master secret", b"key expansion"}
)


def _p_hash(hash_name: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """P_hash of RFC 5246 §5."""
    mac = Mac(HASHES[hash_name], secret)
    blocks: list[bytes] = []
    chain = seed
    for _ in range(-(-length // HASHES[hash_name].digest_size)):
        chain = mac(chain)
        blocks.append(mac(chain, seed))
    return b"".join(blocks)[:length]


def _prf_tls10(_hash_name: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """Halve the secret, sharing the middle byte of an odd one; MD5 on one half, SHA-1 on the other."""
    half = (len(secret) + 1) // 2
    left = _p_hash("md5", secret[:half], seed, length)
    right = _p_hash("sha1", secret[len(secret) - half :], seed, length)
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


_PRFS: dict[str, Callable[[str, bytes, bytes, int], bytes]] = {
    "tls12": _p_hash,
    "tls10": _prf_tls10,
}
