"""Connecting: all addresses of a name in the manner of happy eyeballs (RFC 8305), each attempt reported.

The addresses are tried in turn, families alternating (§4); the next attempt begins when 250 ms have passed or
when one has failed (§5); the first that stands wins and the others are given up. One difference to the RFC:
the resolver gives all its addresses at once, so that there is no waiting for a late AAAA answer (§3). One
address is the same with a list of one: no thread, no event loop.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum

from handglass.net.dial.lookup import LOOKUP_SECONDS, Address, look_up
from handglass.net.dial.targets import Target, UnixTarget
from handglass.net.errors import NetCode, NetError
from handglass.records import Frozen

CONNECT_SECONDS = 30.0
ATTEMPT_DELAY = 0.25
TCP_FASTOPEN_CONNECT = 30  # Linux; the socket module does not name it
IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class AttemptOutcome(StrEnum):
    """How an attempt ended."""

    CONNECTED = "connected"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    GIVEN_UP = "given up: another address was quicker"


class Attempt(Frozen):
    """One address tried: `seconds` from its start to its end, `began` seconds after the first one's start."""

    address: Address | UnixTarget
    outcome: AttemptOutcome
    errno: int
    began: float
    seconds: float

    def __str__(self) -> str:
        what = os.strerror(self.errno) if self.outcome is AttemptOutcome.FAILED else str(self.outcome)
        return f"{self.address} {what} ({self.seconds * 1000:.0f} ms)"


class DialOptions(Frozen):
    """How to connect. Seconds of None: no limit. `family` and `kind` are the socket module's constants.

    `bind` is the local address (for a Unix-domain socket its host is the source path); `tell` gets each
    attempt as soon as it has ended. With `fast_open` (RFC 7413) a connection may count as connected before
    the peer has answered; what is wrong with it then shows at the first write or read.
    """

    family: int = socket.AF_UNSPEC
    kind: int = socket.SOCK_STREAM
    bind: Target | None = None
    fast_open: bool = False
    lookup_seconds: float | None = LOOKUP_SECONDS
    connect_seconds: float | None = CONNECT_SECONDS
    attempt_delay: float = ATTEMPT_DELAY
    tell: Callable[[Attempt], None] | None = None


class Dialled(Frozen):
    """A connected, blocking socket, where it leads, the attempts as they ended, the time spent."""

    socket: socket.socket
    address: Address | UnixTarget
    attempts: tuple[Attempt, ...]
    lookup_seconds: float
    connect_seconds: float


class ConnectError(NetError):
    """No address could be reached. `attempts` says what happened with each; `errno` is that of the last."""

    def __init__(
        self, code: NetCode, sentence: str, errno: int = 0, reason: str = "", attempts: Iterable[Attempt] = ()
    ) -> None:
        super().__init__(code, sentence, errno, reason)
        self.attempts = tuple(attempts)


def dial(target: Target | UnixTarget, options: DialOptions | None = None) -> Dialled:
    """Connect to `target`.

    Raises `NetError`: LOOKUP_FAILED, LOOKUP_TIMEOUT, NAME_MALFORMED, BIND_FAILED; `ConnectError`:
    CONNECT_FAILED, CONNECT_TIMEOUT.
    """
    options = options or DialOptions()
    began = time.monotonic()
    if isinstance(target, UnixTarget):
        sock, attempt = _connect_unix(target, options)
        return Dialled(sock, target, (attempt,), 0.0, attempt.seconds)
    addresses = look_up(target, options.family, options.kind, options.lookup_seconds)
    local: list[Address] = []
    if options.bind is not None:
        local = _local_addresses(options.bind, options)
        addresses = [a for a in addresses if any(a.family == source.family for source in local)]
        if not addresses:
            reason = "Address family for hostname not supported"
            sentence = f"no address of {target.host} has the family of the local address {options.bind.host}"
            raise NetError(NetCode.BIND_FAILED, sentence, errno.EAFNOSUPPORT, reason)
    looked_up = time.monotonic()
    race = _Race(target, alternating(addresses), local, options)
    try:
        sock, address = race.run()
    finally:
        race.give_up_rest()
    connected = time.monotonic()
    return Dialled(sock, address, tuple(race.attempts), looked_up - began, connected - looked_up)


