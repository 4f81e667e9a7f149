"""Certificates made on the spot, in memory: a self-signed one, or an authority that issues others.

For `s_server` without a certificate at hand, the demonstration, and anybody's tests. The keys are real and,
unless they are written out, die with the process; the validity is short on purpose. The clock is handed in.

Source: RFC 5280 §4.1, §4.2.1; the names in subjectAltName as RFC 9525 §6.3 compares them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from .identity import Identity
from .private_keys import key_type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

KeyType = Literal["rsa", "ec", "p256", "p384", "p521", "ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87"]

_BACKDATED = timedelta(minutes=5)
_VALID = timedelta(days=7)
_MAX_COMMON_NAME = 64  # ub-common-name of RFC 5280 app. A.1


class Authority:
    """A throwaway certificate authority: `certificate` (DER) is its self-signed root."""

    def __init__(
        self, now: datetime, name: str = "Handglass Throwaway CA", key_type: KeyType = "p256"
    ) -> None:
        self._key = generate_key(key_type)
        self._now = now
        self._name = name
        self.certificate = _sign(_builder(now, name, name, self._key), self._key, self._key, authority=True)

    def issue(
        self,
        names: Sequence[str] = ("localhost", "127.0.0.1", "::1"),
        key_type: KeyType = "p256",
        *,
        client: bool = False,
    ) -> Identity:
        """Return a new identity for DNS names and IP addresses, its chain ending below this authority."""
        key = generate_key(key_type)
        builder = _leaf(_builder(self._now, names[0], self._name, key), names, client=client)
        certificate = _sign(builder, key, self._key, authority=False)
        return Identity(certificate, key, (), key_type_of(key), label=f"throwaway certificate for {names[0]}")


def self_signed(
    now: datetime, names: Sequence[str] = ("localhost", "127.0.0.1", "::1"), key_type: KeyType = "p256"
) -> Identity:
    """Return an identity with a self-signed certificate for DNS names and IP addresses."""
    key = generate_key(key_type)
    builder = _leaf(_builder(now, names[0], names[0], key), names, client=False)
    certificate = _sign(builder, key, key, authority=False)
    return Identity(certificate, key, (), key_type_of(key), label=f"throwaway certificate for {names[0]}")


def key_to_pem(identity: Identity) -> str:
    """Return the private key of an identity as PEM: PKCS#8, not encrypted."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 (lazy)
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def generate_key(key_type: KeyType) -> CertificateIssuerPrivateKeyTypes:
    """Return a new private key from the system's own randomness. Raises `ValueError` for an unknown kind."""
    from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415 (lazy: rarely needed)
        ec,
        ed448,
        ed25519,
        mldsa,
        rsa,
    )

    makers: dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
        "mldsa44": mldsa.MLDSA44PrivateKey.generate,
        "mldsa65": mldsa.MLDSA65PrivateKey.generate,
        "mldsa87": mldsa.MLDSA87PrivateKey.generate,
    }
    if key_type not in makers:
        raise ValueError(f"no throwaway key of the kind {key_type!r}; there are {', '.join(makers)}")
    return makers[key_type]()


def _builder(
    now: datetime, subject: str, issuer: str, key: CertificateIssuerPrivateKeyTypes
) -> x509.CertificateBuilder:
    from cryptography import x509  # noqa: PLC0415 (lazy: costs 40 ms at start)
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 (lazy)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_MAX_COMMON_NAME])])

    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALID)
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _leaf(builder: x509.CertificateBuilder, names: Sequence[str], *, client: bool) -> x509.CertificateBuilder:
    from cryptography import x509  # noqa: PLC0415 (lazy)
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 (lazy)

    def general_name(text: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ip_address(text))
        except ValueError:
            return x509.DNSName(text)

    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    return builder.add_extension(
        x509.SubjectAlternativeName([general_name(text) for text in names]), critical=False
    ).add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)


def _sign(
    builder: x509.CertificateBuilder,
    key: CertificateIssuerPrivateKeyTypes,
    issuer: CertificateIssuerPrivateKeyTypes,
    *,
    authority: bool,
) -> bytes:
    """Add what tells authorities and ends apart (RFC 5280 §4.2.1.3, §4.2.1.9) and sign."""
    from cryptography import x509  # noqa: PLC0415 (lazy)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 (lazy)
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 (lazy)

    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority and key_type_of(key) == "rsa",
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(
        x509.BasicConstraints(ca=authority, path_length=None), critical=True
    ).add_extension(usage, critical=True)
    if key is not issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
        builder = builder.add_extension(identifier, critical=False)
    own_hash = key_type_of(issuer) not in {"rsa", "ec"}
    return builder.sign(issuer, None if own_hash else hashes.SHA256()).public_bytes(Encoding.DER)
