"""What a file holds, told by its content: PEM labels and the outermost shape of DER.

Files get mixed up; then the most useful sentence says what was found where something else was expected. So
everything that is commonly kept beside certificates is recognised here, also what we cannot use.

Sources: RFC 5280 §4.1, §5.1; RFC 2986; RFC 5958; RFC 8017 app. A; RFC 5915; RFC 7292 §4; RFC 5652 §3; RFC
6960 §4.2.1; RFC 3279 §2.3.3; PKCS #3; OpenSSL's PEM labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum

from handglass.records import dataclass

from . import der
from .pem import PemBlock, pem_blocks


class Kind(Enum):
    """What one piece of a file is; the value is its name for people."""

    CERTIFICATE = "certificate"
    TRUSTED_CERTIFICATE = "trusted certificate"
    REVOCATION_LIST = "certificate revocation list"
    REQUEST = "certificate request"
    PRIVATE_KEY = "private key"
    ENCRYPTED_PRIVATE_KEY = "encrypted private key"
    PUBLIC_KEY = "public key"
    DH_PARAMETERS = "set of DH parameters"
    EC_PARAMETERS = "set of EC parameters"
    DSA_PARAMETERS = "set of DSA parameters"
    PKCS12 = "PKCS#12 file"
    PKCS7 = "PKCS#7 message"
    OCSP_RESPONSE = "OCSP response"
    SESSION = "TLS session"
    SSH_KEY = "OpenSSH private key"
    DAMAGED = "damaged PEM block"
    UNKNOWN = "block of another kind"


LABELS = {
    "CERTIFICATE": Kind.CERTIFICATE,
    "X509 CERTIFICATE": Kind.CERTIFICATE,
    "TRUSTED CERTIFICATE": Kind.TRUSTED_CERTIFICATE,
    "X509 CRL": Kind.REVOCATION_LIST,
    "CERTIFICATE REQUEST": Kind.REQUEST,
    "NEW CERTIFICATE REQUEST": Kind.REQUEST,
    "PRIVATE KEY": Kind.PRIVATE_KEY,
    "ENCRYPTED PRIVATE KEY": Kind.ENCRYPTED_PRIVATE_KEY,
    "ANY PRIVATE KEY": Kind.PRIVATE_KEY,
    "RSA PRIVATE KEY": Kind.PRIVATE_KEY,
    "EC PRIVATE KEY": Kind.PRIVATE_KEY,
    "DSA PRIVATE KEY": Kind.PRIVATE_KEY,
    "PUBLIC KEY": Kind.PUBLIC_KEY,
    "RSA PUBLIC KEY": Kind.PUBLIC_KEY,
    "DH PARAMETERS": Kind.DH_PARAMETERS,
    "X9.42 DH PARAMETERS": Kind.DH_PARAMETERS,
    "EC PARAMETERS": Kind.EC_PARAMETERS,
    "DSA PARAMETERS": Kind.DSA_PARAMETERS,
    "PKCS7": Kind.PKCS7,
    "PKCS #7 SIGNED DATA": Kind.PKCS7,
    "CMS": Kind.PKCS7,
    "PKCS12": Kind.PKCS12,
    "OCSP RESPONSE": Kind.OCSP_RESPONSE,
    "SSL SESSION PARAMETERS": Kind.SESSION,
    "OPENSSH PRIVATE KEY": Kind.SSH_KEY,
}
_TIMES = {der.UTC_TIME, der.GENERALIZED_TIME}


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a file: what it is, its DER, and the PEM block it came from (None for a DER file)."""

    kind: Kind
    data: bytes
    block: PemBlock | None = None


def pem_parts(data: bytes) -> list[Part]:
    """Return the pieces of a PEM file, damaged blocks included."""
    parts = []
    for block in pem_blocks(data):
        kind = Kind.DAMAGED if block.problem else LABELS.get(block.label, Kind.UNKNOWN)
        parts.append(Part(kind, block.data, block))
    return parts


