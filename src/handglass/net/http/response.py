"""Answers: a head as OpenSSL's server writes it, plus what HTTP/1.1 needs, and a body that may be large.

A large file is read in pieces of 256 KiB into one buffer that is used again and again (not mapped into
memory: a file that is cut while it is sent would end the process with SIGBUS). A view of that buffer is valid
until the next piece is asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from handglass.net.errors import NetCode, NetError
from handglass.net.http.request import Request
from handglass.records import dataclass, field

PIECE = 1 << 18
SMALL = 1 << 16
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Body(Protocol):
    """What follows the head: its length in bytes, its pieces, and an end."""

    @property
    def length(self) -> int:
        """The number of bytes."""
        ...

    def pieces(self, buffer: bytearray | None = None) -> Iterator[bytes | memoryview]:
        """Return the bytes; each piece is valid until the next one is asked for.

        Raises NetError (FILE_CHANGED).
        """
        ...

    def close(self) -> None:
        """Give back what the body holds; may be called twice."""
        ...


@dataclass(slots=True)
class BytesBody:
    """A body in memory."""

    data: bytes = field(default=b"", repr=False)

    @property
    def length(self) -> int:
        """The number of bytes."""
        return len(self.data)

    def pieces(self, buffer: bytearray | None = None) -> Iterator[bytes | memoryview]:  # noqa: ARG002 - see Body
        """Yield the bytes, 256 KiB at a time."""
        if len(self.data) <= PIECE:
            yield self.data
            return
        view = memoryview(self.data)
        for at in range(0, len(view), PIECE):
            yield view[at : at + PIECE]

    def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class FileBody:
    """A part of an open file.

    `length` bytes from `start`. Closes `fd`; `fd` and `start` serve sendfile, too.
    """

    fd: int
    start: int
    length: int

    def pieces(self, buffer: bytearray | None = None) -> Iterator[bytes | memoryview]:
        """Yield views of `buffer` (the caller's, or a new one), which is filled again and again."""
        if buffer is None:
            buffer = bytearray(min(PIECE, self.length))
        with memoryview(buffer) as view:
            at, end = self.start, self.start + self.length
            while at < end:
                count = self._read(view[: end - at], at)
                if count == 0:
                    raise NetError(
                        NetCode.FILE_CHANGED, f"the file ended {end - at} bytes early while it was sent"
                    )
                yield view[:count]
                at += count

    def _read(self, view: memoryview, at: int) -> int:
        try:
            return os.preadv(self.fd, [view], at)
        except OSError as error:
            sentence = f"the file could not be read while it was sent: {error.strerror}"
            raise NetError(NetCode.FILE_CHANGED, sentence, error.errno or 0) from None

    def close(self) -> None:
        """Close the file."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


@dataclass(slots=True)
class Response:
    """An answer. `bare`: the body is all of it, head included, and the connection ends behind it (-HTTP)."""

    status: int
    fields: list[tuple[str, str]]
    body: Body
    close: bool = False
    bare: bool = False

    def keeps_alive(self, request: Request) -> bool:
        """Whether the connection goes on after this answer."""
        return request.keep_alive and not self.close and not self.bare

    def is_short(self, request: Request) -> bool:
        """Whether all of it is one piece."""
        return (request.method == "HEAD" and not self.bare) or self.body.length <= SMALL

    def head(self, request: Request) -> bytes:
        """Return the status line and the fields. A request of HTTP/1.0 or 0.9 gets an answer of HTTP/1.0."""
        if self.bare:
            return b""
        minor = 1 if request.version >= (1, 1) else 0
        keep = self.keeps_alive(request)
        lines = [f"HTTP/1.{minor} {self.status} {reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        if self.status != HTTPStatus.NOT_MODIFIED:
            lines.append(f"Content-length: {self.body.length}")
        lines.append(f"Date: {http_date(int(time.time()))}")
        if keep != (minor == 1):
            lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def stream(self, request: Request, buffer: bytearray | None = None) -> Iterator[bytes | memoryview]:
        """All that is to be sent: the head (together with a small body), then the body's pieces.

        Each piece is valid until the next is asked for. `buffer` may be one for all answers of a connection.
        """
        head = self.head(request)
        if request.method == "HEAD" and not self.bare:
            yield head
        elif self.is_short(request):
            yield head + b"".join(self.body.pieces(buffer))
        else:
            if head:
                yield head
            yield from self.body.pieces(buffer)


def text_response(status: int, text: str, *, close: bool = False) -> Response:
    """Return a short answer in plain text."""
    fields = [("Content-type", "text/plain")]
    if status != HTTPStatus.OK:
        fields.append(("X-Content-Type-Options", "nosniff"))  # it may quote the request
    return Response(status, fields, BytesBody(text.encode("utf-8", "replace")), close=close)


def reason(status: int) -> str:
    """Return the words of a status; those of 200 are OpenSSL's."""
    if status == HTTPStatus.OK:
        return "ok"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@lru_cache(maxsize=256)
def http_date(seconds: int) -> str:
    """Return a time since the epoch as IMF-fixdate (RFC 9110 §5.6.7), whatever the locale."""
    t = time.gmtime(seconds)
    return (
        f"{DAYS[t.tm_wday]}, {t.tm_mday:02} {MONTHS[t.tm_mon - 1]} {t.tm_year:04} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    )
