"""-state: the same sequence of lines as OpenSSL's s_client, for every course that a handshake takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.peers import OpenSSLServer, needs
from support.pki import Pki
from support.processes import Process, ProcessError
from support.s_client import certificate_options, normal, start_ours, start_theirs

pytestmark = needs("openssl")


def lines(output: bytes) -> list[str]:
    """The state lines and the marks between them."""
    return [
        line
        for line in normal(output).splitlines()
        if line.startswith(("SSL_connect", "SSL3 alert", "RENEG", "KEYUPD", "DONE", "depth="))
    ]


def states(
    start: Callable[..., Process], server: OpenSSLServer, *options: str, typed: str = "", count: int = 0
) -> list[str]:
    """What a client says with -state: it waits for `count` tickets, then gets `typed`, a line at a time."""
    process = start(server.port, "-state", *options)
    with process:
        if count:
            process.wait_for(rf"(?s)(read server session ticket.*?){{{count}}}")
        for letter in typed:
            mark = len(process.stderr)
            process.send(letter.encode() + b"\n")
            process.wait_for(
                r"(?s)KEYUPDATE.*key update|RENEGOTIATING.*(read finished|handshake failure)", after=mark - 50
            )
        process.end_input()
        process.wait()
        return lines(process.stderr)


def assert_same(server: OpenSSLServer, *options: str, typed: str = "", count: int = 0) -> list[str]:
    """Both programs say the same."""
    expected = states(start_theirs, server, *options, typed=typed, count=count)
    found = states(start_ours, server, *options, typed=typed, count=count)
    assert found == expected
    return found


@pytest.fixture(scope="module")
def trust(pki: Pki) -> tuple[str, str]:
    """What a client trusts."""
    return "-CAfile", str(pki.roots)


def test_full_handshakes(pki: Pki, trust: tuple[str, str]) -> None:
    """TLS 1.2 and 1.3, with tickets, KeyUpdate, a retry and a failing judgement."""
    with OpenSSLServer(pki.server("rsa"), "-groups", "P-256:P-384") as server:
        assert_same(server, "-tls1_2", *trust)
        assert_same(server, "-tls1_2", "-cipher", "AES128-SHA", *trust)
        assert_same(server, "-tls1_3", "-groups", "P-256", *trust, count=2)
        assert_same(server, "-groups", "X25519:P-384", *trust, count=2)
        found = assert_same(server, *trust, typed="kK", count=2)
        assert found.count("SSL_connect:TLSv1.3 write client key update") == 2
        for version in ("-tls1_2", "-tls1_3"):
            found = assert_same(server, version, "-verify_return_error")
            assert found[-2:] == ["SSL3 alert write:fatal:unknown CA", "SSL_connect:error in error"]
    with OpenSSLServer(pki.server("rsa"), "-no_ticket", "-no_cache") as server:
        assert_same(server, "-tls1_2", *trust)


def test_resumption(pki: Pki, trust: tuple[str, str], tmp_path: Path) -> None:
    """Abbreviated handshakes of both versions."""
    with OpenSSLServer(pki.server("p256")) as server:
        for version, tickets in (("-tls1_2", 0), ("-tls1_3", 1)):
            path = str(tmp_path / version)
            states(start_ours, server, version, *trust, "-sess_out", path, count=tickets)
            found = assert_same(server, version, *trust, "-sess_in", path, count=tickets)
            assert "SSL_connect:SSLv3/TLS read server certificate" not in found


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_client_certificates(pki: Pki, trust: tuple[str, str], version: str) -> None:
    """A client certificate that is asked for, with one and with none."""
    options = ("-verify", "3", "-CAfile", str(pki.client("p256").root), "-num_tickets", "0")
    with OpenSSLServer(pki.server("p256"), *options) as server:
        found = assert_same(server, version, *trust, *map(str, certificate_options(pki.client("p256"))))
        assert "SSL_connect:SSLv3/TLS write certificate verify" in found
        found = assert_same(server, version, *trust)
        assert "SSL_connect:SSLv3/TLS write client certificate" in found


def test_refusals(pki: Pki, trust: tuple[str, str]) -> None:
    """Alerts from the server."""
    with OpenSSLServer(pki.server("p256"), "-tls1_3") as server:
        found = assert_same(server, "-tls1_2", *trust)
        assert found[-2:] == ["SSL3 alert read:fatal:protocol version", "SSL_connect:error in error"]


def test_renegotiation(pki: Pki, trust: tuple[str, str]) -> None:
    """A renegotiation that we begin, granted and refused."""
    with OpenSSLServer(pki.server("p256"), "-client_renegotiation", "-no_ticket", "-no_cache") as server:
        found = assert_same(server, "-tls1_2", *trust, typed="R")
        assert found.count("SSL_connect:SSLv3/TLS read finished") == 2
    with OpenSSLServer(pki.server("p256")) as server:
        found = assert_same(server, "-tls1_2", *trust, typed="R")
        assert "SSL3 alert read:warning:no renegotiation" in found


@pytest.mark.parametrize(
    ("command", "version", "step"),
    [
        (b"r\n", "-tls1_2", "read hello request(?s:.*)read finished"),
        (b"R\n", "-tls1_2", "read hello request(?s:.*)read finished"),
        (b"k\n", "-tls1_3", "read server key update"),
        (b"K\n", "-tls1_3", "read server key update(?s:.*)write client key update"),
        (b"c\n", "-tls1_3", "write certificate verify(?s:.*)write finished(?s:.*ticket){2}"),
    ],
)
def test_what_the_server_begins(
    pki: Pki, trust: tuple[str, str], command: bytes, version: str, step: str
) -> None:
    """HelloRequest, KeyUpdate and a certificate request after the handshake."""
    options = ("-verify", "3", "-CAfile", str(pki.roots), "-no_ticket", "-no_cache")
    mine = [version, "-enable_pha", *trust, *map(str, certificate_options(pki.client("p256")))]
    heard = []
    with OpenSSLServer(pki.server("p256"), *options) as server:
        for start in (start_theirs, start_ours):
            with start(server.port, "-state", *mine) as client:
                client.wait_for(
                    r"(?s)(read server session ticket.*?){2}" if version == "-tls1_3" else "read finished"
                )
                mark = len(client.text)
                server.send(command)
                if command in b"kK\n":
                    prod(client, step, mark - 200)
                client.wait_for(step, after=mark - 200)
                client.end_input()
                client.wait()
                # How often this is said depends on whether the end comes before or after the last ticket was read.
                heard.append([line for line in lines(client.stderr) if "negotiation finished" not in line])
    assert heard[1] == heard[0]


def prod(client: Process, step: str, mark: int) -> None:
    """Send data until the step is seen: s_server goes on with what its keyboard began only when something comes."""
    for _ in range(20):
        client.send(b"go on\n")
        try:
            client.wait_for(step, after=mark, limit=0.5)
        except ProcessError:
            continue
        return
