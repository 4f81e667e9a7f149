"""IMAP: CAPABILITY, then STARTTLS (RFC 9051 §6.2.1, RFC 3501 §6.2.1).

Our tag is a full stop, as OpenSSL's.
"""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadLine, RefusedError, Send, malformed, too_long
from handglass.net.starttls.spoken import Names, Spoken, not_offered

LINES_LIMIT = 256


def imap(_names: Names) -> Dialogue[Spoken]:
    """RFC 9051 §7.1 (greeting), §6.1.1 (CAPABILITY), §6.2.1 (STARTTLS)."""
    greeting = yield ReadLine("the server's greeting")
    status = greeting.upper().split(maxsplit=2)[:2]
    if status == [b"*", b"BYE"]:
        raise RefusedError("the server does not want to talk to us", greeting.strip()[5:])
    if status not in ([b"*", b"OK"], [b"*", b"PREAUTH"]):
        raise malformed("the server's greeting", greeting)

    yield Send(b". CAPABILITY\r\n")
    lines = yield from _answer("CAPABILITY")
    offered = tuple(
        word.decode("latin-1")
        for line in lines
        if line[:13].upper() == b"* CAPABILITY "
        for word in line[13:].split()
    )
    if not any(word.upper() == "STARTTLS" for word in offered):
        yield not_offered()

    yield Send(b". STARTTLS\r\n")
    verdict = (yield from _answer("STARTTLS"))[-1]
    if verdict[2:5].upper() != b"OK ":
        raise RefusedError("the server refused STARTTLS", verdict[2:])
    return Spoken(lines[-1], offered)


def _answer(command: str) -> Dialogue[list[bytes]]:
    """Return the lines of an answer, of which the last bears our tag."""
    lines: list[bytes] = []
    while len(lines) < LINES_LIMIT:
        line = yield ReadLine(f"the answer to {command}")
        lines.append(line)
        if line.startswith(b". "):
            return lines
        if not line.startswith(b"* "):
            raise malformed(f"the answer to {command}", line)
    raise too_long(f"the answer to {command}", len(lines), "lines")
