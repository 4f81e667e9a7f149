"""Remote Desktop: the X.224 connection request with RDP_NEG_REQ ([MS-RDPBCGR] §2.2.1.1, §2.2.1.2)."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed
from handglass.net.starttls.spoken import Names, Spoken

TPKT_VERSION = 3
CONNECTION_REQUEST, CONNECTION_CONFIRM = 0xE0, 0xD0
NEG_REQ, NEG_RSP, NEG_FAILURE = 1, 2, 3
PROTOCOL_SSL, PROTOCOL_HYBRID, PROTOCOL_HYBRID_EX = 0x01, 0x02, 0x08
PROTOCOLS = {
    0: "standard RDP security",
    1: "TLS",
    2: "CredSSP over TLS",
    4: "RDSTLS",
    8: "CredSSP over TLS with early user authorization",
    16: "RDS-AAD-Auth over TLS",
}
FAILURES = {
    1: "SSL_REQUIRED_BY_SERVER",
    2: "SSL_NOT_ALLOWED_BY_SERVER",
    3: "SSL_CERT_NOT_ON_SERVER",
    4: "INCONSISTENT_FLAGS",
    5: "HYBRID_REQUIRED_BY_SERVER",
    6: "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
}
ANSWER_LIMIT = 512
AWAITED = "the server's X.224 connection confirm"


def rdp(_names: Names) -> Dialogue[Spoken]:
    """Ask for TLS or CredSSP over TLS, which look the same from outside; the server selects one."""
    wanted = PROTOCOL_SSL | PROTOCOL_HYBRID | PROTOCOL_HYBRID_EX
    yield Send(_tpkt(bytes((14, CONNECTION_REQUEST)) + bytes(5) + _negotiation(wanted)))
    header = yield ReadExactly(AWAITED, 4)
    length = int.from_bytes(header[2:4])
    if header[0] != TPKT_VERSION or not 11 <= length <= ANSWER_LIMIT:
        raise malformed(AWAITED, header)
    confirm = yield ReadExactly(AWAITED, length - 4)
    if confirm[1] & 0xF0 != CONNECTION_CONFIRM or confirm[0] != len(confirm) - 1:
        raise malformed(AWAITED, confirm)
    return Spoken(offered=(_selected(confirm[7:]),))


def _selected(negotiation: bytes) -> str:
    """Return the protocol that RDP_NEG_RSP selects, in words. Raises RefusedError if it is none over TLS."""
    if not negotiation:
        raise RefusedError("the server knows standard RDP security only")
    if len(negotiation) != 8 or negotiation[2:4] != b"\x08\x00":
        raise malformed(AWAITED, negotiation)
    value = int.from_bytes(negotiation[4:], "little")
    if negotiation[0] == NEG_FAILURE:
        raise RefusedError(f"the server refused TLS: {FAILURES.get(value, f'failure code {value}')}")
    if negotiation[0] != NEG_RSP:
        raise malformed(AWAITED, negotiation)
    if value == 0:
        raise RefusedError("the server selected standard RDP security")
    return PROTOCOLS.get(value, f"protocol 0x{value:08x}")


def _negotiation(protocols: int) -> bytes:
    return bytes((NEG_REQ, 0, 8, 0)) + protocols.to_bytes(4, "little")


def _tpkt(data: bytes) -> bytes:
    """RFC 1006 §6."""
    return bytes((TPKT_VERSION, 0)) + (len(data) + 4).to_bytes(2) + data
