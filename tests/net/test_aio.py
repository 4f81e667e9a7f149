"""Streams in asyncio: against themselves, the blocking ones, Python's `ssl`, and OpenSSL."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial, wraps
from typing import ParamSpec

import pytest

from handglass.connection import ClientConnection, ServerConnection
from handglass.crypto.entropy import Entropy
from handglass.crypto.signatures import PrivateKey
from handglass.crypto.signatures import sign as sign_with_key
from handglass.crypto.throwaway import Authority
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.observer import Observer
from handglass.handshake.sessions import MemorySessions
from handglass.net import aio, blocking
from handglass.net.aio import TLSStream, Verification
from handglass.net.errors import NetError
from handglass.net.identities import load_identity
from handglass.net.trust import TrustOptions
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, SignatureScheme
from handglass.registry.errors import AlertReceived, LocalError, PeerError
from support.peers import ADDRESS, OpenSSLClient, OpenSSLServer, needs
from support.pki import Pki

LIMIT = 60.0
AUTHORITY = Authority(datetime.now(UTC))
TRUSTED = Verification(anchors=[AUTHORITY.certificate])
SERVER = ServerConfig(identities=(AUTHORITY.issue(),))

P = ParamSpec("P")


def running(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """A test in an event loop of its own."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 2 * LIMIT))

    return run


async def echo(stream: TLSStream) -> None:
    async for piece in stream:
        await stream.write(piece)


@asynccontextmanager
async def serving(
    handle: Callable[[TLSStream], Awaitable[None]] = echo,
    config: ServerConfig = SERVER,
    deferred: frozenset[str] = aio.DEFERRED,
) -> AsyncIterator[tuple[int, asyncio.Queue[Exception]]]:
    """A server; its port and what it reports."""
    reported: asyncio.Queue[Exception] = asyncio.Queue()
    server = await aio.start_server(
        handle,
        config=config,
        verify=TRUSTED,
        timeout=LIMIT,
        deferred=deferred,
        report=reported.put_nowait,
    )
    async with server:
        yield server.port, reported


connect = partial(aio.open_connection, "localhost", verify=TRUSTED, timeout=LIMIT)


@running
async def test_both_ends_meet() -> None:
    async with serving() as (port, _), await connect(port) as stream:
        assert stream.verification is not None
        assert stream.verification.ok
        await stream.write(b"hello")
        assert await stream.read_exactly(5) == b"hello"


@running
async def test_one_task_reads_while_another_writes() -> None:
    data = bytes(range(256)) * 16384
    async with serving() as (port, _), await connect(port) as stream, asyncio.TaskGroup() as tasks:
        tasks.create_task(stream.write(data))
        assert await stream.read_exactly(len(data)) == data


@running
async def test_end_of_the_peer_is_the_end_of_reading() -> None:
    async def handle(stream: TLSStream) -> None:
        await stream.write(b"so long")

    async with serving(handle) as (port, _):
        async with await connect(port) as stream:
            assert await stream.read_all() == b"so long"
            assert await stream.read() == b""
        async with await connect(port) as stream:
            with pytest.raises(EOFError, match="after 7 of 8 bytes"):
                await stream.read_exactly(8)
        async with await connect(port) as stream:
            with pytest.raises(ValueError, match="more than 4 bytes"):
                await stream.read_all(limit=4)
        for use in (stream.read, stream.flush, partial(stream.write, b"x")):
            with pytest.raises(LocalError, match="the stream is closed"):
                await use()


@running
async def test_one_side_ends_and_the_other_goes_on() -> None:
    async def handle(stream: TLSStream) -> None:
        await stream.write((await stream.read_all())[::-1])

    async with serving(handle) as (port, _), await connect(port) as stream:
        await stream.write(b"hello")
        await stream.write_eof()
        assert await stream.read_all() == b"olleh"
        with pytest.raises(LocalError):
            await stream.write(b"more")


@running
async def test_handshake_over_streams_that_are_there() -> None:
    addresses: asyncio.Queue[object] = asyncio.Queue()

    async def handle(stream: TLSStream) -> None:
        addresses.put_nowait(stream.get_extra_info("peername"))
        await echo(stream)

    async with serving(handle) as (port, _):
        reader, writer = await asyncio.open_connection(ADDRESS, port)
        async with await aio.connect_over(
            reader, writer, "localhost", verify=TRUSTED, timeout=LIMIT
        ) as stream:
            await stream.write(b"hello")
            assert await stream.read() == b"hello"
            assert await addresses.get() == stream.get_extra_info("sockname")
        reader, writer = await asyncio.open_connection(ADDRESS, port)
        with pytest.raises(NetError, match="is no host name"):
            await aio.connect_over(reader, writer, "a..b", verify=TRUSTED)
        assert writer.is_closing()


@running
async def test_every_connection_has_its_observer() -> None:
    made: list[Observer] = []

    def make() -> Observer:
        made.append(Observer())
        return made[-1]

    async with await aio.start_server(echo, config=SERVER, timeout=LIMIT, make_observer=make) as server:
        for _ in range(2):
            async with await connect(server.port) as stream:
                await stream.write(b"x")
                await stream.read()
    assert len(made) == 2


