"""The machine that runs a dialogue over bytes, without a socket or a clock.

Bytes go in with `receive`, what is to be sent comes out of `data_to_send`. The dialogue is advanced as far as
the bytes at hand allow. What is left in the buffer when it ends is `leftover`: the peer said it before TLS
began.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from handglass.net.dialogue.steps import Dialogue, Finding, Note, Read, Send, too_long
from handglass.net.errors import NetCode, NetError, shown

T = TypeVar("T")
TOTAL_LIMIT = 1 << 20


class Exchange(Generic[T]):
    """One run of a dialogue.

    `tell` gets each finding when it is found. Attributes: `findings`, all of them so far; `steps`, a count
    that grows each time that we said something. Errors of the dialogue come out of the constructor, `receive`
    and `receive_eof` as `NetError`.
    """

    def __init__(
        self,
        dialogue: Dialogue[T],
        total_limit: int = TOTAL_LIMIT,
        tell: Callable[[Finding], None] | None = None,
    ) -> None:
        self._dialogue = dialogue
        self._tell = tell
        self._total_limit = total_limit
        self._buffer = bytearray()
        self._scanned = 0
        self._received = 0
        self._outgoing: list[Send] = []
        self._pending: Read | None = None
        self._value: list[T] = []
        self.findings: list[Finding] = []
        self.steps = 0
        self._advance(None)

    @property
    def done(self) -> bool:
        """Whether the dialogue has ended well."""
        return bool(self._value)

    @property
    def value(self) -> T:
        """What the dialogue returned."""
        return self._value[0]

    @property
    def awaited(self) -> str:
        """What the peer owes us, as the end of a sentence."""
        return self._pending.awaited if self._pending is not None else "nothing"

    @property
    def leftover(self) -> bytes:
        """Bytes that came beyond what the dialogue has read."""
        return bytes(self._buffer)

    def data_to_send(self) -> list[Send]:
        """Return what is to be sent now, in order; it is handed out once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._buffer += data
        self._received += len(data)
        if not self.done and self._received > self._total_limit:
            raise too_long(self.awaited, self._total_limit)
        while self._pending is not None:
            end = self._pending.end_in(self._buffer, self._scanned)
            if end < 0:
                self._scanned = len(self._buffer)
                return
            answer = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._advance(answer)

    def receive_eof(self) -> None:
        """Note that the peer has closed: an error, unless the dialogue is over."""
        if not self.done:
            said = shown(bytes(self._buffer), 80)
            sentence = f"the connection was closed while waiting for {self.awaited}"
            raise NetError(NetCode.PEER_CLOSED, f"{sentence}, after: {said}" if said else sentence)

    def _advance(self, answer: bytes | None) -> None:
        """Resume the dialogue and run it to its next reading."""
        self._pending = None
        self._scanned = 0
        try:
            step = next(self._dialogue) if answer is None else self._dialogue.send(answer)
            while isinstance(step, Send | Note):
                if isinstance(step, Send):
                    self._outgoing.append(step)
                    self.steps += 1
                else:
                    self.findings.append(step.finding)
                    if self._tell is not None:
                        self._tell(step.finding)
                step = self._dialogue.send(b"")
            self._pending = step
        except StopIteration as stop:
            self._value.append(stop.value)
