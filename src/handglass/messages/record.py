"""What travels beside the handshake: the header of a record, alerts, change_cipher_spec.

The record layer reads headers by itself, for speed; these declarations serve whoever shows or makes them.
"""

from __future__ import annotations

from typing import Annotated

from handglass.registry.code_points import AlertDescription, AlertLevel, ContentType, ProtocolVersion
from handglass.wire import Struct, fixed, opaque, uint8, uint16, uint48


class RecordHeader(Struct):
    """RFC 8446 §5.1. `length` bytes follow."""

    type: ContentType
    legacy_record_version: ProtocolVersion
    length: uint16


class DatagramRecordHeader(Struct):
    """RFC 6347 §4.1, RFC 9147 §4.1 for unprotected records. `length` bytes follow."""

    type: ContentType
    version: ProtocolVersion
    epoch: uint16
    sequence_number: uint48
    length: uint16


class Alert(Struct):
    """RFC 8446 §6."""

    level: AlertLevel
    description: AlertDescription


class ChangeCipherSpec(Struct):
    """RFC 5246 §7.1: always 1."""

    type: uint8 = 1


class Heartbeat(Struct):
    """RFC 6520 §4: a type, a payload, and at least 16 bytes of padding, here exactly 16."""

    type: uint8
    payload: Annotated[bytes, opaque(0, 2**14 - 19)]
    padding: Annotated[bytes, fixed(16)]
