"""The event loop: listening sockets, connections, time limits, signals, and whatever else has a descriptor.

Strategy: one thread and non-blocking sockets. Each turn takes what is ready, in the order in which the system
tells it, and gives each connection one read at most, so that no client waits for more than one turn of the
others. Nothing that a client does raises here: what went wrong is told to its application, and an error of our
own ends that one connection.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from handglass.handshake.config import ServerConfig
from handglass.handshake.observer import Observer
from handglass.net.dial.listen import Listener
from handglass.net.reluctant import ReluctantSocket
from handglass.net.server.application import Application
from handglass.net.server.connection import ServedConnection, Wait
from handglass.net.server.deadlines import NEVER, Deadlines
from handglass.net.server.deferral import Deferral
from handglass.net.server.poller import READ, Watched, make_poller
from handglass.records import dataclass

if TYPE_CHECKING:
    from handglass.handshake.wants import Ask

BUFFER = 1 << 18
"""Bytes read at once, and the size of a piece of a file; one buffer of each serves all connections."""
ACCEPT_BURST = 256
"""Connections taken in before those that stand have their turn."""
OUT_OF_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE = 0.2
"""Seconds without accepting when there is no room for another connection."""
SPARE_FILES = 64
"""Of the files that may be open, how many no client gets: they are for what clients ask for."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Limits, in seconds; None: none.

    `accept_at_most`: the server ends after this many connections. `stop_seconds`: how long a server that was
    told to stop waits for what is under way. `read_size`: bytes read at once.
    """

    handshake_timeout: float | None = 60.0
    idle_timeout: float | None = 60.0
    linger_seconds: float = 2.0
    stop_seconds: float = 5.0
    accept_at_most: int | None = None
    on_wait: Callable[[ServedConnection, Wait], None] | None = None
    """Told each time that a connection was ready, and then had to wait for the client all the same."""
    reluctant: bool = False
    """Let hardly anything through at once, to test what is called again."""
    read_size: int = BUFFER


class Server:
    """Serves `listeners` until it is stopped.

    `make_application` is called for each connection that says something; `make_observer` gives what looks at
    it, or None. `deferred` names the questions (see `Connection`) that a new connection does not answer on the spot:
    threads do. `on_problem` gets a sentence about what is wrong with the server itself. The `config` may be
    replaced at any time, for connections that begin later.
    """

    def __init__(
        self,
        listeners: Iterable[Listener],
        config: ServerConfig,
        make_application: Callable[[ServedConnection], Application],
        *,
        options: ServerOptions = ServerOptions(),
        make_observer: Callable[[], Observer | None] = lambda: None,
        clock: Callable[[], float] = time.time,
        on_problem: Callable[[str], None] = lambda _: None,
        deferred: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self.config = config
        self.options = options
        self.clock = clock
        self.make_application = make_application
        self.make_observer = make_observer
        self.deferred = deferred
        self.buffer = bytearray(options.read_size)
        self.view = memoryview(self.buffer)
        self.file_buffer = bytearray(BUFFER)
        self.connections: dict[ServedConnection, None] = {}
        self.accepted = 0
        self._held: list[ServedConnection] = []
        self.current: ServedConnection | None = None
        """The connection whose bytes are being looked at, for callbacks of the configuration."""
        self._deferral: Deferral | None = None
        self._poller = make_poller()
        self._on_problem = on_problem
        self._now = time.monotonic()
        self._handshakes: Deadlines[ServedConnection] = Deadlines(options.handshake_timeout)
        self._idle: Deadlines[ServedConnection] = Deadlines(options.idle_timeout)
        self._linger: Deadlines[ServedConnection] = Deadlines(options.linger_seconds)
        self._doors = [_Door(self, listener) for listener in listeners]
        self._due = NEVER
        """When something is due; nothing is before that."""
        self._paused_until = NEVER
        self._is_full = False
        self._stop_at = NEVER
        for door in self._doors:
            door.open()

    def run(self) -> None:
        """Serve until `stop`, or until as many connections as wanted have come and gone."""
        try:
            while self._doors or self.connections:
                self.turn()
        finally:
            self.close()

    def stop(self) -> None:
        """Accept no more, let what is under way finish for a short while, then `run` returns; twice: at once."""
        self.close_doors()
        if self._stop_at != NEVER:
            self._stop_at = self._due = self._now
            return
        self._stop_at = self._now + self.options.stop_seconds
        self._due = min(self._due, self._stop_at)
        for link in list(self.connections):
            self._guard(link, link.stop)

    def close(self) -> None:
        """Close everything as it is."""
        self.close_doors()
        for link in list(self.connections):
            link.drop()
        if self._deferral is not None:
            self._deferral.close()
        self._poller.close()

    def add(self, descriptor: int, watched: Watched) -> None:
        """Look after a descriptor that is no connection; OSError where the system cannot wait for it."""
        self._poller.add(descriptor, READ, watched)

    def remove(self, descriptor: int) -> None:
        """Forget a descriptor."""
        self._poller.remove(descriptor)

    @property
    def asking(self) -> ServedConnection | None:
        """The connection for which a callback of the configuration was called, in the loop or in a thread."""
        found = self._deferral.link if self._deferral is not None else None
        return self.current if found is None else found

    # For connections -------------------------------------------------------------------------------------

    def watch(self, link: ServedConnection, mask: int) -> None:
        """Wait for this from now on."""
        self._poller.change(link.socket.fileno(), mask)

    def look_after(self, link: ServedConnection, mask: int) -> None:
        """Wait for its socket again after `remove`."""
        self._poller.add(link.socket.fileno(), mask, link)

    def hold(self, link: ServedConnection) -> None:
        """Remember a connection whose application takes no data now."""
        self._held.append(link)

    def release(self) -> None:
        """Applications take data again."""
        held, self._held = self._held, []
        for link in held:
            link.go_on_reading()

    def ask(self, link: ServedConnection, question: Ask) -> None:
        """Have a deferred question worked out in a thread."""
        if self._deferral is None:
            self._deferral = Deferral(self)
        self._deferral.ask(link, question)

    def answered(self, link: ServedConnection, question: Ask, value: Any) -> None:
        """Give a connection its answer; an error of our own ends that connection alone."""
        self._guard(link, lambda: link.answer(question, value))

    def established(self, link: ServedConnection) -> None:
        """Its handshake is done."""
        self._handshakes.stop(link)
        if link.application is not None and link.application.idle_limit:
            self._start(self._idle, link)

    def progress(self, link: ServedConnection) -> None:
        """It has done something: its time limit for doing nothing begins anew."""
        if link in self._idle:
            self._start(self._idle, link)

    def spare(self, link: ServedConnection) -> None:
        """Its time limit for doing nothing has passed, and begins anew."""
        self._start(self._idle, link)

    def leaving(self, link: ServedConnection) -> None:
        """Only what waits is still to be sent."""
        self._handshakes.stop(link)
        self._start(self._idle, link)

    def lingering(self, link: ServedConnection) -> None:
        """All is sent, and the client has not closed yet."""
        self._idle.stop(link)
        self._start(self._linger, link)

    def forget(self, link: ServedConnection) -> None:
        """It is gone."""
        self._poller.forget(link.socket.fileno())
        del self.connections[link]
        for deadlines in (self._handshakes, self._idle, self._linger):
            deadlines.stop(link)
        if self._paused_until != NEVER:
            self._paused_until = self._due = self._now

    # The loop --------------------------------------------------------------------------------------------

    def turn(self, seconds: float | None = None) -> None:
        """Wait until something is ready or due, `seconds` at most, and deal with it."""
        if self._due != NEVER:
            left = max(0.0, self._due - time.monotonic())
            seconds = left if seconds is None else min(left, seconds)
        ready = self._poller.wait(seconds)
        self._now = time.monotonic()
        for watched, mask in ready:
            try:
                watched.on_ready(mask)
            except Exception as error:
                self._own_error(watched, error)
        if self._now >= self._due:
            self._look_at_the_clock()

    def _start(self, deadlines: Deadlines[ServedConnection], link: ServedConnection) -> None:
        self._due = min(self._due, deadlines.start(link, self._now))

    def _look_at_the_clock(self) -> None:
        """Deal with what is due, and find out what is next."""
        now = self._now
        for deadlines in (self._handshakes, self._idle):
            for link in deadlines.expired(now):
                self._guard(link, link.time_is_up)
        for link in self._linger.expired(now):
            link.drop()
        if self._paused_until <= now:
            self._paused_until = NEVER
            for door in self._doors:
                door.open()
        if self._stop_at <= now:
            for link in list(self.connections):
                link.drop()
        queues = (self._handshakes, self._idle, self._linger)
        self._due = min(*(queue.next for queue in queues), self._paused_until, self._stop_at)

    def _guard(self, link: ServedConnection, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            self._own_error(link, error)

    def _own_error(self, watched: Watched, error: Exception) -> None:
        """Something that must not happen: the one connection ends, the server goes on."""
        if not isinstance(watched, ServedConnection) or isinstance(error, BrokenPipeError):
            raise error
        self._on_problem(f"{watched.peer}: internal error: {type(error).__name__}: {error}")
        watched.drop()

    # Accepting -------------------------------------------------------------------------------------------

    def admit(self, sock: socket.socket, address: object) -> None:
        """Look after a connection that was accepted."""
        self.accepted += 1
        used = ReluctantSocket(sock) if self.options.reluctant else sock
        link = ServedConnection(self, used, address, self.accepted)
        self.connections[link] = None
        self._poller.add(sock.fileno(), READ, link)
        self._start(self._handshakes, link)
        if self.accepted == self.options.accept_at_most:
            self.close_doors()

    def close_doors(self) -> None:
        """Accept no more."""
        for door in self._doors:
            door.close()
        self._doors = []

    @property
    def has_room(self) -> bool:
        """Whether another connection leaves files enough to serve those that are there."""
        limit = open_files_limit()
        return limit is None or len(self.connections) < limit - min(SPARE_FILES, limit // 2)

    def pause_accepting(self, why: str) -> None:
        """Take in nobody for a while, or until somebody leaves; said once until all who wait are in."""
        if not self._is_full:
            count = len(self.connections)
            self._on_problem(f"no room for more than these {count} connections ({why}): the others wait")
        self._is_full = True
        self._paused_until = self._now + PAUSE
        self._due = min(self._due, self._paused_until)
        for door in self._doors:
            door.shut()

    def all_are_in(self) -> None:
        """Nobody waits any more."""
        self._is_full = False


class _Door:
    """A listening socket in the loop."""

    def __init__(self, server: Server, listener: Listener) -> None:
        self._server = server
        self._listener = listener
        self._is_open = False
        if listener.path is None:
            # Connections inherit it, so that a second small write never waits for the first one's ACK.
            listener.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def open(self) -> None:
        if not self._is_open:
            self._server.add(self._listener.socket.fileno(), self)
            self._is_open = True

    def shut(self) -> None:
        if self._is_open:
            self._server.remove(self._listener.socket.fileno())
            self._is_open = False

    def close(self) -> None:
        self.shut()
        self._listener.close()

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """Take in all who wait."""
        accept, server = self._listener.socket.accept, self._server
        for _ in range(ACCEPT_BURST):
            if not self._is_open:
                return
            if not server.has_room:
                server.pause_accepting(f"the limit is {open_files_limit()} open files, see ulimit -n")
                return
            try:
                sock, address = accept()
            except BlockingIOError:
                server.all_are_in()
                return
            except OSError as error:
                if error.errno in OUT_OF_ROOM:
                    server.pause_accepting(os.strerror(error.errno))
                    return
                continue  # that one has gone already
            server.admit(sock, address)


def open_files_limit() -> int | None:
    """How many files this process may have open; None where there is no limit."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
