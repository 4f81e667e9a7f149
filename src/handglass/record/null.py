"""Records before there are keys: a header and the plaintext."""

from __future__ import annotations

from .protection import (
    HEADER_SIZE,
    MAX_PLAINTEXT,
    NOTHING,
    Buffer,
    Protection,
    Run,
    check_limit,
    write_header,
)


class NullProtection(Protection):
    """No protection. `version` is what goes into headers; it may be changed during the handshake."""

    __slots__ = ()
    overhead = HEADER_SIZE

    def seal(
        self,
        content_type: int,
        data: Buffer,
        out: bytearray,
        pad_to: int = 0,  # noqa: ARG002 - nothing can be padded here
        limit: int = MAX_PLAINTEXT,
    ) -> None:
        """Append one record; there is no padding."""
        check_limit(len(data), limit)
        out += write_header(content_type, self.version, len(data))
        out += data
        self.sequence += 1

    def open(self, header: Buffer, body: memoryview) -> tuple[int, bytes]:
        """Give the type and the content as they stand. Raises PeerError with RECORD_OVERFLOW."""
        self.check_plaintext(len(body))
        self.sequence += 1
        return header[0], bytes(body)

    def open_run(self, source: memoryview, out: memoryview) -> Run:  # noqa: ARG002 - nothing is opened
        """Open nothing: application data never comes unprotected."""
        return NOTHING
