"""The options of the protocol: what each changes on the wire, seen by OpenSSL's server or in our own -msg."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.peers import OpenSSLServer, needs
from support.pki import Pki
from support.processes import Outcome
from support.s_client import certificate_options, ours, said, start_ours, theirs

pytestmark = needs("openssl")

RECORD_SIZE = re.compile(r">>> TLS 1\.2, RecordHeader \[length 0005\]\n    17 03 03 (..) (..)")


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """An s_server that shows the extensions of hellos."""
    with OpenSSLServer(pki.server("rsa"), "-tlsextdebug") as process:
        yield process


def hello(outcome: Outcome) -> bytes:
    """The first ClientHello that -msg shows."""
    match = re.search(r"Handshake \[length \w+\], ClientHello\n((?:    .*\n)+)", outcome.stdout.decode())
    assert match
    return bytes.fromhex(match[1])


def extensions(message: bytes) -> dict[int, bytes]:
    """The extensions of a ClientHello by number."""
    at = 4 + 2 + 32
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    body = message[at + 2 :]
    found = {}
    while body:
        length = int.from_bytes(body[2:4], "big")
        found[int.from_bytes(body[:2], "big")] = body[4 : 4 + length]
        body = body[4 + length :]
    return found


def sent_sizes(outcome: Outcome) -> list[int]:
    """The lengths of the protected records that were sent."""
    return [int(high + low, 16) for high, low in RECORD_SIZE.findall(outcome.stdout.decode())]


@pytest.mark.parametrize(
    ("options", "versions"),
    [
        (("-min_protocol", "TLSv1.2"), "0304 0303"),
        (("-min_protocol", "TLSv1.3"), "0304"),
        (("-max_protocol", "TLSv1.2"), ""),
        (("-min_protocol", "None", "-max_protocol", "TLSv1.3"), "0304 0303"),
    ],
)
def test_limits_of_version(server: OpenSSLServer, options: tuple[str, ...], versions: str) -> None:
    """-min_protocol and -max_protocol decide what is offered."""
    found = extensions(hello(ours(server.port, "-msg", *options)))
    assert found.get(43, b"\0")[1:] == bytes.fromhex(versions)


@pytest.mark.parametrize("option", ["-min_protocol", "-max_protocol"])
def test_unknown_versions(option: str) -> None:
    """A word that is no version is told as OpenSSL tells it."""
    found = ours(1, option, "BOGUS")
    assert (found.returncode, found.stdout) == (1, b"")
    assert f"Call to SSL_CONF_cmd({option}, BOGUS) failed".encode() in found.stderr


def test_fallback(server: OpenSSLServer) -> None:
    """-fallback_scsv: a server that can do better ends it."""
    expected, found = (
        said(client(server.port, "-tls1_2", "-fallback_scsv", "-brief")) for client in (theirs, ours)
    )
    assert found.status == expected.status == 1
    assert found.stderr.splitlines()[0] == expected.stderr.splitlines()[-1]
    assert "inappropriate fallback" in found.stderr
    assert ours(server.port, "-fallback_scsv", "-brief").returncode == 0


def test_fragments(server: OpenSSLServer) -> None:
    """-maxfraglen binds both sides, -max_send_frag ours alone; other values are refused."""
    found = ours(server.port, "-maxfraglen", "512", "-tls1_2", "-msg", data=bytes(3000))
    assert extensions(hello(found))[1] == b"\1"
    assert len(sent_sizes(found)) >= 6
    assert max(sent_sizes(found)) <= 512 + 24
    for options, overhead in (("-tls1_2",), 24), (("-tls1_3",), 17):
        found = ours(server.port, "-max_send_frag", "600", *options, "-msg", data=bytes(3001))
        sizes = sent_sizes(found)
        data = sizes[-6:] if overhead == 24 else sizes[-7:-1]  # in TLS 1.3 the alert looks like data
        assert data == [600 + overhead] * 5 + [1 + overhead]
    assert b"Max Fragment Len 513 is out of permitted values" in ours(1, "-maxfraglen", "513").stderr
    assert (
        b"s_client: Max send fragment size 100 is out of permitted range"
        in ours(1, "-max_send_frag", "100").stderr
    )


def test_fragments_for_pipelines(server: OpenSSLServer) -> None:
    """-split_send_frag counts where -max_pipelines allows more than one, as in OpenSSL's program."""
    split = ("-split_send_frag", "600")
    for options, size in ((*split, "-max_pipelines", "2"), 600), ((*split, "-max_send_frag", "800"), 800):
        found = ours(server.port, *options, "-tls1_2", "-msg", data=bytes(3001))
        assert max(sent_sizes(found)) == size + 24
    complaint = "s_client: Split send fragment size 700 is out of permitted range\n"
    assert said(ours(1, "-max_send_frag", "600", "-split_send_frag", "700")).stderr == complaint
    complaint = "s_client: Max pipelines 33 is out of permitted range\n"
    assert said(ours(1, "-max_pipelines", "33")).stderr == complaint


