"""DANE: the same outcomes and lines as OpenSSL's s_client for each usage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.peers import OpenSSLServer, needs
from support.pki import Pki
from support.s_client import ours, said, theirs

pytestmark = needs("openssl")


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """An s_server with an RSA certificate and its intermediate."""
    with OpenSSLServer(pki.server("rsa"), "-num_tickets", "0") as process:
        yield process


def record(usage: int, selector: int, matching: int, path: Path) -> str:
    """The TLSA record of a certificate in a file."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    whole = certificate.public_bytes(Encoding.DER)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = key if selector else whole
    if matching:
        data = hashlib.new("sha256" if matching == 1 else "sha512", data).digest()
    return f"{usage} {selector} {matching} {data.hex()}"


@pytest.mark.parametrize(
    ("numbers", "which", "codes"),
    [
        ((3, 1, 1), "leaf", (0, 0)),
        ((3, 0, 2), "leaf", (0, 0)),
        ((3, 1, 1), "middle", (65, 65)),
        ((2, 1, 1), "middle", (0, 0)),
        ((2, 0, 1), "leaf", (20, 20)),
        ((1, 1, 1), "leaf", (20, 0)),
        ((0, 0, 1), "middle", (20, 0)),
    ],
)
def test_usages(
    server: OpenSSLServer, pki: Pki, numbers: tuple[int, int, int], which: str, codes: tuple[int, int]
) -> None:
    """Usage 2 and 3 need no trust, usage 0 and 1 do. `codes`: the outcomes without and with the root trusted."""
    identity = pki.server("rsa")
    path = {"leaf": identity.certificate, "middle": identity.intermediate}[which]
    options = ("-dane_tlsa_domain", "server.test", "-dane_tlsa_rrdata", record(*numbers, path))
    for code, trust in zip(codes, ((), ("-CAfile", identity.root)), strict=True):
        found = said(ours(server.port, *options, *trust))
        assert found == said(theirs(server.port, *options, *trust))
        assert f"Verify return code: {code} (" in found.stdout
        assert ("\nDANE TLSA " in found.stdout) is (code == 0)


def test_names(server: OpenSSLServer, pki: Pki) -> None:
    """The domain is the name that the certificate must bear, unless usage 3 needs no names; it is also the SNI."""
    options = (
        "-dane_tlsa_domain",
        "other.test",
        "-dane_tlsa_rrdata",
        record(3, 1, 1, pki.server("rsa").certificate),
    )
    found = said(ours(server.port, *options))
    assert found == said(theirs(server.port, *options))
    assert "Verify return code: 62 (" in found.stdout
    found = said(ours(server.port, *options, "-dane_ee_no_namechecks"))
    assert found == said(theirs(server.port, *options, "-dane_ee_no_namechecks"))
    assert "Verify return code: 0 (" in found.stdout
    assert "Can't use SSL_get_servername" not in found.stderr


def test_records_that_cannot_be_used(server: OpenSSLServer, pki: Pki) -> None:
    """Skipped with a warning; without one that can be used nothing is connected."""
    good = record(3, 1, 1, pki.server("rsa").certificate)
    domain = ("-dane_tlsa_domain", "server.test")
    found = ours(server.port, *domain, "-dane_tlsa_rrdata", "9 1 1 00", "-dane_tlsa_rrdata", good)
    assert b"s_client: warning: unusable TLSA rrdata: 9 1 1 00" in found.stderr
    assert b"Verify return code: 0 (" in found.stdout
    found = ours(1, *domain, "-dane_tlsa_rrdata", "3 1 1 zz")
    assert b"s_client: Failed to import any TLSA records.\n" in found.stderr
    assert b"requires at least one -dane_tlsa_rrdata option." in ours(1, *domain).stderr
    assert b"requires the -dane_tlsa_domain option." in ours(1, "-dane_tlsa_rrdata", good).stderr
    assert b"together" in ours(1, *domain, "-dane_tlsa_rrdata", good, "-noservername").stderr
