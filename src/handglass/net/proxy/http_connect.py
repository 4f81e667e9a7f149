"""HTTP CONNECT (RFC 9110 §9.3.6), with Basic authentication (RFC 7617) if there is a user.

The request has the bytes of OpenSSL's s_client, but for an IPv6 target, which stands in brackets (RFC 9110
§7.2).
"""

from __future__ import annotations

import re

from handglass.net.dial.targets import bracketed
from handglass.net.dialogue import (
    Dialogue,
    ReadExactly,
    ReadLine,
    RefusedError,
    Send,
    malformed,
    too_long,
)
from handglass.net.errors import shown
from handglass.net.proxy.credentials import Credentials

AWAITED = "the proxy's answer to CONNECT"
HEADERS_LIMIT = 100
STATUS_LINE = re.compile(rb"HTTP/1\.\d ([1-5]\d\d)(?: (.*))?\Z")


def http_connect(host: str, port: int, credentials: Credentials | None = None) -> Dialogue[None]:
    """Ask the proxy for a connection to `host` and `port`; any status 2xx is a yes (RFC 9110 §9.3.6)."""
    yield Send(f"CONNECT {bracketed(host)}:{port} HTTP/1.0\r\n".encode("ascii"))
    yield Send(b"Proxy-Connection: Keep-Alive\r\n")
    if credentials is not None:
        yield Send(b"Proxy-Authorization: Basic " + credentials.basic() + b"\r\n", secret=True)
    yield Send(b"\r\n")
    status, reason = yield from _status_line()
    headers = yield from _headers()
    if not 200 <= status <= 299:
        raise RefusedError(f"HTTP CONNECT failed, reason= {status} {reason}{_wanted(headers)}")


def _status_line() -> Dialogue[tuple[int, str]]:
    """Return status and reason.

    What is not HTTP is told by its first five bytes, without waiting for a line.
    """
    start = yield ReadExactly(AWAITED, 5)
    if start != b"HTTP/":
        raise malformed(AWAITED, start)
    line = start + (yield ReadLine(AWAITED))
    match = STATUS_LINE.match(line.rstrip(b"\r\n"))
    if match is None:
        raise malformed(AWAITED, line)
    return int(match[1]), shown(match[2] or b"")


def _headers() -> Dialogue[list[bytes]]:
    headers: list[bytes] = []
    while len(headers) <= HEADERS_LIMIT:
        line = (yield ReadLine("the end of the proxy's headers")).rstrip(b"\r\n")
        if not line:
            return headers
        headers.append(line)
    raise too_long("the end of the proxy's headers", HEADERS_LIMIT, "lines")


def _wanted(headers: list[bytes]) -> str:
    """Return which authentication the proxy asks for, if it does."""
    name = b"proxy-authenticate:"
    schemes = [shown(line[len(name) :]) for line in headers if line.lower().startswith(name)]
    return f" (it asks for: {', '.join(schemes)})" if schemes else ""
