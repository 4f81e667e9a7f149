"""MySQL and MariaDB: the server's handshake packet, then SSLRequest.

Source: "MySQL Client/Server Protocol", connection phase.
"""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed, too_long
from handglass.net.starttls.spoken import Names, Spoken

PACKET_LIMIT = 1 << 14
PROTOCOL_10 = 10
ERROR = 0xFF
CLIENT_SSL = 0x0800
AWAITED = "the server's handshake packet"
# Length 32, sequence number 1; capabilities (with CLIENT_SSL), largest packet 16 MiB, utf8, filler.
SSL_REQUEST = bytes.fromhex("20000001 85ae7f00 00000001 21") + bytes(23)


def mysql(_names: Names) -> Dialogue[Spoken]:
    """Protocol::HandshakeV10, Protocol::SSLRequest; there is no answer to the latter but TLS itself."""
    head = yield ReadExactly(AWAITED, 4)
    length = int.from_bytes(head[:3], "little")
    if length > PACKET_LIMIT:
        raise too_long(AWAITED, PACKET_LIMIT)
    if length < 3 or head[3] != 0:
        raise malformed(AWAITED, head)
    packet = yield ReadExactly(AWAITED, length)
    if packet[0] == ERROR:
        raise RefusedError(
            f"the server answered with error {int.from_bytes(packet[1:3], 'little')}", packet[3:]
        )
    version, capabilities = _handshake_v10(packet)
    if not capabilities & CLIENT_SSL:
        raise RefusedError("the server does not offer TLS (its capabilities lack CLIENT_SSL); it is", version)
    yield Send(SSL_REQUEST)
    return Spoken()


def _handshake_v10(packet: bytes) -> tuple[bytes, int]:
    """Return the server's version and the lower half of its capabilities."""
    version, nul, rest = packet[1:].partition(b"\x00")
    if packet[0] != PROTOCOL_10 or not nul or len(rest) < 15:
        raise malformed(AWAITED, packet)
    return version, int.from_bytes(rest[13:15], "little")  # thread id 4, auth data 8, filler 1
