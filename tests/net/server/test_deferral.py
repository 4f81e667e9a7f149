"""Deferred questions: threads answer them, the loop goes on, and what goes wrong ends one connection alone."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime

import pytest

from handglass.connection import ClientConnection
from handglass.crypto.identity import Identity
from handglass.crypto.throwaway import self_signed
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.net.dial.listen import open_listeners
from handglass.net.dial.targets import ListenTarget
from handglass.net.server import Server, Sink
from handglass.registry import reasons
from handglass.registry.errors import AlertReceived, LocalError

OWN = self_signed(datetime.now(UTC))


class Staple:
    """A `staple` that answers when it is let, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.go = threading.Event()
        self.threads: list[str] = []
        self._error = error

    def __call__(self, identity: Identity) -> list[bytes | None]:
        assert identity == OWN
        self.threads.append(threading.current_thread().name)
        assert self.go.wait(60)
        if self._error is not None:
            raise self._error
        return [b"response"]


class Client:
    """A client that the test drives."""

    def __init__(self, server: Server, port: int, *, wants: bool) -> None:
        self._server = server
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.tls = ClientConnection(ClientConfig(request_status=wants))
        self.tls.start()

    def turn(self) -> None:
        """Send, let the server have a turn if there is something for it, and receive."""
        if self.tls.has_data_to_send:
            self.socket.sendall(self.tls.data_to_send())
        self._server.turn()
        try:
            self.tls.receive(self.socket.recv(1 << 16))
        except BlockingIOError:
            return

    def finish(self) -> None:
        """Go on until the handshake is done."""
        while not self.tls.is_established:
            self.turn()


def served(staple: Staple, problems: list[str]) -> tuple[Server, int]:
    """Make a server that defers the question."""
    listeners = open_listeners([ListenTarget("127.0.0.1", "0")])
    server = Server(
        listeners,
        ServerConfig(identities=(OWN,), staple=staple),
        lambda _: Sink(),
        on_problem=problems.append,
        deferred=lambda: frozenset({"status"}),
    )
    return server, int(listeners[0].port)


def test_the_loop_goes_on_while_a_thread_works() -> None:
    staple, problems = Staple(), list[str]()
    server, port = served(staple, problems)
    waiting = Client(server, port, wants=True)
    while not staple.threads:
        waiting.turn()
    with waiting.socket:
        other = Client(server, port, wants=False)
        with other.socket:
            other.finish()
        assert not waiting.tls.is_established
        staple.go.set()
        waiting.finish()
        assert waiting.tls.negotiated.peer_ocsp_responses == (b"response",)
    assert staple.threads == ["deferred-questions"]
    assert not problems
    server.close()


def test_an_error_of_the_engine_sends_its_alert() -> None:
    staple = Staple(LocalError(reasons.INTERNAL_ERROR, "no file"))
    staple.go.set()
    server, port = served(staple, [])
    client = Client(server, port, wants=True)
    with client.socket:
        while client.tls.error is None:
            client.turn()
        assert isinstance(client.tls.error, AlertReceived)
        assert client.tls.error.description == 80
    server.close()


@pytest.mark.parametrize("goes", [False, True])
def test_another_error_ends_that_connection_alone(goes: bool) -> None:
    staple, problems = Staple(RuntimeError("oh")), list[str]()
    server, port = served(staple, problems)
    client = Client(server, port, wants=True)
    while not staple.threads:
        client.turn()
    if goes:
        for link in list(server.connections):
            link.drop()
    staple.go.set()
    server_turns(server, client)
    assert len(problems) == (0 if goes else 1)
    client.socket.close()
    server.close()


def server_turns(server: Server, client: Client) -> None:
    """Let the server deal with the answer, and with a client that comes after it."""
    server.turn()
    other = Client(server, server_port(client), wants=False)
    with other.socket:
        other.finish()


def server_port(client: Client) -> int:
    """Return the port to which a client is connected."""
    return int(client.socket.getpeername()[1])
