"""Streams over blocking sockets: against themselves, Python's `ssl`, and OpenSSL."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import Queue

import pytest

from handglass.connection import ClientConnection
from handglass.crypto.throwaway import Authority
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.events import Event, HandshakeCompleted, KeyUpdated, SessionReceived
from handglass.handshake.observer import Observer
from handglass.handshake.sessions import MemorySessions
from handglass.handshake.state import PeerChain
from handglass.net import blocking
from handglass.net.blocking import TLSStream, Verification
from handglass.net.dial import ConnectError
from handglass.net.identities import load_identity
from handglass.net.trust import TrustOptions
from handglass.net.verification import Verify
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, ProtocolVersion
from handglass.registry.errors import AlertReceived, LocalError, PeerError
from handglass.verify.codes import VerifyCode
from handglass.verify.params import VerifyParams
from support.peers import ADDRESS, OpenSSLClient, OpenSSLServer, needs
from support.pki import Pki

LIMIT = 60.0
AUTHORITY = Authority(datetime.now(UTC))
TRUSTED = Verification(anchors=[AUTHORITY.certificate])
SERVER = ServerConfig(identities=(AUTHORITY.issue(),))
TLS12 = (ProtocolVersion.TLS1_2,)


def echo(stream: TLSStream) -> None:
    for piece in stream:
        stream.write(piece)


@contextmanager
def serving(
    handle: Callable[[TLSStream], None] = echo,
    config: ServerConfig = SERVER,
    verify: Verify = TRUSTED,
) -> Iterator[tuple[int, Queue[Exception]]]:
    """A server; its port and what it reports."""
    reported: Queue[Exception] = Queue()
    with blocking.start_server(
        handle, config=config, verify=verify, timeout=LIMIT, report=reported.put
    ) as server:
        yield server.port, reported


def connect(
    port: int, config: ClientConfig | None = None, verify: Verify = TRUSTED, host: str = "localhost"
) -> TLSStream:
    return blocking.connect(host, port, config=config, verify=verify, timeout=LIMIT)


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server for one client that does what a test says."""
    with socket.create_server((ADDRESS, 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                answer(sock)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(LIMIT)


@pytest.mark.parametrize("versions", [TLS12, (ProtocolVersion.TLS1_3,)])
def test_both_ends_meet(versions: tuple[ProtocolVersion, ...]) -> None:
    with serving() as (port, _), connect(port, ClientConfig(versions=versions)) as stream:
        assert stream.negotiated.version == versions[0]
        assert stream.verification is not None
        assert stream.verification.ok
        assert stream.verification.peername == "localhost"
        stream.write(b"hello")
        assert stream.read_exactly(5) == b"hello"


def test_an_address_is_checked_as_an_address() -> None:
    with serving() as (port, _):
        with connect(port, host=ADDRESS) as stream:
            assert stream.negotiated.server_name is None
            assert stream.verification is not None
            assert stream.verification.ok
        sock = socket.create_connection((ADDRESS, port))
        with pytest.raises(PeerError, match="IP address mismatch"):
            blocking.connect_over(sock, "127.0.0.2", verify=TRUSTED, timeout=LIMIT)


def test_a_write_that_the_peers_writes_hold_up_goes_on_reading() -> None:
    data = bytes(range(256)) * 8192
    with serving() as (port, _), connect(port) as stream:
        stream.write(data)
        assert stream.read_exactly(len(data)) == data


def test_end_of_the_peer_is_the_end_of_reading() -> None:
    with serving(lambda stream: stream.write(b"so long")) as (port, _), connect(port) as stream:
        assert stream.read_all() == b"so long"
        assert stream.read() == b""
        assert list(stream) == []


@pytest.mark.parametrize("versions", [TLS12, (ProtocolVersion.TLS1_3,)])
def test_one_side_ends_and_the_other_goes_on(versions: tuple[ProtocolVersion, ...]) -> None:
    def handle(stream: TLSStream) -> None:
        stream.write(stream.read_all()[::-1])

    with serving(handle) as (port, _), connect(port, ClientConfig(versions=versions)) as stream:
        stream.write(b"hello")
        stream.write_eof()
        assert stream.read_all() == b"olleh"
        with pytest.raises(LocalError):
            stream.write(b"more")


def test_truncation_is_an_error() -> None:
    def cut(stream: TLSStream) -> None:
        stream.write(b"half")
        stream.socket.shutdown(socket.SHUT_RDWR)

    with serving(cut) as (port, _), connect(port) as stream:
        assert stream.read_exactly(4) == b"half"
        with pytest.raises(PeerError) as caught:
            stream.read()
        assert caught.value.reason is reasons.UNEXPECTED_EOF
        stream.close()


def test_short_answer_and_long_answer() -> None:
    with serving(lambda stream: stream.write(b"12345")) as (port, _):
        with connect(port) as stream, pytest.raises(EOFError, match="after 5 of 6 bytes"):
            stream.read_exactly(6)
        with connect(port) as stream, pytest.raises(ValueError, match="more than 4 bytes"):
            stream.read_all(limit=4)


@pytest.mark.parametrize("size", [0, -1])
def test_reading_nothing_is_a_mistake(size: int) -> None:
    with serving() as (port, _), connect(port) as stream, pytest.raises(ValueError, match="at least one"):
        stream.read(size)


def test_a_closed_stream_says_so() -> None:
    with serving() as (port, _):
        stream = connect(port)
        stream.close()
        stream.close()
        stream.abort()
        for use in (stream.read, stream.flush, lambda: stream.write(b"x")):
            with pytest.raises(LocalError, match="the stream is closed"):
                use()


# Verification ----------------------------------------------------------------------------------------------


def test_system_trust_does_not_know_us() -> None:
    with serving() as (port, reported):
        with pytest.raises(PeerError) as caught:
            blocking.connect("localhost", port, timeout=LIMIT)
        assert caught.value.reason is reasons.UNKNOWN_CA
        error = reported.get(timeout=LIMIT)
        assert isinstance(error, AlertReceived)
        assert error.description == AlertDescription.UNKNOWN_CA


def test_wrong_name_ends_the_handshake() -> None:
    with serving() as (port, reported):
        config = ClientConfig(server_name="example.org")
        with pytest.raises(PeerError, match=r"example\.org is not in it"):
            connect(port, config)
        assert isinstance(reported.get(timeout=LIMIT), AlertReceived)


def test_verification_that_is_not_required_only_tells() -> None:
    lenient = replace(TRUSTED, required=False, params=VerifyParams(hosts=("example.org",)))
    with serving() as (port, _), connect(port, verify=lenient) as stream:
        assert stream.verification is not None
        assert [problem.code for problem in stream.verification.problems] == [VerifyCode.HOSTNAME_MISMATCH]


def test_no_verification_when_none_is_wanted() -> None:
    with serving() as (port, _), connect(port, verify=False) as stream:
        assert stream.verification is None


def test_the_configurations_own_judge_is_believed() -> None:
    seen: list[PeerChain] = []
    with serving() as (port, _):
        config = ClientConfig(verify_peer=seen.append)
        with connect(port, config, verify=True) as stream:
            assert stream.verification is None
        assert seen[0].server_name == "localhost"
        with pytest.raises(ValueError, match="give one"):
            connect(port, config, verify=TRUSTED)


def test_trust_from_a_file(pki: Pki) -> None:
    identity = load_identity(pki.server("p256").chain, pki.server("p256").key)
    trusted = Verification(trust=TrustOptions(file=str(pki.server("p256").root)))
    config = ServerConfig(identities=(identity,))
    with serving(config=config) as (port, _), connect(port, verify=trusted) as stream:
        assert stream.verification is not None
        assert len(stream.verification.chain) == 3


def test_clients_are_judged_as_clients() -> None:
    judged = []

    def tell(stream: TLSStream) -> None:
        judged.append(stream.verification)
        stream.write(b"welcome")

    config = replace(SERVER, client_authentication=ClientAuthentication.REQUIRE)
    client = ClientConfig(identities=(AUTHORITY.issue(["someone"], client=True),))
    server = ClientConfig(identities=(AUTHORITY.issue(["someone"]),))
    with serving(tell, config) as (port, reported):
        with connect(port, client) as stream:
            assert stream.read_all() == b"welcome"
        with connect(port, server) as stream, pytest.raises(AlertReceived):
            stream.read()
        assert "unsuitable certificate purpose (for SSL client)" in str(reported.get(timeout=LIMIT))
        with connect(port) as stream, pytest.raises(AlertReceived) as caught:
            stream.read()
        assert caught.value.description == AlertDescription.CERTIFICATE_REQUIRED
    assert [result is not None and result.ok for result in judged] == [True]


# Sessions --------------------------------------------------------------------------------------------------


def test_session_and_early_data() -> None:
    early: Queue[bytes] = Queue()

    def handle(stream: TLSStream) -> None:
        early.put(stream.early_data)
        stream.write(stream.read())

    config = replace(SERVER, sessions=MemorySessions(time.time), max_early_data=100, accept_early_data=True)
    with serving(handle, config) as (port, _):
        with connect(port) as stream:
            stream.write(b"1")
            assert stream.read_all() == b"1"
        assert early.get(timeout=LIMIT) == b""
        again = ClientConfig(session=stream.sessions[0], early_data=True)
        with blocking.connect(
            "localhost", port, config=again, verify=TRUSTED, timeout=LIMIT, early_data=b"quick"
        ) as stream:
            assert stream.negotiated.resumed
            assert stream.negotiated.early_data == "accepted"
            assert stream.verification is None
            stream.write(b"2")
            assert stream.read_all() == b"2"
        assert early.get(timeout=LIMIT) == b"quick"
        with pytest.raises(LocalError, match="5 bytes, and 0 are allowed"):
            blocking.connect("localhost", port, verify=TRUSTED, timeout=LIMIT, early_data=b"quick")


def test_events_are_told_and_keys_updated() -> None:
    events: list[Event] = []
    config = replace(SERVER, sessions=MemorySessions(time.time))
    with (
        serving(config=config) as (port, _),
        blocking.connect("localhost", port, verify=TRUSTED, timeout=LIMIT, tell=events.append) as stream,
    ):
        stream.connection.update_keys(request_peer=True)
        stream.flush()
        stream.write(b"x")
        assert stream.read() == b"x"
    kinds = [type(event) for event in events]
    assert kinds.index(HandshakeCompleted) < kinds.index(SessionReceived) < kinds.index(KeyUpdated)


class States(Observer):
    """Notes the states."""

    def __init__(self) -> None:
        self.text = ""

    def state(self, name: str) -> None:
        self.text += f"{name}\n"


def test_every_connection_has_its_observer() -> None:
    made: list[States] = []

    def make() -> States:
        made.append(States())
        return made[-1]

    with blocking.start_server(echo, config=SERVER, timeout=LIMIT, make_observer=make) as server:
        for _ in range(2):
            with connect(server.port) as stream:
                stream.write(b"x")
                stream.read()
    assert len(made) == 2
    assert made[0].text == made[1].text
    assert made[0].text.startswith("read client hello\n")


# Time and trouble ------------------------------------------------------------------------------------------


def test_a_silent_server_meets_the_time_limit() -> None:
    with socket.create_server((ADDRESS, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TimeoutError, match=r"within 1 second, waiting to read server hello"):
            blocking.connect(ADDRESS, port, timeout=1)
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(LIMIT)
            hello = b""
            while piece := sock.recv(65536):
                hello += piece
        assert hello.endswith(bytes((2, AlertDescription.USER_CANCELED)))


def test_a_silent_client_meets_the_time_limit() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(TimeoutError, match="waiting to read client hello"):
        blocking.serve_one(ours, SERVER, timeout=0.1)
    assert ours.fileno() == -1


def test_a_handshake_that_is_called_off_is_over_at_once() -> None:
    """close_notify in the handshake (RFC 8446 §6.1) is not waited on until the time limit."""
    client = ClientConnection(ClientConfig())
    client.start()
    client.close()
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(client.data_to_send())
        with pytest.raises(PeerError, match="close_notify came while we waited to read finished") as caught:
            blocking.serve_one(ours, SERVER, timeout=LIMIT)
    assert caught.value.reason is reasons.HANDSHAKE_CALLED_OFF


def test_a_read_that_times_out_can_be_repeated() -> None:
    go = threading.Event()

    def late(stream: TLSStream) -> None:
        go.wait(LIMIT)
        stream.write(b"late")

    with serving(late) as (port, _), connect(port) as stream:
        stream.timeout = 0.1
        with pytest.raises(TimeoutError, match=r"the read was not done within 0\.1 seconds"):
            stream.read()
        go.set()
        stream.timeout = LIMIT
        assert stream.read() == b"late"


def test_a_write_that_nobody_takes_meets_the_time_limit() -> None:
    done = threading.Event()

    def idle(_: TLSStream) -> None:
        done.wait(LIMIT)

    with serving(idle) as (port, _):
        stream = connect(port)
        stream.timeout = 0.2
        with pytest.raises(TimeoutError, match="the write was not done"):
            stream.write(bytes(1 << 25))
        done.set()
        stream.abort()


def test_nobody_listens() -> None:
    with socket.create_server((ADDRESS, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError, match="Connection refused"):
        blocking.connect(ADDRESS, port, timeout=LIMIT)


def test_a_reset_tells_where_it_struck() -> None:
    def reset(sock: socket.socket) -> None:
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with raw_server(reset) as port, pytest.raises(ConnectionResetError, match="read server hello"):
        blocking.connect(ADDRESS, port, timeout=LIMIT)


def test_a_server_that_speaks_no_tls() -> None:
    def answer(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        while sock.recv(65536):
            pass

    with raw_server(answer) as port, pytest.raises(PeerError) as caught:
        blocking.connect(ADDRESS, port, timeout=LIMIT)
    assert "HTTP" in str(caught.value)


def test_a_bad_name_leaves_no_socket_open() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(Exception, match="host name"):
        blocking.connect_over(ours, "a..b")
    assert ours.fileno() == -1


def test_an_exception_aborts_instead_of_closing() -> None:
    caught: Queue[BaseException] = Queue()

    def handle(stream: TLSStream) -> None:
        try:
            echo(stream)
        except AlertReceived as error:
            caught.put(error)

    with serving(handle) as (port, _):
        stream = connect(port)
        stream.write(b"x")
        stream.read()
        with pytest.raises(ZeroDivisionError), stream:
            raise ZeroDivisionError
    error = caught.get(timeout=LIMIT)
    assert isinstance(error, AlertReceived)
    assert error.description == AlertDescription.INTERNAL_ERROR


def test_a_handlers_failure_is_reported_and_the_server_lives() -> None:
    def handle(stream: TLSStream) -> None:
        if stream.read() == b"bad":
            raise KeyError("bad")
        stream.write(b"good")

    with serving(handle) as (port, reported):
        with connect(port) as stream:
            stream.write(b"bad")
            with pytest.raises(AlertReceived):
                stream.read()
        assert isinstance(reported.get(timeout=LIMIT), KeyError)
        with connect(port) as stream:
            stream.write(b"fine")
            assert stream.read() == b"good"


def test_without_a_report_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handglass")
    with (
        blocking.start_server(echo, config=SERVER, timeout=LIMIT) as server,
        socket.create_connection((ADDRESS, server.port)) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while sock.recv(100):
            pass
    assert "HTTP" in caplog.text


def test_closing_a_server_cuts_its_clients_off() -> None:
    with serving() as (port, reported):
        stream = connect(port)
    assert isinstance(reported.get(timeout=LIMIT), PeerError)
    with pytest.raises((PeerError, AlertReceived, OSError)):
        stream.read()
    stream.abort()


def test_a_handler_may_close_its_server() -> None:
    servers: list[blocking.Server] = []
    closed = threading.Event()

    def handle(stream: TLSStream) -> None:
        servers[0].close()
        closed.set()

    server = blocking.start_server(handle, config=SERVER, timeout=LIMIT)
    servers.append(server)
    with connect(server.port):
        assert closed.wait(LIMIT / 2)
    with pytest.raises(ConnectError):
        connect(server.port)


def test_without_a_thread_to_spare_a_client_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as (port, reported):
        with monkeypatch.context() as patch:
            start = threading.Thread.start

            def refuse(thread: threading.Thread) -> None:
                if thread.name == "handglass-client":
                    raise RuntimeError("can't start new thread")
                start(thread)

            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises((OSError, PeerError)):
                connect(port)
            assert isinstance(reported.get(timeout=LIMIT), RuntimeError)
        with connect(port) as stream:
            stream.write(b"x")
            assert stream.read() == b"x"


def test_more_clients_than_allowed_wait() -> None:
    with (
        blocking.start_server(echo, config=SERVER, timeout=LIMIT, max_clients=1) as server,
        connect(server.port) as first,
    ):
        with pytest.raises(TimeoutError):
            blocking.connect("localhost", server.port, verify=TRUSTED, timeout=0.3)
        first.close()
        with connect(server.port) as second:
            second.write(b"x")
            assert second.read() == b"x"


# Others ----------------------------------------------------------------------------------------------------


def test_python_ssl_as_client() -> None:
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(AUTHORITY.certificate))
    with (
        serving() as (port, _),
        socket.create_connection((ADDRESS, port)) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as theirs,
    ):
        theirs.sendall(b"hello")
        assert theirs.recv(5) == b"hello"
        theirs.unwrap().close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_python_ssl_as_server(pki: Pki, version: ssl.TLSVersion) -> None:
    identity = pki.server("p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(identity.chain, identity.key)

    def answer(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as theirs:
            theirs.sendall(theirs.recv(100))
            theirs.unwrap().close()

    trusted = Verification(trust=TrustOptions(file=str(identity.root)))
    with raw_server(answer) as port, connect(port, verify=trusted) as stream:
        stream.write(b"hello")
        assert stream.read_all() == b"hello"


@needs("openssl")
def test_openssl_as_server(pki: Pki) -> None:
    identity = pki.server("rsa")
    trusted = Verification(trust=TrustOptions(file=str(identity.root)))
    with OpenSSLServer(identity, "-rev") as server, connect(server.port, verify=trusted) as stream:
        stream.write(b"hello\n")
        assert stream.read_exactly(6) == b"olleh\n"


@needs("openssl")
def test_openssl_as_client(pki: Pki) -> None:
    identity = pki.server("rsa")
    config = ServerConfig(identities=(load_identity(identity.chain, identity.key),))
    with serving(lambda stream: stream.write(stream.read()[::-1]), config) as (port, _):
        outcome = OpenSSLClient(trust=identity.root).exchange(port, b"hello").check()
    assert "olleh" in outcome.text
    assert "Verification: OK" in outcome.text
