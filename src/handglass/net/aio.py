"""TLS in asyncio: open a connection, read, write, close, serve.

Strategy: asyncio's own byte streams below, a sans-I/O `Connection` in the middle, and nothing between them but
`TLSStream`. One task may read while another writes. Questions that a connection defers (`deferred`) are worked
out in a thread, so a slow key, look-up or judgement holds up its own connection and no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from handglass.connection import ClientConnection
from handglass.net.dial import ListenTarget, open_listeners
from handglass.net.dial.names import ascii_name
from handglass.net.stream import (
    CHUNK,
    LINGER,
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

__all__ = [
    "Server",
    "TLSStream",
    "Verification",
    "connect_over",
    "open_connection",
    "serve_one",
    "start_server",
]

MAX_CLIENTS = 10_000
DEFERRED = frozenset({"status", "verification"})
"""The judgement of a chain reads files, and takes milliseconds."""


async def open_connection(
    host: str,
    port: int,
    *,
    config: ClientConfig | None = None,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    early_data: bytes = b"",
    observer: Observer | None = None,
    tell: Tell | None = None,
    deferred: frozenset[str] = DEFERRED,
) -> TLSStream:
    """Connect to a server and do the handshake; parameters and errors are those of `blocking.connect`.

    `deferred` names the questions (see `Connection`) that are worked out in a thread. Where no address can be
    reached, the error is asyncio's OSError.
    """
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(
                ascii_name(host), port, limit=CHUNK, happy_eyeballs_delay=0.25
            )
    except TimeoutError:
        raise overdue("connection", timeout) from None
    stream = client_stream(
        reader,
        writer,
        host,
        config=config,
        verify=verify,
        timeout=timeout,
        observer=observer,
        tell=tell,
        deferred=deferred,
    )
    await stream._handshake(None if timeout is None else began + timeout, early_data)
    return stream


async def connect_over(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    *,
    config: ClientConfig | None = None,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    early_data: bytes = b"",
    observer: Observer | None = None,
    tell: Tell | None = None,
    deferred: frozenset[str] = DEFERRED,
) -> TLSStream:
    """Do a client's handshake over asyncio's byte streams, behind a proxy or after STARTTLS.

    They belong to the stream from here on. The rest is as for `open_connection`, errors too.
    """
    stream = client_stream(
        reader,
        writer,
        host,
        config=config,
        verify=verify,
        timeout=timeout,
        observer=observer,
        tell=tell,
        deferred=deferred,
    )
    await stream._handshake(deadline_after(timeout), early_data)
    return stream


def client_stream(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    *,
    config: ClientConfig | None,
    verify: Verify,
    timeout: float | None,
    observer: Observer | None,
    tell: Tell | None,
    deferred: frozenset[str],
) -> TLSStream:
    """A client's stream before its handshake; the transport is closed if there is none."""
    try:
        connection, verdict = client_connection(host, config, verify, observer, deferred)
    except BaseException:
        writer.transport.abort()
        raise
    return TLSStream(reader, writer, connection, verdict, timeout=timeout, tell=tell)


async def serve_one(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    config: ServerConfig,
    *,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    observer: Observer | None = None,
    tell: Tell | None = None,
    deferred: frozenset[str] = DEFERRED,
) -> TLSStream:
    """Do a server's handshake over asyncio's byte streams; as `blocking.serve_one` otherwise."""
    try:
        connection, verdict = server_connection(config, verify, observer, deferred)
    except BaseException:
        writer.transport.abort()
        raise
    stream = TLSStream(reader, writer, connection, verdict, timeout=timeout, tell=tell)
    await stream._handshake(deadline_after(timeout))
    return stream


