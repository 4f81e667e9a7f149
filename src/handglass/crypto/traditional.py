"""The pass phrase encryption of traditional private keys: "Proc-Type: 4,ENCRYPTED" and "DEK-Info" in PEM.

Old, weak (one round of MD5 makes the key) and still met everywhere, with ciphers that newer tools have
forgotten.

Sources: RFC 1421 §4.6.1; the key derivation is OpenSSL's EVP_BytesToKey(3) with MD5 and one round.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .container_errors import ContainerError, WrongPassphraseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers import CipherAlgorithm


def decrypt_traditional(data: bytes, dek_info: str, passphrase: bytes) -> bytes:
    """Return the DER of a private key from the block's bytes and its DEK-Info ("AES-128-CBC,<iv in hex>").

    Raises `WrongPassphraseError` if the padding shows that the pass phrase is wrong, else `ContainerError`.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, modes  # noqa: PLC0415 (lazy: rarely needed)

    name, _, iv_text = dek_info.partition(",")
    maker, key_size, block_size = _cipher(name.strip().upper())
    try:
        iv = bytes.fromhex(iv_text.strip())
    except ValueError:
        iv = b""
    if len(iv) != block_size or len(data) % block_size or not data:
        raise ContainerError("the private key is damaged: its DEK-Info line or its length is wrong")
    key = _bytes_to_key(passphrase, iv[:8], key_size)
    decryptor = Cipher(maker(key), modes.CBC(iv)).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= block_size or plain[-padding:] != bytes([padding]) * padding:
        raise WrongPassphraseError("the pass phrase does not open the private key")
    return plain[:-padding]


def _cipher(name: str) -> tuple[Callable[[bytes], CipherAlgorithm], int, int]:
    """Return (algorithm, key size, block size) of a cipher in OpenSSL's name."""
    from cryptography.hazmat.decrepit.ciphers import algorithms as old  # noqa: PLC0415 (lazy)
    from cryptography.hazmat.primitives.ciphers import algorithms  # noqa: PLC0415 (lazy)

    ciphers: dict[str, tuple[Callable[[bytes], CipherAlgorithm], int, int]] = {
        "AES-128-CBC": (algorithms.AES, 16, 16),
        "AES-192-CBC": (algorithms.AES, 24, 16),
        "AES-256-CBC": (algorithms.AES, 32, 16),
        "DES-EDE3-CBC": (old.TripleDES, 24, 8),
        "DES-CBC": (lambda key: old.TripleDES(key * 3), 8, 8),
        "CAMELLIA-128-CBC": (old.Camellia, 16, 16),
        "CAMELLIA-192-CBC": (old.Camellia, 24, 16),
        "CAMELLIA-256-CBC": (old.Camellia, 32, 16),
        "IDEA-CBC": (old.IDEA, 16, 8),
        "SEED-CBC": (old.SEED, 16, 16),
    }
    if name not in ciphers:
        raise ContainerError(f"the private key is encrypted with {name[:40]}, which is not supported")
    return ciphers[name]


def _bytes_to_key(passphrase: bytes, salt: bytes, size: int) -> bytes:
    key = block = b""
    while len(key) < size:
        block = hashlib.md5(block + passphrase + salt, usedforsecurity=False).digest()
        key += block
    return key[:size]
