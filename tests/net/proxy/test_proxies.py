"""HTTP CONNECT, SOCKS 4A, SOCKS 5 against scripts: the bytes, the refusals, cuts, garbage, secrets unseen."""

from __future__ import annotations

import base64
import random
import socket
import threading
import time

import pytest

from handglass.net.dial import Target
from handglass.net.dialogue import Exchange
from handglass.net.errors import NetCode, NetError
from handglass.net.proxy import (
    Credentials,
    Proxy,
    dialogue_with,
    go_through,
    parse_proxy,
    proxy_from_environment,
)
from net.scripts import Heard, Said, Script, play, served

NOWHERE = Target("127.0.0.1", "1")
TARGET = Target("server.test", "443")
BOB = Credentials("bob", "pw")
CONNECT = b"CONNECT server.test:443 HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n"
SOCKS5_NAME = b"\x05\x01\x00\x03\x0bserver.test\x01\xbb"
SOCKS5_OK = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"

AGREED: list[tuple[str, Target, Credentials | None, Script]] = [
    (
        "http",
        TARGET,
        None,
        (Heard(CONNECT + b"\r\n"), Said(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")),
    ),
    (
        "http",
        TARGET,
        BOB,
        (
            Heard(CONNECT + b"Proxy-Authorization: Basic Ym9iOnB3\r\n\r\n"),
            Said(b"HTTP/1.0 204\r\n\r\n"),
        ),
    ),
    ("http", Target("server.test", "https"), None, (Heard(CONNECT + b"\r\n"), Said(b"HTTP/1.0 200 OK\n\n"))),
    (
        "http",
        Target("::1", "443"),
        None,
        (
            Heard(b"CONNECT [::1]:443 HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n\r\n"),
            Said(b"HTTP/1.0 200 OK\r\n\r\n"),
        ),
    ),
    (
        "socks4",
        TARGET,
        None,
        (Heard(b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00server.test\x00"), Said(b"\x00\x5a" + bytes(6))),
    ),
    (
        "socks4",
        Target("127.0.0.9", "443"),
        BOB,
        (Heard(b"\x04\x01\x01\xbb\x7f\x00\x00\x09bob\x00"), Said(b"\x00\x5a" + bytes(6))),
    ),
    (
        "socks5",
        TARGET,
        None,
        (Heard(b"\x05\x01\x00"), Said(b"\x05\x00"), Heard(SOCKS5_NAME), Said(SOCKS5_OK)),
    ),
    (
        "socks5",
        Target("127.0.0.9", "443"),
        BOB,
        (
            Heard(b"\x05\x02\x00\x02"),
            Said(b"\x05\x02"),
            Heard(b"\x01\x03bob\x02pw"),
            Said(b"\x01\x00"),
            Heard(b"\x05\x01\x00\x01\x7f\x00\x00\x09\x01\xbb"),
            Said(b"\x05\x00\x00\x03\x04host\x01\xbb"),
        ),
    ),
    (
        "socks5",
        Target("::1", "443"),
        BOB,
        (
            Heard(b"\x05\x02\x00\x02"),
            Said(b"\x05\x00"),
            Heard(b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x01\xbb"),
            Said(b"\x05\x00\x00\x04" + bytes(18)),
        ),
    ),
]

REFUSED: list[tuple[str, Credentials | None, Script, str]] = [
    (
        "http",
        None,
        (Said(b"HTTP/1.0 403 Forbidden\r\n\r\n"),),
        r"HTTP CONNECT failed, reason= 403 Forbidden\Z",
    ),
    (
        "http",
        None,
        (
            Said(
                b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n"
                b"proxy-authenticate: Negotiate\r\n\r\n"
            ),
        ),
        r"407 Who\? \(it asks for: Basic realm=x, Negotiate\)",
    ),
    ("http", None, (Said(b"HTTP/1.0 502 \x1b[31m\r\n\r\n"),), r"502 \\x1b\[31m"),
    ("socks4", None, (Said(b"\x00\x5b" + bytes(6)),), "request rejected or failed"),
    ("socks4", None, (Said(b"\x00\x5d" + bytes(6)),), "identd"),
    ("socks5", None, (Said(b"\x05\xff"),), "none of our ways to authenticate without a user"),
    ("socks5", BOB, (Said(b"\x05\xff"),), "none of our ways to authenticate"),
    ("socks5", BOB, (Said(b"\x05\x02\x01\x01"),), "refused user and password"),
    ("socks5", None, (Said(b"\x05\x00\x05\x05\x00\x01"),), r"connection refused \(5\)"),
    ("socks5", None, (Said(b"\x05\x00\x05\x63\x00\x01"),), r"unknown code \(99\)"),
]


def proxy(kind: str, credentials: Credentials | None = None) -> Proxy:
    return Proxy(kind, NOWHERE, credentials)


@pytest.mark.parametrize("piece", [None, 1])
@pytest.mark.parametrize(("kind", "target", "credentials", "script"), AGREED)
def test_agreed(
    kind: str, target: Target, credentials: Credentials | None, script: Script, piece: int | None
) -> None:
    exchange = play(dialogue_with(proxy(kind, credentials), target), script, piece)
    assert exchange.done
    assert exchange.leftover == b""


@pytest.mark.parametrize(("kind", "credentials", "script", "words"), REFUSED)
def test_refused(kind: str, credentials: Credentials | None, script: Script, words: str) -> None:
    with pytest.raises(NetError, match=words) as caught:
        play(dialogue_with(proxy(kind, credentials), TARGET), script)
    assert caught.value.code == NetCode.REFUSED


@pytest.mark.parametrize(("kind", "target", "credentials", "script"), AGREED)
def test_cut_at_each_byte(kind: str, target: Target, credentials: Credentials | None, script: Script) -> None:
    said = [line.data for line in script if isinstance(line, Said)]
    for length in range(sum(map(len, said))):
        exchange = Exchange(dialogue_with(proxy(kind, credentials), target))
        exchange.receive(b"".join(said)[:length])
        with pytest.raises(NetError, match="closed while waiting for the ") as caught:
            exchange.receive_eof()
        assert caught.value.code == NetCode.PEER_CLOSED


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("http", b"SSH-2.0-OpenSSH\r\n"),
        ("http", b"220 mail.test ESMTP\r\n"),
        ("http", b"\x15\x03\x03\x00\x02\x02\x28"),
        ("http", b"HTTP/2 200 OK\r\n\r\n"),
        ("http", b"HTTP/1.1 20 OK\r\n\r\n"),
        ("http", b"HTTP/1.1 2000\r\n\r\n"),
        ("http", b"HTTP/1.1\r\n\r\n"),
        ("socks4", b"\x05\x00\x00\x00\x00\x00\x00\x00"),
        ("socks4", b"HTTP/1.1 400"),
        ("socks5", b"HTTP/1.1 400"),
        ("socks5", b"\x05\x01"),
        ("socks5", b"\x05\x00\x04\x00\x00\x01"),
        ("socks5", b"\x05\x00\x05\x00\x00\x07"),
    ],
)
def test_not_the_protocol(kind: str, answer: bytes) -> None:
    """An error as soon as it is clear, without waiting for a line that never ends."""
    with pytest.raises(NetError) as caught:
        Exchange(dialogue_with(proxy(kind), TARGET)).receive(answer)
    assert caught.value.code == NetCode.ANSWER_MALFORMED


@pytest.mark.parametrize("filler", [b"A" * 4096, b"X: y\r\n" * 700])
def test_headers_are_bounded(filler: bytes) -> None:
    exchange = Exchange(dialogue_with(proxy("http"), TARGET))
    exchange.receive(b"HTTP/1.1 200 OK\r\n")

    def flood() -> None:
        for _ in range(1024):
            exchange.receive(filler)

    with pytest.raises(
        NetError, match=r"more than \d+ (bytes|lines) came while waiting for the end of the proxy's headers"
    ) as caught:
        flood()
    assert caught.value.code == NetCode.ANSWER_TOO_LONG


@pytest.mark.parametrize("kind", ["http", "socks4", "socks5"])
def test_garbage_ends_well_or_with_our_error(kind: str) -> None:
    rng = random.Random(kind)
    scripts = [script for k, _, _, script in AGREED if k == kind]
    for _ in range(1000):
        exchange = Exchange(dialogue_with(proxy(kind, BOB), Target("127.0.0.9", "443")))
        data = bytearray(b"".join(line.data for line in rng.choice(scripts) if isinstance(line, Said)))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            exchange.receive(bytes(data))
            exchange.receive_eof()
        except NetError as error:
            assert error.sentence.isprintable()  # noqa: PT017 - the point is that nothing else comes out


def test_a_password_is_seen_by_the_proxy_alone() -> None:
    seen: list[tuple[str, bytes]] = []
    script = AGREED[1][3]
    with served(*script) as sock:
        go_through(sock, proxy("http", BOB), TARGET, observe=lambda way, data: seen.append((way, data)))
    text = b"".join(data for _, data in seen)
    assert b"CONNECT server.test:443" in text
    assert base64.b64encode(b"bob:pw") not in text
    assert "pw" not in repr(BOB)
    assert "pw" not in repr(Proxy("http", NOWHERE, BOB))


def test_what_the_target_said_already_is_handed_on() -> None:
    with served(Said(b"HTTP/1.0 200 OK\r\n\r\n220 mail.test\r\n"), hold=5) as sock:
        assert go_through(sock, proxy("http"), TARGET) == b"220 mail.test\r\n"


def test_a_silent_proxy_ends_with_the_time_limit() -> None:
    with served(hold=5) as sock, pytest.raises(NetError, match="no answer within") as caught:
        go_through(sock, proxy("http"), TARGET, step_seconds=0.1)
    assert caught.value.code == NetCode.STEP_TIMEOUT


def test_a_request_is_one_segment() -> None:
    """Proxies exist that read a request once: it must not arrive in parts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first: list[bytes] = []

        def once() -> None:
            peer, _ = listener.accept()
            with peer:
                time.sleep(0.05)
                first.append(peer.recv(4096))
                peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        thread = threading.Thread(target=once)
        thread.start()
        with socket.create_connection(listener.getsockname()) as sock:
            go_through(sock, proxy("http", BOB), TARGET)
        thread.join()
    assert first[0].endswith(b"\r\n\r\n")


def test_names_of_other_scripts_travel_in_ascii() -> None:
    exchange = Exchange(dialogue_with(proxy("http"), Target("bücher.test", "443")))
    assert exchange.data_to_send()[0].data == b"CONNECT xn--bcher-kva.test:443 HTTP/1.0\r\n"


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "user"),
    [
        ("proxy.test:3128", "http", "proxy.test", "3128", None),
        ("proxy.test", "http", "proxy.test", "80", None),
        ("http://proxy.test:3128/path?x", "http", "proxy.test", "3128", None),
        ("HTTP://bob:p%40w@proxy.test:3128", "http", "proxy.test", "3128", ("bob", "p@w")),
        ("[::1]:3128", "http", "::1", "3128", None),
        ("socks4a://proxy.test", "socks4", "proxy.test", "1080", None),
        ("socks5h://bob@[::1]:9050", "socks5", "::1", "9050", ("bob", "")),
    ],
)
def test_proxies_as_written(text: str, kind: str, host: str, port: str, user: tuple[str, str] | None) -> None:
    parsed = parse_proxy(text)
    assert (parsed.kind, parsed.target) == (kind, Target(host, port))
    assert parsed.credentials == (Credentials(*user) if user else None)


def test_the_options_user_wins_over_the_urls() -> None:
    assert parse_proxy("http://eve:x@proxy.test:1", BOB).credentials == BOB


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://proxy.test:1", "not supported"),
        ("ftp://proxy.test", "no kind of proxy"),
        ("a:b:c", "malformed"),
    ],
)
def test_proxies_that_are_none(text: str, why: str) -> None:
    with pytest.raises(NetError, match=why) as caught:
        parse_proxy(text)
    assert caught.value.code == NetCode.TARGET_MALFORMED


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://p.test:1"}, "p.test"),
        ({"HTTPS_PROXY": "p.test:1"}, "p.test"),
        ({"all_proxy": "socks5://p.test:1"}, "p.test"),
        ({"http_proxy": "http://p.test:1"}, None),
        ({"https_proxy": "p.test:1", "no_proxy": "server.test"}, None),
        ({"https_proxy": "p.test:1", "no_proxy": "localhost, .test"}, None),
        ({"https_proxy": "p.test:1", "NO_PROXY": "*"}, None),
        ({"https_proxy": "p.test:1", "no_proxy": "ver.test,other.test"}, "p.test"),
    ],
)
def test_the_environment(environment: dict[str, str], expected: str | None) -> None:
    found = proxy_from_environment(environment, TARGET)
    assert (found.target.host if found else None) == expected


@pytest.mark.parametrize(
    ("kind", "target", "credentials", "code"),
    [
        ("socks4", Target("::1", "1"), None, NetCode.TARGET_MALFORMED),
        ("socks4", TARGET, Credentials("a\x00b"), NetCode.NAME_MALFORMED),
        ("socks5", TARGET, Credentials("x" * 256), NetCode.NAME_MALFORMED),
    ],
)
def test_what_a_protocol_cannot_say(
    kind: str, target: Target, credentials: Credentials | None, code: NetCode
) -> None:
    with pytest.raises(NetError) as caught:
        Exchange(dialogue_with(proxy(kind, credentials), target)).receive(b"\x05\x02")
    assert caught.value.code == code
