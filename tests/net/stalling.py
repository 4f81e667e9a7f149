"""A TLS server that goes on to a certain point and then does nothing more, until it is told to vanish."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from handglass.connection import ServerConnection
from handglass.handshake.config import ServerConfig

LIMIT = 20.0
POINTS = ("silent", "half", "open")
"""Nothing is said at all; half of the first flight; the handshake is done, and then nothing is read or said."""
ENDS = ("stay", "close", "reset")


class Stalling:
    """The server. `reached` is set when it stands still; `vanish` lets it end."""

    def __init__(self, config: ServerConfig, point: str, end: str) -> None:
        self.reached, self.vanish = threading.Event(), threading.Event()
        self._config, self._point, self._end = config, point, end
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._end = "close" if self._end == "stay" else self._end
        self.vanish.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError), self._listener.accept()[0] as sock:
            sock.settimeout(LIMIT)
            with suppress(OSError):
                self._go_on(sock)
            self.reached.set()
            self.vanish.wait(LIMIT)
            if self._end == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _go_on(self, sock: socket.socket) -> None:
        if self._point == "silent":
            return
        tls = ServerConnection(self._config)
        while not tls.has_data_to_send:
            tls.receive(sock.recv(1 << 16))
        flight = tls.data_to_send()
        if self._point == "half":
            sock.sendall(flight[: len(flight) // 2])
            return
        sock.sendall(flight)
        while not tls.is_established:
            tls.receive(sock.recv(1 << 16))
        sock.sendall(tls.data_to_send())


@contextmanager
def stalling(config: ServerConfig, point: str, end: str = "stay") -> Iterator[Stalling]:
    """Run one; afterwards no socket is left that was not there before."""
    before = open_sockets()
    server = Stalling(config, point, end)
    try:
        yield server
    finally:
        server.close()
    left = {number: name for number, name in open_sockets().items() if before.get(number) != name}
    assert not left, f"sockets were left open: {left}"


def open_sockets() -> dict[str, str]:
    """Descriptors of this process that are sockets."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found[entry.name] = str(entry.readlink())
    return {number: name for number, name in found.items() if name.startswith("socket:")}
