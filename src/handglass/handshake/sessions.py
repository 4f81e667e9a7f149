"""A server's sessions in memory: tickets that carry the session themselves, sealed, and ids that point to it.

Tickets are AES-256-GCM over the encoded session under a random key that lives as long as the store (RFC
5077 §4), so any number of them costs no memory, and processes that share the key share the sessions. What
must be remembered, ids and used tickets, is limited in number: the oldest go first, and a used ticket is
kept until its session expires. Several threads may use one store: each step that decides is a single one of
the dictionary's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

from handglass.crypto import BadTag
from handglass.crypto.aead import aead
from handglass.crypto.entropy import SYSTEM_ENTROPY, Entropy
from handglass.crypto.hashes import digest
from handglass.handshake.session import Session
from handglass.records import replace
from handglass.registry.code_points import CipherSuite, NamedGroup, ProtocolVersion
from handglass.wire import DecodeError, Struct, opaque, uint8, uint32, uint64, vector

TICKET_KEY_SIZE = 48
"""Bytes of key material: the name of the key (16) and the AES-256 key (32)."""
MAX_REMEMBERED = 20_480
"""How many ids are kept, as OpenSSL's cache does by default."""
MAX_USED = 100_000
"""How many used tickets are kept; while more are in use, further early data is refused."""
MAX_CERTIFICATES = 16_384
"""Bytes of client certificates, or of a raw public key, that a ticket may carry."""


class SealedSession(Struct):
    """What a ticket holds: `Session` in the presentation language."""

    version: ProtocolVersion
    suite: CipherSuite
    secret: Annotated[bytes, opaque(0, 255)]
    created: uint64
    lifetime: uint32
    age_add: uint32
    max_early_data: uint32
    flags: uint8
    alpn: Annotated[bytes, opaque(0, 255)]
    server_name: Annotated[bytes, opaque(0, 65535)]
    context: Annotated[bytes, opaque(0, 255)]
    group: NamedGroup
    peer_public_key: Annotated[bytes, opaque(0, 65535)]
    peer_certificates: Annotated[tuple[Annotated[bytes, opaque(0, 2**24 - 1)], ...], vector(0, 2**24 - 1)]


class MemorySessions:
    """The `SessionStore` of a server process. `clock` gives seconds since the epoch."""

    def __init__(
        self, clock: Callable[[], float], entropy: Entropy = SYSTEM_ENTROPY, ticket_key: bytes | None = None
    ) -> None:
        key = ticket_key if ticket_key is not None else entropy(TICKET_KEY_SIZE)
        if len(key) != TICKET_KEY_SIZE:
            raise ValueError(f"a ticket key has {TICKET_KEY_SIZE} bytes, not {len(key)}")
        self._name = key[:16]
        self._aead = aead("AES_256_GCM", key[16:])
        self._entropy = entropy
        self._clock = clock
        self._by_id: OrderedDict[bytes, Session] = OrderedDict()
        self._used: OrderedDict[bytes, tuple[float]] = OrderedDict()
        self.hits = 0
        self.misses = 0
        self.timeouts = 0
        self.full = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def put_ticket(self, session: Session) -> bytes:
        """Seal a session into a ticket: key name, nonce, ciphertext with its tag."""
        nonce = self._entropy(12)
        plain = encode_session(session)
        out = bytearray(len(plain) + 16)
        self._aead.encrypt_into(nonce, plain, self._name, out)
        return self._name + nonce + bytes(out)

    def get_ticket(self, ticket: bytes) -> Session | None:
        """Open a ticket; None if it is not one of ours, was changed, or has expired."""
        if len(ticket) < 16 + 12 + 16 or ticket[:16] != self._name:
            self.misses += 1
            return None
        out = bytearray(len(ticket) - 16 - 12 - 16)
        try:
            self._aead.decrypt_into(ticket[16:28], ticket[28:], self._name, out)
            session = decode_session(bytes(out))
        except (BadTag, DecodeError):
            self.misses += 1
            return None
        return self._count(session)

    def put_id(self, session_id: bytes, session: Session) -> None:
        """Keep a session under its id, in place of the oldest one if there are too many."""
        self._by_id[session_id] = replace(session, session_id=session_id)
        if len(self._by_id) > MAX_REMEMBERED:
            self._by_id.popitem(last=False)
            self.full += 1

    def get_id(self, session_id: bytes) -> Session | None:
        """The session with this id; None if it is unknown or has expired."""
        session = self._by_id.get(session_id)
        if session is None:
            self.misses += 1
            return None
        found = self._count(session)
        if found is None:
            self._by_id.pop(session_id, None)
        return found

    def forget(self, session_id: bytes) -> None:
        """Keep this session no longer, if there is one."""
        self._by_id.pop(session_id, None)

    def first_use(self, ticket: bytes) -> bool:
        """Whether this ticket has not been used for early data before (RFC 8446 §8.1)."""
        self._forget_expired()
        name = digest("sha256", ticket)
        if name in self._used or len(self._used) >= MAX_USED:
            return False
        session = self.get_ticket(ticket)
        expires = session.created + session.lifetime if session is not None else self._clock() + 7 * 24 * 3600
        mine = (expires,)
        # Of several threads that have come this far with one ticket, one finds its own entry.
        return self._used.setdefault(name, mine) is mine

    def _forget_expired(self) -> None:
        now = self._clock()
        try:
            while self._used:
                name, (expires,) = next(iter(self._used.items()))
                if expires > now:
                    return
                self._used.pop(name, None)
        except (RuntimeError, StopIteration):  # another thread is at it
            return

    def _count(self, session: Session) -> Session | None:
        if self._clock() - session.created > session.lifetime:
            self.timeouts += 1
            return None
        self.hits += 1
        return session


def encode_session(session: Session) -> bytes:
    """A session as bytes, to be sealed."""
    certificates, raw_key = session.peer_certificates, session.peer_public_key
    if sum(map(len, certificates)) + len(raw_key) > MAX_CERTIFICATES:
        certificates, raw_key = (), b""
    flags = (
        session.extended_master_secret
        | session.encrypt_then_mac << 1
        | (session.alpn is not None) << 2
        | (session.server_name is not None) << 3
    )
    return SealedSession(
        version=session.version,
        suite=session.suite,
        secret=session.secret,
        created=int(session.created * 1000),
        lifetime=session.lifetime,
        age_add=session.age_add,
        max_early_data=session.max_early_data,
        flags=flags,
        alpn=session.alpn or b"",
        server_name=(session.server_name or "").encode(),
        context=session.context,
        group=session.group if session.group is not None else NamedGroup(0),
        peer_public_key=raw_key,
        peer_certificates=certificates,
    ).encode()


def decode_session(data: bytes) -> Session:
    """The session in these bytes. Raises DecodeError."""
    sealed = SealedSession.decode(data)
    return Session(
        version=sealed.version,
        suite=sealed.suite,
        secret=sealed.secret,
        created=sealed.created / 1000,
        lifetime=sealed.lifetime,
        age_add=sealed.age_add,
        max_early_data=sealed.max_early_data,
        alpn=sealed.alpn if sealed.flags & 4 else None,
        server_name=sealed.server_name.decode() if sealed.flags & 8 else None,
        extended_master_secret=bool(sealed.flags & 1),
        encrypt_then_mac=bool(sealed.flags & 2),
        peer_certificates=sealed.peer_certificates,
        peer_public_key=sealed.peer_public_key,
        group=sealed.group if sealed.group else None,
        context=sealed.context,
    )
