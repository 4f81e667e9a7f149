"""The lines about each set of -xcert: OpenSSL's own, in both programs; and which set is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, wait_until
from support.peers import OpenSSLServer, needs
from support.pki import Identity, Pki
from support.s_client import ours, theirs

pytestmark = needs("openssl")

LINES_OF_A_SET = 12


def sets(pki: Pki, role: str, *key_types: str) -> list[str | Path]:
    """The options for a set of each kind, with its chain."""
    found: list[str | Path] = []
    for key_type in key_types:
        identity: Identity = getattr(pki, role)(key_type)
        found += ["-xcert", identity.certificate, "-xkey", identity.key, "-xchain", identity.intermediate]
    return found


def told(text: str) -> list[str]:
    """What was said of the sets."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("Checking cert chain ")]
    return [line for start in starts for line in lines[start : start + LINES_OF_A_SET]]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("demands", "subject"),
    [
        ((), "client rsa"),
        (("-client_sigalgs", "ECDSA+SHA256"), "client p256"),
        (("-client_sigalgs", "ECDSA+SHA384:RSA-PSS+SHA256"), None),
        (("-client_sigalgs", "rsa_pss_pss_sha256"), None),
        (("-CAfile", "ec"), None),
        (("-CAfile", "rsa"), "client rsa"),
    ],
)
def test_clients(pki: Pki, version: str, demands: tuple[str, ...], subject: str | None) -> None:
    """A server asks for a certificate: what each set lacks is told as OpenSSL tells it."""
    roots = {"ec": pki.client("p256").root, "rsa": pki.client("rsa").root}
    given = [roots.get(word, word) for word in demands]
    options = (version, *sets(pki, "client", "rsa", "p256", "p384"))
    with OpenSSLServer(pki.server("p256"), "-verify", "3", *given, "-num_tickets", "0") as server:
        expected, found = (told(client(server.port, *options).stderr.decode()) for client in (theirs, ours))
        if subject is not None:
            server.wait_for(rf"subject=.*CN = {subject}")
    assert found == expected
    assert len(found) == 3 * LINES_OF_A_SET


@pytest.mark.parametrize(
    "hello",
    [
        ("-tls1_3",),
        ("-tls1_2",),
        ("-tls1_3", "-sigalgs", "ECDSA+SHA256"),
        ("-tls1_2", "-sigalgs", "ECDSA+SHA256"),
        ("-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
        ("-tls1_2", "-sigalgs", "RSA-PSS+SHA256"),
        ("-tls1_3", "-groups", "X25519:P-384"),
        ("-tls1_2", "-groups", "X25519:P-256"),
    ],
)
def test_servers(pki: Pki, hello: tuple[str, ...]) -> None:
    """The same for each client that connects."""
    options = (*sets(pki, "server", "rsa", "p256", "p384"), "-num_tickets", "0")
    found = []
    for command in ((), PROGRAM):
        with OpenSSLServer(pki.server("p256"), *options, command=command) as server:
            theirs(server.port, *hello)
            wait_until(server, 3, r"^\tSuite B: not tested$")
            found.append(told(server.stderr.decode()))
    assert found[0] == found[1]


def test_sets_that_are_not_valid_are_not_shown(pki: Pki) -> None:
    """A client that knows no P-256 gets the plain certificate, one that takes no ECDSA the other set."""
    extra = sets(pki, "server", "p256", "rsa")
    with OpenSSLServer(pki.server("p384"), *extra, "-num_tickets", "0", command=PROGRAM) as server:
        for options, unit in (
            (("-groups", "X25519:P-384"), "p384"),
            (("-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"), "rsa"),
            ((), "p256"),
        ):
            shown = theirs(server.port, *options).stdout.decode()
            assert f"subject=C = XX, O = Handglass Tests, OU = {unit}, CN = server.test\n" in shown


def test_plain_certificates_get_no_lines(pki: Pki) -> None:
    """They are about sets alone."""
    client = pki.client("rsa")
    with OpenSSLServer(pki.server("p256"), "-verify", "3") as server:
        found = ours(server.port, "-cert", client.certificate, "-key", client.key)
        assert b"Checking cert chain" not in found.stderr
        both = ours(
            server.port, "-cert", client.certificate, "-key", client.key, *sets(pki, "client", "p256")
        )
        assert both.stderr.count(b"Checking cert chain") == 1


def test_ed25519_below_tls_1_3(pki: Pki) -> None:
    """RFC 8422 allows it there; OpenSSL does not find its signature in the list, and leaves it out."""
    options = ("-tls1_2", *sets(pki, "client", "ed25519"))
    with OpenSSLServer(pki.server("p256"), "-verify", "3") as server:
        assert told(theirs(server.port, *options).stderr.decode())[2] == "\tOverall Validity: NOT OK"
        assert told(ours(server.port, *options).stderr.decode())[2] == "\tOverall Validity: OK"
        server.wait_for(r"subject=.*CN = client ed25519")
