"""Standard input: data for the server, and the command letters.

A command is a line that is nothing but its letter; where input is not a terminal, only if the read holds nothing else,
so that no data is ever eaten. `echo Q |` works, and "Quit" is data.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

CLIENT_COMMANDS = "QRkK"


class Keyboard:
    """The `Input` of the pump.

    `send` gets the data, `command` a letter, `end` is called once at the end of input. `crlf`: LF is sent as CR LF.
    """

    def __init__(
        self,
        *,
        send: Callable[[bytes], None],
        command: Callable[[str], None],
        end: Callable[[], None],
        commands: bool,
        crlf: bool,
    ) -> None:
        self._send = send
        self._command = command
        self._end = end
        self._commands = commands
        self._crlf = crlf
        self.descriptor: int | None = _standard_input()
        self.sent = False

    def take(self, data: bytes) -> None:
        """Deal with one read."""
        if not data:
            self.descriptor = None
            self._end()
            return
        letter = data.decode("latin-1").rstrip("\r\n")
        if self._commands and len(letter) == 1 and letter in CLIENT_COMMANDS:
            self._command(letter)
            return
        self.sent = True
        self._send(data.replace(b"\n", b"\r\n") if self._crlf else data)


def _standard_input() -> int | None:
    """The descriptor of standard input; None if it is closed."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None
