"""What every record protection can do, and how bulk data goes through it.

A protection has the keys of one direction and its sequence number; it either seals or opens, never
both. There are two ways in each direction:

- one record at a time, for handshake messages, alerts and whatever is odd: `seal` appends a whole
  record to a bytearray, `open` gives content type and plaintext as new bytes;
- many application data records at a time, for bulk. `seal_into` cuts its input into records and
  writes them one after another into a buffer that the caller keeps; `open_run` decrypts all complete
  consecutive records of a receive buffer into one output buffer. In both, the cipher writes straight
  to its destination. Per record there is a slice for each buffer, a nonce and the call of the cipher,
  and nothing else: no object is made for a record, no header is parsed twice, no plaintext copied.

`open_run` only takes the easy case. It stops, without complaint and without consuming anything of it,
at the first record that is not complete, not application data of the expected version, longer than
allowed, or does not open: what came before is delivered first, and the caller passes that record to
its own checks and to `open`, which says what is wrong. It also stops behind a record that opens to
something else than application data (TLS 1.3 hides the type), or to none at all, and hands it over.

    Run(consumed, written, content_type, length)
        consumed      bytes of the source that were opened, headers included
        written       bytes of application data, at the start of the output
        content_type  None, or the type of a record that ended the run, whose plaintext is the
        length        `length` bytes after the application data (0 for an empty application data record)

A typical caller:

    while True:
        run = protection.open_run(received[start:end], out)
        start += run.consumed
        deliver(out[:run.written])
        if run.content_type is not None:
            handle(run.content_type, bytes(out[run.written : run.written + run.length]))
        elif run.consumed == 0:
            break          # nothing complete, or a record for `open`

The output needs room for `OPEN_ROOM` bytes at least, or a large record cannot be opened; with more,
more records go in at once. The bytes behind what `Run` names are scratch. For sealing, `sealed_size`
says how much room the records need. Buffers that live for many calls are worth having: a fresh one
costs as much as encrypting. `seal_many` is `seal_into` at the end of a bytearray.

Sequence numbers move on success only. So a record that does not open may be tried again or skipped
(RFC 8446 §4.2.10 wants that of a server that turned early data down).
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from typing import NamedTuple

from handglass.registry.code_points import ContentType
from handglass.registry.errors import LocalError, PeerError, TLSError
from handglass.registry.reasons import KEY_LIMIT_REACHED, RECORD_OVERFLOW, SEQUENCE_EXHAUSTED, Reason

Buffer = bytes | bytearray | memoryview

HEADER_SIZE = 5
MAX_PLAINTEXT = 2**14  # RFC 8446 §5.1, RFC 5246 §6.2.1
MAX_CIPHERTEXT_13 = MAX_PLAINTEXT + 256  # RFC 8446 §5.2
MAX_CIPHERTEXT_12 = MAX_PLAINTEXT + 2048  # RFC 5246 §6.2.3
MAX_SEQUENCE = 2**64 - 1
OPEN_ROOM = MAX_PLAINTEXT + 256

APPLICATION_DATA = int(ContentType.APPLICATION_DATA)

_HEADER = struct.Struct(">BHH")
write_header = _HEADER.pack
"""A header from content type, version and length."""
read_header = _HEADER.unpack_from
"""Content type, version and length of the header at an offset."""


# Room is made from these: fresh zeros would have to be allocated, cleared and freed each time, which
# takes longer than encrypting. The pages are never written, so they take no memory either.
_ZEROS = memoryview(bytes(1 << 20))


class Run(NamedTuple):
    """What `open_run` did; see the module's description."""

    consumed: int
    written: int
    content_type: int | None
    length: int


NOTHING = Run(0, 0, None, 0)


