"""The traces of RFC 8448, byte for byte: each side of the engine against the document, and both against each other."""

from __future__ import annotations

import pytest

from handglass.connection import ClientConnection, Connection
from handglass.handshake.events import (
    CertificateRequested,
    Closed,
    DataReceived,
    EarlyDataEnded,
    Event,
    HandshakeCompleted,
    PeerCertificateReceived,
    SessionReceived,
)
from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.keys import schedule
from handglass.keys.labels import SecretLabel
from handglass.registry.code_points import (
    AlertDescription,
    AlertLevel,
    CipherSuite,
    NamedGroup,
    ProtocolVersion,
)
from handglass.registry.errors import PeerError
from handglass.registry.reasons import BAD_RECORD_MAC
from support.engines import Cut, single_bytes, whole
from support.rfc8448 import TRACES, trace
from support.traces import AGE, act, certificate_of, end, play, resumed_session, ticket_of

every_trace = pytest.mark.parametrize("section", TRACES)
both_sides = pytest.mark.parametrize("role", ["client", "server"])


class Watcher(Observer):
    """Writes down secrets, messages and alerts."""

    def __init__(self) -> None:
        self.secrets: dict[SecretLabel, bytes] = {}
        self.messages: list[tuple[Direction, bytes]] = []
        self.alerts: list[tuple[Direction, AlertLevel, AlertDescription]] = []
        self.randoms: set[bytes] = set()

    def secret(self, label: SecretLabel, client_random: bytes, secret: bytes) -> None:
        assert label not in self.secrets
        self.secrets[label] = secret
        self.randoms.add(client_random)

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        self.messages.append((direction, raw))

    def alert(self, direction: Direction, level: AlertLevel, description: AlertDescription) -> None:
        self.alerts.append((direction, level, description))


@every_trace
@both_sides
@pytest.mark.parametrize("cut", [whole, single_bytes])
def test_every_record(section: int, role: str, cut: Cut) -> None:
    play(section, role, cut=cut)


@every_trace
@both_sides
def test_every_secret(section: int, role: str) -> None:
    t, watcher = trace(section), Watcher()
    one, _ = play(section, role, observer=watcher)
    logged = [label for label in SecretLabel if t.secret(label.derivation) is not None and label.key_log]
    assert len(logged) == (7 if section == 4 else 5)
    assert watcher.secrets == {label: t.secret(label.derivation) for label in logged}
    assert watcher.randoms == {t.message("client", "ClientHello")[6:38]}
    assert one.connection._me.resumption_secret == t.secret(b"res master")
    exporter = t.secret(b"exp master")
    assert exporter is not None
    exported = one.connection.export_keying_material(b"EXPORTER-test", b"context", 40)
    assert exported == schedule.exporter("sha256", exporter, b"EXPORTER-test", b"context", 40)


@every_trace
@both_sides
def test_every_message_and_alert(section: int, role: str) -> None:
    watcher = Watcher()
    play(section, role, observer=watcher)

    def direction(who: str) -> Direction:
        return Direction.WRITE if who == role else Direction.READ

    for who in ("client", "server"):
        seen = [raw for way, raw in watcher.messages if way is direction(who)]
        assert seen == [raw for sender, raw in trace(section).messages() if sender == who]
    closing = (AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
    assert watcher.alerts == [(direction("client"), *closing), (direction("server"), *closing)]


@every_trace
def test_events_of_the_client(section: int) -> None:
    one, events = play(section, "client")
    assert isinstance(one.connection, ClientConnection)
    expected: list[type[Event]] = [HandshakeCompleted]
    if section != 4:
        expected.insert(0, PeerCertificateReceived)
        assert PeerCertificateReceived((certificate_of(trace(section), "server"),)) in events
    if section == 6:
        expected.insert(0, CertificateRequested)
    if section == 3:
        expected.append(SessionReceived)
    if section in {3, 4}:
        expected.append(DataReceived)
        assert DataReceived(bytes(range(50))) in events
    assert [type(event) for event in events] == [*expected, Closed]
    assert events[-1] == Closed(clean=True)
    facts = one.connection.negotiated
    assert facts.early_data == ("accepted" if section == 4 else "not sent")
    assert facts.record_size_limit == 0x4001
    check_agreement(section, one.connection)


@every_trace
def test_events_of_the_server(section: int) -> None:
    one, events = play(section, "server")
    expected: list[Event] = [HandshakeCompleted(one.connection.negotiated)]
    if section == 4:
        expected = [DataReceived(b"ABCDEF", early=True), EarlyDataEnded(), *expected]
    if section == 6:
        expected.insert(0, PeerCertificateReceived((certificate_of(trace(6), "client"),)))
    if section in {3, 4}:
        expected.append(DataReceived(bytes(range(50))))
    assert events == [*expected, Closed(clean=True)]
    check_agreement(section, one.connection)


def check_agreement(section: int, connection: Connection) -> None:
    facts = connection.negotiated
    assert facts.version == ProtocolVersion.TLS1_3
    assert facts.suite == CipherSuite.TLS_AES_128_GCM_SHA256
    assert facts.group == (NamedGroup.SECP256R1 if section == 5 else NamedGroup.X25519)
    assert facts.server_name == "server"
    assert facts.resumed == (section == 4)
    assert facts.hello_retried == (section == 5)


def test_session_of_the_ticket() -> None:
    session = resumed_session()
    age_add, ticket = ticket_of(trace(3))
    assert session.ticket == ticket
    assert session.age_add == int.from_bytes(age_add, "big")
    assert (session.lifetime, session.max_early_data) == (30, 1024)
    assert session.secret == trace(3).value("server", "generate resumption secret", "expanded")
    obfuscated = int.from_bytes(trace(4).message("client", "ClientHello")[-39:-35], "big")
    assert obfuscated - session.age_add == AGE * 1000


@every_trace
def test_both_sides_together(section: int) -> None:
    """The engine against itself, each record when the document has it: neither side gets a byte of the document."""
    ends = {role: end(section, role) for role in ("client", "server")}
    lines = {role: bytearray() for role in ends}
    for one in ends.values():
        one.start()
    for step in trace(section).sent():
        own, line, length = ends[step.role].connection, lines[step.role], len(step.values["complete record"])
        act(own, step)
        line += own.data_to_send()
        assert line[:length].hex() == step.values["complete record"].hex()
        ends["server" if step.role == "client" else "client"].connection.receive(line[:length])
        del line[:length]
    for role, one in ends.items():
        assert not lines[role]
        assert not one.connection.has_data_to_send
        assert one.connection.error is None
        assert not one.script.left


@every_trace
@both_sides
def test_a_changed_bit_is_noticed(section: int, role: str) -> None:
    """The other side's first protected record with one bit changed ends the connection with bad_record_mac."""
    one = end(section, role)
    one.start()
    for step in trace(section).sent():
        record = bytearray(step.values["complete record"])
        if step.role == role:
            act(one.connection, step)
            continue
        protected = record[0] == 23
        if protected:
            record[-20] ^= 1
        one.connection.receive(record)
        if protected:
            break
    assert isinstance(one.connection.error, PeerError)
    assert one.connection.error.reason is BAD_RECORD_MAC
