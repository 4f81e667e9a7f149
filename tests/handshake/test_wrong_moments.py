"""A message of each kind at each wrong moment, and each message cut at each length."""

from __future__ import annotations

from functools import cache

import pytest

from handglass.connection import Connection
from handglass.handshake.wants import Expectation, ExpectChangeCipherSpec, Want
from handglass.messages.message import frame_body
from handglass.registry.code_points import AlertDescription, ContentType, HandshakeType
from handglass.registry.errors import PeerError
from support.rogue import CLIENT, Act, flights, instead, misbehave, plain, record, steps, worlds

UNEXPECTED, DECODE = AlertDescription.UNEXPECTED_MESSAGE, AlertDescription.DECODE_ERROR
KINDS = (*range(27), 67, 99, 254)
"""Every type of message that has a number, some without, and two that have none."""

AFTER_OPTIONAL = {
    "read server certificate request": {HandshakeType.CERTIFICATE, HandshakeType.COMPRESSED_CERTIFICATE}
    | {HandshakeType.SERVER_HELLO_DONE},
    "read certificate status": {
        HandshakeType.SERVER_KEY_EXCHANGE,
        HandshakeType.CERTIFICATE_REQUEST,
        HandshakeType.SERVER_HELLO_DONE,
    },
}
"""What may come instead of an optional message."""

STEPS = [pytest.param(*step, id=f"{step[0]}-{step[1]}-{step[2]}") for step in steps()]


@cache
def samples() -> dict[int, bytes]:
    """Give a well-formed message of each kind, an invented one where none of the conversations has it."""
    found = {raw[0]: raw for name in worlds() for messages in flights(name).values() for raw in messages}
    return {kind: found.get(kind, frame_body(kind, b"\0")) for kind in KINDS}


def error_of(connection: Connection) -> PeerError:
    """Give the error with which this side ended the connection; it must be the peer's fault."""
    assert isinstance(connection.error, PeerError), connection.error
    return connection.error


def allowed(wait: Want | None) -> set[int]:
    """Give the types of message that are right where this is waited for."""
    if not isinstance(wait, Expectation):
        return set()
    also = AFTER_OPTIONAL.get(wait.state, set()) if wait.optional else set()
    return set(wait.by_type) | {int(kind) for kind in also}


@pytest.mark.parametrize(("name", "side", "number"), STEPS)
def test_other_messages(name: str, side: str, number: int) -> None:
    """Every other kind of message in the place of the right one is unexpected."""
    tried = 0
    for kind, raw in samples().items():
        victim, wait = misbehave(name, side, number, instead(raw))
        if kind in allowed(wait):
            continue
        if kind == HandshakeType.HELLO_REQUEST and side != CLIENT and ignores_hello_request(name, number):
            assert victim.error is None  # RFC 5246 §7.4.1.1: not while a handshake is under way
            continue
        assert error_of(victim).alert == UNEXPECTED, (HandshakeType(kind).name, wait, victim.error)
        tried += 1
    assert tried >= len(KINDS) - 5


def ignores_hello_request(name: str, number: int) -> bool:
    """Tell whether the client passes over a HelloRequest in the place of this message of the server's."""
    return name.startswith("old") or number == 0


@pytest.mark.parametrize(("name", "side", "number"), STEPS)
def test_messages_too_much(name: str, side: str, number: int) -> None:
    """A second message behind each: a repetition, or one that comes too early or under keys that end here."""
    honest = flights(name)[side][number]
    for extra in (honest, samples()[HandshakeType.CERTIFICATE_VERIFY], samples()[HandshakeType.FINISHED]):
        victim, wait = misbehave(name, side, number, lambda c, raw, extra=extra: both(c, raw, extra))  # type: ignore[misc]
        if victim.error is None:
            assert extra == honest
            assert honest[0] in {
                HandshakeType.NEW_SESSION_TICKET,
                HandshakeType.HELLO_REQUEST,
                HandshakeType.CERTIFICATE_REQUEST,
            }
            continue
        expected = {UNEXPECTED}
        follows = flights(name)[side][number + 1 : number + 2]
        if (follows and follows[0][0] == extra[0]) or wait is None:
            expected |= {AlertDescription.DECRYPT_ERROR, DECODE, AlertDescription.ILLEGAL_PARAMETER}
        if honest[0] == extra[0]:
            expected |= {AlertDescription.ILLEGAL_PARAMETER, AlertDescription.DECRYPT_ERROR}
        assert error_of(victim).alert in expected, (extra[0], victim.error)


def both(connection: Connection, raw: bytes, extra: bytes) -> None:
    """Send two messages, one after the other in one record."""
    connection._channel.send_handshake(raw + extra)