@running
async def test_truncation_is_an_error() -> None:
    async def cut(stream: TLSStream) -> None:
        await stream.write(b"half")
        stream._writer.transport.abort()

    async with serving(cut) as (port, _), await connect(port) as stream:
        assert await stream.read_exactly(4) == b"half"
        with pytest.raises((PeerError, ConnectionResetError)):
            await stream.read()


@running
async def test_refusal_reaches_both_sides() -> None:
    async with serving() as (port, reported):
        with pytest.raises(PeerError) as caught:
            await aio.open_connection("localhost", port, timeout=LIMIT)
        assert caught.value.reason is reasons.UNKNOWN_CA
        error = await reported.get()
        assert isinstance(error, AlertReceived)
        assert error.description == AlertDescription.UNKNOWN_CA
        with pytest.raises(PeerError, match=r"example\.org is not in it"):
            await connect(port, config=ClientConfig(server_name="example.org"))


@running
async def test_session_and_early_data() -> None:
    early: asyncio.Queue[bytes] = asyncio.Queue()

    async def handle(stream: TLSStream) -> None:
        early.put_nowait(stream.early_data)
        await stream.write(await stream.read())

    config = replace(SERVER, sessions=MemorySessions(time.time), max_early_data=100, accept_early_data=True)
    async with serving(handle, config) as (port, _):
        async with await connect(port) as stream:
            await stream.write(b"1")
            assert await stream.read_all() == b"1"
        again = ClientConfig(session=stream.sessions[0], early_data=True)
        async with await connect(port, config=again, early_data=b"quick") as stream:
            assert stream.negotiated.early_data == "accepted"
            await stream.write(b"2")
            assert await stream.read_all() == b"2"
        assert [await early.get(), await early.get()] == [b"", b"quick"]


@running
async def test_slow_keys_hold_up_nobody_else() -> None:
    """The signature waits until another client has been served: with the loop blocked, neither would be."""
    other_served = threading.Event()

    def sign(scheme: SignatureScheme, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        assert other_served.wait(LIMIT)
        return sign_with_key(scheme, key, data, entropy)

    slow = replace(SERVER, sign=sign)
    async with serving(config=slow, deferred=frozenset({"signature"})) as (port, _), serving() as (quick, _):
        first = asyncio.create_task(connect(port))
        async with await connect(quick) as stream:
            assert stream.connection.is_established
        assert not first.done()
        other_served.set()
        async with await first as stream:
            await stream.write(b"x")
            assert await stream.read() == b"x"


@running
async def test_an_answer_that_fails_ends_the_handshake() -> None:
    def refuse(*_: object) -> bytes:
        raise LocalError(reasons.INTERNAL_ERROR, "the token was pulled out")

    def blunder(*_: object) -> bytes:
        raise ZeroDivisionError

    for sign, error in ((refuse, LocalError), (blunder, ZeroDivisionError)):
        config = replace(SERVER, sign=sign)
        async with serving(config=config, deferred=frozenset({"signature"})) as (port, reported):
            with pytest.raises(AlertReceived) as caught:
                await connect(port)
            assert caught.value.description == AlertDescription.INTERNAL_ERROR
            assert isinstance(await reported.get(), error)


@running
async def test_certificate_asked_for_later() -> None:
    chains: asyncio.Queue[int] = asyncio.Queue()

    async def handle(stream: TLSStream) -> None:
        assert isinstance(stream.connection, ServerConnection)
        stream.connection.request_certificate()
        await stream.write(b"who are you?")
        assert await stream.read() == b"you have it in writing"
        assert stream.verification is not None
        chains.put_nowait(len(stream.negotiated.peer_certificates))

    client = ClientConfig(post_handshake_auth=True, identities=(AUTHORITY.issue(["someone"], client=True),))
    async with serving(handle) as (port, reported):
        async with await connect(port, config=client) as stream:
            assert await stream.read() == b"who are you?"
            await stream.write(b"you have it in writing")
            assert await chains.get() == 1
        assert reported.empty()


@running
async def test_a_silent_server_meets_the_time_limit() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(listen, ADDRESS, 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError, match=r"within 1 second, waiting to read server hello"):
            await aio.open_connection(ADDRESS, port, timeout=1)
        assert (await heard.get()).endswith(bytes((2, AlertDescription.USER_CANCELED)))


@running
async def test_a_silent_client_meets_the_time_limit() -> None:
    reported: asyncio.Queue[Exception] = asyncio.Queue()
    server = await aio.start_server(echo, config=SERVER, timeout=0.1, report=reported.put_nowait)
    async with server:
        _, writer = await asyncio.open_connection(ADDRESS, server.port)
        assert "waiting to read client hello" in str(await reported.get())
        writer.close()
        await writer.wait_closed()


@running
async def test_a_handshake_that_is_called_off_is_over_at_once() -> None:
    """close_notify in the handshake neither waits for the time limit nor spins."""
    client = ClientConnection(ClientConfig())
    client.start()
    client.close()
    reported: asyncio.Queue[Exception] = asyncio.Queue()
    server = await aio.start_server(echo, config=SERVER, timeout=10, report=reported.put_nowait)
    async with server:
        _, writer = await asyncio.open_connection(ADDRESS, server.port)
        writer.write(client.data_to_send())
        writer.write_eof()
        error = await reported.get()
        writer.close()
    assert isinstance(error, PeerError)
    assert error.reason is reasons.HANDSHAKE_CALLED_OFF


@running
async def test_a_read_that_times_out_can_be_repeated() -> None:
    go = asyncio.Event()

    async def late(stream: TLSStream) -> None:
        await go.wait()
        await stream.write(b"late")

    async with serving(late) as (port, _), await connect(port) as stream:
        stream.timeout = 0.1
        with pytest.raises(TimeoutError, match=r"the read was not done within 0\.1 seconds"):
            await stream.read()
        go.set()
        stream.timeout = LIMIT
        assert await stream.read() == b"late"


@running
async def test_a_write_that_nobody_takes_meets_the_time_limit() -> None:
    async def idle(_: TLSStream) -> None:
        await asyncio.sleep(LIMIT)

    async with serving(idle) as (port, _):
        stream = await connect(port)
        stream.timeout = 0.2
        with pytest.raises(TimeoutError, match="the write was not done"):
            await stream.write(bytes(1 << 25))
        await stream.abort()


@running
async def test_handlers_failures_are_reported_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_: TLSStream) -> None:
        raise KeyError("bad")

    async with serving(fail) as (port, reported), await connect(port) as stream:
        with pytest.raises(AlertReceived):
            await stream.read()
        assert isinstance(await reported.get(), KeyError)
    caplog.set_level(logging.INFO, "handglass")
    async with (
        await aio.start_server(fail, config=SERVER, timeout=LIMIT) as server,
        await connect(server.port) as stream,
    ):
        with pytest.raises(AlertReceived):
            await stream.read()
    assert "a handler failed" in caplog.text


