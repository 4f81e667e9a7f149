"""Input that does not begin with a TLS record: what it looks like, and what to do about it.

The most common failure of all is to speak TLS to a port that expects something else, so the error says what
the first bytes are a sign of.
"""

from __future__ import annotations

from handglass.registry import reasons
from handglass.registry.errors import PeerError

HTML = "an HTML page: the port speaks plain HTTP"
XMPP = "XML, as XMPP speaks it: try -starttls xmpp"
HTTP_REQUEST = "a plain HTTP request: the client does not use TLS"
SIGNS = (
    (b"HTTP/", "an HTTP answer: the port speaks plain HTTP, or an HTTP proxy stands in between"),
    (b"<!DOCTYPE", HTML),
    (b"<HTML", HTML),
    (b"<?XML", XMPP),
    (b"<STREAM:", XMPP),
    (b"SSH-", "an SSH server"),
    (b"220", "a greeting of SMTP or FTP: try -starttls smtp or -starttls ftp"),
    (b"200 ", "a greeting of NNTP: try -starttls nntp"),
    (b"201 ", "a greeting of NNTP: try -starttls nntp"),
    (b"+OK", "a POP3 greeting: try -starttls pop3"),
    (b"* OK", "an IMAP greeting: try -starttls imap"),
    (b"* PREAUTH", "an IMAP session that is logged in already: STARTTLS comes too late for it"),
    (b'"IMPLEMENTATION"', "a greeting of ManageSieve: try -starttls sieve"),
    (b"INFO {", "a NATS greeting: try -starttls nats"),
    (b"AMQP", "an AMQP header: try -starttls amqp"),
    (b"-ERR", "an error in POP3 or Redis"),
    (b"RFB ", "a VNC server"),
    (b"GET ", HTTP_REQUEST),
    (b"HEAD ", HTTP_REQUEST),
    (b"POST ", HTTP_REQUEST),
    (b"PUT ", HTTP_REQUEST),
    (b"OPTIONS ", HTTP_REQUEST),
    (b"CONNECT ", "an HTTP proxy request: the client takes this port for a proxy"),
    (b"EHLO", "a plain SMTP command: the client does not use TLS"),
)
"""What foreign protocols begin with, in capitals, and what that means."""


def not_tls(start: bytes) -> PeerError:
    """The error for input that does not begin with a TLS record; `start` are its first bytes."""
    if start.startswith(b"HTTP/"):
        reason = reasons.NOT_TLS_HTTP
    elif is_ssl2_hello(start):
        reason = reasons.SSL2_HELLO_REFUSED
    else:
        reason = reasons.NOT_TLS
    return PeerError(reason, describe(start))


def describe(start: bytes) -> str:
    """What the first bytes of something that is not TLS look like, for a person."""
    capitals = start.upper()
    for sign, meaning in SIGNS:
        if capitals.startswith(sign):
            return f"it begins with {start[:24]!r}, which is {meaning}"
    if is_ssl2_hello(start):
        return "it looks like an SSLv2 ClientHello"
    if len(start) > 5 and start[3] == 0 and start[4] == 10:  # the first packet, protocol version 10
        return "it looks like a MySQL greeting: try -starttls mysql"
    return f"it begins with {start[:16].hex(' ')} ({start[:16]!r})"


def is_ssl2_hello(start: bytes) -> bool:
    """Whether this is a ClientHello of SSL 2.0: a two-byte length, then the message type 1."""
    return len(start) > 2 and bool(start[0] & 0x80) and start[2] == 1
