"""Well-formed messages with something wrong in them: each gets the alert that its RFC names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handglass.messages import extensions as ext
from handglass.messages.handshake import (
    HELLO_RETRY_RANDOM,
    Certificate12,
    Certificate13,
    CertificateEntry,
    CertificateRequest13,
    CertificateVerify,
    ClientHello,
    ClientKeyExchangeDHE,
    ClientKeyExchangeECDHE,
    CompressedCertificate,
    EncryptedExtensions,
    Extension,
    Finished,
    KeyUpdate,
    Message,
    NewSessionTicket13,
    ServerHello,
    ServerKeyExchangeDHE,
    ServerKeyExchangeECDHE,
)
from handglass.records import dataclass
from handglass.registry.code_points import AlertDescription as A
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CipherSuite,
    CompressionMethod,
    ECCurveType,
    HandshakeType,
    KeyUpdateRequest,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.code_points import ExtensionType as X
from handglass.registry.errors import PeerError
from support.engines import identity
from support.rogue import CLIENT, SERVER, flights, misbehave, rebuilt, with_extension

Change = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One thing wrong: in which conversation, from whom, in which message (of those of its type, the first)."""

    name: str
    world: str
    form: type[Message]
    change: Change
    alert: A
    side: str = CLIENT
    nth: int = 0


def extension(kind: X, body: bytes | None) -> Change:
    """Change, add or leave out an extension."""
    return lambda message: {"extensions": with_extension(message.extensions, kind, body)}


def appended(kind: X, body: bytes) -> Change:
    """Add an extension at the end."""
    return lambda message: {"extensions": (*(message.extensions or ()), Extension(kind, body))}


def doubled(kind: X) -> Change:
    """Repeat an extension."""
    return lambda message: {
        "extensions": tuple(e for e in message.extensions for _ in range(1 + (e.type == kind)))
    }


def body_of(message: Any, kind: X) -> bytes:
    """Give the body of an extension that is there."""
    found: bytes = next(e.data for e in message.extensions if e.type == kind)
    return found


def one_binder_too_many(body: bytes) -> bytes:
    """Repeat the binders of a pre_shared_key."""
    offered = ext.PreSharedKeyClientHello.decode(body)
    return ext.PreSharedKeyClientHello(offered.identities, offered.binders * 2).encode()


def edited(kind: X, edit: Callable[[bytes], bytes]) -> Change:
    """Change the body of an extension that is there."""
    return lambda m: {"extensions": with_extension(m.extensions, kind, edit(body_of(m, kind)))}


def shares(*entries: tuple[int, bytes]) -> bytes:
    """Give a client's key_share."""
    return ext.KeyShareClientHello(tuple(ext.KeyShareEntry(NamedGroup(g), k) for g, k in entries)).encode()


def field(**values: Any) -> Change:
    """Set fields."""
    return lambda _: values


def flipped(name: str) -> Change:
    """Change the last bit of a field of bytes."""
    return lambda m: {name: getattr(m, name)[:-1] + bytes((getattr(m, name)[-1] ^ 1,))}


HELLO = ClientHello
X25519_SHARE = (NamedGroup.X25519, b"\x09" + bytes(31))
SUITE = CipherSuite.TLS_AES_128_GCM_SHA256
PSK_BODY = ext.PreSharedKeyClientHello((ext.PskIdentity(b"unknown", 0),), (bytes(32),)).encode()

