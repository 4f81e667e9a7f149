"""Session files: what `-sess_out` writes and `-sess_in` and `-psk_session` read, in OpenSSL's format.

A PEM block ("SSL SESSION PARAMETERS") around an ASN.1 SEQUENCE: six fields that are always there, then
optional ones, each wrapped in a context tag of its own; numbers that are zero are left out. One table says
which field has which tag, for reading and for writing. The format is documented nowhere but in what `openssl
sess_id -text` makes of it; the field numbers are those of OpenSSL's `SSL_SESSION`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any

from handglass.crypto import der
from handglass.records import dataclass, field
from handglass.registry.code_points import CipherSuite, CompressionMethod, NamedGroup, ProtocolVersion

LABEL = "SSL SESSION PARAMETERS"
# Session files hold a certificate and a ticket; more than this is none.
MAX_SIZE = 1 << 20
FORMAT_VERSION = 1
EXTENDED_MASTER_SECRET = 0x1


class SessionFileError(ValueError):
    """These bytes are no session; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFile:
    """A session to resume.

    secret: the master secret (48 bytes); in TLS 1.3 the PSK that belongs to the ticket, its nonce already
    applied (RFC 8446 §4.6.1). session_id: in TLS 1.3 and with tickets any value that tells sessions apart.
    start_time: seconds since 1970; timeout and ticket_lifetime in seconds. certificate: the peer's, DER.
    context: the server's session id context. verify_result: an X509_V_ number. ticket_data: application data
    that OpenSSL keeps in its own tickets. max_fragment_length: the extension's code (RFC 6066 §4), 0 for
    none. group: the key exchange group, 0 if not known.
    """

    version: ProtocolVersion
    suite: CipherSuite
    session_id: bytes = b""
    secret: bytes = field(repr=False)
    start_time: int = 0
    timeout: int = 0
    certificate: bytes | None = None
    context: bytes = b""
    verify_result: int = 0
    hostname: str | None = None
    psk_identity_hint: bytes | None = None
    psk_identity: bytes | None = None
    ticket_lifetime: int = 0
    ticket: bytes | None = field(default=None, repr=False)
    compression: CompressionMethod | None = None
    srp_username: str | None = None
    extended_master_secret: bool = False
    ticket_age_add: int = 0
    max_early_data: int = 0
    alpn: bytes | None = None
    max_fragment_length: int = 0
    ticket_data: bytes | None = field(default=None, repr=False)
    group: NamedGroup | None = None
    raw_public_key: bytes | None = None


# Context tag -> attribute, by how the value is written.
_NUMBERS = {
    1: "start_time",
    2: "timeout",
    5: "verify_result",
    9: "ticket_lifetime",
    14: "ticket_age_add",
    15: "max_early_data",
    17: "max_fragment_length",
}
_BYTES = {
    4: "context",
    7: "psk_identity_hint",
    8: "psk_identity",
    10: "ticket",
    16: "alpn",
    18: "ticket_data",
    20: "raw_public_key",
}
_TEXTS = {6: "hostname", 12: "srp_username"}
_CERTIFICATE, _COMPRESSION, _FLAGS, _GROUP = 3, 11, 13, 19
_LIMITS = {"start_time": 1 << 63, "timeout": 1 << 63, "ticket_lifetime": 1 << 64}


def write_session(session: SessionFile) -> str:
    """Return the session as the text of a file."""
    return to_pem(encode_session(session))


def read_session(data: bytes) -> SessionFile:
    """Read the session of a file: PEM with anything around it, or DER.

    Raises SessionFileError.
    """
    if len(data) > MAX_SIZE:
        raise SessionFileError(f"the file has {len(data)} bytes; no session has more than {MAX_SIZE}")
    if data[:1] == b"\x30":
        return decode_session(data)
    return decode_session(from_pem(data))


def to_pem(encoded: bytes) -> str:
    """Wrap an encoded session in PEM (RFC 7468)."""
    text = b64encode(encoded).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {LABEL}-----", *lines, f"-----END {LABEL}-----", ""])


def from_pem(data: bytes) -> bytes:
    """Find the first session in PEM text and return its bytes.

    Raises SessionFileError.
    """
    found = re.search(rf"-----BEGIN {LABEL}-----\s([A-Za-z0-9+/=\s]*)-----END {LABEL}-----".encode(), data)
    if found is None:
        raise SessionFileError(f"there is no block BEGIN {LABEL} in it")
    try:
        return b64decode(b"".join(found[1].split()), validate=True)
    except Base64Error:
        raise SessionFileError("the base64 text is damaged") from None


