"""Full handshakes one after the other with our client: `python -m bench.client_load PORT SECONDS GROUP`.

Like `openssl s_time -new`: certificates are not judged, nothing is sent, the connection is closed at once.
"""

from __future__ import annotations

import socket
import sys
import time

from handglass.connection import ClientConnection
from handglass.handshake.config import ClientConfig
from handglass.handshake.events import Failed
from handglass.registry.groups import by_name


def handshake(port: int, config: ClientConfig) -> socket.socket:
    """Make one connection and return the socket once the handshake is done."""
    connection = ClientConnection(config, clock=time.time)
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.start()
    sock.sendall(connection.data_to_send())
    while not connection.is_established:
        for event in connection.receive(sock.recv(1 << 16)):
            if isinstance(event, Failed):
                raise event.error
        if data := connection.data_to_send():
            sock.sendall(data)
    return sock


def client_config(group_name: str) -> ClientConfig:
    """Offer one group, and what a client offers by default otherwise."""
    facts = by_name(group_name)
    if facts is None:
        raise SystemExit(f"no group {group_name}")
    return ClientConfig(groups=(facts.group,), server_name="localhost")


def main() -> None:
    """Run for the given time and say how many connections there were."""
    port, seconds, group = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    config = client_config(group)
    handshake(port, config).close()  # what is compiled or loaded on first use
    count = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        handshake(port, config).close()
        count += 1
    print(f"{count} connections in {elapsed:.3f} s")


if __name__ == "__main__":
    main()
