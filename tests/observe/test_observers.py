"""What observers write while a connection is made: the engines are real, the two ends are in memory."""

from __future__ import annotations

import inspect
import io
import re
from typing import Any

import pytest

from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.keys.labels import SecretLabel
from handglass.messages.handshake import ClientHello
from handglass.observe.extensions import ExtensionDump
from handglass.observe.hexdump import dump, plain
from handglass.observe.keylog import KeyLog
from handglass.observe.messages import MessageDump
from handglass.observe.several import Several, combined
from handglass.observe.states import StatePrinter
from handglass.observe.wire import WireDump
from handglass.records import replace
from handglass.registry.code_points import (
    AlertDescription,
    AlertLevel,
    ContentType,
    ExtensionType,
    HandshakeType,
    ProtocolVersion,
)
from support.engines import Pair, connect, identity, pair, single_bytes, whole
from support.peers import needs, program
from support.processes import run

TLS12 = ClientConfig(versions=(ProtocolVersion.TLS1_2,))
TLS13 = ClientConfig(versions=(ProtocolVersion.TLS1_3,))
READ, WRITE = Direction.READ, Direction.WRITE


# Hexadecimal.


@needs("openssl")
@pytest.mark.parametrize("length", [3, 6, 7, 8, 9, 15, 16, 17, 40])
def test_dumps_are_those_of_openssl(length: int) -> None:
    data = bytes(range(250, 256)) + b"AZ ~\x7f\x1f" + bytes(range(30))
    data = data[: length - 1] + b"\0"  # with a NUL asn1parse shows it in hexadecimal
    der = bytes((4, length)) + data
    said = run([program("openssl"), "asn1parse", "-inform", "DER", "-dump"], data=der).check().stdout.decode()
    theirs = said.partition("OCTET STRING")[2].partition("\n")[2]
    assert [line.rstrip() for line in dump(data, " " * 6).splitlines()] == [
        line.rstrip() for line in theirs.splitlines()
    ]


def test_nothing_is_no_line() -> None:
    assert dump(b"") == plain(b"") == ""
    assert plain(bytes(17), "  ") == "  " + "00 " * 15 + "00\n  00\n"


# Secrets.


@pytest.mark.parametrize(
    ("config", "labels"),
    [
        (
            TLS13,
            {
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0",
                "SERVER_TRAFFIC_SECRET_0",
                "EXPORTER_SECRET",
            },
        ),
        (TLS12, {"CLIENT_RANDOM"}),
    ],
)
def test_both_ends_log_the_same_secrets(config: ClientConfig, labels: set[str]) -> None:
    ours, theirs = io.StringIO(), io.StringIO()
    made = connect(config, observers=(KeyLog(ours), KeyLog(theirs)))
    lines = ours.getvalue().splitlines()
    assert set(lines) == set(theirs.getvalue().splitlines())
    assert {line.split()[0] for line in lines} == labels
    random = made.client.negotiated.client_random.hex()
    assert all(re.fullmatch(rf"[A-Z_0-9]+ {random} ([0-9a-f]{{64}}|[0-9a-f]{{96}})", line) for line in lines)


def test_a_secret_without_a_label_is_not_logged() -> None:
    out = io.StringIO()
    log = KeyLog(out)
    for label in SecretLabel:
        log.secret(label, bytes(32), bytes(48))
    named = [label.key_log for label in SecretLabel if label.key_log is not None]
    assert [line.split()[0] for line in out.getvalue().splitlines()] == named
    assert len(named) < len(SecretLabel)


# Messages, bytes, extensions.


