"""A socket that hardly lets anything through (-nbio_test): a test of whatever uses it.

Every read and write moves at most seven bytes, and one in eight would rather be asked again; so each place in a
record where reading or writing may have to stop is met sooner or later.
"""

from __future__ import annotations

import random
import socket

MOST = 7
"""Bytes that move at once at most."""


class ReluctantSocket:
    """Stands in for a socket that does not block. `choose(n)` gives a number below n."""

    def __init__(self, sock: socket.socket, choose: random.Random | None = None) -> None:
        self._socket = sock
        self._choose = choose or random.Random()

    def send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:
        """Send a few bytes. Raises BlockingIOError."""
        with memoryview(data) as view, view[: self._room()] as some:
            return self._socket.send(some, flags)

    def recv_into(self, buffer: bytearray | memoryview, _size: int = 0, flags: int = 0) -> int:
        """Receive a few bytes, however many are asked for. Raises BlockingIOError."""
        return self._socket.recv_into(buffer, self._room(), flags)

    def _room(self) -> int:
        room = self._choose.randrange(MOST + 1)
        if not room:
            raise BlockingIOError("asked to try again")
        return room

    def fileno(self) -> int:
        """The descriptor, to wait for."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """Set whether the socket blocks."""
        self._socket.setblocking(flag)

    def shutdown(self, how: int) -> None:
        """Close one direction."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
