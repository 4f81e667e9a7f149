"""One TLS connection without a socket: bytes in, events out, bytes to send.

Strategy: a `Connection` ties a channel (records), a driver (the conversation) and a configuration together. It does no
input or output and asks no clock but the one that was handed in, so every connection can be replayed, cut, lost and
reordered in a test, and run inside any event loop::

    connection = ClientConnection(ClientConfig(server_name="example.org"))
    events = connection.start()
    while not connection.wants_no_more_data:
        socket.sendall(connection.data_to_send())
        events = connection.receive(socket.recv(65536))

Nothing here raises for what a peer did: the error comes as a `Failed` event, and the alert is among the
bytes to send.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handglass.channel.stream import ALERT, APPLICATION_DATA, HANDSHAKE, HEARTBEAT, StreamChannel
from handglass.connection.watcher import ChannelWatcher
from handglass.crypto import CryptoError
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.driver import Driver
from handglass.handshake.events import (
    Closed,
    DataReceived,
    Event,
    Failed,
    HeartbeatAnswered,
    WarningReceived,
)
from handglass.handshake.lazy import lazy_property
from handglass.handshake.observer import Observer
from handglass.handshake.state import Negotiated, State
from handglass.handshake.tls13.connected import send_key_update
from handglass.handshake.wants import Ask, Conversation, Direction
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, AlertLevel, ProtocolVersion
from handglass.registry.errors import AlertReceived, LocalError, PeerError, TLSError

if TYPE_CHECKING:
    from handglass.handshake.heartbeat import Heartbeats

UPDATE_MARGIN = 1 << 10
"""Records before the limit of a key at which it is updated (RFC 8446 §5.5)."""


def no_clock() -> float:
    """Stands in where no clock was given: sessions never age."""
    return 0.0


class Connection:
    """What both roles share; use `ClientConnection` or `ServerConnection`.

    `negotiated` grows during the handshake. `error` is what ended the connection, if an error did.
    `deferred` names the questions (see `Ask`) that come as `QuestionAsked` events instead of being answered
    on the spot.
    """

    def __init__(
        self,
        state: State,
        channel: StreamChannel,
        driver: Driver,
        observer: Observer | None,
        events: list[Event],
    ) -> None:
        self._me = state
        self._channel = channel
        self._driver = driver
        self._observer = observer
        self._events = events
        self._started = False
        self._peer_closed = False
        self._closed = False
        self._at_end = False
        self._warnings = 0
        self._held = bytearray()
        self.error: TLSError | None = None

    # What is known ---------------------------------------------------------------------------------------

    @property
    def negotiated(self) -> Negotiated:
        """What the two sides have agreed on so far."""
        return self._me.negotiated

    @property
    def is_established(self) -> bool:
        """Whether the handshake is done and nothing has ended the connection."""
        return self._me.sends_data and self.error is None

    @property
    def is_renegotiating(self) -> bool:
        """Whether a further handshake is under way; what is sent waits for its end."""
        return self._me.renegotiating

    @property
    def state(self) -> str:
        """What the handshake waits for, by the name of the wait."""
        return self._driver.state

    @property
    def bytes_read(self) -> int:
        """How many bytes the peer sent."""
        return self._channel.bytes_read

    @property
    def bytes_written(self) -> int:
        """How many bytes `data_to_send` has given out."""
        return self._channel.bytes_written

    @property
    def wants_no_more_data(self) -> bool:
        """Whether the peer has closed, or an error has ended the connection."""
        return self._peer_closed or self.error is not None

    def export_keying_material(self, label: bytes, context: bytes | None, length: int) -> bytes:
        """Keying material for an application (RFC 8446 §7.5, RFC 5705): `length` bytes.

        Raises:
            LocalError: the handshake is not done.
            ValueError: the label or the length is not allowed.
        """
        exporter = self.negotiated.exporter
        if exporter is None or not self._me.sends_data:
            raise LocalError(
                reasons.INTERNAL_ERROR, "keying material can be exported only after the handshake"
            )
        return exporter(label, context, length)

    # Bytes -----------------------------------------------------------------------------------------------

    def receive(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Take bytes from the peer; b"" means that the peer's side of the transport is at its end.

        Returns the events in their order. What comes after the peer's close_notify or after an error is passed over.
        While a deferred question is open, what comes is kept, up to `Limits.input_while_asking`: whoever defers
        questions had better not read meanwhile.

        Raises:
            LocalError: the connection has not been started, or there is data after the end.
        """
        if not self._started:
            raise LocalError(reasons.INTERNAL_ERROR, "start() comes before receive()")
        if self._at_end and len(data):
            raise LocalError(reasons.CONNECTION_OVER, "data after the end of the input")
        if self._observer is not None:
            self._observer.wire(Direction.READ, bytes(data))
        if self.error is not None or self._peer_closed:
            return self._take_events()
        if not len(data):
            self._at_end = True
        elif self._closed and not self._me.sends_data:
            return []  # we have called the handshake off, and have no keys for what still comes
        else:
            self._channel.feed(data)
        return self._go_on(self._check_room if self._driver.question is not None else None)

    def _check_room(self) -> None:
        """While a question is open nothing is taken out of what comes in: it must not grow for ever."""
        waiting, limit = self._channel.waiting_input, self._me.settings.limits.input_while_asking
        if waiting > limit:
            raise LocalError(reasons.TOO_MUCH_WHILE_ASKING, f"{waiting} bytes, and the limit is {limit}")

    def data_to_send(self) -> bytearray:
        """All bytes that are to go to the peer now; each is given out once."""
        output = self._channel.take_output()
        if output and self._observer is not None:
            self._observer.wire(Direction.WRITE, bytes(output))
        return output

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send` has anything to give."""
        return self._channel.has_output

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send application data.

        Raises:
            LocalError: the handshake is not done, or the connection is over.
        """
        if self._closed or self.error is not None:
            raise LocalError(reasons.CONNECTION_OVER)
        if not self._me.sends_data:
            raise LocalError(reasons.INTERNAL_ERROR, "the handshake is not done")
        if self._me.renegotiating:
            self._held += data
        elif len(data):
            self._send(data)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        """Send data in pieces that the present keys last for, renewed where they do not (RFC 8446 §5.5)."""
        channel = self._channel
        room = channel.writer.seals_left - UPDATE_MARGIN
        if room * channel.write_limit >= len(data):
            channel.send_data(data)
            return
        with memoryview(data) as view:
            at = 0
            while at < len(view):
                room = channel.writer.seals_left - UPDATE_MARGIN
                if room <= 0:
                    self._renew_keys()
                    room = channel.writer.seals_left - UPDATE_MARGIN
                piece = view[at : at + room * channel.write_limit]
                channel.send_data(piece)
                at += len(piece)

    def close(self) -> None:
        """Say that we will send no more (close_notify, RFC 8446 §6.1); the peer may still send.

        Before the end of the handshake this calls it off (user_canceled), and nothing more is taken in.
        """
        if self._closed or self.error is not None:
            return
        self._closed = True
        if not self._started:
            return
        if not self._me.sends_data:
            if not self._peer_closed:
                self._channel.send_alert(AlertLevel.WARNING, AlertDescription.USER_CANCELED)
            self._driver.stop()
        self._channel.send_alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
        self._channel.close_writes()

    def abort(self, description: AlertDescription = AlertDescription.INTERNAL_ERROR) -> None:
        """End the connection with a fatal alert of our choice. The `Failed` event comes with the next `receive`."""
        if self.error is None:
            self._fail(LocalError(reasons.CANCELED), description)

    def release(self) -> None:
        """Give back what the handshake holds, once the connection is over, however it ended; nothing is taken in then.

        Its parts refer to each other, so that otherwise only the garbage collector frees them: too rarely for a
        server with many connections.
        """
        self._driver.stop()
        self._channel.announce = None

    # Questions -------------------------------------------------------------------------------------------

    @property
    def question(self) -> Ask | None:
        """The deferred question that waits for its answer, if there is one."""
        return self._driver.question

    def answer(self, value: Any) -> list[Event]:
        """Answer the deferred question, and go on with what has come in meanwhile. Returns the events.

        `value` may be an exception: a PeerError or LocalError then ends the connection as if it had been
        raised.
        """
        if self._driver.question is None:
            raise LocalError(reasons.INTERNAL_ERROR, "no question waits for an answer")
        return self._go_on(lambda: self._give(value))

    def _give(self, value: Any) -> None:
        if isinstance(value, BaseException):
            raise value
        self._driver.answer(value)

    # After the handshake ---------------------------------------------------------------------------------

    def update_keys(self, *, request_peer: bool) -> list[Event]:
        """Change our sending keys, and ask the peer to change its own too if wanted (KeyUpdate, RFC 8446 §4.6.3).

        Raises:
            LocalError: the version is not TLS 1.3, or the handshake is not done.
        """
        if self.negotiated.version != ProtocolVersion.TLS1_3:
            raise LocalError(reasons.NOT_IN_THIS_VERSION, "KeyUpdate exists only in TLS 1.3")
        self._aside(send_key_update(self._me, request=request_peer))
        return self._take_events()

    def send_heartbeat(self, payload: bytes | None = None) -> None:
        """Ask the peer for a sign of life (RFC 6520); `HeartbeatAnswered` comes when it gives one.

        Raises:
            LocalError: heartbeats have not been agreed on, one is under way, the handshake is not done, or the payload
                is too long.
        """
        if not self._me.sends_data or self._me.renegotiating or self.error is not None or self._closed:
            raise LocalError(reasons.INTERNAL_ERROR, "this needs an open connection whose handshake is done")
        self._channel.send_heartbeat(self._heartbeats.request(payload))

    @lazy_property
    def _heartbeats(self) -> Heartbeats:
        from handglass.handshake.heartbeat import Heartbeats  # noqa: PLC0415 - hardly anybody has them

        return Heartbeats(self._me)

    def _aside(self, conversation: Conversation[None]) -> None:
        if not self._me.sends_data or self.error is not None or self._closed:
            raise LocalError(reasons.INTERNAL_ERROR, "this needs an open connection whose handshake is done")
        self._driver.aside(conversation)

    def _check_renegotiation(self) -> None:
        if self.negotiated.version == ProtocolVersion.TLS1_3:
            raise LocalError(reasons.NOT_IN_THIS_VERSION, "TLS 1.3 has no renegotiation")
        if not self._me.sends_data or self.error is not None or self._closed:
            raise LocalError(reasons.INTERNAL_ERROR, "this needs an open connection whose handshake is done")
        if not self._me.settings.allow_renegotiation:
            raise LocalError(reasons.RENEGOTIATION_REFUSED)
        if self._me.renegotiating:
            raise LocalError(reasons.INTERNAL_ERROR, "a renegotiation is under way")

    # Inside ----------------------------------------------------------------------------------------------

    def _begin(self, conversation: Conversation[None]) -> list[Event]:
        """Start the first conversation."""
        if self._started:
            raise LocalError(reasons.INTERNAL_ERROR, "the connection has been started already")
        if self._closed or self.error is not None:
            raise LocalError(reasons.CONNECTION_OVER)
        self._started = True
        return self._go_on(lambda: self._driver.start(conversation))

    def _go_on(self, step: Callable[[], None] | None = None) -> list[Event]:
        """Take a step, then whatever has come in; every error ends the connection.

        An error that is not the peer's nor the engine's comes from a function that was handed in: it goes on to the
        caller, but the connection ends in good order first.
        """
        try:
            if step is not None:
                step()
            self._process()
        except (TLSError, CryptoError) as error:
            self._fail(error)
        except Exception as error:
            self._fail(LocalError(reasons.INTERNAL_ERROR, type(error).__name__))
            raise
        return self._take_events()

    def _process(self) -> None:
        channel, driver = self._channel, self._driver
        while driver.question is None and not self._peer_closed:
            item = channel.next()
            if item is None:
                if self._at_end:
                    self._end_of_input()
                break
            content_type, payload = item
            if content_type == ALERT:
                self._take_alert(payload)
            elif content_type == APPLICATION_DATA:
                self._take_data(payload)
            elif content_type == HANDSHAKE:
                self._warnings = 0
                driver.take_message(payload)
            elif content_type == HEARTBEAT:
                self._take_heartbeat(payload)
            else:
                driver.take_change_cipher_spec()
        if self._held and not self._me.renegotiating and not self._closed:
            held, self._held = self._held, bytearray()
            self._send(held)

    def _take_data(self, payload: bytes) -> None:
        me = self._me
        if me.early_budget is not None and not me.receives_data:
            me.early_budget -= len(payload)
            if me.early_budget < 0:
                raise PeerError(reasons.TOO_MUCH_EARLY_DATA)
        elif not me.receives_data:
            raise PeerError(reasons.UNEXPECTED_APPLICATION_DATA)
        if payload:
            self._warnings = 0
            me.key_updates_in_a_row = 0
            self._events.append(DataReceived(payload, early=not me.receives_data))

    def _take_heartbeat(self, payload: bytes) -> None:
        response, answered = self._heartbeats.take(payload)
        if response is not None:
            self._channel.send_heartbeat(response)
        if answered is not None:
            self._events.append(HeartbeatAnswered(answered))

    def _take_alert(self, payload: bytes) -> None:
        level, description = AlertLevel(payload[0]), AlertDescription(payload[1])
        if description == AlertDescription.CLOSE_NOTIFY:
            self._peer_closed = True
            self._events.append(Closed(clean=True))
            return
        if level not in {AlertLevel.WARNING, AlertLevel.FATAL}:
            raise PeerError(reasons.UNKNOWN_ALERT_LEVEL, str(payload[0]))
        # In TLS 1.3 the description alone decides, and all others end the connection (RFC 8446 §6).
        is_tls13 = self.negotiated.version == ProtocolVersion.TLS1_3
        if level == AlertLevel.FATAL or (is_tls13 and description != AlertDescription.USER_CANCELED):
            raise AlertReceived(level, description)
        self._warnings += 1
        if self._warnings > self._me.settings.limits.warning_alerts:
            raise PeerError(reasons.TOO_MANY_WARNING_ALERTS)
        self._events.append(WarningReceived(level, description))
        if description == AlertDescription.NO_RENEGOTIATION:
            self._renegotiation_refused()

    def _renegotiation_refused(self) -> None:
        """The peer does not want the renegotiation that we began or asked for (RFC 5246 §7.2.2)."""

    def _end_of_input(self) -> None:
        self._peer_closed = True
        if self._me.receives_data or self._closed:
            self._events.append(Closed(clean=False))
            return
        where = f"while we waited to {self._driver.state}" if self._driver.state != "idle" else ""
        raise PeerError(reasons.EOF_DURING_HANDSHAKE, where)

    def _renew_keys(self) -> None:
        if self.negotiated.version != ProtocolVersion.TLS1_3:
            raise LocalError(reasons.KEY_LIMIT_REACHED)  # 2^64 records: only a new handshake would help
        self._driver.aside(send_key_update(self._me, request=False))

    def _fail(self, error: TLSError | CryptoError, description: AlertDescription | None = None) -> None:
        if isinstance(error, CryptoError):
            error = LocalError(reasons.MISSING_ALGORITHM, str(error))
        self.error = error
        self._me.receives_data = self._me.sends_data = False
        if isinstance(error, PeerError | LocalError):
            alert = error.alert if description is None else description
            silent = error.reason in {reasons.EOF_DURING_HANDSHAKE, reasons.UNEXPECTED_EOF}
            if not silent and self._started:
                self._channel.send_alert(AlertLevel.FATAL, alert)
        self._channel.close_writes()
        self._driver.stop()
        if self._observer is not None:
            self._observer.failed(error)
        self._events.append(Failed(error))

    def _take_events(self) -> list[Event]:
        events = self._events[:]
        self._events.clear()
        return events


def make_channel(config: ClientConfig | ServerConfig, observer: Observer | None) -> StreamChannel:
    """The record layer of a connection with this configuration."""
    watcher = None if observer is None else ChannelWatcher(observer)
    channel = StreamChannel(config.limits, watcher)
    channel.write_limit = config.max_send_fragment
    channel.pad_to = config.record_padding
    return channel