CLIENT_HELLOS = (
    Case("SSL 3.0", "full", HELLO, field(legacy_version=ProtocolVersion.SSL3), A.PROTOCOL_VERSION),
    Case("version 2.0", "full", HELLO, field(legacy_version=ProtocolVersion(0x0200)), A.PROTOCOL_VERSION),
    Case("TLS 1.0", "old ECDHE", HELLO, field(legacy_version=ProtocolVersion.TLS1_0), A.PROTOCOL_VERSION),
    Case("odd versions", "full", HELLO,
        extension(X.SUPPORTED_VERSIONS, b"\4\3\5\x7f\x1c"), A.PROTOCOL_VERSION),
    Case("no versions", "full", HELLO, extension(X.SUPPORTED_VERSIONS, b"\0"), A.DECODE_ERROR),
    Case("half a version", "full", HELLO, extension(X.SUPPORTED_VERSIONS, b"\3\3\4\3"), A.DECODE_ERROR),
    Case("no suites", "full", HELLO, field(cipher_suites=(CipherSuite(0x1234),)), A.HANDSHAKE_FAILURE),
    Case(
        "compression", "full", HELLO, field(legacy_compression_methods=(CompressionMethod(1), CompressionMethod(0))),
        A.ILLEGAL_PARAMETER,
    ),
    Case(
        "only compression", "old ECDHE", HELLO, field(legacy_compression_methods=(CompressionMethod(1),)),
        A.ILLEGAL_PARAMETER,
    ),
    Case("twice the same", "full", HELLO, doubled(X.ALPN), A.ILLEGAL_PARAMETER),
    Case("twice the same below", "old ECDHE", HELLO, doubled(X.ALPN), A.ILLEGAL_PARAMETER),
    Case("no groups", "full", HELLO, extension(X.SUPPORTED_GROUPS, None), A.MISSING_EXTENSION),
    Case("no key share", "full", HELLO, extension(X.KEY_SHARE, None), A.MISSING_EXTENSION),
    Case("no signatures", "full", HELLO, extension(X.SIGNATURE_ALGORITHMS, None), A.MISSING_EXTENSION),
    Case("odd signatures", "full", HELLO,
        extension(X.SIGNATURE_ALGORITHMS, b"\0\2\xfe\xfe"), A.HANDSHAKE_FAILURE),
    Case("empty signatures", "full", HELLO, extension(X.SIGNATURE_ALGORITHMS, b"\0\0"), A.DECODE_ERROR),
    Case("odd groups", "full", HELLO, lambda m: {"extensions": with_extension(
        with_extension(m.extensions, X.SUPPORTED_GROUPS, b"\0\2\xfe\xfe"), X.KEY_SHARE, b"\0\0")},
        A.HANDSHAKE_FAILURE),
    Case("share not listed", "full", HELLO,
        extension(X.KEY_SHARE, shares((NamedGroup.X448, bytes(56)))), A.ILLEGAL_PARAMETER),
    Case("two shares", "full", HELLO,
        extension(X.KEY_SHARE, shares(X25519_SHARE, X25519_SHARE)), A.ILLEGAL_PARAMETER),
    Case("short share", "full", HELLO,
        extension(X.KEY_SHARE, shares((NamedGroup.X25519, b"x"))), A.ILLEGAL_PARAMETER),
    Case("zero share", "full", HELLO,
        extension(X.KEY_SHARE, shares((NamedGroup.X25519, bytes(32)))), A.ILLEGAL_PARAMETER),
    Case("empty share", "full", HELLO, extension(X.KEY_SHARE, b"\0\4\0\x1d\0\0"), A.DECODE_ERROR),
    Case("point off its curve", "full", HELLO, extension(
        X.KEY_SHARE, shares((NamedGroup.SECP256R1, b"\4" + b"\1" * 64))), A.ILLEGAL_PARAMETER),
    Case("compressed point", "full", HELLO, extension(
        X.KEY_SHARE, shares((NamedGroup.SECP256R1, b"\2" + b"\1" * 32))), A.ILLEGAL_PARAMETER),
    Case("PSK not last", "early data", HELLO, appended(X.PADDING, b""), A.ILLEGAL_PARAMETER),
    Case("PSK without modes", "early data", HELLO,
        extension(X.PSK_KEY_EXCHANGE_MODES, None), A.MISSING_EXTENSION),
    Case("PSK unknown, no signatures", "full", HELLO, lambda m: {"extensions": (
        *with_extension(m.extensions, X.SIGNATURE_ALGORITHMS, None), Extension(X.PRE_SHARED_KEY, PSK_BODY))},
        A.MISSING_EXTENSION),
    Case("wrong binder", "early data", HELLO, edited(
        X.PRE_SHARED_KEY, lambda b: b[:-1] + bytes((b[-1] ^ 1,))), A.DECRYPT_ERROR),
    Case("one binder too many", "early data", HELLO,
        edited(X.PRE_SHARED_KEY, one_binder_too_many), A.ILLEGAL_PARAMETER),
    Case("short binder", "early data", HELLO, edited(
        X.PRE_SHARED_KEY, lambda b: b[:-35] + b"\0\x20\x1f" + bytes(31)), A.DECODE_ERROR),
    Case("early data with content", "early data", HELLO, extension(X.EARLY_DATA, b"\0"), A.DECODE_ERROR),
    Case("PHA with content", "full", HELLO, extension(X.POST_HANDSHAKE_AUTH, b"\0"), A.DECODE_ERROR),
    Case("no modes", "full", HELLO, extension(X.PSK_KEY_EXCHANGE_MODES, b"\0"), A.DECODE_ERROR),
    Case("two names", "full", HELLO, extension(X.SERVER_NAME, b"\0\x08\0\0\1a\0\0\1b"), A.ILLEGAL_PARAMETER),
    Case("no names", "full", HELLO, extension(X.SERVER_NAME, b"\0\0"), A.DECODE_ERROR),
    Case("empty name", "full", HELLO, extension(X.SERVER_NAME, b"\0\3\0\0\0"), A.DECODE_ERROR),
    Case("name with NUL", "full", HELLO, extension(X.SERVER_NAME, b"\0\6\0\0\3a\0b"), A.ILLEGAL_PARAMETER),
    Case("name with BEL", "full", HELLO, extension(X.SERVER_NAME, b"\0\6\0\0\3a\7b"), A.ILLEGAL_PARAMETER),
    Case("name in UTF-8", "full", HELLO, extension(X.SERVER_NAME, b"\0\5\0\0\2\xc4\x85"), A.ILLEGAL_PARAMETER),
    Case("empty protocol", "full", HELLO, extension(X.ALPN, b"\0\2\0\0"), A.DECODE_ERROR),
    Case("no protocols", "full", HELLO, extension(X.ALPN, b"\0\0"), A.DECODE_ERROR),
    Case("other protocols", "full", HELLO, extension(X.ALPN, b"\0\4\3foo"), A.NO_APPLICATION_PROTOCOL),
    Case("record limit 63", "full", HELLO, extension(X.RECORD_SIZE_LIMIT, b"\0\x3f"), A.ILLEGAL_PARAMETER),
    Case("fragment length 5", "full", HELLO, extension(X.MAX_FRAGMENT_LENGTH, b"\5"), A.ILLEGAL_PARAMETER),
    Case("fragment length of 2 bytes", "full", HELLO,
        extension(X.MAX_FRAGMENT_LENGTH, b"\1\1"), A.DECODE_ERROR),
    Case("status request cut", "full", HELLO, extension(X.STATUS_REQUEST, b"\1\0"), A.DECODE_ERROR),
    Case("EMS with content", "old ECDHE", HELLO, extension(X.EXTENDED_MASTER_SECRET, b"\0"), A.DECODE_ERROR),
    Case("EtM with content", "old ECDHE", HELLO, extension(X.ENCRYPT_THEN_MAC, b"\0"), A.DECODE_ERROR),
    Case("no uncompressed points", "old ECDHE", HELLO,
        extension(X.EC_POINT_FORMATS, b"\1\1"), A.ILLEGAL_PARAMETER),
    Case("no points at all", "old ECDHE", HELLO, extension(X.EC_POINT_FORMATS, b"\0"), A.DECODE_ERROR),
    Case("renegotiation info in a first hello", "old ECDHE", HELLO,
        extension(X.RENEGOTIATION_INFO, b"\1x"), A.HANDSHAKE_FAILURE),
    Case("renegotiation info cut", "old ECDHE", HELLO, extension(X.RENEGOTIATION_INFO, b""), A.DECODE_ERROR),
    Case("EMS dropped in resumption", "old ticket", HELLO,
        extension(X.EXTENDED_MASTER_SECRET, None), A.HANDSHAKE_FAILURE),
    Case("renegotiation: no info", "old ECDHE", HELLO,
        extension(X.RENEGOTIATION_INFO, None), A.HANDSHAKE_FAILURE, nth=1),
    Case("renegotiation: wrong info", "old ECDHE", HELLO,
        extension(X.RENEGOTIATION_INFO, b"\x0c" + bytes(12)), A.HANDSHAKE_FAILURE, nth=1),
    Case("renegotiation: the signal", "old ECDHE", HELLO, lambda m: {
        "cipher_suites": (*m.cipher_suites, CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)},
        A.HANDSHAKE_FAILURE, nth=1),
    Case("renegotiation: older", "old ECDHE", HELLO,
        field(legacy_version=ProtocolVersion.TLS1_1), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: random", "retried", HELLO, flipped("random"), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: session id", "retried", HELLO,
        field(legacy_session_id=b"x"), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: suites", "retried", HELLO, field(cipher_suites=(SUITE,)), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: name", "retried", HELLO, extension(X.SERVER_NAME, None), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: new extension", "retried", HELLO,
        extension(X.RECORD_SIZE_LIMIT, b"\1\0"), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: early data", "retried", HELLO,
        extension(X.EARLY_DATA, b""), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: no cookie", "retried", HELLO, extension(X.COOKIE, None), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: wrong cookie", "retried", HELLO,
        extension(X.COOKIE, b"\0\1x"), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: other share", "retried", HELLO,
        extension(X.KEY_SHARE, shares(X25519_SHARE)), A.ILLEGAL_PARAMETER, nth=1),
    Case("second hello: no share", "retried", HELLO,
        extension(X.KEY_SHARE, b"\0\0"), A.ILLEGAL_PARAMETER, nth=1),
)  # fmt: skip