@running
async def test_closing_a_server_cuts_its_clients_off() -> None:
    async with serving() as (port, _):
        stream = await connect(port)
    with pytest.raises((PeerError, AlertReceived, OSError)):
        await stream.read()
    await stream.abort()


@running
async def test_more_clients_than_allowed_are_turned_away() -> None:
    server = await aio.start_server(echo, config=SERVER, timeout=LIMIT, max_clients=1)
    async with server, await connect(server.port) as first:
        with pytest.raises((OSError, PeerError), match="read server hello"):
            await connect(server.port)
        await first.write(b"x")
        assert await first.read() == b"x"


@running
async def test_serving_for_ever_ends_when_cancelled() -> None:
    server = await aio.start_server(echo, config=SERVER)
    task = asyncio.create_task(server.serve_forever())
    async with await connect(server.port):
        pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(OSError, match=r"refused|Connect"):
        await connect(server.port)


# Others ----------------------------------------------------------------------------------------------------


@running
async def test_blocking_client() -> None:
    def client(port: int) -> bytes:
        with blocking.connect("localhost", port, verify=TRUSTED, timeout=LIMIT) as stream:
            stream.write(b"hello")
            return stream.read()

    async with serving() as (port, _):
        assert await asyncio.to_thread(client, port) == b"hello"


@running
async def test_python_ssl_as_client() -> None:
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(AUTHORITY.certificate))
    async with serving() as (port, _):
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("key_type", ["rsa", "ed25519"])
@running
async def test_python_ssl_as_server(pki: Pki, key_type: str) -> None:
    identity = pki.server(key_type)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.chain, identity.key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()
        await writer.wait_closed()

    trusted = Verification(trust=TrustOptions(file=str(identity.root)))
    async with await asyncio.start_server(answer, ADDRESS, 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        async with await connect(port, verify=trusted) as stream:
            await stream.write(b"hello")
            assert await stream.read_all() == b"hello"


@needs("openssl")
@running
async def test_openssl_as_server(pki: Pki) -> None:
    identity = pki.server("rsa")
    trusted = Verification(trust=TrustOptions(file=str(identity.root)))
    with OpenSSLServer(identity, "-rev") as server:
        async with await connect(server.port, verify=trusted) as stream:
            await stream.write(b"hello\n")
            assert await stream.read_exactly(6) == b"olleh\n"


@needs("openssl")
@running
async def test_openssl_as_client(pki: Pki) -> None:
    async def reverse(stream: TLSStream) -> None:
        await stream.write((await stream.read())[::-1])

    identity = pki.server("rsa")
    config = ServerConfig(identities=(load_identity(identity.chain, identity.key),))
    async with serving(reverse, config) as (port, _):
        outcome = await asyncio.to_thread(OpenSSLClient(trust=identity.root).exchange, port, b"hello")
    assert "olleh" in outcome.text
    assert "Verification: OK" in outcome.text
