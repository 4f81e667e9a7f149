"""A peer that stalls or vanishes, a caller that gives up: in every phase it ends soon, and no socket is left.

A socket that is only forgotten would be a ResourceWarning, which is an error here.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from handglass.handshake.config import ServerConfig
from handglass.net import aio, blocking
from handglass.net.errors import NetError
from handglass.registry import reasons
from handglass.registry.errors import LocalError, TLSError
from net.stalling import ENDS, LIMIT, POINTS, Stalling, stalling
from support.engines import identity

CONFIG = ServerConfig(identities=(identity("p256"),))
MUCH = bytes(32 << 20)
"""More than any socket's buffers take."""
DOINGS = ("connect silent", "connect half", "read", "write", "close")
CASES = [pytest.param(doing, end, id=f"{doing}, {end}") for doing, end in itertools.product(DOINGS, ENDS)]
SHORT = 0.2
FAILURES = (TimeoutError, NetError, TLSError, OSError)


@pytest.fixture(autouse=True)
def _parting_is_short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aio, "LINGER", SHORT)
    monkeypatch.setattr(blocking, "LINGER", SHORT)
    start = time.monotonic()
    yield
    gc.collect()
    assert time.monotonic() - start < LIMIT


def point_of(doing: str) -> str:
    point = doing.rpartition(" ")[2]
    return point if point in POINTS else "open"


# Blocking.


def do(doing: str, port: int, timeout: float | None) -> None:
    with blocking.connect("127.0.0.1", port, verify=False, timeout=timeout) as stream:
        if doing == "read":
            stream.read()
        elif doing == "write":
            stream.write(MUCH)


@pytest.mark.parametrize(("doing", "end"), CASES)
def test_a_peer_of_a_blocking_caller(doing: str, end: str) -> None:
    with stalling(CONFIG, point_of(doing), end) as server:
        if end != "stay":
            server.vanish.set()  # as soon as it is there
        timeout = SHORT if end == "stay" else LIMIT
        if doing == "close":
            do(doing, server.port, LIMIT)
            return
        with pytest.raises(FAILURES) as caught:
            do(doing, server.port, timeout)
        assert isinstance(caught.value, TimeoutError) == (end == "stay")


class InterruptError(BaseException):
    """What Ctrl-C is to a program."""


@pytest.mark.parametrize("doing", DOINGS)
def test_a_blocking_caller_that_is_interrupted(doing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise InterruptError

    def ring(server: Stalling) -> None:
        server.reached.wait()
        signal.setitimer(signal.ITIMER_REAL, SHORT)

    if doing == "close":
        monkeypatch.setattr(blocking, "LINGER", LIMIT)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with stalling(CONFIG, point_of(doing)) as server:
            threading.Thread(target=ring, args=(server,), daemon=True).start()
            with pytest.raises(InterruptError):
                do(doing, server.port, LIMIT)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# asyncio.


async def do_async(doing: str, port: int, timeout: float | None) -> None:
    async with await aio.open_connection("127.0.0.1", port, verify=False, timeout=timeout) as stream:
        if doing == "read":
            await stream.read()
        elif doing == "write":
            await stream.write(MUCH)


async def under_way(server: Stalling) -> None:
    """Wait until the peer stands still and the task has had every chance to wait for it."""
    while not server.reached.is_set():
        await asyncio.sleep(0.002)
    await asyncio.sleep(SHORT / 4)


@pytest.mark.parametrize(("doing", "end"), CASES)
def test_a_peer_of_a_task(doing: str, end: str) -> None:
    with stalling(CONFIG, point_of(doing), end) as server:
        if end != "stay":
            server.vanish.set()
        timeout = SHORT if end == "stay" else LIMIT
        if doing == "close":
            asyncio.run(do_async(doing, server.port, LIMIT))
            return
        with pytest.raises(FAILURES) as caught:
            asyncio.run(do_async(doing, server.port, timeout))
        assert isinstance(caught.value, TimeoutError) == (end == "stay")


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("doing", DOINGS)
def test_a_task_that_is_cancelled(doing: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled again while it parts from its peer, it is gone at once."""
    if times > 1 or doing == "close":
        monkeypatch.setattr(aio, "LINGER", LIMIT)

    async def cancel(server: Stalling) -> None:
        task = asyncio.ensure_future(do_async(doing, server.port, None))
        await under_way(server)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(SHORT / 4)
        with pytest.raises(asyncio.CancelledError):
            await task

    with stalling(CONFIG, point_of(doing)) as server:
        start = time.monotonic()
        asyncio.run(cancel(server))
        assert time.monotonic() - start < LIMIT / 2


def test_a_stream_that_is_closed_while_somebody_reads() -> None:
    async def close(server: Stalling) -> None:
        stream = await aio.open_connection("127.0.0.1", server.port, verify=False, timeout=LIMIT)
        reading = asyncio.ensure_future(stream.read())
        await under_way(server)
        await stream.close()
        with pytest.raises(LocalError) as caught:
            await reading
        assert caught.value.reason is reasons.CONNECTION_OVER

    with stalling(CONFIG, "open") as server:
        asyncio.run(close(server))


def test_a_loop_that_ends_under_a_stream() -> None:
    """asyncio.run cancels what is left: that is enough."""

    async def leave(server: Stalling) -> None:
        task = asyncio.ensure_future(do_async("read", server.port, None))
        await under_way(server)
        assert not task.done()

    with stalling(CONFIG, "open") as server:
        asyncio.run(leave(server))
