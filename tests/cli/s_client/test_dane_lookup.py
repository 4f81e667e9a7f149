"""-dane_lookup: what the DNS has is shown, and only what it has securely authenticates the server."""

from __future__ import annotations

from collections.abc import Iterator

import dns.message
import dns.rcode
import pytest

from net.scripts import HAPPY
from support.dns_server import Answer, Reply, resolver, respond, zone
from support.peers import OpenSSLServer, needs
from support.pki import Pki
from support.plain_then_tls import plain_then_tls
from support.s_client import ours

from .test_dane import record

pytestmark = needs("openssl")

NAME = ("-servername", "server.test")


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """An s_server with an RSA certificate for server.test, that shows the name asked for."""
    with OpenSSLServer(pki.server("rsa"), "-num_tickets", "0", "-tlsextdebug") as process:
        yield process


def records(port: int, *rows: str, host: str = "server.test") -> dict[tuple[str, str], list[str]]:
    """A zone with the host, and its records for a port."""
    return {(host, "A"): ["127.0.0.1"], (f"_{port}._tcp.{host}", "TLSA"): list(rows)}


def asked(port: int, answer: Answer, *options: str) -> tuple[str, str, int]:
    """Connect with the records of a resolver: standard output, standard error, exit status."""
    with resolver(answer) as address:
        outcome = ours(port, "-dane_lookup", "-dns_server", address, *options)
    return outcome.stdout.decode(), outcome.stderr.decode(), outcome.returncode


def test_secure_records(server: OpenSSLServer, pki: Pki) -> None:
    """They authenticate the server without any trusted certificate; a wrong one refuses it."""
    port = server.port
    good, wrong = record(3, 1, 1, pki.server("rsa").certificate), "3 1 1 " + "00" * 32
    out, err, status = asked(port, zone(records(port, wrong, good, "9 9 9 00")), *NAME)
    assert f"s_client: TLSA _{port}._tcp.server.test.: secure (validated by the resolver 127.0.0.1:" in err
    assert f"s_client:   {good}\n" in err
    assert "s_client:   unusable TLSA rrdata: 9 9 9 00" in err
    assert "Verify return code: 0 (ok)" in out
    assert "Verified peername: server.test\nDANE TLSA 3 1 1 ..." in out
    assert status == 0
    out, _, _ = asked(port, zone(records(port, wrong)), *NAME)
    assert "Verify return code: 65 (no matching DANE TLSA records)" in out
    _, _, status = asked(port, zone(records(port, wrong)), *NAME, "-verify_return_error")
    assert status == 1
    own = "other.test"
    out, _, _ = asked(port, zone(records(port, good, host=own)), "-dane_tlsa_domain", own)
    assert "Verify return code: 62 (" in out


def test_insecure_records_are_shown_and_not_used(server: OpenSSLServer, pki: Pki) -> None:
    """The chain is judged as if there were none."""
    port = server.port
    good = record(3, 1, 1, pki.server("rsa").certificate)
    nobody = frozenset({"server.test", f"_{port}._tcp.server.test"})
    out, err, status = asked(port, zone(records(port, good), insecure=nobody), *NAME)
    assert ": not secure (no AD bit from the resolver 127.0.0.1:" in err
    assert f"s_client:   {good} (not validated, not used)\n" in err
    assert "s_client: the chain is judged without DANE\n" in err
    assert "Verify return code: 20 (" in out
    assert "DANE TLSA" not in out
    assert status == 0


def test_no_records(server: OpenSSLServer, pki: Pki) -> None:
    """Their absence is told, and the chain is judged without DANE; so it is if none can be used (RFC 6698 §4.1)."""
    root = str(pki.server("rsa").root)
    for rows, sentence in (((), "there are no records"), (("9 9 9 00",), "no record can be used")):
        found = records(server.port, *rows)
        out, err, _ = asked(server.port, zone(found), *NAME, "-CAfile", root)
        assert ": secure (validated by" in err
        assert f"s_client: {sentence}: the chain is judged without DANE\n" in err
        assert "Verify return code: 0 (ok)" in out


def refused(query: dns.message.Message, by_tcp: bool) -> Reply:
    """A resolver that found a signature wrong."""
    return respond(query, code=dns.rcode.SERVFAIL)


def test_nothing_connects_without_an_answer() -> None:
    """A lookup that was made to fail does not switch DANE off."""
    out, err, status = asked(1, refused, *NAME)
    assert (out, status) == ("", 1)
    assert err.startswith(
        "s_client: the resolver cannot answer about server.test. (perhaps DNSSEC validation"
    )
    outcome = ours(1, *NAME, "-dane_lookup", "-dns_server", "nobody")
    assert b"s_client: no resolver can be asked: " in outcome.stderr


def test_aliases(server: OpenSSLServer, pki: Pki) -> None:
    """The target of an alias is the name to ask for, and both names will do (RFC 7671 §7)."""
    port = server.port
    good = record(2, 1, 1, pki.server("rsa").intermediate)
    found = records(port, good, host="host.test") | {("server.test", "CNAME"): ["host.test."]}
    out, err, _ = asked(port, zone(found), *NAME)
    assert f"TLSA _{port}._tcp.host.test.: secure" in err
    assert "Verified peername: server.test\n" in out
    assert "Verify return code: 0 (ok)" in out
    server.wait_for(r'"server name" \(id=0\), len=14\n(.*host\.test)')


def test_mail_servers(pki: Pki) -> None:
    """Usage 0 and 1 do not count, usage 3 needs no name (RFC 7672 §3.1)."""
    identity = pki.server("rsa")
    unusable, good = record(1, 1, 1, identity.certificate), record(3, 1, 1, identity.certificate)
    with plain_then_tls(identity, HAPPY["smtp"]) as met:
        found = records(met.port, unusable, good, host="mx.elsewhere.test")
        out, err, _ = asked(met.port, zone(found), "-starttls", "smtp", "-servername", "mx.elsewhere.test")
    assert f"s_client:   {unusable} (not for mail servers)\n" in err
    assert "Verify return code: 0 (ok)" in out
    assert "DANE TLSA 3 1 1 ..." in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-dane_lookup",), "needs a name: give -servername or -dane_tlsa_domain"),
        (("-dane_lookup", *NAME, "-noservername"), "together"),
        (("-dane_lookup", "-dane_tlsa_domain", "x.test", "-dane_tlsa_rrdata", "3 1 1 00"), "not both"),
        (("-dns_server", "127.0.0.1"), "-dns_server needs -dane_lookup"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], sentence: str) -> None:
    """Said before anything is asked."""
    outcome = ours(1, *options)
    assert sentence in outcome.stderr.decode()
    assert outcome.returncode == 1
