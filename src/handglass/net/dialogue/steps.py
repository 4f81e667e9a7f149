"""The steps that a dialogue may yield.

Each kind of reading knows where in a buffer its answer ends, and its own limit: how much a peer may say is
decided here, not by the peer. `awaited` completes the sentence "while waiting for …".
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeAlias, TypeVar

from handglass.net.errors import NetCode, NetError, shown
from handglass.records import dataclass, field

LINE_LIMIT = 8192
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Say these bytes. `secret` keeps them out of every record of the conversation."""

    data: bytes = field(repr=False)
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth telling that does not end the conversation."""

    code: NetCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Note:
    """Tell this to whoever watches."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line, to LF; the answer is the line with its line end."""

    awaited: str
    limit: int = LINE_LIMIT

    def end_in(self, buffer: bytearray, scanned: int) -> int:
        """Where the answer ends in `buffer`, of which `scanned` bytes are known to hold no end.

        -1 if not yet.
        """
        end = buffer.find(b"\n", scanned, self.limit)
        if end < 0 and len(buffer) >= self.limit:
            raise too_long(self.awaited, self.limit)
        return end + 1 if end >= 0 else -1


@dataclass(frozen=True, slots=True)
class ReadExactly:
    """So many bytes. The count is the dialogue's.

    One that a peer names must be checked before it comes here.
    """

    awaited: str
    count: int

    def end_in(self, buffer: bytearray, scanned: int) -> int:  # noqa: ARG002 - one interface for all readings
        """Where the answer ends in `buffer`; -1 if not yet."""
        return self.count if len(buffer) >= self.count else -1


@dataclass(frozen=True, slots=True)
class ReadMatch:
    """All up to the end of the first match of `pattern`, which must never match more than `widest` bytes."""

    awaited: str
    pattern: re.Pattern[bytes]
    limit: int = 1 << 16
    widest: int = 256

    def end_in(self, buffer: bytearray, scanned: int) -> int:
        """Where the answer ends in `buffer`, of which `scanned` bytes were looked at before.

        -1 if not yet.
        """
        match = self.pattern.search(buffer, max(0, scanned - self.widest), self.limit)
        if match is None and len(buffer) >= self.limit:
            raise too_long(self.awaited, self.limit)
        return match.end() if match is not None else -1


Read: TypeAlias = ReadLine | ReadExactly | ReadMatch
Step: TypeAlias = Send | Note | Read
Dialogue: TypeAlias = Generator[Step, bytes, T]
"""Yields steps, is answered with bytes (empty for what is no reading), returns what was agreed."""


class RefusedError(NetError):
    """The other side said no. `words` are its own, made safe for a terminal."""

    def __init__(self, sentence: str, said: bytes = b"") -> None:
        self.words = shown(said)
        super().__init__(NetCode.REFUSED, f"{sentence}: {self.words}" if self.words else sentence)


def too_long(awaited: str, limit: int, units: str = "bytes") -> NetError:
    """Return the error for an answer that does not end."""
    return NetError(NetCode.ANSWER_TOO_LONG, f"more than {limit} {units} came while waiting for {awaited}")


def malformed(awaited: str, said: bytes) -> NetError:
    """Return the error for an answer that is not of the protocol."""
    words = shown(said, 80)
    return NetError(
        NetCode.ANSWER_MALFORMED, f"this came instead of {awaited}: {words or 'nothing readable'}"
    )