def encode_session(session: SessionFile) -> bytes:
    """Return the session as DER."""
    optional = {tag: der.encode_integer(value) for tag, value in _present(session, _NUMBERS) if value}
    optional |= {tag: _octets(value) for tag, value in _present(session, _BYTES)}
    optional |= {tag: _octets(value.encode()) for tag, value in _present(session, _TEXTS)}
    if session.certificate is not None:
        optional[_CERTIFICATE] = session.certificate
    if session.compression:
        optional[_COMPRESSION] = _octets(bytes([session.compression]))
    if session.extended_master_secret:
        optional[_FLAGS] = der.encode_integer(EXTENDED_MASTER_SECRET)
    if session.group is not None:
        optional[_GROUP] = der.encode_integer(session.group)
    return der.encode(
        der.SEQUENCE,
        der.encode_integer(FORMAT_VERSION),
        der.encode_integer(session.version),
        _octets(session.suite.to_bytes(2, "big")),
        _octets(session.session_id),
        _octets(session.secret),
        *(der.encode(0xA0 | tag, optional[tag]) for tag in sorted(optional)),
    )


def _present(session: SessionFile, names: dict[int, str]) -> Iterator[tuple[int, Any]]:
    for tag, name in names.items():
        value = getattr(session, name)
        if value is not None:
            yield tag, value


def _octets(value: bytes) -> bytes:
    return der.encode(der.OCTET_STRING, value)


def decode_session(data: bytes) -> SessionFile:
    """Read a session from DER.

    Fields that this program does not know are passed over. Raises SessionFileError.
    """
    try:
        elements = der.read_whole(data).expect(der.SEQUENCE, "a session").children()
        if len(elements) < 5:
            raise SessionFileError(f"a session has at least 5 fields, this one {len(elements)}")
        fields = _required(elements[:5])
        for element in elements[5:]:
            fields |= _optional(element)
    except der.DerError as error:
        raise SessionFileError(f"the encoding is damaged: {error}") from None
    return SessionFile(**fields)


def _required(elements: list[der.Element]) -> dict[str, Any]:
    if der.integer(elements[0]) != FORMAT_VERSION:
        raise SessionFileError(
            f"its format has version {der.integer(elements[0])}, known is {FORMAT_VERSION}"
        )
    version = _number(elements[1], "the protocol version", 1 << 16)
    suite, session_id, secret = (der.octet_string(element) for element in elements[2:])
    if len(suite) != 2:
        raise SessionFileError(f"the cipher suite has {len(suite)} bytes instead of 2")
    if len(session_id) > 32:
        raise SessionFileError(f"the session id has {len(session_id)} bytes; 32 are the most")
    if not 0 < len(secret) <= 256:
        raise SessionFileError(f"the secret has {len(secret)} bytes; it must be 1 to 256")
    return {
        "version": ProtocolVersion(version),
        "suite": CipherSuite(int.from_bytes(suite, "big")),
        "session_id": session_id,
        "secret": secret,
    }


def _optional(element: der.Element) -> dict[str, Any]:
    if element.tag & 0xE0 != 0xA0:
        return {}
    tag = element.tag & 0x1F
    inner = der.read_whole(element.content)
    if tag in _NUMBERS:
        name = _NUMBERS[tag]
        return {name: _number(inner, f"the field {name}", _LIMITS.get(name, 1 << 32))}
    if tag in _BYTES:
        return {_BYTES[tag]: der.octet_string(inner)}
    if tag in _TEXTS:
        return {_TEXTS[tag]: der.octet_string(inner).decode("utf-8", "replace")}
    if tag == _CERTIFICATE:
        return {"certificate": inner.expect(der.SEQUENCE, "the certificate").encoding}
    if tag == _COMPRESSION:
        method = der.octet_string(inner)
        if len(method) != 1:
            raise SessionFileError(f"the compression method has {len(method)} bytes instead of 1")
        return {"compression": CompressionMethod(method[0])}
    if tag == _FLAGS:
        return {"extended_master_secret": bool(_number(inner, "the flags", 1 << 64) & EXTENDED_MASTER_SECRET)}
    if tag == _GROUP:
        group = _number(inner, "the group", 1 << 32)
        return {"group": NamedGroup(group)} if 0 < group < 1 << 16 else {}
    return {}


def _number(element: der.Element, what: str, limit: int) -> int:
    number = der.integer(element)
    if not 0 <= number < limit:
        raise SessionFileError(f"{what} is out of range")
    return number
