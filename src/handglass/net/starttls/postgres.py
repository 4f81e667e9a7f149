"""PostgreSQL: SSLRequest, answered by one byte.

Source: the PostgreSQL manual, "Frontend/Backend Protocol", "SSL Session Encryption".
"""

from __future__ import annotations

import re

from handglass.net.dialogue import Dialogue, ReadExactly, ReadMatch, RefusedError, Send, malformed
from handglass.net.starttls.spoken import Names, Spoken

SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # length 8, code 80877103
AWAITED = "the answer to SSLRequest"
ERROR_LIMIT = 1 << 14
NUL = re.compile(rb"\x00")


def postgres(_names: Names) -> Dialogue[Spoken]:
    """S: go on with TLS; N: no TLS; E: an error message."""
    yield Send(SSL_REQUEST)
    answer = yield ReadExactly(AWAITED, 1)
    if answer == b"N":
        raise RefusedError("the server is not set up for TLS (it answered N)")
    if answer == b"E":
        raise RefusedError("the server answered with an error", (yield from _error()))
    if answer != b"S":
        raise malformed(AWAITED, answer)
    return Spoken()


def _error() -> Dialogue[bytes]:
    """Return the text of an ErrorResponse: fields behind a length, or before protocol 3 just a text."""
    head = yield ReadExactly("an error message", 4)
    length = int.from_bytes(head)
    if not 5 <= length <= ERROR_LIMIT:
        return head + (yield ReadMatch("an error message", NUL, limit=ERROR_LIMIT, widest=1))
    fields = (yield ReadExactly("an error message", length - 4)).split(b"\x00")
    return next((field[1:] for field in fields if field[:1] == b"M"), b"")
