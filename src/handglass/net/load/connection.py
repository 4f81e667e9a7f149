"""One timed connection: connect, speak before TLS if need be, handshake, fetch a page, close.

Strategy: a socket that never blocks, and a phase. The loop (`Load`) tells it when its socket is ready or its time is
up; it does one read and at most one write then, and tells the loop when it is over. What the client itself computes
is part of the times, as it is for any client.

At the end close_notify is sent, and the server is let to close first: a reset at once would reach a server of TLS 1.3
before it has sent its tickets, and the handshake would have failed there. And the side that closes first keeps the
port in TIME_WAIT for a minute, of which a client has only some 28,000. The next connection need not wait for that. A
server that does not close is reset in the end.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING

from handglass.connection import ClientConnection
from handglass.handshake.events import (
    CertificateRequested,
    Closed,
    DataReceived,
    Failed,
    HandshakeCompleted,
    SessionReceived,
)
from handglass.net.dialogue import Exchange
from handglass.net.errors import NetCode, NetError, span
from handglass.net.load.tally import Step
from handglass.net.server.poller import READ, WRITE
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, ProtocolVersion
from handglass.registry.errors import LocalError, TLSError

if TYPE_CHECKING:
    from handglass.handshake.events import Event
    from handglass.handshake.session import Session
    from handglass.handshake.state import Negotiated
    from handglass.net.load.load import Load
    from handglass.net.starttls import StreamWrapper
    from handglass.net.starttls.spoken import Spoken

IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)
NO_LINGER = struct.pack("ii", 1, 0)
DONT_WAIT = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)


class Phase(IntEnum):
    """What the connection waits for; each but the last has a time limit of its own. From CLOSING on it is counted."""

    CONNECT = 0
    PRELUDE = 1
    HANDSHAKE = 2
    ANSWER = 3
    TICKET = 4
    CLOSING = 5
    OVER = 6


class TimedConnection:
    """A connection of `load` that offers `session`, if there is one; `seconds` has what its steps took."""

    __slots__ = (
        "_asked",
        "_began",
        "_exchange",
        "_load",
        "_mask",
        "_out",
        "_phase",
        "_session",
        "_since",
        "_socket",
        "_tls",
        "_wrapper",
        "bytes_read",
        "resumed",
        "seconds",
        "tickets",
        "version",
        "was_asked_for_certificate",
    )

    def __init__(self, load: Load, session: Session | None) -> None:
        self._load = load
        self._session = session
        self._phase = Phase.CONNECT
        self._mask = 0
        self._out = bytearray()
        self._exchange: Exchange[Spoken] | None = None
        self._wrapper: StreamWrapper | None = None
        self._asked = False
        self.seconds: dict[Step, float] = {}
        self.bytes_read = 0
        self.resumed = False
        self.tickets = 0
        self.version: ProtocolVersion | None = None
        self.was_asked_for_certificate = False
        self._began = self._since = time.monotonic()

    def connect(self) -> None:
        """Begin with a socket of its own."""
        address = self._load.plan.address
        try:
            self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:  # no descriptor left, for instance
            self._phase = Phase.OVER
            sentence = f"no socket for a connection: {error.strerror}"
            self._load.failed(self, NetError(NetCode.CONNECT_FAILED, sentence, error.errno or 0))
            return
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex(address.sockaddr)
        if code in IN_PROGRESS:
            self._enter(Phase.CONNECT)
            self._watch(WRITE)
        else:
            self._connected(code)

    def begin_on(self, sock: socket.socket) -> None:
        """Begin on a socket that is connected already."""
        sock.setblocking(False)
        self._socket = sock
        self._connected(0)

    @property
    def negotiated(self) -> Negotiated:
        """What has been agreed on so far."""
        return self._tls.negotiated

    # For the loop ----------------------------------------------------------------------------------------

    def on_ready(self, mask: int) -> None:
        """The socket can be read or written."""
        if self._phase is Phase.OVER:
            return
        if self._phase is Phase.CLOSING:
            self._wait_for_end()
            return
        if self._phase is Phase.CONNECT:
            self._connected(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            return
        if mask & READ:
            self._read()
        if not self._is_done:
            self._flush()

    def time_is_up(self) -> None:
        """The limit of the present phase has passed."""
        plan = self._load.plan
        if self._phase is Phase.CONNECT:
            within = f"within {span(plan.connect_seconds or 0)}"
            self._fail(NetError(NetCode.CONNECT_TIMEOUT, f"no connection to {plan.target} {within}"))
        elif self._phase is Phase.PRELUDE and self._exchange is not None:
            within = f"within {span(plan.prelude_seconds or 0)}"
            awaited = self._exchange.awaited
            self._fail(NetError(NetCode.STEP_TIMEOUT, f"no answer {within} while waiting for {awaited}"))
        elif self._phase is Phase.HANDSHAKE:
            waited = f"{span(plan.handshake_seconds or 0)}, and the client still waits to {self._tls.state}"
            self._tls.abort(AlertDescription.USER_CANCELED)
            self._fail(LocalError(reasons.HANDSHAKE_TIMEOUT, waited))
        elif self._phase is Phase.ANSWER:
            within = f"within {span(plan.answer_seconds or 0)}"
            self._fail(NetError(NetCode.STEP_TIMEOUT, f"the answer to the request was not complete {within}"))
        elif self._phase is Phase.TICKET:
            self._load.no_ticket_came(self)
            self._finish()
        else:
            self.drop()

    def drop(self) -> None:
        """End it with a reset."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._close()

    # Inside ----------------------------------------------------------------------------------------------

    @property
    def _is_done(self) -> bool:
        """Whether it has been counted."""
        return self._phase >= Phase.CLOSING

    def _enter(self, phase: Phase) -> None:
        self._load.limit(self, self._phase, phase)
        self._phase = phase

    def _watch(self, mask: int) -> None:
        if mask == self._mask:
            return
        if self._mask:
            self._load.poller.change(self._socket.fileno(), mask)
        else:
            self._load.poller.add(self._socket.fileno(), mask, self)
        self._mask = mask

    def _connected(self, code: int) -> None:
        if code:
            reason = os.strerror(code)
            sentence = f"no connection to {self._load.plan.target}: {reason}"
            self._fail(NetError(NetCode.CONNECT_FAILED, sentence, code, reason))
            return
        self._lap(Step.CONNECT)
        if self._load.plan.prelude is None:
            self._start_tls(b"")
            return
        self._enter(Phase.PRELUDE)
        try:
            self._exchange = Exchange(self._load.plan.prelude.dialogue())
            self._converse()
        except NetError as error:
            self._fail(error)

    def _lap(self, step: Step) -> None:
        now = time.monotonic()
        self.seconds[step] = now - self._since
        self._since = now

    def _converse(self) -> None:
        """Say what the dialogue before TLS wants to say, and end it when it has come to its end."""
        exchange, prelude = self._exchange, self._load.plan.prelude
        if exchange is None or prelude is None:
            return
        for said in exchange.data_to_send():
            self._out += said.data
        if exchange.done:
            agreed = prelude.agreed(exchange.value, exchange.leftover, tuple(exchange.findings))
            self._exchange, self._wrapper = None, agreed.wrapper
            self._lap(Step.PRELUDE)
            self._start_tls(agreed.early)
        else:
            self._flush()

    def _start_tls(self, early: bytes) -> None:
        config = self._load.plan.config
        if self._session is not None:
            config = replace(config, session=self._session)
        self._tls = ClientConnection(config, clock=time.time)
        self._enter(Phase.HANDSHAKE)
        self._take(self._tls.start())
        if early:
            self._receive(early)
        if not self._is_done:
            self._flush()

    def _read(self) -> None:
        view = self._load.view
        try:
            count = self._socket.recv_into(view)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broken(error)
            return
        if self._exchange is None and self._wrapper is None:
            self._take(self._tls.receive(view[:count]))
            return
        try:
            self._receive_other(bytes(view[:count]))
        except NetError as error:
            self._fail(error)

    def _receive_other(self, data: bytes) -> None:
        """Take bytes that are not simply TLS. Raises NetError."""
        if self._exchange is None:
            self._receive(data)
        elif data:
            self._exchange.receive(data)
            self._converse()
        else:
            self._exchange.receive_eof()

    def _receive(self, data: bytes) -> None:
        if self._wrapper is not None and data:
            data = self._wrapper.incoming(data)
            if not data:
                return
        self._take(self._tls.receive(data))

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if self._is_done:
                return
            kind = type(event)
            if kind is DataReceived:
                if self._asked and not self.bytes_read:
                    self._lap(Step.FIRST_BYTE)
                self.bytes_read += len(event.data)  # type: ignore[attr-defined]  # of its kind
            elif kind is HandshakeCompleted and self._phase is Phase.HANDSHAKE:  # and not a renegotiation
                self._established()
            elif kind is SessionReceived:
                self.tickets += 1
                self._load.sessions.add(event.session)  # type: ignore[attr-defined]  # of its kind
            elif kind is CertificateRequested:
                self.was_asked_for_certificate = True
            elif kind is Closed:
                self._ended()
            elif kind is Failed:
                self._fail(event.error)  # type: ignore[attr-defined]  # of its kind
        if self._phase is Phase.TICKET and self.tickets:
            self._finish()

    def _established(self) -> None:
        self._lap(Step.HANDSHAKE)
        agreed = self._tls.negotiated
        self.resumed, self.version = agreed.resumed, agreed.version
        if self._wrapper is not None:
            self._flush()  # our last message of the handshake still goes in a packet
            self._wrapper.handshake_done()
            self._wrapper = None
        request = self._load.plan.request
        if request:
            self._enter(Phase.ANSWER)
            self._asked = True
            self._tls.send(request)
            return
        self.seconds[Step.TOTAL] = self._since - self._began
        if self._load.should_wait_for_ticket(self):
            self._enter(Phase.TICKET)
        else:
            self._finish()

    def _ended(self) -> None:
        """The server sends no more."""
        if self._phase is Phase.ANSWER:
            if not self.bytes_read:
                sentence = "the server closed the connection without an answer to the request"
                self._fail(NetError(NetCode.PEER_CLOSED, sentence))
                return
            self.seconds[Step.TOTAL] = time.monotonic() - self._began
        elif self._phase is Phase.TICKET:
            self._load.no_ticket_came(self)
        self._finish()

    def _finish(self) -> None:
        """It has done all it had to do."""
        self._tls.close()
        self._send()
        self._enter(Phase.CLOSING)
        self._watch(READ)
        self._load.completed(self)

    def _wait_for_end(self) -> None:
        """Take what still comes, tickets for instance, until the server closes."""
        try:
            count = self._socket.recv_into(self._load.view)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            count = 0
        if not count:
            self._close()

    def _fail(self, error: TLSError | NetError) -> None:
        """End it because of an error; an alert that is due goes out if the socket takes it."""
        if self._phase >= Phase.HANDSHAKE:
            self._send()
        self._close()
        self._load.failed(self, error)

    def _broken(self, error: OSError) -> None:
        when = f", while the client waited to {self._tls.state}" if self._phase is Phase.HANDSHAKE else ""
        sentence = f"the connection broke: {error.strerror}{when}"
        self._fail(NetError(NetCode.PEER_RESET, sentence, error.errno or 0, error.strerror or ""))

    def _close(self) -> None:
        self._enter(Phase.OVER)
        self._load.poller.forget(self._socket.fileno())
        self._socket.close()

    def _flush(self) -> None:
        """Send what there is to send, and wait for what the phase waits for."""
        self._watch(READ if self._send() else READ | WRITE)

    def _send(self) -> bool:
        """Send what the socket takes now; whether that is all."""
        if self._phase >= Phase.HANDSHAKE and self._tls.has_data_to_send:
            fresh = self._tls.data_to_send()
            if self._wrapper is not None:
                self._out += self._wrapper.outgoing(bytes(fresh))
            elif self._out:
                self._out += fresh
            else:
                self._out = fresh
        if not self._out:
            return True
        try:
            sent = self._socket.send(self._out, DONT_WAIT)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:  # what the server has said before it went may still be there to read
            sent = len(self._out)
        if sent == len(self._out):
            self._out = bytearray()
            return True
        del self._out[:sent]
        return False
