"""Moves bytes between one socket, one connection and one input, until somebody has had enough.

Strategy: a loop around `poll`. What the connection wants to send is sent at once, and waited for only if the socket is
full; the input is read only while little waits to be sent. A failed write does not end the loop: the peer may have
said why before it closed, so what it sent is read to its end first.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

from handglass.connection import Connection
from handglass.handshake.events import Event
from handglass.net.errors import NetCode, NetError
from handglass.net.interrupts import interruptible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handglass.net.reluctant import ReluctantSocket
    from handglass.net.starttls import StreamWrapper

READ_SIZE = 1 << 18
"""Bytes to read at once from the socket."""
INPUT_SIZE = 1 << 16
"""Bytes to read at once from the input."""
BACKLOG = 1 << 20
"""Bytes that may wait to be sent before the input is left alone."""


class Input(Protocol):
    """Where the data to send comes from. `descriptor` is None once there is no more."""

    descriptor: int | None

    def take(self, data: bytes) -> None:
        """Bytes were read; b"" is the end."""


class Pump:
    """The transport of one connection. `on_event` gets every event in its order.

    At most `read_size` bytes are read at once. `wrapper` stands between the connection and the socket until the
    handshake is done (SQL Server's packets).
    """

    def __init__(
        self,
        sock: socket.socket | ReluctantSocket,
        connection: Connection,
        on_event: Callable[[Event], None],
        *,
        wrapper: StreamWrapper | None = None,
        read_size: int = READ_SIZE,
    ) -> None:
        self.socket = sock
        self.connection = connection
        self._on_event = on_event
        self._wrapper = wrapper
        self._out = bytearray()
        self._write_failed: OSError | None = None
        self._buffer = bytearray(read_size)
        self.ended = False
        """The peer's side of the transport is at its end."""
        self.heard = time.monotonic()
        """When the peer was heard last (monotonic seconds)."""
        self.on_wait: Callable[[bool], None] | None = None
        """Told when the socket has to be waited for, once until it moves: True if that is to write."""
        self._waiting = False
        sock.setblocking(False)

    def give(self, events: list[Event]) -> None:
        """Hand out events that came of something done to the connection, and send what it wants to send."""
        for event in events:
            self._on_event(event)
        self.flush()

    def flush(self) -> None:
        """Send as much as the socket takes now."""
        data = self.connection.data_to_send()
        if self._wrapper is not None and data:
            data = bytearray(self._wrapper.outgoing(bytes(data)))
        if not self._out:
            self._out = data
        elif data:
            self._out += data
        if self._write_failed is not None:
            self._out = bytearray()
        while self._out:
            try:
                sent = self.socket.send(self._out)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._write_failed = error
                self._out = bytearray()
                return
            if sent == len(self._out):
                self._out = bytearray()
            else:
                del self._out[:sent]

    @property
    def has_output(self) -> bool:
        """Whether bytes wait for the socket."""
        return bool(self._out) or self.connection.has_data_to_send

    @property
    def unsent(self) -> int:
        """How many bytes the socket has not taken, at the last try."""
        return len(self._out)

    def run(
        self, until: Callable[[], bool], *, deadline: float | None = None, source: Input | None = None
    ) -> bool:
        """Move bytes until `until` says so, the peer's side ends, or `deadline` (monotonic seconds) has passed.

        Returns False if the deadline ended it. Raises NetError (PEER_RESET) if the transport broke.
        """
        self.flush()
        while not until() and not self.ended:
            seconds = None if deadline is None else deadline - time.monotonic()
            if seconds is not None and seconds <= 0:
                return False
            self._step(seconds, source)
        return True

    def drain(self, seconds: float) -> None:
        """Send what still waits, within this time; for the end."""
        deadline = time.monotonic() + seconds
        self.flush()
        while self._out and self._write_failed is None and (left := deadline - time.monotonic()) > 0:
            poll = select.poll()
            poll.register(self.socket, select.POLLOUT)
            poll.poll(left * 1000)
            self.flush()

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self.socket.close()

    def _step(self, seconds: float | None, source: Input | None) -> None:
        poll = select.poll()
        here = self.socket.fileno()
        poll.register(here, select.POLLIN | (select.POLLOUT if self._out else 0))
        typing = None
        if source is not None and source.descriptor is not None and len(self._out) < BACKLOG:
            typing = source.descriptor
            poll.register(typing, select.POLLIN)
        if self.on_wait is not None and not self._waiting:
            self._waiting = True
            self.on_wait(bool(self._out))
        with interruptible():
            ready = dict(poll.poll(None if seconds is None else max(seconds, 0) * 1000 + 1))
        if here in ready:
            self._waiting = False
            if ready[here] & ~select.POLLOUT:
                self._read()
            self.flush()
        if typing is not None and typing in ready and source is not None:
            data = _read_input(typing)
            if data is not None:
                source.take(data)
            self.flush()

    def _read(self) -> None:
        try:
            count = self.socket.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.ended = True
            raise NetError(
                NetCode.PEER_RESET,
                f"the connection broke: {error.strerror}",
                error.errno or 0,
                error.strerror or "",
            ) from error
        if count == 0:
            self.ended = True
        self.heard = time.monotonic()
        if self._wrapper is not None and count:
            self.receive(bytes(self._buffer[:count]))
            return
        with memoryview(self._buffer) as view:
            events = self.connection.receive(view[:count])
        for event in events:
            self._on_event(event)

    def receive(self, data: bytes) -> None:
        """Take bytes that came from the peer, perhaps before there was a pump. Raises NetError (ANSWER_MALFORMED)."""
        if self._wrapper is not None:
            data = self._wrapper.incoming(data)
        events = self.connection.receive(data) if data else []
        if self._wrapper is not None and self.connection.is_established:
            self.flush()  # our last message of the handshake still goes in a packet
            self._wrapper.handshake_done()
        for event in events:
            self._on_event(event)


def _read_input(descriptor: int) -> bytes | None:
    """What can be read now; None if that is nothing after all, b"" at the end."""
    try:
        return os.read(descriptor, INPUT_SIZE)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:  # a terminal that went away
        return b""
