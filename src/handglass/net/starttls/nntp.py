"""NNTP: CAPABILITIES, then STARTTLS (RFC 4642 §2.2)."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadLine, RefusedError, Send, malformed, too_long
from handglass.net.starttls.replies import is_coded
from handglass.net.starttls.spoken import Names, Spoken, not_offered

LINES_LIMIT = 256


def nntp(_names: Names) -> Dialogue[Spoken]:
    """RFC 3977 §5.1 (greeting), §5.2 (CAPABILITIES), RFC 4642 §2.2 (STARTTLS)."""
    greeting = yield from _coded_line("the server's greeting")
    if greeting[:3] not in (b"200", b"201"):
        raise RefusedError("the server does not want to talk to us", greeting)

    yield Send(b"CAPABILITIES\r\n")
    answer = yield from _coded_line("the answer to CAPABILITIES")
    offered = (yield from _list()) if answer[:3] == b"101" else ()
    if not any(line.upper() == "STARTTLS" for line in offered):
        yield not_offered()

    yield Send(b"STARTTLS\r\n")
    answer = yield from _coded_line("the answer to STARTTLS")
    if answer[:3] != b"382":
        raise RefusedError("the server refused STARTTLS", answer)
    return Spoken(answer, offered)


def _list() -> Dialogue[tuple[str, ...]]:
    """RFC 3977 §3.1.1: lines, up to one that is a full stop."""
    awaited = "the list of capabilities"
    lines: list[str] = []
    while len(lines) < LINES_LIMIT:
        line = (yield ReadLine(awaited)).strip()
        if line == b".":
            return tuple(lines)
        lines.append(line.decode("latin-1"))
    raise too_long(awaited, len(lines), "lines")


def _coded_line(awaited: str) -> Dialogue[bytes]:
    line = yield ReadLine(awaited)
    if not is_coded(line):
        raise malformed(awaited, line)
    return line
