"""SOCKS 4 and its extension 4A, where the proxy looks up the name (Ying-Da Lee's two memos)."""

from __future__ import annotations

import socket

from handglass.net.dial.targets import literal_family
from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed
from handglass.net.errors import NetCode, NetError
from handglass.net.proxy.credentials import Credentials

VERSION, CONNECT = 4, 1
GRANTED = 90
REFUSALS = {
    91: "request rejected or failed",
    92: "the proxy cannot reach identd on our side",
    93: "identd on our side names another user",
}
LOOK_UP_YOURSELF = bytes((0, 0, 0, 1))
AWAITED = "the SOCKS 4 proxy's answer"


def socks4a(host: str, port: int, credentials: Credentials | None = None) -> Dialogue[None]:
    """CONNECT by IPv4 address (SOCKS 4), or by name (SOCKS 4A). There is no password, and no IPv6."""
    family = literal_family(host)
    if family == socket.AF_INET6:
        raise NetError(NetCode.TARGET_MALFORMED, "SOCKS 4 knows no IPv6 addresses; use socks5://")
    address, name = LOOK_UP_YOURSELF, host.encode("ascii") + b"\x00"
    if family == socket.AF_INET:
        address, name = socket.inet_aton(host), b""
    user = credentials.user.encode() if credentials is not None else b""
    if b"\x00" in user + name[:-1]:
        raise NetError(NetCode.NAME_MALFORMED, "a SOCKS 4 request cannot hold a NUL in user or name")
    yield Send(bytes((VERSION, CONNECT)) + port.to_bytes(2) + address + user + b"\x00" + name)
    answer = yield ReadExactly(AWAITED, 2)
    if answer[0] != 0 or not 90 <= answer[1] <= 99:
        raise malformed(AWAITED, answer)
    yield ReadExactly(AWAITED, 6)
    if answer[1] != GRANTED:
        words = REFUSALS.get(answer[1], "unknown code")
        raise RefusedError(f"the SOCKS 4 proxy refused: {words} ({answer[1]})")
