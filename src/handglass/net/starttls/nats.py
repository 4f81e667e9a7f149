"""NATS: the server's INFO line, then TLS without a further word ("NATS Client Protocol", INFO)."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, Finding, Note, ReadLine, RefusedError, malformed
from handglass.net.errors import NetCode
from handglass.net.starttls.spoken import Names, Spoken

INFO_LIMIT = 1 << 16
AWAITED = "the server's INFO line"
FLAGS = ("tls_required", "tls_available", "tls_verify")


def nats(_names: Names) -> Dialogue[Spoken]:
    """INFO says whether TLS is required or available, and whether a client certificate is wanted."""
    line = yield ReadLine(AWAITED, limit=INFO_LIMIT)
    if line.startswith(b"-ERR"):
        raise RefusedError("the server does not want to talk to us", line[4:])
    if line[:5].upper() != b"INFO ":
        raise malformed(AWAITED, line)
    flags = _flags(line[5:])
    if "tls_required" not in flags and "tls_available" not in flags:
        yield Note(
            Finding(NetCode.NOT_OFFERED, "The server's INFO line does not offer TLS, trying anyway...")
        )
    return Spoken(offered=flags)


def _flags(text: bytes) -> tuple[str, ...]:
    """Which of the flags about TLS are true."""
    import json  # noqa: PLC0415 - this protocol alone needs it

    try:
        info = json.loads(text)
    except (ValueError, RecursionError):
        raise malformed(AWAITED, text) from None
    if not isinstance(info, dict):
        raise malformed(AWAITED, text)
    return tuple(flag for flag in FLAGS if info.get(flag) is True)
