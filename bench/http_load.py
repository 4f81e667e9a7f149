"""A load of HTTPS requests: `python -m bench.http_load new|kept PORT PATH CONNECTIONS REQUESTS`.

Python's own TLS client, so that nothing has to be installed. All connections have a request under way at a time:
each round sends one on every connection, then reads the answers. `kept` uses the connections again and again, `new`
makes others for each round. What it prints is the count of answers and the seconds; anything else is a failure.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import sys
import time

HOST = "127.0.0.1"
LIMIT = 60.0
"""Seconds in which any answer has to come."""


def trusting_context() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(context: ssl.SSLContext, port: int, count: int) -> list[ssl.SSLSocket]:
    """So many connections whose handshakes are under way at the same time."""
    made = []
    for _ in range(count):
        raw = socket.create_connection((HOST, port), LIMIT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=False)
        client.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        client.settimeout(LIMIT)
        made.append(client)
    for client in made:
        client.do_handshake()
    return made


def round_of(clients: list[ssl.SSLSocket], request: bytes) -> None:
    """One request and its answer on each connection."""
    for client in clients:
        client.send(request)
    for client in clients:
        read_answer(client)


def read_answer(client: ssl.SSLSocket) -> bytes:
    """Read a whole answer. Raises RuntimeError unless it is a good one."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(client)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: (\d+)", head)
    if length is None or not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not the answer that was wanted: {head[:200]!r}")
    while len(body) < int(length[1]):
        body += _more(client)
    return body


def _more(client: ssl.SSLSocket) -> bytes:
    piece = client.recv(1 << 16)
    if not piece:
        raise RuntimeError("the server has closed a connection before its answer")
    return piece


def main() -> None:
    """Run, and say how long it took."""
    mode, port, path, connections, requests = sys.argv[1:]
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    context, width, left = trusting_context(), int(connections), int(requests)
    start = time.perf_counter()
    kept = connect(context, int(port), width) if mode == "kept" else []
    while left > 0:
        count = min(width, left)
        clients = kept[:count] if kept else connect(context, int(port), count)
        round_of(clients, request)
        left -= count
        if not kept:
            for client in clients:
                client.close()
    print(f"{requests} answers in {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
