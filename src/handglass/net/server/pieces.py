"""-nbio_test: a socket that takes and gives a few bytes at a time, and now and then none.

Whatever can be called again is: each read ends somewhere in a record, and each write in the middle of what there is
to send.
"""

from __future__ import annotations

import random
import socket
from typing import Any

MOST = 7
"""Bytes at a time, at the most."""


class SocketInPieces(socket.socket):
    """Stands in for an accepted socket, which it takes over."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.family, sock.type, sock.proto, sock.detach())

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:  # noqa: ARG002 - we say how many
        """Read a few bytes. Raises BlockingIOError also where there are some."""
        return super().recv_into(buffer, _some(), flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """Write a few bytes. Raises BlockingIOError also where there is room."""
        with memoryview(data) as whole:
            return super().send(whole[: _some()], flags)


def _some() -> int:
    count = random.randint(0, MOST)
    if not count:
        raise BlockingIOError
    return count
