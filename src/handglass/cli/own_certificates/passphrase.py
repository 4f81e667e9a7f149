"""Where pass phrases come from: pass:, env:, file:, fd:, stdin, or a prompt that echoes nothing.

As with OpenSSL (openssl-passphrase-options(1)), only the first line counts, and when two options of one
command name the same file, descriptor or standard input, the first takes its first line and the second the
next. Nothing here keeps a pass phrase longer than its caller does, except the lines still unread of a shared
source.
"""

from __future__ import annotations

import os
import sys
from typing import IO

from handglass.net.files import reason_of

_MAX_LINE = 1024


class PassphraseError(ValueError):
    """A pass phrase cannot be had. The text is one sentence, without a full stop or the phrase itself."""


class PassphraseSources:
    """The pass phrase sources of one command, so that those it names twice are read line by line."""

    def __init__(self) -> None:
        self._open: dict[str, IO[bytes]] = {}

    def get(self, source: str) -> bytes:
        """Return the pass phrase that a source argument such as "file:secret.txt" stands for."""
        kind, colon, value = source.partition(":")
        if kind == "pass" and colon:
            return os.fsencode(value)
        if kind == "env" and colon:
            secret = os.environ.get(value)
            if secret is None:
                raise PassphraseError(f"No environment variable {value}")
            return os.fsencode(secret)
        if (kind in {"file", "fd"} and colon) or source == "stdin":
            return self._line(source, kind, value)
        # What stands there may be the pass phrase itself, so no more than a word before a colon is repeated.
        shown = f', starting with "{kind[:32]}:"' if colon else ""
        raise PassphraseError(
            f"Invalid password argument{shown}: give pass:phrase, env:name, file:path, fd:number or stdin"
        )

    def _line(self, source: str, kind: str, value: str) -> bytes:
        """Return the next line of a source that is read line by line."""
        stream = self._open.get(source)
        try:
            if stream is None:
                stream = self._open[source] = _open_stream(kind, value)
            line = stream.readline(_MAX_LINE)
        except (OSError, ValueError) as problem:
            raise PassphraseError(f"Can't read the pass phrase from {source}: {reason_of(problem)}") from None
        if not line:
            raise PassphraseError(f"Error reading the pass phrase from {source}: there is no line left")
        return line.rstrip(b"\r\n")

    def close(self) -> None:
        """Close the files opened here. Standard input stays open."""
        for source, stream in self._open.items():
            if source != "stdin":
                stream.close()
        self._open.clear()

    def __enter__(self) -> PassphraseSources:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_stream(kind: str, value: str) -> IO[bytes]:
    """Open what is read line by line."""
    if kind == "file":
        return open(value, "rb")  # noqa: PTH123 (closed by close())
    if kind == "fd":
        if not value.isdecimal():
            raise ValueError(f"{value!r} is not a file descriptor")
        return os.fdopen(os.dup(int(value)), "rb")
    return sys.stdin.buffer


def prompt(name: str) -> bytes:
    """Ask for the pass phrase of `name` on the terminal, or on standard error and input where there is none.

    Raises `PassphraseError` when there is nobody to ask.
    """
    text = f"Enter pass phrase for {name}:"
    try:
        import getpass  # noqa: PLC0415 (lazy: rarely needed)

        with open("/dev/tty", "rb"):  # noqa: PTH123 (only to see whether there is one)
            pass
        return os.fsencode(getpass.getpass(text))
    except EOFError:
        raise PassphraseError(f"no pass phrase was entered for {name}") from None
    except OSError:
        pass
    sys.stderr.write(text)
    sys.stderr.flush()
    line = sys.stdin.buffer.readline(_MAX_LINE) if sys.stdin is not None else b""
    sys.stderr.write("\n")
    if not line:
        raise PassphraseError(f"no pass phrase was entered for {name}")
    return line.rstrip(b"\r\n")
