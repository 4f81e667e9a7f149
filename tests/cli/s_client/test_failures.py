"""Connections that fail: OpenSSL's error line, a sentence for people, exit status 1, and nothing called ok."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from support.peers import OpenSSLServer, needs
from support.pki import Authority, Identity, Pki, write_identity
from support.s_client import certificate_options, ours, said, theirs, without_advice

EMPTY_REPORT = (
    "CONNECTED(<n>)\n---\nno peer certificate available\n---\n"
    "SSL handshake has read <n> bytes and written <n> bytes\n---\nNew, (NONE), Cipher is (NONE)\n---\n"
)


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server on loopback that treats its one client like this."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                with client:
                    serve(client)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def greet(client: socket.socket) -> None:
    """Speak first, as SMTP does."""
    client.sendall(b"220 mx.test ESMTP\r\n")
    client.recv(65536)


def answer_http(client: socket.socket) -> None:
    """Answer as a web server without TLS does."""
    client.recv(65536)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def close_at_once(client: socket.socket) -> None:
    """Close instead of answering."""
    client.recv(65536)


def reset(client: socket.socket) -> None:
    """Reset the connection instead of answering."""
    client.recv(65536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def break_off(client: socket.socket) -> None:
    """Close in the middle of a record."""
    client.recv(65536)
    client.sendall(b"\x16\x03\x03\x00\x7a\x02\x00")


def stay_silent(client: socket.socket) -> None:
    """Never answer."""
    while client.recv(65536):
        pass


@pytest.mark.parametrize(
    ("serve", "error", "sentence"),
    [
        (greet, "error:0A00010B:wrong version number:", "not TLS"),
        (answer_http, "error:0A00010B:wrong version number:", "plain HTTP"),
        (close_at_once, "error:0A000126:unexpected eof while reading:", "closed"),
        (break_off, "error:0A000126:unexpected eof while reading:", "closed"),
        (
            reset,
            "read:errno=104",
            "reset by peer during the handshake, while the client waited to read server hello",
        ),
    ],
)
@pytest.mark.parametrize("options", [(), ("-brief",), ("-quiet",)])
def test_what_is_no_tls(
    serve: Callable[[socket.socket], None], error: str, sentence: str, options: tuple[str, ...]
) -> None:
    """A peer that does not speak TLS, or stops: the code that scripts know, then a sentence."""
    with listening(serve) as port:
        found = said(ours(port, *options))
    assert found.status == 1
    assert found.stdout == ("" if options else EMPTY_REPORT)
    assert found.stderr.splitlines()[0] == error
    assert sentence in found.stderr


def test_silence_has_a_limit() -> None:
    """A server that accepts and says nothing."""
    with listening(stay_silent) as port:
        found = said(ours(port, "-handshake_timeout", "0.3"))
    assert found.status == 1
    assert found.stdout == EMPTY_REPORT
    assert (
        "The handshake was not done within its time limit: 0.3 seconds, and the client still waits to read server hello"
        in found.stderr
    )


@needs("openssl")
@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("127.0.0.1:1", ["error:8000006F:Connection refused:", "connect:errno=111"]),
        ("nosuch.invalid:443", ["error:10080002:system lib:", "connect:errno=0"]),
        ("127.0.0.1:nosuchservice", ["error:10080002:system lib:", "connect:errno=0"]),
    ],
)
def test_unreachable(target: str, lines: list[str]) -> None:
    """No connection: nothing on standard output, OpenSSL's codes, and a sentence with the target."""
    found = said(ours(None, "-connect", target))
    expected = said(theirs(None, "-connect", target))
    assert (found.status, found.stdout) == (expected.status, expected.stdout) == (1, "")
    assert found.stderr.splitlines()[1] == lines[1]
    assert found.stderr.splitlines()[0].startswith(lines[0][:14])
    assert expected.stderr.splitlines()[0].startswith(lines[0][:14])
    assert found.stderr.splitlines()[2].startswith("s_client: ")


