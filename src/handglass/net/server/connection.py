"""One accepted connection: its socket, its TLS, its application, and what still waits to be sent.

Strategy: as few system calls as the work allows. One read takes what has come, the engine says what is to be
sent, and one write tries to send it at once; only what the socket does not take waits for the loop. While
something waits, nothing is read: a client that does not read is not heard, and cannot make the memory grow.
The engine's part is made when the first byte comes, so that a client that says nothing costs next to nothing.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from handglass.connection import ServerConnection
from handglass.handshake.events import Closed, DataReceived, Failed, HandshakeCompleted, QuestionAsked
from handglass.net.errors import span
from handglass.net.server.application import Application
from handglass.net.server.poller import READ, WRITE
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription
from handglass.registry.errors import LocalError, TLSError

if TYPE_CHECKING:
    from handglass.handshake.events import Event
    from handglass.handshake.wants import Ask
    from handglass.net.reluctant import ReluctantSocket
    from handglass.net.server.server import Server

DONT_WAIT = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)
PIECES_PER_TURN = 4
"""How often an application may produce before the other connections have their turn."""
EMPTY = bytearray()


class Phase(IntEnum):
    """How far a connection is."""

    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    """No more is said than what waits to be sent."""
    LINGERING = 3
    """All is sent; what still comes is dropped until the client closes too."""
    GONE = 4


class Wait(IntEnum):
    """What a connection waits for."""

    HANDSHAKE = 0
    """For the client's next message of the handshake."""
    READ = 1
    WRITE = 2


