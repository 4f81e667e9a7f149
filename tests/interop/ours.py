"""Our side of the matrix: the engine itself over a socket, and, for a smaller part, our two programs."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import cache

from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.crypto.containers import load_certificates, load_private_key
from handglass.crypto.identity import Identity as OurIdentity
from handglass.crypto.identity import make_identity
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.events import Closed, DataReceived, Event, Failed, SessionReceived
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.registry.code_points import CipherSuite, NamedGroup, ProtocolVersion
from interop.combinations import Combination
from interop.facts import Facts
from interop.sides import (
    ClientSide,
    CommandClient,
    CommandServer,
    Places,
    ServerSetup,
    ServerSide,
    answer_to,
    groups_offered,
)
from interop.vocabulary import GROUP_BY_CODE, GROUPS, TLS12, TLS12_SUITES, TLS13, TLS13_SUITES
from support.peers import ADDRESS, NAME
from support.pki import Identity
from support.processes import DEFAULT_LIMIT

VERSIONS = {TLS12: ProtocolVersion.TLS1_2, TLS13: ProtocolVersion.TLS1_3}
_VERSION_NAMES = {version: name for name, version in VERSIONS.items()}


@cache
def our_identity(identity: Identity) -> OurIdentity:
    """Load an identity from its PEM files."""
    chain = load_certificates(identity.chain.read_bytes())
    return make_identity(chain[0], load_private_key(identity.key.read_bytes()), tuple(chain[1:]))


def facts_of(connection: Connection) -> Facts:
    """Tell the outcome as the engine has it."""
    negotiated = connection.negotiated
    assert negotiated.version
    assert negotiated.suite
    shown_by_peer = bool(negotiated.peer_certificates)
    return Facts(
        version=_VERSION_NAMES[negotiated.version],
        suites=frozenset([int(negotiated.suite)]),
        group=GROUP_BY_CODE[int(negotiated.group)] if negotiated.group else None,
        resumed=negotiated.resumed,
        client=negotiated.client_certificate_sent if negotiated.is_client else shown_by_peer,
    )


class EngineClient(ClientSide):
    """Our engine as a client."""

    name = "our client"

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make one connection, or two with the session of the first in the second."""
        told = []
        session: Session | None = None
        for _ in range(combination.connections):
            connection, session = self._once(server, combination, session)
            told.append(facts_of(connection))
        return told

    def _once(
        self, server: ServerSide, combination: Combination, session: Session | None
    ) -> tuple[ClientConnection, Session | None]:
        connection = ClientConnection(self._config(combination, session), clock=time.time)
        request = self.request(server, combination)
        expected = server.expected(request).strip()
        received = bytearray()
        sent = False
        with socket.create_connection((ADDRESS, server.port), timeout=DEFAULT_LIMIT) as sock:
            events = connection.start()
            while True:
                for event in events:
                    if isinstance(event, DataReceived):
                        received += event.data
                    elif isinstance(event, SessionReceived):
                        session = event.session
                    elif isinstance(event, Failed):
                        raise event.error
                if connection.is_established and not sent:
                    self._check_server(connection, combination)
                    connection.send(request)
                    sent = True
                if expected in received and server.dialogue == "lines":
                    connection.close()
                if data := connection.data_to_send():
                    sock.sendall(data)
                if connection.wants_no_more_data:
                    break
                events = connection.receive(sock.recv(1 << 16))
        assert expected in received, bytes(received[-2000:])
        return connection, session

    def _config(self, combination: Combination, session: Session | None) -> ClientConfig:
        identity = self.identity(combination)
        return ClientConfig(
            versions=(VERSIONS[combination.version],),
            suites=(CipherSuite(combination.suite.code),),
            groups=tuple(NamedGroup(GROUPS[group].code) for group in groups_offered(combination)),
            identities=(our_identity(identity),) if identity else (),
            server_name=NAME,
            tickets=combination.resumption != "session id",
            session=session,
        )

    def _check_server(self, connection: ClientConnection, combination: Combination) -> None:
        expected = our_identity(self.places.pki.server(combination.certificate))
        # NSS sends the root too.
        assert connection.negotiated.peer_certificates[:2] == (expected.certificate, *expected.chain)


class EngineServer(ServerSide):
    """Our engine as a server, one connection after the other in a thread."""

    name = "our server"

    def __init__(self, places: Places, setup: ServerSetup) -> None:
        groups = [setup.only_group] if setup.only_group else list(GROUPS)
        self._config = ServerConfig(
            suites=tuple(CipherSuite(suite.code) for suite in (*TLS13_SUITES, *TLS12_SUITES)),
            groups=tuple(NamedGroup(GROUPS[group].code) for group in groups),
            identities=(our_identity(places.pki.server(setup.certificate)),),
            client_authentication=(
                ClientAuthentication.REQUIRE if setup.asks_client else ClientAuthentication.NONE
            ),
            sessions=MemorySessions(time.time),
        )
        self._told: list[Facts] = []
        self._start = 0
        self._failures: list[BaseException] = []
        self._listener = socket.create_server((ADDRESS, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def mark(self) -> None:
        """Count what comes from now on."""
        self._start = len(self._told)

    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Wait until the thread has told of the connections."""
        deadline = time.monotonic() + DEFAULT_LIMIT
        while len(self._told) - self._start < combination.connections and not self._failures:
            if done():
                deadline = min(deadline, time.monotonic() + 10)
            assert time.monotonic() < deadline, "our server has seen too few connections"
            time.sleep(0.001)
        if self._failures:
            raise self._failures.pop()
        return self._told[self._start :]

    def close(self) -> None:
        """Stop listening and end the thread."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEFAULT_LIMIT)

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(DEFAULT_LIMIT)
                try:
                    self._told.append(self._converse(sock))
                except Exception as error:  # told to the test by `attend`
                    self._failures.append(error)

    def _converse(self, sock: socket.socket) -> Facts:
        """Answer every line; an HTTP request is answered once and the connection closed."""
        connection = ServerConnection(self._config, clock=time.time)
        received = bytearray()
        while not connection.wants_no_more_data:
            events = connection.receive(sock.recv(1 << 16))
            received += _data_of(events)
            if received.startswith(b"GET "):
                if received.endswith(b"\r\n\r\n"):
                    connection.send(answer_to(bytes(received)))
                    received.clear()
                    connection.close()
            elif received.endswith(b"\n"):
                connection.send(answer_to(bytes(received)))
                received.clear()
            if any(isinstance(event, Closed) for event in events):
                connection.close()
            if data := connection.data_to_send():
                sock.sendall(data)
        return facts_of(connection)


def _data_of(events: list[Event]) -> bytes:
    for event in events:
        if isinstance(event, Failed):
            raise event.error
    return b"".join(event.data for event in events if isinstance(event, DataReceived))


def our_client(places: Places) -> ClientSide:
    """Make our client."""
    return EngineClient(places)


def our_server(places: Places, setup: ServerSetup) -> ServerSide:
    """Start our server."""
    return EngineServer(places, setup)


_COMMAND = (sys.executable, "-m", "handglass")


def our_s_client(places: Places) -> ClientSide:
    """Make our client program; its text is read like OpenSSL's."""
    return CommandClient(places, _COMMAND, "our s_client")


def our_s_server(places: Places, setup: ServerSetup) -> ServerSide:
    """Start our server program."""
    return CommandServer(places, setup, _COMMAND, "our s_server")
