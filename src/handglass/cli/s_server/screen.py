"""Where s_server writes: standard output, standard error and -msgfile, none of which can hold the server up.

What goes to standard output is either data of clients, which is kept, or text, which is left out when nobody reads
(see `outlet`). Where standard output and standard error are the same file or terminal, one outlet serves both, so
that the lines come in the order in which they were said.
"""

from __future__ import annotations

import errno
import io
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, cast

from handglass.cli.s_server.outlet import FileOutlet, Outlet, make_outlet

CLOSE_SECONDS = 1.0
"""How long the end of the program waits for whoever reads its output."""


class Stream(io.TextIOBase):
    """A text file for whoever wants one; lines for people."""

    def __init__(self, put: Callable[[bytes, bool], None]) -> None:
        self._put = put

    def write(self, text: str) -> int:
        """Have it written, unless the reader has fallen behind."""
        self._put(text.encode("utf-8", "backslashreplace"), True)
        return len(text)


def stream(put: Callable[[bytes, bool], None]) -> IO[str]:
    """A text file that hands on what is written to it."""
    return cast("IO[str]", Stream(put))  # which it is, but for the type checker's idea of `readlines`


class ServerScreen:
    """Standard output and standard error of s_server, for its event loop (see `on_ready`).

    `out` and `err` are text files on them. `on_room` is called when clients may print data again.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self.descriptor = self._ours.fileno()
        self.on_room: Callable[[], None] = lambda: None
        self._told: set[Outlet | FileOutlet] = set()
        out, err = _descriptor(sys.stdout), _descriptor(sys.stderr)
        self._standard = make_outlet(out, self._wake)
        self._outlets = [self._standard]
        if not os.path.samestat(os.fstat(out), os.fstat(err)):
            self._outlets.append(make_outlet(err, self._wake))
        self._readers = frozenset(self._outlets)  # without them nobody is served
        self._put = _putter(out, self._standard)
        self.out = stream(self._put)
        self.err = stream(_putter(err, self._outlets[-1]))

    @property
    def is_full(self) -> bool:
        """Whether nobody reads standard output, so that little more should be taken from each client."""
        return self._standard.is_full

    @property
    def is_overfull(self) -> bool:
        """Whether nothing more at all should be taken from clients."""
        return self._standard.is_overfull

    def text(self, text: str) -> None:
        """Write a block of the report."""
        self.out.write(text)

    def data(self, data: bytes) -> None:
        """Write a client's bytes as they are."""
        self._put(data, False)

    def error(self, text: str) -> None:
        """Write a line to standard error."""
        self.err.write(text + "\n")

    def file(self, descriptor: int) -> IO[str]:
        """A text file on one more descriptor."""
        self._outlets.append(make_outlet(descriptor, self._wake))
        return stream(_putter(descriptor, self._outlets[-1]))

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """An outlet has room again, or has failed. Raises BrokenPipeError if a standard stream has no reader."""
        with suppress(BlockingIOError):
            self._ours.recv(4096)
        for outlet in self._outlets:
            if outlet.error is not None and outlet not in self._told:
                self._told.add(outlet)
                if outlet.error.errno == errno.EPIPE and outlet in self._readers:
                    raise BrokenPipeError(errno.EPIPE, "the output has no reader")
                self.error(f"s_server: cannot write the output: {outlet.error.strerror}")
        if not self.is_full:
            self.on_room()

    def close(self) -> None:
        """Wait for whoever reads, for a short while; what is not read then is lost."""
        for outlet in self._outlets:
            outlet.close(CLOSE_SECONDS)

    def _wake(self) -> None:
        with suppress(OSError):  # full of calls already, or the program is at its end
            self._theirs.send(b"\0")


def _putter(descriptor: int, outlet: Outlet | FileOutlet) -> Callable[[bytes, bool], None]:
    """What writes to a descriptor: (bytes, whether they may be left out)."""
    return lambda data, is_report: outlet.put(descriptor, data, is_report=is_report)


def _descriptor(stream: IO[str] | None) -> int:
    """The descriptor of a standard stream; that of /dev/null if it was closed when the program began."""
    with suppress(AttributeError, OSError, ValueError):
        return stream.fileno()  # type: ignore[union-attr]  # None is what AttributeError is about
    return os.open(os.devnull, os.O_WRONLY)
