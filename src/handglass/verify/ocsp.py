"""OCSP responses and requests, read leniently and written (RFC 6960).

`read_response` never raises: what cannot be read stands in `problems`, and what could be read before that is
there, so that the answer of a broken responder can be shown. Whether an answer is worth anything is another
module's question (`ocsp_judge`), as is printing it (`ocsp_text`).
"""

from __future__ import annotations

import hashlib
from enum import Enum

from handglass.crypto import der
from handglass.records import dataclass

from .algorithms import DIGESTS, AlgorithmIdentifier
from .certificate import Certificate
from .extensions import Extension, read_extensions
from .names import Name
from .times import Time

__all__ = [
    "BasicResponse",
    "CertId",
    "CertStatus",
    "OcspResponse",
    "SingleResponse",
    "cert_id_for",
    "encode_request",
    "read_response",
    "response_status_text",
]

MAX_RESPONSE = 1 << 20  # bytes
MAX_SINGLE = 4096  # single responses in one response
MAX_CERTIFICATES = 32  # certificates in one response

BASIC = "1.3.6.1.5.5.7.48.1.1"
NONCE = "1.3.6.1.5.5.7.48.1.2"
_STATUS = {
    0: "successful",
    1: "malformedrequest",
    2: "internalerror",
    3: "trylater",
    5: "sigrequired",
    6: "unauthorized",
}
_DIGEST_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
}


