"""What is resumed, by which id, and where sessions are kept; and server names that are not served."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, serve, wait_until
from support.peers import ADDRESS, OpenSSLClient, OpenSSLServer, needs
from support.pki import Pki
from support.processes import run

pytestmark = needs("openssl")

BY_ID = ("-tls1_2", "-no_ticket")


def resumes(server: OpenSSLServer, session: Path) -> bool:
    """Connect twice, and look whether the second time resumes."""
    visit(server, 1, "-sess_out", str(session))
    return session.exists() and "\nReused, TLS" in visit(server, 2, "-sess_in", str(session))


def visit(server: OpenSSLServer, number: int, *options: str) -> str:
    """Connect OpenSSL's client, let the server close, and return what the client has said."""
    with OpenSSLClient(options=options).start(server.port) as client:
        wait_until(server, number, "^CIPHER is")
        server.send(b"q\n")
        client.wait()
        return client.text


def statistics(server: OpenSSLServer) -> dict[str, int]:
    """Ask for the numbers, by their words."""
    server.send(b"S\n")
    server.wait_for("cache full overflows")
    return {words: int(number) for number, words in re.findall(r"(?m)^ *(\d+) ([^\n(]+)$", server.text)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (BY_ID, True),
        ((*BY_ID, "-no_cache"), False),
        (("-tls1_2", "-no_cache"), True),
        (("-tls1_3", "-no_cache"), True),
        (("-tls1_2", "-no_resume_ephemeral"), False),
        ((*BY_ID, "-no_resume_ephemeral"), False),
        (("-tls1_3", "-no_resume_ephemeral"), True),
        (("-tls1_2", "-no_resume_ephemeral", "-cipher", "AES128-GCM-SHA256"), True),
    ],
)
def test_what_is_resumed(pki: Pki, tmp_path: Path, options: Sequence[str], expected: bool) -> None:
    with serve(pki, *options, key_type="rsa") as server:
        assert resumes(server, tmp_path / "session") == expected
        assert statistics(server)["items in the session cache"] == (options == BY_ID)


def test_no_session_id_without_a_cache(pki: Pki) -> None:
    with serve(pki, *BY_ID, "-no_cache") as server, OpenSSLClient().start(server.port) as client:
        client.wait_for("^    Session-ID: $")


@pytest.mark.parametrize("options", [BY_ID, ("-tls1_3",)])
def test_an_external_cache(pki: Pki, tmp_path: Path, options: Sequence[str]) -> None:
    with serve(pki, *options, "-ext_cache") as server:
        assert resumes(server, tmp_path / "session")
        server.wait_for("(?s)^New session added to external cache$.*^Lookup session: cache hit$")
        counts = statistics(server)
    assert counts["items in the session cache"] == 0
    assert counts["session cache hits"] == 1
    assert counts["callback cache hits"] == 1


def test_an_external_cache_says_what_it_does_not_have(pki: Pki, tmp_path: Path) -> None:
    session = tmp_path / "session"
    with serve(pki, *BY_ID) as other:
        resumes(other, session)
    with serve(pki, *BY_ID, "-ext_cache") as server:
        assert "\nNew, TLS" in visit(server, 1, "-sess_in", str(session))
        server.wait_for("^Lookup session: cache miss$")


def test_the_context_of_sessions(pki: Pki) -> None:
    with serve(pki, "-context", "hello", "-tls1_2") as server:
        with OpenSSLClient().start(server.port):
            server.wait_for("^CIPHER is")
        text = run(["openssl", "sess_id", "-noout", "-text"], data=server.stdout).text
    assert "Session-ID-ctx: 68656C6C6F" in text


def test_ids_with_a_prefix(pki: Pki) -> None:
    with serve(pki, *BY_ID, "-id_prefix", "ABCD") as server:
        server.wait_for("^id_prefix 'ABCD' set\\.$")
        with OpenSSLClient().start(server.port) as client:
            client.wait_for("^    Session-ID: 41424344[0-9A-F]{56}$")


def test_a_prefix_that_leaves_no_room(pki: Pki, tmp_path: Path) -> None:
    """The one session can be resumed, and others are served without an id of their own."""
    session = tmp_path / "session"
    with serve(pki, *BY_ID, "-id_prefix", "A" * 40) as server:
        server.wait_for("^warning: id_prefix is too long, only one new session will be possible$")
        assert f"    Session-ID: {'41' * 32}\n" in visit(server, 1, "-sess_out", str(session))
        assert "    Session-ID: \n" in visit(server, 2)
        assert "\nReused, TLSv1.2" in visit(server, 3, "-sess_in", str(session))


