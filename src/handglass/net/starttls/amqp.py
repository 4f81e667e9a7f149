"""AMQP 1.0: the TLS protocol header, said by both sides before TLS (OASIS AMQP 1.0, part 5 §5.2).

Most brokers speak TLS from the first byte on port 5671 instead; then -starttls is to be left out.
"""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed
from handglass.net.starttls.spoken import Names, Spoken

TLS_HEADER = b"AMQP\x02\x01\x00\x00"
AWAITED = "the server's AMQP protocol header"
PROTOCOL_IDS = {0: "AMQP", 2: "TLS", 3: "SASL"}


def amqp(_names: Names) -> Dialogue[Spoken]:
    """Part 5 §5.2.1: the server answers with the same header, or with one that it supports, and closes."""
    yield Send(TLS_HEADER)
    head = yield ReadExactly(AWAITED, 4)
    if head != b"AMQP":
        raise malformed(AWAITED, head)
    header = head + (yield ReadExactly(AWAITED, 4))
    if header != TLS_HEADER:
        protocol, major, minor, revision = header[4:]
        name = PROTOCOL_IDS.get(protocol, f"protocol id {protocol}")
        raise RefusedError(f"the server offers no TLS in AMQP but {name} {major}.{minor}.{revision}")
    return Spoken()
