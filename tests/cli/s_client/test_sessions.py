"""Resumption through files and by -reconnect, early data, and authentication after the handshake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.peers import OpenSSLServer, needs
from support.pki import Pki
from support.processes import Outcome
from support.s_client import certificate_options, ours, said, start_ours, start_theirs, theirs

pytestmark = needs("openssl")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_session_files_both_ways(pki: Pki, version: str, tmp_path: Path) -> None:
    """A session that OpenSSL wrote is resumed by us, and the other way round; what was verified when is said."""
    trust = ("-CAfile", str(pki.roots))
    with OpenSSLServer(pki.server("p256")) as server:
        mine, other = tmp_path / "mine", tmp_path / "other"
        assert ours(server.port, version, *trust, "-sess_out", mine).returncode == 0
        with start_theirs(server.port, version, *trust, "-sess_out", other, "-state") as client:
            client.wait_for("read server session ticket")
            client.end_input()
            client.wait()
        assert re.search(r"^Reused, TLSv1\.[23], ", theirs(server.port, version, "-sess_in", mine).text, re.M)
        found = said(ours(server.port, version, "-sess_in", other))
        assert re.search(r"^Reused, TLSv1\.[23], ", found.stdout, re.M)
        assert "Verification: OK\nVerification took place when the session began, not now\n" in found.stdout
        assert "Verify return code: 0 (ok)" in found.stdout
        # The outcome travels with the session.
        assert ours(server.port, version, "-sess_out", mine).returncode == 0
        found = said(ours(server.port, version, "-sess_in", mine))
        assert "Verification error: unable to get local issuer certificate\nVerification took" in found.stdout


def test_session_files_that_cannot_be_used(pki: Pki, tmp_path: Path) -> None:
    """Missing, malformed and unwritable ones: one sentence each."""
    assert b"Can't open session file nofile" in ours(1, "-sess_in", "nofile").stderr
    (tmp_path / "bad").write_bytes(
        b"-----BEGIN SSL SESSION PARAMETERS-----\nMAA=\n-----END SSL SESSION PARAMETERS-----\n"
    )
    found = ours(1, "-sess_in", tmp_path / "bad")
    assert found.returncode == 1
    assert b"Can't open session file" in found.stderr
    with OpenSSLServer(pki.server("p256")) as server:
        found = ours(server.port, "-tls1_2", "-sess_out", "/nodir/x")
        assert b"Error writing session file /nodir/x" in found.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_reconnect(pki: Pki, version: str) -> None:
    """Six connections, five of them resumed, in both versions."""
    with OpenSSLServer(pki.server("p256")) as server:
        found = said(ours(server.port, version, "-reconnect", "-CAfile", pki.roots))
    assert found.status == 0
    assert found.stdout.count("CONNECTED(<n>)\n") == 6
    assert found.stdout.count("drop connection and then reconnect\n") == 5
    assert found.stdout.count("\nNew, TLSv1.") == 1
    assert found.stdout.count("\nReused, TLSv1.") == 5
    assert found.stderr.count("verify return:1") == 3


def early(port: int, session: Path, data: Path, *options: str) -> Outcome:
    """Connect with early data."""
    return ours(port, "-sess_in", session, "-early_data", data, *options)


def test_early_data(pki: Pki, tmp_path: Path) -> None:
    """Accepted, rejected, not sent without a session, and too much."""
    session, data = tmp_path / "session", tmp_path / "data"
    data.write_bytes(b"early bird\n")
    with OpenSSLServer(
        pki.server("p256"), "-early_data", "-no_anti_replay", "-max_early_data", "100"
    ) as server:
        ours(server.port, "-sess_out", session)
        assert b"Early data was accepted\n" in early(server.port, session, data).stdout
        server.wait_for("early bird")
        found = ours(server.port, "-early_data", data)
        assert b"Early data was not sent\n" in found.stdout
        data.write_bytes(bytes(101))
        found = early(server.port, session, data)
        assert found.returncode == 1
        assert b"101" in found.stderr
        assert b"100" in found.stderr
        found = ours(server.port, "-early_data", tmp_path / "none")
        assert found.returncode == 1
    data.write_bytes(b"early bird\n")
    with OpenSSLServer(pki.server("p256"), "-early_data") as other:  # it does not know the ticket
        found = early(other.port, session, data)
        assert b"Early data was rejected\n" in found.stdout
        assert found.returncode == 0


def test_authentication_after_the_handshake(pki: Pki) -> None:
    """-enable_pha: the server's `c` is answered; without it the server cannot ask."""
    options = ("-verify", "3", "-CAfile", str(pki.roots))
    mine = certificate_options(pki.client("rsa"))
    with OpenSSLServer(pki.server("p256"), *options) as server:
        with start_ours(server.port, "-enable_pha", *mine) as client:
            client.wait_for("Verify return code")
            server.send(b"c\n")
            server.wait_for("depth=0 C = XX, O = Handglass Tests, CN = client rsa")
            server.wait_for("SSL_do_handshake -> 1")  # it has read all that answers it
        with start_ours(server.port, *mine) as client:
            client.wait_for("Verify return code")
            mark = len(server.text)
            server.send(b"c\n")
            server.wait_for("extension not received", after=mark - 200)
