"""The echo of s_server -rev: each line comes back reversed, and the line CLOSE ends the connection.

As with OpenSSL, line ends are dropped and one LF is sent, and a line of more than 16 KiB counts as several.
"""

from __future__ import annotations

LINE_LIMIT = 16 * 1024
CLOSE = b"CLOSE"


class LineReverser:
    """One connection's echo. With `ignore_close` (-ign_eof) CLOSE is a line like any other."""

    def __init__(self, *, ignore_close: bool = False) -> None:
        self._ignore_close = ignore_close
        self._buffer = bytearray()
        self._scanned = 0
        self.closed = False

    def receive(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take bytes from the client; return what goes back. After CLOSE (`closed`) the rest is dropped."""
        if self.closed:
            return b""
        self._buffer += data
        answer = bytearray()
        start = 0
        while not self.closed:
            end = self._buffer.find(b"\n", max(start, self._scanned), start + LINE_LIMIT)
            if end >= 0:
                next_start = end + 1
            elif len(self._buffer) - start >= LINE_LIMIT:
                next_start = start + LINE_LIMIT
            else:
                break
            line = self._buffer[start:next_start].rstrip(b"\r\n")
            start = next_start
            if line == CLOSE and not self._ignore_close:
                self.closed = True
            else:
                line.reverse()
                answer += line + b"\n"
        del self._buffer[:start]
        self._scanned = len(self._buffer)
        return bytes(answer)
