"""The program that BoringSSL's runner starts does what the runner counts on, without the runner."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boringssl import shim
from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.crypto.containers import load_certificates, load_private_key
from handglass.crypto.identity import Identity, make_identity
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import DataReceived
from handglass.handshake.sessions import MemorySessions
from handglass.handshake.state import PeerChain
from support.pki import Pki

SAID = b"said by the runner"
EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "expected.json").read_text())


class Runner:
    """A listener that says one sentence over TLS on each connection, waits for the answer, and closes."""

    def __init__(self, make: Callable[[], Connection], connections: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self._make = make
        self.port = str(self._listener.getsockname()[1])
        self.answers: list[bytes] = []
        self._thread = threading.Thread(target=self._run, args=(connections,))
        self._thread.start()

    def join(self) -> None:
        """Wait for the connection that is under way, and for no other."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._thread.join(20)
        self._listener.close()

    def _run(self, connections: int) -> None:
        try:
            for _ in range(connections):
                accepted, _ = self._listener.accept()
                with accepted:
                    accepted.settimeout(20)
                    self.answers.append(self._talk(accepted, self._make()))
        except OSError:
            return  # the test has closed the listener

    @staticmethod
    def _talk(stream: socket.socket, connection: Connection) -> bytes:
        said, answer = False, b""
        if isinstance(connection, ClientConnection):
            connection.start()
        while len(answer) < len(SAID):
            if connection.is_established and not said:
                connection.send(SAID)
                said = True
            stream.sendall(connection.data_to_send())
            received = stream.recv(1 << 14)
            events = connection.receive(received)
            answer += b"".join(event.data for event in events if isinstance(event, DataReceived))
            if not received:
                return answer
        connection.close()
        stream.sendall(connection.data_to_send())
        return answer


@pytest.fixture
def runs() -> Iterator[Callable[..., Runner]]:
    """Start runners that end with the test."""
    started: list[Runner] = []

    def start(make: Callable[[], Connection], connections: int = 1) -> Runner:
        started.append(Runner(make, connections))
        return started[-1]

    yield start
    for runner in started:
        runner.join()


def identity(pki: Pki) -> Identity:
    found = pki.server("rsa")
    (leaf, *_) = load_certificates(found.certificate.read_bytes())
    return make_identity(leaf, load_private_key(found.key.read_bytes()), ())


def accept(chain: PeerChain) -> None:
    """Whose certificate it is does not matter here."""


def test_client_turns_what_it_gets_and_resumes(pki: Pki, runs: Callable[..., Runner]) -> None:
    config = ServerConfig(identities=(identity(pki),), sessions=MemorySessions(time.time))
    runner = runs(lambda: ServerConnection(config, clock=time.time), 2)
    assert shim.main(["-port", runner.port, "-resume-count", "1", "-expect-version", "772"]) == 0
    runner.join()
    assert runner.answers == [SAID.translate(shim.TURNED)] * 2


def test_server_turns_what_it_gets(pki: Pki, runs: Callable[..., Runner]) -> None:
    found = pki.server("p256")
    runner = runs(lambda: ClientConnection(ClientConfig(verify_peer=accept)))
    flags = ["-cert-file", str(found.certificate), "-key-file", str(found.key), "-no-tls13"]
    assert shim.main(["-port", runner.port, "-server", "-expect-version", "771", *flags]) == 0
    runner.join()
    assert runner.answers == [SAID.translate(shim.TURNED)]


def test_expectation_that_does_not_hold(
    pki: Pki, runs: Callable[..., Runner], capsys: pytest.CaptureFixture[str]
) -> None:
    config = ServerConfig(identities=(identity(pki),))
    runner = runs(lambda: ServerConnection(config))
    assert shim.main(["-port", runner.port, "-expect-version", "771"]) == shim.NOT_AS_EXPECTED
    assert "expect-version" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [["-unheard-of"], ["-port", "1", "-cipher", "no such suite"], ["-port", "1", "-max-version", "769"]],
    ids=["flag", "cipher list", "version"],
)
def test_what_is_not_here(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert shim.main(flags) == shim.NOT_HERE
    assert "not here" in capsys.readouterr().err


def test_handshaker_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert shim.main(["-is-handshaker-supported"]) == 0
    assert capsys.readouterr().out == "No\n"


def test_each_expected_difference_has_a_reason() -> None:
    assert all(len(reason) > len("a reason") for reason in EXPECTED["DisabledTests"].values())
