"""What a conversation can want, and the type of a conversation.

A handshake is a generator that runs from top to bottom in the order of its RFC's message-flow figure. It
never touches bytes, sockets or clocks: it yields a want and is resumed with what it wanted, by the
`Driver`. The wants are few on purpose; whatever every message needs (was it expected? transcript, raw
bytes, events) is the driver's business and appears in no conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from handglass.handshake.events import Event
from handglass.keys.labels import SecretLabel
from handglass.messages.handshake import Message
from handglass.record.protection import Protection

M = TypeVar("M", bound=Message)
A = TypeVar("A")
R = TypeVar("R")


class Direction(Enum):
    """Which half of a connection: what we read, or what we write."""

    READ = "read"
    WRITE = "write"


class Want:
    """Anything that a conversation yields."""

    __slots__ = ()


Conversation: TypeAlias = Generator[Want, Any, R]


class Expectation(Want, Generic[M]):
    """One of these messages must come next; `state` is the name under which the wait is listed and printed.

    `transcribe` is false for messages that stand outside the handshake hash (RFC 8446 §4.4.1, RFC 5246 §7.4.9).
    """

    __slots__ = ("by_type", "optional", "state", "transcribe")

    def __init__(
        self, state: str, *classes: type[M], transcribe: bool = True, optional: bool = False
    ) -> None:
        self.state = state
        self.by_type = {int(cls.handshake_type): cls for cls in classes}
        self.transcribe = transcribe
        self.optional = optional
        EXPECTATIONS.append(self)

    def __repr__(self) -> str:
        return f"<waits to {self.state}>"


EXPECTATIONS: list[Expectation[Any] | ExpectChangeCipherSpec] = []
"""Every named wait of every conversation, in the order of definition: the states of the engine."""


class ExpectChangeCipherSpec(Want):
    """The ChangeCipherSpec message of TLS 1.2 and below must come next (RFC 5246 §7.1)."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state
        EXPECTATIONS.append(self)

    def __repr__(self) -> str:
        return f"<waits to {self.state}>"


class Send(Want):
    """Send a handshake message; `raw` is the whole message when its exact bytes are known already."""

    __slots__ = ("message", "raw", "transcribe")

    def __init__(
        self, message: Message | None = None, *, raw: bytes | None = None, transcribe: bool = True
    ) -> None:
        self.message = message
        self.raw = raw
        self.transcribe = transcribe


class SendChangeCipherSpec(Want):
    """Send a ChangeCipherSpec message: a switch of keys below TLS 1.3, a decoy in it (RFC 8446 §D.4)."""

    __slots__ = ()


class SendWarning(Want):
    """Send an alert of level warning that does not end the connection."""

    __slots__ = ("description",)

    def __init__(self, description: int) -> None:
        self.description = description


class Install(Want):
    """Switch the keys of one direction. Reading: no byte of the old epoch may be left over (RFC 8446 §5.1)."""

    __slots__ = ("direction", "epoch", "protection")

    def __init__(self, direction: Direction, protection: Protection, epoch: int) -> None:
        self.direction = direction
        self.protection = protection
        self.epoch = epoch


class Turn(Want):
    """It is our turn to speak: nothing of what the peer will answer can be here yet (RFC 5246 §7.3, RFC 8446 §2)."""

    __slots__ = ()


class Reveal(Want):
    """Let this secret be known to whoever watches (the key log); costs nothing when nobody does."""

    __slots__ = ("label", "secret")

    def __init__(self, label: SecretLabel, secret: bytes) -> None:
        self.label = label
        self.secret = secret


class Ask(Want):
    """Wait for an answer from outside the protocol: a signature, a verdict, a session, a ticket.

    The driver calls `function(*arguments)`, or hands the whole question out for the caller to answer when it
    suits (a key in hardware, a look-up over the network), if the connection was told to defer `name`.
    """

    __slots__ = ("arguments", "function", "name")

    def __init__(self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.name = name
        self.function = function
        self.arguments = arguments

    def run(self) -> Any:
        """Work out the answer; raises whatever the function raises."""
        return self.function(*self.arguments)


class Tell(Want):
    """Hand an event to the application."""

    __slots__ = ("event",)

    def __init__(self, event: Event) -> None:
        self.event = event


class Allow(Want):
    """Change what the channel lets pass besides handshake messages, as the phase of the handshake demands."""

    __slots__ = ("changes",)

    def __init__(self, **changes: Any) -> None:
        self.changes = changes


def expect(expectation: Expectation[M]) -> Generator[Want, Any, M]:
    """The next message, which must be one of the expected ones."""
    message: M = yield expectation
    return message


def maybe(expectation: Expectation[M]) -> Generator[Want, Any, M | None]:
    """The next message if it is one of these; None, and the message is kept for the next wait, if not."""
    message: M | None = yield expectation
    return message


def ask(name: str, function: Callable[..., A], *arguments: Any) -> Generator[Want, Any, A]:
    """The answer to a question that may take its time."""
    answer: A = yield Ask(name, function, arguments)
    return answer
