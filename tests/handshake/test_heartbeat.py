"""Heartbeats (RFC 6520): agreed on, asked for, answered, and dropped in silence where they are wrong."""

from __future__ import annotations

import pytest

from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import DataReceived, HeartbeatAnswered
from handglass.handshake.heartbeat import payload_of
from handglass.messages.handshake import Extension
from handglass.registry.code_points import ExtensionType, ProtocolVersion
from handglass.registry.errors import LocalError
from support.engines import Pair, connect, identity, of_type, pair, reason_of

TLS12, TLS13 = ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3
both_versions = pytest.mark.parametrize("version", [TLS12, TLS13])
REQUEST, RESPONSE = b"\1", b"\2"
PADDING = bytes(16)


def beating(version: ProtocolVersion = TLS13, *, client: bool = True, server: bool = True) -> Pair:
    """Two sides, each with heartbeats or without."""
    return connect(
        ClientConfig(versions=(version,), heartbeats=client),
        ServerConfig(versions=(version,), heartbeats=server, identities=(identity("p256"),)),
    ).check()


@both_versions
def test_both_sides_ask_and_answer(version: ProtocolVersion) -> None:
    made = beating(version)
    made.client.send_heartbeat(b"are you there?")
    made.server.send_heartbeat(b"and you?")
    made.run()
    assert of_type(made.client_events, HeartbeatAnswered) == [HeartbeatAnswered(b"are you there?")]
    assert of_type(made.server_events, HeartbeatAnswered) == [HeartbeatAnswered(b"and you?")]
    made.client.send_heartbeat()
    made.client.send(b"data")
    made.run()
    assert len(of_type(made.client_events, HeartbeatAnswered)[1].payload) == 18
    assert of_type(made.server_events, DataReceived)[-1].data == b"data"


@both_versions
@pytest.mark.parametrize(("client", "server"), [(False, False), (False, True), (True, False)])
def test_both_must_agree(version: ProtocolVersion, *, client: bool, server: bool) -> None:
    """Otherwise nothing is sent, and what comes is a record of an unknown type."""
    made = beating(version, client=client, server=server)
    for side in (made.client, made.server):
        with pytest.raises(LocalError, match="not agreed"):
            side.send_heartbeat()
    made.client._channel.send_heartbeat(REQUEST + b"\0\0" + PADDING)
    made.server.receive(made.client.data_to_send())
    assert reason_of(made.server) == "UNKNOWN_RECORD_TYPE"


@both_versions
def test_one_at_a_time(version: ProtocolVersion) -> None:
    made = beating(version)
    made.client.send_heartbeat()
    with pytest.raises(LocalError, match="still waits"):
        made.client.send_heartbeat()
    made.run()
    made.client.send_heartbeat()


def test_it_must_fit_into_a_record() -> None:
    made = beating()
    made.client.send_heartbeat(bytes(16384 - 19))
    made.run()
    assert len(of_type(made.client_events, HeartbeatAnswered)) == 1
    with pytest.raises(LocalError, match="one record"):
        made.client.send_heartbeat(bytes(16384 - 18))


def test_not_before_and_not_after() -> None:
    """An open connection is needed."""
    made = pair(ClientConfig(heartbeats=True), ServerConfig(heartbeats=True, identities=(identity("p256"),)))
    with pytest.raises(LocalError, match="open connection"):
        made.client.send_heartbeat()
    made.start()
    made.client.close()
    with pytest.raises(LocalError, match="open connection"):
        made.client.send_heartbeat()


@both_versions
@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\1",
        REQUEST + b"\0\0",
        REQUEST + b"\0\1a" + PADDING[1:],
        REQUEST + b"\xff\xff" + PADDING,  # Heartbleed
        REQUEST + b"\x40\0" + b"x" * 100,
        RESPONSE + b"\0\1a" + PADDING,  # nobody asked
        b"\3\0\1a" + PADDING,
    ],
)
def test_dropped_in_silence(version: ProtocolVersion, message: bytes) -> None:
    made = beating(version)
    made.client._channel.send_heartbeat(message)
    made.client.send(b"after")
    made.run()
    assert of_type(made.server_events, DataReceived)[-1].data == b"after"
    assert not of_type(made.server_events, HeartbeatAnswered)
    assert not made.server.has_data_to_send


