"""Throwaway certificate authorities and certificates of every key type, as PEM files.

Four families, each root → intermediate → leaf, so that a chain is signed by the kind of key that it certifies
and a peer that knows only RSA can check an RSA chain:

    rsa    RSA-2048    leaves rsa, rsa_pss (an id-RSASSA-PSS key, RFC 4055 §1.2)
    ec     P-256       leaves p256, p384, p521
    eddsa  Ed25519     leaves ed25519, ed448
    mldsa  ML-DSA-44   leaves mldsa44, mldsa65, mldsa87 (RFC 9881)

Each leaf exists twice: for a server (localhost, server.test, 127.0.0.1, ::1) and for a client. `shared_pki`
makes the directory once, also when several pytest workers share it.
"""

from __future__ import annotations

import base64
import datetime
import fcntl
import ipaddress
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from handglass.records import dataclass
from support import der

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
    | mldsa.MLDSA44PrivateKey
    | mldsa.MLDSA65PrivateKey
    | mldsa.MLDSA87PrivateKey
)


def _rsa() -> PrivateKey:
    return rsa.generate_private_key(65537, 2048)


KEY_MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "rsa": _rsa,
    "rsa_pss": _rsa,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "mldsa44": mldsa.MLDSA44PrivateKey.generate,
    "mldsa65": mldsa.MLDSA65PrivateKey.generate,
    "mldsa87": mldsa.MLDSA87PrivateKey.generate,
}
"""How a key of each type is made."""

FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "rsa": ("rsa", ("rsa", "rsa_pss")),
    "ec": ("p256", ("p256", "p384", "p521")),
    "eddsa": ("ed25519", ("ed25519", "ed448")),
    "mldsa": ("mldsa44", ("mldsa44", "mldsa65", "mldsa87")),
}
"""Family → (key type of its authorities, key types of its leaves)."""

SERVER_NAMES = ("localhost", "server.test", "*.wild.test")
SERVER_ADDRESSES = ("127.0.0.1", "::1")


# What tests hold in their hands.


@dataclass(frozen=True, slots=True)
class Identity:
    """A leaf with its key: the paths of its PEM files."""

    name: str
    key_type: str
    directory: Path

    @property
    def certificate(self) -> Path:
        """The leaf alone."""
        return self.directory / "certificate.pem"

    @property
    def chain(self) -> Path:
        """The leaf, then its intermediate."""
        return self.directory / "chain.pem"

    @property
    def intermediate(self) -> Path:
        """The intermediate alone."""
        return self.directory / "intermediate.pem"

    @property
    def root(self) -> Path:
        """The root alone: what the other side must trust."""
        return self.directory / "root.pem"

    @property
    def key(self) -> Path:
        """The private key, PKCS#8, not encrypted."""
        return self.directory / "key.pem"

    @property
    def der_chain(self) -> tuple[bytes, ...]:
        """The leaf and its intermediate in DER."""
        return tuple(
            certificate.public_bytes(serialization.Encoding.DER)
            for certificate in x509.load_pem_x509_certificates(self.chain.read_bytes())
        )


@dataclass(frozen=True)
class Pki:
    """The directory of a session's certificates."""

    directory: Path

    @property
    def roots(self) -> Path:
        """All roots in one PEM file."""
        return self.directory / "roots.pem"

    def server(self, key_type: str) -> Identity:
        """Return a server's certificate of this key type (a key of `KEY_MAKERS`)."""
        return self._identity("server", key_type)

    def client(self, key_type: str) -> Identity:
        """Return a client's certificate of this key type (a key of `KEY_MAKERS`)."""
        return self._identity("client", key_type)

    @cached_property
    def other_server(self) -> Identity:
        """A second server certificate (P-256), for other.test alone."""
        return self._identity("other", "p256")

    def _identity(self, role: str, key_type: str) -> Identity:
        name = f"{role}-{key_type}"
        directory = self.directory / name
        assert directory.is_dir(), f"no certificate {name}"
        return Identity(name, key_type, directory)


def shared_pki(directory: Path) -> Pki:
    """Return the certificates in `directory`, made now if absent; safe for several processes at once."""
    once(directory, lambda: make_pki(directory))
    return Pki(directory)