def der_parts(data: bytes) -> list[Part]:
    """Return the pieces of a DER file: one value after the other, up to bytes of no known shape."""
    parts: list[Part] = []
    offset = 0
    while offset < len(data):
        try:
            element = der.read(data, offset)
        except der.DerError:
            break
        kind = shape_of(element)
        if kind is Kind.UNKNOWN:
            break
        parts.append(Part(kind, element.encoding))
        offset = element.end
    return parts


def shape_of(element: der.Element) -> Kind:
    """Tell a DER value by its outermost shape."""
    try:
        return _shape(element)
    except der.DerError:
        return Kind.UNKNOWN


def _shape(element: der.Element) -> Kind:
    if element.tag != der.SEQUENCE:
        return Kind.UNKNOWN
    children = element.children()
    tags = tuple(child.tag for child in children)
    match tags:
        case (der.SEQUENCE, der.SEQUENCE, der.BIT_STRING):
            return _signed_shape(children[0])
        case (der.SEQUENCE, der.BIT_STRING):
            return Kind.PUBLIC_KEY
        case (der.SEQUENCE, der.OCTET_STRING):
            return Kind.ENCRYPTED_PRIVATE_KEY
        case (der.INTEGER, der.SEQUENCE, der.OCTET_STRING, *_):
            return Kind.PRIVATE_KEY
        case (der.INTEGER, der.OCTET_STRING, *_) if der.integer(children[0]) == 1:
            return Kind.PRIVATE_KEY
        case (der.INTEGER, der.INTEGER, der.OCTET_STRING, *_):
            return Kind.SESSION
        case (der.INTEGER, der.SEQUENCE) | (der.INTEGER, der.SEQUENCE, der.SEQUENCE):
            return Kind.PKCS12 if der.integer(children[0]) == 3 else Kind.UNKNOWN
        case (der.OID, 0xA0):
            return Kind.PKCS7
        case (der.ENUMERATED,) | (der.ENUMERATED, 0xA0):
            return Kind.OCSP_RESPONSE
    if tags and set(tags[:9]) == {der.INTEGER}:
        return {2: Kind.DH_PARAMETERS, 3: Kind.DH_PARAMETERS, 6: Kind.PRIVATE_KEY}.get(
            len(tags), Kind.PRIVATE_KEY if len(tags) >= 9 else Kind.UNKNOWN
        )
    return Kind.UNKNOWN


def _signed_shape(body: der.Element) -> Kind:
    """Tell what is signed: a certificate, a revocation list or a request."""
    tags = [child.tag for child in body.children()]
    if _TIMES & set(tags):
        return Kind.REVOCATION_LIST
    if len(tags) in {3, 4} and tags[0] == der.INTEGER and tags[3:] in ([0xA0], []):
        return Kind.REQUEST
    if 0xA0 in tags[:1] or len(tags) >= 6:
        return Kind.CERTIFICATE
    return Kind.UNKNOWN


def describe(data: bytes) -> str:
    """Say what a file holds: "2 certificates and a private key" and the like."""
    if not data.strip():
        return "nothing (it is empty)"
    parts = pem_parts(data) or der_parts(data)
    if parts:
        return describe_parts(parts)
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in data[:1024]):
        return "text without any PEM block"
    try:
        der.read(data)
    except der.DerError:
        return "bytes that are neither PEM nor DER"
    return "DER of a kind that is not known here"


def describe_parts(parts: Sequence[Part]) -> str:
    """Say what the pieces are, counted, in the order of their first appearance."""
    counts = Counter(part.kind.value for part in parts)
    return _enumerate(
        f"{'an' if name[0] in 'aeioO' else 'a'} {name}" if count == 1 else f"{count} {_plural(name)}"
        for name, count in counts.items()
    )


def _plural(name: str) -> str:
    if name.startswith(("set", "block")):
        return name.replace("set", "sets", 1).replace("block", "blocks", 1)
    return name + "s"


def _enumerate(items: Iterable[str]) -> str:
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last
