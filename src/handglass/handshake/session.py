"""What a resumption needs to know of an earlier connection, on either side."""

from __future__ import annotations

from typing import Protocol as Interface

from handglass.records import dataclass, field
from handglass.registry.code_points import CipherSuite, NamedGroup, ProtocolVersion


@dataclass(frozen=True, slots=True)
class Session:
    """A session that can be resumed (RFC 8446 §2.2, §4.6.1; RFC 5246 §7.3; RFC 5077).

    `secret` is the resumption PSK in TLS 1.3 and the master secret below it. `created` and `lifetime` are
    seconds; `created` counts from the epoch of the clock that was handed in. `age_add` obfuscates the
    ticket's age (RFC 8446 §4.2.11.1).
    """

    version: ProtocolVersion
    suite: CipherSuite
    secret: bytes = field(repr=False)
    ticket: bytes = field(default=b"", repr=False)
    session_id: bytes = b""
    created: float = 0.0
    lifetime: int = 0
    age_add: int = field(default=0, repr=False)
    max_early_data: int = 0
    alpn: bytes | None = None
    server_name: str | None = None
    extended_master_secret: bool = False
    encrypt_then_mac: bool = False
    peer_certificates: tuple[bytes, ...] = field(default=(), repr=False)
    peer_public_key: bytes = field(default=b"", repr=False)
    """What a peer without certificates showed (RFC 7250)."""
    group: NamedGroup | None = None
    context: bytes = b""


@dataclass(frozen=True, slots=True)
class ExternalPsk:
    """A pre-shared key that was agreed on outside TLS (RFC 8446 §2.2): `hash_name` binds it to suites of that hash."""

    identity: bytes
    key: bytes = field(repr=False)
    hash_name: str = "sha256"
    max_early_data: int = 0
    suite: CipherSuite | None = None
    """The one suite that early data under this key is sent with (RFC 8446 §4.2.10)."""
    imported: bool = False
    """The binder key is derived as for an imported PSK (RFC 9258), not as for an external one."""


class SessionStore(Interface):
    """Where a server keeps sessions. All methods may be called for several connections at a time."""

    def put_ticket(self, session: Session) -> bytes:
        """A ticket by which the session can be found (RFC 8446 §4.6.1, RFC 5077): at most 65,535 bytes."""

    def get_ticket(self, ticket: bytes) -> Session | None:
        """The session of a ticket, if it is one of ours and has not expired."""

    def put_id(self, session_id: bytes, session: Session) -> None:
        """Keep a session under its id (RFC 5246 §7.3)."""

    def get_id(self, session_id: bytes) -> Session | None:
        """The session with this id, if it is known and has not expired."""

    def forget(self, session_id: bytes) -> None:
        """Keep this session no longer, if there is one: its connection failed (RFC 5246 §7.2.2)."""

    def first_use(self, ticket: bytes) -> bool:
        """Whether this ticket is used for early data for the first time (RFC 8446 §8.1); it counts as used then."""
