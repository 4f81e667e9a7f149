"""What all handshake messages have in common: a type, and the header before the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from handglass.messages.extension import Place
from handglass.registry.code_points import HandshakeType
from handglass.wire import EncodeError, Struct

HEADER_SIZE = 4
"""The bytes of type and length before each body (RFC 8446 §4)."""


class Message(Struct):
    """The body of a handshake message. `encode` and `decode` know nothing of the header; `frame` adds it."""

    handshake_type: ClassVar[HandshakeType]
    place: ClassVar[Place | None] = None
    """What its extensions are to RFC 8446 §4.2, where one answer holds for all messages of the class."""

    @classmethod
    def walk_context(cls, values: Mapping[str, object]) -> Place | None:  # noqa: ARG003 - for ServerHello
        """Say where the extensions stand."""
        return cls.place


def frame(message: Message) -> bytes:
    """Return the message with its header: type, length in three bytes, body (RFC 8446 §4)."""
    return frame_body(message.handshake_type, message.encode())


def frame_body(handshake_type: int, body: bytes) -> bytes:
    """Return a body with its header. Raises EncodeError for one of 2^24 bytes or more."""
    if len(body) >= 1 << 24:
        raise EncodeError("", f"has {len(body)} bytes, must have at most {(1 << 24) - 1}")
    return (handshake_type << 24 | len(body)).to_bytes(4, "big") + body
