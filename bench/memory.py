"""Memory of our server with many idle connections: such that have said nothing, and such that are established.

OpenSSL's s_server serves one client at a time, so there is nothing to compare with but its memory with one.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

from bench.machinery import Result, Settings, many_files, memory_bytes, running_server
from handglass.connection import ClientConnection
from handglass.handshake.config import ClientConfig
from handglass.handshake.events import Failed
from handglass.registry.code_points import NamedGroup

COUNTS = (1_000, 10_000)
CONFIG = ClientConfig(groups=(NamedGroup.X25519,), server_name="localhost")


def memory(settings: Settings) -> Iterator[Result]:
    """Kilobytes per idle connection, by the growth of the server's proportional set size."""
    with many_files():
        yield from _memory(settings)


def _memory(settings: Settings) -> Iterator[Result]:
    kinds: dict[str, Callable[[int], socket.socket]] = {
        "silent": lambda port: socket.create_connection(("127.0.0.1", port)),
        "established": handshake,
    }
    alone = _openssl_with_one(settings, kinds["established"])
    counts = (100,) if settings.quick else COUNTS
    for kind, connect in kinds.items():
        for count in counts:
            with running_server("handglass", settings.pki.server("p256"), "-quiet") as (process, port):
                with connect(port):
                    pass
                before = memory_bytes(process.pid)
                with contextlib.ExitStack() as stack:
                    for _ in range(count):
                        stack.enter_context(connect(port))
                    with handshake(port):  # the last one is served: all before it are known
                        total = memory_bytes(process.pid)
            yield Result(
                f"memory: {count} {kind} connections",
                "kB each",
                (total - before) / count / 1000,
                None,
                higher_is_better=False,
                detail={
                    "server_MB": total / 1e6,
                    "before_MB": before / 1e6,
                    "openssl_with_one_MB": alone / 1e6,
                },
            )


def _openssl_with_one(settings: Settings, connect: Callable[[int], socket.socket]) -> int:
    with running_server("openssl", settings.pki.server("p256"), "-quiet") as (process, port), connect(port):
        return memory_bytes(process.pid)


def handshake(port: int) -> socket.socket:
    """Make one connection and return the socket once the handshake is done."""
    connection = ClientConnection(CONFIG, clock=time.time)
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.start()
    sock.sendall(connection.data_to_send())
    while not connection.is_established:
        for event in connection.receive(sock.recv(1 << 16)):
            if isinstance(event, Failed):
                raise event.error
        if data := connection.data_to_send():
            sock.sendall(data)
    return sock
