"""A peer that misbehaves at one point and is honest up to there.

Strategy: the rogue side is our own engine, so it reaches every state of the other one with the right keys. A
tap on its channel sees each handshake message before it is sent, counts them, and puts something else in the
place of one; what the engine would send after that is left out, so the outcome is that of the one change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from handglass.connection import Connection
from handglass.crypto.entropy import Entropy
from handglass.crypto.signatures import PrivateKey, sign
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.sessions import MemorySessions
from handglass.handshake.wants import Want
from handglass.messages.handshake import Extension, Message, frame
from handglass.records import dataclass, field, replace
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CertificateType,
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.errors import LocalError
from support.engines import Clock, Pair, connect, identity, pair, sessions

TLS13, TLS12 = ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2
CLIENT, SERVER = "client", "server"

Act = Callable[[Connection, bytes], None]
M = TypeVar("M", bound=Message)


@dataclass()
class Tap:
    """Sees the handshake messages of one side; at number `at` (None: never) calls `act` in place of sending."""

    connection: Connection
    at: int | None = None
    act: Act | None = None
    seen: list[bytes] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        channel = self.connection._channel
        self._send: Callable[[bytes], None] = channel.send_handshake
        channel.send_handshake = self._take  # type: ignore[method-assign]  # that is the tap

    def _take(self, raw: bytes) -> None:
        if self.done:
            return
        self.seen.append(raw)
        if len(self.seen) - 1 != self.at:
            self._send(raw)
            return
        self.done = True
        assert self.act is not None
        channel = self.connection._channel
        channel.send_handshake = self._send  # type: ignore[method-assign, assignment]  # for the act itself
        self.act(self.connection, raw)
        channel._flush_handshake()
        channel._write_closed = True


def instead(raw: bytes) -> Act:
    """Send this message instead of the honest one."""
    return lambda connection, _: connection._channel.send_handshake(raw)


def changed(change: Callable[[bytes], bytes]) -> Act:
    """Send what `change` makes of the honest message."""
    return lambda connection, raw: connection._channel.send_handshake(change(raw))


def record(content_type: int, payload: bytes) -> Act:
    """Send a record of this type and content under the present keys instead."""

    def act(connection: Connection, _: bytes) -> None:
        channel = connection._channel
        channel._flush_handshake()
        channel.writer.seal(content_type, payload, channel._out)

    return act


def plain(data: bytes) -> Act:
    """Put these bytes on the wire as they are."""

    def act(connection: Connection, _: bytes) -> None:
        connection._channel._flush_handshake()
        connection._channel._out += data

    return act


def rebuilt(form: type[M], change: Callable[[M], dict[str, Any]]) -> Act:
    """Send the honest message with some fields changed."""

    def make(raw: bytes) -> bytes:
        message = form.decode(raw[4:])
        fields = {name: getattr(message, name) for name, _ in form.grammar()}
        return frame(form(**{**fields, **change(message)}))

    return changed(make)


def with_extension(
    extensions: tuple[Extension, ...] | None, kind: ExtensionType, body: bytes | None
) -> tuple[Extension, ...]:
    """Give the extensions with this one changed, added (at the front) or, with None, left out."""
    found = tuple(extensions or ())
    if body is None:
        return tuple(e for e in found if e.type != kind)
    if any(e.type == kind for e in found):
        return tuple(Extension(kind, body) if e.type == kind else e for e in found)
    return (Extension(kind, body), *found)


# The conversations in whose states things go wrong.


@dataclass(frozen=True)
class World:
    """How to make the two sides of one conversation, and what happens after the handshake."""

    name: str
    client: ClientConfig
    server: ServerConfig
    clock: Clock
    early: bytes = b""
    after: Callable[[Pair], None] | None = None

    def begin(self) -> Pair:
        """Make the two sides."""
        return pair(self.client, self.server, clock=self.clock)

    def play(self, made: Pair) -> None:
        """Let them talk to the end; whoever fails is silent from there on."""
        made.client_events += made.client.start()
        if self.early and made.client.early_data_limit:
            made.client.send_early_data(self.early)
        made.run()
        if self.after is not None and made.client.is_established and made.server.is_established:
            with suppress(LocalError):
                self.after(made)
            made.run()


def _authenticate_later(made: Pair) -> None:
    made.server.request_certificate()
    made.run()
    made.client.update_keys(request_peer=True)


def _renegotiate(made: Pair) -> None:
    made.server.request_renegotiation(authenticate=True)


@cache
def worlds() -> dict[str, World]:
    """Give all conversations by name."""
    clock = Clock()
    store = MemorySessions(clock, entropy=lambda size: b"\7" * size)  # the same tickets in every run
    groups = (NamedGroup.X25519, NamedGroup.SECP256R1)
    client = ClientConfig(
        sign=_sign_once,
        groups=groups,
        key_shares=(NamedGroup.X25519,),
        server_name="server.test",
        alpn=(b"h2",),
        identities=(identity("ed25519"),),
        post_handshake_auth=True,
        request_status=True,
        versions=(TLS13, TLS12),
        suites=(
            CipherSuite.TLS_AES_128_GCM_SHA256,
            CipherSuite.TLS_AES_256_GCM_SHA384,
            CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            CipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
            CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256,
        ),
    )
    server = ServerConfig(
        identities=(identity("p256"), identity("rsa")),
        groups=groups,
        alpn=(b"h2",),
        suites=client.suites,
        sessions=store,
        max_early_data=1000,
        accept_early_data=True,
        num_tickets=1,
        ocsp_response=b"ocsp",
        authorities=(b"0\0",),
        dh_parameters=(OAKLEY_2, 2),
        sign=_sign_once,
    )
    asking = replace(server, client_authentication=ClientAuthentication.REQUIRE)
    old = replace(client, versions=(TLS12,))
    old_server = replace(asking, versions=(TLS12,))
    zlib = (CertificateCompressionAlgorithm.ZLIB,)
    early = replace(client, early_data=True, session=connect(client, server, clock=clock).session())
    ticket = replace(old, session=connect(old, server, clock=clock).session())
    by_id = replace(server, tickets=False, sessions=sessions(clock))
    known = replace(old, tickets=False, session=connect(old, by_id, clock=clock).session())
    made = (
        World("full", client, asking, clock, after=_authenticate_later),
        World(
            "compressed",
            replace(client, certificate_compression=zlib),
            replace(asking, certificate_compression=zlib),
            clock,
        ),
        World("retried", client, replace(server, groups=groups[1:], send_cookie=True), clock),
        World("early data", early, replace(server, sessions=_Lenient(server)), clock, early=b"early"),
        World("early data refused", early, replace(server, accept_early_data=False), clock, early=b"early"),
        World("raw keys", replace(client, **RAW_KEYS), replace(asking, **RAW_KEYS), clock),
        World("old raw keys", replace(old, **RAW_KEYS), replace(old_server, **RAW_KEYS), clock),
        World("old ECDHE", old, old_server, clock, after=_renegotiate),
        World("old DHE", replace(old, suites=client.suites[3:4]), old_server, clock),
        World("old RSA", replace(old, suites=client.suites[4:]), old_server, clock),
        World("old ticket", ticket, server, clock),
        World("old session id", known, replace(by_id, sessions=_Lenient(by_id)), clock),
    )
    return {world.name: world for world in made}


RAW_KEYS = dict.fromkeys(
    ("server_certificate_types", "client_certificate_types"), (CertificateType.RAW_PUBLIC_KEY,)
)
"""Both sides show raw public keys (RFC 7250)."""

OAKLEY_2 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)
"""The prime of 1024 bits of RFC 2409 §6.2: large enough for our limits, and quick."""


_SIGNATURES: dict[tuple[int, bytes], bytes] = {}


def _sign_once(scheme: SignatureScheme, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
    """Sign, and remember the signature: a conversation that is replayed signs the same data again and again."""
    known = _SIGNATURES.get((scheme, data))
    if known is None:
        known = _SIGNATURES[scheme, data] = sign(scheme, key, data, entropy)
        if len(_SIGNATURES) > 1000:
            _SIGNATURES.pop(next(iter(_SIGNATURES)))
    return known


class _Lenient:
    """A session store that lets early data be replayed and keeps sessions that failed: one serves a whole test."""

    def __init__(self, config: ServerConfig) -> None:
        assert config.sessions is not None
        self._store = config.sessions
        self.put_ticket = self._store.put_ticket
        self.get_ticket = self._store.get_ticket
        self.put_id = self._store.put_id
        self.get_id = self._store.get_id

    def forget(self, session_id: bytes) -> None:
        """Do not."""

    def first_use(self, ticket: bytes) -> bool:  # noqa: ARG002 - as in the interface
        """Allow it."""
        return True


@cache
def flights(name: str) -> dict[str, tuple[bytes, ...]]:
    """Give the messages that each side sends in a conversation, in their order."""
    made = worlds()[name].begin()
    taps = {CLIENT: Tap(made.client), SERVER: Tap(made.server)}
    worlds()[name].play(made)
    assert made.client.error is None, (name, made.client.error)
    assert made.server.error is None, (name, made.server.error)
    return {side: tuple(tap.seen) for side, tap in taps.items()}


def steps() -> Iterator[tuple[str, str, int]]:
    """Yield each message of each conversation: (conversation, who sends it, number)."""
    for name in worlds():
        for side, messages in flights(name).items():
            for number in range(len(messages)):
                yield name, side, number


def misbehave(name: str, side: str, number: int, act: Act) -> tuple[Connection, Want | None]:
    """Let one side misbehave at its message of this number: the other side, and what it waited for then."""
    world = worlds()[name]
    made = world.begin()
    rogue, victim = (made.client, made.server) if side == CLIENT else (made.server, made.client)
    events = made.server_events if side == CLIENT else made.client_events
    waited: list[Want | None] = []

    def strike(connection: Connection, raw: bytes) -> None:
        before = bytes(connection.data_to_send())
        if before:
            events.extend(victim.receive(before))
        waited.append(victim._driver._wait)
        act(connection, raw)

    tap = Tap(rogue, number, strike)
    world.play(made)
    assert tap.done, (name, side, number)
    return victim, waited[0]
