"""FTP: AUTH TLS on the control connection (RFC 4217 §4)."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, RefusedError, Send
from handglass.net.starttls.replies import ftp_reply
from handglass.net.starttls.spoken import Names, Spoken


def ftp(_names: Names) -> Dialogue[Spoken]:
    """RFC 959 §5.4 (greeting: 120 asks for patience), RFC 4217 §4 (AUTH)."""
    greeting = yield from ftp_reply("the server's greeting")
    if greeting.code == 120:
        greeting = yield from ftp_reply("the server to become ready")
    if greeting.code != 220:
        raise RefusedError("the server does not want to talk to us", greeting.words)
    yield Send(b"AUTH TLS\r\n")
    answer = yield from ftp_reply("the answer to AUTH TLS")
    if answer.code != 234:
        raise RefusedError("the server refused AUTH TLS", answer.words)
    return Spoken(greeting.lines[-1])
