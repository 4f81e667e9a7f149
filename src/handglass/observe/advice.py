"""What went wrong in words: OpenSSL's error line for scripts, then a sentence and what to try, for people."""

from __future__ import annotations

from handglass.handshake.state import Negotiated
from handglass.registry.code_points import AlertDescription as A
from handglass.registry.errors import AlertReceived, LocalError, PeerError, TLSError

ALERT_WORDS = {
    A.UNEXPECTED_MESSAGE: "sslv3 alert unexpected message",
    A.BAD_RECORD_MAC: "sslv3 alert bad record mac",
    A.RECORD_OVERFLOW: "tlsv1 alert record overflow",
    A.DECOMPRESSION_FAILURE: "sslv3 alert decompression failure",
    A.HANDSHAKE_FAILURE: "sslv3 alert handshake failure",
    A.BAD_CERTIFICATE: "sslv3 alert bad certificate",
    A.UNSUPPORTED_CERTIFICATE: "sslv3 alert unsupported certificate",
    A.CERTIFICATE_REVOKED: "sslv3 alert certificate revoked",
    A.CERTIFICATE_EXPIRED: "sslv3 alert certificate expired",
    A.CERTIFICATE_UNKNOWN: "sslv3 alert certificate unknown",
    A.ILLEGAL_PARAMETER: "sslv3 alert illegal parameter",
    A.UNKNOWN_CA: "tlsv1 alert unknown ca",
    A.ACCESS_DENIED: "tlsv1 alert access denied",
    A.DECODE_ERROR: "tlsv1 alert decode error",
    A.DECRYPT_ERROR: "tlsv1 alert decrypt error",
    A.PROTOCOL_VERSION: "tlsv1 alert protocol version",
    A.INSUFFICIENT_SECURITY: "tlsv1 alert insufficient security",
    A.INTERNAL_ERROR: "tlsv1 alert internal error",
    A.INAPPROPRIATE_FALLBACK: "tlsv1 alert inappropriate fallback",
    A.USER_CANCELED: "tlsv1 alert user cancelled",
    A.NO_RENEGOTIATION: "tlsv1 alert no renegotiation",
    A.MISSING_EXTENSION: "tlsv13 alert missing extension",
    A.UNSUPPORTED_EXTENSION: "tlsv1 unsupported extension",
    A.UNRECOGNIZED_NAME: "tlsv1 unrecognized name",
    A.BAD_CERTIFICATE_STATUS_RESPONSE: "tlsv1 bad certificate status response",
    A.UNKNOWN_PSK_IDENTITY: "tlsv1 alert unknown psk identity",
    A.CERTIFICATE_REQUIRED: "tlsv13 alert certificate required",
    A.NO_APPLICATION_PROTOCOL: "tlsv1 alert no application protocol",
}
"""OpenSSL's words for alerts that came in; scripts look for them."""

OPENSSL_REASONS: dict[str, tuple[int, str]] = {
    "NOT_IN_THIS_VERSION": (0x10A, "wrong ssl version"),
    "NOT_TLS": (0x10B, "wrong version number"),
    "NOT_TLS_HTTP": (0x10B, "wrong version number"),
    "WRONG_RECORD_VERSION": (0x10B, "wrong version number"),
    "EOF_DURING_HANDSHAKE": (0x126, "unexpected eof while reading"),
    "UNEXPECTED_EOF": (0x126, "unexpected eof while reading"),
    "BAD_RECORD_MAC": (0x119, "decryption failed or bad record mac"),
    "VERSION_NOT_ENABLED": (0x102, "unsupported protocol"),
    "NO_COMMON_VERSION": (0x102, "unsupported protocol"),
    "NO_COMMON_SUITE": (0xC1, "no shared cipher"),
    "NO_CERTIFICATE_CONFIGURED": (0xC1, "no shared cipher"),
    "UNRECOGNIZED_NAME": (0xEA, "callback failed"),
    "NO_COMMON_GROUP": (0x65, "no suitable key share"),
    "NO_COMMON_SIGNATURE": (0x76, "no suitable signature algorithm"),
    "INAPPROPRIATE_FALLBACK": (0x175, "inappropriate fallback"),
    "BAD_SIGNATURE": (0x7B, "bad signature"),
    "BAD_FINISHED": (0x95, "digest check failed"),
    "UNEXPECTED_MESSAGE": (0xF4, "unexpected message"),
    "DECODE_ERROR": (0x9F, "length mismatch"),
    "RECORD_OVERFLOW": (0x92, "data length too long"),
    "RENEGOTIATION_INSECURE": (0x152, "unsafe legacy renegotiation disabled"),
    "CERTIFICATE_REQUIRED": (0xC7, "peer did not return a certificate"),
    "CERTIFICATE_REQUIRED_LEGACY": (0xC7, "peer did not return a certificate"),
    "NO_APPLICATION_PROTOCOL": (0xEB, "no application protocol"),
    "RENEGOTIATION_REFUSED": (0x153, "no renegotiation"),
    "RENEGOTIATION_DECLINED": (0x153, "no renegotiation"),
    "DH_PRIME_TOO_SHORT": (0x18A, "dh key too small"),
    "TOO_MUCH_EARLY_DATA": (0xA4, "too much early data"),
    "BINDER_MISMATCH": (0xFD, "binder does not verify"),
}
"""OpenSSL's number and words for our reasons, where it has the same."""

