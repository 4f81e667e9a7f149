"""Real proxies: through them, through them with a password, and what they say when they do not want to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handglass.net.dial import Target, dial
from handglass.net.errors import NetCode, NetError
from handglass.net.proxy import Credentials, go_through, parse_proxy
from handglass.net.starttls import Names, start_tls
from net.real import daemons
from net.real.daemons import workshop
from net.scripts import HAPPY, Heard, Said
from support.peers import needs
from support.pki import Identity, Pki
from support.processes import closed_port

BOB = Credentials("bob", "secret")


@pytest.fixture
def identity(pki: Pki) -> Identity:
    return pki.server("rsa")


@pytest.fixture
def mail() -> Iterator[int]:
    """Give the port of a POP3 server that takes one connection at a time and follows its script."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    follow(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def follow(peer: socket.socket) -> None:
    for line in HAPPY["pop3"]:
        match line:
            case Said(data):
                peer.sendall(data)
            case Heard(data):
                if peer.recv(len(data)) != data:
                    return


@contextmanager
def through(
    proxy_port: int, url: str, target: Target, credentials: Credentials | None = None
) -> Iterator[bytes]:
    """Give the last plain line of a POP3 dialogue through a proxy."""
    proxy = parse_proxy(url.replace("PORT", str(proxy_port)), credentials)
    with dial(proxy.target).socket as sock:
        early = go_through(sock, proxy, target, step_seconds=10)
        yield start_tls(sock, "pop3", Names("x"), step_seconds=10, initial=early).last_line


def asked(proxy_port: int, url: str, target: Target, credentials: Credentials | None = None) -> NetError:
    with pytest.raises(NetError) as caught, through(proxy_port, url, target, credentials):
        pass
    return caught.value


@needs("tinyproxy")
def test_http(identity: Identity, mail: int) -> None:
    with workshop(identity) as shop, daemons.tinyproxy(shop) as port:
        for host in ("127.0.0.1", "localhost"):
            with through(port, "127.0.0.1:PORT", Target(host, str(mail))) as line:
                assert line.startswith(b"+OK")
        with closed_port() as closed:
            refused = asked(port, "http://127.0.0.1:PORT", Target("127.0.0.1", str(closed)))
        denied = asked(port, "http://127.0.0.1:PORT", Target("denied.test", "443"))
    assert refused.code == NetCode.REFUSED
    assert refused.sentence.startswith("HTTP CONNECT failed, reason= 500 ")
    assert denied.sentence == "HTTP CONNECT failed, reason= 403 Filtered"


@needs("tinyproxy")
def test_http_with_a_password(identity: Identity, mail: int) -> None:
    target = Target("127.0.0.1", str(mail))
    with workshop(identity) as shop, daemons.tinyproxy(shop, user_and_password=("bob", "secret")) as port:
        with through(port, "127.0.0.1:PORT", target, BOB) as line:
            assert line.startswith(b"+OK")
        with through(port, "http://bob:secret@127.0.0.1:PORT", target) as line:
            assert line.startswith(b"+OK")
        without = asked(port, "127.0.0.1:PORT", target)
        wrong = asked(port, "127.0.0.1:PORT", target, Credentials("bob", "wrong"))
    assert without.sentence.startswith("HTTP CONNECT failed, reason= 407 ")
    assert "(it asks for: Basic " in without.sentence
    assert wrong.code == NetCode.REFUSED


@needs("danted")
@pytest.mark.parametrize("scheme", ["socks4", "socks5", "socks5h"])
def test_socks(scheme: str, identity: Identity, mail: int) -> None:
    with workshop(identity) as shop, daemons.danted(shop) as port:
        # Dante takes the address that announces a name in SOCKS 4A for one to connect to.
        for host in ("127.0.0.1",) if scheme == "socks4" else ("127.0.0.1", "localhost"):
            with through(port, f"{scheme}://127.0.0.1:PORT", Target(host, str(mail))) as line:
                assert line.startswith(b"+OK")
        denied = asked(port, f"{scheme}://127.0.0.1:PORT", Target("127.0.0.9", "443"))
        with closed_port() as closed:
            refused = asked(port, f"{scheme}://127.0.0.1:PORT", Target("127.0.0.1", str(closed)))
    assert denied.code == refused.code == NetCode.REFUSED
    if scheme.startswith("socks5"):
        assert "not allowed by its rules" in denied.sentence
        assert "connection refused" in refused.sentence


@needs("microsocks")
def test_socks_with_a_password(identity: Identity, mail: int) -> None:
    target = Target("127.0.0.1", str(mail))
    with workshop(identity) as shop, daemons.microsocks(shop, user_and_password=("bob", "secret")) as port:
        with through(port, "socks5://127.0.0.1:PORT", target, BOB) as line:
            assert line.startswith(b"+OK")
        without = asked(port, "socks5://127.0.0.1:PORT", target)
        wrong = asked(port, "socks5://127.0.0.1:PORT", target, Credentials("bob", "wrong"))
    assert "none of our ways to authenticate without a user and password" in without.sentence
    assert "refused user and password" in wrong.sentence
