"""ManageSieve: capabilities come with the greeting, then STARTTLS (RFC 5804 §1.7, §2.2)."""

from __future__ import annotations

import re

from handglass.net.dialogue import Dialogue, ReadExactly, ReadLine, RefusedError, Send, malformed, too_long
from handglass.net.starttls.spoken import Names, Spoken, not_offered

LINES_LIMIT = 256
LITERAL_LIMIT = 1 << 14
LITERAL = re.compile(rb"\{([0-9]{1,10})\+?\}\r?\n\Z")
FIRST_STRING = re.compile(rb'"([^"\\]*)"')
VERDICTS = (b"OK", b"NO", b"BYE")


def sieve(_names: Names) -> Dialogue[Spoken]:
    """RFC 5804 §1.7 (greeting), §2.2 (STARTTLS)."""
    greeting = yield from _response("the server's greeting")
    if _verdict(greeting[-1]) != b"OK":
        raise RefusedError("the server does not want to talk to us", greeting[-1])
    offered = tuple(m[1].decode("latin-1") for line in greeting if (m := FIRST_STRING.match(line)))
    if "STARTTLS" not in (word.upper() for word in offered):
        yield not_offered()
    yield Send(b"STARTTLS\r\n")
    answer = yield from _response("the answer to STARTTLS")
    if _verdict(answer[-1]) != b"OK":
        raise RefusedError("the server refused STARTTLS", answer[-1])
    return Spoken(answer[-1], offered)


def _response(awaited: str) -> Dialogue[list[bytes]]:
    """Return the lines of a response, of which the last begins with OK, NO or BYE.

    Literals are read as part of a line.
    """
    lines: list[bytes] = []
    while len(lines) < LINES_LIMIT:
        line = yield ReadLine(awaited)
        while (literal := LITERAL.search(line)) is not None:
            count = int(literal[1])
            if count > LITERAL_LIMIT or len(line) > LITERAL_LIMIT:
                raise too_long(awaited, LITERAL_LIMIT)
            line += yield ReadExactly(awaited, count)
            line += yield ReadLine(awaited)
        lines.append(line)
        if _verdict(line) is not None:
            return lines
        if not line.startswith((b'"', b"{")):
            raise malformed(awaited, line)
    raise too_long(awaited, len(lines), "lines")


def _verdict(line: bytes) -> bytes | None:
    word = re.split(rb"[^A-Za-z]", line, maxsplit=1)[0].upper()
    return word if word in VERDICTS else None