CLIENT_ALERT_ADVICE = {
    A.HANDSHAKE_FAILURE: "the server found nothing in common: try other -cipher, -ciphersuites, -groups or -sigalgs,"
    " or it wants a client certificate (-cert)",
    A.PROTOCOL_VERSION: "the server speaks none of the versions that were offered: try other -tls1_2, -tls1_3",
    A.INSUFFICIENT_SECURITY: "the server wants stronger algorithms than were offered",
    A.CERTIFICATE_REQUIRED: "the server demands a client certificate: give one with -cert and -key",
    A.BAD_CERTIFICATE: "the server did not accept our certificate",
    A.UNSUPPORTED_CERTIFICATE: "the server does not accept this kind of certificate, or not for this purpose",
    A.CERTIFICATE_EXPIRED: "the server says that our certificate has expired",
    A.CERTIFICATE_REVOKED: "the server says that our certificate was revoked",
    A.UNKNOWN_CA: "the server does not know who issued our certificate: send the intermediates with -cert_chain,"
    " or ask for another issuer (the acceptable CA names are in the report)",
    A.UNRECOGNIZED_NAME: "the server does not serve the name that was asked for: try another -servername",
    A.NO_APPLICATION_PROTOCOL: "the server speaks none of the -alpn protocols",
    A.INAPPROPRIATE_FALLBACK: "the server can do a newer version than the one that was offered as a fallback",
    A.DECRYPT_ERROR: "the server could not verify a signature, a Finished or a PSK binder of ours",
    A.UNKNOWN_PSK_IDENTITY: "the server does not know this PSK identity",
    A.INTERNAL_ERROR: "something failed inside the server; its log may say what",
    A.MISSING_EXTENSION: "the server misses an extension; an SNI may be what it wants (-servername)",
    A.ACCESS_DENIED: "the certificate is valid, but the server does not let it in",
}
"""What a client can try after an alert."""


def openssl_line(error: TLSError, place: str) -> str:
    """The line that OpenSSL's programs print, as far as scripts read it: code, reason, alert number."""
    if isinstance(error, AlertReceived):
        words = ALERT_WORDS.get(error.description, f"reason({1000 + error.description})")
        return _line(1000 + error.description, words, place, f"SSL alert number {int(error.description)}")
    if isinstance(error, PeerError | LocalError):
        if error.detail.startswith("certificate verify failed"):
            return _line(0x86, "certificate verify failed", place)
        code, words = OPENSSL_REASONS.get(error.reason.name, (0, error.reason.name.lower().replace("_", " ")))
        return _line(code, words, place)
    return _line(0, str(error), place)


def explain(error: TLSError, agreed: Negotiated) -> list[str]:
    """A sentence on what happened, then what to try, each one line."""
    lines = [str(error)]
    if not agreed.is_client:
        return lines
    unanswered = agreed.certificate_request is not None and not agreed.client_certificate_sent
    if isinstance(error, AlertReceived):
        advice = CLIENT_ALERT_ADVICE.get(error.description)
        if unanswered and error.description == A.HANDSHAKE_FAILURE:
            advice = CLIENT_ALERT_ADVICE[A.CERTIFICATE_REQUIRED]
        if advice is not None:
            lines.append(f"Hint: {advice}")
    if unanswered:
        lines.append(
            "Note: the server asked for a client certificate and none was sent, which is a likely cause"
        )
    return lines


def _line(code: int, words: str, place: str, data: str = "") -> str:
    return f"{0:016X}:error:{0x0A000000 + code:08X}:SSL routines:handglass:{words}:{place}:0:{data}"