def test_a_response_to_something_else_is_dropped() -> None:
    """And the right one still counts."""
    made = beating()
    made.client.send_heartbeat(b"question")
    made.client.data_to_send()
    made.server._channel.send_heartbeat(RESPONSE + b"\0\1a" + PADDING)
    made.server._channel.send_heartbeat(RESPONSE + b"\0\x08question" + PADDING)
    made.server._channel.send_heartbeat(RESPONSE + b"\0\x08question" + PADDING)
    made.run()
    assert of_type(made.client_events, HeartbeatAnswered) == [HeartbeatAnswered(b"question")]


def test_more_padding_is_allowed() -> None:
    made = beating()
    made.client.send_heartbeat(b"abc")
    made.client.data_to_send()
    made.server._channel.send_heartbeat(RESPONSE + b"\0\3abc" + bytes(500))
    made.run()
    assert of_type(made.client_events, HeartbeatAnswered) == [HeartbeatAnswered(b"abc")]


def test_a_response_that_is_too_long_for_us_is_not_sent() -> None:
    made = connect(
        ClientConfig(heartbeats=True, record_size_limit=200),
        ServerConfig(heartbeats=True, record_size_limit=16385, identities=(identity("p256"),)),
    )
    made.client.send_heartbeat(bytes(1000))
    made.client.send(b"after")
    made.run()
    assert of_type(made.server_events, DataReceived)[-1].data == b"after"
    assert not of_type(made.client_events, HeartbeatAnswered)


@both_versions
def test_a_peer_that_does_not_want_any(version: ProtocolVersion) -> None:
    """It may still ask us."""
    body = Extension(ExtensionType.HEARTBEAT, b"\2")
    made = connect(
        ClientConfig(versions=(version,), heartbeats=True, extra_extensions=(body,)),
        ServerConfig(versions=(version,), heartbeats=True, identities=(identity("p256"),)),
    )
    with pytest.raises(LocalError, match="not agreed"):
        made.server.send_heartbeat()
    made.client.send_heartbeat(b"x")
    made.run()
    assert of_type(made.client_events, HeartbeatAnswered) == [HeartbeatAnswered(b"x")]


@both_versions
@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"\0", "ILLEGAL_HEARTBEAT_MODE"), (b"\3", "ILLEGAL_HEARTBEAT_MODE"), (b"", "DECODE_ERROR")],
)
def test_a_mode_that_does_not_exist(version: ProtocolVersion, body: bytes, reason: str) -> None:
    """illegal_parameter (RFC 6520 §2)."""
    made = pair(
        ClientConfig(versions=(version,), extra_extensions=(Extension(ExtensionType.HEARTBEAT, body),)),
        ServerConfig(versions=(version,), heartbeats=True, identities=(identity("p256"),)),
    ).start()
    assert reason_of(made.server) == reason


def test_during_a_renegotiation_nothing_is_asked_or_answered() -> None:
    made = beating(TLS12)
    made.server.request_renegotiation()
    made.client.receive(made.server.data_to_send())
    made.client._channel.send_heartbeat(REQUEST + b"\0\1a" + PADDING)
    made.server_events += made.server.receive(made.client.data_to_send())
    with pytest.raises(LocalError, match="open connection"):
        made.server.send_heartbeat()
    made.run()
    made.client.send_heartbeat(b"done")
    made.run()
    assert of_type(made.client_events, HeartbeatAnswered) == [HeartbeatAnswered(b"done")]


def test_payload_of() -> None:
    assert payload_of(REQUEST + b"\0\2ab" + PADDING) == b"ab"
    assert payload_of(REQUEST + b"\0\0" + PADDING) == b""
    assert payload_of(REQUEST + b"\0\3ab" + PADDING) is None
