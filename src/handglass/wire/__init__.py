"""The presentation language of RFC 8446 section 3: declare once; decode, encode and walk."""

from __future__ import annotations

from handglass.wire.errors import DecodeError, EncodeError
from handglass.wire.fields import (
    fixed,
    opaque,
    optional,
    rest,
    select,
    uint8,
    uint16,
    uint24,
    uint32,
    uint48,
    uint64,
    vector,
)
from handglass.wire.node import Node
from handglass.wire.struct import Struct

__all__ = [
    "DecodeError",
    "EncodeError",
    "Node",
    "Struct",
    "fixed",
    "opaque",
    "optional",
    "rest",
    "select",
    "uint8",
    "uint16",
    "uint24",
    "uint32",
    "uint48",
    "uint64",
    "vector",
]
