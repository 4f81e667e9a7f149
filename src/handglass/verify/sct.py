"""Signed certificate timestamps: read from all three places, and verified (RFC 6962 §3).

A timestamp comes inside the certificate, in a TLS extension or in an OCSP response. The first kind was signed
over the certificate as it was before the timestamps went in, so that form has to be made again:
`precertificate_tbs`.

`judge_timestamps` gives OpenSSL's validation status for each timestamp; under its permissive mode (`-ct`)
nothing of it fails a connection, under its strict mode one valid timestamp is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import Enum

from handglass.crypto import der
from handglass.crypto.certificate_signature import CertificateSignatureError, check_signature
from handglass.records import dataclass

from .certificate import Certificate
from .codes import VerifyCode
from .ct_logs import CtLog
from .ocsp import read_response

__all__ = [
    "CtReport",
    "SctSource",
    "SctStatus",
    "Timestamp",
    "TimestampVerdict",
    "judge_timestamps",
    "list_timestamps",
    "read_list",
]

EMBEDDED = "1.3.6.1.4.1.11129.2.4.2"
POISON = "1.3.6.1.4.1.11129.2.4.3"
IN_OCSP = "1.3.6.1.4.1.11129.2.4.5"
MAX_TIMESTAMPS = 256

_V1 = 0
# (hash, signature) of TLS 1.2 -> the same algorithm as certificates name it; RFC 6962 §2.1.4 allows these two
_ALGORITHMS = {(4, 3): "1.2.840.10045.4.3.2", (4, 1): "1.2.840.113549.1.1.11"}


class SctSource(Enum):
    """Where a timestamp came from, in OpenSSL's words."""

    TLS_EXTENSION = "TLS extension"
    OCSP = "OCSP response"
    CERTIFICATE = "X509v3 extension"


class SctStatus(Enum):
    """What is known of a timestamp, in OpenSSL's words."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN_LOG = "unknown log"
    UNKNOWN_VERSION = "unknown version"
    UNVERIFIED = "unverified"
    NOT_SET = "not set"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One timestamp (§3.2): `time` in ms since 1970. Of versions other than v1 only `raw` is known."""

    raw: bytes
    source: SctSource
    version: int
    log_id: bytes = b""
    time: int = 0
    extensions: bytes = b""
    hash_algorithm: int = 0
    signature_algorithm: int = 0
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class TimestampVerdict:
    """A timestamp, what is known of it, the log that made it if it is known, and why it is not valid."""

    timestamp: Timestamp
    status: SctStatus
    log: CtLog | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CtReport:
    """All timestamps of a connection in OpenSSL's order, and what could not be read of them."""

    verdicts: tuple[TimestampVerdict, ...]
    problems: tuple[str, ...] = ()

    @property
    def code(self) -> VerifyCode:
        """What strict validation says: one valid timestamp is needed."""
        valid = any(verdict.status is SctStatus.VALID for verdict in self.verdicts)
        return VerifyCode.OK if valid else VerifyCode.NO_VALID_SCTS


def judge_timestamps(
    certificate: Certificate,
    issuer: Certificate | None,
    logs: Mapping[bytes, CtLog],
    now: int | None,
    *,
    extension: bytes | None = None,
    ocsp: bytes | None = None,
) -> CtReport:
    """Read and verify all timestamps of a server's certificate.

    `logs`: by log id; `now`: milliseconds since 1970, None not to ask whether a timestamp lies in the future;
    `extension`: body of the signed_certificate_timestamp extension; `ocsp`: the stapled response in DER.
    """
    timestamps, problems = _read_all(certificate, extension, ocsp)
    return CtReport(tuple(_judge(each, certificate, issuer, logs, now) for each in timestamps), problems)


def list_timestamps(
    certificate: Certificate,
    logs: Mapping[bytes, CtLog],
    *,
    extension: bytes | None = None,
    ocsp: bytes | None = None,
) -> CtReport:
    """Read all timestamps as `judge_timestamps` does, and verify none: the status of each is "not set"."""
    timestamps, problems = _read_all(certificate, extension, ocsp)
    verdicts = (TimestampVerdict(each, SctStatus.NOT_SET, logs.get(each.log_id)) for each in timestamps)
    return CtReport(tuple(verdicts), problems)


def _read_all(
    certificate: Certificate, extension: bytes | None, ocsp: bytes | None
) -> tuple[list[Timestamp], tuple[str, ...]]:
    """Return the timestamps of all three places, up to the limit, and what is wrong with the lists."""
    problems: list[str] = []
    timestamps: list[Timestamp] = []
    for source, data in _lists(certificate, extension, ocsp, problems):
        try:
            timestamps += reversed(read_list(data, source))  # OpenSSL takes each list from its end
        except ValueError as problem:
            problems.append(f"timestamps of the {source.value}: {problem}")
    if len(timestamps) > MAX_TIMESTAMPS:
        problems.append(f"{len(timestamps)} timestamps, of which {MAX_TIMESTAMPS} were looked at")
    return timestamps[:MAX_TIMESTAMPS], tuple(problems)


