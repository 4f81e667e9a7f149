"""LDAP: the StartTLS extended operation (RFC 4511 §4.14), with as much BER (§5.1) as its answer needs."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed, too_long
from handglass.net.starttls.spoken import Names, Spoken

MESSAGE_LIMIT = 1 << 16
SEQUENCE, INTEGER, ENUMERATED, OCTET_STRING = 0x30, 0x02, 0x0A, 0x04
EXTENDED_RESPONSE = 0x78
MESSAGE_ID = 1
# LDAPMessage { messageID 1, extendedReq { requestName 1.3.6.1.4.1.1466.20037 } }
START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
AWAITED = "the answer to the StartTLS operation"
RESULTS = {
    1: "operationsError",
    2: "protocolError",
    8: "strongerAuthRequired",
    10: "referral",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    80: "other",
}


def ldap(_names: Names) -> Dialogue[Spoken]:
    """RFC 4511 §4.14.1 (request), §4.14.2 (response)."""
    yield Send(START_TLS)
    message = yield from _message()
    try:
        code, diagnostic = _extended_result(message)
    except (ValueError, IndexError):
        raise malformed(AWAITED, message) from None
    if code != 0:
        raise RefusedError(
            f"the server refused StartTLS, LDAP result code {code} ({RESULTS.get(code, 'unknown')})",
            diagnostic,
        )
    return Spoken()


def _message() -> Dialogue[bytes]:
    """Return the contents of one LDAPMessage."""
    head = yield ReadExactly(AWAITED, 2)
    if head[0] != SEQUENCE:
        raise malformed(AWAITED, head)
    length = head[1]
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise malformed(AWAITED, head)
        length = int.from_bytes((yield ReadExactly(AWAITED, octets)))
    if length > MESSAGE_LIMIT:
        raise too_long(AWAITED, MESSAGE_LIMIT)
    return (yield ReadExactly(AWAITED, length))


def _extended_result(message: bytes) -> tuple[int, bytes]:
    """Return the resultCode and diagnosticMessage of an ExtendedResponse.

    ValueError or IndexError for anything else.
    """
    message_id, at = _element(message, 0, INTEGER)
    if int.from_bytes(message_id) not in (0, MESSAGE_ID):  # 0: an unsolicited notice (§4.4)
        raise ValueError
    response, _ = _element(message, at, EXTENDED_RESPONSE)
    code, at = _element(response, 0, ENUMERATED)
    _matched_dn, at = _element(response, at, OCTET_STRING)
    diagnostic, _ = _element(response, at, OCTET_STRING)
    if not 1 <= len(code) <= 4:
        raise ValueError
    return int.from_bytes(code), diagnostic


def _element(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """Return the contents of the element at `at`, which must have `tag`, and where the next one begins."""
    if data[at] != tag:
        raise ValueError
    length, at = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError
        length, at = int.from_bytes(data[at : at + octets]), at + octets
    if at + length > len(data):
        raise ValueError
    return data[at : at + length], at + length
