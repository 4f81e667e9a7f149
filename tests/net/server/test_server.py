"""The event loop, driven turn by turn in the test's own thread: what happens is counted in turns, not in seconds."""

from __future__ import annotations

import errno
import gc
import os
import select
import socket
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from handglass.connection import ClientConnection
from handglass.crypto.throwaway import self_signed
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import Closed, DataReceived, Event, HandshakeCompleted
from handglass.net.dial.listen import Listener, open_listeners
from handglass.net.dial.targets import ListenTarget
from handglass.net.server import Application, Reverse, ServedConnection, Server, ServerOptions, Sink, Wait
from handglass.net.server import poller as pollers
from handglass.registry.errors import TLSError

IDENTITY = self_signed(datetime.now(UTC))


class Recorder(Application):
    """Remembers what it is told."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def on_handshake(self, link: ServedConnection) -> None:  # noqa: ARG002
        self.log.append("handshake")

    def on_data(self, link: ServedConnection, data: bytes, *, early: bool) -> None:  # noqa: ARG002
        self.log.append(f"data {data.decode()}")

    def on_end(self, link: ServedConnection, *, clean: bool) -> None:
        self.log.append(f"end {clean}")
        super().on_end(link, clean=clean)

    def on_failure(self, link: ServedConnection, error: TLSError) -> None:  # noqa: ARG002
        self.log.append(f"failure {type(error).__name__}")

    def on_close(self, link: ServedConnection) -> None:  # noqa: ARG002
        self.log.append("close")


SOCKETS: list[socket.socket] = []


def dial(port: int) -> socket.socket:
    """Connect; the fixture closes it."""
    SOCKETS.append(socket.create_connection(("127.0.0.1", port)))
    return SOCKETS[-1]


class Client:
    """A client in lockstep with the server: `exchange` sends what there is to send and reads what has come."""

    def __init__(self, port: int) -> None:
        self.socket = dial(port)
        self.socket.setblocking(False)
        self.tls = ClientConnection(ClientConfig())
        self.tls.start()
        self.events: list[Event] = []
        self.ended = False
        self.size = 0

    def exchange(self) -> None:
        if data := self.tls.data_to_send():
            self.socket.sendall(data)
        try:
            received = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        self.ended = self.ended or not received
        found = self.tls.receive(received)
        self.events += found
        self.size += sum(len(event.data) for event in found if isinstance(event, DataReceived))

    def has(self, kind: type[Event]) -> bool:
        return any(isinstance(event, kind) for event in self.events)

    @property
    def data(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, DataReceived))


@pytest.fixture(params=["epoll", "selectors"])
def poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "epoll" and not hasattr(select, "epoll"):
        pytest.skip("no epoll here")
    kind = {"epoll": pollers.EpollPoller, "selectors": pollers.SelectorPoller}[request.param]
    monkeypatch.setattr("handglass.net.server.server.make_poller", kind)
    return str(request.param)


@pytest.fixture
def listener(poller: str) -> Iterator[Listener]:
    found = open_listeners([ListenTarget("127.0.0.1", "0")])[0]
    yield found
    found.close()
    for each in SOCKETS:
        each.close()
    SOCKETS.clear()


def make(listener: Listener, application: type[Application] | Application, **options: object) -> Server:
    def give(_: ServedConnection) -> Application:
        return application() if isinstance(application, type) else application

    config = ServerConfig(identities=(IDENTITY,))
    return Server([listener], config, give, options=ServerOptions(**options))  # type: ignore[arg-type]  # of the test


def run_until(server: Server, client: Client, kind: type[Event], turns: int = 50) -> int:
    """Run until the client has got this kind of event; how many turns that took."""
    for turn in range(turns):
        client.exchange()
        if client.has(kind):
            client.exchange()
            server.turn(0)
            return turn
        server.turn(0.05)
    raise AssertionError(f"no {kind.__name__} in {turns} turns: {client.events}")


def test_a_connection_from_its_beginning_to_its_end(listener: Listener) -> None:
    log: list[str] = []
    server = make(listener, Recorder(log))
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    client.tls.send(b"hello")
    client.tls.close()
    run_until(server, client, Closed)
    assert log == ["handshake", "data hello", "end True", "close"]
    assert not server.connections
    server.close()


def test_the_memory_of_a_connection_does_not_wait_for_the_collector(listener: Listener) -> None:
    server = make(listener, Sink)
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    engine = weakref.ref(next(iter(server.connections)).connection._driver)
    gc.disable()
    try:
        client.socket.close()
        while server.connections:
            server.turn(0.05)
        server.current = None
        assert engine() is None
    finally:
        gc.enable()
        server.close()


def test_silent_clients_do_not_add_a_single_turn(listener: Listener) -> None:
    server = make(listener, Sink)
    alone = run_until(server, Client(listener.port), HandshakeCompleted)
    for _ in range(200):
        dial(listener.port)
    while len(server.connections) < 201:
        server.turn(0.05)
    crowded = run_until(server, Client(listener.port), HandshakeCompleted)
    assert crowded <= alone
    assert all(link.tls is None for link in server.connections if link.number in range(2, 202))
    server.close()


def test_a_busy_client_gets_one_read_per_turn(listener: Listener) -> None:
    """A client that sends without end does not keep another one's handshake from going on."""
    server = make(listener, Sink)
    alone = run_until(server, Client(listener.port), HandshakeCompleted)
    busy = Client(listener.port)
    run_until(server, busy, HandshakeCompleted)
    other = Client(listener.port)
    turns = 0
    while not other.has(HandshakeCompleted):
        turns += 1
        busy.tls.send(bytes(1 << 16))
        with suppress(BlockingIOError):
            busy.socket.send(busy.tls.data_to_send())
        server.turn(0.05)
        other.exchange()
    assert turns <= alone + 2
    server.close()