def _lists(
    certificate: Certificate, extension: bytes | None, ocsp: bytes | None, problems: list[str]
) -> Iterable[tuple[SctSource, bytes]]:
    """Give every list in the order in which OpenSSL counts them: TLS extension, OCSP, certificate."""
    if extension is not None:
        yield SctSource.TLS_EXTENSION, extension
    wrapped: list[tuple[SctSource, bytes]] = []
    basic = read_response(ocsp).basic if ocsp else None
    for single in basic.responses if basic else ():
        wrapped += [(SctSource.OCSP, each.value) for each in single.extensions if each.oid == IN_OCSP]
    wrapped += [
        (SctSource.CERTIFICATE, each.value) for each in certificate.extensions if each.oid == EMBEDDED
    ]
    for source, value in wrapped:
        try:
            yield source, der.parse(value).expect(der.OCTET_STRING, "timestamp list").content
        except der.DerError as problem:
            problems.append(f"timestamps of the {source.value}: {problem}")


def read_list(data: bytes, source: SctSource) -> list[Timestamp]:
    """Read a SignedCertificateTimestampList (§3.3). Raises `ValueError` naming the byte where it breaks."""
    body, end = _vector(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow the list")
    timestamps = []
    offset = 0
    while offset < len(body):
        raw, offset = _vector(body, offset)
        timestamps.append(_read(raw, source))
    return timestamps


def _read(raw: bytes, source: SctSource) -> Timestamp:
    if not raw:
        raise ValueError("an empty timestamp")
    if raw[0] != _V1:
        return Timestamp(raw, source, raw[0])
    if len(raw) < 41:
        raise ValueError(f"a timestamp of {len(raw)} bytes")
    extensions, offset = _vector(raw, 41)
    if len(raw) < offset + 2:
        raise ValueError("a timestamp without a signature")
    signature, end = _vector(raw, offset + 2)
    if end != len(raw):
        raise ValueError(f"{len(raw) - end} bytes follow a timestamp's signature")
    time = int.from_bytes(raw[33:41], "big")
    return Timestamp(raw, source, _V1, raw[1:33], time, extensions, raw[offset], raw[offset + 1], signature)


def _vector(data: bytes, offset: int) -> tuple[bytes, int]:
    """Return an opaque<0..2^16-1> and the offset behind it."""
    if offset + 2 > len(data):
        raise ValueError(f"cut short at byte {offset}")
    end = offset + 2 + int.from_bytes(data[offset : offset + 2], "big")
    if end > len(data):
        raise ValueError(
            f"{end - offset - 2} bytes announced, {len(data) - offset - 2} there, at byte {offset}"
        )
    return data[offset + 2 : end], end


def _judge(
    timestamp: Timestamp,
    certificate: Certificate,
    issuer: Certificate | None,
    logs: Mapping[bytes, CtLog],
    now: int | None,
) -> TimestampVerdict:
    if timestamp.version != _V1:
        return TimestampVerdict(timestamp, SctStatus.UNKNOWN_VERSION)
    log = logs.get(timestamp.log_id)
    if log is None:
        return TimestampVerdict(timestamp, SctStatus.UNKNOWN_LOG)
    if now is not None and timestamp.time > now:
        return TimestampVerdict(timestamp, SctStatus.INVALID, log, "it lies in the future")
    algorithm = _ALGORITHMS.get((timestamp.hash_algorithm, timestamp.signature_algorithm))
    if algorithm is None:
        return TimestampVerdict(timestamp, SctStatus.INVALID, log, "its signature algorithm is not allowed")
    if timestamp.source is SctSource.CERTIFICATE:
        if issuer is None:
            return TimestampVerdict(timestamp, SctStatus.UNVERIFIED, log, "the issuer is not known")
        tbs = precertificate_tbs(certificate)
        if tbs is None:
            return TimestampVerdict(timestamp, SctStatus.UNVERIFIED, log, "the certificate cannot be read")
        entry = b"\0\1" + hashlib.sha256(issuer.spki).digest() + _uint24(tbs)
    else:
        entry = b"\0\0" + _uint24(certificate.der)
    signed = (
        bytes((_V1, 0))
        + timestamp.time.to_bytes(8, "big")
        + entry
        + len(timestamp.extensions).to_bytes(2, "big")
        + timestamp.extensions
    )
    try:
        check_signature(algorithm, None, log.key, signed, timestamp.signature)
    except CertificateSignatureError as problem:
        return TimestampVerdict(timestamp, SctStatus.INVALID, log, str(problem))
    return TimestampVerdict(timestamp, SctStatus.VALID, log)


def _uint24(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data


def precertificate_tbs(certificate: Certificate) -> bytes | None:
    """Return the signed part as it was without timestamps and poison (§3.2), None if it cannot be read."""
    try:
        fields = der.parse(certificate.tbs).children()
        out = []
        for field in fields:
            if field.tag != 0xA3:
                out.append(field.encoding)
                continue
            kept = [
                each.encoding
                for each in field.children()[0].children()
                if der.decode_oid(each.children()[0].content) not in {EMBEDDED, POISON}
            ]
            if kept:
                out.append(der.encode(0xA3, der.encode(der.SEQUENCE, b"".join(kept))))
    except (der.DerError, IndexError):
        return None
    return der.encode(der.SEQUENCE, b"".join(out))