RECORDS: dict[str, Act] = {
    "ChangeCipherSpec": record(ContentType.CHANGE_CIPHER_SPEC, b"\1"),
    "application data": record(ContentType.APPLICATION_DATA, b"data"),
    "empty application data": record(ContentType.APPLICATION_DATA, b""),
    "empty handshake record": record(ContentType.HANDSHAKE, b""),
    "heartbeat": record(ContentType.HEARTBEAT, b"\1\0\0"),
    "unknown type": record(77, b"x"),
    "long alert": record(ContentType.ALERT, b"\2\0\0"),
    "short alert": record(ContentType.ALERT, b"\2"),
    "empty alert": record(ContentType.ALERT, b""),
    "alert of odd level": record(ContentType.ALERT, b"\7\x28"),
    "ChangeCipherSpec of two bytes": plain(b"\x14\3\3\0\2\1\1"),
    "ChangeCipherSpec of value 2": plain(b"\x14\3\3\0\1\2"),
    "unprotected handshake": plain(b"\x16\3\3\0\4\x63\0\0\0"),
    "version 4": plain(b"\x16\4\0\0\4\x0e\0\0\0"),
    "too long": plain(b"\x17\3\3\x50\0"),
}

SPECIAL = {
    "long alert": {DECODE},
    "short alert": {DECODE},
    "alert of odd level": {AlertDescription.ILLEGAL_PARAMETER},
    "version 4": {AlertDescription.PROTOCOL_VERSION},
    "too long": {AlertDescription.RECORD_OVERFLOW},
    "unprotected handshake": {AlertDescription.BAD_RECORD_MAC},
    "ChangeCipherSpec of two bytes": {AlertDescription.BAD_RECORD_MAC},
    "ChangeCipherSpec of value 2": {AlertDescription.BAD_RECORD_MAC},
}
"""What else than unexpected_message may be right; below TLS 1.3 an unprotected record just does not open."""


@pytest.mark.parametrize("kind", list(RECORDS))
def test_other_records(kind: str) -> None:
    """Every kind of record at every moment: the right alert, or nothing where the record is allowed."""
    for name, side, number in steps():
        victim, wait = misbehave(name, side, number, RECORDS[kind])
        if victim.error is None:
            assert is_allowed(kind, victim, wait), (name, side, number, wait)
            continue
        alert = error_of(victim).alert
        if alert == AlertDescription.BAD_RECORD_MAC and name == "early data refused":
            continue  # what cannot be opened was taken for early data first
        assert alert in SPECIAL.get(kind, set()) | {UNEXPECTED}, (name, side, number, victim.error)


def is_allowed(kind: str, victim: Connection, wait: Want | None) -> bool:
    """Tell whether this record is right where the victim is."""
    me = victim._me
    if "application data" in kind:
        return me.receives_data or me.early_budget is not None
    if kind == "ChangeCipherSpec":
        return isinstance(wait, ExpectChangeCipherSpec) or victim._channel.dropped_change_cipher_specs > 0
    # A record of refused early data is passed over, whatever it is.
    return victim._channel.skip_early_data > 0


@pytest.mark.parametrize(("name", "side", "number"), STEPS)
def test_cut_messages(name: str, side: str, number: int) -> None:
    """Each message cut at each length, with the length that it then has: decode_error, or what the RFC says."""
    raw = flights(name)[side][number]
    lengths = range(len(raw) - 4)
    if len(lengths) > 150:  # the ends say most, and a prime step meets every field sooner or later
        lengths = [*range(60), *range(60, len(raw) - 64, 7), *range(len(raw) - 64, len(raw) - 4)]  # type: ignore[assignment]
    for length in lengths:
        victim, _ = misbehave(name, side, number, instead(frame_body(raw[0], raw[4 : 4 + length])))
        if victim.error is None:  # a hello without any extension is complete, and some can do without
            assert raw[0] == HandshakeType.CLIENT_HELLO
            hello = victim.negotiated.client_hello
            assert hello is not None and hello.hello.extensions is None  # noqa: PT018 - for the type checker
            continue
        assert error_of(victim).alert in may_mean(raw[0], name), (length, victim.error)


def may_mean(kind: int, name: str) -> set[AlertDescription]:
    """Give the alerts for a message that lacks its end."""
    if kind == HandshakeType.CLIENT_HELLO:
        # Without its extensions a hello is one of an old version, and complete.
        return {DECODE, AlertDescription.PROTOCOL_VERSION, AlertDescription.HANDSHAKE_FAILURE}
    if kind == HandshakeType.SERVER_HELLO:
        return {
            DECODE,
            AlertDescription.MISSING_EXTENSION,
            AlertDescription.PROTOCOL_VERSION,
            AlertDescription.ILLEGAL_PARAMETER,
        } | ({AlertDescription.HANDSHAKE_FAILURE} if name.startswith("old") else set())
    return {DECODE}


@pytest.mark.parametrize(("name", "side", "number"), STEPS)
def test_messages_with_more_at_their_end(name: str, side: str, number: int) -> None:
    """One byte, or many, behind what belongs there."""
    raw = flights(name)[side][number]
    for extra in (b"\0", b"\xff" * 100):
        victim, _ = misbehave(name, side, number, instead(frame_body(raw[0], raw[4:] + extra)))
        assert error_of(victim).alert == DECODE, (extra, victim.error)


@pytest.mark.parametrize(("name", "side", "number"), STEPS)
def test_announced_lengths(name: str, side: str, number: int) -> None:
    """A header alone that announces more than any message may have ends the connection at once."""
    raw = flights(name)[side][number]
    victim, _ = misbehave(name, side, number, instead(raw[:1] + b"\xff\xff\xff"))
    assert error_of(victim).alert in {DECODE, AlertDescription.ILLEGAL_PARAMETER}
