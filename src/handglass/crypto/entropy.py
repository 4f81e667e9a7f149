"""Where random bytes come from.

Everything that needs randomness takes an `Entropy`: a function from a number of bytes to that
many bytes. `SYSTEM_ENTROPY` is the operating system's source. The algorithms compare against it
by identity: with it they use the library's own key generation, which is faster; with any other
source they build their keys from its bytes alone, so that a run can be replayed exactly.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

Entropy = Callable[[int], bytes]

_block = ChaCha20Poly1305.generate_key  # 32 bytes of the operating system's randomness


def SYSTEM_ENTROPY(count: int) -> bytes:  # noqa: N802 - used as a constant, compared by identity
    """`count` bytes from the operating system's generator, through the library's key generation."""
    if count <= 32:
        return _block()[:count]
    return b"".join([_block() for _ in range(-(-count // 32))])[:count]
