"""Many connections to one server, so many of them under way at once, for so long.

Strategy: one thread and one loop around epoll. A connection that ends makes room for the next one, so the load is a
closed one: a server that stalls gets fewer connections, each of which waits longer. None is started after the time
is over, but those under way are waited for, since to leave them out would hide the slowest. Time limits are looked at
ten times a second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from handglass.net.errors import NetError
from handglass.net.load.connection import Phase, TimedConnection
from handglass.net.load.sessions import SessionPool
from handglass.net.load.tally import Tally
from handglass.net.server.deadlines import NEVER, Deadlines
from handglass.net.server.poller import make_poller
from handglass.records import dataclass
from handglass.registry.code_points import ProtocolVersion
from handglass.registry.errors import TLSError

if TYPE_CHECKING:
    import socket

    from handglass.handshake.config import ClientConfig
    from handglass.handshake.session import Session
    from handglass.net.dial.lookup import Address
    from handglass.net.starttls import Prelude

TURN = 0.1
"""Seconds after which the loop at the latest looks at its clock and at who wants it to stop."""
TICKET_SECONDS = 1.0
"""How long a connection that is to bring a ticket waits for it."""
CLOSING_SECONDS = 0.5
"""How long a server has to close after close_notify."""
FAILURES_IN_A_ROW = 10
"""As many connections, or twice as many as there are at once, may fail one after the other; then the server is gone."""
BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class Plan:
    """What each connection does: where it goes, what it offers, what it says.

    `target` is the address for people. `request` b"": the connection ends with its handshake. `prelude`: what is said
    before TLS. Limits are seconds; None for none.
    """

    address: Address
    target: str
    config: ClientConfig
    request: bytes = b""
    prelude: Prelude | None = None
    connect_seconds: float | None = None
    prelude_seconds: float | None = None
    handshake_seconds: float | None = None
    answer_seconds: float | None = None


Tell = Callable[[Tally, list[TimedConnection]], None]
"""Told in each turn of a run: what is counted so far, and which connections have been completed in this turn."""


class Load:
    """Connections by `plan`, `parallel` of them at a time."""

    def __init__(self, plan: Plan, parallel: int) -> None:
        self.plan = plan
        self.poller = make_poller()
        self.view = memoryview(bytearray(BUFFER))
        self.sessions = SessionPool(2 * parallel + 8)
        self._parallel = parallel
        self._limits: dict[Phase, Deadlines[TimedConnection]] = {
            Phase.CONNECT: Deadlines(plan.connect_seconds),
            Phase.PRELUDE: Deadlines(plan.prelude_seconds),
            Phase.HANDSHAKE: Deadlines(plan.handshake_seconds),
            Phase.ANSWER: Deadlines(plan.answer_seconds),
            Phase.TICKET: Deadlines(TICKET_SECONDS),
            Phase.CLOSING: Deadlines(CLOSING_SECONDS),
        }
        self._next_look = 0.0
        self._under_way: set[TimedConnection] = set()
        self._completed: list[TimedConnection] = []
        self._tally = Tally()
        self._resuming = False
        self._trying_out = False
        self._ticketless: set[bool] = set()
        self._failed_in_a_row = 0
        self.first: TimedConnection | None = None
        """The connection of `try_out`."""
        self.stopped = False
        """Somebody wants the run to end."""

    # The runs --------------------------------------------------------------------------------------------

    def try_out(self, sock: socket.socket) -> None:
        """Make a first connection, which is not counted, over a socket that is connected.

        An error that every connection would run into comes before the run then, and what is loaded or compiled on
        first use is not part of a measurement. Raises TLSError, NetError; `first` knows more.
        """
        self._begin(resuming=False)
        self._trying_out = True
        self.first = self._start(None)
        self.first.begin_on(sock)
        self._finish_one()
        self._trying_out = False

    def collect_sessions(self) -> None:
        """Make connections, which are not counted, until as many as will be under way at once can resume.

        Ends before if the server gives nothing to resume by. Raises TLSError, NetError.
        """
        self._begin(resuming=True)
        while not self.sessions.suffices_for(self._parallel):
            connection = self._start(None)
            connection.connect()
            self._finish_one()
            if not connection.tickets:
                return

    @property
    def has_sessions(self) -> bool:
        """Whether a connection could resume a session now."""
        return self.sessions.suffices_for(1)

    def run(self, seconds: float, *, resuming: bool, tell: Tell) -> Tally:
        """Make connections for so long; with `resuming` each one resumes a session, as far as there are any.

        Ends before its time if the server is gone, or when `stopped`.
        """
        tally = self._begin(resuming=resuming)
        cpu = os.times()
        began = time.monotonic()
        while time.monotonic() < began + seconds and not self._is_over:
            while len(self._under_way) < self._parallel and not self._is_over:
                self._start(self.sessions.take() if resuming else None).connect()
            self._turn()
            self._tell(tell)
        while self._under_way and not self.stopped:
            self._turn()
            self._tell(tell)
        tally.seconds = time.monotonic() - began
        used = os.times()
        tally.user, tally.system = used.user - cpu.user, used.system - cpu.system
        self._abandon()
        return tally

    def close(self) -> None:
        """Let the last connections come to their end, and give back what the loop holds."""
        closing = self._limits[Phase.CLOSING]
        while len(closing) and not self.stopped:
            self._turn()
        for connection in closing.expired(NEVER):
            connection.drop()
        self.poller.close()

    # For the connections ---------------------------------------------------------------------------------

    def limit(self, connection: TimedConnection, before: Phase, now: Phase) -> None:
        """A connection goes from one phase to the next, or begins its first one."""
        self._limits[before].stop(connection)
        if now is not Phase.OVER:
            self._limits[now].start(connection, time.monotonic())

    def should_wait_for_ticket(self, connection: TimedConnection) -> bool:
        """Whether a connection that is otherwise done should wait for the server's first word after the handshake.

        In TLS 1.3 it is only then that the server has judged the client's certificate, and that tickets come.
        """
        if connection.version != ProtocolVersion.TLS1_3 or connection.tickets:
            return False
        if self._trying_out and connection.was_asked_for_certificate:
            return True
        return (
            self._resuming
            and connection.resumed not in self._ticketless
            and not self.sessions.suffices_for(self._parallel)
        )

    def no_ticket_came(self, connection: TimedConnection) -> None:
        """A connection has waited for a ticket in vain: others like it need not."""
        self._ticketless.add(connection.resumed)

    def completed(self, connection: TimedConnection) -> None:
        """A connection has done all it had to do."""
        self._under_way.discard(connection)
        self._completed.append(connection)
        self._failed_in_a_row = 0
        self._tally.count(connection.seconds, resumed=connection.resumed, bytes_read=connection.bytes_read)

    def failed(self, connection: TimedConnection, error: TLSError | NetError) -> None:
        """A connection has ended with an error."""
        self._under_way.discard(connection)
        self._failed_in_a_row += 1
        self._tally.count_failure(error)

    # Inside ----------------------------------------------------------------------------------------------

    @property
    def _is_over(self) -> bool:
        return self.stopped or self._failed_in_a_row >= max(FAILURES_IN_A_ROW, 2 * self._parallel)

    def _begin(self, *, resuming: bool) -> Tally:
        self._resuming = resuming
        self._failed_in_a_row = 0
        self._tally = Tally()
        return self._tally

    def _start(self, session: Session | None) -> TimedConnection:
        connection = TimedConnection(self, session)
        self._under_way.add(connection)
        return connection

    def _finish_one(self) -> None:
        """See that the one connection under way comes to its end. Raises TLSError, NetError."""
        while self._under_way:
            self._turn()
        self._completed.clear()
        if self._tally.last_error is not None:
            raise self._tally.last_error

    def _turn(self) -> None:
        for watched, mask in self.poller.wait(TURN):
            watched.on_ready(mask)
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + TURN
            for limit in self._limits.values():
                for connection in limit.expired(now):
                    connection.time_is_up()

    def _tell(self, tell: Tell) -> None:
        tell(self._tally, self._completed)
        self._completed.clear()

    def _abandon(self) -> None:
        """Drop what is still under way."""
        self._tally.abandoned = len(self._under_way)
        for connection in self._under_way:
            connection.drop()
        self._under_way.clear()
