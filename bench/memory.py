"""Memory of our server with many idle connections; OpenSSL's serves one at a time, so there is nothing to compare."""

from __future__ import annotations

import resource
import socket
import time

from bench.material import Material
from bench.measure import HANDGLASS, Result, free_port, resident_kib, running
from handglass.connection import ClientConnection
from handglass.handshake.config import ClientConfig
from handglass.handshake.events import HandshakeCompleted
from handglass.registry.code_points import NamedGroup, ProtocolVersion


def idle(material: Material, *, quick: bool) -> list[Result]:
    """KiB per connection after the handshake."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    certificate = str(material.certificate("p256"))
    results = []
    for count in (200,) if quick else (1000, 10_000):
        port = free_port()
        command = [
            *HANDGLASS,
            "s_server",
            "-accept",
            f"127.0.0.1:{port}",
            "-cert",
            certificate,
            "-www",
            "-quiet",
        ]
        with running(command, port) as server:
            before = resident_kib(server.pid)
            sockets = [connect(port) for _ in range(count)]
            time.sleep(0.5)
            grown = resident_kib(server.pid) - before
            for sock in sockets:
                sock.close()
        results.append(
            Result(f"memory, {count} idle connections", "KiB per connection", grown / count, None, False)
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return results


def connect(port: int) -> socket.socket:
    """A connection whose handshake is done and that then says nothing."""
    config = ClientConfig(groups=(NamedGroup.X25519,), versions=(ProtocolVersion.TLS1_3,))
    connection = ClientConnection(config, clock=time.time)
    connection.start()
    sock = socket.create_connection(("127.0.0.1", port), 10)
    done = False
    while not done:
        sock.sendall(connection.data_to_send())
        done = any(isinstance(event, HandshakeCompleted) for event in connection.receive(sock.recv(65536)))
    sock.sendall(connection.data_to_send())
    return sock
