"""-enable_server_rpk, -enable_client_rpk and -expected-rpks of both programs, against GnuTLS and each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.s_server.serving import serve, wait_until
from support.peers import OpenSSLServer, line_buffered, needs, program
from support.pki import Identity, Pki
from support.processes import Outcome, Process, free_port, run
from support.s_client import ours, theirs

ENABLED = ("-enable_server_rpk", "-enable_client_rpk")
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
ONLY_KEYS = "-CTYPE-ALL:+CTYPE-SRV-RAWPK:+CTYPE-CLI-RAWPK"
UNTRUSTED = "95 (raw public key untrusted, no trusted keys configured)"


def public_key(identity: Identity) -> Path:
    """The file with an identity's public key, made if it is not there."""
    path = identity.directory / "public.pem"
    if not path.exists():
        command: list[str | Path] = [
            program("openssl"),
            "x509",
            "-in",
            identity.certificate,
            "-pubkey",
            "-noout",
        ]
        path.write_bytes(run(command).check().stdout)
    return path


def own_key(identity: Identity) -> tuple[str | Path, ...]:
    """GnuTLS's options for a raw public key."""
    return ("--rawpkkeyfile", identity.key, "--rawpkfile", public_key(identity))


def shown(identity: Identity) -> tuple[str | Path, ...]:
    """The options of our client for its key."""
    return ("-cert", identity.certificate, "-key", identity.key)


@pytest.fixture(scope="module")
def gnutls(pki: Pki) -> Iterator[tuple[int, Process]]:
    """A gnutls-serv that shows a key, demands one, and speaks of nothing else: its port, and itself."""
    port = free_port()
    argv: list[str | Path] = [*line_buffered(), program("gnutls-serv"), "--port", str(port), "--echo"]
    argv += ["--require-client-cert", "--priority", f"NORMAL:{ONLY_KEYS}", *own_key(pki.server("p256"))]
    with Process(argv, merged=True) as process:
        process.wait_until_listening(port)
        yield port, process


@needs("gnutls-serv", "openssl")
@VERSIONS
def test_a_server_of_gnutls(gnutls: tuple[int, Process], pki: Pki, version: str) -> None:
    """Both show keys; the server's counts if it is the expected one, or that of a TLSA record."""
    port, process = gnutls
    before = len(process.stdout)
    options = ("-tls" + version.replace(".", "_"), *ENABLED, *shown(pki.client("rsa")))
    key = public_key(pki.server("p256"))
    text = ours(port, *options, "-expected-rpks", key).stdout.decode()
    assert (
        "no peer certificate available\nClient-to-server raw public key negotiated\n"
        "Server-to-client raw public key negotiated\nServer raw public key\n  Public-Key: (256 bit)\n  pub:\n      04:"
    ) in text
    assert "  NIST CURVE: P-256\n---\n" in text
    assert "Verification: OK\nDANE TLSA 3 1 0 ..." in text
    assert " matched the peer raw public key\n" in text
    assert "Verify return code: 0 (ok)" in text
    process.wait_for(rf"\(TLS{version}-Raw Public Key\)[^$]*PK algo: RSA", after=before)


@needs("gnutls-serv", "openssl")
def test_keys_that_are_not_expected(gnutls: tuple[int, Process], pki: Pki) -> None:
    """Another key, or none: X509_V_ERR_RPK_UNTRUSTED, which ends the handshake if that was asked for."""
    port, _ = gnutls
    options = (*ENABLED, *shown(pki.client("p256")))
    for extra in (
        (),
        ("-expected-rpks", public_key(pki.server("rsa"))),
        ("-CAfile", pki.server("p256").root),
    ):
        found = ours(port, *options, *extra)
        assert f"Verify return code: {UNTRUSTED}" in found.stdout.decode()
        assert b"depth=0 <no cert>\nverify error:num=95:raw public key untrusted" in found.stderr
    ended = ours(port, *options, "-verify_return_error")
    assert ended.returncode == 1
    assert b"error 95 at depth 0: raw public key untrusted" in ended.stderr
    brief = ours(port, *options, "-brief")
    assert b"Peer used raw public key\nVerification error: raw public key untrusted" in brief.stderr
    record = ("-dane_tlsa_domain", "server.test", "-dane_tlsa_rrdata", "3 1 1 " + "00" * 32)
    assert b"Verify return code: 95 (" in ours(port, *options, *record).stdout