def messages(text: str) -> list[tuple[str, str]]:
    """The titles of a dump, without lengths."""
    return re.findall(r"^([<>]{3} .*?) \[length [0-9a-f]{4}\](.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("cut", [whole, single_bytes])
def test_every_message_is_shown_in_the_order_of_the_wire(cut: Any) -> None:
    out, told = io.StringIO(), Told()
    both = combined([MessageDump(out, ProtocolVersion.TLS1_3), told])
    pair(TLS13, observers=(both, None), cut=cut).start().check()
    titles = [words.removeprefix(", ") for title, words in messages(out.getvalue()) if "Handshake" in title]
    assert titles == [
        "ClientHello",
        "ServerHello",
        "EncryptedExtensions",
        "Certificate",
        "CertificateVerify",
        "Finished",
        "Finished",
    ]
    shown = "".join(line.strip().replace(" ", "") for line in out.getvalue().splitlines() if line[0] == " ")
    for raw in told.handshake:
        assert raw.hex() in shown
    assert out.getvalue().startswith(">>> TLS 1.0, RecordHeader [length 0005]\n    16 03 01")


def test_what_has_no_name_is_shown_by_number() -> None:
    out = io.StringIO()
    watcher = MessageDump(out, ProtocolVersion.TLS1_2)
    watcher.handshake_message(READ, b"\x63\0\0\0")
    watcher.version(0x0399)
    watcher.alert(READ, AlertLevel(7), AlertDescription(200))
    assert "<<< TLS 1.2, Handshake [length 0004], ??? (99)\n    63 00 00 00\n" in out.getvalue()
    assert "<<< 0x0399, Alert [length 0002], unknown_" in out.getvalue()


def test_the_wire_is_shown_to_the_last_byte() -> None:
    ours, theirs = io.StringIO(), io.StringIO()
    made = pair(TLS13, observers=(WireDump(ours), WireDump(theirs))).start()
    sizes = {
        (text, doing): sum(
            map(int, re.findall(rf"^{doing} 0x.* \((\d+) bytes", out.getvalue(), re.MULTILINE))
        )
        for text, out in (("client", ours), ("server", theirs))
        for doing in ("read from", "write to")
    }
    assert sizes["client", "write to"] == sizes["server", "read from"] == made.client.bytes_written
    assert sizes["server", "write to"] == sizes["client", "read from"] == made.server.bytes_written
    rows = re.findall(r"^[0-9a-f]{4} - .*$", ours.getvalue(), re.MULTILINE)
    assert len(rows) >= made.client.bytes_written / 16
    WireDump(ours).wire(READ, b"")
    assert ours.getvalue().endswith("[0x0] (0 bytes => 0)\n")


def test_extensions_of_the_peer_alone_are_shown() -> None:
    ours, theirs, told = io.StringIO(), io.StringIO(), Told()
    both = combined([ExtensionDump(theirs, "client"), told])
    connect(TLS13, observers=(ExtensionDump(ours, "server"), both))
    shown = re.findall(
        r'^TLS client extension "(.*?)" \(id=(\d+)\), len=(\d+)$', theirs.getvalue(), re.MULTILINE
    )
    hello = ClientHello.decode(told.handshake[0][4:])
    sent = [(int(each.type), len(each.data)) for each in hello.extensions or ()]
    assert [(int(number), int(length)) for _, number, length in shown] == sent
    assert ("key share", str(int(ExtensionType.KEY_SHARE))) in {row[:2] for row in shown}
    assert "client extension" not in ours.getvalue()
    assert "server extension" in ours.getvalue()


# Steps.


def states(observed: Pair | None, out: io.StringIO) -> list[str]:
    assert observed is not None
    return [line.partition(":")[2] for line in out.getvalue().splitlines()]


def test_the_steps_of_a_client() -> None:
    out = io.StringIO()
    made = connect(TLS12, observers=(StatePrinter(out, is_client=True), None))
    assert states(made, out)[:8] == [
        "before SSL initialization",
        "SSLv3/TLS write client hello",
        "SSLv3/TLS write client hello",
        "SSLv3/TLS read server hello",
        "SSLv3/TLS read server certificate",
        "SSLv3/TLS read server key exchange",
        "SSLv3/TLS read server done",
        "SSLv3/TLS write client key exchange",
    ]
    assert states(made, out)[-1] == "SSLv3/TLS read finished"
    assert {line.partition(":")[0] for line in out.getvalue().splitlines()} == {"SSL_connect"}


def test_an_alert_takes_back_what_it_refuses() -> None:
    """A certificate is shown as read once it is accepted, not when it comes."""
    out = io.StringIO()
    printer = StatePrinter(out, is_client=True)
    printer.state("read server certificate")
    printer.alert(WRITE, AlertLevel.FATAL, AlertDescription.UNKNOWN_CA)
    printer.failed(Exception())  # type: ignore[arg-type]  # it is not looked at
    assert states(connect(), out) == ["before SSL initialization", "fatal:unknown CA", "error in error"]


# Several.


class Told(Observer):
    """Remembers every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    @property
    def handshake(self) -> list[bytes]:
        return [arguments[1] for name, *arguments in self.calls if name == "handshake_message"]

    def __getattribute__(self, name: str) -> Any:
        if name not in METHODS:
            return super().__getattribute__(name)
        return lambda *arguments: self.calls.append((name, *arguments))


METHODS = frozenset(name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if name[0] != "_")


@pytest.mark.parametrize("name", sorted(METHODS))
def test_several_pass_everything_on(name: str) -> None:
    """Also what is added to `Observer` later."""
    first, second = Told(), Told()
    count = len(inspect.signature(getattr(Observer, name)).parameters) - 1
    arguments = [object() for _ in range(count)]
    getattr(Several([first, second]), name)(*arguments)
    assert first.calls == second.calls == [(name, *arguments)]


def test_observing_costs_nothing_where_nobody_does() -> None:
    told = Told()
    assert combined([]) is None
    assert combined([told]) is told
    assert isinstance(combined([told, told]), Several)


def test_a_connection_tells_everything() -> None:
    told = Told()
    server = ServerConfig(identities=(identity("p256"),), heartbeats=True)
    made = connect(replace(TLS13, heartbeats=True), server, observers=(told, None))
    made.client.send_heartbeat()
    made.run()
    made.client.close()
    made.run()
    assert {call[0] for call in told.calls} == METHODS - {"failed"}
    assert told.handshake[0][0] == HandshakeType.CLIENT_HELLO
    inner = {call[2] for call in told.calls if call[0] == "inner_content_type"}
    kinds = {ContentType.HANDSHAKE, ContentType.APPLICATION_DATA, ContentType.HEARTBEAT, ContentType.ALERT}
    assert inner == kinds
