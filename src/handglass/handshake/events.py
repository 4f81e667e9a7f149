"""What happens on a connection, as the application sees it: one small class per kind of event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handglass.records import dataclass, field
from handglass.registry.code_points import AlertDescription, AlertLevel, SignatureScheme
from handglass.registry.errors import TLSError

if TYPE_CHECKING:
    from handglass.handshake.session import Session
    from handglass.handshake.state import Negotiated
    from handglass.handshake.wants import Ask


class Event:
    """Anything that a connection tells its application."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class HandshakeCompleted(Event):
    """Both Finished messages were exchanged; application data may flow both ways."""

    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class DataReceived(Event):
    """Application data, decrypted; `early` if it came as 0-RTT data, which may have been replayed (RFC 8446 §8)."""

    data: bytes = field(repr=False)
    early: bool = False


@dataclass(frozen=True, slots=True)
class EarlyDataEnded(Event):
    """The client's early data is complete (RFC 8446 §4.5)."""


@dataclass(frozen=True, slots=True)
class SessionReceived(Event):
    """The server gave a session that can be resumed: a ticket, or in TLS 1.2 a session id."""

    session: Session = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateRequested(Event):
    """The server asks for a client certificate (RFC 8446 §4.3.2, RFC 5246 §7.4.4); `answered` if one is sent."""

    authorities: Sequence[bytes]
    signature_schemes: Sequence[SignatureScheme]
    certificate_types: Sequence[int]
    post_handshake: bool
    answered: bool


@dataclass(frozen=True, slots=True)
class PeerCertificateReceived(Event):
    """The peer's certificate chain, DER, leaf first, as sent and before any judgement; empty if it sent none.

    `public_key`: the raw public key that it sent instead (RFC 7250), a SubjectPublicKeyInfo in DER.
    """

    chain: Sequence[bytes] = field(repr=False)
    post_handshake: bool = False
    public_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class PostHandshakeAuthenticationCompleted(Event):
    """The client answered our CertificateRequest after the handshake (RFC 8446 §4.6.2); its chain may be empty."""

    chain: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyUpdated(Event):
    """The peer's (`ours` false) or our sending keys changed (RFC 8446 §4.6.3)."""

    ours: bool
    update_requested: bool


@dataclass(frozen=True, slots=True)
class HeartbeatAnswered(Event):
    """The peer has answered our heartbeat request with its payload (RFC 6520 §4)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class RenegotiationRequested(Event):
    """The peer wants to renegotiate (RFC 5246 §7.4.1.1); `accepted` says whether it is let."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class WarningReceived(Event):
    """An alert that does not end the connection."""

    level: AlertLevel
    description: AlertDescription


@dataclass(frozen=True, slots=True)
class QuestionAsked(Event):
    """A deferred question: work it out with `question.run()` and give the result to `Connection.answer`."""

    question: Ask


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The peer will send no more; `clean` if it said so with close_notify (RFC 8446 §6.1)."""

    clean: bool


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The connection is over because of an error; the alert, if one is due, is among the bytes to send."""

    error: TLSError