def once(directory: Path, make: Callable[[], None]) -> None:
    """Fill `directory` by `make`, unless it or another process already has."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = directory / ".made"
        if not made.exists():
            make()
            made.touch()


def make_pki(directory: Path) -> None:
    """Make every family's authorities and leaves in `directory`."""
    roots = []
    for family, (authority_type, leaf_types) in FAMILIES.items():
        root = Authority.make_root(f"{family} root", KEY_MAKERS[authority_type]())
        roots.append(root)
        intermediate = root.intermediate(f"{family} intermediate", KEY_MAKERS[authority_type]())
        for key_type in leaf_types:
            key = KEY_MAKERS[key_type]()
            server = intermediate.leaf(
                "server.test", key, unit=key_type, names=SERVER_NAMES, addresses=SERVER_ADDRESSES
            )
            write_identity(directory / f"server-{key_type}", key_type, server, key, intermediate)
            key = KEY_MAKERS[key_type]()
            client = intermediate.leaf(f"client {key_type}", key, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
            write_identity(directory / f"client-{key_type}", key_type, client, key, intermediate)
        if family == "ec":
            key = KEY_MAKERS["p256"]()
            other = intermediate.leaf("other.test", key, names=("other.test",))
            write_identity(directory / "other-p256", "p256", other, key, intermediate)
    (directory / "roots.pem").write_bytes(b"".join(pem(root.certificate) for root in roots))


def write_identity(
    directory: Path, key_type: str, certificate: x509.Certificate, key: PrivateKey, issuer: Authority
) -> Identity:
    """Write a leaf's PEM files; a leaf of type rsa_pss gets the other key identifier on the way."""
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    if key_type == "rsa_pss":
        certificate = _with_pss_key(certificate, issuer.key)
        pkcs8 = _pkcs8_with_pss_key(pkcs8)
    identity = Identity(directory.name, key_type, directory)
    directory.mkdir(parents=True, exist_ok=True)
    identity.certificate.write_bytes(pem(certificate))
    identity.intermediate.write_bytes(pem(issuer.certificate))
    identity.chain.write_bytes(pem(certificate) + pem(issuer.certificate))
    identity.root.write_bytes(pem((issuer.issuer or issuer).certificate))
    identity.key.write_bytes(_armour("PRIVATE KEY", pkcs8))
    identity.key.chmod(0o600)
    return identity


# Issuing.


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign others, with its key; `issuer` is None for a root."""

    certificate: x509.Certificate
    key: PrivateKey
    issuer: Authority | None = None

    @classmethod
    def make_root(cls, name: str, key: PrivateKey) -> Authority:
        """Make a self-signed root."""
        return cls(_issue(name, key, None, _authority_extensions(None)), key)

    def intermediate(self, name: str, key: PrivateKey, *, path_length: int | None = 0) -> Authority:
        """Make an authority below this one."""
        return Authority(_issue(name, key, self, _authority_extensions(path_length)), key, self)

    def leaf(
        self,
        name: str,
        key: PrivateKey,
        *,
        unit: str = "",
        names: Sequence[str] = (),
        addresses: Sequence[str] = (),
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
        days: tuple[int, int] = (-1, 30),
        extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> x509.Certificate:
        """Issue a leaf; `days` are the first and last day of its validity counted from today.

        `unit` goes into the subject: NSS names a certificate by that, so no two leaves may have the same.
        """
        key_usage = _key_usage(digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey))
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (key_usage, True),
            (x509.ExtendedKeyUsage([usage]), False),
        ]
        if names or addresses:
            general: list[x509.GeneralName] = [x509.DNSName(each) for each in names]
            general += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
            extensions.append((x509.SubjectAlternativeName(general), False))
        return _issue(name, key, self, [*extensions, *extra], days=days, unit=unit)


def _issue(
    name: str,
    key: PrivateKey,
    issuer: Authority | None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    *,
    days: tuple[int, int] = (-2, 60),
    unit: str = "",
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name, unit))
        .issuer_name(issuer.certificate.subject if issuer else _name(name, unit))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    hashed = isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return builder.sign(signer, hashes.SHA256() if hashed else None)


def _name(common_name: str, unit: str) -> x509.Name:
    parts = [
        (NameOID.COUNTRY_NAME, "XX"),
        (NameOID.ORGANIZATION_NAME, "Handglass Tests"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts if value])


def _authority_extensions(path_length: int | None) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(key_cert_sign=True, crl_sign=True), True),
    ]


def _key_usage(**granted: bool) -> x509.KeyUsage:
    everything = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{use: granted.get(use, False) for use in everything})


def pem(certificate: x509.Certificate) -> bytes:
    """Return the certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


# RSA-PSS keys. The library neither issues certificates for them nor writes them: take what it made for a
# plain RSA key, put the other algorithm identifier in, and sign anew.

_PSS_ALGORITHM = bytes.fromhex("300b06092a864886f70d01010a")
"""AlgorithmIdentifier: id-RSASSA-PSS without parameters, so any hash may be used (RFC 4055 §1.2)."""


def _with_pss_key(certificate: x509.Certificate, signer: PrivateKey) -> x509.Certificate:
    fields = der.elements(certificate.tbs_certificate_bytes)
    _, public_key = der.elements(fields[6])
    fields[6] = der.sequence(_PSS_ALGORITHM, public_key)
    body = der.sequence(*fields)
    signature = cast(rsa.RSAPrivateKey, signer).sign(body, padding.PKCS1v15(), hashes.SHA256())
    return x509.load_der_x509_certificate(der.sequence(body, fields[2], der.element(0x03, b"\0" + signature)))


def _pkcs8_with_pss_key(pkcs8: bytes) -> bytes:
    version, _, key, *rest = der.elements(pkcs8)
    return der.sequence(version, _PSS_ALGORITHM, key, *rest)


def _armour(label: str, contents: bytes) -> bytes:
    text = base64.encodebytes(contents).replace(b"\n", b"")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return b"\n".join([f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""])
