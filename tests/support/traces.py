"""The two sides of the traces of RFC 8448: configurations and randomness that make them say what the document has.

Randomness is a script: the values in the order in which the engine draws them, each of the length it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.crypto import signatures
from handglass.crypto.containers import public_key_of_certificate
from handglass.crypto.entropy import Entropy
from handglass.crypto.hashes import digest
from handglass.crypto.identity import Identity
from handglass.crypto.signatures import PrivateKey
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.events import Event, SessionReceived
from handglass.handshake.observer import Observer
from handglass.handshake.session import Session
from handglass.messages import extensions as ext
from handglass.messages.handshake import Extension
from handglass.records import dataclass, field, replace
from handglass.registry.code_points import (
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from support.engines import Clock, Cut, whole
from support.rfc8448 import Step, Trace, rsa_numbers, trace

CLIENT_ORDER = tuple(
    ExtensionType(number)
    for number in (0x00, 0xFF01, 0x0A, 0x23, 0x33, 0x2A, 0x2B, 0x0D, 0x2C, 0x2D, 0x1C, 0x15, 0x29)
)
SERVER_ORDER = tuple(ExtensionType(number) for number in (0x0A, 0x1C, 0x00, 0x2A, 0x29, 0x33, 0x2C, 0x2B))

SUITES = (
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_256_GCM_SHA384,
)
SCHEMES = ext.SignatureAlgorithms.decode(
    bytes.fromhex("001e 0403 0503 0603 0203 0804 0805 0806 0401 0501 0601 0201 0402 0502 0602 0202")
).supported_signature_algorithms
GROUPS = (
    NamedGroup.X25519,
    NamedGroup.SECP256R1,
    NamedGroup.SECP384R1,
    NamedGroup.SECP521R1,
    NamedGroup.FFDHE2048,
    NamedGroup.FFDHE3072,
    NamedGroup.FFDHE4096,
    NamedGroup.FFDHE6144,
    NamedGroup.FFDHE8192,
)
RETRY_GROUPS = (NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.X25519)
COOKIE_SIZE = 114

AGE = 0.006
"""Seconds by which section 4 comes after the ticket of section 3; its obfuscated_ticket_age says so."""


class Script:
    """Randomness that was written down: every draw must be of the length of the next value."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self.left = list(values)

    def __call__(self, count: int) -> bytes:
        value = self.left.pop(0)
        assert len(value) == count
        return value


@dataclass()
class TicketStore:
    """A `SessionStore` that knows one ticket."""

    ticket: bytes
    session: Session | None = None
    used: list[bytes] = field(default_factory=list)

    def put_ticket(self, session: Session) -> bytes:
        self.session = session
        return self.ticket

    def get_ticket(self, ticket: bytes) -> Session | None:
        return self.session if ticket == self.ticket else None

    def put_id(self, session_id: bytes, session: Session) -> None:
        raise AssertionError(f"TLS 1.3 keeps no sessions by id: {session_id!r}, {session}")

    def get_id(self, session_id: bytes) -> Session | None:
        raise AssertionError(f"TLS 1.3 knows no sessions by id: {session_id!r}")

    def forget(self, session_id: bytes) -> None:
        raise AssertionError(f"TLS 1.3 forgets no sessions by id: {session_id!r}")

    def first_use(self, ticket: bytes) -> bool:
        self.used.append(ticket)
        return len(self.used) == 1


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """The server's RSA key (section 2)."""
    n = rsa_numbers()
    public = rsa.RSAPublicNumbers(n["public exponent"], n["modulus (public)"])
    return rsa.RSAPrivateNumbers(
        n["prime1"],
        n["prime2"],
        n["private exponent"],
        n["exponent1"],
        n["exponent2"],
        n["coefficient"],
        public,
    ).private_key()


