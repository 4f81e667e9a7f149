"""IRC: STARTTLS before registration, as IRCv3's `tls` describes it: numerics 670 and 691."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadLine, RefusedError, Send, too_long
from handglass.net.starttls.spoken import Names, Spoken

LINES_LIMIT = 256
# Before registration ngIRCd and InspIRCd leave commands that they do not know without an answer.
AWAITED = "the answer to STARTTLS (a server that does not know it may stay silent)"
RPL_STARTTLS = b"670"
REFUSALS = {
    b"691": "STARTTLS negotiation failed",
    b"421": "the server does not know STARTTLS",
    b"451": "the server wants a registration before STARTTLS",
    b"410": "the server does not know STARTTLS",
}


def irc(_names: Names) -> Dialogue[Spoken]:
    """IRCv3, "tls" capability: the server may talk before it answers (notices, a PING)."""
    yield Send(b"STARTTLS\r\n")
    for _ in range(LINES_LIMIT):
        line = yield ReadLine(AWAITED)
        command, rest = _command(line)
        if command == b"PING":
            yield Send(b"PONG " + rest + b"\r\n")
        elif command == RPL_STARTTLS:
            return Spoken(line)
        elif command in REFUSALS:
            raise RefusedError(REFUSALS[command], rest)
        elif command == b"ERROR":
            raise RefusedError("the server ended the conversation", rest)
    raise too_long(AWAITED, LINES_LIMIT, "lines")


def _command(line: bytes) -> tuple[bytes, bytes]:
    """Command and parameters of a message (RFC 1459 §2.3.1), the prefix left out."""
    words = line.strip()
    if words.startswith(b"@"):
        words = words.partition(b" ")[2].lstrip()
    if words.startswith(b":"):
        words = words.partition(b" ")[2].lstrip()
    command, _, rest = words.partition(b" ")
    return command.upper(), rest.strip()
