"""TLS over a blocking socket: connect, read, write, close, and a server with a thread for each client.

Strategy: one loop, `TLSStream._until`, does all waiting. It sends what the connection has to send, receives
what the peer sends, and ends when what was wanted is the case, or with the time. So a write that a peer's own
write holds up goes on reading, and nothing waits without a limit.

Sockets here do not block; the functions do. A stream belongs to one thread at a time.
"""

from __future__ import annotations

import errno
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from handglass.connection import ClientConnection
from handglass.net.dial import DialOptions, Listener, ListenTarget, Target, dial, open_listeners
from handglass.net.stream import (
    CHUNK,
    LINGER,
    READ_AHEAD,
    TIME_LIMIT,
    BaseStream,
    Report,
    Tell,
    client_connection,
    interrupted,
    log,
    overdue,
    server_connection,
)
from handglass.net.verification import Verdict, Verification, Verify
from handglass.registry import reasons
from handglass.registry.errors import LocalError

if TYPE_CHECKING:
    from handglass.connection import Connection
    from handglass.handshake.config import ClientConfig, ServerConfig
    from handglass.handshake.observer import Observer

__all__ = ["Server", "TLSStream", "Verification", "connect", "connect_over", "serve_one", "start_server"]

MAX_CLIENTS = 1000
JOIN_SECONDS = 5.0
RETRY_SECONDS = 0.05


def connect(
    host: str,
    port: int,
    *,
    config: ClientConfig | None = None,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    early_data: bytes = b"",
    observer: Observer | None = None,
    tell: Tell | None = None,
) -> TLSStream:
    """Connect to a server and do the handshake.

    The certificate is judged by `verify`: by default against the system's trust, and it must bear
    `config.server_name` or else `host`. `timeout` is the limit in seconds for all of this together, and then
    for each read and write; None for no limit. `early_data` goes with the ClientHello if `config` has a session
    that allows it; `stream.negotiated.early_data` says what became of it. `tell` gets every event.

    Raises:
        NetError: the host cannot be reached, or not in time.
        TLSError: the handshake failed: PeerError, LocalError or AlertReceived.
        TimeoutError: it took too long.
        OSError: the system's own errors, ConnectionResetError for instance.
    """
    deadline = deadline_after(timeout)
    options = DialOptions(lookup_seconds=timeout, connect_seconds=timeout)
    sock = dial(Target(host, str(port)), options).socket
    stream = client_stream(
        sock, host, config=config, verify=verify, timeout=timeout, observer=observer, tell=tell
    )
    stream._handshake(deadline, early_data)
    return stream


def connect_over(
    sock: socket.socket,
    host: str,
    *,
    config: ClientConfig | None = None,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    early_data: bytes = b"",
    observer: Observer | None = None,
    tell: Tell | None = None,
) -> TLSStream:
    """Do a client's handshake over a connected socket (behind a proxy, after STARTTLS).

    The socket belongs to the stream from here on, and is closed if the handshake fails. The rest is as for
    `connect`, errors too.
    """
    stream = client_stream(
        sock, host, config=config, verify=verify, timeout=timeout, observer=observer, tell=tell
    )
    stream._handshake(deadline_after(timeout), early_data)
    return stream


def client_stream(
    sock: socket.socket,
    host: str,
    *,
    config: ClientConfig | None,
    verify: Verify,
    timeout: float | None,
    observer: Observer | None,
    tell: Tell | None,
) -> TLSStream:
    """A client's stream before its handshake; the socket is closed if there is none."""
    try:
        connection, verdict = client_connection(host, config, verify, observer)
        return TLSStream(sock, connection, verdict, timeout, tell)
    except BaseException:
        sock.close()
        raise


def serve_one(
    sock: socket.socket,
    config: ServerConfig,
    *,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    observer: Observer | None = None,
    tell: Tell | None = None,
) -> TLSStream:
    """Do a server's handshake over an accepted socket.

    A client's certificate, if `config` asks for one, is judged by `verify`. The socket belongs to the stream
    from here on, and is closed if the handshake fails.

    Raises:
        TLSError, TimeoutError, OSError: as `connect` does.
    """
    try:
        connection, verdict = server_connection(config, verify, observer)
        stream = TLSStream(sock, connection, verdict, timeout, tell)
    except BaseException:
        sock.close()
        raise
    stream._handshake(deadline_after(timeout))
    return stream


