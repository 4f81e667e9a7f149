"""Block ciphers in CBC mode by the registry's cipher name, for TLS 1.0 to 1.2.

Padding and MAC are the record layer's; here whole blocks go in and whole blocks come out.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes

from handglass.records import dataclass

from .hashes import Buffer


@dataclass(frozen=True, slots=True)
class CbcFacts:
    """A block cipher's sizes in bytes."""

    name: str
    key_size: int
    block_size: int
    algorithm: Callable[[bytes], BlockCipherAlgorithm]


class Cbc:
    """A block cipher in CBC mode under one key. Sizes are in `CBC_CIPHERS`."""

    __slots__ = ("_algorithm", "_chained", "block_size")

    def __init__(self, facts: CbcFacts, key: bytes) -> None:
        self.block_size = facts.block_size
        self._algorithm = facts.algorithm(key)
        self._chained = Cipher(self._algorithm, modes.CBC(bytes(facts.block_size))).decryptor()

    def encrypt(self, iv: bytes, data: Buffer) -> bytes:
        """Give the ciphertext of `data`, whole blocks, after the block `iv` (which is not in the result)."""
        return Cipher(self._algorithm, modes.CBC(iv)).encryptor().update(data)

    def decrypt(self, iv: bytes, data: Buffer) -> bytes:
        """Give the plaintext of `data`, whole blocks, that was encrypted after the block `iv`."""
        return Cipher(self._algorithm, modes.CBC(iv)).decryptor().update(data)

    def decrypt_after_iv(self, data: Buffer) -> bytes:
        """Give the plaintext of `data`, whose first block is its IV; as many blocks less one come back.

        A block's plaintext needs only the ciphertext block before it, so one running context does
        for all records of a connection: its first output block is meaningless and is dropped.
        """
        return self._chained.update(data)[self.block_size :]


def cbc(name: str, key: bytes) -> Cbc:
    """Give the cipher `name` under `key`. Raises KeyError, or ValueError for a key of the wrong size."""
    facts = CBC_CIPHERS[name]
    if len(key) != facts.key_size:
        raise ValueError(f"{name} takes a key of {facts.key_size} bytes, not {len(key)}")
    return Cbc(facts, key)


CBC_CIPHERS: dict[str, CbcFacts] = {
    facts.name: facts
    for facts in (
        CbcFacts("AES_128_CBC", 16, 16, algorithms.AES),
        CbcFacts("AES_256_CBC", 32, 16, algorithms.AES),
    )
}
