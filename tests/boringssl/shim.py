"""The program that BoringSSL's runner starts: connect to the runner, be a client or a server, answer what is sent.

Every byte of data goes back with its bits turned round, until the runner closes. The exit status is 0, 1 with the
reason on standard error, 89 for what we do not have, 90 if something is not as the flags expect it.

    python -m boringssl.shim -port 12345 [-server] …
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from boringssl.configs import client_config, data, names, server_config
from boringssl.flags import Flags, NotHereError, parse
from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.crypto.containers import load_certificates
from handglass.handshake.events import (
    Closed,
    DataReceived,
    Event,
    Failed,
    HandshakeCompleted,
    SessionReceived,
)
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.handshake.state import Negotiated
from handglass.registry.code_points import ProtocolVersion
from handglass.registry.errors import AlertReceived, LocalError, PeerError, TLSError

NOT_HERE, NOT_AS_EXPECTED = 89, 90
TURNED = bytes(byte ^ 0xFF for byte in range(256))
SIZES = (0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769)


class ExpectationError(Exception):
    """Something is not as the flags say that it must be."""


class Clock:
    """The time, which `-resumption-delay` moves."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Exchange:
    """One connection."""

    def __init__(self, flags: Flags, connection: Connection, *, resumes: bool) -> None:
        self.session: Session | None = None
        self._flags = flags
        self._connection = connection
        self._resumes = resumes
        self._handshakes = 0
        self._closed: Closed | None = None
        self._early_sent = False
        self._socket = _connect(flags.number("port"))

    def run(self) -> None:
        """Talk until the runner closes, or we do. Raises TLSError and ExpectationError."""
        connection, flags = self._connection, self._flags
        if isinstance(connection, ClientConnection):
            events = connection.start()
            if "shim-writes-first" in flags and connection.early_data_limit:
                connection.send_early_data(b"hello")
                self._early_sent = True
            self._take(events)
        while self._closed is None and not (self._handshakes and "shim-shuts-down" in flags):
            self._read()
        connection.close()
        self._send()
        while self._closed is None and "check-close-notify" in flags:
            self._read()
        if self._closed is not None and not self._closed.clean and "check-close-notify" in flags:
            raise ExpectationError("the connection was cut")
        self.close()
        self._check_end()

    def close(self) -> None:
        """Close the socket; once more does no harm."""
        self._socket.close()

    def _read(self) -> None:
        try:
            received = self._socket.recv(1 << 16)
        except ConnectionResetError:
            received = b""
        if "async" in self._flags and received:
            for byte in received:
                self._take(self._connection.receive(bytes((byte,))))
        else:
            self._take(self._connection.receive(received))

    def _send(self) -> None:
        try:
            self._socket.sendall(self._connection.data_to_send())
        except OSError:
            return  # what the runner has said is still to be read

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, HandshakeCompleted):
                self._handshakes += 1
                if self._handshakes == 1:
                    self._begin(event.negotiated)
            elif isinstance(event, SessionReceived):
                self.session = event.session
            elif isinstance(event, Closed):
                self._closed = event
            elif isinstance(event, Failed):
                self._send()
                raise event.error
            elif isinstance(event, DataReceived) and not event.early:
                self._answer(event.data)
        self._send()

    def _answer(self, received: bytes) -> None:
        if "shim-shuts-down" in self._flags or not self._connection.is_established:
            return
        if "key-update" in self._flags:
            self._connection.update_keys(request_peer=False)
        self._connection.send(received.translate(TURNED))

    def _begin(self, facts: Negotiated) -> None:
        """The handshake is done: look at what was agreed on, and say what is to be said first."""
        flags, connection = self._flags, self._connection
        check(flags, facts, resumes=self._resumes)
        if "export-keying-material" in flags:
            context = flags.text("export-context").encode("latin1") if "use-export-context" in flags else None
            label = flags.text("export-label").encode("latin1")
            connection.send(
                connection.export_keying_material(label, context, flags.number("export-keying-material"))
            )
        if "write-different-record-sizes" in flags:
            for size in SIZES:
                connection.send(b"\x42" * size)
        elif "shim-writes-first" in flags and not (self._early_sent and facts.early_data == "accepted"):
            connection.send(b"hello")

    def _check_end(self) -> None:
        flags, facts = self._flags, self._connection.negotiated
        expect(self._handshakes > 0, "the handshake was not done")
        again = self._handshakes - 1
        expect(again == flags.number("expect-total-renegotiations"), f"{again} renegotiations")
        if not facts.is_client or facts.version != ProtocolVersion.TLS1_3:
            return
        found = self.session is not None
        if "shim-shuts-down" not in flags:
            expect(found == ("expect-no-session" not in flags), f"a session: {found}")
        if self.session is not None:
            early = "expect-ticket-supports-early-data" in flags
            expect(early == (self.session.max_early_data > 0), "early data in the ticket")


