"""Where a program writes: text for people and scripts, application data, and complaints, each handed on at once."""

from __future__ import annotations

import os
import select
import sys

from handglass.net.interrupts import interruptible


class Output:
    """Standard output as a file of text, for who writes to files of text."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def write(self, text: str) -> None:
        """Write a text."""
        self._screen.text(text)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""


class Screen:
    """Standard output and standard error. Raises BrokenPipeError when the reader of standard output has gone.

    After a write that came to nothing, by that error or an interruption, nobody is written to any more: what the
    program still does, and shows while it does so, shall not wait for a reader who is not there.
    """

    def __init__(self) -> None:
        self._out = sys.stdout.fileno()
        self._given_up = False
        self.out = Output(self)

    def text(self, text: str) -> None:
        """Write a block of the report."""
        self.data(text.encode("utf-8", "backslashreplace"))

    def data(self, data: bytes) -> None:
        """Write bytes as they are."""
        if self._given_up:
            return
        with interruptible():  # the reader may take its time
            try:
                self._write(memoryview(data))
            except BaseException:
                self._given_up = True
                raise

    def _write(self, view: memoryview) -> None:
        while view:
            try:
                view = view[os.write(self._out, view) :]
            except BlockingIOError:  # a pipe that whoever started us has made not to block
                _wait_for_room(self._out)

    def error(self, text: str) -> None:
        """Write a line to standard error."""
        with interruptible():
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def _wait_for_room(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