def salt(signature: bytes) -> bytes:
    """The salt of an RSA-PSS signature of the server's key with SHA-256, by the public operation (RFC 8017 §9.1.2)."""
    n = rsa_numbers()
    size = len(signature)
    encoded = pow(int.from_bytes(signature, "big"), n["public exponent"], n["modulus (public)"]).to_bytes(
        size, "big"
    )
    hashed = encoded[-33:-1]
    mask = b"".join(digest("sha256", hashed + i.to_bytes(4, "big")) for i in range(size // 32))
    return bytes(a ^ b for a, b in zip(encoded[:-33], mask, strict=False))[-32:]


def signature_of(t: Trace, role: str) -> bytes:
    """The signature in the CertificateVerify of a side."""
    return t.message(role, "CertificateVerify")[8:]


def certificate_of(t: Trace, role: str) -> bytes:
    """The one certificate of a side."""
    return t.message(role, "Certificate")[11:-2]


def ticket_of(t: Trace) -> tuple[bytes, bytes]:
    """(age_add, ticket) of the NewSessionTicket: two bytes of nonce and one extension of eight stand in it."""
    raw = t.message("server", "NewSessionTicket")
    return raw[8:12], raw[17:-10]


Sign = Callable[[SignatureScheme, PrivateKey, bytes, Entropy], bytes]


def elsewhere(t: Trace, role: str) -> tuple[tuple[Identity], Sign]:
    """An identity whose private key the document does not show (section 6), and what signs for it.

    It gives the document's signature, after that was checked to be one of what the engine wants signed.
    """
    certificate, signature = certificate_of(t, role), signature_of(t, role)

    def sign(scheme: SignatureScheme, _key: PrivateKey, data: bytes, _entropy: Entropy) -> bytes:
        signatures.verify(scheme, public_key_of_certificate(certificate), data, signature)
        return signature

    unused = ec.derive_private_key(1, ec.SECP256R1())
    return (Identity(certificate, unused),), sign


def client_config(section: int, session: Session | None = None) -> ClientConfig:
    """The client of a section; section 4 takes the session of section 3."""
    t = trace(section)
    extra = [Extension(ExtensionType.RENEGOTIATION_INFO, b"\0")]
    if section == 3:
        extra.append(Extension(ExtensionType.SESSION_TICKET, b""))
    config = ClientConfig(
        versions=(ProtocolVersion.TLS1_3,),
        suites=SUITES,
        groups=GROUPS,
        key_shares=(NamedGroup.X25519,),
        signature_schemes=SCHEMES,
        server_name="server",
        record_size_limit=0x4001,
        extra_extensions=tuple(extra),
        extension_order=CLIENT_ORDER,
        middlebox_compatibility=section == 7,
        pad_hello_to=512,
    )
    if section == 4:
        return replace(config, session=session, early_data=True)
    if section == 5:
        return replace(config, groups=(NamedGroup.X25519, *RETRY_GROUPS[:2]))
    if section == 6:
        identities, sign = elsewhere(t, "client")
        return replace(config, identities=identities, sign=sign)
    return config


def server_config(section: int, store: TicketStore | None = None) -> ServerConfig:
    """The server of a section; sections 3 and 4 take the store with the ticket."""
    t = trace(section)
    config = ServerConfig(
        versions=(ProtocolVersion.TLS1_3,),
        suites=SUITES,
        groups=GROUPS,
        signature_schemes=SCHEMES,
        record_size_limit=0x4001,
        send_supported_groups=True,
        extension_order=SERVER_ORDER,
        sessions=store,
        num_tickets=int(section == 3),
        ticket_lifetime=30,
        ticket_nonce_size=2,
        max_early_data=1024,
        accept_early_data=section == 4,
    )
    if section == 6:
        identities, sign = elsewhere(t, "server")
        return replace(
            config, identities=identities, sign=sign, client_authentication=ClientAuthentication.REQUIRE
        )
    if section != 4:
        config = replace(config, identities=(Identity(certificate_of(t, "server"), rsa_key()),))
    if section == 5:
        tuples = tuple((group,) for group in RETRY_GROUPS)
        return replace(
            config, groups=RETRY_GROUPS, group_tuples=tuples, send_cookie=True, cookie_size=COOKIE_SIZE
        )
    return config


def client_script(section: int) -> Script:
    """What the client draws: its key share, its random, its session id, and the second share."""
    t = trace(section)
    hello = t.message("client", "ClientHello")
    keys = [step.values["private key"] for step in t.find("client", "create an ephemeral")]
    session_id = [hello[39:71]] if section == 7 else []
    return Script([keys[0], hello[6:38], *session_id, *keys[1:]])


def server_script(section: int) -> Script:
    """What the server draws: a cookie, its key share, its random, the salt of its signature, its ticket_age_add."""
    t = trace(section)
    values = [t.value("server", "create an ephemeral", "private key")]
    if section == 5:
        request = t.message("server", "ServerHello")
        at = request.index(b"\x00\x2c\x00\x74\x00\x72")
        values.insert(0, request[at + 6 :][:COOKIE_SIZE])
    values.append(t.message("server", "ServerHello", int(section == 5))[6:38])
    if section in {3, 5, 7}:
        values.append(salt(signature_of(t, "server")))
    if section == 3:
        values.append(ticket_of(t)[0])
    return Script(values)


@dataclass()
class End:
    """One side of a trace, ready to start."""

    connection: Connection
    script: Script
    config: ClientConfig | ServerConfig

    def start(self) -> list[Event]:
        """Begin, if it is for this side to begin."""
        return self.connection.start() if isinstance(self.connection, ClientConnection) else []


def end(section: int, role: str, observer: Observer | None = None) -> End:
    """A side of a trace. Section 4 resumes the session that this side got in section 3."""
    clock = Clock(AGE if section == 4 else 0.0)
    if role == "client":
        session = resumed_session() if section == 4 else None
        config = client_config(section, session)
        script = client_script(section)
        return End(ClientConnection(config, clock=clock, entropy=script, observer=observer), script, config)
    store = None
    if section in {3, 4}:
        store = TicketStore(ticket_of(trace(3))[1], stored_session() if section == 4 else None)
    own = server_config(section, store)
    script = server_script(section)
    return End(ServerConnection(own, clock=clock, entropy=script, observer=observer), script, own)


def act(one: Connection, step: Step) -> None:
    """Do what makes a side send this record, where it is not the handshake that makes it."""
    if step.what == "send application_data record":
        if isinstance(one, ClientConnection) and not one.is_established:
            one.send_early_data(step.values["payload"])
        else:
            one.send(step.values["payload"])
    elif step.what == "send alert record":
        one.close()


def play(
    section: int, role: str, *, cut: Cut = whole, observer: Observer | None = None
) -> tuple[End, list[Event]]:
    """Run one side against the document: what it sends must be the document's records, one after the other.

    It gets the other side's records as the document has them, in pieces as `cut` says. Returns the events.
    """
    one = end(section, role, observer)
    events = one.start()
    sent = bytearray()
    for step in trace(section).sent():
        record = step.values["complete record"]
        if step.role != role:
            for piece in cut(record):
                events += one.connection.receive(piece)
            continue
        act(one.connection, step)
        sent += one.connection.data_to_send()
        assert sent[: len(record)].hex() == record.hex(), f"{step.what} ({one.connection.error})"
        del sent[: len(record)]
    assert not sent
    assert not one.connection.data_to_send()
    assert one.connection.error is None
    assert not one.script.left
    return one, events


@cache
def resumed_session() -> Session:
    """The session that the client of section 3 got."""
    _, events = play(3, "client")
    return next(event.session for event in events if isinstance(event, SessionReceived))


@cache
def stored_session() -> Session:
    """The session that the server of section 3 keeps under its ticket."""
    one, _ = play(3, "server")
    assert isinstance(one.config, ServerConfig)
    assert isinstance(one.config.sessions, TicketStore)
    assert one.config.sessions.session is not None
    return one.config.sessions.session
