"""The transport of one connection: what it moves, when it stops, and how little it keeps."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from handglass.connection import ClientConnection, ServerConnection
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import Closed, DataReceived, Event, Failed, HandshakeCompleted
from handglass.net.errors import NetCode, NetError
from handglass.net.pump import BACKLOG, INPUT_SIZE, Pump
from handglass.net.reluctant import ReluctantSocket
from handglass.registry.code_points import AlertDescription
from handglass.registry.errors import AlertReceived
from support.engines import identity

LIMIT = 20.0


class Peer:
    """The server at the other end, stepped from the test: it says and hears only when told to."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.tls = ServerConnection(ServerConfig(identities=(identity("p256"),)))
        self.events: list[Event] = []

    def step(self) -> None:
        """Send what there is to send, and take what has come."""
        self.socket.setblocking(False)
        with suppress(BlockingIOError):
            self.events += self.tls.receive(self.socket.recv(1 << 20))
        if data := self.tls.data_to_send():
            self.socket.settimeout(LIMIT)
            self.socket.sendall(data)

    @property
    def data(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, DataReceived))


class Line:
    """A pump with what its connection has told, and the peer."""

    def __init__(self, ours: socket.socket, theirs: socket.socket, **options: int) -> None:
        self.events: list[Event] = []
        self.peer = Peer(theirs)
        self.tls = ClientConnection(ClientConfig())
        self.pump = Pump(ours, self.tls, self.events.append, **options)  # type: ignore[arg-type]  # read_size

    def run_until(self, done: Callable[[], bool], source: Source | None = None) -> None:
        """Let both ends move until it is done."""
        deadline = time.monotonic() + LIMIT
        while not done():
            assert time.monotonic() < deadline, self.events
            self.peer.step()
            self.pump.run(done, deadline=time.monotonic() + 0.002, source=source)

    def connect(self) -> Line:
        self.pump.give(self.tls.start())
        self.run_until(lambda: self.tls.is_established and self.peer.tls.is_established)
        return self

    @property
    def data(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, DataReceived))

    def has(self, kind: type[Event]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


class Source:
    """An input that gives what is written into a pipe to the connection."""

    def __init__(self, line: Line, stack: ExitStack) -> None:
        self._line = line
        self.descriptor, self.writing = os.pipe()
        stack.callback(os.close, self.descriptor)
        self.ended = False
        self.taken = 0

    descriptor: int | None

    def take(self, data: bytes) -> None:
        self.taken += len(data)
        if data:
            self._line.tls.send(data)
        else:
            self.ended, self.descriptor = True, None


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def ends(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """A TCP connection over loopback, which can be reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = stack.enter_context(socket.create_connection(listener.getsockname()))
        theirs = stack.enter_context(listener.accept()[0])
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ours, theirs


@pytest.fixture
def line(ends: tuple[socket.socket, socket.socket]) -> Line:
    return Line(*ends).connect()


def test_data_both_ways_and_the_end_of_the_input(line: Line, stack: ExitStack) -> None:
    source = Source(line, stack)
    data = random.Random(1).randbytes(300_000)

    def write() -> None:
        with os.fdopen(source.writing, "wb") as pipe:
            pipe.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    line.run_until(lambda: source.ended and len(line.peer.data) == len(data), source)
    writer.join()
    assert line.peer.data == data
    line.peer.tls.send(data)
    line.run_until(lambda: len(line.data) == len(data))
    assert line.data == data


def test_a_socket_that_hardly_moves(ends: tuple[socket.socket, socket.socket]) -> None:
    line = Line(*ends)
    line.pump.socket = ReluctantSocket(ends[0], random.Random(1))
    line.connect()
    line.peer.tls.send(b"x" * 3000)
    line.run_until(lambda: line.data == b"x" * 3000)


def test_reads_are_no_larger_than_asked_for(ends: tuple[socket.socket, socket.socket]) -> None:
    line = Line(*ends, read_size=100)
    sizes = []
    receive = line.tls.receive

    def noted(data: bytes | bytearray | memoryview) -> list[Event]:
        sizes.append(len(data))
        return receive(data)

    line.tls.receive = noted  # type: ignore[method-assign]  # the test's eye
    line.connect()
    assert max(sizes) == 100


def test_a_deadline_ends_the_wait(line: Line) -> None:
    start = time.monotonic()
    assert line.pump.run(lambda: False, deadline=start + 0.05) is False
    assert 0.05 <= time.monotonic() - start < LIMIT
    assert line.pump.run(lambda: False, deadline=start) is False, "also where it has passed already"
    assert line.pump.run(lambda: True, deadline=start) is True, "unless there is nothing to wait for"


def test_the_peers_end(line: Line) -> None:
    line.peer.tls.close()
    line.peer.step()
    line.peer.socket.close()
    assert line.pump.run(lambda: False) is True
    assert line.pump.ended
    (closed,) = [event for event in line.events if isinstance(event, Closed)]
    assert closed.clean


def test_a_cut_connection(line: Line) -> None:
    line.peer.socket.close()
    assert line.pump.run(lambda: False) is True
    assert [event.clean for event in line.events if isinstance(event, Closed)] == [False]


def test_a_connection_that_breaks(line: Line) -> None:
    line.peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.peer.socket.close()
    with pytest.raises(NetError, match="the connection broke: Connection reset by peer") as caught:
        line.pump.run(lambda: False)
    assert caught.value.code == NetCode.PEER_RESET
    assert line.pump.ended


def test_what_the_peer_said_last_is_read_although_writing_fails(stack: ExitStack) -> None:
    """On a socket pair a write fails at once when the other end is closed, and what was sent is still there."""
    ours, theirs = socket.socketpair()
    stack.enter_context(ours)
    line = Line(ours, theirs).connect()
    line.peer.tls.abort(AlertDescription.ACCESS_DENIED)
    line.peer.step()
    theirs.close()
    line.tls.send(b"x" * 1000)
    line.pump.flush()
    assert not line.pump.has_output, "what cannot be sent is not kept"
    line.pump.run(lambda: line.has(Failed))
    (failed,) = [event for event in line.events if isinstance(event, Failed)]
    assert isinstance(failed.error, AlertReceived)
    assert failed.error.description == AlertDescription.ACCESS_DENIED


def test_the_input_waits_while_the_peer_does_not_read(line: Line, stack: ExitStack) -> None:
    source = Source(line, stack)
    stack.callback(os.close, source.writing)
    os.set_blocking(source.writing, False)
    written, quiet = 0, 0
    while quiet < 5 and written < 64 * BACKLOG:
        count = 0
        with suppress(BlockingIOError):
            count = os.write(source.writing, bytes(INPUT_SIZE))
        written += count
        before = source.taken
        line.pump.run(lambda: source.taken > before, deadline=time.monotonic() + 0.02, source=source)  # noqa: B023 - at once
        quiet = 0 if count or source.taken > before else quiet + 1
    assert quiet == 5, "all of it was taken in"
    assert BACKLOG <= len(line.pump._out) <= BACKLOG + 2 * INPUT_SIZE
    line.run_until(lambda: len(line.peer.data) == written, source)


def test_an_input_that_goes_away_is_at_its_end(line: Line, stack: ExitStack) -> None:
    source = Source(line, stack)
    os.close(source.writing)
    line.pump.run(lambda: source.ended, deadline=time.monotonic() + LIMIT, source=source)
    assert source.ended


def test_waiting_is_told_once_until_something_comes(line: Line) -> None:
    told: list[bool] = []
    line.pump.on_wait = told.append
    for _ in range(3):
        line.pump.run(lambda: False, deadline=time.monotonic() + 0.01)
    assert told == [False]
    line.peer.tls.send(b"x")
    line.run_until(lambda: line.data == b"x")
    line.pump.run(lambda: False, deadline=time.monotonic() + 0.01)
    assert told == [False, False]


def test_draining_sends_the_rest_and_gives_up_in_time(line: Line) -> None:
    line.tls.send(bytes(20 << 20))
    start = time.monotonic()
    line.pump.drain(0.05)
    assert 0.05 <= time.monotonic() - start < LIMIT
    assert line.pump.has_output
    thread = threading.Thread(target=lambda: line.pump.drain(LIMIT))
    thread.start()
    deadline = time.monotonic() + LIMIT
    while thread.is_alive():
        assert time.monotonic() < deadline
        line.peer.step()
    thread.join()
    assert not line.pump.has_output


class Doubling:
    """A wrapper that doubles every byte until the handshake is done."""

    def __init__(self) -> None:
        self.done = 0

    def outgoing(self, data: bytes) -> bytes:
        return data if self.done else bytes(byte for each in data for byte in (each, each))

    def incoming(self, data: bytes) -> bytes:
        return data if self.done else data[::2]

    def handshake_done(self) -> None:
        self.done += 1


def test_a_wrapper_stands_between_until_the_handshake_is_done(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    wrapper, events = Doubling(), list[Event]()
    tls = ClientConnection(ClientConfig())
    pump = Pump(ours, tls, events.append, wrapper=wrapper)
    peer = Peer(theirs)
    pump.give(tls.start())
    theirs.settimeout(LIMIT)
    hello = theirs.recv(1 << 16)
    assert hello[:4] == b"\x16\x16\x03\x03"
    peer.events += peer.tls.receive(hello[::2])
    pump.receive(bytes(byte for each in peer.tls.data_to_send() for byte in (each, each)))
    pump.flush()
    assert any(isinstance(event, HandshakeCompleted) for event in events)
    assert wrapper.done == 1
    peer.events += peer.tls.receive(theirs.recv(1 << 16)[::2])
    assert peer.tls.is_established
    peer.tls.send(b"plain now")
    theirs.sendall(peer.tls.data_to_send())
    pump.run(
        lambda: any(isinstance(event, DataReceived) for event in events), deadline=time.monotonic() + LIMIT
    )
    assert wrapper.done >= 1


def test_closing_twice(line: Line) -> None:
    line.pump.close()
    line.pump.close()
    assert line.pump.socket.fileno() == -1
