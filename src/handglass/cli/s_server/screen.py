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

from handglass.cli.s_server.outlet import Outlet, never_waits

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
        self._outlets: list[Outlet] = []
        self._told: set[Outlet] = set()
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        standard = _descriptor(sys.stdout), _descriptor(sys.stderr)
        first = self._outlet(standard[0])
        second = first if _are_same(*standard) else self._outlet(standard[1])
        self._data_outlet = first
        self._put = _putter(standard[0], first)
        self.out = stream(self._put)
        self.err = stream(_putter(standard[1], second))
        self.descriptor = self._ours.fileno()
        self.on_room: Callable[[], None] = lambda: None

    @property
    def is_full(self) -> bool:
        """Whether data for standard output waits, and no more should be taken from clients."""
        return self._data_outlet is not None and self._data_outlet.is_full

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
        return stream(_putter(descriptor, self._outlet(descriptor)))

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """An outlet has room again, or has failed. Raises BrokenPipeError if a reader has gone."""
        with suppress(BlockingIOError):
            self._ours.recv(4096)
        for outlet in self._outlets:
            if outlet.error is not None and outlet not in self._told:
                self._told.add(outlet)
                if outlet.error.errno == errno.EPIPE:
                    raise BrokenPipeError(errno.EPIPE, "the output has no reader")
                self.error(f"s_server: cannot write the output: {outlet.error.strerror}")
        if not self.is_full:
            self.on_room()

    def close(self) -> None:
        """Wait for whoever reads, for a short while; what is not read then is lost."""
        for outlet in self._outlets:
            outlet.close(CLOSE_SECONDS)

    def _outlet(self, descriptor: int | None) -> Outlet | None:
        """The outlet for a descriptor; None if it needs none."""
        if descriptor is None or never_waits(descriptor):
            return None
        self._outlets.append(Outlet(self._wake))
        return self._outlets[-1]

    def _wake(self) -> None:
        with suppress(OSError):  # full of calls already, or the program is at its end
            self._theirs.send(b"\0")


def _putter(descriptor: int | None, outlet: Outlet | None) -> Callable[[bytes, bool], None]:
    """What writes to a descriptor: (bytes, whether they may be left out)."""
    if descriptor is None:
        return lambda _data, _is_report: None
    if outlet is not None:
        return lambda data, is_report: outlet.put(descriptor, data, is_report=is_report)

    def write(data: bytes, _is_report: bool) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    return write


def _descriptor(stream: IO[str] | None) -> int | None:
    """The descriptor of a standard stream; None if it was closed when the program began."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


def _are_same(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and os.path.samestat(os.fstat(one), os.fstat(other))
