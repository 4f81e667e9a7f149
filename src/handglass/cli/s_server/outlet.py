"""Output that nobody waits for: a thread hands it to its reader, however slow that is.

Strategy: the event loop must never stand in a write(2). A regular file and /dev/null take everything at once and are
written to directly (`FileOutlet`); for a pipe, a terminal or a socket (`Outlet`) a thread is started with the first
bytes. What waits for it is bounded: beyond a limit, reports are left out, and the reader is told how many once it
reads again. Data of clients is never left out; whoever has some to print looks at `is_full` and `is_overfull` before
taking more from the client.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import deque
from collections.abc import Callable

LIMIT = 1 << 20
"""Bytes that may wait for the reader before reports are left out."""
MOST = 1 << 26
"""Bytes with which no data should be added."""
PIECE = 1 << 16
"""Bytes that are written at once."""


class Outlet:
    """Writes to one file, which may have several descriptors, in order.

    `wake` is called, in another thread, when there is room again and when writing has failed. `error` is why nothing
    is written any more.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.is_full = False
        self.error: OSError | None = None
        self._wake = wake
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, memoryview]] = deque()
        self._size = 0
        self._left_out = 0
        self._thread: threading.Thread | None = None
        self._closing = False

    @property
    def is_overfull(self) -> bool:
        """Whether data, too, had better not be added."""
        return self._size > MOST

    def put(self, descriptor: int, data: bytes, *, is_report: bool) -> None:
        """Have bytes written; a report is left out while the outlet is full."""
        with self._changed:
            if is_report and self.is_full:
                self._left_out += 1
                return
            if self.error is not None or not data:
                return
            self._waiting.append((descriptor, memoryview(data)))
            self._size += len(data)
            self.is_full = self.is_full or self._size > LIMIT
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="output", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Wait until all is written, but not for ever."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        while (piece := self._next()) is not None:
            descriptor, data = piece
            try:
                written = os.write(descriptor, data[:PIECE])
            except OSError as error:
                self._fail(error)
                return
            self._done(descriptor, data[written:], written)

    def _next(self) -> tuple[int, memoryview] | None:
        """What is to be written next; None at the end."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting else None

    def _done(self, descriptor: int, rest: memoryview, written: int) -> None:
        with self._changed:
            self._size -= written
            if rest:
                self._waiting.appendleft((descriptor, rest))
            if not self.is_full or self._size > LIMIT // 2:
                return
            self.is_full = False
            if self._left_out:
                note = f"\ns_server: {self._left_out} reports were left out here: nobody read them\n".encode()
                self._left_out = 0
                self._waiting.append((descriptor, memoryview(note)))
                self._size += len(note)
        self._wake()

    def _fail(self, error: OSError) -> None:
        with self._changed:
            self.error = error
            self._waiting.clear()
            self._size, self.is_full = 0, False
        self._wake()


class FileOutlet:
    """The same for a file that takes everything at once. `error` is why something could not be written."""

    is_full = is_overfull = False

    def __init__(self, wake: Callable[[], None]) -> None:
        self.error: OSError | None = None
        self._wake = wake

    def put(self, descriptor: int, data: bytes, *, is_report: bool) -> None:  # noqa: ARG002 - all is written
        """Write bytes; what finds no room on the disk is lost."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            self.error = error
            self._wake()

    def close(self, seconds: float) -> None:
        """Nothing waits to be written."""


def make_outlet(descriptor: int, wake: Callable[[], None]) -> Outlet | FileOutlet:
    """Give what a descriptor needs."""
    return FileOutlet(wake) if never_waits(descriptor) else Outlet(wake)


def never_waits(descriptor: int) -> bool:
    """Whether a write to it cannot stall: it is a file on a disk, or /dev/null."""
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) or os.path.samestat(found, os.stat(os.devnull))  # noqa: PTH116 - as fstat
