"""POP3: STLS (RFC 2595 §4)."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadLine, RefusedError, Send, malformed
from handglass.net.starttls.spoken import Names, Spoken


def pop3(_names: Names) -> Dialogue[Spoken]:
    """RFC 1939 §4 (greeting), RFC 2595 §4 (STLS)."""
    greeting = yield ReadLine("the server's greeting")
    if greeting.startswith(b"-ERR"):
        raise RefusedError("the server does not want to talk to us", greeting[4:])
    if not greeting.startswith(b"+OK"):
        raise malformed("the server's greeting", greeting)
    yield Send(b"STLS\r\n")
    answer = yield ReadLine("the answer to STLS")
    if answer.startswith(b"-ERR"):
        raise RefusedError("the server refused STLS", answer[4:])
    if not answer.startswith(b"+OK"):
        raise malformed("the answer to STLS", answer)
    return Spoken(greeting)
