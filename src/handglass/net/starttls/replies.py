"""Replies of three digits and text, which may run over several lines.

SMTP (RFC 5321 §4.2) and FTP (RFC 959 §4.2).
"""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadLine, malformed, too_long
from handglass.records import dataclass

LINES_LIMIT = 256
FIRST_DIGITS = b"12345"


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` of the last line, and all lines as they came."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def words(self) -> bytes:
        """All lines in one, for an error's sentence."""
        return b" / ".join(line.strip() for line in self.lines)


def smtp_reply(awaited: str) -> Dialogue[Reply]:
    """RFC 5321 §4.2.1: each line bears the code; a hyphen after it announces another line."""
    lines: list[bytes] = []
    while len(lines) < LINES_LIMIT:
        line = yield ReadLine(awaited)
        lines.append(line)
        if not is_coded(line):
            raise malformed(awaited, line)
        if line[3:4] != b"-":
            return Reply(int(line[:3]), tuple(lines))
    raise too_long(awaited, len(lines), "lines")


def ftp_reply(awaited: str) -> Dialogue[Reply]:
    """RFC 959 §4.2: of several lines the first has code and hyphen, the last the code and a space."""
    first = yield ReadLine(awaited)
    if not is_coded(first):
        raise malformed(awaited, first)
    lines = [first]
    while lines[-1][:3] != first[:3] or lines[-1][3:4] == b"-":
        if len(lines) >= LINES_LIMIT:
            raise too_long(awaited, len(lines), "lines")
        lines.append((yield ReadLine(awaited)))
    return Reply(int(first[:3]), tuple(lines))


def is_coded(line: bytes) -> bool:
    """Whether a line begins with a reply code and a hyphen, a space, or nothing more."""
    code = line[:3]
    return len(code) == 3 and code.isdigit() and code[:1] in FIRST_DIGITS and line[3:4] in b"- \r\n"