def test_small_reads(server: OpenSSLServer) -> None:
    """-read_buf: everything still comes."""
    found = ours(server.port, "-read_buf", "7", "-brief")
    assert (found.returncode, b"CONNECTION ESTABLISHED" in found.stderr) == (0, True)


def test_strict_chains(pki: Pki) -> None:
    """-strict: no certificate is shown whose chain the server does not accept."""
    demand = ("-Verify", "3", "-client_sigalgs", "RSA-PSS+SHA256", "-CAfile", pki.roots)
    options = certificate_options(pki.client("rsa"))
    with OpenSSLServer(pki.server("rsa"), *demand) as server:
        assert ours(server.port, "-brief", *options).returncode == 0
        server.wait_for("depth=0 .*CN = client")
        assert ours(server.port, "-brief", "-tls1_2", "-strict", *options).returncode == 1
        server.wait_for("peer did not return a certificate")


def test_padding(server: OpenSSLServer) -> None:
    """-record_padding pads every protected record of TLS 1.3; -bugs pads a short hello."""
    found = ours(server.port, "-tls1_3", "-record_padding", "1024", "-msg", data=bytes(1500))
    assert sent_sizes(found)
    assert {size % 1024 for size in sent_sizes(found)} == {16}
    options = ("-msg", "-groups", "X25519", "-servername", "server.test")
    assert len(hello(ours(server.port, *options, "-bugs"))) == 512
    assert 256 <= len(hello(ours(server.port, *options))) < 512


def test_switches_of_the_hello(server: OpenSSLServer) -> None:
    """-no_etm, -no_ticket, -no_middlebox, -allow_no_dhe_kex, -no_comp."""
    usual = hello(ours(server.port, "-msg"))
    assert {22, 35} <= extensions(usual).keys()
    assert usual[38] == 32
    assert extensions(usual)[45] == b"\1\1"
    found = ours(
        server.port, "-msg", "-no_etm", "-no_ticket", "-no_middlebox", "-allow_no_dhe_kex", "-no_comp"
    )
    message = hello(found)
    assert not {22, 35} & extensions(message).keys()
    assert message[38] == 0
    assert extensions(message)[45] == b"\2\1\0"
    assert b">>> TLS 1.3, ChangeCipherSpec" not in found.stdout
    assert b"Compression: NONE\n" in found.stdout


def test_resumption_without_tickets(pki: Pki, tmp_path: Path) -> None:
    """-no_ticket: a session of TLS 1.2 is resumed by its id."""
    with OpenSSLServer(pki.server("rsa")) as server:
        found = ours(server.port, "-tls1_2", "-no_ticket", "-sess_out", tmp_path / "session")
        assert b"TLS session ticket" not in found.stdout
        found = ours(server.port, "-tls1_2", "-no_ticket", "-sess_in", tmp_path / "session")
        assert b"Reused, TLSv1.2" in found.stdout


def test_acceptable_authorities(server: OpenSSLServer, pki: Pki) -> None:
    """-requestCAfile: the server is told the names."""
    mark = len(server.text)
    ours(server.port, "-requestCAfile", pki.roots, "-brief")
    shown = server.wait_for(r"Acceptable server certificate CA names\n((?:C = .*\n)+)", after=mark)
    assert shown[1].count("\n") == 4
    assert "CN = ec root" in shown[1]
    assert b"Error loading CA names from nofile" in ours(1, "-requestCAfile", "nofile").stderr


def test_no_renegotiation(pki: Pki) -> None:
    """-no_renegotiation: R fails here, and a HelloRequest is refused."""
    with OpenSSLServer(pki.server("rsa"), "-client_renegotiation") as server:
        found = said(ours(server.port, "-tls1_2", "-no_renegotiation", "-brief", data=b"R\n"))
        assert found.status == 1
        assert "error:0A000153:no renegotiation:" in found.stderr
        with start_ours(server.port, "-tls1_2", "-no_renegotiation", "-brief") as client:
            client.wait_for("CONNECTION ESTABLISHED")
            mark = len(server.text)
            server.send(b"r\n")
            client.send(b"x\n")
            server.wait_for("no renegotiation", after=mark)


LEGACY_HELLO = bytes.fromhex(
    "160303002a020000260303000000000000000000000000000000000000000000000000000000000000000000002f00"
)


def legacy_server(listener: socket.socket) -> None:
    """A server that has never heard of RFC 5746, as far as its hello."""
    for _ in range(4):
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(LEGACY_HELLO)
            client.recv(65536)


def test_servers_without_secure_renegotiation() -> None:
    """-legacy_server_connect goes on where OpenSSL's default, and ours, stops; the last of the two options wins."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=legacy_server, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        for options, refused in (
            ((), True),
            (("-legacy_server_connect", "-no_legacy_server_connect"), True),
            (("-legacy_server_connect",), False),
            (("-legacy_renegotiation",), False),
        ):
            found = ours(port, "-tls1_2", "-handshake_timeout", "0.5", "-brief", *options)
            assert (b"unsafe legacy renegotiation disabled" in found.stderr) is refused
        thread.join()
