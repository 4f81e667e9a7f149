"""A blocking driver: a dialogue over a connected socket, with a time limit per step.

A step is one thing said and its whole answer, however many lines it has: a peer that dribbles bytes or lines
gains no time. When the dialogue is over, whatever has come already is collected without waiting: a server has
nothing to say between its go-ahead and our hello, so such bytes matter (CVE-2011-0411).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Generic, Literal, TypeAlias, TypeVar

from handglass.net.dialogue.exchange import Exchange
from handglass.net.dialogue.steps import Dialogue, Finding
from handglass.net.errors import NetCode, NetError, span
from handglass.records import dataclass, field

T = TypeVar("T")
STEP_SECONDS = 30.0
CHUNK = 4096
Observer: TypeAlias = Callable[[Literal["sent", "received"], bytes], None]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a dialogue agreed, what it found, and the bytes that came beyond its end."""

    value: T
    findings: tuple[Finding, ...]
    leftover: bytes = field(repr=False)


def converse(
    sock: socket.socket,
    dialogue: Dialogue[T],
    *,
    step_seconds: float | None = STEP_SECONDS,
    initial: bytes = b"",
    observe: Observer | None = None,
    tell: Callable[[Finding], None] | None = None,
) -> Outcome[T]:
    """Run `dialogue` over `sock`.

    `initial` is what the peer said before (the leftover of a proxy's dialogue). `observe` sees all bytes but
    secret ones, which it gets as so many asterisks; `tell` gets each finding when it is found. Raises
    `NetError`: STEP_TIMEOUT, PEER_CLOSED, PEER_RESET, or what the dialogue raised. The socket's own timeout
    is put back at the end.
    """
    before = sock.gettimeout()
    exchange = Exchange(dialogue, tell=tell)
    try:
        if initial:
            exchange.receive(initial)
        _run(sock, exchange, step_seconds, observe)
        if not exchange.leftover:
            _collect(sock, exchange, observe)
    except TimeoutError:
        raise _no_answer(exchange.awaited, step_seconds) from None
    except OSError as error:
        sentence = f"the connection broke while waiting for {exchange.awaited}: {error.strerror}"
        raise NetError(NetCode.PEER_RESET, sentence, error.errno or 0, error.strerror or "") from None
    finally:
        sock.settimeout(before)
    return Outcome(exchange.value, tuple(exchange.findings), exchange.leftover)


def _run(
    sock: socket.socket, exchange: Exchange[T], step_seconds: float | None, observe: Observer | None
) -> None:
    step, deadline = -1, 0.0
    while True:
        if step != exchange.steps and step_seconds is not None:
            step, deadline = exchange.steps, time.monotonic() + step_seconds
        if outgoing := exchange.data_to_send():
            _limit(sock, deadline, step_seconds)
            sock.sendall(b"".join(said.data for said in outgoing))
            for said in outgoing:
                if observe is not None:
                    observe("sent", b"*" * len(said.data) if said.secret else said.data)
        if exchange.done:
            return
        _limit(sock, deadline, step_seconds)
        data = sock.recv(CHUNK)
        if not data:
            exchange.receive_eof()
        if observe is not None:
            observe("received", data)
        exchange.receive(data)


def _limit(sock: socket.socket, deadline: float, step_seconds: float | None) -> None:
    """Let the next call on `sock` take no longer than to `deadline`."""
    if step_seconds is None:
        sock.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _collect(sock: socket.socket, exchange: Exchange[T], observe: Observer | None) -> None:
    """Take what has come already. Whether the peer has closed is for the next reader to find."""
    sock.settimeout(0)
    try:
        data = sock.recv(CHUNK)
    except OSError:
        return
    if data and observe is not None:
        observe("received", data)
    exchange.receive(data)


def _no_answer(awaited: str, step_seconds: float | None) -> NetError:
    limit = span(step_seconds) if step_seconds is not None else "the time that the system gives"
    return NetError(NetCode.STEP_TIMEOUT, f"no answer within {limit} while waiting for {awaited}")
