"""TLS 1.3 record protection (RFC 8446 §5.2 to §5.4), also with the integrity-only ciphers of RFC 9150.

The cipher's input is content, type byte and padding in one piece. For bulk, one staging buffer per
call of `seal_into` has the type byte at its end already, so that a record costs one copy into it; the
buffer lives as long as the call, because ten thousand idle connections should not have one each. When
opening, the decrypted type byte lands behind the content, where the next record overwrites it.
"""

from __future__ import annotations

from handglass.crypto.aead import AEADS, aead
from handglass.crypto.errors import BadTag
from handglass.registry.errors import PeerError
from handglass.registry.reasons import (
    BAD_RECORD_MAC,
    CIPHERTEXT_OVERFLOW,
    NO_CONTENT_TYPE,
    RECORD_TOO_SHORT,
)

from .protection import (
    APPLICATION_DATA,
    HEADER_SIZE,
    MAX_CIPHERTEXT_13,
    MAX_PLAINTEXT,
    MAX_SEQUENCE,
    Buffer,
    Protection,
    Run,
    check_limit,
    read_header,
)

_VERSION = 0x0303  # RFC 8446 §5.2: legacy_record_version
_PREFIX = b"\x17\x03\x03"


class Aead13(Protection):
    """Records of TLS 1.3 under one traffic key."""

    __slots__ = (
        "_decrypt",
        "_decrypt_into",
        "_encrypt",
        "_encrypt_into",
        "_iv",
        "_nonce_size",
        "_tag_size",
        "overhead",
    )

    def __init__(self, cipher: str, key: bytes, iv: bytes) -> None:
        facts = AEADS[cipher]
        super().__init__(_VERSION, facts.seal_limit)
        if len(iv) != facts.nonce_size:
            raise ValueError(f"{cipher} takes an IV of {facts.nonce_size} bytes, not {len(iv)}")
        under_key = aead(cipher, key)
        self._encrypt = under_key.encrypt
        self._encrypt_into = under_key.encrypt_into
        self._decrypt = under_key.decrypt
        self._decrypt_into = under_key.decrypt_into
        self._iv = int.from_bytes(iv, "big")
        self._nonce_size = facts.nonce_size
        self._tag_size = facts.tag_size
        self.overhead = HEADER_SIZE + 1 + facts.tag_size

    def seal(
        self, content_type: int, data: Buffer, out: bytearray, pad_to: int = 0, limit: int = MAX_PLAINTEXT
    ) -> None:
        """Append one record, padded to a multiple of `pad_to`; see `Protection.seal`."""
        check_limit(len(data), limit)
        self.check_seals(1)
        inner = b"".join((data, bytes((content_type,))))
        if pad_to:
            inner = inner.ljust(_padded(len(inner), pad_to, limit), b"\0")
        header = _PREFIX + (len(inner) + self._tag_size).to_bytes(2, "big")
        nonce = (self._iv ^ self.sequence).to_bytes(self._nonce_size, "big")
        out += header
        out += self._encrypt(nonce, inner, header)
        self.sequence += 1

    def open(self, header: Buffer, body: memoryview) -> tuple[int, bytes]:
        """Open one record and take its padding off; see `Protection.open`."""
        if len(body) > MAX_CIPHERTEXT_13:
            raise PeerError(CIPHERTEXT_OVERFLOW, f"{len(body)} bytes")
        nonce = (self._iv ^ self.check_open()).to_bytes(self._nonce_size, "big")
        try:
            inner = self._decrypt(nonce, body, header)
        except BadTag:
            short = len(body) < self._tag_size
            raise PeerError(RECORD_TOO_SHORT if short else BAD_RECORD_MAC) from None
        self.check_plaintext(len(inner) - 1)
        stripped = inner.rstrip(b"\0")
        if not stripped:
            raise PeerError(NO_CONTENT_TYPE)
        self.sequence += 1
        return stripped[-1], stripped[:-1]

    def seal_into(
        self,
        content_type: int,
        data: Buffer,
        out: memoryview,
        limit: int = MAX_PLAINTEXT,
        pad_to: int = 0,
    ) -> int:
        """Seal `data` in records of at most `limit` bytes into `out`; see `Protection.seal_into`."""
        if pad_to:
            return super().seal_into(content_type, data, out, limit, pad_to)
        view = memoryview(data)
        check_limit(min(len(view), limit), limit)
        self.check_seals(-(-len(view) // limit))
        size = min(limit, len(view))
        written = 0
        sealed = len(view) - len(view) % size if size else 0
        if sealed:
            written = self._seal_equal(content_type, view[:sealed], out, size)
        if sealed < len(view):
            written += self._seal_equal(content_type, view[sealed:], out[written:], len(view) - sealed)
        return written

    def _seal_equal(self, content_type: int, data: memoryview, out: memoryview, size: int) -> int:
        """Seal records of exactly `size` bytes: they share header and staging buffer."""
        header = _PREFIX + (size + 1 + self._tag_size).to_bytes(2, "big")
        step = HEADER_SIZE + size + 1 + self._tag_size
        staging = bytearray(size + 1)
        staging[size] = content_type
        content = memoryview(staging)[:size]
        encrypt_into, iv, nonce_size, sequence = (
            self._encrypt_into,
            self._iv,
            self._nonce_size,
            self.sequence,
        )
        at = 0
        for start in range(0, len(data), size):
            content[:] = data[start : start + size]
            body = at + HEADER_SIZE
            out[at:body] = header
            at += step
            encrypt_into((iv ^ sequence).to_bytes(nonce_size, "big"), staging, header, out[body:at])
            sequence += 1
        self.sequence = sequence
        return at

    def open_run(self, source: memoryview, out: memoryview) -> Run:
        """Open consecutive application data records of `source` into `out`; see `protection`."""
        decrypt_into, iv, nonce_size, sequence = (
            self._decrypt_into,
            self._iv,
            self._nonce_size,
            self.sequence,
        )
        tag_size = self._tag_size
        longest = self.plaintext_limit + 1 + tag_size
        available, room = len(source), len(out)
        at = written = 0
        if sequence > MAX_SEQUENCE - available:
            return Run(0, 0, None, 0)
        while at + HEADER_SIZE <= available:
            content_type, version, length = read_header(source, at)
            body = at + HEADER_SIZE
            end = body + length
            # Where the type byte goes; negative sizes cannot come from a record with a tag and a type.
            last = written + length - tag_size - 1
            if (
                end > available
                or content_type != APPLICATION_DATA
                or version != _VERSION
                or length > longest
                or length <= tag_size
                or last >= room
            ):
                break
            try:
                decrypt_into(
                    (iv ^ sequence).to_bytes(nonce_size, "big"),
                    source[body:end],
                    source[at:body],
                    out[written : last + 1],
                )
            except BadTag:
                break
            if out[last] == APPLICATION_DATA and last > written:
                written = last
            else:
                inner = bytes(out[written : last + 1]).rstrip(b"\0")
                if not inner:
                    break
                if inner[-1] != APPLICATION_DATA or len(inner) == 1:
                    self.sequence = sequence + 1
                    return Run(end, written, inner[-1], len(inner) - 1)
                written += len(inner) - 1
            sequence += 1
            at = end
        self.sequence = sequence
        return Run(at, written, None, 0)


def _padded(length: int, pad_to: int, limit: int) -> int:
    """Round up to a multiple of `pad_to`, but not beyond a full record with its type byte."""
    return max(length, min(-(-length // pad_to) * pad_to, limit + 1))
