"""A DNS server on loopback, over UDP and TCP, that answers as it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Reply = dns.message.Message | bytes | None
Answer = Callable[[dns.message.Message, bool], Reply]
"""(question, whether it came by TCP) → a message, bytes to send as they are, or silence."""


@contextmanager
def resolver(answer: Answer) -> Iterator[str]:
    """Serve until the block ends; give "127.0.0.1:port"."""
    udp, tcp = _same_port()
    ended = threading.Event()
    threads = [
        threading.Thread(target=_serve_udp, args=(udp, answer, ended)),
        threading.Thread(target=_serve_tcp, args=(tcp, answer, ended)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield f"127.0.0.1:{udp.getsockname()[1]}"
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        udp.close()
        tcp.close()


def respond(
    query: dns.message.Message,
    *records: dns.rrset.RRset,
    validated: bool = True,
    code: dns.rcode.Rcode = dns.rcode.NOERROR,
) -> dns.message.Message:
    """Make the response of a resolver, with the AD bit if it validated what it says."""
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(code)
    if validated:
        response.flags |= dns.flags.AD
    response.answer += list(records)
    return response


def zone(records: dict[tuple[str, str], list[str]], *, insecure: frozenset[str] = frozenset()) -> Answer:
    """Answer from a zone: (name without the last dot, type) → rows. Aliases are followed; absence is NXDOMAIN.

    What is said about a name of `insecure`, or by way of one, comes without the AD bit.
    """

    def answer(query: dns.message.Message, by_tcp: bool) -> Reply:
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = query.question[0].rdtype.name
        found, validated = [], name not in insecure
        while (name, "CNAME") in records:
            target = records[name, "CNAME"][0]
            found.append(dns.rrset.from_text(name + ".", 60, "IN", "CNAME", target))
            name = target.removesuffix(".")
            validated = validated and name not in insecure
        rows = records.get((name, kind))
        if rows:
            found.append(dns.rrset.from_text(name + ".", 60, "IN", kind, *rows))
        known = any(each == name for each, _ in records)
        return respond(
            query, *found, validated=validated, code=dns.rcode.NOERROR if known else dns.rcode.NXDOMAIN
        )

    return answer


def _same_port() -> tuple[socket.socket, socket.socket]:
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            continue
        tcp.listen()
        udp.settimeout(0.05)
        tcp.settimeout(0.05)
        return udp, tcp


def _serve_udp(server: socket.socket, answer: Answer, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            data, peer = server.recvfrom(4096)
            reply = _wire(answer(dns.message.from_wire(data), False))
            if reply is not None:
                server.sendto(reply, peer)


def _serve_tcp(server: socket.socket, answer: Answer, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError, OSError):
            connection, _ = server.accept()
            with connection:
                connection.settimeout(2.0)
                length = int.from_bytes(_exactly(connection, 2), "big")
                reply = _wire(answer(dns.message.from_wire(_exactly(connection, length)), True))
                if reply is not None:
                    connection.sendall(len(reply).to_bytes(2, "big") + reply)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise OSError("the client has gone")
        data += more
    return data


def _wire(reply: Reply) -> bytes | None:
    return reply.to_wire(max_size=65535) if isinstance(reply, dns.message.Message) else reply