class Protection(ABC):
    """The keys of one direction of a connection, and the sequence number of its next record."""

    __slots__ = ("limit_reason", "plaintext_limit", "seal_limit", "sequence", "version")

    overhead: int
    """The most that sealing adds to the plaintext of a record, header included, in bytes."""

    def __init__(self, version: int, seal_limit: int | None = None) -> None:
        self.version = version
        self.sequence = 0
        self.seal_limit = MAX_SEQUENCE if seal_limit is None else seal_limit
        self.plaintext_limit = MAX_PLAINTEXT
        self.limit_reason = RECORD_OVERFLOW

    def __repr__(self) -> str:
        return f"<{type(self).__name__} sequence={self.sequence}>"

    @property
    def seals_left(self) -> int:
        """How many more records may be sealed under these keys (RFC 8446 §5.5, §5.3)."""
        return self.seal_limit - self.sequence

    def limit_plaintext(self, limit: int, reason: Reason) -> None:
        """Accept at most `limit` bytes of content in a record that is opened; `reason` says why.

        The type byte of TLS 1.3 is not counted here, while record_size_limit counts it (RFC 8449 §4).
        """
        self.plaintext_limit = limit
        self.limit_reason = reason

    @abstractmethod
    def seal(
        self, content_type: int, data: Buffer, out: bytearray, pad_to: int = 0, limit: int = MAX_PLAINTEXT
    ) -> None:
        """Append one whole record, header included, to `out`.

        Where records can be padded (TLS 1.3), content, type and padding together are brought to a
        multiple of `pad_to` bytes, as far as `limit` (the most content that the peer accepts)
        allows. Raises LocalError when the keys are used up and ValueError for more data than `limit`.
        """

    @abstractmethod
    def open(self, header: Buffer, body: memoryview) -> tuple[int, bytes]:
        """Open one record: its 5-byte header as received, and what follows it, of that length.

        Gives the content type and the plaintext. Raises PeerError with RECORD_OVERFLOW or the reason
        of `limit_plaintext`, BAD_RECORD_MAC, RECORD_TOO_SHORT or NO_CONTENT_TYPE.
        """

    def seal_into(
        self,
        content_type: int,
        data: Buffer,
        out: memoryview,
        limit: int = MAX_PLAINTEXT,
        pad_to: int = 0,
    ) -> int:
        """Seal `data` in records of at most `limit` bytes into `out`; give the bytes written.

        `out` has room for `sealed_size(len(data), limit, pad_to)` bytes. No data, no record. Raises
        LocalError, before anything is written, if the keys do not last for all of it.
        """
        view = memoryview(data)
        self.check_seals(-(-len(view) // limit))
        written = 0
        for start in range(0, len(view), limit):
            record = bytearray()
            self.seal(content_type, view[start : start + limit], record, pad_to, limit)
            out[written : written + len(record)] = record
            written += len(record)
        return written

    def seal_many(self, content_type: int, data: Buffer, limit: int, out: bytearray, pad_to: int = 0) -> None:
        """Append `data` in records of at most `limit` bytes to `out`; see `seal_into`."""
        start = len(out)
        size = self.sealed_size(len(data), limit, pad_to)
        out += _ZEROS[:size] if size <= len(_ZEROS) else bytes(size)
        with memoryview(out) as whole, whole[start:] as room:
            written = self.seal_into(content_type, data, room, limit, pad_to)
        del out[start + written :]

    def sealed_size(self, length: int, limit: int = MAX_PLAINTEXT, pad_to: int = 0) -> int:
        """Give an upper bound of what `seal_into` writes for `length` bytes of data."""
        records = -(-length // limit)
        return records * (limit + self.overhead) if pad_to else length + records * self.overhead

    def open_run(self, source: memoryview, out: memoryview) -> Run:
        """Open consecutive application data records of `source` into `out`; see the module."""
        at = written = 0
        while len(source) - at >= HEADER_SIZE:
            content_type, version, length = read_header(source, at)
            end = at + HEADER_SIZE + length
            if end > len(source) or content_type != APPLICATION_DATA or version != self.version:
                break
            if written + length > len(out):
                break
            try:
                _, plain = self.open(source[at : at + HEADER_SIZE], source[at + HEADER_SIZE : end])
            except TLSError:
                break
            at = end
            if not plain:
                return Run(at, written, APPLICATION_DATA, 0)
            out[written : written + len(plain)] = plain
            written += len(plain)
        return Run(at, written, None, 0)

    def check_seals(self, count: int) -> None:
        """Raise LocalError unless `count` more records may be sealed."""
        if count > self.seal_limit - self.sequence:
            raise LocalError(SEQUENCE_EXHAUSTED if self.seal_limit == MAX_SEQUENCE else KEY_LIMIT_REACHED)

    def check_open(self) -> int:
        """Give the sequence number of the record to open; LocalError if there are none left (§5.3)."""
        if self.sequence > MAX_SEQUENCE:
            raise LocalError(SEQUENCE_EXHAUSTED)
        return self.sequence

    def check_plaintext(self, length: int) -> None:
        """Raise PeerError for more content than a record may have."""
        if length > self.plaintext_limit:
            raise PeerError(self.limit_reason, f"{length} bytes, at most {self.plaintext_limit}")


def check_limit(length: int, limit: int) -> None:
    """Raise ValueError for more data than goes into a record: a mistake of the caller's."""
    if length > limit or limit > MAX_PLAINTEXT:
        raise ValueError(f"{length} bytes do not go into a record of at most {limit}")
