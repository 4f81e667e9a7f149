"""The load against servers of our own that watch it: what is offered, how often, how many at once, when it ends."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest

from handglass.crypto.throwaway import Authority
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.net import blocking
from handglass.net.blocking import TLSStream
from handglass.net.dial import ListenTarget, open_listeners
from handglass.net.dial.lookup import Address
from handglass.net.errors import NetError
from handglass.net.load.load import FAILURES_IN_A_ROW, Load, Plan
from handglass.net.load.tally import Step, Tally
from handglass.net.starttls import Names, Prelude
from handglass.registry.code_points import ProtocolVersion
from handglass.registry.errors import AlertReceived, LocalError

IDENTITY = Authority(datetime.now(UTC)).issue()
SECONDS = 0.2
LONG = 30.0
"""Longer than anything takes that comes at all."""
TLS12, TLS13 = ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


class WatchedSessions(MemorySessions):
    """Counts how often each ticket is offered."""

    def __init__(self) -> None:
        super().__init__(time.time)
        self.offered: Counter[bytes] = Counter()

    def get_ticket(self, ticket: bytes) -> Session | None:
        self.offered[ticket] += 1
        return super().get_ticket(ticket)


def answer(stream: TLSStream) -> None:
    """Answer a request as a server of HTTP/1.0 does; a client that asks for nothing is let go."""
    if stream.read():
        stream.write(b"HTTP/1.0 200 OK\r\n\r\nhello")


@contextmanager
def served(
    handle: Callable[[TLSStream], None] = answer, *, sessions: MemorySessions | None = None, **config: object
) -> Iterator[int]:
    """Serve in threads; give the port."""
    complete = ServerConfig(identities=(IDENTITY,), sessions=sessions, **config)  # type: ignore[arg-type]  # any field
    with blocking.start_server(handle, config=complete, report=ignore) as server:
        yield server.port


@contextmanager
def loading(port: int, parallel: int = 1, **plan: object) -> Iterator[Load]:
    """Give a load whose first connection is done."""
    config = plan.pop("config", ClientConfig(server_name="localhost"))
    address = Address(socket.AF_INET, ("127.0.0.1", port))
    load = Load(Plan(address, f"127.0.0.1:{port}", config, **plan), parallel)  # type: ignore[arg-type]  # any field
    try:
        load.try_out(socket.create_connection(("127.0.0.1", port)))
        yield load
    finally:
        load.close()


def ignore(*_: object) -> None:
    """Take no notice."""


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("request_", [b"", REQUEST], ids=["handshake", "page"])
@pytest.mark.parametrize("parallel", [1, 4])
def test_reused_sessions_really_resume(version: ProtocolVersion, request_: bytes, parallel: int) -> None:
    sessions = WatchedSessions()
    with (
        served(sessions=sessions, versions=(version,)) as port,
        loading(port, parallel, request=request_) as load,
    ):
        load.collect_sessions()
        seen: list[bool] = []
        tally = load.run(SECONDS, resuming=True, tell=lambda _, done: seen.extend(c.resumed for c in done))
    assert tally.connections == len(seen) > parallel
    assert all(seen)
    assert tally.resumed == tally.connections
    assert tally.failed == 0
    if version == TLS13:
        assert set(sessions.offered.values()) == {1}, "RFC 8446 §C.4: a ticket is used once"


def test_new_sessions_offer_nothing_to_resume() -> None:
    sessions = WatchedSessions()
    with served(sessions=sessions) as port, loading(port, request=REQUEST) as load:
        tally = load.run(SECONDS, resuming=False, tell=ignore)
    assert tally.connections > 1
    assert tally.resumed == 0
    assert not sessions.offered
    assert not tally.latencies[True]


def test_without_sessions_every_handshake_is_a_full_one() -> None:
    with served() as port, loading(port) as load:
        load.collect_sessions()
        assert not load.has_sessions
        tally = load.run(SECONDS, resuming=True, tell=ignore)
    assert tally.connections > 1, "no connection waits again for the ticket that does not come"
    assert tally.resumed == 0


def test_as_many_at_once_as_asked_for() -> None:
    asking: list[TLSStream] = []
    at_once: list[int] = []
    together = threading.Barrier(5, lambda: at_once.append(len(asking)))
    tried_out = threading.Event()

    def answer_together(stream: TLSStream) -> None:
        if tried_out.is_set() and not at_once:
            asking.append(stream)
            together.wait(LONG)  # the first five are not answered before all of them ask
        tried_out.set()
        answer(stream)

    with served(answer_together) as port, loading(port, 5, request=REQUEST) as load:
        tally = load.run(SECONDS, resuming=False, tell=ignore)
    assert at_once == [5]
    assert tally.connections >= 5
    assert tally.failed == 0


def test_every_step_is_timed_and_the_steps_add_up() -> None:
    def slowly(stream: TLSStream) -> None:
        stream.read()
        time.sleep(0.03)
        stream.write(b"1")
        time.sleep(0.03)

    with served(slowly) as port, loading(port, request=REQUEST) as load:
        tally = load.run(SECONDS, resuming=False, tell=ignore)
    steps = tally.latencies[False]
    assert set(steps) == {Step.CONNECT, Step.HANDSHAKE, Step.FIRST_BYTE, Step.TOTAL}
    assert {each.count for each in steps.values()} == {tally.connections}
    assert steps[Step.FIRST_BYTE].mean >= 0.03
    parts = sum(steps[step].mean for step in (Step.CONNECT, Step.HANDSHAKE, Step.FIRST_BYTE))
    assert parts + 0.03 <= steps[Step.TOTAL].mean
    assert tally.bytes_read == tally.connections
    assert tally.seconds >= SECONDS


def test_those_under_way_at_the_end_are_counted() -> None:
    def slowly(stream: TLSStream) -> None:
        time.sleep(2 * SECONDS)
        answer(stream)

    with served(slowly) as port, loading(port, 3, request=REQUEST) as load:
        tally = load.run(SECONDS, resuming=False, tell=ignore)
    assert tally.connections == 3
    assert tally.seconds >= 2 * SECONDS


def test_stopping_leaves_them_unfinished() -> None:
    release, first = threading.Event(), threading.Event()

    def stall(stream: TLSStream) -> None:
        if first.is_set():
            release.wait(LONG)
        first.set()
        answer(stream)

    with served(stall) as port, loading(port, 2, request=REQUEST) as load:

        def stop(_tally: Tally, _done: object) -> None:
            load.stopped = True

        tally = load.run(30, resuming=False, tell=stop)
        release.set()
    assert tally.connections == 0
    assert tally.abandoned == 2
    assert tally.seconds < LONG


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_every_handshake_ends_well_for_the_server_too(version: ProtocolVersion) -> None:
    ends: list[object] = []

    def listen(stream: TLSStream) -> None:
        try:
            ends.append(stream.read())
        except Exception as error:
            ends.append(error)

    failures: list[Exception] = []
    config = ServerConfig(identities=(IDENTITY,), sessions=MemorySessions(time.time), versions=(version,))
    with (
        blocking.start_server(listen, config=config, report=failures.append) as server,
        loading(server.port) as load,
    ):
        tally = load.run(SECONDS, resuming=False, tell=ignore)
    assert not failures, "no reset while the server sends its tickets"
    assert ends == [b""] * (tally.connections + 1), "close_notify each time"


def test_a_server_that_does_not_close_is_reset() -> None:
    ends: list[object] = []
    release = threading.Event()

    def stay(stream: TLSStream) -> None:
        release.wait(LONG)
        try:
            while stream.socket.recv(100):
                pass
        except OSError as error:
            ends.append(error)

    with served(stay) as port:
        with loading(port):
            began = time.monotonic()
        assert time.monotonic() - began < LONG
        release.set()
    assert [type(end) for end in ends] == [ConnectionResetError]


# Servers that fail ---------------------------------------------------------------------------------------


@contextmanager
def served_once(then: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve the first connection, and leave the others to `then`; give the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        first, _ = listener.accept()
        with blocking.serve_one(first, ServerConfig(identities=(IDENTITY,))) as stream:
            answer(stream)
        try:
            while True:
                then(listener.accept()[0])
        except OSError:  # the listener was shut down
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(LONG)
        listener.close()


def test_a_server_that_has_gone_ends_the_run() -> None:
    with ExitStack() as stack:
        with served() as port:
            load = stack.enter_context(loading(port))
        tally = load.run(30, resuming=False, tell=ignore)
    assert tally.failures == {f"no connection to 127.0.0.1:{port}: Connection refused": FAILURES_IN_A_ROW}
    assert tally.connections == 0
    assert tally.seconds < LONG


def test_failures_are_counted_by_their_reason() -> None:
    with served_once(lambda sock: sock.close()) as port, loading(port) as load:
        tally = load.run(30, resuming=False, tell=ignore)
    assert tally.failed == FAILURES_IN_A_ROW
    reasons = " ".join(tally.failures)
    assert "closed the connection in the middle of the handshake" in reasons or "reset" in reasons


def test_a_handshake_has_its_limit() -> None:
    held: list[socket.socket] = []
    with served_once(held.append) as port, loading(port, 2, handshake_seconds=0.2) as load:
        tally = load.run(0.01, resuming=False, tell=ignore)
    for sock in held:
        sock.close()
    assert tally.failures == {"The handshake was not done within its time limit (RFC 8446 §6.1)": 2}
    assert isinstance(tally.last_error, LocalError)
    assert tally.last_error.detail == "0.2 seconds, and the client still waits to read server hello"


def test_an_answer_has_its_limit() -> None:
    release = threading.Event()

    def stall(_stream: TLSStream) -> None:
        release.wait(LONG)

    with served(stall) as port:
        too_late = pytest.raises(
            NetError, match=r"^the answer to the request was not complete within 0\.2 seconds$"
        )
        with too_late, loading(port, request=REQUEST, answer_seconds=0.2):
            pass
        release.set()


def test_no_answer_is_a_failure() -> None:
    def listen_only(stream: TLSStream) -> None:
        stream.read()

    unanswered = pytest.raises(NetError, match="without an answer")
    with served(listen_only) as port, unanswered, loading(port, request=REQUEST):
        pass


def test_a_certificate_that_is_missing_is_found_out_before_the_run() -> None:
    """In TLS 1.3 the client's handshake is done before the server says that it will not have it."""
    refused = pytest.raises(AlertReceived, match="certificate_required")
    with (
        served(client_authentication=ClientAuthentication.REQUIRE) as port,
        refused,
        loading(port),
    ):
        pass


