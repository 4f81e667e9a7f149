"""Two engines back to back: a client and a server connection whose bytes go straight to each other.

Everything is deterministic: time stands still unless it is moved, and `entropy` gives the same bytes for the
same seed. Certificates are made once per run, one of each key type.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.crypto.containers import load_private_key
from handglass.crypto.entropy import SYSTEM_ENTROPY, Entropy
from handglass.crypto.identity import Identity, make_identity
from handglass.crypto.throwaway import KeyType, self_signed
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import DataReceived, Event, Failed, HandshakeCompleted, SessionReceived
from handglass.handshake.observer import Observer
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.records import dataclass, field
from handglass.registry.code_points import AlertDescription
from handglass.registry.errors import AlertReceived, LocalError, PeerError
from support import pki

KEY_TYPES = ("rsa", "rsa_pss", "p256", "p384", "p521", "ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87")

E = TypeVar("E", bound=Event)
Cut = Callable[[bytes], Iterable[bytes]]


@cache
def identity(key_type: str, name: str = "server.test") -> Identity:
    """Give the identity of this key type (one of `KEY_TYPES`) with a self-signed certificate."""
    if key_type != "rsa_pss":
        return self_signed(datetime.now(UTC), (name,), cast("KeyType", key_type))
    key = rsa.generate_private_key(65537, 2048)
    root = pki.Authority.make_root(name, key)
    certificate = pki._with_pss_key(root.certificate, key)
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return make_identity(
        certificate.public_bytes(serialization.Encoding.DER),
        load_private_key(pki._armour("PRIVATE KEY", pki._pkcs8_with_pss_key(pkcs8))),
    )


@cache
def subject(key_type: str, name: str = "server.test") -> bytes:
    """Give the DER subject of that identity's certificate, as a certificate authority's name."""
    return x509.load_der_x509_certificate(identity(key_type, name).certificate).subject.public_bytes()


def seeded(seed: int) -> Entropy:
    """Give a source of the same bytes in every run."""
    return random.Random(seed).randbytes


class Clock:
    """A clock that stands still until it is moved. Seconds."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def whole(data: bytes) -> Iterable[bytes]:
    """Deliver everything at once."""
    return (data,) if data else ()


def single_bytes(data: bytes) -> Iterable[bytes]:
    """Deliver one byte at a time."""
    return (data[i : i + 1] for i in range(len(data)))


def random_pieces(seed: int) -> Cut:
    """Deliver pieces of lengths that the seed determines, small ones more often."""
    source = random.Random(seed)

    def cut(data: bytes) -> Iterable[bytes]:
        at = 0
        while at < len(data):
            size = min(1 << source.randrange(12), source.randrange(1, 4096))
            yield data[at : at + size]
            at += size

    return cut


@dataclass()
class Pair:
    """A client and a server, and what each has told its application."""

    client: ClientConnection
    server: ServerConnection
    cut: Cut = whole
    client_events: list[Event] = field(default_factory=list)
    server_events: list[Event] = field(default_factory=list)

    def run(self) -> Pair:
        """Carry bytes to and fro until both are silent."""
        while True:
            up, down = bytes(self.client.data_to_send()), bytes(self.server.data_to_send())
            if not up and not down:
                return self
            for piece in self.cut(up):
                self.server_events += self.server.receive(piece)
            for piece in self.cut(down):
                self.client_events += self.client.receive(piece)

    def start(self) -> Pair:
        """Begin the handshake and go on to its end."""
        self.client_events += self.client.start()
        return self.run()

    def exchange(self, amount: int = 1000) -> None:
        """Send data both ways and check that it arrives."""
        for sender, events in ((self.client, self.server_events), (self.server, self.client_events)):
            before = len(events)
            data = random.Random(amount).randbytes(amount)
            sender.send(data)
            self.run()
            assert received(events[before:]) == data

    def check(self) -> Pair:
        """Check that both are connected and agree on everything, and that data flows."""
        assert self.client.error is None, self.client.error
        assert self.server.error is None, self.server.error
        assert self.client.is_established
        assert self.server.is_established
        one, two = self.client.negotiated, self.server.negotiated
        for name in (
            "version",
            "suite",
            "group",
            "alpn",
            "server_name",
            "resumed",
            "extended_master_secret",
            "encrypt_then_mac",
            "secure_renegotiation",
            "hello_retried",
            "client_random",
            "server_random",
            "verify_data",
        ):
            assert getattr(one, name) == getattr(two, name), name
        keys = [
            connection.export_keying_material(b"EXPORTER-test", b"context", 40)
            for connection in (self.client, self.server)
        ]
        assert keys[0] == keys[1]
        assert keys[0] != self.client.export_keying_material(b"EXPORTER-test", b"other", 40)
        self.exchange()
        return self

    def session(self) -> Session:
        """Give the last session that the client got."""
        found = [event.session for event in self.client_events if isinstance(event, SessionReceived)]
        assert found, "the client got no session"
        return found[-1]


def received(events: Sequence[Event]) -> bytes:
    """Give the application data of these events."""
    return b"".join(event.data for event in events if isinstance(event, DataReceived))


def of_type(events: Sequence[Event], kind: type[E]) -> list[E]:
    """Give the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def completed(events: Sequence[Event]) -> int:
    """Count the handshakes that were completed."""
    return len(of_type(events, HandshakeCompleted))


def pair(
    client: ClientConfig | None = None,
    server: ServerConfig | None = None,
    *,
    clock: Clock | None = None,
    entropy: Entropy = SYSTEM_ENTROPY,
    cut: Cut = whole,
    observers: tuple[Observer | None, Observer | None] = (None, None),
    deferred: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
) -> Pair:
    """Make a client and a server that have not spoken yet; the server has a P-256 certificate unless told otherwise."""
    time = clock or Clock()
    client = client or ClientConfig()
    server = server or ServerConfig(identities=(identity("p256"),))
    one = ClientConnection(client, clock=time, entropy=entropy, observer=observers[0], deferred=deferred[0])
    two = ServerConnection(server, clock=time, entropy=entropy, observer=observers[1], deferred=deferred[1])
    return Pair(one, two, cut)


def connect(client: ClientConfig | None = None, server: ServerConfig | None = None, **options: Any) -> Pair:
    """Make a pair, finish the handshake and check it."""
    return pair(client, server, **options).start().check()


def sessions(clock: Clock) -> MemorySessions:
    """Give a session store of its own."""
    return MemorySessions(clock)


def alert_of(connection: Connection) -> AlertDescription:
    """Give the alert with which this side ended the connection, or that it received."""
    error = connection.error
    if isinstance(error, AlertReceived):
        return error.description
    assert isinstance(error, PeerError | LocalError), error
    return error.alert


def reason_of(connection: Connection) -> str:
    """Give the name of the reason for which this side ended the connection."""
    assert isinstance(connection.error, PeerError | LocalError), connection.error
    return connection.error.reason.name


def failures(events: Sequence[Event]) -> list[Failed]:
    """Give the failures among these events."""
    return of_type(events, Failed)
