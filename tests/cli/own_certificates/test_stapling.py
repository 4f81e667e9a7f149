"""A server's stapled responses, from responders and from files, with OpenSSL's sentences."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from handglass.cli.own_certificates.stapling import Stapling, StatusOptions
from handglass.crypto.identity import Identity
from handglass.crypto.throwaway import Authority
from handglass.registry.errors import LocalError
from handglass.registry.reasons import INTERNAL_ERROR
from handglass.verify import Certificate, TrustStore
from support.web import ok, web_server

NOW = datetime.now(UTC).replace(microsecond=0)


def response(identity: Identity, authority: Authority) -> bytes:
    """Sign with the authority's own key, taken from where it keeps it."""
    issuer = x509.load_der_x509_certificate(authority.certificate)
    key = authority._key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = ocsp.OCSPResponseBuilder().add_response(
        x509.load_der_x509_certificate(identity.certificate),
        issuer,
        hashes.SHA1(),
        ocsp.OCSPCertStatus.GOOD,
        NOW,
        NOW + timedelta(hours=1),
        None,
        None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_response_from_the_default_responder() -> None:
    authority = Authority(NOW)
    identity = authority.issue()
    expected = response(identity, authority)
    lines: list[str] = []
    with web_server(lambda _: ok(expected)) as server:
        options = StatusOptions(verbose=True, url=server.url(), proxy="")
        stapling = Stapling(options, TrustStore([Certificate(authority.certificate)]), lines.append)
        stapling.prepare([identity])
        assert stapling.responses(identity) == [expected]
        assert stapling.responses(identity) == [expected]
        stapling.close()
        assert len(server.requests) == 1
        assert lines[:2] == [f"cert_status: AIA URL: {server.url()}", "cert_status: callback called"]
    assert lines[2].startswith(
        "cert_status: ocsp response sent:\nOCSP Response Data:\n    OCSP Response Status: succ"
    )


def test_what_is_missing_is_told() -> None:
    identity = Authority(NOW).issue()
    for options, expected in (
        (StatusOptions(url="http://127.0.0.1:1/"), ["cert_status: Can't retrieve issuer certificate."]),
        (StatusOptions(), []),
        (
            StatusOptions(verbose=True),
            ["cert_status: callback called", "cert_status: no AIA and no default responder URL"],
        ),
    ):
        lines: list[str] = []
        assert Stapling(options, TrustStore(), lines.append).responses(identity) == [None]
        assert lines == expected


def test_a_silent_responder_costs_its_limit_once() -> None:
    authority = Authority(NOW)
    identity = authority.issue()
    lines: list[str] = []
    with web_server(lambda _: None) as server:
        options = StatusOptions(seconds=0.3, url=server.url(), proxy="")
        stapling = Stapling(options, TrustStore([Certificate(authority.certificate)]), lines.append)
        begun = time.monotonic()
        assert stapling.responses(identity) == [None]
        assert stapling.responses(identity) == [None]
        assert time.monotonic() - begun < 50
        stapling.close()
    assert lines == [
        f"cert_status: error querying responder: {server.url()}: no complete answer within 0.3 seconds"
    ]


def test_files(tmp_path: Path) -> None:
    authority = Authority(NOW)
    identity = authority.issue()
    good = tmp_path / "response.der"
    good.write_bytes(response(identity, authority))
    lines: list[str] = []
    stapling = Stapling(StatusOptions(files=(str(good), str(good))), TrustStore(), lines.append)
    stapling.prepare([identity])
    assert stapling.responses(identity) == [good.read_bytes()] * 2
    bad = tmp_path / "bad"
    bad.write_text("hello")
    for path, sentence in (
        ("absent", "Cannot open OCSP response file: cannot open absent"),
        (str(bad), "holds text"),
    ):
        with pytest.raises(LocalError, match=sentence) as caught:
            Stapling(StatusOptions(files=(path,)), TrustStore(), lines.append).responses(identity)
        assert caught.value.reason is INTERNAL_ERROR
    assert lines[0].startswith("cert_status: Cannot open OCSP response file")


def test_every_certificate_of_the_chain() -> None:
    authority = Authority(NOW)
    leaf = authority.issue()
    identity = Identity(leaf.certificate, leaf.key, (authority.certificate,))
    expected = response(leaf, authority)
    with web_server(lambda _: ok(expected)) as server:
        options = StatusOptions(all_certificates=True, url=server.url(), proxy="")
        stapling = Stapling(options, TrustStore(), lambda _: None)
        assert stapling.responses(identity) == [expected], "the root gets none"
        stapling.close()
