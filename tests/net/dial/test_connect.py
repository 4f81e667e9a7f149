"""Dialling on loopback.

Each attempt reported, the quicker family wins, limits hold, sources and Unix sockets.
"""

from __future__ import annotations

import errno
import gc
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handglass.net.dial import (
    Address,
    Attempt,
    AttemptOutcome,
    ConnectError,
    DialOptions,
    Target,
    UnixTarget,
    dial,
    look_up,
)
from handglass.net.dial.connect import alternating
from handglass.net.errors import NetCode, NetError
from support.processes import closed_port, free_port


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def listener6() -> Iterator[socket.socket]:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as sock:
        yield sock


def port_of(sock: socket.socket) -> int:
    port = sock.getsockname()[1]
    assert isinstance(port, int)
    return port


@pytest.fixture
def closed() -> Iterator[int]:
    with closed_port() as port:
        yield port


@pytest.fixture
def deaf() -> Iterator[int]:
    """Return a port that neither accepts nor refuses.

    Its queue is full, so that the kernel drops what comes.
    """
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(sock.getsockname())
            fillers.append(filler)
        time.sleep(0.05)
        yield port_of(sock)
        for filler in fillers:
            filler.close()


def names(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Let every name have these addresses, in this order."""

    def answer(*_question: Any) -> list[Any]:
        return [
            (
                socket.AF_INET6 if ":" in host else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (host, port, 0, 0) if ":" in host else (host, port),
            )
            for host, port in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_an_address_starts_no_thread(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise AssertionError("a thread for an IP address")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    dialled = dial(Target("127.0.0.1", str(port_of(listener))))
    with dialled.socket as sock:
        assert sock.getpeername() == listener.getsockname()
        assert sock.gettimeout() is None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert dialled.address == Address(socket.AF_INET, ("127.0.0.1", port_of(listener)))
    assert [attempt.outcome for attempt in dialled.attempts] == [AttemptOutcome.CONNECTED]


def test_ipv6(listener6: socket.socket) -> None:
    with dial(Target("::1", str(port_of(listener6)))).socket as sock:
        assert sock.family == socket.AF_INET6


def test_a_name(listener: socket.socket) -> None:
    dialled = dial(Target("localhost", str(port_of(listener))))
    dialled.socket.close()
    assert dialled.attempts[-1].outcome == AttemptOutcome.CONNECTED
    assert dialled.lookup_seconds >= 0


def test_refused(closed: int) -> None:
    with pytest.raises(ConnectError, match="Connection refused") as caught:
        dial(Target("127.0.0.1", str(closed)))
    assert caught.value.code == NetCode.CONNECT_FAILED
    assert caught.value.errno == errno.ECONNREFUSED
    assert caught.value.reason == "Connection refused"
    assert [attempt.outcome for attempt in caught.value.attempts] == [AttemptOutcome.FAILED]


def test_all_addresses_refused(closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ("::1", closed), ("127.0.0.1", closed), ("127.0.0.2", closed))
    told: list[Attempt] = []
    with pytest.raises(
        ConnectError, match=rf"\[::1\]:{closed} Connection refused; 127\.0\.0\.1:{closed}"
    ) as caught:
        dial(Target("server.test", "1"), DialOptions(tell=told.append))
    assert len(caught.value.attempts) == 3
    assert tuple(told) == caught.value.attempts


def test_a_refusal_starts_the_next_at_once(
    listener: socket.socket, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ("::1", closed), ("127.0.0.1", port_of(listener)))
    dialled = dial(Target("server.test", "1"), DialOptions(attempt_delay=60))
    dialled.socket.close()
    assert [a.outcome for a in dialled.attempts] == [AttemptOutcome.FAILED, AttemptOutcome.CONNECTED]
    assert str(dialled.attempts[0]).startswith("[::1]:")
    assert "Connection refused" in str(dialled.attempts[0])


def test_silence_starts_the_next_after_the_delay(
    listener: socket.socket, deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ("127.0.0.1", deaf), ("127.0.0.1", port_of(listener)))
    dialled = dial(Target("server.test", "1"), DialOptions(attempt_delay=0.1))
    dialled.socket.close()
    winner, given_up = dialled.attempts
    assert winner.outcome == AttemptOutcome.CONNECTED
    assert winner.began >= 0.1
    assert given_up.outcome == AttemptOutcome.GIVEN_UP
    assert given_up.seconds >= 0.1


def test_the_connect_limit(deaf: int) -> None:
    began = time.monotonic()
    with pytest.raises(
        ConnectError, match=r"no connection to 127\.0\.0\.1:\d+ within \d+\.\d seconds"
    ) as caught:
        dial(Target("127.0.0.1", str(deaf)), DialOptions(connect_seconds=0.2))
    assert time.monotonic() - began < 60
    assert caught.value.code == NetCode.CONNECT_TIMEOUT
    assert caught.value.errno == errno.ETIMEDOUT
    assert [attempt.outcome for attempt in caught.value.attempts] == [AttemptOutcome.TIMED_OUT]


def test_the_lookup_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def never(*_question: Any) -> list[Any]:
        released.wait(90)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    began = time.monotonic()
    with pytest.raises(NetError, match=r"no answer about the name server\.test") as caught:
        dial(Target("server.test", "1"), DialOptions(lookup_seconds=0.1))
    released.set()
    assert time.monotonic() - began < 60
    assert caught.value.code == NetCode.LOOKUP_TIMEOUT


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_question: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NetError, match="Name or service not known") as caught:
        dial(Target("nosuch.test", "1"))
    assert caught.value.code == NetCode.LOOKUP_FAILED
    assert caught.value.errno == 0
    assert caught.value.reason == "Name or service not known"


@pytest.mark.parametrize(
    ("family", "sentence"),
    [
        (socket.AF_INET, "no IPv4 address of server.test was found: "),
        (socket.AF_INET6, "no IPv6 address of "),
    ],
)
def test_a_name_without_an_address_of_the_family(
    monkeypatch: pytest.MonkeyPatch, family: int, sentence: str
) -> None:
    def unknown(*_question: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NetError, match=sentence):
        dial(Target("server.test", "1"), DialOptions(family=family))


@pytest.mark.parametrize(
    ("host", "family"),
    [("127.0.0.1", socket.AF_INET6), ("::1", socket.AF_INET), ("fe80::1%lo", socket.AF_INET)],
)
def test_the_wrong_family(host: str, family: int) -> None:
    with pytest.raises(NetError, match="Address family for hostname not supported") as caught:
        dial(Target(host, "1"), DialOptions(family=family))
    assert caught.value.errno == 0


@pytest.mark.parametrize(
    ("host", "expected"), [("127.1", "127.0.0.1"), ("0x7f000001", "127.0.0.1"), ("fe80::1%lo", "fe80::1")]
)
def test_unusual_addresses(host: str, expected: str) -> None:
    assert str(look_up(Target(host, "1"))[0].sockaddr[0]).partition("%")[0] == expected


def test_families_alternate() -> None:
    def v6(n: int) -> Address:
        return Address(socket.AF_INET6, (f"::{n}", 1, 0, 0))

    def v4(n: int) -> Address:
        return Address(socket.AF_INET, (f"127.0.0.{n}", 1))

    assert alternating([v6(1), v6(2), v6(3), v4(1)]) == [v6(1), v4(1), v6(2), v6(3)]
    assert alternating([v4(1), v6(1), v4(2), v6(2)]) == [v4(1), v6(1), v4(2), v6(2)]
    assert alternating([v4(1)]) == [v4(1)]


def test_the_local_address(listener: socket.socket) -> None:
    port = str(port_of(listener))
    with dial(Target("127.0.0.1", port), DialOptions(bind=Target("127.0.0.3", "0"))).socket as sock:
        assert sock.getsockname()[0] == "127.0.0.3"
    local = free_port()
    with dial(Target("127.0.0.1", port), DialOptions(bind=Target("", str(local)))).socket as sock:
        assert sock.getsockname()[1] == local


def test_a_local_address_that_is_not_ours() -> None:
    with pytest.raises(NetError, match=r"the local address 192\.0\.2\.1:0 cannot be used") as caught:
        dial(Target("127.0.0.1", "1"), DialOptions(bind=Target("192.0.2.1", "0")))
    assert caught.value.code == NetCode.BIND_FAILED
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_a_local_address_of_the_other_family() -> None:
    with pytest.raises(NetError, match="has the family of the local address ::1") as caught:
        dial(Target("127.0.0.1", "1"), DialOptions(bind=Target("::1", "0")))
    assert caught.value.code == NetCode.BIND_FAILED


def test_fast_open_connects(listener: socket.socket) -> None:
    with dial(Target("127.0.0.1", str(port_of(listener))), DialOptions(fast_open=True)).socket as sock:
        peer, _ = listener.accept()
        sock.sendall(b"x")
        assert peer.recv(1) == b"x"
        peer.close()


def test_datagrams() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        target = Target("127.0.0.1", str(port_of(server)))
        with dial(target, DialOptions(kind=socket.SOCK_DGRAM)).socket as sock:
            sock.send(b"x")
            assert server.recv(10) == b"x"


def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        source = str(tmp_path / "client")
        dialled = dial(UnixTarget(path), DialOptions(bind=Target(source, "0")))
        with dialled.socket as sock:
            assert sock.getsockname() == source
        assert [attempt.outcome for attempt in dialled.attempts] == [AttemptOutcome.CONNECTED]


@pytest.mark.parametrize(("name", "code"), [("nothing", errno.ENOENT), ("x" * 200, errno.ENAMETOOLONG)])
def test_a_unix_socket_that_is_not_there(tmp_path: Path, name: str, code: int) -> None:
    with pytest.raises(ConnectError) as caught:
        dial(UnixTarget(str(tmp_path / name)))
    assert caught.value.errno == code
    assert caught.value.attempts[0].outcome == AttemptOutcome.FAILED


def test_a_unix_socket_that_does_not_accept(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(0)
        with dial(UnixTarget(path)).socket, pytest.raises(ConnectError) as caught:
            dial(UnixTarget(path), DialOptions(connect_seconds=0.1))
    assert caught.value.code == NetCode.CONNECT_TIMEOUT
    assert caught.value.errno == errno.ETIMEDOUT


def test_nothing_is_left_open(deaf: int, closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are errors here: an unclosed socket would fail when it is collected."""
    names(monkeypatch, ("127.0.0.1", deaf), ("127.0.0.1", closed), ("127.0.0.1", deaf))
    with pytest.raises(ConnectError):
        dial(Target("server.test", "1"), DialOptions(connect_seconds=0.2, attempt_delay=0.01))
    gc.collect()
