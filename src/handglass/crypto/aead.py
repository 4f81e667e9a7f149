"""AEAD ciphers by the registry's cipher name.

`aead` gives back the library's own object wherever it has one, with nothing of ours around it:
the record layer calls `encrypt_into` and `decrypt_into` once for each record, and a Python frame
there would cost a tenth of the bulk rate. What an object cannot say of itself (sizes, limits) is
in the table of facts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from handglass.records import dataclass

from .errors import BadTag, Missing
from .hashes import HASHES, Buffer, Mac, equal


class Aead(Protocol):
    """An AEAD under one key (RFC 5116 §2). Sizes are in `AEADS`."""

    def encrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytes:
        """Ciphertext and tag of `data`."""

    def encrypt_into(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: Buffer) -> int:
        """Write ciphertext and tag into `buf`, which is exactly `len(data) + tag_size` bytes."""

    def decrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytes:
        """Plaintext of `data`, which ends with the tag. Raises BadTag."""

    def decrypt_into(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: Buffer) -> int:
        """Write the plaintext into `buf`, exactly `len(data) - tag_size` bytes. Raises BadTag."""


@dataclass(frozen=True, slots=True)
class AeadFacts:
    """An AEAD's sizes in bytes and how many records it may protect.

    `seal_limit` is how many full records may be sealed under one key (None: the 64-bit sequence
    number ends first); `forgery_limit` is how many records may fail to open under one key, which
    matters where a failure does not end the connection (RFC 9147 §4.5.3). `salt_size` is the
    part of the TLS 1.2 nonce that comes from the key block (RFC 5246's fixed_iv_length) and
    `explicit_size` the part that each TLS 1.2 record carries; both 0 for what TLS 1.2 never uses.
    """

    name: str
    key_size: int
    nonce_size: int
    tag_size: int
    salt_size: int
    explicit_size: int
    seal_limit: int | None
    forgery_limit: int | None
    make: Callable[[bytes], Aead]


def aead(name: str, key: bytes) -> Aead:
    """Give the cipher `name` under `key`.

    Raises KeyError for a name not in `AEADS`, ValueError for a key of the wrong size and Missing
    where the library lacks it.
    """
    facts = AEADS[name]
    if len(key) != facts.key_size:
        raise ValueError(f"{name} takes a key of {facts.key_size} bytes, not {len(key)}")
    return facts.make(key)


class _IntegrityOnly:
    """HMAC in the place of a cipher: the text stays readable (RFC 9150 §4)."""

    __slots__ = ("_mac", "_tag_size")

    def __init__(self, hash_name: str, key: bytes) -> None:
        facts = HASHES[hash_name]
        self._mac = Mac(facts, key)
        self._tag_size = facts.digest_size

    def encrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytes:
        return b"".join((data, self._mac(nonce, associated_data or b"", data)))

    def encrypt_into(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: Buffer) -> int:
        sealed = self.encrypt(nonce, data, associated_data)
        memoryview(buf)[:] = sealed
        return len(sealed)

    def decrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytes:
        view = memoryview(data)
        end = len(view) - self._tag_size
        if end < 0 or not equal(self._mac(nonce, associated_data or b"", view[:end]), view[end:]):
            raise BadTag
        return bytes(view[:end])

    def decrypt_into(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: Buffer) -> int:
        plain = self.decrypt(nonce, data, associated_data)
        memoryview(buf)[:] = plain
        return len(plain)


class _Sm4Gcm:
    """SM4-GCM, which the library has as a cipher mode only (RFC 8998 §2.1)."""

    __slots__ = ("_algorithm",)

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.SM4(key)
        try:
            Cipher(self._algorithm, modes.GCM(bytes(12))).encryptor()
        except UnsupportedAlgorithm as error:
            raise Missing("the installed cryptography library has no SM4-GCM") from error

    def encrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytes:
        context = Cipher(self._algorithm, modes.GCM(bytes(nonce))).encryptor()
        context.authenticate_additional_data(associated_data or b"")
        return context.update(data) + context.finalize() + context.tag

    def encrypt_into(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: Buffer) -> int:
        sealed = self.encrypt(nonce, data, associated_data)
        memoryview(buf)[:] = sealed
        return len(sealed)

    def decrypt(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None) -> bytes:
        view = memoryview(data)
        end = len(view) - 16
        if end < 0:
            raise BadTag
        context = Cipher(self._algorithm, modes.GCM(bytes(nonce), bytes(view[end:]))).decryptor()
        context.authenticate_additional_data(associated_data or b"")
        return context.update(view[:end]) + context.finalize()

    def decrypt_into(self, nonce: Buffer, data: Buffer, associated_data: Buffer | None, buf: Buffer) -> int:
        plain = self.decrypt(nonce, data, associated_data)
        memoryview(buf)[:] = plain
        return len(plain)


# RFC 8446 §5.5: 2^24.5 full-size records under AES-GCM keep the attacker's advantage under 2^-57.
# RFC 9147 §4.5.3 gives the figures for CCM (2^23) and the limits on failed openings.
_GCM_RECORDS = 23_726_566
_CCM_RECORDS = 2**23
_CCM_FORGERIES = 11_863_283  # 2^23.5
_CCM_8_FORGERIES = 2**7

AEADS: dict[str, AeadFacts] = {
    facts.name: facts
    for facts in (
        AeadFacts("AES_128_GCM", 16, 12, 16, 4, 8, _GCM_RECORDS, 2**36, AESGCM),
        AeadFacts("AES_256_GCM", 32, 12, 16, 4, 8, _GCM_RECORDS, 2**36, AESGCM),
        AeadFacts("CHACHA20_POLY1305", 32, 12, 16, 12, 0, None, 2**36, ChaCha20Poly1305),
        AeadFacts("AES_128_CCM", 16, 12, 16, 4, 8, _CCM_RECORDS, _CCM_FORGERIES, AESCCM),
        AeadFacts("AES_256_CCM", 32, 12, 16, 4, 8, _CCM_RECORDS, _CCM_FORGERIES, AESCCM),
        AeadFacts(
            "AES_128_CCM_8", 16, 12, 8, 4, 8, _CCM_RECORDS, _CCM_8_FORGERIES, partial(AESCCM, tag_length=8)
        ),
        AeadFacts(
            "AES_256_CCM_8", 32, 12, 8, 4, 8, _CCM_RECORDS, _CCM_8_FORGERIES, partial(AESCCM, tag_length=8)
        ),
        AeadFacts("SM4_GCM", 16, 12, 16, 0, 0, _GCM_RECORDS, 2**36, _Sm4Gcm),
        AeadFacts("SHA256_SHA256", 32, 32, 32, 0, 0, None, None, partial(_IntegrityOnly, "sha256")),
        AeadFacts("SHA384_SHA384", 48, 48, 48, 0, 0, None, None, partial(_IntegrityOnly, "sha384")),
    )
}