class ServedConnection:
    """A client of `Server`. `address` is its address as the socket gives it; `number` counts from 1."""

    __slots__ = (
        "_at",
        "_is_mute",
        "_mask",
        "_out",
        "_paused",
        "_peer_ended",
        "address",
        "application",
        "number",
        "phase",
        "server",
        "socket",
        "stalled",
        "tls",
        "verdict",
    )

    def __init__(
        self, server: Server, sock: socket.socket | ReluctantSocket, address: object, number: int
    ) -> None:
        self.server = server
        self.socket = sock
        self.address = address
        self.number = number
        self.phase = Phase.HANDSHAKE
        self.application: Application | None = None
        self.tls: ServerConnection | None = None
        self.verdict: object = None
        """What `verify_peer` wants to remember of this connection."""
        self.stalled = False
        """Output waits because the client does not read."""
        self._out = EMPTY
        self._at = 0
        self._mask = READ
        self._peer_ended = False
        self._is_mute = False
        self._paused = False

    @property
    def peer(self) -> str:
        """The client's address for people: `127.0.0.1:40000`, `[::1]:40000`, or what a Unix socket has."""
        address = self.address
        if isinstance(address, tuple):
            host = str(address[0]).removeprefix("::ffff:")
            return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
        return "a client on the Unix socket"

    @property
    def connection(self) -> ServerConnection:
        """The engine's part, made now if it was not needed before."""
        tls = self.tls
        if tls is None:
            server = self.server
            tls = self.tls = ServerConnection(
                server.config,
                clock=server.clock,
                observer=server.make_observer(),
                deferred=server.deferred(),
            )
            self.application = server.make_application(self)
        return tls

    # For applications ------------------------------------------------------------------------------------

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send data; what the socket does not take now waits in memory. Nothing happens once it is closing."""
        if self.phase <= Phase.OPEN and len(data) and (tls := self.tls) is not None:
            self._is_mute = False
            try:
                tls.send(data)
            except LocalError as error:
                self.fail(error)

    def close(self) -> None:
        """End it in good order: close_notify, what waits to be sent, then the socket.

        A client that cut the connection (its TCP ended without close_notify) gets none, unless it was sent
        something since: to most it would only be one more thing to answer with a reset.
        """
        if self.phase <= Phase.OPEN:
            if self.tls is not None and not self._is_mute:
                self.tls.close()
            self._leave()

    def fail(self, error: TLSError, alert: AlertDescription = AlertDescription.INTERNAL_ERROR) -> None:
        """End it because of an error of ours: the alert, and the socket."""
        if self.phase <= Phase.OPEN:
            self.connection.abort(alert)
            self._failed(error)

    def send_plain(self, data: bytes) -> None:
        """Put bytes on the wire below TLS, behind what waits: the client's TLS will not like it."""
        if self.phase <= Phase.OPEN and self._flush():
            self._out = bytearray(data)
            self._go_on()

    def do(self, events: list[Event]) -> None:
        """Take the events of something that was done to the connection, and send what came of it."""
        self._take(events)
        self._go_on()

    def answer(self, question: Ask, value: Any) -> None:
        """Give a deferred question its answer, unless the connection has ended meanwhile."""
        tls = self.tls
        if self.phase <= Phase.OPEN and tls is not None and tls.question is question:
            self.go_on_reading()
            self.server.current = self
            self.do(tls.answer(value))

    # For the loop ----------------------------------------------------------------------------------------

    def on_ready(self, mask: int) -> None:
        """The socket can be read or written."""
        if self.phase is Phase.GONE:
            return  # ended by another one's event in the same turn
        if mask & READ and self._mask & READ:
            self._read()
        if mask & WRITE and self.phase < Phase.LINGERING:
            self._go_on()

    def time_is_up(self) -> None:
        """The limit of the handshake or of doing nothing has passed."""
        if self.phase is Phase.HANDSHAKE:
            state = self.connection.state
            waited = (
                f"{span(self.server.options.handshake_timeout or 0)} in which the server waited to {state}"
            )
            self.fail(LocalError(reasons.HANDSHAKE_TIMEOUT, waited), AlertDescription.USER_CANCELED)
        elif self._paused:
            self.server.spare(self)  # it is we who do not listen
        else:
            if self.phase is Phase.OPEN and self.application is not None:
                self.application.on_idle(self)
            if self.phase is Phase.OPEN and self._mask == READ:
                self.close()
            else:
                self.drop()  # in the middle of something: not a good end, and it shall not look like one

    def stop(self) -> None:
        """The server is about to end."""
        if self.tls is None:
            self.drop()
        elif self.phase is Phase.OPEN and self.application is not None:
            self.application.on_stop(self)
            self._go_on()

    def drop(self) -> None:
        """Close the socket as it is."""
        if self.phase is Phase.GONE:
            return
        if self.phase <= Phase.OPEN and self.application is not None:
            self.application.on_close(self)
        self.phase = Phase.GONE
        self.server.forget(self)
        self.socket.close()
        if self.tls is not None:
            self.tls.release()

    # Inside ----------------------------------------------------------------------------------------------

    @property
    def _is_streaming(self) -> bool:
        return self.application is not None and self.application.streaming

    def _read(self) -> None:
        server = self.server
        if self.phase is Phase.OPEN and self.application is not None and not self.application.takes_data:
            self._stop_reading()
            server.hold(self)
            return
        try:
            count = self.socket.recv_into(server.buffer, 0, DONT_WAIT)
        except (BlockingIOError, InterruptedError):
            self._tell_wait([])
            return
        except OSError:
            count = 0
            self._out, self._at = EMPTY, 0
        if self.phase is Phase.LINGERING:
            if not count:
                self.drop()
            return
        if not count:
            self._peer_ended = self._is_mute = True
        tls = self.tls or self.connection
        server.current = self
        events = tls.receive(server.view[:count])
        self._take(events)
        if not count and self.phase is Phase.OPEN and not self._is_streaming:
            self.close()
        elif self.phase < Phase.LINGERING:
            self._go_on()
            self._tell_wait(events)

    def _tell_wait(self, events: list[Event]) -> None:
        """Tell whoever wants to know that a read has brought nothing to go on with, or that a write is not done."""
        on_wait = self.server.options.on_wait
        if on_wait is None or self.phase > Phase.OPEN:
            return
        if self.stalled:
            on_wait(self, Wait.WRITE)
        elif self.phase is Phase.HANDSHAKE:
            on_wait(self, Wait.HANDSHAKE)
        elif not any(isinstance(event, DataReceived | HandshakeCompleted) for event in events):
            on_wait(self, Wait.READ)

    def _take(self, events: list[Event]) -> None:
        application = self.application
        assert application is not None  # noqa: S101 - made with the connection; for the type checker
        for event in events:
            if self.phase > Phase.OPEN:
                return
            kind = type(event)
            if kind is DataReceived:
                if application.data_is_activity:
                    self.server.progress(self)
                application.on_data(self, event.data, early=event.early)  # type: ignore[attr-defined]  # of its kind
            elif kind is HandshakeCompleted:
                self._established(application)
            elif kind is Closed:
                application.on_end(self, clean=event.clean)  # type: ignore[attr-defined]  # of its kind
            elif kind is QuestionAsked:
                self._stop_reading()
                self.server.ask(self, event.question)  # type: ignore[attr-defined]  # of its kind
            elif kind is Failed:
                self._failed(event.error)  # type: ignore[attr-defined]  # of its kind
            else:
                application.on_event(self, event)

    def _stop_reading(self) -> None:
        """Take nothing in while a question waits for its answer."""
        if not self._paused:
            self._paused = True
            self.server.remove(self.socket.fileno())

    def go_on_reading(self) -> None:
        """Take in again what comes; nothing happens if that never stopped."""
        if self._paused and self.phase is not Phase.GONE:
            self._paused = False
            self.server.look_after(self, self._mask)

    def _established(self, application: Application) -> None:
        if self.phase is Phase.HANDSHAKE:
            self.phase = Phase.OPEN
            self.server.established(self)
        application.on_handshake(self)

    def _failed(self, error: TLSError) -> None:
        if self.application is not None:
            self.application.on_failure(self, error)
        self._leave()

    def _leave(self) -> None:
        """Nothing more is to be said but what waits."""
        self.go_on_reading()
        application, self.phase = self.application, Phase.CLOSING
        self.server.leaving(self)
        if application is not None:
            application.on_close(self)
        self._go_on()

    def _go_on(self) -> None:
        """Send what waits; let the application produce, or end, when all has left."""
        if self.phase >= Phase.LINGERING:
            return
        application, turns = self.application, 0
        while self._flush():
            if self.phase is Phase.CLOSING:
                self._all_sent()
                return
            if application is None or not application.streaming or turns == PIECES_PER_TURN:
                break
            turns += 1
            application.produce(self)
        if self.phase >= Phase.LINGERING:
            return  # the application has ended it
        before, self.stalled = self.stalled, bool(self._out)
        mask = WRITE if self.stalled or self._is_streaming else READ
        if mask != self._mask:
            self._mask = mask
            if not self._paused:
                self.server.watch(self, mask)
        if before and not self.stalled and application is not None:
            application.on_room(self)

    def _flush(self) -> bool:
        """Send what waits; False if some of it still does."""
        tls = self.tls
        if tls is not None and tls.has_data_to_send:
            fresh = tls.data_to_send()
            if self._out:
                self._out += fresh
            else:
                self._out = fresh
        elif not self._out:
            return True
        return self._send_some()

    def _send_some(self) -> bool:
        out, at = self._out, self._at
        try:
            if at:
                with memoryview(out) as whole:
                    at += self.socket.send(whole[at:], DONT_WAIT)
            else:
                at = self.socket.send(out, DONT_WAIT)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._cut_off()
            return True
        self.server.progress(self)
        if at == len(out):
            self._out, self._at = EMPTY, 0
            return True
        self._at = at
        return False

    def _cut_off(self) -> None:
        """The client takes no more: what it said before it went may still be there to read."""
        self._out, self._at = EMPTY, 0
        if self.phase is Phase.CLOSING or self._peer_ended:
            self._peer_ended = True
            return
        if self._is_streaming:
            self._peer_ended = True
            self.close()

    def _all_sent(self) -> None:
        """Close; if the client has not closed, our end first, and what still comes is dropped for a while.

        To close a socket with bytes unread would make the system reset the connection, and what we sent
        last (an alert, for instance) could be lost on its way.
        """
        tls = self.tls
        if self._peer_ended or tls is None or (tls.error is None and tls.wants_no_more_data):
            self.drop()
            return
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        self.phase = Phase.LINGERING
        self.server.lingering(self)
        if self._mask != READ:
            self._mask = READ
            self.server.watch(self, READ)
