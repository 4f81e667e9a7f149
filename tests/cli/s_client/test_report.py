"""The report, -brief, -showcerts and -msg: block by block what OpenSSL's s_client prints of the same connection."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.peers import OpenSSLServer, needs
from support.pki import Pki
from support.processes import Process
from support.s_client import (
    Said,
    certificate_options,
    ours,
    said,
    start_ours,
    start_theirs,
    theirs,
    without_advice,
)

pytestmark = needs("openssl")

ASKED = "Client certificate: the server asked for one, "


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """An s_server with an RSA certificate."""
    with OpenSSLServer(pki.server("rsa"), "-alpn", "h2,http/1.1") as process:
        yield process


def until_tickets(process: Process) -> Said:
    """Let a client in TLS 1.3 have its two tickets, then end its input."""
    with process:
        process.wait_for(r"(?s)(Post-Handshake New Session Ticket arrived.*?){2}")
        process.end_input()
        process.wait()
        return said(process)


def both(server: OpenSSLServer, *options: str) -> tuple[Said, Said]:
    """Run both programs with input that is at its end."""
    return said(theirs(server.port, *options)), said(ours(server.port, *options))


@pytest.mark.parametrize("more", [(), ("-showcerts",), ("-servername", "server.test"), ("-alpn", "spdy,h2")])
def test_tls12_is_the_same(server: OpenSSLServer, pki: Pki, more: tuple[str, ...]) -> None:
    """Both outputs of a TLS 1.2 connection are OpenSSL's, to the letter."""
    expected, found = both(server, "-tls1_2", "-CAfile", str(pki.roots), *more)
    assert found == expected
    assert "Verify return code: 0 (ok)" in found.stdout


def test_a_session_without_resumption(pki: Pki) -> None:
    """A server that gives neither ticket nor id: the session is shown all the same."""
    with OpenSSLServer(pki.server("rsa"), "-no_ticket", "-no_cache") as server:
        expected, found = both(server, "-tls1_2", "-CAfile", str(pki.roots))
    assert found == expected
    assert "    Protocol  : TLSv1.2\n" in found.stdout


def test_the_session_of_a_handshake_that_fails_late(pki: Pki) -> None:
    """A server of TLS 1.2 that misses the client's certificate says so when the keys stand already."""
    with OpenSSLServer(pki.server("rsa"), "-Verify", "1", trust=pki.roots) as server:
        expected, found = both(server, "-tls1_2", "-CAfile", str(pki.roots))
    sessions = [each.stdout.partition("SSL-Session:")[2] for each in (expected, found)]
    assert (expected.status, found.status) == (1, 1)
    assert sessions[1] == sessions[0]
    assert "Master-Key: <hex>" in sessions[1]


@pytest.mark.parametrize("more", [(), ("-showcerts",), ("-alpn", "http/1.1"), ("-verify", "3")])
def test_tls13_is_the_same(server: OpenSSLServer, pki: Pki, more: tuple[str, ...]) -> None:
    """So is that of a TLS 1.3 connection, with its two tickets."""
    options = ("-CAfile", str(pki.roots), *more)
    expected = until_tickets(start_theirs(server.port, *options))
    assert until_tickets(start_ours(server.port, *options)) == expected
    assert expected.stdout.count("Post-Handshake New Session Ticket arrived:") == 2


