"""Listening: both families by default, all or nothing, and nobody else's file is touched."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from handglass.net.dial import (
    Listener,
    ListenOptions,
    ListenTarget,
    Target,
    UnixTarget,
    dial,
    open_listeners,
    parse_accept,
)
from handglass.net.errors import NetCode, NetError


def reaches(listener: Listener, host: str) -> bool:
    try:
        dial(Target(host, str(listener.port))).socket.close()
    except NetError:
        return False
    listener.socket.accept()[0].close()
    return True


@pytest.mark.parametrize(
    ("text", "family", "ipv4", "ipv6", "name"),
    [
        ("0", socket.AF_UNSPEC, True, True, "[::]:"),
        ("*:0", socket.AF_UNSPEC, True, True, "[::]:"),
        ("0", socket.AF_INET, True, False, "0.0.0.0:"),
        ("0", socket.AF_INET6, False, True, "[::]:"),
        ("[::]:0", socket.AF_UNSPEC, False, True, "[::]:"),
        ("127.0.0.1:0", socket.AF_UNSPEC, True, False, "127.0.0.1:"),
        ("[::1]:0", socket.AF_UNSPEC, False, True, "[::1]:"),
    ],
)
def test_families(text: str, family: int, ipv4: bool, ipv6: bool, name: str) -> None:
    (listener,) = open_listeners([parse_accept(text)], ListenOptions(family=family))
    assert listener.name == f"{name}{listener.port}"
    assert listener.port != 0
    assert not listener.socket.getblocking()
    assert reaches(listener, "127.0.0.1") == ipv4
    assert reaches(listener, "::1") == ipv6
    listener.close()


def test_a_name_is_listened_to_at_all_its_addresses_on_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_question: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    first, second = open_listeners([ListenTarget("server.test", "0")])
    assert first.port == second.port
    assert (first.name, second.name) == (f"127.0.0.1:{first.port}", f"[::1]:{first.port}")
    first.close()
    second.close()


def test_several_targets() -> None:
    listeners = open_listeners([parse_accept("127.0.0.1:0"), parse_accept("127.0.0.2:0")])
    assert [listener.name.partition(":")[0] for listener in listeners] == ["127.0.0.1", "127.0.0.2"]
    for listener in listeners:
        listener.close()


def test_a_port_in_use_is_an_error_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as free:
        taken, port = other.getsockname()[1], free.getsockname()[1]
        free.close()
        targets = [parse_accept(f"127.0.0.1:{port}"), parse_accept(f"127.0.0.1:{taken}")]
        with pytest.raises(
            NetError, match=rf"cannot listen at 127\.0\.0\.1:{taken}: Address already in use"
        ) as caught:
            open_listeners(targets)
        assert caught.value.code == NetCode.LISTEN_FAILED
        assert caught.value.errno == errno.EADDRINUSE
        assert caught.value.reason == "Address already in use"
        (again,) = open_listeners(targets[:1])
        again.close()


def test_the_wrong_family() -> None:
    with pytest.raises(NetError, match="Address family for hostname not supported"):
        open_listeners([parse_accept("127.0.0.1:0")], ListenOptions(family=socket.AF_INET6))


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(NetError) as caught:
        open_listeners([parse_accept("192.0.2.1:0")])
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_two_processes_may_share_a_port() -> None:
    options = ListenOptions(reuse_port=True)
    (first,) = open_listeners([parse_accept("127.0.0.1:0")], options)
    (second,) = open_listeners([parse_accept(f"127.0.0.1:{first.port}")], options)
    assert first.port == second.port
    first.close()
    second.close()


def test_fast_open_and_datagrams() -> None:
    (stream,) = open_listeners([parse_accept("127.0.0.1:0")], ListenOptions(fast_open=True))
    assert reaches(stream, "127.0.0.1")
    (datagram,) = open_listeners([parse_accept("127.0.0.1:0")], ListenOptions(kind=socket.SOCK_DGRAM))
    assert datagram.socket.type == socket.SOCK_DGRAM
    stream.close()
    datagram.close()


def test_a_unix_socket_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "s"
    (listener,) = open_listeners([UnixTarget(str(path))])
    assert listener.name == f"localhost:{path}"
    dial(UnixTarget(str(path))).socket.close()
    listener.close()
    assert not path.exists()


def test_an_existing_socket_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    (first,) = open_listeners([UnixTarget(str(path))])
    with pytest.raises(NetError, match="Address already in use"):
        open_listeners([UnixTarget(str(path))])
    dial(UnixTarget(str(path))).socket.close()
    first.close()


def test_unlink_takes_the_place_of_an_old_socket_and_of_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "s"
    (old,) = open_listeners([UnixTarget(str(path))])
    (new,) = open_listeners([UnixTarget(str(path))], ListenOptions(unlink=True))
    old.close()
    assert path.exists(), "the old listener must not remove the new one's file"
    dial(UnixTarget(str(path))).socket.close()
    new.close()
    assert not path.exists()
    path.write_text("precious")
    with pytest.raises(NetError, match="exists and is no socket: it is left alone"):
        open_listeners([UnixTarget(str(path))], ListenOptions(unlink=True))
    assert path.read_text() == "precious"


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(NetError, match="AF_UNIX path too long"):
        open_listeners([UnixTarget("x" * 200)])
    with pytest.raises(NetError, match="No such file or directory"):
        open_listeners([UnixTarget(str(tmp_path / "no" / "s"))])