def expect(condition: bool, what: str) -> None:
    """Raise ExpectationError if the condition does not hold."""
    if not condition:
        raise ExpectationError(what)


def check(flags: Flags, facts: Negotiated, *, resumes: bool) -> None:
    """Compare what was agreed on with what the flags expect. Raises ExpectationError."""
    found: dict[str, object] = {
        "expect-version": facts.version,
        "expect-peer-signature-algorithm": facts.peer_signature_scheme,
        "expect-curve-id": facts.group,
        "expect-cipher": facts.suite,
    }
    for name, value in found.items():
        expect(name not in flags or value == flags.number(name), f"{name}: {value!r}")
    tls13 = facts.version == ProtocolVersion.TLS1_3
    switches = {
        "expect-hrr": facts.hello_retried,
        "expect-no-hrr": not facts.hello_retried,
        "expect-extended-master-secret": facts.extended_master_secret or tls13,
        "expect-secure-renegotiation": facts.secure_renegotiation or tls13,
        "expect-no-secure-renegotiation": not facts.secure_renegotiation and not tls13,
        "expect-accept-early-data": facts.early_data == "accepted",
        "expect-reject-early-data": facts.early_data != "accepted",
        "expect-no-offer-early-data": facts.early_data == "not sent",
    }
    for name, holds in switches.items():
        expect(name not in flags or holds, name)
    expect(facts.resumed == (resumes and "expect-session-miss" not in flags), f"resumed: {facts.resumed}")
    if facts.is_client or "require-any-client-certificate" in flags:
        expect(bool(facts.peer_certificates), "no certificate")
    _check_texts(flags, facts)


def _check_texts(flags: Flags, facts: Negotiated) -> None:
    if "expect-server-name" in flags:
        hello = facts.client_hello
        expect(hello is not None and hello.server_name == flags.text("expect-server-name"), "the server name")
    if "expect-alpn" in flags:
        expect((facts.alpn or b"") == flags.text("expect-alpn").encode(), f"ALPN {facts.alpn!r}")
    if "expect-peer-cert-file" in flags:
        wanted = load_certificates(Path(flags.text("expect-peer-cert-file")).read_bytes())
        expect(list(facts.peer_certificates) == wanted, "the certificates")
    request = facts.certificate_request
    if "expect-client-ca-list" in flags:
        wanted_names = names(flags.text("expect-client-ca-list"))
        expect(request is not None and request.authorities == wanted_names, "the authorities")
    if "expect-certificate-types" in flags:
        types = data(flags, "expect-certificate-types")
        expect(request is not None and bytes(request.certificate_types) == types, "the certificate types")
    if facts.resumed:
        return
    if "expect-ocsp-response" in flags and facts.is_client:
        response = next(iter(facts.peer_ocsp_responses), None)
        expect(response == data(flags, "expect-ocsp-response"), "the stapled response")
    if "expect-signed-cert-timestamps" in flags:
        expect(facts.peer_scts == data(flags, "expect-signed-cert-timestamps"), "the timestamps")


def run(argv: list[str]) -> None:
    """All connections. Raises NotHereError, ExpectationError and TLSError."""
    first, later = parse(argv)
    clock = Clock()
    sessions = MemorySessions(clock)
    session = None
    for number in range(1 + first.number("resume-count")):
        flags = later if number else first
        clock.ahead += flags.number("resumption-delay") if number else 0
        connection: Connection
        if "server" in flags:
            connection = ServerConnection(server_config(flags, sessions), clock=clock)
        else:
            connection = ClientConnection(client_config(flags, session), clock=clock)
        exchange = Exchange(flags, connection, resumes=number > 0)
        try:
            exchange.run()
        finally:
            exchange.close()
        session = exchange.session or session


def _connect(port: int) -> socket.socket:
    """The runner listens at the loopback address of one family or the other."""
    try:
        found = socket.create_connection(("::1", port))
    except OSError:
        found = socket.create_connection(("127.0.0.1", port))
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def main(argv: list[str]) -> int:
    """Run, and tell what came of it."""
    if "-is-handshaker-supported" in argv:
        sys.stdout.write("No\n")
        return 0
    try:
        run(argv)
    except NotHereError as error:
        sys.stderr.write(f"not here: {error}\n")
        return NOT_HERE
    except ExpectationError as error:
        sys.stderr.write(f"not as expected: {error}\n")
        return NOT_AS_EXPECTED
    except TLSError as error:
        name = error.reason.name if isinstance(error, PeerError | LocalError) else AlertReceived.__name__
        sys.stderr.write(f":{name}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
