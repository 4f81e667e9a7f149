"""-www's /reneg and /renegcert: another handshake before the page comes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from cli.s_server.serving import serve, wait_until
from support.peers import CurlClient, OpenSSLClient, OpenSSLServer, needs
from support.pki import Identity, Pki
from support.processes import run

ASKED = "The handshake was done again."


def page(
    server: OpenSSLServer, path: str, *options: str, identity: Identity | None = None
) -> tuple[str, dict[str, Any]]:
    """What OpenSSL's client has said, and the page as JSON."""
    request = f"GET {path} HTTP/1.0\r\nAccept: application/json\r\n\r\n".encode()
    text = OpenSSLClient(identity, options=("-state", *options)).exchange(server.port, request).text
    found = re.search(r"(?s)^\{\n.*?^\}\n", text, re.MULTILINE)
    assert found, text
    return text, json.loads(found[0])


@needs("openssl")
@pytest.mark.parametrize("options", [(), ("-no_resumption_on_reneg",)])
def test_the_handshake_is_done_again(pki: Pki, options: Sequence[str]) -> None:
    with serve(pki, "-www", *options) as server:
        text, facts = page(server, "/reneg", "-tls1_2")
    assert facts["note"] == ASKED
    assert facts["connection"]["resumed"] == (not options)
    assert facts["statistics"]["renegotiations"] == 1
    assert "SSL_connect:SSLv3/TLS read hello request" in text
    assert facts["client_certificate"] is None


@needs("openssl")
def test_with_a_certificate(pki: Pki) -> None:
    identity = pki.client("p256")
    with serve(pki, "-www", "-CAfile", pki.roots) as server:
        text, facts = page(server, "/renegcert?x=y", "-tls1_2", identity=identity)
        assert facts["note"] == ASKED
        assert facts["client_certificate"]["subject"].endswith("CN = client p256")
        assert facts["client_certificate"]["verification"]["code"] == 0
        assert "read server certificate request" in text
        _, facts = page(server, "/renegcert", "-tls1_2")  # it has none, which is its right
        assert facts["note"] == ASKED
        assert facts["client_certificate"] is None


@needs("openssl")
def test_a_certificate_in_tls13(pki: Pki) -> None:
    identity = pki.client("p256")
    with serve(pki, "-www", "-CAfile", pki.roots) as server:
        _, facts = page(server, "/renegcert", "-enable_pha", identity=identity)
        assert facts["note"] == "The client sent a certificate after the handshake."
        assert facts["client_certificate"]["subject"].endswith("CN = client p256")
        _, facts = page(server, "/renegcert", "-enable_pha")
        assert facts["note"] == "The client was asked for a certificate after the handshake, and sent none."
        _, facts = page(server, "/renegcert", identity=identity)
        assert "does not offer post_handshake_auth" in facts["note"]
        assert facts["client_certificate"] is None


@needs("openssl")
def test_no_renegotiation_in_tls13(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        _, facts = page(server, "/reneg", "-tls1_3")
        assert facts["note"] == "TLS 1.3 has no renegotiation: the handshake is still the first one."
        _, facts = page(server, "/other", "-tls1_3")
        assert facts["note"] is None


@needs("openssl")
def test_a_client_that_does_not_want_to(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        _, facts = page(server, "/reneg", "-tls1_2", "-no_renegotiation")
        assert facts["note"] == "The client was asked for another handshake and does not want one."


@needs("openssl")
def test_typed_by_hand_and_read_by_people(pki: Pki) -> None:
    with serve(pki, "-www") as server, OpenSSLClient(options=("-tls1_2",)).start(server.port) as client:
        client.send(b"GET /reneg HTTP/1.1\r\nHost: x\r\n\r\n")
        client.wait_for(f'<section id="note">{ASKED}</section>')
        client.send(
            b"GET /reneg HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        wait_until(client, 3, "<!DOCTYPE html>")
        assert client.wait() == 0
        assert client.text.count(ASKED) == 2


@needs("curl")
def test_curl(pki: Pki) -> None:
    identity = pki.client("p256")
    with serve(pki, "-www", "-CAfile", pki.roots) as server:
        client = CurlClient(identity, trust=pki.server("p256").root, options=("--tls-max", "1.2"))
        *words, address = client.argv(server.port)
        answer = run([*words, f"{address}renegcert"]).check()
    assert ASKED in answer.text
    assert "CN = client p256" in answer.text
