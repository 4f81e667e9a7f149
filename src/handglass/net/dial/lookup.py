"""From a target to addresses, within a time limit.

An IP address needs no resolver and no thread. For a name the system's resolver, which knows no time limit,
runs in a thread of its own: if it is late, we go on without it.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from handglass.net.dial.names import ascii_name
from handglass.net.dial.targets import Target, bracketed, literal_family, port_number
from handglass.net.errors import NetCode, NetError
from handglass.records import Frozen

LOOKUP_SECONDS = 15.0
ADDRESSES_LIMIT = 64


class Address(Frozen):
    """One address to try: the family, and the tuple that `socket.connect` takes."""

    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{bracketed(str(self.sockaddr[0]))}:{self.sockaddr[1]}"


def look_up(
    target: Target,
    family: int = socket.AF_UNSPEC,
    kind: int = socket.SOCK_STREAM,
    seconds: float | None = LOOKUP_SECONDS,
    *,
    passive: bool = False,
) -> list[Address]:
    """All addresses of `target`, in the system's order of preference (RFC 6724), at least one.

    Raises `NetError`: LOOKUP_FAILED (`reason` has the resolver's words), LOOKUP_TIMEOUT, NAME_MALFORMED.
    """
    port = port_number(target.port, "udp" if kind == socket.SOCK_DGRAM else "tcp")
    literal = literal_family(target.host)
    if literal is not None and family not in (socket.AF_UNSPEC, literal):
        reason = "Address family for hostname not supported"
        version = "6" if literal == socket.AF_INET6 else "4"
        raise NetError(
            NetCode.LOOKUP_FAILED, f"{target.host} is an IPv{version} address: {reason}", 0, reason
        )
    if literal == socket.AF_INET:
        return [Address(socket.AF_INET, (socket.inet_ntoa(socket.inet_aton(target.host)), port))]
    if literal == socket.AF_INET6 and "%" not in target.host:
        return [Address(socket.AF_INET6, (target.host, port, 0, 0))]
    host = target.host if literal is not None else ascii_name(target.host)
    flags = (socket.AI_PASSIVE if passive else 0) | (socket.AI_NUMERICHOST if literal is not None else 0)
    return _ask(target.host, (host.encode("ascii"), port, family, kind, 0, flags), seconds)


def _ask(name: str, question: tuple[bytes, int, int, int, int, int], seconds: float | None) -> list[Address]:
    import threading  # noqa: PLC0415 - an IP address needs none

    answers: list[Any] = []
    failures: list[OSError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            answers.extend(socket.getaddrinfo(*question))
        except OSError as error:
            failures.append(error)
        except UnicodeError as error:
            failures.append(socket.gaierror(socket.EAI_NONAME, str(error)))
        finally:
            done.set()

    began = time.monotonic()
    threading.Thread(target=ask, name=f"look up {name}", daemon=True).start()
    if not done.wait(seconds):
        spent = f"{time.monotonic() - began:.1f} seconds"
        raise NetError(NetCode.LOOKUP_TIMEOUT, f"no answer about the name {name} within {spent}")
    if failures:
        raise _failed(name, question[2], failures[0])
    unique = dict.fromkeys(
        Address(socket.AddressFamily(family), sockaddr)
        for family, _kind, _protocol, _name, sockaddr in answers
    )
    return list(unique)[:ADDRESSES_LIMIT]


def _failed(name: str, family: int, error: OSError) -> NetError:
    reason = error.strerror or str(error)
    system = error.errno if isinstance(error, socket.gaierror) and error.errno == socket.EAI_SYSTEM else 0
    if family == socket.AF_UNSPEC:
        found = f"the name {name} was not found"
    else:
        found = f"no IPv{4 if family == socket.AF_INET else 6} address of {name} was found"
    return NetError(NetCode.LOOKUP_FAILED, f"{found}: {reason}", system or 0, reason)
