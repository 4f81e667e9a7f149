"""`handglass s_client -starttls` itself with the real thing: TLS with a check of the certificate, a word, a refusal."""

from __future__ import annotations

import time

import pytest

from net.real import daemons
from net.real.daemons import workshop
from net.real.test_servers import CASES, Case
from support.peers import needs
from support.pki import Identity, Pki
from support.s_client import ours, start_ours

LIMIT = 60.0


@pytest.fixture
def identity(pki: Pki) -> Identity:
    return pki.server("rsa")


@pytest.mark.parametrize(("word", "case"), CASES.values(), ids=list(CASES))
def test_agreed(word: str, case: Case, identity: Identity) -> None:
    with workshop(identity) as shop, case.start(shop, tls=True) as port:
        converse(word, port, identity, case.say, case.answer)


@pytest.mark.parametrize(("word", "case"), CASES.values(), ids=list(CASES))
def test_refused(word: str, case: Case, identity: Identity) -> None:
    with workshop(identity) as shop, case.start(shop, tls=False) as port:
        seconds = "0.5" if word == "irc" else "60"
        limits = ("-starttls_timeout", seconds, "-handshake_timeout", "2")
        done = ours(port, "-starttls", word, "-name", "server.test", *limits)
    assert done.returncode == 1
    assert case.words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@needs("dovecot")
def test_dovecot(identity: Identity) -> None:
    with workshop(identity) as shop, daemons.dovecot(shop, tls=True) as ports:
        converse("imap", ports["imap"], identity, b"a CAPABILITY\r\n", b"* CAPABILITY ")
        converse("pop3", ports["pop3"], identity, b"CAPA\r\n", b"+OK")
        converse("lmtp", ports["lmtp"], identity, b"LHLO me.test\r\n", b"250-")
        converse("sieve", ports["sieve"], identity, b"", b'"IMPLEMENTATION" ')


def converse(word: str, port: int, identity: Identity, say: bytes, answer: bytes) -> None:
    """Begin TLS, say something and wait for the answer, which must be all that standard output begins with."""
    trust = ("-CAfile", identity.root, "-verify_return_error", "-servername", "server.test")
    with start_ours(port, "-starttls", word, "-name", "server.test", "-brief", *trust) as client:
        client.wait_for("^Verification: OK$")
        if say:
            client.send(say)
        deadline = time.monotonic() + LIMIT
        while len(client.stdout) < max(1, len(answer)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert client.stdout
        assert client.stdout.startswith(answer)
        client.end_input()
        assert client.wait() in (0, 1)  # some have hung up by then, without close_notify
        assert "Didn't find" not in client.text
        assert "Traceback" not in client.text
