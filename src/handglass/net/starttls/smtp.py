"""SMTP (RFC 3207) and LMTP (RFC 2033, which takes RFC 3207 over): EHLO or LHLO, then STARTTLS."""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, RefusedError, Send
from handglass.net.starttls.replies import smtp_reply
from handglass.net.starttls.spoken import Names, Spoken, not_offered


def smtp(names: Names) -> Dialogue[Spoken]:
    """RFC 3207 §4."""
    return (yield from _start(b"EHLO", names))


def lmtp(names: Names) -> Dialogue[Spoken]:
    """RFC 2033 §4.1: LHLO in the place of EHLO."""
    return (yield from _start(b"LHLO", names))


def _start(verb: bytes, names: Names) -> Dialogue[Spoken]:
    greeting = yield from smtp_reply("the server's greeting")
    if greeting.code != 220:
        raise RefusedError("the server does not want to talk to us", greeting.words)
    yield Send(verb + b" " + names.mail.encode() + b"\r\n")
    capabilities = yield from smtp_reply(f"the answer to {verb.decode()}")
    offered = tuple(line[4:].strip().decode("latin-1") for line in capabilities.lines[1:])
    if capabilities.code != 250 or not any(word.upper() == "STARTTLS" for word in offered):
        yield not_offered()
    yield Send(b"STARTTLS\r\n")
    answer = yield from smtp_reply("the answer to STARTTLS")
    if answer.code != 220:
        raise RefusedError("the server refused STARTTLS", answer.words)
    return Spoken(capabilities.lines[-1], offered)
