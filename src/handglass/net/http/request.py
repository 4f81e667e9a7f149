"""Reading HTTP/1.x requests as they come: cut anywhere, several at once, hostile (RFC 9112).

Bytes go in with `receive`, requests come out of `next_request`; there is no socket and no clock here. What is
kept of a request is bounded by `RequestLimits`, and so is what is kept of the requests behind it: while
`wants_data` is false the peer can wait. Lines may end with LF alone (RFC 9112 §2.2), since people type
requests. Two things are taken that a server for the public would refuse, because OpenSSL's server answers
them: HTTP/0.9's ``GET /path``, and HTTP/1.1 without Host. Whatever leaves doubt about where a request ends is
refused (RFC 9112 §11.2).
"""

from __future__ import annotations

import re

from handglass.net.http.limits import RequestLimits
from handglass.records import dataclass, field

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([^\x00-\x20\x7f]+)(?: HTTP/(\d)\.(\d))?[ \t]*\Z")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([^\x00\r\n]*?)[ \t]*\Z")
END_OF_HEAD = re.compile(rb"\n\r?\n")
BLANK = b"\r\n"
BLANK_LIMIT = 64
HTTP_0_9 = (0, 9)


@dataclass(slots=True)
class Request:
    """One request. `target` is as it came (latin-1).

    `keep_alive` tells whether another request may follow.
    """

    method: str
    target: str
    version: tuple[int, int]
    fields: tuple[tuple[str, str], ...]
    keep_alive: bool
    _by_name: dict[str, list[str]] | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """The path as it came, with its percent-encodings, without the query."""
        target = self.target
        if not target.startswith("/") and "://" in target:  # absolute-form: RFC 9112 §3.2.2
            target = "/" + target.partition("://")[2].partition("/")[2]
        return target.partition("?")[0]

    def values(self, name: str) -> list[str]:
        """All values of a field; `name` in lower case."""
        if self._by_name is None:
            self._by_name = {}
            for key, value in self.fields:
                self._by_name.setdefault(key.lower(), []).append(value)
        return self._by_name.get(name, [])

    def value(self, name: str) -> str:
        """Return the values of a field in one (RFC 9110 §5.3); empty if there is none."""
        return ", ".join(self.values(name))


