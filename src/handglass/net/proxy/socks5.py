"""SOCKS 5 (RFC 1928) with user and password (RFC 1929). The proxy looks up the name."""

from __future__ import annotations

import socket

from handglass.net.dial.targets import literal_family
from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed
from handglass.net.errors import NetCode, NetError
from handglass.net.proxy.credentials import Credentials

VERSION, CONNECT, RESERVED = 5, 1, 0
NO_AUTHENTICATION, USER_PASSWORD, NOT_ACCEPTABLE = 0, 2, 0xFF
PASSWORD_VERSION = 1
IPV4, NAME, IPV6 = 1, 3, 4
REFUSALS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}


def socks5(host: str, port: int, credentials: Credentials | None = None) -> Dialogue[None]:
    """RFC 1928 §3 (methods), RFC 1929 §2 (user and password), RFC 1928 §4 and §6 (request and reply)."""
    methods = [NO_AUTHENTICATION] if credentials is None else [NO_AUTHENTICATION, USER_PASSWORD]
    yield Send(bytes((VERSION, len(methods), *methods)))
    choice = yield ReadExactly("the SOCKS 5 proxy's choice of a method", 2)
    if choice[0] != VERSION:
        raise malformed("the SOCKS 5 proxy's choice of a method", choice)
    if choice[1] == NOT_ACCEPTABLE:
        wish = " without a user and password" if credentials is None else ""
        raise RefusedError(f"the SOCKS 5 proxy takes none of our ways to authenticate{wish}")
    if choice[1] not in methods:
        raise malformed("a method that we have offered", choice)
    if choice[1] == USER_PASSWORD and credentials is not None:
        yield from _authenticate(credentials)

    yield Send(bytes((VERSION, CONNECT, RESERVED)) + _address(host) + port.to_bytes(2))
    awaited = "the SOCKS 5 proxy's reply"
    reply = yield ReadExactly(awaited, 4)
    if reply[0] != VERSION:
        raise malformed(awaited, reply)
    if reply[1] != 0:
        words = REFUSALS.get(reply[1], "unknown code")
        raise RefusedError(f"the SOCKS 5 proxy refused: {words} ({reply[1]})")
    if reply[3] == NAME:
        length = (yield ReadExactly(awaited, 1))[0]
    elif reply[3] in (IPV4, IPV6):
        length = 4 if reply[3] == IPV4 else 16
    else:
        raise malformed(awaited, reply)
    yield ReadExactly(awaited, length + 2)


def _authenticate(credentials: Credentials) -> Dialogue[None]:
    """RFC 1929 §2."""
    user, password = credentials.user.encode(), credentials.password.encode()
    if not 1 <= len(user) <= 255 or len(password) > 255:
        raise NetError(
            NetCode.NAME_MALFORMED, "SOCKS 5 takes a user of 1 to 255 bytes and a password of at most 255"
        )
    message = bytes((PASSWORD_VERSION, len(user))) + user + bytes((len(password),)) + password
    yield Send(message, secret=True)
    answer = yield ReadExactly("the SOCKS 5 proxy's verdict on user and password", 2)
    if answer[0] not in (PASSWORD_VERSION, VERSION):  # some proxies repeat 5 here
        raise malformed("the SOCKS 5 proxy's verdict on user and password", answer)
    if answer[1] != 0:
        raise RefusedError("the SOCKS 5 proxy refused user and password")


def _address(host: str) -> bytes:
    """RFC 1928 §5."""
    family = literal_family(host)
    if family == socket.AF_INET:
        return bytes((IPV4,)) + socket.inet_aton(host)
    if family == socket.AF_INET6:
        address, _, _scope = host.partition("%")
        return bytes((IPV6,)) + socket.inet_pton(socket.AF_INET6, address)
    name = host.encode("ascii")
    return bytes((NAME, len(name))) + name
