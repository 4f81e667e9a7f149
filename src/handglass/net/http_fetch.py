"""A small HTTP client for what certificates point to: OCSP answers, issuers, revocation lists.

All of that travels over plain HTTP (it is signed), comes from a place that a peer chose, and is fetched while
somebody waits. So there is one limit of time for everything together, name lookup to last byte, one of size,
and one of redirections; and nothing but http is spoken. A proxy gets the whole URL, as OpenSSL's -proxy sends
it.

Sources: RFC 9110, RFC 9112 §3.2, §6; RFC 6960 app. A.1; openssl-ocsp(1) -proxy and -no_proxy.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import unquote, urljoin, urlsplit

from handglass.records import dataclass

from .dial.connect import DialOptions, dial
from .dial.targets import Target
from .errors import NetCode, NetError, shown, span

MAX_HEAD = 64 << 10
MAX_URL = 2048
"""Characters."""
_CHUNK = 1 << 16
CHUNK_HEAD = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r]*)?\r\n")


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """Limits and ways: seconds for everything together, bytes of the body, redirections followed, the proxy.

    `proxy` and `no_proxy` None mean the environment's http_proxy and no_proxy; an empty text means none.
    """

    seconds: float = 10.0
    size: int = 1 << 20
    redirections: int = 3
    proxy: str | None = None
    no_proxy: str | None = None


def fetch(
    url: str,
    options: FetchOptions = FetchOptions(),
    *,
    body: bytes | None = None,
    content_type: str = "",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Return the body behind a URL: POST if `body` is given, else GET. Raises `NetError`."""
    proxy = _proxy_for(url, options, os.environ if environment is None else environment)
    asked = url
    way = _Way(options, proxy, time.monotonic() + options.seconds)
    for _ in range(options.redirections + 1):
        status, head, answer = _exchange(url, way, body, content_type)
        location = _header(head, "location")
        if status in {301, 302, 303, 307, 308} and location and body is None:
            url = _next_url(url, location)
            continue
        if status != 200:
            reason = shown(head.split(b"\r\n", 1)[0].split(b" ", 1)[-1])
            raise NetError(NetCode.REFUSED, f"{url} was answered with {reason}")
        return answer
    raise NetError(NetCode.REFUSED, f"{asked}: more than {options.redirections} redirections")


def _next_url(url: str, location: str) -> str:
    """Return where a redirection leads."""
    try:
        return urljoin(url, location)
    except ValueError:
        words = shown(location.encode("latin-1", "replace"))
        raise NetError(NetCode.ANSWER_MALFORMED, f"{url}: redirected to what is no URL: {words}") from None


