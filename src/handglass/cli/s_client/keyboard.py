"""Standard input: data for the server, and commands for ourselves.

Basic commands are letters. A command is a line that is nothing but its letter; where input is not a terminal, only if
the read holds nothing else, so that no data is ever eaten. `echo Q |` works, and "Quit" is data.

Advanced commands (-adv) are words in braces, anywhere in the input. `{{` is a brace. What stands around a command is
sent as it is; a line with nothing but commands is not sent at all, not even its end.

The keyboard outlives a connection: after {reconnect} what was typed behind it goes to the next one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum

from handglass.cli.s_client.commands import LETTERS, WORDS, Command
from handglass.net.errors import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Listener(Protocol):
        """Who gets what was typed: one connection at a time."""

        def send(self, data: bytes) -> None:
            """Data for the server."""

        def command(self, command: Command) -> None:
            """A command."""

        def complain(self, sentence: str) -> None:
            """Something is wrong with a command."""

        def input_ended(self) -> None:
            """There will be no more, said once to each connection."""


MAX_COMMAND = 64
"""Bytes between the braces of a command."""


class Commands(Enum):
    """Which commands are looked for in the input."""

    NONE = "none"
    BASIC = "basic"
    ADVANCED = "advanced"


class Keyboard:
    """The `Input` of the pump. `crlf`: LF is sent as CR LF. `reads`: whether standard input is read at all."""

    def __init__(self, commands: Commands, *, crlf: bool, reads: bool = True) -> None:
        self._commands = commands
        self._crlf = crlf
        self._listener: Listener | None = None
        self._braces = Braces()
        self._waiting: list[bytes | Command | str] = []
        self.descriptor: int | None = _standard_input() if reads else None

    def talk_to(self, listener: Listener) -> None:
        """Give this connection what is typed from now on, and what was typed but not given to anyone yet."""
        self._listener = listener
        self._hand_out()
        if self.descriptor is None and self._listener is listener:
            listener.input_ended()

    def rest(self) -> None:
        """The connection takes no more; what follows is for the next one."""
        self._listener = None

    def take(self, data: bytes) -> None:
        """Deal with one read."""
        if not data:
            self.descriptor = None
            self._waiting += self._braces.end()
        elif self._commands is Commands.ADVANCED:
            self._waiting += self._braces.split(data)
        else:
            letter = LETTERS.get(_without_line_end(data)) if self._commands is Commands.BASIC else None
            self._waiting.append(data if letter is None else letter)
        self._hand_out()
        if self.descriptor is None and self._listener is not None:
            self._listener.input_ended()

    def _hand_out(self) -> None:
        while self._waiting and self._listener is not None:
            piece = self._waiting.pop(0)
            if isinstance(piece, Command):
                self._listener.command(piece)
            elif isinstance(piece, str):
                self._listener.complain(piece)
            elif piece:
                self._listener.send(piece.replace(b"\n", b"\r\n") if self._crlf else piece)


class Braces:
    """Tells data, commands and complaints apart, over any number of reads."""

    def __init__(self) -> None:
        self._held = b""
        """A brace, and what came after it, of a command that is not complete yet."""
        self._at_line_start = True
        """Nothing of the line is data so far."""
        self._after_command = False
        """The line has had a command and no data so far."""
        self._passing_over = False
        """The rest of the line is of no use."""

    def split(self, data: bytes) -> Iterator[bytes | Command | str]:
        """Give what is in a read, in its order: data, a command, or a sentence about one that is wrong."""
        data, self._held = self._held + data, b""
        while data:
            if self._passing_over:
                _, line_end, data = data.partition(b"\n")
                self._passing_over = not line_end
                self._at_line_start, self._after_command = True, False
                continue
            text, brace, data = data.partition(b"{")
            yield self._data(text)
            if not brace:
                return
            if data.startswith(b"{"):
                yield self._data(b"{")
                data = data[1:]
                continue
            word, closing, rest = data.partition(b"}")
            if not closing and b"\n" not in word and len(word) <= MAX_COMMAND:
                self._held = brace + word
                return
            yield self._command(word if closing else None, data)
            data = rest if closing and not self._passing_over else data

    def end(self) -> Iterator[bytes | Command | str]:
        """Deal with the end of the input."""
        if self._held:
            yield self._command(None, self._held[1:])
            self._held = b""

    def _command(self, word: bytes | None, text: bytes) -> Command | str:
        """The command of this name; for an unknown or unfinished one a complaint about `text`."""
        command = WORDS.get(word) if word is not None else None
        if command is not None:
            self._after_command = self._at_line_start
            return command
        self._passing_over = True
        line = text.partition(b"\n")[0].rstrip(b"\r")
        return (
            f"this is no command: {{{shown(line, MAX_COMMAND)} - the rest of the line is not sent; "
            "{help} lists the commands, {{ sends a brace"
        )

    def _data(self, text: bytes) -> bytes:
        """Data, without the end of a line that had nothing but commands."""
        if self._after_command:
            for line_end in (b"\n", b"\r\n"):
                if text.startswith(line_end):
                    text, self._after_command = text[len(line_end) :], False
                    break
        if text:
            self._at_line_start, self._after_command = text.endswith(b"\n"), False
        return text


def _without_line_end(data: bytes) -> bytes:
    return data.removesuffix(b"\n").removesuffix(b"\r")


def _standard_input() -> int | None:
    """The descriptor of standard input; None if it is closed."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None
