"""A web server on loopback that answers exactly as a test says: whole answers, halves, silence."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class WebServer:
    """What the server has seen, and where it is. A request is its head and body as they came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []

    def url(self, path: str = "/") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """Return the request targets, in order."""
        return [request.split(b" ", 2)[1].decode() for request in self.requests]


@contextmanager
def web_server(answer: Callable[[bytes], bytes | None]) -> Iterator[WebServer]:
    """Serve on loopback; `answer` gets a request and returns all that is sent back, None for silence."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    server = WebServer(listener.getsockname()[1])
    ended = threading.Event()

    def serve_one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(60)
            request = _request(connection)
            server.requests.append(request)
            response = answer(request)
            if response is None:
                while not ended.is_set():
                    time.sleep(0.01)
            else:
                connection.sendall(response)

    def serve() -> None:
        workers = []
        while not ended.is_set():
            with suppress(TimeoutError):
                worker = threading.Thread(target=serve_one, args=(listener.accept()[0],))
                worker.start()
                workers.append(worker)
        for worker in workers:
            worker.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        thread.join()
        listener.close()


def ok(body: bytes, *headers: str) -> bytes:
    """Return a whole answer with status 200."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
