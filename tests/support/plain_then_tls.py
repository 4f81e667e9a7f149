"""A server for one client: it follows a script in plain text, then does TLS by Python's ssl, answers in capitals."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from handglass.records import dataclass, field
from net.scripts import Heard, Said, Script
from support.pki import Identity

LIMIT = 60.0
"""Seconds that the server waits for anything."""
TDS_HEADER = 8
TDS_SIZE = 512


@dataclass(slots=True)
class Met:
    """What the server has seen of its client. `port` is 0 on a Unix-domain socket."""

    port: int = 0
    peer: str = ""
    plain: list[bytes] = field(default_factory=list)
    server_name: str | None = None
    data: bytes = b""
    ended_by: str = ""
    """How the client ended: "close_notify", "cut", or the failure."""
    done: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Wait until the client has gone."""
        assert self.done.wait(LIMIT)


@contextmanager
def plain_then_tls(
    identity: Identity,
    script: Script = (),
    *,
    host: str = "127.0.0.1",
    path: Path | None = None,
    tls: bool = True,
    packets: bool = False,
    abrupt: bool = False,
) -> Iterator[Met]:
    """Serve one client.

    Without `tls` the connection is closed after the script; with `packets` the handshake travels in TDS packets;
    `abrupt`: after its answer the server closes without close_notify.
    """
    met = Met()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.chain, identity.key)

    def note_name(_object: object, name: str | None, _context: object) -> None:
        met.server_name = name

    context.sni_callback = note_name

    def serve(listener: socket.socket) -> None:
        try:
            peer, address = listener.accept()
            with peer:
                peer.settimeout(LIMIT)
                met.peer = f"{address[0]}:{address[1]}" if address else ""
                _follow(peer, script, met)
                if tls:
                    _answer(peer, context, met, packets=packets, abrupt=abrupt)
        except OSError as error:
            met.ended_by = str(error)
        finally:
            met.done.set()

    family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind(str(path) if path else (host, 0))
        listener.listen()
        listener.settimeout(LIMIT)
        met.port = 0 if path else listener.getsockname()[1]
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield met
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _follow(peer: socket.socket, script: Script, met: Met) -> None:
    for line in script:
        match line:
            case Said(data):
                peer.sendall(data)
            case Heard(data):
                met.plain.append(_exactly(peer, len(data)))


def _exactly(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := peer.recv(count - len(data))):
        data += more
    return data


def _answer(peer: socket.socket, context: ssl.SSLContext, met: Met, *, packets: bool, abrupt: bool) -> None:
    """Do the handshake over memory, so that its records may travel in packets; answer what comes in capitals."""
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(came, goes, server_side=True)
    in_packets = packets

    def flush() -> None:
        if data := goes.read():
            peer.sendall(_in_packets(data) if in_packets else data)

    def patiently(step: Callable[[], bytes | None]) -> bytes | None:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                flush()
                data = _packet(peer) if in_packets else peer.recv(65536)
                if data:
                    came.write(data)
                else:
                    came.write_eof()

    try:
        patiently(tls.do_handshake)
        in_packets = False
        flush()
        while data := patiently(lambda: tls.read(65536)):
            met.data += data
            tls.write(data.upper())
            flush()
            if abrupt:
                return
        met.ended_by = "close_notify"
    except ssl.SSLZeroReturnError:
        met.ended_by = "close_notify"
    except ssl.SSLEOFError:
        met.ended_by = "cut"
    except ssl.SSLError as error:
        met.ended_by = str(error)


def _packet(peer: socket.socket) -> bytes:
    header = _exactly(peer, TDS_HEADER)
    assert not header or header[0] == 0x12, f"no PRELOGIN packet: {header.hex()}"
    return _exactly(peer, int.from_bytes(header[2:4]) - TDS_HEADER) if header else b""


def _in_packets(data: bytes) -> bytes:
    """Small packets, so that records are cut."""
    parts = [data[at : at + TDS_SIZE] for at in range(0, len(data), TDS_SIZE)]
    return b"".join(
        bytes((0x12, at == len(parts) - 1)) + (len(part) + TDS_HEADER).to_bytes(2) + bytes(4) + part
        for at, part in enumerate(parts)
    )
