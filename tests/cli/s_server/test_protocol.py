"""The options of the protocol, as a client sees what each changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, serve
from handglass import ClientConfig, ClientConnection, Session, TLSStream, connect, replace
from handglass.crypto.finite_field import modp_prime
from handglass.handshake.events import SessionReceived
from handglass.registry.code_points import ExtensionType, ProtocolVersion, PskKeyExchangeMode
from handglass.registry.errors import AlertReceived
from support.peers import ADDRESS, needs, program
from support.pki import Pki
from support.processes import DEFAULT_LIMIT, Outcome, Process, run
from support.s_client import start_theirs, theirs

pytestmark = needs("openssl")

TLS12 = (ProtocolVersion.TLS1_2,)
RECORD = re.compile(r"<<< TLS 1\.\d, RecordHeader \[length 0005\]\n    17 03 03 (..) (..)")


def received_sizes(outcome: Outcome) -> list[int]:
    """The lengths of the protected records that the server sent, as -msg shows them."""
    return [int(high + low, 16) for high, low in RECORD.findall(outcome.stdout.decode())]


def refused(pki: Pki, *options: str | Path) -> str:
    """What it says about options that it cannot follow."""
    identity = pki.server("p256")
    argv: list[str | Path] = [*PROGRAM, "s_server", "-accept", f"{ADDRESS}:0", "-cert", identity.certificate]
    outcome = run([*argv, "-key", identity.key, *options])
    assert (outcome.returncode, outcome.stdout) == (1, b"")
    return outcome.stderr.decode()


# Versions.


@pytest.mark.parametrize(
    ("option", "version", "client", "answer"),
    [
        ("-max_protocol", "TLSv1.2", (), "New, TLSv1.2"),
        ("-min_protocol", "TLSv1.3", (), "New, TLSv1.3"),
        ("-min_protocol", "TLSv1.3", ("-tls1_2",), "alert protocol version"),
    ],
)
def test_limits_of_version(pki: Pki, option: str, version: str, client: tuple[str, ...], answer: str) -> None:
    with serve(pki, option, version) as server:
        assert answer in theirs(server.port, *client).text


def test_a_limit_that_is_no_version(pki: Pki) -> None:
    assert "Call to SSL_CONF_cmd(-min_protocol, BOGUS) failed" in refused(pki, "-min_protocol", "BOGUS")


# Records.


def test_padding(pki: Pki) -> None:
    with serve(pki, "-record_padding", "1024") as server:
        sizes = received_sizes(theirs(server.port, "-msg"))
        assert sizes
        assert {size % 1024 for size in sizes} == {16}
        assert {size % 1024 for size in received_sizes(theirs(server.port, "-msg", "-tls1_2"))} != {16}
    assert "-record_padding, 16385) failed" in refused(pki, "-record_padding", "16385")


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (("-max_send_frag", "600"), 600),
        (("-split_send_frag", "600", "-max_pipelines", "2"), 600),
        (("-max_send_frag", "800", "-split_send_frag", "600"), 800),
    ],
)
def test_fragments(pki: Pki, tmp_path: Path, options: tuple[str, ...], size: int) -> None:
    (tmp_path / "file").write_bytes(bytes(3000))
    with serve(pki, "-WWW", *options, cwd=tmp_path) as server:
        request = b"GET /file HTTP/1.0\r\n\r\n"
        outcome = theirs(server.port, "-tls1_2", "-msg", "-ign_eof", data=request)
    sizes = received_sizes(outcome)
    assert max(sizes) == size + 24
    assert sizes.count(size + 24) >= 3000 // size


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-max_send_frag", "100"), "s_server: Max send fragment size 100 is out of permitted range\n"),
        (
            ("-split_send_frag", "16385"),
            "s_server: Split send fragment size 16385 is out of permitted range\n",
        ),
        (("-max_pipelines", "33"), "s_server: Max pipelines 33 is out of permitted range\n"),
    ],
)
def test_sizes_that_cannot_be(pki: Pki, options: tuple[str, ...], words: str) -> None:
    assert refused(pki, *options) == words


# What hellos say.


def test_middlebox_compatibility(pki: Pki) -> None:
    with serve(pki) as server, serve(pki, "-no_middlebox") as plain:
        record = b"<<< TLS 1.2, RecordHeader [length 0005]\n    14 03 03 00 01\n"
        assert record in theirs(server.port, "-msg").stdout
        assert record not in theirs(plain.port, "-msg").stdout


def test_without_encrypt_then_mac(pki: Pki) -> None:
    client = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256", "-tlsextdebug")
    line = b'TLS server extension "encrypt-then-mac" (id=22), len=0'
    with serve(pki) as server, serve(pki, "-no_etm", "-no_comp") as plain:
        assert line in theirs(server.port, *client).stdout
        found = theirs(plain.port, *client).stdout
        assert line not in found
        assert b"\nCompression: NONE\n" in found


def test_the_servers_order_with_chacha(pki: Pki) -> None:
    suites = ("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384")
    with serve(pki, "-serverpref") as server:
        assert b"Cipher is TLS_AES_256_GCM_SHA384" in theirs(server.port, *suites).stdout
    with serve(pki, "-serverpref", "-prioritize_chacha") as server:
        assert b"Cipher is TLS_CHACHA20_POLY1305_SHA256" in theirs(server.port, *suites).stdout
        assert b"Cipher is TLS_AES_256_GCM_SHA384" in theirs(server.port).stdout


# Key exchange.


def test_one_curve(pki: Pki) -> None:
    with serve(pki, "-groups", "X25519", "-named_curve", "P-384") as server:
        for version in "-tls1_2", "-tls1_3":
            shown = theirs(server.port, version).stdout
            assert b"Server Temp Key: ECDH, secp384r1, 384 bits" in shown
    with serve(pki, "-named_curve", "P-384", "-groups", "X25519") as server:
        assert b"Server Temp Key: X25519, 253 bits" in theirs(server.port).stdout
    with serve(pki, "-named_curve", "auto") as server:
        assert b"Server Temp Key: X25519, 253 bits" in theirs(server.port).stdout
    assert "SSL_CONF_cmd(-named_curve, P-256:P-384) failed" in refused(pki, "-named_curve", "P-256:P-384")


def make_parameters(directory: Path, prime: int, generator: int = 2) -> Path:
    """A file of Diffie-Hellman parameters (PKCS #3)."""
    path = directory / "dh.pem"
    script = f"asn1=SEQUENCE:dh\n[dh]\np=INTEGER:0x{prime:x}\ng=INTEGER:{generator}\n"
    (directory / "dh.conf").write_text(script)
    der = directory / "dh.der"
    run([program("openssl"), "asn1parse", "-genconf", directory / "dh.conf", "-noout", "-out", der]).check()
    run([program("openssl"), "dhparam", "-inform", "DER", "-in", der, "-out", path]).check()
    return path


DHE = ("-cipher", "DHE-RSA-AES128-GCM-SHA256", "-max_protocol", "TLSv1.2")


def test_parameters_of_our_own(pki: Pki, tmp_path: Path) -> None:
    path = make_parameters(tmp_path, modp_prime(3072))
    with serve(pki, "-dhparam", path, key_type="rsa") as server:
        assert "Setting temp DH parameters\n" in server.text
        assert b"Server Temp Key: DH, 3072 bits" in theirs(server.port, *DHE).stdout
        # Also for a client that names groups of RFC 7919: they were asked for.
        assert b"Server Temp Key: DH, 3072 bits" in theirs(server.port, *DHE, "-groups", "ffdhe2048").stdout
    with serve(pki, key_type="rsa") as server:
        assert "Using default temp DH parameters\n" in server.text
        assert b"Server Temp Key: DH, 2048 bits" in theirs(server.port, *DHE).stdout


def test_parameters_beside_the_certificate(pki: Pki, tmp_path: Path) -> None:
    """As with OpenSSL's program, the file of the certificate may hold them; -dhparam and -no_dhe go before."""
    identity = pki.server("rsa")
    both = tmp_path / "both.pem"
    both.write_bytes(
        identity.certificate.read_bytes() + make_parameters(tmp_path, modp_prime(3072)).read_bytes()
    )
    argv: list[str | Path] = [
        *PROGRAM,
        "s_server",
        "-accept",
        f"{ADDRESS}:0",
        "-cert",
        both,
        "-key",
        identity.key,
    ]
    with Process(argv) as server:
        port = int(server.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        assert "Setting temp DH parameters\n" in server.text
        assert b"Server Temp Key: DH, 3072 bits" in theirs(port, *DHE).stdout


def test_parameters_that_are_unfit(pki: Pki, tmp_path: Path) -> None:
    small = make_parameters(tmp_path, 2**1023 + 1155)
    assert f"-dhparam {small}: dh key too small: a prime of 1024 bits" in refused(pki, "-dhparam", small)
    with serve(pki, "-dhparam", small, "-cipher", "ALL:@SECLEVEL=1", key_type="rsa") as server:
        options = ("-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=1", "-tls1_2")
        assert b"Server Temp Key: DH, 1024 bits" in theirs(server.port, *options).stdout
    huge = make_parameters(tmp_path, 2**10000 + 1)
    assert f"-dhparam {huge}: a prime of 10001 bits" in refused(pki, "-dhparam", huge)
    assert "No such file" in refused(pki, "-dhparam", tmp_path / "none")


def test_without_dhe(pki: Pki) -> None:
    with serve(pki, "-no_dhe", key_type="rsa") as server:
        assert "temp DH parameters" not in server.text
        assert "alert handshake failure" in theirs(server.port, *DHE).text
        server.wait_for("no shared cipher")
        found = theirs(server.port, "-tls1_3", "-groups", "ffdhe2048").stdout
        assert b"Server Temp Key: DH, 2048 bits" in found


# Renegotiation.


def test_renegotiation_by_clients(pki: Pki) -> None:
    with serve(pki) as server, start_theirs(server.port, "-tls1_2") as client:
        client.wait_for("Verify return code")
        client.send(b"R\n")
        client.wait_for("no renegotiation")
        assert client.wait() == 1
    with serve(pki, "-client_renegotiation") as server, start_theirs(server.port, "-tls1_2") as client:
        client.wait_for("Verify return code")
        mark = len(server.text)
        client.send(b"R\n")
        server.wait_for("^CIPHER is", after=mark)
        client.send(b"Q\n")
        assert client.wait() == 0


def test_no_renegotiation_at_all(pki: Pki) -> None:
    options = ("-no_renegotiation", "-client_renegotiation")
    with serve(pki, *options) as server, start_theirs(server.port, "-tls1_2") as client:
        server.wait_for("^Renegotiation is DISABLED$")
        client.wait_for("Verify return code")
        client.send(b"R\n")
        client.wait_for("no renegotiation")


@pytest.mark.parametrize("option", ["-client_renegotiation", "-no_resumption_on_reneg"])
def test_renegotiation_never_resumes(pki: Pki, option: str) -> None:
    """A client certificate that is asked for in it is really asked for."""
    identity = pki.client("p256")
    options = ("-cert", identity.certificate, "-key", identity.key, "-cert_chain", identity.intermediate)
    with (
        serve(pki, option, "-CAfile", pki.roots) as server,
        start_theirs(server.port, "-tls1_2", *options) as client,
    ):
        client.wait_for("Verify return code")
        server.wait_for("^CIPHER is")
        server.send(b"R\n")
        server.wait_for("^depth=0 .*CN = client")


def without_rfc5746(port: int) -> TLSStream:
    """A client of TLS 1.2 that has never heard of secure renegotiation."""
    config = ClientConfig(
        versions=TLS12,
        allow_legacy_peer=True,
        renegotiation_scsv=False,
        omit_extensions=frozenset({ExtensionType.RENEGOTIATION_INFO}),
    )
    return connect(ADDRESS, port, config=config, verify=False)


def renegotiate(stream: TLSStream) -> None:
    """Begin another handshake."""
    assert isinstance(stream.connection, ClientConnection)
    stream.connection.renegotiate()


def test_renegotiation_without_its_extension(pki: Pki) -> None:
    with serve(pki, "-client_renegotiation", "-rev") as server, without_rfc5746(server.port) as stream:
        renegotiate(stream)
        with pytest.raises(AlertReceived, match="handshake_failure"):
            stream.read_all()
    options = ("-client_renegotiation", "-legacy_renegotiation", "-rev")
    with serve(pki, *options) as server, without_rfc5746(server.port) as stream:
        renegotiate(stream)
        stream.flush()
        stream.write(b"abc\n")
        assert stream.read_exactly(4) == b"cba\n"


# Certificates.


def test_chains_as_the_client_accepts_them(pki: Pki) -> None:
    """The leaf's key can make the signature asked for; those in the chain are of another kind."""
    client = ("-tls1_2", "-sigalgs", "RSA-PSS+SHA256")
    with serve(pki, key_type="rsa") as server:
        assert b"New, TLSv1.2" in theirs(server.port, *client).stdout
    with serve(pki, "-strict", key_type="rsa") as server:
        assert "alert handshake failure" in theirs(server.port, *client).text
        server.wait_for("no shared cipher")
        assert b"New, TLSv1.2" in theirs(server.port, "-tls1_2").stdout
        assert b"New, TLSv1.3" in theirs(server.port).stdout


# Resumption and early data.


def take_ticket(port: int, config: ClientConfig) -> Session:
    """Connect once, and come away with a ticket."""
    found: list[Session] = []

    def note(event: object) -> None:
        if isinstance(event, SessionReceived):
            found.append(event.session)

    with connect(ADDRESS, port, config=config, verify=False, tell=note) as stream:
        stream.write(b"abc\n")
        assert stream.read_exactly(4) == b"cba\n"
    return found[-1]


def test_resumption_without_a_fresh_exchange(pki: Pki) -> None:
    """A client that can do nothing but psk_ke is resumed if that is allowed."""
    modest = ClientConfig(psk_modes=(PskKeyExchangeMode.PSK_KE,))
    with serve(pki, "-rev", "-allow_no_dhe_kex") as server:
        ticket = take_ticket(server.port, modest)
        config = replace(modest, session=ticket)
        with connect(ADDRESS, server.port, config=config, verify=False) as stream:
            assert stream.negotiated.resumed
            assert stream.negotiated.group is None
    with serve(pki, "-rev") as server:
        ticket = take_ticket(server.port, ClientConfig())
        config = replace(modest, session=ticket)
        with connect(ADDRESS, server.port, config=config, verify=False) as stream:
            assert not stream.negotiated.resumed


EARLY = b"hello early"


def early_data_of(port: int, directory: Path) -> Callable[[], str]:
    """Get a ticket with openssl; what is returned sends early data with it, each time it is called."""
    (directory / "early").write_bytes(EARLY)
    ticket = directory / "ticket"
    with start_theirs(port, "-sess_out", ticket) as client:
        deadline = time.monotonic() + DEFAULT_LIMIT
        while not (ticket.exists() and b"END SSL SESSION" in ticket.read_bytes()):
            assert time.monotonic() < deadline, client.text
            time.sleep(0.002)
        client.send(b"Q\n")
        assert client.wait() == 0

    def send() -> str:
        return theirs(port, "-sess_in", ticket, "-early_data", directory / "early").text

    return send


@pytest.mark.parametrize(
    ("option", "second"), [("-anti_replay", "rejected"), ("-no_anti_replay", "accepted")]
)
def test_replay(pki: Pki, tmp_path: Path, option: str, second: str) -> None:
    with serve(pki, "-early_data", option) as server:
        send = early_data_of(server.port, tmp_path)
        assert "Early data was accepted" in send()
        assert f"Early data was {second}" in send()


def test_the_hard_limit_of_early_data(pki: Pki, tmp_path: Path) -> None:
    with serve(pki, "-early_data", "-recv_max_early_data", "5") as server:
        send = early_data_of(server.port, tmp_path)
        assert "alert unexpected message" in send()
        server.wait_for("too much early data", limit=DEFAULT_LIMIT)


# What only clients have is unknown here.


@pytest.mark.parametrize("option", ["-legacy_server_connect", "-fallback_scsv", "-comp"])
def test_options_that_a_server_has_not(pki: Pki, option: str) -> None:
    assert f"Unknown option: {option}" in refused(pki, option)
