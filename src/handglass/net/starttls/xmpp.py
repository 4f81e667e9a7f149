"""XMPP, client and server streams: open a stream, read its features, ask for TLS (RFC 6120 §5.4).

No XML parser stands here: of a peer that is not yet authenticated we read up to an end tag of known name,
within a limit.
"""

from __future__ import annotations

import re

from handglass.net.dialogue import Dialogue, ReadMatch, RefusedError, Send, malformed
from handglass.net.starttls.spoken import Names, Spoken, not_offered

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;"})
PREFIX = rb"(?:[A-Za-z_][\w.-]{0,32}:)?"
END_OF_FEATURES = re.compile(
    rb"</" + PREFIX + rb"features\s{0,16}>|<" + PREFIX + rb"features\s{0,16}/>"
    rb"|</" + PREFIX + rb"stream\s{0,16}>|</" + PREFIX + rb"error\s{0,16}>"
)
OFFER = re.compile(rb"<" + PREFIX + rb"starttls[\s/>]")
REQUIRED = re.compile(rb"<" + PREFIX + rb"required[\s/>]")
ANSWER = re.compile(
    rb"<" + PREFIX + rb"proceed(?:\s[^<>]{0,128})?>|<" + PREFIX + rb"failure(?:\s[^<>]{0,128})?>"
    rb"|</" + PREFIX + rb"stream\s{0,16}>|</" + PREFIX + rb"error\s{0,16}>"
)
BEGIN_OF_COMPLAINT = re.compile(rb"<" + PREFIX + rb"(?:error|failure)[\s/>]")
END_OF_PROCEED = re.compile(rb"</" + PREFIX + rb"proceed\s{0,16}>")


def xmpp(names: Names) -> Dialogue[Spoken]:
    """RFC 6120 §4.2 (stream header), §4.3.2 (features), §5.4.2 (STARTTLS) for a client."""
    return (yield from _start("client", names))


def xmpp_server(names: Names) -> Dialogue[Spoken]:
    """Hold the same between servers, in another content namespace (RFC 6120 §4.8.2)."""
    return (yield from _start("server", names))


def _start(role: str, names: Names) -> Dialogue[Spoken]:
    to = names.domain.translate(ESCAPES)
    header = (
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
        f"xmlns='jabber:{role}' to='{to}' version='1.0'>"
    )
    yield Send(header.encode())
    features = yield ReadMatch("the server's stream features", END_OF_FEATURES)
    if b"<" not in features[:64]:
        raise malformed("an XML stream", features)
    if not re.search(rb"features\s{0,16}/?>\Z", features):
        raise RefusedError("the server ended the stream", _complaint(features))
    if OFFER.search(features) is None:
        yield not_offered()
    yield Send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    answer = yield ReadMatch("the answer to <starttls/>", ANSWER)
    if re.search(rb"proceed(?:\s[^<>]{0,128})?>\Z", answer) is None:
        raise RefusedError("the server refused STARTTLS", _complaint(answer))
    if not answer.endswith(b"/>"):
        yield ReadMatch("the end of <proceed>", END_OF_PROCEED, limit=1024)
    offered = ("starttls",) if OFFER.search(features) else ()
    return Spoken(offered=(*offered, "required") if REQUIRED.search(features) else offered)


def _complaint(answer: bytes) -> bytes:
    """Return the part of an answer that says what is wrong; the headers in front of it are no news."""
    begin = BEGIN_OF_COMPLAINT.search(answer)
    return answer[begin.start() :] if begin is not None else answer
