"""CBC record protection with an explicit IV (TLS 1.1 and 1.2), MAC first or encryption first.

MAC-then-encrypt (RFC 5246 §6.2.3.2) is the construction that leaks: whatever is wrong with a record,
padding, length or MAC, the answer is the same bad_record_mac, and the MAC is computed in all cases.
That is as far as Python can go; it is not constant-time, and this module does not claim to be.
Encrypt-then-MAC (RFC 7366) looks at the MAC before anything else.
"""

from __future__ import annotations

import struct
from abc import abstractmethod

from handglass.crypto.cbc import Cbc
from handglass.crypto.entropy import Entropy
from handglass.crypto.hashes import HASHES, Mac, equal
from handglass.registry.errors import PeerError
from handglass.registry.reasons import BAD_RECORD_MAC, CIPHERTEXT_OVERFLOW

from .protection import (
    HEADER_SIZE,
    MAX_CIPHERTEXT_12,
    MAX_PLAINTEXT,
    Buffer,
    Protection,
    check_limit,
    read_header,
    write_header,
)

_pseudo_header = struct.Struct(">QBHH").pack  # RFC 5246 §6.2.3.1: sequence number, type, version, length


class _CbcProtection(Protection):
    """What both orders of MAC and encryption share."""

    __slots__ = ("_block", "_cipher", "_entropy", "_mac", "_mac_size", "overhead")

    def __init__(
        self, cipher: Cbc, mac_hash: str, mac_key: bytes, entropy: Entropy, version: int = 0x0303
    ) -> None:
        super().__init__(version)
        self._cipher = cipher
        self._block = cipher.block_size
        self._mac = Mac(HASHES[mac_hash], mac_key)
        self._mac_size = HASHES[mac_hash].digest_size
        self._entropy = entropy
        self.overhead = HEADER_SIZE + 2 * self._block + self._mac_size

    def seal(
        self,
        content_type: int,
        data: Buffer,
        out: bytearray,
        pad_to: int = 0,  # noqa: ARG002 - CBC's own padding is as short as can be
        limit: int = MAX_PLAINTEXT,
    ) -> None:
        """Append one record with the shortest padding. See `Protection.seal`."""
        check_limit(len(data), limit)
        self.check_seals(1)
        out += self._sealed(content_type, data, self._entropy(self._block))
        self.sequence += 1

    def open(self, header: Buffer, body: memoryview) -> tuple[int, bytes]:
        """Open one record; whatever is wrong with it is BAD_RECORD_MAC. See `Protection.open`."""
        if len(body) > MAX_CIPHERTEXT_12:
            raise PeerError(CIPHERTEXT_OVERFLOW, f"{len(body)} bytes")
        content_type, version, _ = read_header(header)
        plain = self._opened(self.check_open(), content_type, version, body)
        if plain is None:
            raise PeerError(BAD_RECORD_MAC)
        self.check_plaintext(len(plain))
        self.sequence += 1
        return content_type, plain

    @abstractmethod
    def _sealed(self, content_type: int, data: Buffer, iv: bytes) -> bytes:
        """Give the whole record."""

    @abstractmethod
    def _opened(self, sequence: int, content_type: int, version: int, body: memoryview) -> bytes | None:
        """Give the content, or None for whatever is wrong."""

    def _padding(self, length: int) -> bytes:
        """Give the padding with its length byte that fills `length` bytes up to whole blocks."""
        count = self._block - length % self._block
        return bytes((count - 1,)) * count


class CbcMacThenEncrypt(_CbcProtection):
    """RFC 5246 §6.2.3.2: the MAC of the content is encrypted with it."""

    __slots__ = ()

    def _sealed(self, content_type: int, data: Buffer, iv: bytes) -> bytes:
        mac = self._mac(_pseudo_header(self.sequence, content_type, self.version, len(data)), data)
        padding = self._padding(len(data) + len(mac))
        encrypted = self._cipher.encrypt(iv, b"".join((data, mac, padding)))
        header = write_header(content_type, self.version, len(iv) + len(encrypted))
        return b"".join((header, iv, encrypted))

    def _opened(self, sequence: int, content_type: int, version: int, body: memoryview) -> bytes | None:
        # Too short for an IV, a MAC and one byte of padding, or no whole blocks: visible to anyone.
        if len(body) % self._block or len(body) < self._block + self._mac_size + 1:
            return None
        plain = self._cipher.decrypt_after_iv(body)
        length, right_padding = self._content_length(plain)
        expected = self._mac(_pseudo_header(sequence, content_type, version, length), plain[:length])
        right_mac = equal(expected, plain[length : length + self._mac_size])
        return plain[:length] if right_mac & right_padding else None

    def _content_length(self, plain: bytes) -> tuple[int, bool]:
        """Take off padding and MAC; with wrong padding go on as if it were empty (RFC 5246 §6.2.3.2)."""
        count = plain[-1] + 1
        right = count + self._mac_size <= len(plain) and plain.endswith(bytes((count - 1,)) * count)
        return len(plain) - self._mac_size - (count if right else 1), right


class CbcEncryptThenMac(_CbcProtection):
    """RFC 7366 §3: the MAC is of IV and ciphertext, and follows them in the clear."""

    __slots__ = ()

    def _sealed(self, content_type: int, data: Buffer, iv: bytes) -> bytes:
        encrypted = self._cipher.encrypt(iv, b"".join((data, self._padding(len(data)))))
        length = len(iv) + len(encrypted)
        mac = self._mac(_pseudo_header(self.sequence, content_type, self.version, length), iv, encrypted)
        header = write_header(content_type, self.version, length + len(mac))
        return b"".join((header, iv, encrypted, mac))

    def _opened(self, sequence: int, content_type: int, version: int, body: memoryview) -> bytes | None:
        length = len(body) - self._mac_size
        if length < 2 * self._block or length % self._block:
            return None
        expected = self._mac(_pseudo_header(sequence, content_type, version, length), body[:length])
        if not equal(expected, body[length:]):
            return None
        plain = self._cipher.decrypt_after_iv(body[:length])
        count = plain[-1] + 1
        if count > len(plain) or not plain.endswith(bytes((count - 1,)) * count):
            return None
        return plain[:-count]
