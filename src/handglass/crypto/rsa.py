"""RSA beyond what the library's signing and verifying does: key transport, and runs that can be replayed.

None of this is constant-time in Python. Decryption is the library's, which answers a badly padded
message with one made up from the key and the ciphertext (implicit rejection), so that there is nothing
to tell apart.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from .entropy import SYSTEM_ENTROPY, Entropy
from .errors import BadPublic
from .hashes import digest

__all__ = [
    "RSAPrivateKey",
    "RSAPublicKey",
    "decrypt_pkcs1",
    "encrypt_pkcs1",
    "private_operation",
    "pss_encode",
]


def encrypt_pkcs1(key: RSAPublicKey, message: bytes, entropy: Entropy = SYSTEM_ENTROPY) -> bytes:
    """Encrypt with RSAES-PKCS1-v1_5 (RFC 8017 §7.2.1). Raises BadPublic if the key is too small."""
    size = (key.key_size + 7) // 8
    room = size - 3 - len(message)
    if room < 8:
        raise BadPublic(f"an RSA key of {key.key_size} bits is too small for {len(message)} bytes")
    if entropy is SYSTEM_ENTROPY:
        return key.encrypt(message, padding.PKCS1v15())
    filler = b""
    for _ in range(_DRAWS):
        filler += entropy(room - len(filler)).replace(b"\0", b"")
        if len(filler) == room:
            numbers = key.public_numbers()
            block = int.from_bytes(b"\0\2" + filler + b"\0" + message, "big")
            return pow(block, numbers.e, numbers.n).to_bytes(size, "big")
    raise ValueError("this source of randomness gives nothing but zeros")


_DRAWS = 128


def decrypt_pkcs1(key: RSAPrivateKey, ciphertext: bytes) -> bytes:
    """Decrypt RSAES-PKCS1-v1_5; a badly padded message gives other bytes of some length, no error.

    A ciphertext that is no number below the modulus, which anyone can see, gives b"".
    """
    try:
        return key.decrypt(ciphertext, padding.PKCS1v15())
    except ValueError:
        return b""


def pss_encode(hash_name: str, message_hash: bytes, salt: bytes, bits: int) -> bytes:
    """Give EMSA-PSS of a hash under a salt, for a modulus of `bits` + 1 bits (RFC 8017 §9.1.1)."""
    size = (bits + 7) // 8
    if size < len(message_hash) + len(salt) + 2:
        raise ValueError(f"an RSA key of {bits + 1} bits is too small for PSS with {hash_name}")
    hashed = digest(hash_name, bytes(8) + message_hash + salt)
    block = (b"\1" + salt).rjust(size - len(hashed) - 1, b"\0")
    mask = _mgf1(hash_name, hashed, len(block))
    masked = bytearray(a ^ b for a, b in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + hashed + b"\xbc"


def private_operation(key: RSAPrivateKey, block: bytes) -> bytes:
    """Raise a padded block to the private exponent: a plain `pow`, for runs that are replayed."""
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    result = pow(int.from_bytes(block, "big"), numbers.d, modulus)
    return result.to_bytes((modulus.bit_length() + 7) // 8, "big")


def _mgf1(hash_name: str, seed: bytes, length: int) -> bytes:
    """Give the mask of RFC 8017 §B.2.1."""
    mask = b""
    counter = 0
    while len(mask) < length:
        mask += digest(hash_name, seed + counter.to_bytes(4, "big"))
        counter += 1
    return mask[:length]