class TLSStream(BaseStream):
    """One TLS connection over a socket. As a context manager it closes itself; after an exception it aborts."""

    def __init__(
        self,
        sock: socket.socket,
        connection: Connection,
        verdict: Verdict | None,
        timeout: float | None,
        tell: Tell | None,
    ) -> None:
        super().__init__(connection, verdict, tell)
        sock.setblocking(False)
        self.socket = sock
        self.timeout = timeout
        self._out = bytearray()
        self._broken: OSError | None = None
        self._is_closed = False

    def read(self, size: int = CHUNK) -> bytes:
        """Up to `size` bytes as soon as there are any; b"" when the peer has closed in good order.

        Raises:
            TLSError: the connection failed; PeerError (UNEXPECTED_EOF) if it was cut off without close_notify.
            TimeoutError: nothing came in time. The stream is as before, and may be read again.
        """
        if size < 1:
            raise ValueError("a read asks for at least one byte")
        self._require_open()
        if not self._has_answer:
            self._until(lambda: self._has_answer, deadline_after(self.timeout), "read")
        return self._give(size)

    def read_exactly(self, size: int) -> bytes:
        """Exactly `size` bytes. Raises EOFError if the peer closes before; `timeout` limits each piece."""
        data = bytearray()
        while len(data) < size:
            piece = self.read(size - len(data))
            if not piece:
                raise EOFError(f"the peer closed after {len(data)} of {size} bytes")
            data += piece
        return bytes(data)

    def read_all(self, limit: int = 1 << 24) -> bytes:
        """All that comes until the peer closes. Raises ValueError beyond `limit` bytes."""
        data = bytearray()
        while piece := self.read():
            data += piece
            if len(data) > limit:
                raise ValueError(f"the peer sent more than {limit} bytes")
        return bytes(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`.

        Raises:
            TLSError: the connection failed, or is closed.
            TimeoutError: the peer did not take it in time; how much it took is not known.
        """
        self._require_open()
        view = memoryview(data).cast("B")
        deadline = deadline_after(self.timeout)
        for start in range(0, len(view), CHUNK):
            self.connection.send(view[start : start + CHUNK])
            self._flush(deadline)

    def flush(self) -> None:
        """Send what the connection has to say by itself, after `connection.update_keys` for instance."""
        self._require_open()
        self._flush(deadline_after(self.timeout))

    def write_eof(self) -> None:
        """Say that no more will come (close_notify); the peer may still send, and `read` goes on."""
        self._require_open()
        self.connection.close()
        self.flush()

    def close(self) -> None:
        """Say that no more will come (close_notify), wait a moment for the peer to do the same, close the socket."""
        if self._is_closed:
            return
        self.connection.close()
        self._part()

    def abort(self) -> None:
        """End the connection with a fatal alert, and close the socket."""
        if not self._is_closed:
            self.connection.abort()
            self._part()

    def __iter__(self) -> Iterator[bytes]:
        """The data as it comes, until the peer closes."""
        while piece := self.read():
            yield piece

    def fileno(self) -> int:
        """The socket's descriptor, for `select`; data may be there already when it is not readable."""
        return self.socket.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    # Waiting ---------------------------------------------------------------------------------------------

    def _handshake(self, deadline: float | None, early_data: bytes = b"") -> None:
        connection = self.connection
        try:
            if isinstance(connection, ClientConnection):
                self._take(connection.start())
                if early_data:
                    connection.send_early_data(early_data)
            self._until(lambda: connection.is_established, deadline, "handshake")
            self._flush(deadline)
        except BaseException as error:
            is_late = isinstance(error, TimeoutError)
            self._call_off(reasons.HANDSHAKE_TIMEOUT.alert if is_late else reasons.INTERNAL_ERROR.alert)
            self._part()
            raise

    def _flush(self, deadline: float | None) -> None:
        self._until(lambda: not self._out, deadline, "write")

    def _until(self, done: Callable[[], bool], deadline: float | None, what: str) -> None:
        """Send and receive until `done`. Raises what ends the connection before that."""
        while True:
            self._send()
            if done():
                return
            if self.connection.error is not None:
                raise self.connection.error
            if what == "handshake":
                self._check_handshake()
            if self._broken is not None:
                raise interrupted(self._broken, self.connection)
            left = remaining(deadline)
            if left == 0:
                raise overdue(what, self.timeout, self.connection.state)
            self._wait(left)

    def _wait(self, seconds: float | None) -> None:
        """Wait until the socket is ready for what we can do now, and receive."""
        may_read = len(self._received) < READ_AHEAD and not self.connection.wants_no_more_data
        wanted = (select.POLLIN if may_read else 0) | (select.POLLOUT if self._out else 0)
        if ready(self.socket, wanted, seconds) & ~select.POLLOUT:
            self._receive()

    def _send(self) -> None:
        """Give the socket as much as it takes."""
        self._out += self.connection.data_to_send()
        try:
            while self._out and self._broken is None:
                with memoryview(self._out)[:CHUNK] as piece:
                    sent = self.socket.send(piece)
                del self._out[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            # The peer is gone. What it said before it went, an alert perhaps, tells more than the system does.
            self._receive()
            self._broken = error

    def _receive(self) -> None:
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._broken = error
            return
        self._take(self.connection.receive(data))

    def _part(self) -> None:
        """Send the rest, end our side, and read to the end of the peer's: a reset would take data from it."""
        self._is_closed = True
        deadline = deadline_after(LINGER)
        with self.socket, suppress(OSError):
            self._send()
            while self._out and self._broken is None and (left := remaining(deadline)):
                ready(self.socket, select.POLLOUT, left)
                self._send()
            self.socket.shutdown(socket.SHUT_WR)
            while left := remaining(deadline):
                if ready(self.socket, select.POLLIN, left) and not self.socket.recv(CHUNK):
                    return

    def _require_open(self) -> None:
        if self._is_closed:
            raise LocalError(reasons.CONNECTION_OVER, "the stream is closed")


# A server --------------------------------------------------------------------------------------------------

Handler = Callable[[TLSStream], None]


def start_server(
    handle: Handler,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    config: ServerConfig,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    max_clients: int = MAX_CLIENTS,
    make_observer: Callable[[], Observer] | None = None,
    report: Report | None = None,
) -> Server:
    """Listen at once, and call `handle(stream)` in a thread of its own for each client whose handshake succeeds.

    The stream is closed when `handle` returns, and aborted if it raises. `report` gets every exception of a
    handshake or a handler; without it they go to the logger `handglass`. `make_observer` gives each connection
    an observer of its own. Beyond `max_clients` at a time, clients wait to be accepted. Use the server as a
    context manager, or call its `close`.

    Raises:
        NetError: the address cannot be listened at.
    """
    listeners = open_listeners([ListenTarget(host or None, str(port))])

    def serve(sock: socket.socket) -> TLSStream:
        observer = None if make_observer is None else make_observer()
        return serve_one(sock, config, verify=verify, timeout=timeout, observer=observer)

    return Server(listeners, serve, handle, max_clients=max_clients, report=report or log)


class Server:
    """A server at work. `port` is the one it listens at."""

    def __init__(
        self,
        listeners: list[Listener],
        serve: Callable[[socket.socket], TLSStream],
        handle: Handler,
        *,
        max_clients: int,
        report: Report,
    ) -> None:
        self.port = listeners[0].port
        self._listeners = listeners
        self._serve_one = serve
        self._handle = handle
        self._report = report
        self._free = threading.BoundedSemaphore(max_clients)
        self._lock = threading.Lock()
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._is_closing = False
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._accept_all, name="handglass-accept", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, cut off the clients that are still there, and wait (bounded) for their threads."""
        if self._is_closing:
            return
        self._is_closing = True
        self._waker.send(b"\0")
        self._thread.join(JOIN_SECONDS)
        with self._lock:
            clients = dict(self._clients)
        for sock in clients.values():
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + JOIN_SECONDS
        for thread in clients:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._wake.close()
        self._waker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept_all(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        for listener in self._listeners:
            poll.register(listener.socket, select.POLLIN)
        by_descriptor = {listener.socket.fileno(): listener.socket for listener in self._listeners}
        try:
            while not self._is_closing:
                for descriptor, _ in poll.poll():
                    if descriptor in by_descriptor:
                        self._accept(by_descriptor[descriptor])
        finally:
            for listener in self._listeners:
                listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._free.acquire(timeout=0.1):
            if self._is_closing:
                return
        try:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:  # the client went before we came; or no descriptor is left, and one must end
            self._free.release()
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                time.sleep(RETRY_SECONDS)
            return
        thread = threading.Thread(target=self._serve, args=(sock,), name="handglass-client", daemon=True)
        with self._lock:
            self._clients[thread] = sock
        try:
            thread.start()
        except RuntimeError as error:  # the system has no thread left
            with self._lock:
                del self._clients[thread]
            sock.close()
            self._free.release()
            self._report(error)

    def _serve(self, sock: socket.socket) -> None:
        try:
            with self._serve_one(sock) as stream:
                try:
                    self._handle(stream)
                except Exception as error:
                    self._report(error)  # at once: parting takes a moment
                    stream.abort()
        except Exception as error:  # whatever it is ends this client, not the server
            self._report(error)
        finally:
            with self._lock:
                del self._clients[threading.current_thread()]
            self._free.release()


def deadline_after(seconds: float | None) -> float | None:
    """The moment of `time.monotonic` when so many seconds have passed; None for never."""
    return None if seconds is None else time.monotonic() + seconds


def remaining(deadline: float | None) -> float | None:
    """The seconds until a deadline, 0 if it is past; None for no limit."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def ready(sock: socket.socket, wanted: int, seconds: float | None) -> int:
    """What of `wanted` (and POLLERR, POLLHUP) a socket is ready for within so many seconds; 0 for nothing."""
    poll = select.poll()
    poll.register(sock, wanted)
    found = poll.poll(None if seconds is None else max(1, seconds * 1000))
    return found[0][1] if found else 0