def alternating(addresses: list[Address]) -> list[Address]:
    """Order so that families alternate, beginning with the resolver's first choice (RFC 8305 §4)."""
    first = [a for a in addresses if a.family == addresses[0].family]
    others = [a for a in addresses if a.family != addresses[0].family]
    ordered: list[Address] = []
    for turn in range(max(len(first), len(others))):
        ordered += first[turn : turn + 1] + others[turn : turn + 1]
    return ordered


class _Pending(Frozen):
    sock: socket.socket
    address: Address
    began: float


class _Race:
    """The attempts at one target: RFC 8305 §5."""

    def __init__(
        self, target: Target, addresses: list[Address], local: list[Address], options: DialOptions
    ) -> None:
        self._target = target
        self._queue = deque(addresses)
        self._local = local
        self._options = options
        self._pending: dict[int, _Pending] = {}
        self._poll = select.poll()
        self._began = time.monotonic()
        self.attempts: list[Attempt] = []

    def run(self) -> tuple[socket.socket, Address]:
        """Return the socket that stood first. Raises ConnectError when none is left or the time is over."""
        seconds = self._options.connect_seconds
        deadline = self._began + seconds if seconds is not None else None
        next_start = self._began
        while self._queue or self._pending:
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise self._timed_out(now)
            if self._queue and (now >= next_start or not self._pending):
                next_start = now + self._options.attempt_delay
                winner = self._start(self._queue.popleft())
            else:
                waits = [t for t in (deadline, next_start if self._queue else None) if t is not None]
                winner, failed = self._wait(max(0.0, min(waits) - now) if waits else None)
                if failed:
                    next_start = now
            if winner is not None:
                return winner.sock, winner.address
        raise self._failed()

    def give_up_rest(self) -> None:
        """Close what is still pending, and say so."""
        for pending in list(self._pending.values()):
            self._end(pending, AttemptOutcome.GIVEN_UP)

    def _start(self, address: Address) -> _Pending | None:
        """Begin an attempt; it is given back if it stands at once."""
        try:
            sock = socket.socket(address.family, self._options.kind)
        except OSError as error:  # no IPv6 in this kernel, or no file descriptor left
            self._report(address, time.monotonic(), AttemptOutcome.FAILED, error.errno or 0)
            return None
        pending = _Pending(sock, address, time.monotonic())
        self._pending[pending.sock.fileno()] = pending
        pending.sock.setblocking(False)
        _prepare(pending.sock, address, self._local, self._options)
        code = pending.sock.connect_ex(address.sockaddr)
        if code == 0:
            return self._won(pending)
        if code not in IN_PROGRESS:
            self._end(pending, AttemptOutcome.FAILED, code)
            return None
        self._poll.register(pending.sock, select.POLLOUT)
        return None

    def _wait(self, seconds: float | None) -> tuple[_Pending | None, bool]:
        """Return the attempt that came to stand, and whether one failed, within `seconds`."""
        failed = False
        for fd, _event in self._poll.poll(None if seconds is None else seconds * 1000):
            pending = self._pending[fd]
            self._poll.unregister(fd)
            code = pending.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return self._won(pending), failed
            self._end(pending, AttemptOutcome.FAILED, code)
            failed = True
        return None, failed

    def _won(self, pending: _Pending) -> _Pending:
        pending.sock.setblocking(True)
        self._report(pending.address, pending.began, AttemptOutcome.CONNECTED)
        del self._pending[pending.sock.fileno()]
        return pending

    def _end(self, pending: _Pending, outcome: AttemptOutcome, code: int = 0) -> None:
        del self._pending[pending.sock.fileno()]
        pending.sock.close()
        self._report(pending.address, pending.began, outcome, code)

    def _report(self, address: Address, began: float, outcome: AttemptOutcome, code: int = 0) -> None:
        attempt = Attempt(address, outcome, code, began - self._began, time.monotonic() - began)
        self.attempts.append(attempt)
        if self._options.tell is not None:
            self._options.tell(attempt)

    def _timed_out(self, now: float) -> ConnectError:
        for pending in list(self._pending.values()):
            self._end(pending, AttemptOutcome.TIMED_OUT, errno.ETIMEDOUT)
        sentence = f"no connection to {self._target} within {now - self._began:.1f} seconds"
        reason = os.strerror(errno.ETIMEDOUT)
        return ConnectError(NetCode.CONNECT_TIMEOUT, sentence, errno.ETIMEDOUT, reason, self.attempts)

    def _failed(self) -> ConnectError:
        last = self.attempts[-1]
        reason = os.strerror(last.errno)
        if len(self.attempts) == 1:
            sentence = f"no connection to {self._target}: {reason}"
        else:
            each = "; ".join(f"{attempt.address} {os.strerror(attempt.errno)}" for attempt in self.attempts)
            sentence = f"no connection to any address of {self._target}: {each}"
        return ConnectError(NetCode.CONNECT_FAILED, sentence, last.errno, reason, self.attempts)