class RequestError(Exception):
    """What came is no request that we take.

    The status to answer with, and a sentence. The connection ends then.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class RequestReader:
    """A connection's requests, one after the other."""

    def __init__(self, limits: RequestLimits | None = None) -> None:
        self._limits = limits or RequestLimits()
        self._buffer = bytearray()
        self._scanned = 0
        self._blanks = 0
        self._line: tuple[str, str, tuple[int, int], int] | None = None
        self._skip = 0
        self._eof = False
        self._overflow = False
        self._closed = False

    @property
    def wants_data(self) -> bool:
        """Whether more bytes can be of use now; if not, take requests first."""
        return not self._closed and not self._eof and len(self._buffer) < self._most

    @property
    def between_requests(self) -> bool:
        """Whether nothing of a next request has come: an idle connection, not a slow one."""
        return not self._buffer and not self._skip

    @property
    def finished(self) -> bool:
        """Whether no further request can come."""
        return self._closed or (self._eof and not self._buffer)

    @property
    def _most(self) -> int:
        return self._limits.line + self._limits.head

    def receive(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the peer. What comes after the last request of a connection is dropped."""
        if self._closed or self._overflow:
            return
        self._buffer += data
        if len(self._buffer) > 2 * self._most + (1 << 18):
            # The caller did not look at wants_data: what is beyond any request's size is not kept.
            self._overflow = True
            del self._buffer[2 * self._most :]

    def receive_eof(self) -> None:
        """Note that the peer sends no more. A request whose first line came whole still counts."""
        self._eof = True

    def next_request(self) -> Request | None:
        """Return the next request, or None if it has not come whole yet.

        Raises RequestError once, then all is over.
        """
        try:
            request = self._next()
        except RequestError:
            self._close()
            raise
        if request is None and self._overflow and not self._closed:
            self._close()
            raise RequestError(400, "too much came behind a request that was not answered yet")
        if request is not None and not request.keep_alive:
            self._close()
        return request

    def _next(self) -> Request | None:
        if self._closed or not self._skip_body():
            return None
        if self._line is None:
            self._line = self._request_line()
            if self._line is None:
                return None
        method, target, version, end_of_line = self._line
        if version == HTTP_0_9:
            self._consume(end_of_line + 1)
            return Request(method, target, version, (), keep_alive=False)
        end = END_OF_HEAD.search(self._buffer, max(end_of_line, self._scanned - 2))
        whole = end.end() if end is not None else len(self._buffer)
        if whole - end_of_line > self._limits.head:
            raise RequestError(431, f"the header lines have more than {self._limits.head} bytes")
        if end is None and not self._eof:
            self._scanned = len(self._buffer)
            return None
        lines = bytes(self._buffer[end_of_line + 1 : whole])
        self._consume(whole)
        return self._request(method, target, version, self._fields(lines))

    def _request_line(self) -> tuple[str, str, tuple[int, int], int] | None:
        """Parse method, target, version, and where the line ends, once it has come whole."""
        self._skip_blank_lines()
        end = self._buffer.find(b"\n", 0, self._limits.line)
        if end < 0:
            if len(self._buffer) >= self._limits.line:
                raise RequestError(414, f"the request line has more than {self._limits.line} bytes")
            if self._eof:
                self._close()
            return None
        match = REQUEST_LINE.match(bytes(self._buffer[:end]).removesuffix(b"\r"))
        if match is None:
            raise RequestError(400, "the request line is not of HTTP")
        method, target, major, minor = match.groups()
        version = HTTP_0_9 if major is None else (int(major), int(minor))
        if version == HTTP_0_9 and method != b"GET":
            raise RequestError(400, "the request line has no version")
        if version[0] not in (0, 1):
            raise RequestError(505, f"HTTP/{version[0]}.{version[1]} is not spoken here, HTTP/1.1 is")
        return method.decode("ascii"), target.decode("latin-1"), version, end

    def _fields(self, lines: bytes) -> tuple[tuple[str, str], ...]:
        """RFC 9112 §5: no folded lines, no space in front of the colon."""
        fields: list[tuple[str, str]] = []
        for line in lines.split(b"\n"):
            line = line.removesuffix(b"\r")  # noqa: PLW2901 - the same line without its end
            if not line:
                break
            match = FIELD.match(line)
            if match is None:
                raise RequestError(400, "a header line is not of HTTP")
            if len(fields) == self._limits.fields:
                raise RequestError(431, f"there are more than {self._limits.fields} header lines")
            fields.append((match[1].decode("ascii"), match[2].decode("latin-1")))
        return tuple(fields)

    def _request(
        self, method: str, target: str, version: tuple[int, int], fields: tuple[tuple[str, str], ...]
    ) -> Request:
        request = Request(method, target, version, fields, keep_alive=False)
        options = {word.strip().lower() for word in request.value("connection").split(",")}
        keep = "keep-alive" in options if version == (1, 0) else True
        length = self._body_length(request)
        readable = length is not None and length <= self._limits.skipped_body and not request.values("expect")
        request.keep_alive = keep and "close" not in options and readable and not self._eof
        self._skip = length or 0
        return request

    def _body_length(self, request: Request) -> int | None:
        """Return the bytes of the body, which nobody here reads.

        None if it ends some other way (RFC 9112 §6).
        """
        lengths = {word.strip() for word in request.value("content-length").split(",")} - {""}
        coded = bool(request.values("transfer-encoding"))
        if request.values("content-length") and (coded or len(lengths) != 1):
            raise RequestError(400, "the length of the body is in doubt")
        if len(request.values("host")) > 1:
            raise RequestError(400, "there is more than one Host")
        if coded:
            return None
        text = lengths.pop() if lengths else "0"
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise RequestError(400, "the length of the body is no number")
        return int(text)

    def _skip_body(self) -> bool:
        """Drop what has come of the last request's body; tell whether it is over."""
        if self._skip:
            dropped = min(self._skip, len(self._buffer))
            del self._buffer[:dropped]
            self._skip -= dropped
        return not self._skip

    def _skip_blank_lines(self) -> None:
        """RFC 9112 §2.2: blank lines in front of a request line are no harm, as long as they end."""
        while self._buffer[:1] and self._buffer[0] in BLANK:
            del self._buffer[:1]
            self._blanks += 1
            if self._blanks > BLANK_LIMIT:
                raise RequestError(400, "there are blank lines without end")

    def _consume(self, count: int) -> None:
        del self._buffer[:count]
        self._scanned = self._blanks = 0
        self._line = None

    def _close(self) -> None:
        self._closed = True
        self._skip = 0
        self._buffer.clear()
