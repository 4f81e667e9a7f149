"""AEAD record protection of TLS 1.2 (RFC 5246 §6.2.3.3).

GCM and CCM send eight bytes of the nonce in each record (RFC 5288 §3, RFC 6655 §3); ours are the
sequence number, which never repeats. ChaCha20-Poly1305 sends none: its nonce is made from the sequence
number as in TLS 1.3 (RFC 7905 §2). The content type stands in the clear, so the plaintext goes into
the cipher as it is, and neither direction needs a copy.
"""

from __future__ import annotations

import struct

from handglass.crypto.aead import AEADS, aead
from handglass.crypto.errors import BadTag
from handglass.registry.errors import PeerError
from handglass.registry.reasons import BAD_RECORD_MAC, CIPHERTEXT_OVERFLOW, RECORD_TOO_SHORT

from .protection import (
    APPLICATION_DATA,
    HEADER_SIZE,
    MAX_CIPHERTEXT_12,
    MAX_PLAINTEXT,
    MAX_SEQUENCE,
    NOTHING,
    Buffer,
    Protection,
    Run,
    check_limit,
    read_header,
    write_header,
)

_associate = struct.Struct(">QBHH").pack  # RFC 5246 §6.2.3.3: sequence number, type, version, length


class Aead12(Protection):
    """Records of TLS 1.2 under one AEAD key; `salt` is the IV from the key block."""

    __slots__ = (
        "_decrypt",
        "_decrypt_into",
        "_encrypt_into",
        "_explicit_size",
        "_iv",
        "_salt",
        "_tag_size",
        "overhead",
    )

    def __init__(self, cipher: str, key: bytes, salt: bytes, version: int = 0x0303) -> None:
        facts = AEADS[cipher]
        # TLS 1.2 cannot change keys under way; its limit is that of the nonce.
        super().__init__(version)
        if not facts.salt_size:
            raise ValueError(f"{cipher} is not for TLS 1.2")
        if len(salt) != facts.salt_size:
            raise ValueError(f"{cipher} takes {facts.salt_size} bytes of IV, not {len(salt)}")
        under_key = aead(cipher, key)
        self._encrypt_into = under_key.encrypt_into
        self._decrypt = under_key.decrypt
        self._decrypt_into = under_key.decrypt_into
        self._explicit_size = facts.explicit_size
        self._salt = salt
        # With the explicit part in place of zeros one expression makes both kinds of nonce.
        self._iv = int.from_bytes(salt.ljust(facts.nonce_size, b"\0"), "big")
        self._tag_size = facts.tag_size
        self.overhead = HEADER_SIZE + facts.explicit_size + facts.tag_size

    def seal(
        self,
        content_type: int,
        data: Buffer,
        out: bytearray,
        pad_to: int = 0,  # noqa: ARG002 - these records have no padding
        limit: int = MAX_PLAINTEXT,
    ) -> None:
        """Append one record; there is no padding. See `Protection.seal`."""
        check_limit(len(data), limit)
        self.check_seals(1)
        record = bytearray(len(data) + self.overhead)
        self._seal_records(content_type, memoryview(data), memoryview(record), max(1, len(data)))
        out += record

    def open(self, header: Buffer, body: memoryview) -> tuple[int, bytes]:
        """Open one record; see `Protection.open`."""
        if len(body) > MAX_CIPHERTEXT_12:
            raise PeerError(CIPHERTEXT_OVERFLOW, f"{len(body)} bytes")
        content_type, version, _ = read_header(header)
        sequence = self.check_open()
        explicit = self._explicit_size
        length = len(body) - explicit - self._tag_size
        if length < 0:
            raise PeerError(RECORD_TOO_SHORT, f"{len(body)} bytes")
        associated = _associate(sequence, content_type, version, length)
        try:
            plain = self._decrypt(self._nonce(sequence, body), body[explicit:], associated)
        except BadTag:
            raise PeerError(BAD_RECORD_MAC) from None
        self.check_plaintext(length)
        self.sequence = sequence + 1
        return content_type, plain

    def seal_into(
        self,
        content_type: int,
        data: Buffer,
        out: memoryview,
        limit: int = MAX_PLAINTEXT,
        pad_to: int = 0,  # noqa: ARG002 - these records have no padding
    ) -> int:
        """Seal `data` in records of at most `limit` bytes into `out`; see `Protection.seal_into`."""
        view = memoryview(data)
        check_limit(min(len(view), limit), limit)
        self.check_seals(-(-len(view) // limit))
        return self._seal_records(content_type, view, out, limit) if view else 0

    def _seal_records(self, content_type: int, data: memoryview, out: memoryview, limit: int) -> int:
        encrypt_into, iv, explicit = self._encrypt_into, self._iv, self._explicit_size
        sequence, version, tag_size = self.sequence, self.version, self._tag_size
        at = 0
        for start in range(0, len(data) or 1, limit):
            content = data[start : start + limit]
            length = len(content)
            size = explicit + length + tag_size
            body = at + HEADER_SIZE
            out[at:body] = write_header(content_type, version, size)
            at = body + size
            nonce = (iv ^ sequence).to_bytes(12, "big")
            if explicit:
                out[body : body + explicit] = nonce[-explicit:]
            associated = _associate(sequence, content_type, version, length)
            encrypt_into(nonce, content, associated, out[body + explicit : at])
            sequence += 1
        self.sequence = sequence
        return at

    def open_run(self, source: memoryview, out: memoryview) -> Run:
        """Open consecutive application data records of `source` into `out`; see `protection`."""
        decrypt_into, iv, salt, explicit = self._decrypt_into, self._iv, self._salt, self._explicit_size
        sequence, expected = self.sequence, self.version
        beside = explicit + self._tag_size
        longest = self.plaintext_limit
        available, room = len(source), len(out)
        at = written = 0
        if sequence > MAX_SEQUENCE - available:
            return NOTHING
        while at + HEADER_SIZE <= available:
            content_type, version, size = read_header(source, at)
            body = at + HEADER_SIZE
            end = body + size
            length = size - beside
            if (
                end > available
                or content_type != APPLICATION_DATA
                or version != expected
                or not 0 <= length <= longest
                or written + length > room
            ):
                break
            try:
                decrypt_into(
                    salt + bytes(source[body : body + explicit])
                    if explicit
                    else (iv ^ sequence).to_bytes(12, "big"),
                    source[body + explicit : end],
                    _associate(sequence, content_type, version, length),
                    out[written : written + length],
                )
            except BadTag:
                break
            sequence += 1
            at = end
            if not length:
                self.sequence = sequence
                return Run(at, written, APPLICATION_DATA, 0)
            written += length
        self.sequence = sequence
        return Run(at, written, None, 0)

    def _nonce(self, sequence: int, body: memoryview) -> bytes:
        """Give the nonce of a record that was received."""
        if self._explicit_size:
            return self._salt + bytes(body[: self._explicit_size])
        return (self._iv ^ sequence).to_bytes(12, "big")
