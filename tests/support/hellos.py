"""What the installed openssl puts into its ClientHello for given options."""

from __future__ import annotations

import socket
import struct
import subprocess

SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS, KEY_SHARE = 10, 13, 16, 43, 51


def client_hello(*options: str) -> dict[int, bytes] | None:
    """Return the ClientHello's extensions by number; None if openssl does not send any."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            listener.settimeout(0.05)
            while True:
                try:
                    connection, _ = listener.accept()
                    break
                except TimeoutError:
                    if client.poll() is not None:
                        return None
            with connection:
                connection.settimeout(60)
                return _read_hello(connection)
        finally:
            client.kill()
            client.wait()


def _read_hello(connection: socket.socket) -> dict[int, bytes] | None:
    header = connection.recv(5, socket.MSG_WAITALL)
    if len(header) < 5 or header[0] != 22:
        return None
    body = connection.recv(struct.unpack(">H", header[3:])[0], socket.MSG_WAITALL)[4:]
    at = 34
    at += 1 + body[at]
    at += 2 + struct.unpack_from(">H", body, at)[0]
    at += 1 + body[at] + 2
    extensions = {}
    while at < len(body):
        kind, length = struct.unpack_from(">HH", body, at)
        extensions[kind] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return extensions


def numbers(vector: bytes) -> list[int]:
    """Return the 16-bit numbers of a vector whose length takes two bytes."""
    return [number for (number,) in struct.iter_unpack(">H", vector[2:])]