def _prepare(sock: socket.socket, address: Address, local: list[Address], options: DialOptions) -> None:
    if options.kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if options.fast_open:
            with suppress(OSError):  # RFC 7413: where the kernel cannot, the connection is an ordinary one
                sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    for source in local:
        if source.family == address.family:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(source.sockaddr)
            except OSError as error:
                raise _bind_failed(str(source), error) from None
            return


def _local_addresses(bind: Target, options: DialOptions) -> list[Address]:
    if bind.host:
        return look_up(bind, options.family, options.kind, options.lookup_seconds)
    families = (socket.AF_INET6, socket.AF_INET)
    wanted = [f for f in families if options.family in (socket.AF_UNSPEC, f)]
    return [Address(f, ("::" if f == socket.AF_INET6 else "0.0.0.0", bind.number)) for f in wanted]


def _connect_unix(target: UnixTarget, options: DialOptions) -> tuple[socket.socket, Attempt]:
    began = time.monotonic()
    deadline = began + options.connect_seconds if options.connect_seconds is not None else None
    sock = socket.socket(socket.AF_UNIX, options.kind)
    try:
        if options.bind is not None:
            try:
                sock.bind(options.bind.host)
            except OSError as error:
                raise _bind_failed(options.bind.host, error) from None
        code = _connect_path(sock, target.path, deadline)
    except BaseException:
        sock.close()
        raise
    seconds = time.monotonic() - began
    outcome = {0: AttemptOutcome.CONNECTED, errno.ETIMEDOUT: AttemptOutcome.TIMED_OUT}.get(
        code, AttemptOutcome.FAILED
    )
    attempt = Attempt(target, outcome, code, 0.0, seconds)
    if options.tell is not None:
        options.tell(attempt)
    if code:
        sock.close()
        kind = NetCode.CONNECT_TIMEOUT if code == errno.ETIMEDOUT else NetCode.CONNECT_FAILED
        reason = os.strerror(code)
        raise ConnectError(
            kind, f"no connection to the socket {target.path}: {reason}", code, reason, (attempt,)
        )
    return sock, attempt


def _connect_path(sock: socket.socket, path: str, deadline: float | None) -> int:
    """Connect; the errno, or 0. A full queue of the listener (EAGAIN) is tried again until the deadline."""
    sock.setblocking(False)
    while True:
        try:
            code = sock.connect_ex(path)
        except OSError as error:  # a path that does not fit has no errno
            code = error.errno or errno.ENAMETOOLONG
        if code != errno.EAGAIN:
            sock.setblocking(True)
            return code
        if deadline is not None and time.monotonic() >= deadline:
            return errno.ETIMEDOUT
        time.sleep(0.01)


def _bind_failed(where: str, error: OSError) -> NetError:
    reason = error.strerror or str(error)
    return NetError(
        NetCode.BIND_FAILED, f"the local address {where} cannot be used: {reason}", error.errno or 0, reason
    )