@needs("gnutls-serv", "openssl")
def test_without_the_options(gnutls: tuple[int, Process]) -> None:
    """Nothing is offered then, and nothing is common."""
    port, _ = gnutls
    assert ours(port).returncode == 1


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """Our s_server, which shows its key, demands one, and expects that of the RSA client."""
    expected = ("-expected-rpks", public_key(pki.client("rsa")))
    with serve(pki, *ENABLED, "-Verify", "1", *expected, "-verify_return_error") as process:
        yield process


def gnutls_client(port: int, version: str, *options: str | Path) -> Outcome:
    """Run gnutls-cli with raw public keys only."""
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}:{ONLY_KEYS}"
    argv: list[str | Path] = [program("gnutls-cli"), "--port", str(port), "--priority", priority]
    return run([*argv, "--insecure", *options, "localhost"])


@needs("gnutls-cli", "openssl")
@VERSIONS
def test_a_client_of_gnutls(server: OpenSSLServer, pki: Pki, version: str) -> None:
    """The expected key comes in, another one does not."""
    before = len(server.stdout)
    found = gnutls_client(server.port, version, *own_key(pki.client("rsa")))
    assert "- Handshake was completed" in found.text
    assert f"(TLS{version}-Raw Public Key)" in found.text
    server.wait_for(
        r"Server-to-client raw public key negotiated\nClient-to-server raw public key negotiated\n"
        r"Client raw public key\n  Public-Key: \(2048 bit\)",
        after=before,
    )
    gnutls_client(server.port, version, *own_key(pki.client("p256")))
    server.wait_for(r"error 95 at depth 0: raw public key untrusted")


@needs("openssl")
def test_the_page(pki: Pki) -> None:
    """The status page shows a client's key, as text and in JSON."""
    asking = (*ENABLED, *shown(pki.client("p256")), "-quiet")
    with serve(pki, *ENABLED, "-verify", "1", "-www") as process:
        page = ours(process.port, *asking, data=b"GET / HTTP/1.0\r\n\r\n").stdout.decode()
        request = b"GET / HTTP/1.0\r\nAccept: application/json\r\n\r\n"
        facts = json.loads(ours(process.port, *asking, data=request).stdout.partition(b"\r\n\r\n")[2])
    assert "no client certificate available\nServer-to-client raw public key negotiated\n" in page
    assert facts["client_certificate"] is None
    assert facts["client_public_key"]["verification"]["code"] == 95
    assert facts["client_public_key"]["pem"] == public_key(pki.client("p256")).read_text()


@needs("openssl")
def test_certificates_with_expected_keys(server: OpenSSLServer, pki: Pki) -> None:
    """A client without raw keys shows its certificate, whose key counts too (as in OpenSSL 4.0)."""
    count = server.text.count("Client certificate\n")
    theirs(server.port, *shown(pki.client("rsa")))
    wait_until(server, count + 1, r"^Client certificate$")
    count = server.text.count("no matching DANE TLSA records")
    refused = ours(server.port, *shown(pki.client("p256")), data=b"x")
    wait_until(server, count + 1, "no matching DANE TLSA records")
    assert refused.returncode == 1
    found = ours(server.port, *shown(pki.client("rsa")), "-expected-rpks", pki.server("p256").certificate)
    assert b"DANE TLSA 3 1 0 " in found.stdout
    assert b"Verify return code: 0 (ok)" in found.stdout
    assert b"no peer rpk" not in found.stdout
    found = ours(server.port, *shown(pki.client("rsa")), "-expected-rpks", pki.server("rsa").certificate)
    assert b"Verify return code: 65 (" in found.stdout


@needs("openssl")
def test_a_server_that_knows_nothing_of_keys(pki: Pki) -> None:
    """OpenSSL 3.0 passes the offer over; a certificate comes, and that no key did is said."""
    with OpenSSLServer(pki.server("p256")) as process:
        found = ours(process.port, *ENABLED, *shown(pki.client("rsa")), "-CAfile", pki.server("p256").root)
    assert b"\nno peer rpk available\n---\n" in found.stdout
    assert b"Verify return code: 0 (ok)" in found.stdout
    assert b"negotiated\n" not in found.stdout.replace(b"No ALPN negotiated\n", b"")


@pytest.mark.parametrize(
    "text", ["", "nonsense", "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"]
)
def test_files_without_keys(tmp_path: Path, text: str) -> None:
    """One sentence, and nothing connects."""
    path = tmp_path / "keys.pem"
    path.write_text(text)
    for file in (path, tmp_path / "absent"):
        found = ours(1, "-expected-rpks", file)
        assert f"Could not load the expected public keys from {file}: ".encode() in found.stderr
        assert found.returncode == 1