@pytest.mark.parametrize("key_type", ["p256", "p384", "ed25519", "ed448", "rsa_pss"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_every_kind_of_key(pki: Pki, key_type: str, version: str) -> None:
    """Keys and signatures of every kind are named as OpenSSL names them."""
    with OpenSSLServer(pki.server(key_type), "-num_tickets", "0") as server:
        expected, found = both(server, version, "-CAfile", str(pki.roots))
    assert found == expected


@pytest.mark.parametrize("group", ["P-256", "P-384", "P-521", "X448", "ffdhe2048"])
def test_every_group(pki: Pki, group: str) -> None:
    """The temporary key is named as OpenSSL names it, also after a HelloRetryRequest."""
    with OpenSSLServer(pki.server("p256"), "-groups", group, "-num_tickets", "0") as server:
        expected, found = both(server, "-tls1_3", "-groups", f"X25519:{group}")
    assert found.blocks[3] == expected.blocks[3]
    assert "Server Temp Key: " in found.blocks[3]


@pytest.mark.parametrize("options", [(), ("-tls1_2",), ("-tls1_2", "-verify_hostname", "server.test")])
def test_brief(server: OpenSSLServer, pki: Pki, options: tuple[str, ...]) -> None:
    """-brief: nothing but data on standard output, the same summary on standard error."""
    trust = ("-CAfile", str(pki.roots))
    assert both(server, "-brief", *trust, *options)[0] == both(server, "-brief", *trust, *options)[1]


def test_brief_shows_bad_certificates_alone(server: OpenSSLServer) -> None:
    """-brief is silent on good certificates and tells the bad ones."""
    expected, found = both(server, "-brief")
    assert found == expected
    assert "verify error:num=20:unable to get local issuer certificate" in found.stderr


def test_quiet(pki: Pki) -> None:
    """-quiet: data alone, no end at the end of input, the server's close ends it."""
    with OpenSSLServer(pki.server("p256"), "-www") as server:
        expected, found = (
            said(client(server.port, "-quiet", "-CAfile", str(pki.roots), data=b"GET / HTTP/1.0\r\n\r\n"))
            for client in (theirs, ours)
        )
    assert found.status == expected.status == 0
    assert found.stderr == expected.stderr
    assert found.stdout.startswith("HTTP/1.0 200 ok\r\n")
    assert found.stdout.endswith("</pre></BODY></HTML>\r\n\r\n")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("with_certificate", [True, False])
def test_request_for_a_client_certificate(pki: Pki, version: str, *, with_certificate: bool) -> None:
    """OpenSSL's lines on the request, and one plain sentence more."""
    options = [version, "-CAfile", str(pki.roots)]
    if with_certificate:
        options += map(str, certificate_options(pki.client("rsa")))
    server_options = ("-verify", "3", "-CAfile", str(pki.client("rsa").root), "-num_tickets", "0")
    with OpenSSLServer(pki.server("rsa"), *server_options) as server:
        expected, found = both(server, *options)
    sentence = ASKED + ("one was sent\n" if with_certificate else "none was sent\n")
    assert sentence in found.stdout
    shared = re.compile("Shared Requested Signature Algorithms: .*")  # theirs have SHA-224 too
    assert shared.sub("", found.stdout.replace(sentence, "")) == shared.sub("", expected.stdout)
    assert found.stderr == expected.stderr
    assert "C = XX, O = Handglass Tests, CN = rsa root" in found.blocks[3]


TITLE = re.compile(r"^(?:>>>|<<<) .*$", re.MULTILINE)
VARYING = re.compile(
    r"\[length [0-9a-f]{4}\], (ClientHello|CertificateVerify|ServerKeyExchange|NewSessionTicket)"
)


def titles(output: Said) -> list[str]:
    """The title lines of -msg, lengths removed where they vary and OpenSSL's slip of the inner version mended."""
    found = [VARYING.sub(r"[length ?], \1", title) for title in TITLE.findall(output.stdout)]
    return [title.replace("TLS 1.2, InnerContent", "TLS 1.3, InnerContent") for title in found]


def test_msg_tls12(server: OpenSSLServer) -> None:
    """-msg in TLS 1.2: the same titles in the same order, and the ChangeCipherSpec that comes in besides."""
    expected, found = both(server, "-msg", "-tls1_2")
    ours_alone = "<<< TLS 1.2, ChangeCipherSpec [length 0001]"
    assert [title for title in titles(found) if title != ours_alone] == titles(expected)
    assert ours_alone in titles(found)


def test_msg_tls13(server: OpenSSLServer) -> None:
    """-msg in TLS 1.3: the same messages of the same lengths; our ChangeCipherSpec leaves a moment earlier."""

    def shown(process: Process) -> list[str]:
        all_titles = titles(until_tickets(process))
        return [title for title in all_titles if "ChangeCipherSpec" not in title and "Header" not in title]

    expected = shown(start_theirs(server.port, "-msg"))
    assert shown(start_ours(server.port, "-msg")) == expected
    assert sum("NewSessionTicket" in title for title in expected) == 2


def test_msg_shows_the_bytes(server: OpenSSLServer) -> None:
    """The hexadecimal lines hold the message."""
    output = ours(server.port, "-msg", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256").stdout.decode()
    match = re.search(r">>> TLS 1.3, Handshake \[length (\w+)\], ClientHello\n((?:    .*\n)+)", output)
    assert match
    body = bytes.fromhex(match[2])
    assert len(body) == int(match[1], 16)
    assert body[0] == 1
    assert b"\x13\x01" in body


def test_no_certificate_and_no_verdict(pki: Pki) -> None:
    """Where nothing was verified no line says ok, and the reason follows."""
    with OpenSSLServer(pki.server("rsa"), "-tls1_3") as server:
        found = said(ours(server.port, "-tls1_2"))
    assert found.status == 1
    assert "ok" not in found.stdout.lower()
    assert found.stdout == (
        "CONNECTED(<n>)\n---\nno peer certificate available\n---\n"
        "SSL handshake has read <n> bytes and written <n> bytes\n---\nNew, (NONE), Cipher is (NONE)\n---\n"
    )
    assert without_advice(found.stderr) == "error:0A00042E:tlsv1 alert protocol version:SSL alert number 70\n"
