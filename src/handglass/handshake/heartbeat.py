"""Heartbeats: a message to which the peer answers with the same payload (RFC 6520).

A message has a type, the length of its payload, the payload, and at least 16 bytes of padding that nobody looks at.
What is malformed, has a length beyond its own end (the bug called Heartbleed), comes unasked or during a handshake is
dropped in silence (RFC 6520 §3, §4).
"""

from __future__ import annotations

from handglass.handshake.state import State
from handglass.registry import reasons
from handglass.registry.code_points import HeartbeatMode
from handglass.registry.errors import LocalError, PeerError

REQUEST = 1
RESPONSE = 2
PADDING = 16
"""The least padding, and what we send."""
PAYLOAD = 18
"""Bytes of payload that we send if nobody says what: OpenSSL's size."""


class Heartbeats:
    """The heartbeats of one connection: what is under way, and what is due for what comes."""

    def __init__(self, state: State) -> None:
        self._me = state
        self._awaited: bytes | None = None

    def request(self, payload: bytes | None) -> bytes:
        """A request. Raises LocalError: the peer does not want any, or one is under way."""
        if not self._me.negotiated.peer_takes_heartbeats:
            raise LocalError(reasons.HEARTBEATS_NOT_AGREED_ON)
        if self._awaited is not None:
            raise LocalError(reasons.HEARTBEAT_UNDER_WAY)
        payload = self._me.entropy(PAYLOAD) if payload is None else payload
        message = self._message(REQUEST, payload)
        if len(message) > self._me.driver.channel.write_limit:
            raise LocalError(reasons.HEARTBEAT_TOO_LONG, f"{len(payload)} bytes")
        self._awaited = payload
        return message

    def take(self, message: bytes) -> tuple[bytes | None, bytes | None]:
        """What a message that came means: (the response that is due, the payload that was awaited and is here)."""
        payload = payload_of(message)
        if payload is None or self._me.renegotiating or not self._me.receives_data:
            return None, None
        if message[0] == REQUEST:
            response = self._message(RESPONSE, payload)
            return (response if len(response) <= self._me.driver.channel.write_limit else None), None
        if message[0] == RESPONSE and payload == self._awaited:
            self._awaited = None
            return None, payload
        return None, None

    def _message(self, kind: int, payload: bytes) -> bytes:
        return bytes((kind,)) + len(payload).to_bytes(2, "big") + payload + self._me.entropy(PADDING)


def payload_of(message: bytes) -> bytes | None:
    """The payload of a message; None if it is too short for what it says (RFC 6520 §4)."""
    length = int.from_bytes(message[1:3], "big")
    if len(message) < 3 + length + PADDING:
        return None
    return bytes(message[3 : 3 + length])


def agree(me: State, body: bytes) -> None:
    """Note what the peer says of heartbeats; ours is that it may send them. Raises PeerError (RFC 6520 §2)."""
    if len(body) != 1:
        raise PeerError(reasons.DECODE_ERROR, f"heartbeat of {len(body)} bytes")
    if not HeartbeatMode(body[0]).is_known:
        raise PeerError(reasons.ILLEGAL_HEARTBEAT_MODE, f"mode {body[0]}")
    me.negotiated.peer_takes_heartbeats = body[0] == HeartbeatMode.PEER_ALLOWED_TO_SEND
    me.driver.channel.takes_heartbeats = True