class CertStatus(Enum):
    """What a responder says of a certificate (RFC 6960 §4.2.1, CertStatus)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is meant: hashes of its issuer's name and key, and its serial number (§4.1.1)."""

    algorithm: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_content: bytes

    @property
    def digest(self) -> str | None:
        """The hash's name ("sha1"), None for an unknown one."""
        return DIGESTS.get(self.algorithm)

    @property
    def serial(self) -> int:
        """The serial number."""
        return der.integer(self.serial_content)

    def names(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether it means this certificate of this issuer."""
        if self.digest is None or self.serial != certificate.serial:
            return False
        try:
            expected = cert_id_for(certificate, issuer, self.digest)
        except ValueError:
            return False
        return (self.issuer_name_hash, self.issuer_key_hash) == (
            expected.issuer_name_hash,
            expected.issuer_key_hash,
        )


@dataclass(frozen=True, slots=True)
class SingleResponse:
    """What is said of one certificate (§4.2.1).

    `reason` is the number of the CRLReason (RFC 5280 §5.3.1), None where none is given; `next_update` None
    means that newer information is always available.
    """

    cert_id: CertId
    status: CertStatus
    this_update: Time
    next_update: Time | None
    revocation_time: Time | None = None
    reason: int | None = None
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True)
class BasicResponse:
    """The signed part of an ordinary response (§4.2.1); exactly one of the two responder fields is set."""

    version: int
    responder_name: Name | None
    responder_key_hash: bytes | None
    produced_at: Time
    responses: tuple[SingleResponse, ...]
    extensions: tuple[Extension, ...]
    signed: bytes
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    certificates: tuple[Certificate, ...]

    @property
    def nonce(self) -> bytes | None:
        """The value of the nonce extension (RFC 8954), None without one."""
        for extension in self.extensions:
            if extension.oid == NONCE:
                try:
                    return der.parse(extension.value).expect(der.OCTET_STRING, "nonce").content
                except der.DerError:
                    return extension.value
        return None

    def is_by(self, certificate: Certificate) -> bool:
        """Whether the responder field means the holder of this certificate (§4.2.2.2)."""
        if self.responder_name is not None:
            return self.responder_name == certificate.subject
        return self.responder_key_hash == hashlib.sha1(key_bits(certificate), usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class OcspResponse:
    """An OCSP response: `status` None if not even that can be read, `basic` None if nothing is signed."""

    raw: bytes
    status: int | None
    response_type: str | None
    basic: BasicResponse | None
    problems: tuple[str, ...] = ()


def response_status_text(status: int) -> str:
    """Return OpenSSL's word for an OCSPResponseStatus, "(UNKNOWN)" for one that does not exist."""
    return _STATUS.get(status, "(UNKNOWN)")


# --- reading
# ----------------------------------------------------------------------------------------------------------


def read_response(data: bytes) -> OcspResponse:
    """Read an OCSPResponse in DER of any quality."""
    status = kind = basic = None
    notes: list[str] = []
    try:
        if len(data) > MAX_RESPONSE:
            raise der.DerError(f"{len(data)} bytes, more than {MAX_RESPONSE} are not read")
        fields = der.parse(data, notes).expect(der.SEQUENCE, "OCSP response").children(notes)
        if not fields:
            raise der.DerError("an OCSP response without a status")
        status = der.integer(fields[0].expect(der.ENUMERATED, "response status").content)
        if len(fields) > 1:
            outer = _only(fields[1].expect(0xA0, "response bytes")).expect(der.SEQUENCE, "response bytes")
            kind_field, body = _some(outer.children(notes), 2, "response bytes")[:2]
            kind = der.decode_oid(kind_field.expect(der.OID, "response type").content)
            content = body.expect(der.OCTET_STRING, "response").content
            if kind == BASIC:
                basic = _read_basic(content, notes)
    except der.DerError as problem:
        notes.append(f"OCSP response: {problem}")
    return OcspResponse(data, status, kind, basic, tuple(notes))


def _read_basic(data: bytes, notes: list[str]) -> BasicResponse:
    """Read a BasicOCSPResponse: signed part, algorithm, signature, certificates."""
    parts = _some(der.parse(data, notes).expect(der.SEQUENCE, "basic response").children(notes), 3, "basic")
    fields = parts[0].expect(der.SEQUENCE, "response data").children(notes)
    version = 1
    if fields and fields[0].tag == 0xA0:
        version = der.integer(_only(fields.pop(0)).expect(der.INTEGER, "version").content) + 1
    responder, produced, singles = _some(fields, 3, "response data")[:3]
    name = Name.read(_only(responder)) if responder.tag == 0xA1 else None
    key_hash = (
        _only(responder).expect(der.OCTET_STRING, "key hash").content if responder.tag == 0xA2 else None
    )
    if name is None and key_hash is None:
        raise der.DerError(f"a responder with tag 0x{responder.tag:02x}")
    items = singles.expect(der.SEQUENCE, "responses").children(notes)
    if len(items) > MAX_SINGLE:
        raise der.DerError(f"{len(items)} single responses, more than {MAX_SINGLE} are not read")
    signature = der.bit_string(parts[2])
    return BasicResponse(
        version,
        name,
        key_hash,
        Time.read(produced),
        tuple(_read_single(item, notes) for item in items),
        _extensions(fields[3:], 0xA1, notes),
        parts[0].encoding,
        AlgorithmIdentifier.read(parts[1]),
        signature,
        _certificates(parts[3:], notes),
    )


def _read_single(element: der.Element, notes: list[str]) -> SingleResponse:
    fields = _some(element.expect(der.SEQUENCE, "single response").children(notes), 3, "single response")
    algorithm, name, key, serial = _some(
        fields[0].expect(der.SEQUENCE, "certificate ID").children(notes), 4, "certificate ID"
    )[:4]
    cert_id = CertId(
        AlgorithmIdentifier.read(algorithm).oid,
        name.expect(der.OCTET_STRING, "issuer name hash").content,
        key.expect(der.OCTET_STRING, "issuer key hash").content,
        serial.expect(der.INTEGER, "serial number").content,
    )
    status, revoked_at, reason = _read_status(fields[1])
    next_update = next((Time.read(_only(field)) for field in fields[3:] if field.tag == 0xA0), None)
    extensions = _extensions(fields[3:], 0xA1, notes)
    return SingleResponse(cert_id, status, Time.read(fields[2]), next_update, revoked_at, reason, extensions)


def _read_status(element: der.Element) -> tuple[CertStatus, Time | None, int | None]:
    if element.tag == 0x80:
        return CertStatus.GOOD, None, None
    if element.tag == 0x82:
        return CertStatus.UNKNOWN, None, None
    if element.tag != 0xA1:
        raise der.DerError(f"a certificate status with tag 0x{element.tag:02x}")
    fields = _some(element.children(), 1, "revoked info")
    reason = None
    if len(fields) > 1:
        reason = der.integer(_only(fields[1]).expect(der.ENUMERATED, "revocation reason").content)
    return CertStatus.REVOKED, Time.read(fields[0]), reason


def _extensions(fields: list[der.Element], tag: int, notes: list[str]) -> tuple[Extension, ...]:
    for field in fields:
        if field.tag == tag:
            found, problems = read_extensions(_only(field))
            notes.extend(problems)
            return found
    return ()


def _certificates(fields: list[der.Element], notes: list[str]) -> tuple[Certificate, ...]:
    if not fields:
        return ()
    items = _only(fields[0].expect(0xA0, "certificates")).children(notes)
    if len(items) > MAX_CERTIFICATES:
        raise der.DerError(f"{len(items)} certificates, more than {MAX_CERTIFICATES} are not read")
    return tuple(Certificate(item.encoding) for item in items)


def _only(element: der.Element) -> der.Element:
    inner = element.children()
    if len(inner) != 1:
        raise der.DerError(f"{len(inner)} values where one belongs, at offset {element.start}")
    return inner[0]


def _some(fields: list[der.Element], least: int, what: str) -> list[der.Element]:
    if len(fields) < least:
        raise der.DerError(f"{what}: {len(fields)} fields, at least {least} belong there")
    return fields


# --- requests
# ---------------------------------------------------------------------------------------------------------


def key_bits(certificate: Certificate) -> bytes:
    """Return the bytes of the subjectPublicKey, without its count of unused bits; empty if unreadable."""
    try:
        return der.parse(certificate.spki).children()[1].expect(der.BIT_STRING, "key").content[1:]
    except (der.DerError, IndexError):
        return b""


def cert_id_for(certificate: Certificate, issuer: Certificate, digest: str = "sha1") -> CertId:
    """Return the identifier of a certificate (§4.1.1). Raises `ValueError` for a hash that cannot be used."""
    if digest not in _DIGEST_OIDS and digest not in DIGESTS.values():
        raise ValueError(f"the hash {digest!r} is not known")
    oid = _DIGEST_OIDS.get(digest) or next(oid for oid, name in DIGESTS.items() if name == digest)
    try:
        hashes = (
            hashlib.new(digest, certificate.issuer.encoding, usedforsecurity=False).digest(),
            hashlib.new(digest, key_bits(issuer), usedforsecurity=False).digest(),
        )
    except (ValueError, TypeError):
        raise ValueError(f"the hash {digest!r} is not supported") from None
    return CertId(oid, *hashes, certificate.serial_content)


def encode_request(cert_ids: list[CertId], nonce: bytes | None = None) -> bytes:
    """Return an unsigned OCSPRequest in DER (§4.1.1), with a nonce (RFC 8954) if one is given."""
    requests = b"".join(der.encode(der.SEQUENCE, _encode_cert_id(each)) for each in cert_ids)
    body = der.encode(der.SEQUENCE, requests)
    if nonce is not None:
        value = der.encode(der.OCTET_STRING, der.encode(der.OCTET_STRING, nonce))
        extension = der.encode(der.SEQUENCE, der.encode(der.OID, der.encode_oid(NONCE)) + value)
        body += der.encode(0xA2, der.encode(der.SEQUENCE, extension))
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, body))


def _encode_cert_id(cert_id: CertId) -> bytes:
    algorithm = der.encode(der.OID, der.encode_oid(cert_id.algorithm)) + der.encode(der.NULL, b"")
    return der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, algorithm)
        + der.encode(der.OCTET_STRING, cert_id.issuer_name_hash)
        + der.encode(der.OCTET_STRING, cert_id.issuer_key_hash)
        + der.encode(der.INTEGER, cert_id.serial_content),
    )
