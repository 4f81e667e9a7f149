"""A throwaway log of Certificate Transparency (RFC 6962) and the timestamps that it signs, in all three places.

`ThrowawayLog.stamp` signs an entry; `embed` puts a timestamp into a certificate, `in_ocsp` into a response,
`listed` makes the list that goes into the TLS extension.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from handglass.crypto import der
from handglass.verify.ct_logs import CtLog
from handglass.verify.sct import EMBEDDED, IN_OCSP
from support.pki import Authority


class ThrowawayLog:
    """A log: its key, and how lists name it."""

    def __init__(self, description: str = "Test log") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.facts = CtLog(description, _spki(self.key.public_key()))

    def stamp(
        self,
        entry: bytes,
        time: int,
        *,
        extensions: bytes = b"",
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """Sign an entry at a time (ms since 1970); with the key of somebody else if one is given (§3.2)."""
        end = len(extensions).to_bytes(2, "big") + extensions
        moment = time.to_bytes(8, "big")
        signature = (key or self.key).sign(b"\0\0" + moment + entry + end, ec.ECDSA(hashes.SHA256()))
        name = b"\0" + self.facts.log_id + moment + end
        return name + b"\4\3" + len(signature).to_bytes(2, "big") + signature

    def write_list(self, path: Path) -> Path:
        """Write OpenSSL's form of a list with this log alone."""
        key = base64.b64encode(self.facts.key).decode()
        path.write_text(f"enabled_logs = one\n[one]\ndescription = {self.facts.description}\nkey = {key}\n")
        return path


def listed(*timestamps: bytes) -> bytes:
    """Make a SignedCertificateTimestampList (§3.3)."""
    body = b"".join(len(each).to_bytes(2, "big") + each for each in timestamps)
    return len(body).to_bytes(2, "big") + body


def certificate_entry(certificate: x509.Certificate) -> bytes:
    """What is signed for a certificate that carries no timestamp."""
    data = certificate.public_bytes(Encoding.DER)
    return b"\0\0" + len(data).to_bytes(3, "big") + data


def precertificate_entry(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """What is signed before the timestamp goes in: the signed part of the certificate without it."""
    key, tbs = _spki(issuer.public_key()), certificate.tbs_certificate_bytes
    return b"\0\1" + hashlib.sha256(key).digest() + len(tbs).to_bytes(3, "big") + tbs


def embed(certificate: x509.Certificate, issuer: Authority, *timestamps: bytes) -> x509.Certificate:
    """Issue the certificate again with timestamps in it."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .serial_number(certificate.serial_number)
        .public_key(certificate.public_key())
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    value = der.encode(der.OCTET_STRING, listed(*timestamps))
    builder = builder.add_extension(
        x509.UnrecognizedExtension(x509.ObjectIdentifier(EMBEDDED), value), critical=False
    )
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    return builder.sign(issuer.key, hashes.SHA256())


def in_ocsp(response: bytes, *timestamps: bytes) -> bytes:
    """Add timestamps to the first single response (§3.3); its signature does not hold after that."""
    value = der.encode(der.OCTET_STRING, listed(*timestamps))
    extension = der.encode(
        der.SEQUENCE, der.encode(der.OID, der.encode_oid(IN_OCSP)) + der.encode(der.OCTET_STRING, value)
    )
    addition = der.encode(0xA1, der.encode(der.SEQUENCE, extension))

    def rebuild(data: bytes, path: list[int]) -> bytes:
        element = der.parse(data)
        if not path:
            return der.encode(element.tag, element.content + addition)
        inner = [child.encoding for child in element.children()]
        inner[path[0]] = rebuild(inner[path[0]], path[1:])
        return der.encode(element.tag, b"".join(inner))

    status, outer = der.parse(response).children()
    kind, content = outer.children()[0].children()
    fields = der.parse(content.content).children()[0].children()
    singles = next(index for index, field in enumerate(fields) if field.tag == der.SEQUENCE)
    basic = rebuild(content.content, [0, singles, 0])
    wrapped = der.encode(der.SEQUENCE, kind.encoding + der.encode(der.OCTET_STRING, basic))
    return der.encode(der.SEQUENCE, status.encoding + der.encode(0xA0, wrapped))


def _spki(key: object) -> bytes:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
