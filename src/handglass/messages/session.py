"""Messages about the session rather than the peer: tickets, key updates, and the small ones."""

from __future__ import annotations

from typing import Annotated, ClassVar

from handglass.messages.extension import Extension, Place
from handglass.messages.message import Message
from handglass.registry.code_points import HandshakeType, KeyUpdateRequest
from handglass.wire import opaque, rest, uint32, vector


class NewSessionTicket13(Message):
    """RFC 8446 §4.6.1. Life in seconds, age in milliseconds."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.NEW_SESSION_TICKET
    place: ClassVar[Place] = Place.NST

    ticket_lifetime: uint32
    ticket_age_add: uint32
    ticket_nonce: Annotated[bytes, opaque(0, 2**8 - 1)]
    ticket: Annotated[bytes, opaque(1, 2**16 - 1)]
    extensions: Annotated[tuple[Extension, ...], vector(0, 2**16 - 2)] = ()


class NewSessionTicket12(Message):
    """RFC 5077 §3.3. Life in seconds."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.NEW_SESSION_TICKET

    ticket_lifetime_hint: uint32
    ticket: Annotated[bytes, opaque(0, 2**16 - 1)]


class KeyUpdate(Message):
    """RFC 8446 §4.6.3."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.KEY_UPDATE

    request_update: KeyUpdateRequest


class EndOfEarlyData(Message):
    """RFC 8446 §4.5."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.END_OF_EARLY_DATA


class MessageHash(Message):
    """RFC 8446 §4.4.1: stands in the transcript for a first ClientHello that was sent back."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.MESSAGE_HASH

    hash: Annotated[bytes, rest]


class NextProtocol(Message):
    """draft-agl-tls-nextprotoneg-04 §3, in TLS 1.2 and earlier."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.NEXT_PROTOCOL

    selected_protocol: Annotated[bytes, opaque(0, 2**8 - 1)]
    padding: Annotated[bytes, opaque(0, 2**8 - 1)]
