"""Does what conversations want.

Strategy: `Driver.run` resumes the conversation until it waits for the peer or for an answer. Each kind of
want has one method, found in one table. What every handshake message needs is here and only here: was it
expected, decoding, the transcript, the raw bytes, the observer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handglass.channel.stream import StreamChannel
from handglass.handshake.events import Event, QuestionAsked
from handglass.handshake.observer import Observer
from handglass.handshake.wants import (
    Allow,
    Ask,
    Conversation,
    Direction,
    Expectation,
    ExpectChangeCipherSpec,
    Install,
    Reveal,
    Send,
    SendChangeCipherSpec,
    SendWarning,
    Tell,
    Turn,
    Want,
)
from handglass.keys.transcript import Transcript
from handglass.messages.handshake import Message, frame
from handglass.registry import reasons
from handglass.registry.code_points import AlertLevel, HandshakeType
from handglass.registry.errors import PeerError
from handglass.wire import DecodeError

HELLO_REQUEST = b"\0\0\0\0"
"""A whole HelloRequest message (RFC 5246 §7.4.1.1)."""

LONGEST = {
    int(HandshakeType.HELLO_REQUEST): 0,
    int(HandshakeType.SERVER_HELLO_DONE): 0,
    int(HandshakeType.END_OF_EARLY_DATA): 0,
    int(HandshakeType.KEY_UPDATE): 1,
    int(HandshakeType.FINISHED): 64,
}
"""The longest body of the messages that are short in every version."""


class _Waiting:
    """The one value that says: the conversation waits."""


WAITING = _Waiting()


class Driver:
    """Runs one conversation at a time over a channel.

    `transcript` is the handshake hash of the current handshake; `raw` the whole bytes of the message that was
    received last (header included).
    """

    def __init__(
        self,
        channel: StreamChannel,
        emit: Callable[[Event], None],
        observer: Observer | None = None,
        deferred: frozenset[str] = frozenset(),
    ) -> None:
        self.channel = channel
        channel.announce = self.take_announcement
        self.transcript = Transcript(keep=True)
        self.raw = b""
        self.client_random = b""
        self.deferred = deferred
        self.spare_hello_requests = 0
        """How many HelloRequests are still passed over, because a handshake is under way (RFC 5246 §7.4.1.1)."""
        self.observer = observer
        self._emit = emit
        self._conversation: Conversation[Any] | None = None
        self._wait: Want | None = None
        self._kept: bytes | None = None

    @property
    def state(self) -> str:
        """The name of what the conversation waits for, for people."""
        wait = self._wait
        if isinstance(wait, Expectation | ExpectChangeCipherSpec):
            return wait.state
        if isinstance(wait, Ask):
            return f"wait for {wait.name}"
        return "idle"

    @property
    def question(self) -> Ask | None:
        """The deferred question that waits for its answer, if any."""
        return self._wait if isinstance(self._wait, Ask) else None

    def is_waiting_for(self, want: Want) -> bool:
        """Whether this is what the conversation waits for."""
        return self._wait is want

    def start(self, conversation: Conversation[Any]) -> None:
        """Begin a conversation in place of the one before; raises PeerError and LocalError as it may."""
        self._conversation = conversation
        self._run(None)

    def stop(self) -> None:
        """Forget the conversation: nothing goes on from here."""
        self._conversation = self._wait = self._kept = None
        self.transcript = Transcript()

    def aside(self, conversation: Conversation[Any]) -> None:
        """Run a short conversation that waits for nothing, while the main one stays where it is."""
        for want in conversation:
            if DO[type(want)](self, want) is WAITING:
                raise RuntimeError(f"{want!r} waits, and has no place in an aside")

    def take_message(self, raw: bytes) -> None:
        """A whole handshake message came in: `raw` is header and body.

        Raises:
            PeerError: it was not expected now, or it cannot be decoded, or the conversation refuses it.
        """
        if self.observer is not None:
            self.observer.handshake_message(Direction.READ, raw)
        if raw == HELLO_REQUEST and self.spare_hello_requests:
            self.spare_hello_requests -= 1
            return
        wait = self._wait
        if not isinstance(wait, Expectation):
            raise self._unexpected(HandshakeType(raw[0]).name)
        self._run(self._accept(wait, raw))

    def take_announcement(self, message_type: int, length: int) -> None:
        """A message of this body length was begun: refuse now what will be refused when all of it is here.

        Raises:
            PeerError: it is not expected, or longer than any message of its type.
        """
        wait = self._wait
        if not isinstance(wait, Expectation):
            raise self._unexpected(HandshakeType(message_type).name)
        if message_type not in wait.by_type:
            if wait.optional:
                return
            raise self._unexpected(HandshakeType(message_type).name)
        if length > LONGEST.get(message_type, length):
            raise PeerError(
                reasons.DECODE_ERROR, f"{HandshakeType(message_type).name} announces {length} bytes"
            )

    def take_change_cipher_spec(self) -> None:
        """A ChangeCipherSpec came in that means a switch of keys (TLS 1.2 and below)."""
        if not isinstance(self._wait, ExpectChangeCipherSpec) or not self.channel.at_message_boundary:
            raise self._unexpected("ChangeCipherSpec")
        self._run(None)

    def answer(self, value: Any) -> None:
        """Give the deferred question its answer."""
        if not isinstance(self._wait, Ask):
            raise RuntimeError("no question waits for an answer")
        self._run(value)

    def _run(self, value: Any) -> None:
        conversation = self._conversation
        assert conversation is not None  # noqa: S101 - start() set it; for the type checker
        resume = conversation.send
        self._wait = None
        while True:
            try:
                want = resume(value)
            except StopIteration:
                if self._conversation is conversation:
                    self._conversation = None
                return
            value = DO[type(want)](self, want)
            if value is WAITING:
                self._wait = want
                return

    def _accept(self, expectation: Expectation[Any], raw: bytes) -> Message | None:
        message_class = expectation.by_type.get(raw[0])
        if message_class is None:
            if expectation.optional:
                self._kept = raw
                return None
            raise self._unexpected(HandshakeType(raw[0]).name, expectation)
        try:
            message = message_class.decode(raw[4:])
        except DecodeError as error:
            raise PeerError(reasons.DECODE_ERROR, f"{message_class.__name__}: {error}") from error
        self.raw = raw
        if expectation.transcribe:
            self.transcript.add(raw)
        if self.observer is not None:
            self.observer.state(expectation.state)
        return message  # type: ignore[no-any-return]  # by_type holds classes of M, which Any has hidden

    def _unexpected(self, what: str, wait: Want | None = None) -> PeerError:
        wait = wait or self._wait
        if isinstance(wait, Expectation):
            names = " or ".join(HandshakeType(t).name for t in wait.by_type)
            return PeerError(reasons.UNEXPECTED_MESSAGE, f"{what} came where {names} was due")
        if isinstance(wait, ExpectChangeCipherSpec):
            return PeerError(reasons.UNEXPECTED_MESSAGE, f"{what} came where ChangeCipherSpec was due")
        return PeerError(reasons.UNEXPECTED_MESSAGE, f"{what} came where no handshake message was due")

    # One method per kind of want -------------------------------------------------------------------------

    def _expect(self, want: Expectation[Any]) -> Any:
        if self._kept is not None:
            raw, self._kept = self._kept, None
            return self._accept(want, raw)
        return WAITING

    def _expect_change_cipher_spec(self, want: ExpectChangeCipherSpec) -> Any:
        if self._kept is not None:
            raise self._unexpected(HandshakeType(self._kept[0]).name, want)
        if not self.channel.at_message_boundary:
            raise self._unexpected("more handshake data", want)
        return WAITING

    def _send(self, want: Send) -> bytes:
        raw = want.raw
        if raw is None:
            assert want.message is not None  # noqa: S101 - Send has one or the other; for the type checker
            raw = frame(want.message)
        if want.transcribe:
            self.transcript.add(raw)
        if self.observer is not None:
            self.observer.handshake_message(Direction.WRITE, raw)
        self.channel.send_handshake(raw)
        return raw

    def _send_change_cipher_spec(self, _want: SendChangeCipherSpec) -> None:
        self.channel.send_change_cipher_spec()

    def _send_warning(self, want: SendWarning) -> None:
        self.channel.send_alert(AlertLevel.WARNING, want.description)

    def _install(self, want: Install) -> None:
        if want.direction is Direction.READ:
            if self._kept is not None or not self.channel.at_message_boundary:
                raise PeerError(
                    reasons.EXCESS_HANDSHAKE_DATA, "it stands behind the message after which they change"
                )
            self.channel.install_reader(want.protection, want.epoch)
        else:
            self.channel.install_writer(want.protection, want.epoch)

    def _turn(self, _want: Turn) -> None:
        while self.spare_hello_requests and self.channel.pass_over(HELLO_REQUEST):
            self.take_message(HELLO_REQUEST)
        if not self.channel.at_message_boundary:
            raise PeerError(reasons.PREMATURE_MESSAGE)

    def _reveal(self, want: Reveal) -> None:
        if self.observer is not None:
            self.observer.secret(want.label, self.client_random, want.secret)

    def _ask(self, want: Ask) -> Any:
        if want.name in self.deferred:
            self._emit(QuestionAsked(want))
            return WAITING
        return want.run()

    def _tell(self, want: Tell) -> None:
        self._emit(want.event)

    def _allow(self, want: Allow) -> None:
        for name, value in want.changes.items():
            setattr(self.channel, name, value)


DO: dict[type[Want], Callable[[Driver, Any], Any]] = {
    Expectation: Driver._expect,
    ExpectChangeCipherSpec: Driver._expect_change_cipher_spec,
    Send: Driver._send,
    SendChangeCipherSpec: Driver._send_change_cipher_spec,
    SendWarning: Driver._send_warning,
    Install: Driver._install,
    Turn: Driver._turn,
    Reveal: Driver._reveal,
    Ask: Driver._ask,
    Tell: Driver._tell,
    Allow: Driver._allow,
}
"""What the driver does for each kind of want."""