@needs("openssl")
@pytest.mark.parametrize(
    ("server_options", "client_options", "line", "hint"),
    [
        (
            ("-tls1_3",),
            ("-tls1_2",),
            "0A00042E:tlsv1 alert protocol version:SSL alert number 70",
            "-tls1_2, -tls1_3",
        ),
        (
            ("-cipher", "AES256-SHA256", "-tls1_2"),
            ("-cipher", "AES128-SHA256"),
            "0A000410:sslv3 alert handshake failure:SSL alert number 40",
            "-cipher",
        ),
        (
            ("-ciphersuites", "TLS_AES_256_GCM_SHA384"),
            ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"),
            "0A000410:sslv3 alert handshake failure:SSL alert number 40",
            "-ciphersuites",
        ),
        (
            ("-groups", "P-384"),
            ("-tls1_3", "-groups", "P-256"),
            "0A000410:sslv3 alert handshake failure:SSL alert number 40",
            "-groups",
        ),
        (
            ("-alpn", "h2"),
            ("-alpn", "spdy"),
            "0A000460:tlsv1 alert no application protocol:SSL alert number 120",
            "-alpn",
        ),
    ],
)
def test_nothing_in_common(
    pki: Pki, server_options: tuple[str, ...], client_options: tuple[str, ...], line: str, hint: str
) -> None:
    """The server's alert, as OpenSSL tells it, and what to try."""
    with OpenSSLServer(pki.server("rsa"), *server_options) as server:
        found = said(ours(server.port, *client_options))
        expected = said(theirs(server.port, *client_options))
    assert found.status == expected.status == 1
    assert found.stdout == EMPTY_REPORT
    number = line.rpartition(" ")[2]
    assert expected.stderr.rstrip().endswith(f"SSL alert number {number}")
    assert without_advice(found.stderr) == f"error:{line}\n"
    assert "Hint: " in found.stderr
    assert hint in found.stderr


@needs("openssl")
@pytest.mark.parametrize("brief", [(), ("-brief",)])
@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("-tls1_2", "error:0A000410:sslv3 alert handshake failure:SSL alert number 40"),
        ("-tls1_3", "error:0A00045C:tlsv13 alert certificate required:SSL alert number 116"),
    ],
)
def test_client_certificate_demanded(pki: Pki, version: str, line: str, brief: tuple[str, ...]) -> None:
    """A server that insists on a certificate: the same line, and in words what it wanted."""
    with OpenSSLServer(pki.server("p256"), "-Verify", "3", "-CAfile", str(pki.roots)) as server:
        options = (version, "-CAfile", str(pki.roots), *brief)
        found = said(ours(server.port, *options, "-ign_eof"))
        expected = said(theirs(server.port, *options, "-ign_eof"))
        accepted = said(ours(server.port, *options, *certificate_options(pki.client("p256"))))
    assert found.status == expected.status == 1
    assert without_advice(found.stderr) == expected.stderr
    assert expected.stderr.splitlines()[-1] == line
    assert (
        "s_client: Hint: the server demands a client certificate: give one with -cert and -key\n"
        in found.stderr
    )
    assert (
        "the server asked for a client certificate and none was sent, which is a likely cause" in found.stderr
    )
    if not brief:
        assert "Client certificate: the server asked for one, none was sent\n" in found.stdout
    assert accepted.status == 0


# What verification finds: the alert that the server reads, and OpenSSL's lines.


@pytest.fixture(scope="module")
def lab(pki: Pki) -> dict[str, Identity]:
    """Certificates with one fault each."""

    def key() -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    root = Authority.make_root("faults root", key())
    middle = root.intermediate("faults intermediate", key())
    found = {}
    for name in ("good", "expired", "future", "client"):
        leaf_key = key()
        unit = f"x{name}"
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if name == "client" else ExtendedKeyUsageOID.SERVER_AUTH
        days = {"expired": (-9, -2), "future": (2, 9)}.get(name, (-1, 30))
        leaf = middle.leaf("server.test", leaf_key, unit=unit, names=("server.test",), usage=usage, days=days)
        found[name] = write_identity(pki.directory / f"faults-{name}", "p256", leaf, leaf_key, middle)
    return found


FAULTS = [
    ("good", (), 20, 48, True),
    ("expired", (), 10, 45, False),
    ("future", (), 9, 42, False),
    ("client", (), 26, 43, False),
    ("good", ("-verify_hostname", "other.test"), 62, 42, False),
]


@needs("openssl")
@pytest.mark.parametrize(("name", "options", "code", "alert", "untrusted"), FAULTS)
def test_verification_problems(
    lab: dict[str, Identity], name: str, options: tuple[str, ...], code: int, alert: int, *, untrusted: bool
) -> None:
    """OpenSSL's lines and numbers; with -verify_return_error its alert as well."""
    identity = lab[name]
    trust = () if untrusted else ("-CAfile", str(identity.root))
    with OpenSSLServer(identity, "-num_tickets", "0") as server:
        found, expected = (said(client(server.port, *trust, *options)) for client in (ours, theirs))
        assert found.status == 0
        assert found.stdout == expected.stdout
        assert f"Verify return code: {code} (" in found.stdout
        details = "".join(
            line for line in found.stderr.splitlines(keepends=True) if not line.startswith("verify detail:")
        )
        assert details == expected.stderr
        mark = len(server.text)
        failed = said(ours(server.port, *trust, *options, "-verify_return_error"))
        server.wait_for(rf"SSL alert number {alert}\b", after=mark)
    assert failed.status == 1
    assert "error:0A000086:certificate verify failed:\n" in failed.stderr
    assert f"error {code} at depth " in failed.stderr
    assert "verify return:1\n" not in failed.stderr.partition("verify error")[2]
    assert "OK" not in failed.stdout
    assert "(ok)" not in failed.stdout
