"""STARTTLS with the real thing.

The dialogue, a TLS handshake behind it, and a word in private; and the refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from handglass.net.blocking import Verification, connect_over
from handglass.net.dial import Target, dial
from handglass.net.dialogue import Finding
from handglass.net.errors import NetCode, NetError
from handglass.net.starttls import Names, start_tls
from handglass.net.trust import TrustOptions
from handglass.records import dataclass
from interop.sides import wait_for_bytes
from net.real import daemons
from net.real.daemons import Workshop, workshop
from support.peers import needs
from support.pki import Identity, Pki
from support.s_client import ours, start_ours

NAMES = Names("server.test")
STREAM = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
    b"xmlns='jabber:%s' to='server.test' version='1.0'>"
)
MYSQL_LOGIN = (
    bytes.fromhex("008a0000 00000001 21")
    + bytes(23)
    + b"root\x00"
    + b"\x00"  # PROTOCOL_41, SSL, SECURE_CONNECTION
)

AS_ROOT = pytest.mark.skipif(not daemons.ROOT, reason="this server starts as root only")


@dataclass(frozen=True)
class Case:
    """A server: how it is started, what is said to it under TLS and what comes back, how it refuses."""

    start: Callable[..., AbstractContextManager[int]]
    say: bytes
    answer: bytes
    refusal: NetCode
    words: str


def prosody(role: str) -> Callable[..., AbstractContextManager[int]]:
    @contextmanager
    def start(shop: Workshop, *, tls: bool) -> Iterator[int]:
        with daemons.prosody(shop, role, tls=tls) as port:
            yield port

    return start


CASES = {
    "smtp": pytest.param(
        "smtp",
        Case(daemons.postfix, b"EHLO me.test\r\n", b"250-server.test", NetCode.REFUSED, "502 5.5.1"),
        marks=[needs("postconf"), AS_ROOT],
    ),
    "ftp": pytest.param(
        "ftp",
        Case(daemons.vsftpd, b"FEAT\r\n", b"211-Features", NetCode.REFUSED, "530 Please login"),
        marks=needs("vsftpd"),
    ),
    "xmpp": pytest.param(
        "xmpp",
        Case(prosody("c2s"), STREAM % b"client", b"<?xml", NetCode.REFUSED, "unsupported-stanza-type"),
        marks=needs("prosody"),
    ),
    "xmpp-server": pytest.param(
        "xmpp-server",
        Case(prosody("s2s"), STREAM % b"server", b"<?xml", NetCode.REFUSED, "<stream:error>"),
        marks=needs("prosody"),
    ),
    "irc": pytest.param(
        "irc",
        Case(daemons.inspircd, b"QUIT\r\n", b"ERROR :", NetCode.STEP_TIMEOUT, "may stay silent"),
        marks=needs("inspircd"),
    ),
    "postgres": pytest.param(
        "postgres",
        Case(
            daemons.postgres,
            b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00",
            b"R\x00\x00\x00\x08",
            NetCode.REFUSED,
            "it answered N",
        ),
        marks=needs("postgres", "initdb"),
    ),
    "mysql": pytest.param(
        "mysql",
        Case(
            daemons.mariadb,
            len(MYSQL_LOGIN).to_bytes(3, "little") + b"\x02" + MYSQL_LOGIN,
            b"",
            NetCode.REFUSED,
            "does not offer TLS",
        ),
        marks=needs("mariadbd"),
    ),
    "nntp": pytest.param(
        "nntp",
        Case(daemons.nnrpd, b"DATE\r\n", b"111 ", NetCode.REFUSED, "580 Error initializing TLS"),
        marks=[needs("nnrpd"), AS_ROOT],
    ),
    "ldap": pytest.param(
        "ldap",
        Case(
            daemons.slapd,
            bytes.fromhex("300c020102600702010304008000"),
            bytes.fromhex("300c02010261070a0100"),
            NetCode.REFUSED,
            "result code 2 (protocolError): unsupported extended operation",
        ),
        marks=needs("slapd"),
    ),
    "nats": pytest.param(
        "nats",
        Case(daemons.nats, b"CONNECT {}\r\nPING\r\n", b"+OK\r\nPONG\r\n", NetCode.NOT_OFFERED, ""),
        marks=needs("nats-server"),
    ),
}


@pytest.fixture
def identity(pki: Pki) -> Identity:
    return pki.server("rsa")


@pytest.mark.parametrize(("word", "case"), CASES.values(), ids=list(CASES))
def test_agreed(word: str, case: Case, identity: Identity) -> None:
    with workshop(identity) as shop, case.start(shop, tls=True) as port:
        say_in_private(word, port, identity, case.say, case.answer)
        say_with_the_program(word, port, identity, case.say, case.answer)


@pytest.mark.parametrize(("word", "case"), CASES.values(), ids=list(CASES))
def test_refused(word: str, case: Case, identity: Identity) -> None:
    with workshop(identity) as shop, case.start(shop, tls=False) as port:
        found = refusal(word, port)
        assert case.words in found[case.refusal]
        wait = "1" if word == "irc" else "20"
        outcome = ours(port, "-starttls", word, "-name", "server.test", "-starttls_timeout", wait)
    assert outcome.returncode == 1
    assert case.words in outcome.stderr.decode()


@needs("ngircd")
def test_an_irc_server_that_knows_no_starttls(identity: Identity) -> None:
    with workshop(identity) as shop, daemons.ngircd(shop) as port:
        assert "may stay silent" in refusal("irc", port)[NetCode.STEP_TIMEOUT]


@needs("dovecot")
def test_dovecot(identity: Identity) -> None:
    with workshop(identity) as shop, daemons.dovecot(shop, tls=True) as ports:
        say_in_private("imap", ports["imap"], identity, b"a CAPABILITY\r\n", b"* CAPABILITY ")
        say_in_private("pop3", ports["pop3"], identity, b"CAPA\r\n", b"+OK")
        say_in_private("lmtp", ports["lmtp"], identity, b"LHLO me.test\r\n", b"250-")
        say_in_private("sieve", ports["sieve"], identity, b"", b'"IMPLEMENTATION" ')
        say_with_the_program("imap", ports["imap"], identity, b"a CAPABILITY\r\n", b"* CAPABILITY ")
        say_with_the_program("sieve", ports["sieve"], identity, b"", b'"IMPLEMENTATION" ')


@needs("dovecot")
def test_dovecot_refuses(identity: Identity) -> None:
    with workshop(identity) as shop, daemons.dovecot(shop, tls=False) as ports:
        for word, words in [
            ("imap", "BAD TLS support isn't enabled."),
            ("pop3", "TLS support isn't enabled."),
            ("lmtp", "502 5.5.1 TLS support is not enabled."),
            ("sieve", 'NO "TLS support isn\'t enabled."'),
        ]:
            found = refusal(word, ports[word])
            assert words in found[NetCode.REFUSED]
            assert (NetCode.NOT_OFFERED in found) == (word != "pop3"), (
                "POP3 is not asked for its capabilities"
            )


def say_in_private(word: str, port: int, identity: Identity, say: bytes, answer: bytes) -> None:
    """Hold the dialogue, begin TLS with a check of the certificate, say something and read the answer."""
    trusted = Verification(trust=TrustOptions(file=str(identity.root)))
    with dial(Target("127.0.0.1", str(port))).socket as sock:
        negotiated = start_tls(sock, word, NAMES, step_seconds=10)
        assert negotiated.findings == ()
        assert negotiated.early == b""
        with connect_over(sock, "server.test", verify=trusted, timeout=60) as stream:
            assert stream.verification is not None
            assert stream.verification.ok
            if say:
                stream.write(say)
            received = b""
            while len(received) < max(1, len(answer)) and (data := stream.read()):
                received += data
            assert received.startswith(answer)
            assert received


def say_with_the_program(word: str, port: int, identity: Identity, say: bytes, answer: bytes) -> None:
    """Do the same with s_client: what it reads goes to the server, what comes back to standard output."""
    names = ("-name", "server.test", "-servername", "server.test", "-verify_hostname", "server.test")
    trust = ("-CAfile", identity.root, "-verify_return_error")
    with start_ours(port, "-starttls", word, *names, *trust, "-quiet") as process:
        process.send(say)
        wait_for_bytes(process, answer or b"\x00")
        assert process.stdout.startswith(answer)


def refusal(word: str, port: int) -> dict[NetCode, str]:
    """Return what is found when TLS is not to be had: findings, and the error that ends the dialogue."""
    told: list[Finding] = []
    # A server that stays silent is waited for; the others answer at once.
    seconds = 0.5 if word == "irc" else 10
    with dial(Target("127.0.0.1", str(port))).socket as sock:
        try:
            start_tls(sock, word, NAMES, step_seconds=seconds, tell=told.append)
        except NetError as error:
            told.append(Finding(error.code, error.sentence))
    return {finding.code: finding.sentence for finding in told}
