"""A second opinion: cryptography's own path validation (RFC 5280 and the Web PKI's rules).

It knows no purposes, CRLs or policies and stops at the first problem, but what it rejects for a reason that
is RFC 5280's we must not accept. Reasons that are the Web PKI's alone are listed here, each with what it
is.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.x509 import verification as peer

from handglass.verify import Certificate, Purpose, TrustStore, VerifyParams, verify_chain
from verify.support import scenes, scenes_extensions
from verify.support.build import NOW
from verify.support.openssl import Scene

# Parts of the other's messages, and why they are no reason for us. RFC 5280's profile for those who make certificates
# goes further than what a relying party has to check (§6.1); -x509_strict reports most of these.
NOT_OURS = {
    "presented certificate must have a subjectAlternativeName": "Web PKI: the common name does not count",
    "subjectAltName": "Web PKI: the common name does not count; criticality by RFC 5280 §4.2.1.6",
    "serial": "RFC 5280 §4.1.2.2 binds the issuer",
    "Forbidden public key algorithm": "Web PKI: permitted algorithms",
    "Forbidden signature algorithm": "Web PKI: permitted algorithms",
    "authorityKeyIdentifier": "RFC 5280 §4.2.1.1 binds the issuer",
    "subjectKeyIdentifier": "RFC 5280 §4.2.1.2 binds the issuer",
    "SubjectKeyIdentifier": "RFC 5280 §4.2.1.2 binds the issuer",
    "AuthorityKeyIdentifier": "RFC 5280 §4.2.1.1 binds the issuer",
    "2.5.29.35: Certificate is missing": "RFC 5280 §4.2.1.1 binds the issuer; -x509_strict reports it",
    "2.5.29.15: Certificate is missing": "RFC 5280 §4.2.1.3 binds the issuer; -x509_strict reports it",
    "2.5.29.19: Certificate extension has incorrect criticality": "§4.2.1.9 binds the issuer; -x509_strict reports it",
    "2.5.29.19: missing required extension": "an anchor is trusted for itself (RFC 5280 §6.1); keyUsage names it a CA",
    "cA must not be asserted in an EE certificate": "Web PKI: RFC 5280 knows no such rule",
    "certificate must be an X509v3 certificate": "anchors, leaves: not RFC 5280 §6.1.4 (k); CAs: -x509_strict",
    "is not a valid X509 version": "as above, version 2",
    "RSA key is too weak": "Web PKI: 2048 bits; -auth_level 2 demands them",
    "mismatch between signatureAlgorithm and SPKI": "an anchor's own signature does not count; -check_ss_sig",
    "Neither EKU nor anyEKU could be found": "server gated cryptography, which OpenSSL 3.0 takes for a server",
    "required EKU not found": "server gated cryptography, which OpenSSL 3.0 takes for a server",
    "no interior errors": "names compared without case and spaces (RFC 5280 §7.1), there byte by byte",
    "invalid domain name": "a host that it does not take: underscores, labels that end in hyphens",
}


def candidates() -> Iterator[tuple[str, Scene]]:
    yield from scenes.single_faults()
    yield from scenes.building()
    yield from scenes_extensions.name_constraints()
    yield from scenes.names()


def judge(scene: Scene, host: str) -> str | None:
    """What the other one says: None for a chain that it accepts."""
    try:
        leaf = x509.load_der_x509_certificate(scene.leaf)
        between = [x509.load_der_x509_certificate(der) for der in scene.untrusted]
        anchors = [x509.load_der_x509_certificate(der) for der in scene.anchors]
        when = datetime.datetime.fromtimestamp(NOW, datetime.UTC).replace(tzinfo=None)
        policy = peer.PolicyBuilder().store(peer.Store(anchors)).time(when)
        policy.build_server_verifier(x509.DNSName(host)).verify(leaf, between)
    except (peer.VerificationError, x509.InvalidVersion, ValueError) as problem:
        return str(problem)
    return None


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # we give it such certificates on purpose
def test_nothing_that_it_rejects_is_accepted() -> None:
    """Every chain that we accept as a server's, with a name to match, goes through the other one too."""
    reasons: Counter[str] = Counter()
    unexplained = []
    accepted = 0
    seen: set[tuple[object, ...]] = set()
    for label, scene in candidates():
        host = scene.params.hosts[0] if scene.params.hosts else "server.test"
        key = (scene.leaf, tuple(scene.untrusted), tuple(scene.anchors), host)
        if key in seen or host.startswith(".") or not scene.anchors:
            continue
        seen.add(key)
        params = VerifyParams(time=NOW, purpose=Purpose.SSL_SERVER, hosts=(host,), auth_level=1)
        ours = verify_chain(
            Certificate(scene.leaf),
            [Certificate(der) for der in scene.untrusted],
            TrustStore([Certificate(der) for der in scene.anchors]),
            params,
            0,
        )
        if not ours.ok:
            continue
        accepted += 1
        said = judge(scene, host)
        if said is None:
            reasons["accepted by both"] += 1
            continue
        known = next((why for part, why in NOT_OURS.items() if part in said), None)
        if "no interior errors" in said and "other case" not in label:
            known = None  # that message hides its reason
        reasons[known or said] += 1
        if known is None:
            unexplained.append(f"{label}: {said}")
    print(accepted, reasons)
    assert accepted > 100
    assert not unexplained, "\n".join(unexplained[:40])


@pytest.mark.parametrize("length", [2, 3, 4])
def test_it_accepts_a_right_chain(length: int) -> None:
    assert judge(scenes.scene(scenes.make(scenes.layers(length))), "server.test") is None
