"""Where a program writes: text for people and scripts, application data, and complaints, each handed on at once."""

from __future__ import annotations

import os
import select
import sys


class Screen:
    """Standard output and standard error. Raises BrokenPipeError when the reader of standard output has gone."""

    def __init__(self) -> None:
        self._out = sys.stdout.fileno()

    def text(self, text: str) -> None:
        """Write a block of the report."""
        self.data(text.encode("utf-8", "backslashreplace"))

    def data(self, data: bytes) -> None:
        """Write bytes as they are."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._out, view) :]
            except BlockingIOError:  # a pipe that whoever started us has made not to block
                _wait_for_room(self._out)

    def error(self, text: str) -> None:
        """Write a line to standard error."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def _wait_for_room(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
