"""The peers proved on one another, so that a failure elsewhere is ours: every program meets OpenSSL."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from support import peers
from support.peers import (
    NSS_KEY_TYPES,
    CurlClient,
    GnuTLSClient,
    GnuTLSServer,
    NSSClient,
    NSSServer,
    OpenSSLClient,
    OpenSSLServer,
    needs,
)
from support.pki import Pki
from support.processes import Process, ProcessError, free_port, is_listening, run

CLASSIC = ("rsa", "rsa_pss", "p256", "p384", "p521", "ed25519", "ed448")
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@needs("openssl")
@pytest.mark.parametrize("key_type", CLASSIC)
def test_openssl_accepts_every_classic_certificate(pki: Pki, key_type: str) -> None:
    server_side, client_side = pki.server(key_type), pki.client(key_type)
    with OpenSSLServer(
        server_side, "-rev", "-Verify", "3", "-verify_return_error", trust=client_side.root
    ) as server:
        client = OpenSSLClient(client_side, server_side.root)
        process = client.start(server.port)
        with process:
            process.send(b"hello\n")
            process.wait_for("olleh")
            assert "Verification: OK" in process.text
        assert "Verification: OK" in server.text


@needs("openssl", "gnutls-serv", "gnutls-cli")
@pytest.mark.parametrize("key_type", CLASSIC)
def test_gnutls_meets_openssl(pki: Pki, key_type: str) -> None:
    identity = pki.server(key_type)
    with GnuTLSServer(identity, "--echo", "--disable-client-cert") as server:
        with OpenSSLClient(trust=identity.root).start(server.port) as client:
            client.send(b"hello\n")
            client.wait_for("^hello")
        server.wait_for("Description: ")
    with (
        OpenSSLServer(identity, "-rev") as other,
        GnuTLSClient(trust=identity.root).start(other.port) as client,
    ):
        client.wait_for("Handshake was completed")
        client.send(b"hello\n")
        client.wait_for("^olleh")


@needs("openssl", "selfserv", "tstclnt", "certutil", "pk12util")
@pytest.mark.parametrize("key_type", NSS_KEY_TYPES)
def test_nss_meets_openssl(pki: Pki, nss: Path, key_type: str) -> None:
    identity = pki.server(key_type)
    schemes = ("-J", "rsa_pss_pss_sha256") if key_type == "rsa_pss" else ()
    with NSSServer(nss, [identity], "-V", "tls1.2:tls1.3", *schemes) as server:
        outcome = OpenSSLClient(trust=identity.root).exchange(server.port, REQUEST)
        assert "Verification: OK" in outcome.text
        assert "EOF" in outcome.text
    with OpenSSLServer(identity, "-www") as other:
        outcome = NSSClient(database=nss, options=("-V", "tls1.2:tls1.3", *schemes)).exchange(
            other.port, REQUEST
        )
    assert "HTTP/1.0 200 ok" in outcome.text
    assert "SSL version 3.4" in outcome.text


@needs("openssl", "curl")
@pytest.mark.parametrize("key_type", ["rsa", "p256"])
def test_curl_meets_openssl(pki: Pki, key_type: str) -> None:
    identity = pki.server(key_type)
    with OpenSSLServer(identity, "-www") as server:
        outcome = CurlClient(trust=identity.root, options=("--http1.0",)).exchange(server.port, b"").check()
    assert b"New, TLSv1.3" in outcome.stdout


@needs("openssl")
def test_rsa_pss_key_is_no_plain_rsa_key(pki: Pki) -> None:
    text = run(["openssl", "x509", "-in", pki.server("rsa_pss").certificate, "-noout", "-text"]).check().text
    assert "Public Key Algorithm: rsassaPss" in text


@needs("openssl", "gnutls-cli", "curl")
def test_versions_are_found_out() -> None:
    assert peers.openssl_version() >= (1, 1, 1)
    assert peers.gnutls_version() >= (3, 6)
    assert peers.curl_version() >= (7,)


@needs("selfserv")
def test_nss_version_is_found_out() -> None:
    assert peers.nss_version() >= (3, 40)


def test_absent_program_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDGLASS_REQUIRE_PEERS", "")
    with pytest.raises(pytest.skip.Exception, match="not installed: no-such-program"):
        peers.require("no-such-program")
    monkeypatch.setenv("HANDGLASS_REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed: no-such-program"):
        peers.require("no-such-program")


def test_process_is_ended_even_if_it_does_not_want_to() -> None:
    with Process(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]) as process:
        process.wait_for("ready")
        pid = process.pid
        process.stop(grace=0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_process_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with Process(["sleep", "30"]) as process, pytest.raises(ProcessError, match="said nothing like it"):
        process.wait_for("ready", limit=0.05)


def test_process_that_ends_is_noticed() -> None:
    with (
        Process(["sh", "-c", "echo sorry >&2; exit 3"]) as process,
        pytest.raises(ProcessError, match=r"(?s)ended with 3.*sorry"),
    ):
        process.wait_for("ready")


def test_signal_is_sent() -> None:
    with Process(["sleep", "30"]) as process:
        process.signal(signal.SIGINT)
        assert process.wait() == -signal.SIGINT


def test_run_has_a_limit() -> None:
    with pytest.raises(ProcessError, match=r"did not end in 0\.1 s"):
        run(["sleep", "30"], limit=0.1)


def test_listening_port_is_seen_without_a_connection() -> None:
    port = free_port()
    assert not is_listening(port)
    with socket.create_server(("127.0.0.1", port)):
        assert is_listening(port)
