"""Which schemes cover the signature on a certificate, for certificates of every kind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from handglass.crypto.certificate_schemes import schemes_covering
from handglass.crypto.containers import ContainerError
from handglass.registry.code_points import SignatureScheme
from support.engines import identity
from support.pki import Pki


@pytest.mark.parametrize(
    ("key_type", "scheme", "other"),
    [
        ("rsa", SignatureScheme.RSA_PKCS1_SHA256, SignatureScheme.RSA_PSS_RSAE_SHA256),
        ("p256", SignatureScheme.ECDSA_SECP256R1_SHA256, SignatureScheme.ECDSA_SECP384R1_SHA384),
        ("ed25519", SignatureScheme.ED25519, SignatureScheme.ED448),
        ("mldsa44", SignatureScheme.MLDSA44, SignatureScheme.MLDSA65),
    ],
)
def test_what_covers_a_leaf(pki: Pki, key_type: str, scheme: SignatureScheme, other: SignatureScheme) -> None:
    leaf, *_ = pki.server(key_type).der_chain
    found = schemes_covering(leaf)
    assert found is not None
    assert scheme in found
    assert other not in found


def test_both_kinds_of_pss_cover_its_signatures() -> None:
    key = rsa.generate_private_key(65537, 2048)
    name, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("leaf", "root"))
    builder = (
        x509.CertificateBuilder(issuer, name, key.public_key(), 1)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2035, 1, 1, tzinfo=UTC))
    )
    mask = padding.PSS(padding.MGF1(hashes.SHA384()), padding.PSS.DIGEST_LENGTH)
    certificate = builder.sign(key, hashes.SHA384(), rsa_padding=mask)
    found = schemes_covering(certificate.public_bytes(Encoding.DER))
    assert found is not None
    assert set(found) == {
        SignatureScheme.RSA_PSS_RSAE_SHA384,
        SignatureScheme.RSA_PSS_PSS_SHA384,
    }


def test_what_is_signed_by_itself() -> None:
    assert schemes_covering(identity("rsa").certificate) is None


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", bytes(20)])
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ContainerError):
        schemes_covering(data)
