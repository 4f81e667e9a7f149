"""Telnet: option START_TLS (46): the server asks, both sides announce FOLLOWS (draft-altman-telnet-starttls).

Other options that the server negotiates are left without answer: TLS resets them all.
"""

from __future__ import annotations

import re

from handglass.net.dialogue import Dialogue, ReadExactly, ReadMatch, RefusedError, Send, too_long
from handglass.net.starttls.spoken import Names, Spoken

IAC, SE, SB, WILL, DO = 255, 240, 250, 251, 253
START_TLS, FOLLOWS = 46, 1
COMMANDS_LIMIT = 256
WILL_START_TLS = bytes((IAC, WILL, START_TLS))
START_TLS_FOLLOWS = bytes((IAC, SB, START_TLS, FOLLOWS, IAC, SE))
END_OF_SUBNEGOTIATION = re.compile(rb"\xff\xf0")
TEXT_LIMIT = 4096


def telnet(_names: Names) -> Dialogue[Spoken]:
    """DO START_TLS, WILL START_TLS; then FOLLOWS from both sides."""
    yield from _await("DO START_TLS", bytes((DO, START_TLS)))
    yield Send(WILL_START_TLS)
    yield Send(START_TLS_FOLLOWS)
    yield from _await("START_TLS FOLLOWS", START_TLS_FOLLOWS[1:])
    return Spoken()


def _await(name: str, wanted: bytes) -> Dialogue[None]:
    """Read commands until `wanted` (without IAC) comes. Text in front of it is kept for the error only."""
    awaited = f"the server's IAC {name}"
    text = b""
    for _ in range(COMMANDS_LIMIT + TEXT_LIMIT):
        byte = yield ReadExactly(awaited, 1)
        if byte[0] != IAC:
            text += byte
            continue
        command = yield ReadExactly(awaited, 1)
        if command[0] == SB:
            command += yield ReadMatch(awaited, END_OF_SUBNEGOTIATION, limit=1024, widest=2)
        elif command[0] >= WILL and command[0] != IAC:
            command += yield ReadExactly(awaited, 1)
        if command == wanted:
            return
        if len(command) == 2 and command[1] == START_TLS:
            raise RefusedError("the server refused START_TLS")
    if text:
        raise RefusedError(f"no {name} among what the server said", text)
    raise too_long(awaited, COMMANDS_LIMIT, "commands")