OTHERS_BY_CLIENT = (
    Case("Finished", "full", Finished, flipped("verify_data"), A.DECRYPT_ERROR),
    Case("Finished, long", "full", Finished,
        lambda m: {"verify_data": m.verify_data + b"\0"}, A.DECODE_ERROR),
    Case("Finished, short", "full", Finished, lambda m: {"verify_data": m.verify_data[:-1]}, A.DECODE_ERROR),
    Case("Finished below", "old ECDHE", Finished, flipped("verify_data"), A.DECRYPT_ERROR),
    Case("Finished below, empty", "old ECDHE", Finished, field(verify_data=b""), A.DECODE_ERROR),
    Case("signature", "full", CertificateVerify, flipped("signature"), A.DECRYPT_ERROR),
    Case("no signature", "full", CertificateVerify, field(signature=b""), A.DECRYPT_ERROR),
    Case("signature below", "old ECDHE", CertificateVerify, flipped("signature"), A.DECRYPT_ERROR),
    Case("scheme", "full", CertificateVerify,
        field(algorithm=SignatureScheme.ECDSA_SECP256R1_SHA256), A.ILLEGAL_PARAMETER),
    Case("scheme of old", "full", CertificateVerify,
        field(algorithm=SignatureScheme.RSA_PKCS1_SHA256), A.ILLEGAL_PARAMETER),
    Case("scheme unknown", "full", CertificateVerify,
        field(algorithm=SignatureScheme(0xFEFE)), A.ILLEGAL_PARAMETER),
    Case("scheme below", "old ECDHE", CertificateVerify,
        field(algorithm=SignatureScheme.ECDSA_SHA1), A.ILLEGAL_PARAMETER),
    Case("context", "full", Certificate13, field(certificate_request_context=b"x"), A.ILLEGAL_PARAMETER),
    Case("context later", "full", Certificate13,
        field(certificate_request_context=b"x"), A.ILLEGAL_PARAMETER, nth=1),
    Case("no certificate", "full", Certificate13, field(certificate_list=()), A.CERTIFICATE_REQUIRED),
    Case("no certificate below", "old ECDHE", Certificate12, field(certificate_list=()), A.HANDSHAKE_FAILURE),
    Case("garbage for a certificate", "full", Certificate13,
        field(certificate_list=(CertificateEntry(b"x"),)), A.UNEXPECTED_MESSAGE),
    Case("extension of a certificate", "full", Certificate13, lambda m: {"certificate_list": (
        CertificateEntry(m.certificate_list[0].cert_data, (Extension(X.STATUS_REQUEST, b"\1\0\0\1x"),)),)},
        A.UNSUPPORTED_EXTENSION),
    Case("compression not offered", "compressed", CompressedCertificate, field(
        algorithm=CertificateCompressionAlgorithm.BROTLI), A.ILLEGAL_PARAMETER),
    Case("compressed length", "compressed", CompressedCertificate, lambda m: {
        "uncompressed_length": m.uncompressed_length + 1}, A.BAD_CERTIFICATE),
    Case("compressed bomb", "compressed", CompressedCertificate,
        field(uncompressed_length=0xFFFFFF), A.BAD_CERTIFICATE),
    Case("compressed garbage", "compressed", CompressedCertificate,
        field(compressed_certificate_message=b"x"), A.BAD_CERTIFICATE),
    Case("key update", "full", KeyUpdate, field(request_update=KeyUpdateRequest(2)), A.ILLEGAL_PARAMETER),
    Case("point", "old ECDHE", ClientKeyExchangeECDHE, field(ecdh_yc=b"x"), A.ILLEGAL_PARAMETER),
    Case("zero point", "old ECDHE", ClientKeyExchangeECDHE, field(ecdh_yc=bytes(32)), A.ILLEGAL_PARAMETER),
    Case("DH value 0", "old DHE", ClientKeyExchangeDHE, field(dh_yc=b"\0"), A.ILLEGAL_PARAMETER),
    Case("DH value 1", "old DHE", ClientKeyExchangeDHE, field(dh_yc=b"\1"), A.ILLEGAL_PARAMETER),
    Case("DH value too large", "old DHE", ClientKeyExchangeDHE,
        field(dh_yc=b"\xff" * 128), A.ILLEGAL_PARAMETER),
)  # fmt: skip

