"""Our s_server as a process, with a certificate and on a port of its own choice."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import handglass
from support.peers import ADDRESS, OpenSSLServer
from support.pki import Identity, Pki
from support.processes import DEFAULT_LIMIT, Process

SOURCE = Path(handglass.__file__).parent.parent
PROGRAM = ["env", f"PYTHONPATH={SOURCE}", sys.executable, "-m", "handglass"]
"""Also where the package is not installed."""


def serve(pki: Pki, *options: str | Path, key_type: str = "p256", cwd: Path | None = None) -> OpenSSLServer:
    """Start it; `port` says where it listens."""
    return OpenSSLServer(pki.server(key_type), *options, cwd=cwd, command=PROGRAM)


@contextmanager
def on_a_terminal(pki: Pki, *options: str) -> Iterator[tuple[OpenSSLServer, int]]:
    """Start it with a terminal as its standard input; gives the descriptor of the keyboard too."""
    keyboard, terminal = os.openpty()
    try:
        shell = ["/bin/sh", "-c", 'terminal=$1; shift; exec "$@" <"$terminal"', "sh", os.ttyname(terminal)]
        with OpenSSLServer(pki.server("p256"), *options, command=[*shell, *PROGRAM]) as server:
            yield server, keyboard
    finally:
        os.close(keyboard)
        os.close(terminal)


class QuietServer(Process):
    """With -quiet nothing tells the port: it is chosen here."""

    def __init__(self, identity: Identity, port: int, *options: str | Path, cwd: Path | None = None) -> None:
        self.port = port
        argv = [*PROGRAM, "s_server", "-accept", f"{ADDRESS}:{port}", "-quiet"]
        super().__init__([*argv, "-cert", identity.certificate, "-key", identity.key, *options], cwd=cwd)
        self.wait_until_listening(port)


def connect(port: int, *, alpn: list[str] | None = None, name: str | None = "localhost") -> ssl.SSLSocket:
    """Connect Python's own TLS client, which trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    raw = socket.create_connection((ADDRESS, port), timeout=DEFAULT_LIMIT)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname=name)


def ask(port: int, request: bytes) -> bytes:
    """Send an HTTP request and read until the server closes."""
    with connect(port) as client:
        client.sendall(request)
        return read_all(client)


def read_all(client: ssl.SSLSocket) -> bytes:
    """Everything until the server's close_notify."""
    answer = b""
    while piece := client.recv(1 << 16):
        answer += piece
    return answer


def wait_until(process: Process, count: int, pattern: str) -> None:
    """Wait until the program has said something that often."""
    deadline = time.monotonic() + DEFAULT_LIMIT
    while len(re.findall(pattern, process.text, re.MULTILINE)) < count:
        assert time.monotonic() < deadline, process.text
        assert process.returncode is None, process.text
        time.sleep(0.002)
