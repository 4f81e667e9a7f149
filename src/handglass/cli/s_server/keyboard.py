"""Standard input of s_server: data for the client that is talked to, and the command letters.

A command is a line that is nothing but its letter; where input is not a terminal, only if the read holds nothing
else, so that no data is ever eaten. What is typed while there is no client waits for one, but for Q and S, which
mean the server. While the client does not take what was typed, no more is read.

A file cannot be waited for, and neither can /dev/null. The loop waits for something that is always ready instead, and
reads as much of the file in each turn as it does of a pipe.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import deque
from typing import TYPE_CHECKING

from handglass.cli.s_server import report
from handglass.net.server import ServedConnection
from handglass.registry.errors import LocalError

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program

COMMANDS = "qQrRkKPScB"
FOR_THE_SERVER = "QS"
READ_SIZE = 1 << 16
MOST_WAITING = 16
"""Reads that are kept for a client that is still to come."""
PLAIN_TEXT = b"This line was sent in plain text, below TLS\n"


class Keyboard:
    """Reads standard input in the server's loop."""

    def __init__(self, program: Program, *, commands: bool) -> None:
        self._program = program
        self._commands = commands
        self._waiting: deque[bytes] = deque()
        self._watched: int | None = None
        self._ended = False
        self._descriptor = _standard_input()
        is_terminal = self._descriptor is not None and os.isatty(self._descriptor)
        self._ends_at_once = commands and is_terminal and not program.options.ign_eof
        self._ends_later = commands and program.options.no_ign_eof

    @property
    def is_open(self) -> bool:
        """Whether something may still be typed, or waits."""
        return self._descriptor is not None and (not self._ended or bool(self._waiting))

    def start(self) -> None:
        """Begin to read."""
        self.go_on()

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """Something was typed."""
        assert self._descriptor is not None  # noqa: S101 - it is watched; for the type checker
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # a terminal that went away
            data = b""
        if data:
            self._waiting.append(data.replace(b"\n", b"\r\n") if self._program.options.crlf else data)
        else:
            self._end()
        self.go_on()

    def go_on(self) -> None:
        """Do what waits, as far as there is a client for it."""
        while self._waiting:
            letter = self._letter(self._waiting[0])
            client = self._program.talking_to
            if letter is None or letter not in FOR_THE_SERVER:
                if client is None or client.stalled or client.connection.is_renegotiating:
                    break
                if letter is None:
                    client.send(self._waiting.popleft())
                    client.do([])
                else:
                    self._waiting.popleft()
                    self._command(letter, client)
            else:
                self._waiting.popleft()
                self._server_command(letter)
        self._look()
        if self._ended and self._ends_later and not self._waiting and self._program.talking_to is not None:
            self._ends_later = False
            self._program.quit()

    def _letter(self, data: bytes) -> str | None:
        text = data.decode("latin-1").rstrip("\r\n")
        return text if self._commands and len(text) == 1 and text in COMMANDS else None

    def _look(self) -> None:
        """Watch standard input, or stop to."""
        server = self._program.server
        wanted = not self._ended and len(self._waiting) < MOST_WAITING
        if self._watched is not None and not wanted:
            server.remove(self._watched)
            if self._watched != self._descriptor:
                os.close(self._watched)
            self._watched = None
        elif self._watched is None and wanted and self._descriptor is not None:
            self._watched = _always_ready() if _is_file(self._descriptor) else self._descriptor
            server.add(self._watched, self)

    def _end(self) -> None:
        """End of input: on a terminal somebody wants the server to end; elsewhere it means nothing by itself."""
        self._ended = True
        if self._ends_at_once:
            self._ends_later = False
            self._program.quit()

    def _server_command(self, letter: str) -> None:
        if letter == "Q":
            self._program.quit()
        else:
            self._program.screen.text(report.statistics_text(self._program.totals))

    def _command(self, letter: str, client: ServedConnection) -> None:
        """Do what a letter means for one client."""
        screen, connection = self._program.screen, client.connection
        if letter == "q":
            screen.text("DONE\n")
            client.close()
            return
        if letter == "P":
            client.send_plain(PLAIN_TEXT)
            return
        try:
            if letter == "B":
                connection.send_heartbeat()
                client.do([])
                screen.text("HEARTBEATING\n")
                return
            if letter in "kK":
                events = connection.update_keys(request_peer=letter == "K")
            elif letter == "c":
                events = connection.request_certificate()
            else:
                events = connection.request_renegotiation(authenticate=letter == "R")
        except LocalError as error:
            if letter == "c":
                screen.text("Failed to initiate request\n")
            screen.error(f"s_server: {letter}: {error}")
            return
        client.do(events)
        screen.text("SSL_do_handshake -> 1\n")


def _standard_input() -> int | None:
    """The descriptor of standard input; None if it is closed."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _always_ready() -> int:
    """A descriptor that can always be read: a pipe at its end."""
    reading, writing = os.pipe()
    os.close(writing)
    return reading


def _is_file(descriptor: int) -> bool:
    """Whether it is something that the system cannot wait for: a file, or /dev/null."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not os.isatty(descriptor))