def greet(sock: socket.socket) -> None:
    """Say IMAP's words up to TLS."""
    with sock.makefile("rb") as lines:
        sock.sendall(b"* OK ready\r\n")
        assert lines.readline().endswith(b"CAPABILITY\r\n")
        sock.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n")
        assert lines.readline().endswith(b"STARTTLS\r\n")
        sock.sendall(b". OK begin\r\n")


def test_the_words_before_tls_are_said_in_each_connection() -> None:
    greeted: list[bool] = []

    def serve(sock: socket.socket) -> TLSStream:
        greet(sock)
        greeted.append(True)
        return blocking.serve_one(sock, ServerConfig(identities=(IDENTITY,)))

    listeners = open_listeners([ListenTarget("127.0.0.1", "0")])
    imap = Prelude("imap", Names("localhost"))
    server = blocking.Server(listeners, serve, answer, max_clients=5, report=ignore)
    with server, loading(server.port, prelude=imap) as load:
        tally = load.run(SECONDS, resuming=False, tell=ignore)
    assert tally.connections >= 1
    assert tally.failed == 0
    assert len(greeted) == tally.connections + 1
    assert tally.latencies[False][Step.PRELUDE].count == tally.connections


def test_silence_before_tls_has_its_limit() -> None:
    smtp = Prelude("smtp", Names("localhost"))
    late = pytest.raises(NetError, match=r"^no answer within 0\.2 seconds while waiting for ")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with late, loading(port, prelude=smtp, prelude_seconds=0.2):
            pass