class TLSStream(BaseStream):
    """One TLS connection in asyncio. `async with` closes it; after an exception it is aborted."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: Connection,
        verdict: Verdict | None,
        *,
        timeout: float | None,
        tell: Tell | None,
    ) -> None:
        super().__init__(connection, verdict, tell)
        self.timeout = timeout
        self._reader = reader
        self._writer = writer
        self._reading = asyncio.Lock()
        self._question: asyncio.Future[Any] | None = None
        self._is_closed = False

    async def read(self, size: int = CHUNK) -> bytes:
        """Up to `size` bytes as soon as there are any; b"" when the peer has closed in good order.

        Raises:
            TLSError: the connection failed; PeerError (UNEXPECTED_EOF) if it was cut off without close_notify.
            TimeoutError: nothing came in time. The stream is as before, and may be read again.
        """
        if size < 1:
            raise ValueError("a read asks for at least one byte")
        self._require_open()
        try:
            async with asyncio.timeout(self.timeout), self._reading:
                while not self._has_answer:
                    await self._receive()
                    self._require_open()  # another task may have closed it
                return self._give(size)
        except TimeoutError:
            raise overdue("read", self.timeout) from None

    async def read_exactly(self, size: int) -> bytes:
        """Exactly `size` bytes. Raises EOFError if the peer closes before; `timeout` limits each piece."""
        data = bytearray()
        while len(data) < size:
            piece = await self.read(size - len(data))
            if not piece:
                raise EOFError(f"the peer closed after {len(data)} of {size} bytes")
            data += piece
        return bytes(data)

    async def read_all(self, limit: int = 1 << 24) -> bytes:
        """All that comes until the peer closes. Raises ValueError beyond `limit` bytes."""
        data = bytearray()
        while piece := await self.read():
            data += piece
            if len(data) > limit:
                raise ValueError(f"the peer sent more than {limit} bytes")
        return bytes(data)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`; waits while the peer takes no more.

        Raises:
            TLSError: the connection failed, or is closed.
            TimeoutError: the peer did not take it in time; how much it took is not known.
        """
        self._require_open()
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK):
            self.connection.send(view[start : start + CHUNK])
            await self.flush()

    async def flush(self) -> None:
        """Send what the connection has to say by itself, after `connection.update_keys` for instance."""
        self._require_open()
        self._send()
        try:
            async with asyncio.timeout(self.timeout):
                await self._writer.drain()
        except TimeoutError:
            raise overdue("write", self.timeout) from None

    async def write_eof(self) -> None:
        """Say that no more will come (close_notify); the peer may still send, and `read` goes on."""
        self._require_open()
        self.connection.close()
        await self.flush()

    async def close(self) -> None:
        """Say that no more will come (close_notify), wait a moment for the peer to do the same, close the transport."""
        if self._is_closed:
            return
        self._is_closed = True
        self.connection.close()
        self._send()
        await self._part()

    async def abort(self) -> None:
        """End the connection with a fatal alert, and close the transport."""
        if not self._is_closed:
            self._is_closed = True
            self.connection.abort()
            self._send()
            await self._part()

    def get_extra_info(self, name: str) -> Any:
        """What the transport knows by this name: "peername", "sockname", "socket" …; None if nothing."""
        return self._writer.get_extra_info(name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.close()
        else:
            await self.abort()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The data as it comes, until the peer closes."""
        while piece := await self.read():
            yield piece

    # Waiting ---------------------------------------------------------------------------------------------

    async def _handshake(self, deadline: float | None, early_data: bytes = b"") -> None:
        connection = self.connection
        state = ""
        try:
            async with asyncio.timeout_at(deadline):
                try:
                    await self._shake_hands(early_data)
                finally:
                    state = connection.state
        except BaseException as error:
            is_late = isinstance(error, TimeoutError | asyncio.CancelledError)
            self._call_off(reasons.HANDSHAKE_TIMEOUT.alert if is_late else reasons.INTERNAL_ERROR.alert)
            self._is_closed = True
            self._send()
            await self._part()
            if isinstance(error, TimeoutError):
                raise overdue("handshake", self.timeout, state) from None
            raise

    async def _shake_hands(self, early_data: bytes) -> None:
        connection = self.connection
        if isinstance(connection, ClientConnection):
            self._take(connection.start())
            if early_data:
                connection.send_early_data(early_data)
            self._send()
        while not connection.is_established:
            self._check_handshake()
            await self._receive()
        await self._writer.drain()

    async def _receive(self) -> None:
        """Wait once: for the answer to a deferred question, or else for the peer's bytes."""
        if self.connection.question is not None:
            await self._work_out()
            return
        try:
            data = await self._reader.read(CHUNK)
        except OSError as error:
            raise interrupted(error, self.connection) from None
        self._take(self.connection.receive(data))
        self._send()

    async def _work_out(self) -> None:
        question = self.connection.question
        if question is None:
            return
        if self._question is None:
            self._question = asyncio.get_running_loop().run_in_executor(None, question.run)
        try:
            answer = await asyncio.shield(
                self._question
            )  # a read that is cancelled leaves it to the next one
        except Exception as error:  # the connection tells errors of TLS from programming errors
            answer = error
        self._question = None
        self._take(self.connection.answer(answer))
        self._send()

    def _send(self) -> None:
        if self.connection.has_data_to_send and not self._writer.is_closing():
            self._writer.write(self.connection.data_to_send())

    def _require_open(self) -> None:
        if self._is_closed:
            raise LocalError(reasons.CONNECTION_OVER, "the stream is closed")

    async def _part(self) -> None:
        """Send the rest, end our side, and read to the end of the peer's: a reset would take data from it."""
        try:
            with suppress(OSError):  # TimeoutError too
                async with asyncio.timeout(LINGER):
                    await self._writer.drain()
                    if self._writer.can_write_eof():
                        self._writer.write_eof()
                    while not self._reading.locked() and await self._reader.read(CHUNK):
                        pass
        finally:  # a task that is cancelled once more does not wait for the peer
            self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


# A server --------------------------------------------------------------------------------------------------

Handler = Callable[[TLSStream], Awaitable[None]]


class Server:
    """A server at work. `port` is the one it listens at; `async with` closes it."""

    def __init__(
        self,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[TLSStream]],
        handle: Handler,
        report: Report,
        max_clients: int,
    ) -> None:
        self.port = 0
        self._serve_one = serve
        self._handle = handle
        self._report = report
        self._max_clients = max_clients
        self._servers: list[asyncio.Server] = []
        self._is_closing = False
        self._clients: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop listening, cut off the clients that are still there, and wait for their handlers."""
        self._is_closing = True
        for server in self._servers:
            server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await asyncio.sleep(0)  # an aborted transport closes its socket in the next turn of the loop

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _listen(self, host: str, port: int) -> None:
        listeners = open_listeners([ListenTarget(host or None, str(port))])
        self.port = listeners[0].port
        for listener in listeners:
            self._servers.append(await asyncio.start_server(self._accept, sock=listener.socket, limit=CHUNK))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_closing or len(self._clients) >= self._max_clients:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._clients.add(task)

        def forget(_: asyncio.Task[None]) -> None:
            self._clients.discard(task)
            writer.transport.abort()  # open still if the task was cancelled before it began

        task.add_done_callback(forget)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with await self._serve_one(reader, writer) as stream:
                try:
                    await self._handle(stream)
                except Exception as error:
                    self._report(error)  # at once: parting takes a moment
                    await stream.abort()
        except Exception as error:  # whatever it is ends this client, not the server
            self._report(error)


async def start_server(
    handle: Handler,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    config: ServerConfig,
    verify: Verify = True,
    timeout: float | None = TIME_LIMIT,
    max_clients: int = MAX_CLIENTS,
    deferred: frozenset[str] = DEFERRED,
    make_observer: Callable[[], Observer] | None = None,
    report: Report | None = None,
) -> Server:
    """Listen at once, and run `handle(stream)` in a task for each client whose handshake succeeds.

    As `blocking.start_server`, except that clients beyond `max_clients` are turned away.

    Raises:
        NetError: the address cannot be listened at.
    """

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Awaitable[TLSStream]:
        observer = None if make_observer is None else make_observer()
        return serve_one(
            reader, writer, config, verify=verify, timeout=timeout, observer=observer, deferred=deferred
        )

    server = Server(serve, handle, report or log, max_clients)
    await server._listen(host, port)
    return server


def deadline_after(seconds: float | None) -> float | None:
    """The moment of the loop's clock when so many seconds have passed; None for never."""
    return None if seconds is None else asyncio.get_running_loop().time() + seconds