# Renegotiation.


@pytest.mark.parametrize(
    ("options", "letter", "resumed"),
    [((), "r", True), ((), "R", False), (("-no_resumption_on_reneg",), "r", False)],
)
def test_a_renegotiation_resumes_unless_that_is_not_wanted(
    pki: Pki, options: Sequence[str], letter: str, resumed: bool
) -> None:
    with (
        serve(pki, "-tls1_2", "-CAfile", pki.roots, *options) as server,
        OpenSSLClient(pki.client("p256"), options=("-state",)).start(server.port) as client,
    ):
        server.wait_for("^CIPHER is")
        client.wait_for("^ +Verify return code")
        before = len(client.text)
        server.send(letter.encode() + b"\n")
        wait_until(server, 2, "^CIPHER is")
        client.send(b"still here\n")
        server.wait_for("^still here$")
        assert ("Reused session-id" in server.text) == resumed
        assert ("read server certificate\n" in client.text[before:]) != resumed
        assert ("Client certificate" in server.text) == (letter == "R")


def test_a_certificate_is_asked_for_after_a_resumption_too(pki: Pki, tmp_path: Path) -> None:
    session = str(tmp_path / "session")
    with serve(pki, "-tls1_2", "-CAfile", pki.roots) as server:
        visit(server, 1, "-sess_out", session)
        client = OpenSSLClient(pki.client("p256"), options=("-sess_in", session))
        with client.start(server.port):
            server.wait_for("^Reused session-id$")
            server.send(b"R\n")
            wait_until(server, 3, "^CIPHER is")
            server.wait_for("^Client certificate$")


# Names.


def named(pki: Pki, *options: str | Path) -> OpenSSLServer:
    other = pki.server("rsa")
    second = ("-servername", "other.test", "-cert2", other.certificate, "-key2", other.key)
    return serve(pki, *second, *options)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_name_that_is_not_served(pki: Pki, version: str) -> None:
    with named(pki, "-servername_fatal") as server:
        for name, served in (("unknown.test", False), ("OTHER.test", True)):
            outcome = OpenSSLClient(name=name, options=(version, "-no_ign_eof")).exchange(server.port, b"")
            assert ("SSL alert number 112" in outcome.text) != served
            assert ("OU = rsa" in outcome.text) == served
        nameless = ["openssl", "s_client", "-connect", f"{ADDRESS}:{server.port}", "-noservername", version]
        assert "OU = p256" in run(nameless).text
        server.wait_for("(?s)^ERROR\n.*:callback failed:.*not served here: it asks for unknown.test")


def test_without_the_option_every_name_is_served(pki: Pki) -> None:
    with named(pki) as server:
        outcome = OpenSSLClient(name="unknown.test", options=("-no_ign_eof",)).exchange(server.port, b"")
        assert "OU = p256" in outcome.text


def test_the_names_of_the_only_certificate(pki: Pki) -> None:
    with serve(pki, "-servername_fatal") as server:
        for name, served in (("server.test", True), ("unknown.test", False)):
            outcome = OpenSSLClient(name=name, options=("-no_ign_eof",)).exchange(server.port, b"")
            assert ("SSL alert number 112" in outcome.text) != served


def test_names_of_a_directory(pki: Pki, tmp_path: Path) -> None:
    identity = pki.server("p256")
    (tmp_path / "one.pem").write_bytes(identity.chain.read_bytes() + identity.key.read_bytes())
    with serve(pki, "-cert_dir", tmp_path, "-servername_fatal", key_type="rsa") as server:
        for name, served in (("server.test", True), ("a.wild.test", True), ("unknown.test", False)):
            outcome = OpenSSLClient(name=name, options=("-no_ign_eof",)).exchange(server.port, b"")
            assert ("SSL alert number 112" in outcome.text) != served


# No certificate.


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_server_without_a_certificate(version: str) -> None:
    with OpenSSLServer(None, command=PROGRAM) as server:
        server.wait_for("^s_server: -nocert: each suite that is enabled needs a certificate")
        outcome = OpenSSLClient(options=(version,)).exchange(server.port, b"")
        assert "SSL alert number 40" in outcome.text
        server.wait_for("(?s)^ERROR\n.*:no shared cipher:.*We have no certificate to show")
