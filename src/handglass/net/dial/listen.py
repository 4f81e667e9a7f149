"""Listening sockets: all that are asked for, or none.

Without a host one IPv6 socket serves both families (RFC 3493 §3.7, §5.3); where there is no IPv6, an IPv4
socket. A name is listened to at all of its addresses, on the same port. A port or a path in use is an error
that touches nothing: another program's socket file stays; ours goes when we close.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress

from handglass.net.dial.lookup import Address, look_up
from handglass.net.dial.targets import ListenTarget, Target, UnixTarget, port_number
from handglass.net.errors import NetCode, NetError
from handglass.records import Frozen

BACKLOG = 4096
FAST_OPEN_QUEUE = 1024
SAME_PORT_TRIES = 16


class ListenOptions(Frozen):
    """How to listen. `reuse_port`.

    Several processes share the port; `unlink`: remove an old socket file first.
    """

    family: int = socket.AF_UNSPEC
    kind: int = socket.SOCK_STREAM
    unlink: bool = False
    reuse_port: bool = False
    fast_open: bool = False
    backlog: int = BACKLOG


class Listener:
    """A listening, non-blocking socket; `name` is its address as s_server's ACCEPT line shows it.

    `port` is 0 for a Unix-domain socket; `path` is None for an internet address.
    """

    def __init__(
        self,
        sock: socket.socket,
        name: str,
        port: int,
        path: str | None = None,
        inode: tuple[int, int] | None = None,
    ) -> None:
        self.socket = sock
        self.name = name
        self.port = port
        self.path = path
        self._inode = inode

    def close(self) -> None:
        """Close the socket; remove its file if it is still ours."""
        self.socket.close()
        if self.path is not None and self._inode is not None and _inode(self.path) == self._inode:
            with suppress(OSError):
                os.unlink(self.path)  # noqa: PTH108 - pathlib is slow to load
            self._inode = None


def open_listeners(
    targets: Sequence[ListenTarget | UnixTarget],
    options: ListenOptions | None = None,
) -> list[Listener]:
    """Listen at all `targets`.

    Raises `NetError`: LISTEN_FAILED with the errno, LOOKUP_FAILED, NAME_MALFORMED; then nothing is left open.
    """
    options = options or ListenOptions()
    listeners: list[Listener] = []
    try:
        for target in targets:
            if isinstance(target, UnixTarget):
                listeners.append(_listen_unix(target, options))
            else:
                listeners += _listen_internet(target, options)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _listen_internet(target: ListenTarget, options: ListenOptions) -> list[Listener]:
    port = port_number(target.port, "udp" if options.kind == socket.SOCK_DGRAM else "tcp")
    if target.host is None:
        return [_listen_anywhere(port, options)]
    addresses = look_up(Target(target.host, str(port)), options.family, options.kind, passive=True)
    tries = SAME_PORT_TRIES if port == 0 and len(addresses) > 1 else 1
    while True:
        tries -= 1
        try:
            return _listen_at_all(addresses, options)
        except NetError as error:  # the number chosen for the first address may be taken at the next one
            if error.errno != errno.EADDRINUSE or tries == 0:
                raise


def _listen_at_all(addresses: list[Address], options: ListenOptions) -> list[Listener]:
    listeners: list[Listener] = []
    try:
        for address in addresses:
            port = listeners[0].port if listeners else address.sockaddr[1]
            sockaddr = (address.sockaddr[0], port, *address.sockaddr[2:])
            listeners.append(_listen(Address(address.family, sockaddr), options, only_ipv6=True))
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _listen_anywhere(port: int, options: ListenOptions) -> Listener:
    ipv4 = Address(socket.AF_INET, ("0.0.0.0", port))
    if options.family == socket.AF_INET:
        return _listen(ipv4, options, only_ipv6=False)
    ipv6 = Address(socket.AF_INET6, ("::", port, 0, 0))
    try:
        return _listen(ipv6, options, only_ipv6=options.family == socket.AF_INET6)
    except NetError as error:
        if options.family == socket.AF_INET6 or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
    return _listen(ipv4, options, only_ipv6=False)


def _listen(address: Address, options: ListenOptions, *, only_ipv6: bool) -> Listener:
    try:
        sock = socket.socket(address.family, options.kind)
    except OSError as error:
        raise _failed(str(address), error) from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if address.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only_ipv6))
        sock.bind(address.sockaddr)
        if options.kind == socket.SOCK_STREAM:
            if options.fast_open:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, FAST_OPEN_QUEUE)
            sock.listen(options.backlog)
        sock.setblocking(False)
        bound = Address(address.family, sock.getsockname())
    except OSError as error:
        sock.close()
        raise _failed(str(address), error) from None
    return Listener(sock, str(bound), bound.sockaddr[1])


def _listen_unix(target: UnixTarget, options: ListenOptions) -> Listener:
    if options.unlink:
        _remove_socket(target.path)
    sock = socket.socket(socket.AF_UNIX, options.kind)
    try:
        sock.bind(target.path)
        inode = _inode(target.path)
        if options.kind == socket.SOCK_STREAM:
            sock.listen(options.backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _failed(target.path, error) from None
    return Listener(sock, f"localhost:{target.path}", 0, target.path, inode)


def _remove_socket(path: str) -> None:
    """Remove an old socket file; what is no socket stays, and is an error."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            sentence = f"{path} exists and is no socket: it is left alone"
            raise NetError(NetCode.LISTEN_FAILED, sentence, errno.EEXIST, os.strerror(errno.EEXIST))
        os.unlink(path)  # noqa: PTH108 - pathlib is slow to load
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failed(path, error) from None


def _inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _failed(where: str, error: OSError) -> NetError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return NetError(NetCode.LISTEN_FAILED, f"cannot listen at {where}: {reason}", error.errno or 0, reason)