@dataclass(frozen=True, slots=True)
class _Way:
    """How one fetch goes: its options, the proxy ("" for none), and when all must be over."""

    options: FetchOptions
    proxy: str
    deadline: float

    def left(self, url: str) -> float:
        """Return the seconds that are left. Raises `NetError` when none are."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self.too_late(url)
        return left

    def too_late(self, url: str) -> NetError:
        """Return the error of a time limit."""
        sentence = f"{url}: no complete answer within {span(self.options.seconds)}"
        return NetError(NetCode.STEP_TIMEOUT, sentence)


def _exchange(url: str, way: _Way, body: bytes | None, content_type: str) -> tuple[int, bytes, bytes]:
    """Ask once; return status, head and body."""
    target, host, path, credentials = _split(url)
    extra = ""
    if way.proxy:
        target, _, _, credentials = _split(way.proxy if "://" in way.proxy else f"http://{way.proxy}")
        path = f"http://{host}{path}"
        extra += "Proxy-Connection: close\r\n"
    if credentials:
        token = base64.b64encode(credentials.encode()).decode()
        extra += f"{'Proxy-' if way.proxy else ''}Authorization: Basic {token}\r\n"
    if body is not None:
        extra += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    request = (
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.0\r\nHost: {host}\r\n"
        f"User-Agent: handglass\r\nConnection: close\r\n{extra}\r\n"
    )
    left = way.left(url)
    connected = dial(target, DialOptions(lookup_seconds=left, connect_seconds=left)).socket
    try:
        connected.settimeout(way.left(url))
        connected.sendall(request.encode("latin-1", "replace") + (body or b""))
        data = _receive(connected, url, way)
    except TimeoutError:
        raise way.too_late(url) from None
    except OSError as problem:
        raise NetError(
            NetCode.PEER_RESET, f"{url}: the connection broke: {problem.strerror}", problem.errno or 0
        ) from None
    finally:
        with suppress(OSError):
            connected.close()
    return _parse(data, url, way.options)


def _receive(connected: socket.socket, url: str, way: _Way) -> bytes:
    """Read until the end, or until a body of announced length is complete."""
    most = way.options.size + MAX_HEAD
    data = bytearray()
    expected: int | None = None
    head_known = False
    while expected is None or len(data) < expected:
        connected.settimeout(way.left(url))
        piece = connected.recv(_CHUNK)
        if not piece:
            break
        data += piece
        end = data.find(b"\r\n\r\n")
        if not head_known and end >= 0:
            head_known = True
            length = _header(bytes(data[:end]), "content-length")
            if length is not None and length.isascii() and length.isdigit() and len(length) < 16:
                expected = end + 4 + int(length)
        if end < 0 and len(data) > MAX_HEAD:
            raise NetError(NetCode.ANSWER_TOO_LONG, f"{url}: the head of the answer does not end")
        if len(data) > most or (expected or 0) > most:
            raise _too_long(url, way.options)
    return bytes(data)


def _parse(data: bytes, url: str, options: FetchOptions) -> tuple[int, bytes, bytes]:
    head, separator, body = data.partition(b"\r\n\r\n")
    match = re.match(rb"HTTP/1\.[0-9] ([0-9]{3})(?: |\r|$)", head)
    if match is None or not separator:
        what = shown(data[:60]) or "nothing"
        raise NetError(NetCode.ANSWER_MALFORMED, f"{url}: the answer is not HTTP: {what}")
    if "chunked" in (_header(head, "transfer-encoding") or "").lower():
        body = _unchunk(body, url)
    length = _header(head, "content-length")
    if length is not None and length.isascii() and length.isdigit() and len(body) < int(length[:18]):
        raise NetError(
            NetCode.PEER_CLOSED, f"{url}: the answer ends after {len(body)} of {length[:18]} bytes"
        )
    if len(body) > options.size:
        raise _too_long(url, options)
    return int(match.group(1)), head, body


def _unchunk(data: bytes, url: str) -> bytes:
    """Put a chunked body together (RFC 9112 §7.1); some servers send it to HTTP/1.0 clients too."""
    body, at = bytearray(), 0
    while True:
        match = CHUNK_HEAD.match(data, at)
        if match is None:
            raise NetError(NetCode.ANSWER_MALFORMED, f"{url}: the chunks of the answer are damaged")
        count, at = int(match[1], 16), match.end()
        if count == 0:
            return bytes(body)
        if len(data) < at + count + 2:
            raise NetError(NetCode.PEER_CLOSED, f"{url}: the answer ends inside a chunk")
        body += data[at : at + count]
        at += count + 2


def _header(head: bytes, name: str) -> str | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name.encode():
            return value.strip().decode("latin-1")
    return None


def _split(url: str) -> tuple[Target, str, str, str]:
    """Return where to connect, the Host field, the path, and "user:password" of an http URL.

    Anybody may have written it. Errors name it as it is, so it must be one that can be shown.
    """
    if len(url) > MAX_URL or not url.isprintable():
        words = shown(url.encode("utf-8", "backslashreplace"))
        raise NetError(NetCode.TARGET_MALFORMED, f"'{words}' is no URL that is asked for")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError as problem:
        raise NetError(NetCode.TARGET_MALFORMED, f"{url!r} is no URL: {problem}") from None
    if parts.scheme != "http":
        raise NetError(NetCode.TARGET_MALFORMED, f"{url!r}: only http is supported, not {parts.scheme!r}")
    if not host or any(ord(character) <= 32 for character in url):
        raise NetError(NetCode.TARGET_MALFORMED, f"{url!r} names no host")
    shown_host = f"[{host}]" if ":" in host else host
    field = shown_host if port == 80 else f"{shown_host}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Target(host, str(port)), field, path, credentials


def _proxy_for(url: str, options: FetchOptions, environment: Mapping[str, str]) -> str:
    """Return the proxy to use for a URL, empty for none."""
    proxy = options.proxy
    if proxy is None:
        proxy = environment.get("http_proxy") or environment.get("HTTP_PROXY") or ""
    exempt = options.no_proxy
    if exempt is None:
        exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    host = _split(url)[0].host.lower()
    for word in exempt.replace(",", " ").lower().split():
        if word in {"*", host, f"[{host}]"} or (word.startswith(".") and host.endswith(word)):
            return ""
    return proxy


def _too_long(url: str, options: FetchOptions) -> NetError:
    return NetError(NetCode.ANSWER_TOO_LONG, f"{url}: the answer has more than {options.size} bytes")