SH, EE = ServerHello, EncryptedExtensions


def s(name: str, world: str, form: type[Message], change: Change, alert: A, nth: int = 0) -> Case:  # noqa: PLR0917
    """Make a case of the server's side."""
    return Case(name, world, form, change, alert, SERVER, nth)


BY_SERVER = (
    s("legacy version", "full", SH, field(legacy_version=ProtocolVersion.TLS1_3), A.ILLEGAL_PARAMETER),
    s("selected version", "full", SH, extension(X.SUPPORTED_VERSIONS, b"\3\5"), A.ILLEGAL_PARAMETER),
    s("selected TLS 1.2", "full", SH, extension(X.SUPPORTED_VERSIONS, b"\3\3"), A.ILLEGAL_PARAMETER),
    s("version below not offered", "old ECDHE", SH,
        field(legacy_version=ProtocolVersion.TLS1_1), A.PROTOCOL_VERSION),
    s("suite not offered", "full", SH,
        field(cipher_suite=CipherSuite.TLS_AES_128_CCM_SHA256), A.ILLEGAL_PARAMETER),
    s("suite of below", "full", SH,
        field(cipher_suite=CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256), A.ILLEGAL_PARAMETER),
    s("suite unknown", "full", SH, field(cipher_suite=CipherSuite(0x0A0A)), A.ILLEGAL_PARAMETER),
    s("suite is a signal", "full", SH,
        field(cipher_suite=CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV), A.ILLEGAL_PARAMETER),
    s("suite not offered below", "old ECDHE", SH,
        field(cipher_suite=CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA), A.ILLEGAL_PARAMETER),
    s("suite of TLS 1.3 below", "old ECDHE", SH, field(cipher_suite=SUITE), A.ILLEGAL_PARAMETER),
    s("session id", "full", SH, field(legacy_session_id_echo=b"x"), A.ILLEGAL_PARAMETER),
    s("compression", "full", SH, field(legacy_compression_method=CompressionMethod(1)), A.ILLEGAL_PARAMETER),
    s("compression below", "old ECDHE", SH,
        field(legacy_compression_method=CompressionMethod(1)), A.ILLEGAL_PARAMETER),
    s("no share", "full", SH, extension(X.KEY_SHARE, None), A.MISSING_EXTENSION),
    s("share not sent", "full", SH, extension(X.KEY_SHARE, b"\0\x17\0\1x"), A.ILLEGAL_PARAMETER),
    s("bad share", "full", SH, extension(X.KEY_SHARE, b"\0\x1d\0\1x"), A.ILLEGAL_PARAMETER),
    s("zero share", "full", SH, extension(X.KEY_SHARE, b"\0\x1d\0\x20" + bytes(32)), A.ILLEGAL_PARAMETER),
    s("PSK not offered", "full", SH, extension(X.PRE_SHARED_KEY, b"\0\0"), A.UNSUPPORTED_EXTENSION),
    s("PSK out of range", "early data", SH, extension(X.PRE_SHARED_KEY, b"\0\1"), A.ILLEGAL_PARAMETER),
    s("PSK of another hash", "early data", SH,
        field(cipher_suite=CipherSuite.TLS_AES_256_GCM_SHA384), A.ILLEGAL_PARAMETER),
    s("no share with the PSK", "early data", SH, extension(X.KEY_SHARE, None), A.MISSING_EXTENSION),
    s("unsolicited", "full", SH, extension(X(0x1234), b""), A.UNSUPPORTED_EXTENSION),
    s("misplaced", "full", SH, extension(X.ALPN, b"\0\3\2h2"), A.ILLEGAL_PARAMETER),
    s("twice", "full", SH, doubled(X.KEY_SHARE), A.ILLEGAL_PARAMETER),
    s("retry without version", "retried", SH, extension(X.SUPPORTED_VERSIONS, None), A.MISSING_EXTENSION),
    s("retry for nothing", "retried", SH,
        field(extensions=(Extension(X.SUPPORTED_VERSIONS, b"\3\4"),)), A.ILLEGAL_PARAMETER),
    s("retry for a group not offered", "retried", SH, extension(X.KEY_SHARE, b"\0\x1e"), A.ILLEGAL_PARAMETER),
    s("retry for a share that is there", "retried", SH,
        extension(X.KEY_SHARE, b"\0\x1d"), A.ILLEGAL_PARAMETER),
    s("retry with an odd extension", "retried", SH, extension(X.ALPN, b"\0\3\2h2"), A.ILLEGAL_PARAMETER),
    s("retry with an empty cookie", "retried", SH, extension(X.COOKIE, b"\0\0"), A.DECODE_ERROR),
    s("second retry", "retried", SH, field(random=HELLO_RETRY_RANDOM), A.UNEXPECTED_MESSAGE, nth=1),
    s("other suite after the retry", "retried", SH,
        field(cipher_suite=CipherSuite.TLS_AES_256_GCM_SHA384), A.ILLEGAL_PARAMETER, nth=1),
    s("no version after the retry", "retried", SH,
        extension(X.SUPPORTED_VERSIONS, None), A.ILLEGAL_PARAMETER, nth=1),
    s("other group after the retry", "retried", SH,
        extension(X.KEY_SHARE, b"\0\x1d\0\x20" + b"\x09" * 32), A.ILLEGAL_PARAMETER, nth=1),
    s("old version for early data", "early data", SH, lambda m: {
        "extensions": with_extension(m.extensions, X.SUPPORTED_VERSIONS, None),
        "cipher_suite": CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, A.PROTOCOL_VERSION),
    s("downgrade", "full", SH, lambda m: {
        "extensions": None, "random": m.random[:24] + b"DOWNGRD\1",
        "cipher_suite": CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, A.ILLEGAL_PARAMETER),
    s("no secure renegotiation", "old ECDHE", SH, extension(X.RENEGOTIATION_INFO, None), A.HANDSHAKE_FAILURE),
    s("wrong renegotiation info", "old ECDHE", SH,
        extension(X.RENEGOTIATION_INFO, b"\1x"), A.HANDSHAKE_FAILURE),
    s("renegotiation without info", "old ECDHE", SH,
        extension(X.RENEGOTIATION_INFO, None), A.HANDSHAKE_FAILURE, nth=1),
    s("renegotiation with half the info", "old ECDHE", SH, edited(
        X.RENEGOTIATION_INFO, lambda b: b"\x0c" + b[1:13]), A.HANDSHAKE_FAILURE, nth=1),
    s("EtM with an AEAD", "old ECDHE", SH, extension(X.ENCRYPT_THEN_MAC, b""), A.ILLEGAL_PARAMETER),
    s("EMS dropped in resumption", "old ticket", SH,
        extension(X.EXTENDED_MASTER_SECRET, None), A.HANDSHAKE_FAILURE),
    s("other suite in resumption", "old ticket", SH, field(
        cipher_suite=CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256), A.ILLEGAL_PARAMETER),
    s("ticket with content", "old ECDHE", SH, extension(X.SESSION_TICKET, b"x"), A.DECODE_ERROR),
    s("name with content", "full", EE, extension(X.SERVER_NAME, b"x"), A.DECODE_ERROR),
    s("two protocols", "full", EE, extension(X.ALPN, b"\0\6\2h2\2h3"), A.ILLEGAL_PARAMETER),
    s("protocol not offered", "full", EE, extension(X.ALPN, b"\0\3\2h3"), A.ILLEGAL_PARAMETER),
    s("unsolicited in EE", "full", EE, extension(X.RECORD_SIZE_LIMIT, b"\1\0"), A.UNSUPPORTED_EXTENSION),
    s("misplaced in EE", "full", EE, extension(X.KEY_SHARE, b""), A.ILLEGAL_PARAMETER),
    s("misplaced status", "full", EE, extension(X.STATUS_REQUEST, b""), A.ILLEGAL_PARAMETER),
    s("unsolicited early data", "full", EE, extension(X.EARLY_DATA, b""), A.UNSUPPORTED_EXTENSION),
    s("early data with content", "early data", EE, extension(X.EARLY_DATA, b"x"), A.DECODE_ERROR),
    s("early data, other protocol", "early data", EE, extension(X.ALPN, None), A.ILLEGAL_PARAMETER),
    s("request with context", "full", CertificateRequest13,
        field(certificate_request_context=b"x"), A.ILLEGAL_PARAMETER),
    s("request without signatures", "full", CertificateRequest13, field(
        extensions=(Extension(X.CERTIFICATE_AUTHORITIES, b"\0\4\0\x020\0"),)), A.MISSING_EXTENSION),
    s("no certificate", "full", Certificate13, field(certificate_list=()), A.DECODE_ERROR),
    s("context", "full", Certificate13, field(certificate_request_context=b"x"), A.ILLEGAL_PARAMETER),
    s("no certificate below", "old ECDHE", Certificate12, field(certificate_list=()), A.DECODE_ERROR),
    s("other key below", "old ECDHE", Certificate12, lambda _: {
        "certificate_list": identity("rsa").certificates}, A.UNEXPECTED_MESSAGE),
    s("signature", "full", CertificateVerify, flipped("signature"), A.DECRYPT_ERROR),
    s("scheme", "full", CertificateVerify, field(algorithm=SignatureScheme.ED25519), A.ILLEGAL_PARAMETER),
    s("scheme not offered", "full", CertificateVerify,
        field(algorithm=SignatureScheme.ECDSA_SHA1), A.ILLEGAL_PARAMETER),
    s("Finished", "full", Finished, flipped("verify_data"), A.DECRYPT_ERROR),
    s("Finished below", "old ECDHE", Finished, flipped("verify_data"), A.DECRYPT_ERROR),
    s("Finished of a resumption", "old ticket", Finished, flipped("verify_data"), A.DECRYPT_ERROR),
    s("ticket for 8 days", "full", NewSessionTicket13, field(ticket_lifetime=8 * 86400), A.ILLEGAL_PARAMETER),
    s("ticket with two of a kind", "full", NewSessionTicket13, lambda m: {
        "extensions": m.extensions * 2}, A.ILLEGAL_PARAMETER),
    s("key update", "full", KeyUpdate, field(request_update=KeyUpdateRequest(255)), A.ILLEGAL_PARAMETER),
    s("parameters changed", "old ECDHE", ServerKeyExchangeECDHE, lambda m: {"params": type(m.params)(
        m.params.curve_type, m.params.named_curve, bytes(32))}, A.DECRYPT_ERROR),
    s("explicit curve", "old ECDHE", ServerKeyExchangeECDHE, lambda m: {"params": type(m.params)(
        ECCurveType(1), m.params.named_curve, m.params.public)}, A.DECRYPT_ERROR),
    s("scheme of parameters", "old ECDHE", ServerKeyExchangeECDHE,
        field(algorithm=SignatureScheme.RSA_PKCS1_SHA256), A.ILLEGAL_PARAMETER),
    s("DH parameters changed", "old DHE", ServerKeyExchangeDHE, lambda m: {"params": type(m.params)(
        m.params.dh_p, b"\1", m.params.dh_ys)}, A.DECRYPT_ERROR),
)  # fmt: skip

CASES = CLIENT_HELLOS + OTHERS_BY_CLIENT + BY_SERVER


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.side}-{case.form.__name__}-{case.name}")
def test_wrong_values(case: Case) -> None:
    """The alert is the right one."""
    kind = case.form.handshake_type
    numbers = [n for n, raw in enumerate(flights(case.world)[case.side]) if raw[0] == kind]
    victim, _ = misbehave(case.world, case.side, numbers[case.nth], rebuilt(case.form, case.change))
    if case.alert == A.UNEXPECTED_MESSAGE and victim.error is None:
        assert HandshakeType(kind) == HandshakeType.CERTIFICATE  # it waits for the message that proves it
        return
    assert isinstance(victim.error, PeerError), victim.error
    assert victim.error.alert == case.alert, victim.error


def test_a_ticket_without_a_session_id_is_resumed() -> None:
    """The id is only the client's help to see whether the server resumes (RFC 5077 §3.4)."""
    victim, _ = misbehave("old ticket", CLIENT, 0, rebuilt(HELLO, field(legacy_session_id=b"")))
    assert victim.error is None
    assert victim.negotiated.resumed
    assert victim.negotiated.session_id == b""
