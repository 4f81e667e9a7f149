"""s_server without -www: what it prints, and what the keyboard does, with OpenSSL's client at the other end."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, QuietServer, connect, on_a_terminal, serve, wait_until
from support.peers import ADDRESS, OpenSSLClient, needs
from support.pki import Pki
from support.processes import Process, free_port, run

pytestmark = needs("openssl")

STATISTICS = r"^ {3}\d items in the session cache\n(?: {3}\d [^\n]+\n){10} {3}0 cache full overflows"


def client(*options: str, name: str = "localhost") -> OpenSSLClient:
    return OpenSSLClient(name=name, options=options)


def test_what_is_printed_for_tls13(pki: Pki) -> None:
    with serve(pki) as server:
        assert server.stdout.startswith(b"Using default temp DH parameters\nACCEPT 127.0.0.1:")
        with client().start(server.port) as peer:
            peer.send(b"hello\n")
            server.wait_for("^hello$")
            peer.signal(signal.SIGTERM)
            server.wait_for("^CONNECTION CLOSED$")
        assert re.search(
            r"-----BEGIN SSL SESSION PARAMETERS-----\n[A-Za-z0-9+/=\n]+-----END SSL SESSION PARAMETERS-----\n"
            r"Shared ciphers:TLS_AES_256_GCM_SHA384:\S+\nSignature Algorithms: ECDSA\+SHA256:\S+\n"
            r"Shared Signature Algorithms: \S+\nSupported groups: x25519:\S+\nShared groups: x25519:\S+\n"
            r"CIPHER is TLS_AES_256_GCM_SHA384\nSecure Renegotiation IS supported\nhello\n",
            server.text,
        )


def test_what_is_printed_for_tls12_and_its_resumption(pki: Pki, tmp_path: Path) -> None:
    session = tmp_path / "session.pem"
    with serve(pki, "-tls1_2") as server:
        for option in ("-sess_out", "-sess_in"):
            with Process(_talk(server.port, option, str(session))) as peer:
                server.wait_for("^CIPHER is ECDHE-ECDSA-AES256-GCM-SHA384$")
                peer.end_input()
                peer.wait()
        wait_until(server, 2, "^CONNECTION CLOSED$")
        first, second = server.text.split("CONNECTION CLOSED")[:2]
        assert "Supported Elliptic Curve Point Formats: uncompressed:" in first
        assert "Reused session-id" not in first
        assert "Reused session-id" in second
        assert "Shared ciphers" not in second


def _talk(port: int, *options: str) -> list[str]:
    return ["openssl", "s_client", "-connect", f"{ADDRESS}:{port}", *options]


def test_the_session_block_is_one_that_openssl_reads(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port):
        server.wait_for("^CIPHER is")
        told = run(["openssl", "sess_id", "-noout", "-text"], data=server.stdout).check().text
        assert "Protocol  : TLSv1.3" in told
        assert "Session-ID-ctx: 01000000" in told


def test_a_second_certificate_by_name(pki: Pki) -> None:
    second = pki.server("rsa")
    options = ("-servername", "other.test", "-cert2", second.certificate, "-key2", second.key)
    with serve(pki, *options) as server:
        for name, kind in (("other.test", "RSA-PSS"), ("server.test", "ECDSA")):
            with client(name=name).start(server.port) as peer:
                peer.wait_for(f"^Peer signature type: {kind}$")
        server.wait_for('^Hostname in TLS extension: "server.test"$')
        switched = '^Hostname in TLS extension: "other.test"\nSwitching server context.$'
        assert len(re.findall(switched, server.text, re.MULTILINE)) == 1


def test_application_protocols(pki: Pki) -> None:
    with serve(pki, "-alpn", "h2,http/1.1") as server:
        with client("-alpn", "foo,http/1.1").start(server.port):
            server.wait_for(
                "^ALPN protocols advertised by the client: foo, http/1.1\nALPN protocols selected: http/1.1$"
            )
        outcome = client("-alpn", "foo").exchange(server.port, b"")
        assert "SSL alert number 120" in outcome.text
        server.wait_for("^ALPN protocols advertised by the client: foo$")
        server.wait_for(r"(?s)^ERROR\n.*:no application protocol:")


def test_a_failed_handshake_names_the_client_and_the_server_goes_on(pki: Pki) -> None:
    with serve(pki, "-tls1_3") as server:
        outcome = client("-tls1_2").exchange(server.port, b"")
        assert outcome.returncode == 1
        server.wait_for(r"(?m)^ERROR\n.*:unsupported protocol:.*\ns_server: 127\.0\.0\.1:\d+: .*TLS1_2")
        with client().start(server.port):
            server.wait_for("^CIPHER is")


def test_what_is_no_tls_is_explained(pki: Pki) -> None:
    with serve(pki) as server:
        with socket.create_connection((ADDRESS, server.port)) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert plain.recv(100)[:1] == b"\x15"
        server.wait_for("a plain HTTP request")


def test_a_cut_connection_is_an_error(pki: Pki) -> None:
    with serve(pki) as server:
        peer = connect(server.port)
        server.wait_for("^CIPHER is")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        server.wait_for("^ERROR\nshutting down SSL\nCONNECTION CLOSED$")
        server.wait_for(":unexpected eof while reading:")


def test_client_certificates(pki: Pki) -> None:
    with serve(pki, "-Verify", "2", "-CAfile", pki.roots, "-verify_return_error") as server:
        server.wait_for("^verify depth is 2, must return a certificate$")
        with OpenSSLClient(pki.client("rsa")).start(server.port) as peer:
            peer.wait_for("^Acceptable client certificate CA names$")
            server.wait_for("(?s)^Client certificate\n-----BEGIN CERTIFICATE.*^subject=.*^issuer=")
            server.wait_for("^Peer signature type: RSA-PSS$")
            server.wait_for("^depth=0 .*\nverify return:1$")
        outcome = client().exchange(server.port, b"")
        assert "SSL alert number 116" in outcome.text
        server.wait_for("peer did not return a certificate")


def test_a_bad_client_certificate_is_shown_but_accepted_without_return_error(pki: Pki) -> None:
    other = pki.server("p256").root
    with (
        serve(pki, "-verify", "2", "-CAfile", other) as server,
        OpenSSLClient(pki.client("rsa")).start(server.port),
    ):
        server.wait_for("^verify error:num=20:unable to get local issuer certificate$")
        server.wait_for("^CIPHER is")


def test_early_data(pki: Pki, tmp_path: Path) -> None:
    session, early = tmp_path / "session.pem", tmp_path / "early"
    early.write_bytes(b"first words\n")
    with serve(pki, "-early_data") as server:
        with client("-sess_out", str(session)).start(server.port) as peer:
            server.wait_for("^No early data received$")
            server.send(b"q\n")
            assert peer.wait() == 0
        for answer in (
            "^Early data received:\nfirst words\n\nEnd of early data$",
            "^Early data was rejected$",
        ):
            with client("-sess_in", str(session), "-early_data", str(early)).start(server.port):
                server.wait_for(answer)
                server.wait_for("^Reused session-id$")


# The keyboard.


def test_q_ends_the_connection_in_good_order(pki: Pki) -> None:
    with serve(pki) as server:
        with client().start(server.port) as peer:
            server.wait_for("^CIPHER is")
            server.send(b"q\n")
            assert peer.wait() == 0, peer.text
            assert "\nclosed\n" in peer.text
        server.wait_for("^DONE\nshutting down SSL\nCONNECTION CLOSED$")
        assert server.returncode is None


def test_capital_q_ends_the_server(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(b"Q\n")
        assert peer.wait() == 0
        assert server.wait() == 0
        assert "shutdown accept socket" in server.stderr.decode()
        assert re.search(r"DONE\nshutting down SSL\nCONNECTION CLOSED\n" + STATISTICS[1:], server.text)


def test_capital_q_without_a_client(pki: Pki) -> None:
    with serve(pki) as server:
        server.send(b"Q")
        assert server.wait() == 0


def test_statistics_are_not_sent_to_the_client(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(b"S\n")
        server.wait_for(STATISTICS)
        assert "1 server accepts that finished" in server.text
        server.send(b"Send me\n")
        peer.wait_for("^Send me$")
        assert "\nS\n" not in peer.text


@pytest.mark.parametrize("letter", ["k", "K"])
def test_key_updates(pki: Pki, letter: str) -> None:
    with serve(pki) as server, client("-msg").start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(letter.encode() + b"\n")
        server.wait_for("^SSL_do_handshake -> 1$")
        peer.wait_for("<<< TLS 1.3, Handshake .*KeyUpdate")
        peer.send(b"still here\n")
        server.wait_for("^still here$")
        assert (">>> TLS 1.3, Handshake [length 0005], KeyUpdate" in peer.text) == (letter == "K")


@pytest.mark.parametrize("letter", ["r", "R"])
def test_renegotiation(pki: Pki, letter: str) -> None:
    client = OpenSSLClient(pki.client("p256"))
    with serve(pki, "-tls1_2", "-CAfile", pki.roots) as server, client.start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(letter.encode() + b"\n")
        server.wait_for("^SSL_do_handshake -> 1$")
        wait_until(server, 2, "^CIPHER is")
        assert ("Client certificate" in server.text) == (letter == "R")
        peer.send(b"still here\n")
        server.wait_for("^still here$")


def test_renegotiation_does_not_exist_in_tls13(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(b"r\n")
        server.wait_for("^s_server: r: .*")
        peer.send(b"still here\n")
        server.wait_for("^still here$")


def test_a_certificate_after_the_handshake(pki: Pki) -> None:
    with serve(pki, "-CAfile", pki.roots) as server:
        with OpenSSLClient(pki.client("rsa"), options=("-enable_pha",)).start(server.port):
            server.wait_for("^CIPHER is")
            server.send(b"c\n")
            server.wait_for("^Client certificate$")
            server.wait_for("^depth=0 ")
        with client().start(server.port):
            wait_until(server, 2, "^CIPHER is")
            server.send(b"c\n")
            server.wait_for("^Failed to initiate request$")


def test_plain_text_below_tls(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(b"P\n")
        assert peer.wait() == 1
        assert "wrong version number" in peer.text
        server.wait_for("^CONNECTION CLOSED$")


def test_a_line_that_is_more_than_a_letter_is_data(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port) as peer:
        server.wait_for("^CIPHER is")
        server.send(b"Quit\n")
        peer.wait_for("^Quit$")
        assert server.returncode is None


def test_no_letters_under_quiet(pki: Pki) -> None:
    port = free_port()
    with QuietServer(pki.server("p256"), port) as server, client().start(port) as peer:
        peer.send(b"hi\n")
        server.wait_for("^hi$")
        server.send(b"Q\n")
        peer.wait_for("^Q$")
        assert server.stdout == b"hi\n"


def test_the_keyboard_stays_with_a_client_until_it_leaves(pki: Pki) -> None:
    with serve(pki) as server, client().start(server.port) as older:
        wait_until(server, 1, "^CIPHER is")
        assert "what is typed" not in server.text
        with client().start(server.port) as newer:
            wait_until(server, 2, "^CIPHER is")
            server.wait_for(
                r"^s_server: what is typed still goes to 127\.0\.0\.1:\d+; q ends that connection$"
            )
            server.send(b"for the older\n")
            older.wait_for("^for the older$")
            newer.send(b"from the newer\n")
            server.wait_for("^from the newer$")
            server.send(b"q\n")
            assert older.wait() == 0
            server.wait_for(r"^s_server: what is typed now goes to 127\.0\.0\.1:\d+; q ends that connection$")
            server.send(b"for the newer\n")
            newer.wait_for("^for the newer$")
            assert "for the older" not in newer.text


def test_who_has_the_keyboard_is_no_matter_without_one(pki: Pki) -> None:
    with serve(pki) as server:
        server.end_input()
        with client().start(server.port), client().start(server.port):
            wait_until(server, 2, "^CIPHER is")
            assert "what is typed" not in server.text


def test_what_is_typed_before_a_client_comes_waits_for_it(pki: Pki) -> None:
    with serve(pki) as server:
        server.send(b"waiting\n")
        with client().start(server.port) as peer:
            peer.wait_for("^waiting$")


def test_the_end_of_a_pipe_does_not_end_the_server(pki: Pki) -> None:
    with serve(pki) as server:
        server.end_input()
        for count in (1, 2):
            with client().start(server.port):
                wait_until(server, count, "^CIPHER is")


@pytest.mark.parametrize("name", ["/dev/null", "file"])
def test_standard_input_that_cannot_be_waited_for(pki: Pki, tmp_path: Path, name: str) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"from a file\n")
    identity = pki.server("p256")
    port = free_port()
    words = [
        *PROGRAM,
        "s_server",
        "-accept",
        str(port),
        "-cert",
        str(identity.certificate),
        "-key",
        str(identity.key),
    ]
    path = name if name.startswith("/") else str(source)
    with Process(["/bin/sh", "-c", 'input="$1"; shift; exec "$@" <"$input"', "sh", path, *words]) as server:
        server.wait_until_listening(port)
        with client().start(port) as peer:
            server.wait_for("^CIPHER is")
            if name == "file":
                peer.wait_for("^from a file$")


def test_the_end_of_a_terminal_ends_the_server(pki: Pki) -> None:
    with on_a_terminal(pki) as (server, keyboard):
        os.write(keyboard, b"\x04")
        assert server.wait() == 0