def test_who_does_not_read_is_not_heard(listener: Listener) -> None:
    server = make(listener, Reverse)
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    link = next(iter(server.connections))
    line = b"x" * 15_000 + b"\n"
    client.tls.send(line * 1000)
    waiting = memoryview(client.tls.data_to_send())
    while not link.stalled:
        with suppress(BlockingIOError):
            waiting = waiting[client.socket.send(waiting) :]
        server.turn(0.05)
    assert len(link._out) < 1 << 20
    while client.size < 1000 * len(line):
        client.exchange()
        with suppress(BlockingIOError):
            waiting = waiting[client.socket.send(waiting) :]
        server.turn(0)
    assert client.data == (b"x" * 15_000 + b"\n") * 1000
    server.close()


class Endless(Application):
    """Sends for ever."""

    streaming = True

    def __init__(self) -> None:
        self.calls = 0

    def produce(self, link: ServedConnection) -> None:
        self.calls += 1
        link.send(bytes(1 << 14))


def test_a_client_that_reads_nothing_stops_the_production(listener: Listener) -> None:
    endless = Endless()
    endless.streaming = False
    server = make(listener, endless, idle_timeout=60)
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    link = next(iter(server.connections))
    endless.streaming = True
    link.do([])
    calls = -1
    while endless.calls > calls:
        calls = endless.calls
        server.turn(0.01)
    assert calls < 1000
    other = Client(listener.port)
    endless.streaming = False  # one application serves both here
    run_until(server, other, HandshakeCompleted)
    assert endless.calls == calls
    assert link in server.connections
    server.close()


def test_the_time_limits(listener: Listener) -> None:
    log: list[str] = []
    server = make(listener, Recorder(log), handshake_timeout=0.05, linger_seconds=0.05)
    silent = dial(listener.port)
    server.turn(0.05)
    assert len(server.connections) == 1
    while server.connections:
        server.turn(0.05)
    assert log == ["failure LocalError", "close"]
    silent.settimeout(60)
    assert silent.recv(7)[:1] == b"\x15"
    assert silent.recv(7) == b""
    server.close()


def test_a_client_that_does_not_close_is_left_after_a_while(listener: Listener) -> None:
    server = make(listener, Sink, linger_seconds=0.05)
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    next(iter(server.connections)).close()
    assert server.connections
    while server.connections:
        server.turn(0.05)
    server.close()


def test_stopping(listener: Listener) -> None:
    log: list[str] = []
    server = make(listener, Recorder(log), stop_seconds=0.1)
    client, silent = Client(listener.port), dial(listener.port)
    run_until(server, client, HandshakeCompleted)
    half = Client(listener.port)
    half.exchange()
    while len(server.connections) < 3 or server.accepted < 3:
        server.turn(0.05)
    server.turn(0.05)
    server.stop()
    assert silent.recv(1) == b""
    run_until(server, client, Closed)
    run_until(server, half, HandshakeCompleted)  # it was under way
    server.run()
    assert not server.connections
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port))


class Broken(Application):
    """Has a bug."""

    def on_data(self, link: ServedConnection, data: bytes, *, early: bool) -> None:  # noqa: ARG002
        raise RuntimeError("a bug")


def test_a_bug_ends_one_connection_only(listener: Listener) -> None:
    problems: list[str] = []
    server = make(listener, Broken)
    server._on_problem = problems.append
    client, other = Client(listener.port), Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    run_until(server, other, HandshakeCompleted)
    client.tls.send(b"x")
    client.exchange()
    server.turn(0.05)
    assert len(server.connections) == 1
    assert "a bug" in problems[0]
    server.close()


