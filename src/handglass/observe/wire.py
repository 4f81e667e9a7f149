"""-debug: what is read from the transport and written to it, in hexadecimal, in OpenSSL's layout.

OpenSSL names each piece by two addresses in its memory. Here the first number is the connection's, counted from 1, and
the one in brackets is where the piece begins in all that went that way.
"""

from __future__ import annotations

from itertools import count

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.observe.hexdump import dump
from handglass.observe.text import Text

_connections = count(1)


class WireDump(Observer):
    """Writes every piece of one connection to `out` (text)."""

    def __init__(self, out: Text) -> None:
        self._out = out
        self._connection = next(_connections)
        self._at = dict.fromkeys(Direction, 0)

    def wire(self, direction: Direction, data: bytes) -> None:
        """Show a piece; b"" is the end of what the peer sends."""
        doing = "write to" if direction is Direction.WRITE else "read from"
        size = f"{len(data)} bytes => {len(data)}" + (f" (0x{len(data):X})" if data else "")
        self._out.write(f"{doing} 0x{self._connection:x} [0x{self._at[direction]:x}] ({size})\n{dump(data)}")
        self._out.flush()
        self._at[direction] += len(data)
