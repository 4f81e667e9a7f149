"""Host and port as written: what OpenSSL takes, what we take beyond it, what is refused with a reason."""

from __future__ import annotations

import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handglass.net.dial import ListenTarget, Target, parse_accept, parse_bind, parse_target
from handglass.net.dial.targets import port_number
from handglass.net.errors import NetCode, NetError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("server.test:443", "server.test", "443"),
        ("server.test", "server.test", "4433"),
        ("server.test:", "server.test", "4433"),
        ("server.test:https", "server.test", "https"),
        ("server.test.:443", "server.test.", "443"),
        (":443", "localhost", "443"),
        ("*:443", "localhost", "443"),
        ("", "localhost", "4433"),
        ("127.0.0.1:1", "127.0.0.1", "1"),
        ("[::1]:443", "::1", "443"),
        ("[::1]", "::1", "4433"),
        ("[fe80::1%lo]:443", "fe80::1%lo", "443"),
        ("::1", "::1", "4433"),
        ("fe80::1", "fe80::1", "4433"),
        ("::1:https", "::1", "https"),
        ("1:2:3:4:5:6:7:8:443", "1:2:3:4:5:6:7:8", "443"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "4433"),
        ("4433", "4433", "4433"),
        ("bücher.test:443", "bücher.test", "443"),
    ],
)
def test_targets(text: str, host: str, port: str) -> None:
    assert parse_target(text) == Target(host, port)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("::1:443", r"it may mean \[::1:443\] or \[::1\]:443"),
        ("server.test:443:1", "more than one colon"),
        ("[::1", r"\[address\]:port"),
        ("[::1]x:1", r"\[address\]:port"),
        ("[server.test]:1", "no IPv6 address"),
        ("server.test:0", "a number from 1 to 65535"),
        ("server.test:65536", "a number from 1 to 65535"),
        ("server.test:99999999999999999999", "a number from 1 to 65535"),
        ("server.test:-1", "neither a port nor a service name"),
        ("server.test:٣", "neither a port nor a service name"),
        ("a b:1", "spaces or control characters"),
        ("a\x00b:1", "spaces or control characters"),
        ("a\r\nHost:x", "spaces or control characters"),
    ],
)
def test_malformed_targets_say_why(text: str, why: str) -> None:
    with pytest.raises(NetError, match=why) as caught:
        parse_target(text)
    assert caught.value.code == NetCode.TARGET_MALFORMED


@pytest.mark.parametrize("host", ["a..b", ".", "a." + "b" * 64, "x." * 130 + "y", "\u00ad"])
def test_what_is_no_name(host: str) -> None:
    with pytest.raises(NetError) as caught:
        parse_target(f"{host}:1")
    assert caught.value.code in (NetCode.NAME_MALFORMED, NetCode.TARGET_MALFORMED)


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_an_error_of_ours(text: str) -> None:
    for parse in (parse_target, parse_accept, parse_bind):
        try:
            parse(text)
        except NetError as error:
            assert error.sentence  # noqa: PT017 - the point is that nothing else comes out


@given(st.ip_addresses(v=6), st.integers(1, 65535))
def test_brackets_come_and_go(address: object, port: int) -> None:
    target = parse_target(f"[{address}]:{port}")
    assert target == Target(str(address), str(port))
    assert parse_target(str(target)) == target
    assert target.family == socket.AF_INET6


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("server.test", "server.test"),
        ("Server.TEST.", "Server.TEST"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("straße.test", "xn--strae-oqa.test"),
        ("bücher。test", "xn--bcher-kva.test"),
        ("_sip.test", "_sip.test"),
        ("127.0.0.1", None),
        ("127.1", None),
        ("0x7f.1", None),
        ("::1", None),
        ("fe80::1%lo", None),
        ("1and1.test", "1and1.test"),
    ],
)
def test_the_name_for_sni(host: str, name: str | None) -> None:
    assert Target(host, "443").dns_name == name


def test_international_names_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    assert Target("bücher.test", "1").dns_name == "xn--bcher-kva.test"
    with pytest.raises(NetError, match=r"needs the package idna: pip install 'handglass\[idna\]'") as caught:
        assert Target("straße.test", "1").dns_name
    assert caught.value.code == NetCode.NAME_MALFORMED


def test_an_ascii_name_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    assert parse_target("server.test:1").dns_name == "server.test"


def test_services() -> None:
    assert Target("x", "https").number == 443
    with pytest.raises(NetError) as caught:
        assert Target("x", "nosuch").number
    assert caught.value.code == NetCode.LOOKUP_FAILED
    assert caught.value.reason == "Servname not supported for ai_socktype"


def test_services_without_a_services_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str, _transport: str) -> int:
        raise OSError("service/proto not found")

    monkeypatch.setattr(socket, "getservbyname", nothing)
    assert port_number("imaps") == 993
    with pytest.raises(NetError):
        port_number("echo")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("4433", None, "4433"),
        ("0", None, "0"),
        ("https", None, "https"),
        ("*:4433", None, "4433"),
        (":4433", None, "4433"),
        ("127.0.0.1:0", "127.0.0.1", "0"),
        ("[::]:0", "::", "0"),
        ("[::1]", "::1", "4433"),
        ("localhost:", "localhost", "4433"),
        ("", None, "4433"),
    ],
)
def test_listening_addresses(text: str, host: str | None, port: str) -> None:
    assert parse_accept(text) == ListenTarget(host, port)


@pytest.mark.parametrize("text", ["65536", "-1", "[::1", "a:b:c", "1 2"])
def test_malformed_listening_addresses(text: str) -> None:
    with pytest.raises(NetError) as caught:
        parse_accept(text)
    assert caught.value.code == NetCode.TARGET_MALFORMED


def test_local_addresses() -> None:
    assert parse_bind("127.0.0.3") == Target("127.0.0.3", "0")
    assert parse_bind("[::1]:5000") == Target("::1", "5000")
    assert parse_bind("*:5000") == Target("", "5000")