def test_no_room_for_another_connection(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    problems: list[str] = []
    server = make(listener, Sink)
    server._on_problem = problems.append

    class Full:
        def __init__(self, inner: socket.socket) -> None:
            self.inner, self.full = inner, True

        def accept(self) -> tuple[socket.socket, object]:
            if self.full:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return self.inner.accept()

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

    full = Full(listener.socket)
    listener.socket = full  # type: ignore[assignment]  # acts like one
    client = Client(listener.port)
    began = time.monotonic()
    server.turn(0.05)
    assert not server.connections
    full.full = False
    run_until(server, client, HandshakeCompleted)
    assert time.monotonic() - began > 0.1
    assert len(problems) == 1
    server.close()


class Time:
    """A clock that is set by hand, in the place of the `time` module."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()


class Idle(Recorder):
    """May do nothing for as long as the server allows."""

    idle_limit = True

    def on_idle(self, link: ServedConnection) -> None:  # noqa: ARG002
        self.log.append("idle")


@pytest.mark.parametrize("counts", [True, False])
def test_who_sends_data_is_not_idle_unless_data_does_not_count(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    clock = Time()
    monkeypatch.setattr("handglass.net.server.server.time", clock)
    log: list[str] = []
    application = Idle(log)
    application.data_is_activity = counts
    server = make(listener, application, idle_timeout=10)
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    for number in range(3):
        clock.now += 4
        client.tls.send(b"%d" % number)
        client.exchange()
        server.turn(0.5)
    assert ("idle" in log) != counts
    clock.now += 10
    server.turn(0)
    run_until(server, client, Closed)
    assert log[-2:] == ["idle", "close"]
    server.close()


class Picky(Recorder):
    """Takes data only when it is in the mood."""

    is_ready = False

    @property
    def takes_data(self) -> bool:
        return self.is_ready


def test_data_that_is_not_welcome_waits_and_others_do_not(listener: Listener) -> None:
    log: list[str] = []
    picky = Picky(log)
    server = make(listener, picky, idle_timeout=10)
    client, other = Client(listener.port), Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    client.tls.send(b"hello")
    client.exchange()
    run_until(server, other, HandshakeCompleted)
    link = next(iter(server.connections))
    while link not in server._held:
        server.turn(0.05)
    link.send(b"to the client")  # this way is open
    link.do([])
    run_until(server, client, DataReceived)
    server.turn(0)
    assert "data hello" not in log
    picky.is_ready = True
    server.release()
    server.turn(0.5)
    assert log[-1] == "data hello"
    client.tls.close()
    run_until(server, client, Closed)
    server.close()


def test_who_is_held_is_not_idle(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Time()
    monkeypatch.setattr("handglass.net.server.server.time", clock)
    picky = Picky([])
    picky.idle_limit = True
    server = make(listener, picky, idle_timeout=10)
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    client.tls.send(b"hello")
    client.exchange()
    while not server._held:
        server.turn(0.05)
    for _ in range(3):
        clock.now += 11
        server.turn(0)
    assert len(server.connections) == 1
    picky.is_ready = True
    server.release()
    server.turn(0.5)
    assert picky.log[-1] == "data hello"
    clock.now += 11
    server.turn(0)
    run_until(server, client, Closed)
    server.close()


def test_one_that_was_held_can_be_closed(listener: Listener) -> None:
    log: list[str] = []
    server = make(listener, Picky(log))
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    client.tls.send(b"hello")
    client.exchange()
    while not server._held:
        server.turn(0.05)
    link = server._held[0]
    link.close()
    client.socket.close()
    while server.connections:
        server.turn(0.05)
    server.release()
    assert log == ["handshake", "close"]
    server.close()


def test_waits_are_told(listener: Listener) -> None:
    waits: list[Wait] = []
    server = make(listener, Sink, on_wait=lambda _, wait: waits.append(wait))
    client = Client(listener.port)
    run_until(server, client, HandshakeCompleted)
    assert waits == [Wait.HANDSHAKE]
    client.tls.update_keys(request_peer=False)
    client.exchange()
    server.turn(0.5)
    assert waits == [Wait.HANDSHAKE, Wait.READ]
    next(iter(server.connections)).send(bytes(1 << 25))
    client.tls.send(b"x")
    client.exchange()
    while Wait.WRITE not in waits:
        server.turn(0.05)
    server.close()


def test_everything_in_pieces(listener: Listener) -> None:
    server = make(listener, Reverse, reluctant=True)
    client = Client(listener.port)
    for _ in range(20_000):
        client.exchange()
        if client.has(HandshakeCompleted):
            break
        server.turn(0)
    client.tls.send(b"hello\n" * 20)
    for _ in range(20_000):
        client.exchange()
        if client.size == 120:
            break
        server.turn(0)
    assert client.data == b"olleh\n" * 20
    server.close()


def test_the_address_for_people(listener: Listener) -> None:
    server = make(listener, Sink)
    client = Client(listener.port)
    server.turn(0.05)
    link = next(iter(server.connections))
    assert link.peer == "127.0.0.1:" + str(client.socket.getsockname()[1])
    link.address = ("::ffff:10.0.0.1", 5, 0, 0)
    assert link.peer == "10.0.0.1:5"
    link.address = ("::1", 5, 0, 0)
    assert link.peer == "[::1]:5"
    link.address = ""
    assert link.peer == "a client on the Unix socket"
    server.close()
