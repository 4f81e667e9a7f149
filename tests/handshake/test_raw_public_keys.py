"""Raw public keys in the place of certificates (RFC 7250), in both versions, for both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handglass.crypto.containers import public_key_info_of_certificate
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.events import PeerCertificateReceived, PostHandshakeAuthenticationCompleted
from handglass.handshake.state import PeerChain
from handglass.messages import extensions as ext
from handglass.messages.handshake import (
    Certificate12,
    Certificate13,
    EncryptedExtensions,
    Extension,
    Message,
    RawPublicKeyCertificate12,
    ServerHello,
    frame,
)
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.code_points import (
    AlertDescription,
    CertificateCompressionAlgorithm,
    CertificateType,
    CipherSuite,
    ExtensionType,
    ProtocolVersion,
)
from handglass.registry.errors import PeerError
from support.engines import Clock, Pair, alert_of, connect, identity, of_type, pair, reason_of, sessions
from support.rogue import with_extension

X509, RAW = CertificateType.X509, CertificateType.RAW_PUBLIC_KEY
TLS13, TLS12 = ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2
VERSIONS = pytest.mark.parametrize("version", [TLS13, TLS12])
KEY_TYPES = ("rsa", "rsa_pss", "p256", "p384", "ed25519", "ed448")


def key_of(key_type: str) -> bytes:
    """The SubjectPublicKeyInfo of an identity."""
    return public_key_info_of_certificate(identity(key_type).certificate).raw


def client(version: ProtocolVersion, **changes: object) -> ClientConfig:
    """A client that takes keys, and shows its own."""
    config = ClientConfig(
        versions=(version,),
        server_certificate_types=(RAW, X509),
        client_certificate_types=(RAW, X509),
        identities=(identity("ed25519"),),
    )
    return replace(config, **changes)


def server(version: ProtocolVersion, **changes: object) -> ServerConfig:
    """A server that shows its key, and asks for the client's."""
    config = ServerConfig(
        versions=(version,),
        server_certificate_types=(RAW, X509),
        client_certificate_types=(RAW, X509),
        client_authentication=ClientAuthentication.REQUIRE,
        identities=(identity("p256"),),
    )
    return replace(config, **changes)


class Judge:
    """Keeps what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[PeerChain] = []

    def __call__(self, chain: PeerChain) -> None:
        """Let everything pass."""
        self.asked.append(chain)


@VERSIONS
@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_both_sides_show_keys(version: ProtocolVersion, key_type: str) -> None:
    """No certificate travels; each side's judge gets the other's key."""
    one, two = Judge(), Judge()
    made = connect(
        client(version, identities=(identity(key_type),), verify_peer=one),
        server(version, identities=(identity(key_type),), verify_peer=two),
    )
    for connection, judge, events in (
        (made.client, one, made.client_events),
        (made.server, two, made.server_events),
    ):
        facts = connection.negotiated
        assert (facts.peer_certificates, facts.peer_public_key) == ((), key_of(key_type))
        assert (facts.server_certificate_type, facts.client_certificate_type) == (RAW, RAW)
        assert facts.own_certificates == ()
        assert [(chain.certificates, chain.public_key) for chain in judge.asked] == [((), key_of(key_type))]
        assert [event.public_key for event in of_type(events, PeerCertificateReceived)] == [key_of(key_type)]
    assert made.client.negotiated.client_certificate_sent


@VERSIONS
@pytest.mark.parametrize(
    ("offered", "has", "chosen"),
    [
        ((RAW, X509), (X509, RAW), X509),
        ((X509, RAW), (RAW, X509), RAW),
        ((RAW,), (X509, RAW), RAW),
        ((RAW, X509), (), X509),
        ((X509,), (RAW,), X509),
        ((), (RAW,), X509),
    ],
)
def test_choice(
    version: ProtocolVersion,
    offered: tuple[CertificateType, ...],
    has: tuple[CertificateType, ...],
    chosen: CertificateType,
) -> None:
    """The server's order counts; who says nothing means X.509 (RFC 7250 §4.2)."""
    made = connect(
        client(version, server_certificate_types=offered, client_certificate_types=offered),
        server(version, server_certificate_types=has, client_certificate_types=has),
    )
    for connection in (made.client, made.server):
        facts = connection.negotiated
        assert (facts.server_certificate_type, facts.client_certificate_type) == (chosen, chosen)
        assert bool(facts.peer_public_key) is (chosen is RAW)
        assert bool(facts.peer_certificates) is (chosen is X509)


@VERSIONS
def test_what_is_said_of_types(version: ProtocolVersion) -> None:
    """Only what is not the default is offered, and a client's own only if it has a key and is asked (§4.1, §4.2)."""
    both = {ExtensionType.SERVER_CERTIFICATE_TYPE, ExtensionType.CLIENT_CERTIFICATE_TYPE}
    for one, two, offered, answered in (
        (client(version), server(version), both, both),
        (client(version, identities=()), server(version, client_authentication=ClientAuthentication.REQUEST),
            {ExtensionType.SERVER_CERTIFICATE_TYPE}, {ExtensionType.SERVER_CERTIFICATE_TYPE}),
        (client(version), server(version, client_authentication=ClientAuthentication.NONE),
            both, {ExtensionType.SERVER_CERTIFICATE_TYPE}),
        (client(version, server_certificate_types=(X509,), client_certificate_types=()), server(version),
            set(), set()),
    ):  # fmt: skip
        made = connect(one, two)
        hello = made.server.negotiated.client_hello
        assert hello is not None
        assert both.intersection(hello.extension_types) == offered
        answers = {extension.type for extension in made.client.negotiated.server_extensions}
        assert both.intersection(answers) == answered


@VERSIONS
@pytest.mark.parametrize("who", ["server", "client"])
def test_nothing_in_common(version: ProtocolVersion, who: str) -> None:
    """unsupported_certificate from the server that has none of the named types (§4.2)."""
    types = f"{who}_certificate_types"
    made = pair(client(version, **{types: (RAW,)}), server(version, **{types: (X509,)})).start()
    assert reason_of(made.server) == "NO_COMMON_CERTIFICATE_TYPE"
    assert alert_of(made.client) is AlertDescription.UNSUPPORTED_CERTIFICATE


@VERSIONS
def test_a_server_that_knows_nothing_of_types(version: ProtocolVersion) -> None:
    """It would show a certificate, which this client does not take."""
    made = pair(
        client(version, server_certificate_types=(RAW,)), server(version, server_certificate_types=())
    ).start()
    assert reason_of(made.client) == "NO_COMMON_CERTIFICATE_TYPE"
    assert alert_of(made.server) is AlertDescription.UNSUPPORTED_CERTIFICATE


@VERSIONS
def test_a_client_without_a_key(version: ProtocolVersion) -> None:
    """Its empty message is read as one, also where keys were agreed on."""
    lacking = client(version, choose_identity=lambda *_: None)
    made = connect(lacking, server(version, client_authentication=ClientAuthentication.REQUEST))
    assert made.server.negotiated.client_certificate_type is RAW
    assert made.server.negotiated.peer_public_key == b""
    made = pair(lacking, server(version)).start()
    assert reason_of(made.server).startswith("CERTIFICATE_REQUIRED")


@VERSIONS
def test_resumption(version: ProtocolVersion) -> None:
    """No types are agreed on; what was shown is remembered on both sides, and counts as authentication."""
    clock = Clock()
    ready = server(version, sessions=sessions(clock))
    first = connect(client(version), ready, clock=clock)
    made = connect(client(version, session=first.session()), ready, clock=clock)
    assert made.client.negotiated.resumed
    assert made.client.negotiated.peer_public_key == key_of("p256")
    assert made.server.negotiated.peer_public_key == key_of("ed25519")
    only_keys = client(version, session=first.session(), server_certificate_types=(RAW,))
    assert connect(only_keys, ready, clock=clock).client.negotiated.resumed


def test_after_the_handshake() -> None:
    """A client that may be asked later shows its key then (RFC 8446 §4.6.2)."""
    made = connect(
        client(TLS13, post_handshake_auth=True),
        server(TLS13, client_authentication=ClientAuthentication.NONE),
    )
    made.server.request_certificate()
    made.run()
    assert made.server.negotiated.peer_public_key == key_of("ed25519")
    assert of_type(made.server_events, PostHandshakeAuthenticationCompleted)
    made.exchange()


def test_renegotiation() -> None:
    """The same again; without the extended master secret another key would be refused (RFC 7627 §1)."""
    made = connect(client(TLS12), server(TLS12))
    made.server.request_renegotiation()
    made.run().check()
    assert made.client.negotiated.peer_public_key == key_of("p256")
    turns = iter((identity("p256"), identity("p384")))
    changing = server(TLS12, choose_identity=lambda *_: (next(turns),), extended_master_secret=False)
    made = connect(client(TLS12), changing)
    made.server.request_renegotiation()
    made.run()
    assert reason_of(made.client) == "RENEGOTIATION_CERTIFICATE_CHANGED"


def test_rsa_key_transport() -> None:
    """The premaster secret is encrypted to the raw key (RFC 5246 §7.4.7.1)."""
    suites = (CipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256,)
    made = connect(client(TLS12, suites=suites), server(TLS12, suites=suites, identities=(identity("rsa"),)))
    assert made.client.negotiated.peer_public_key == key_of("rsa")


def test_compression_and_retry() -> None:
    """A compressed Certificate holds a key as well (RFC 8879), and a second hello offers the same types."""
    zlib = (CertificateCompressionAlgorithm.ZLIB,)
    made = connect(
        client(TLS13, certificate_compression=zlib),
        server(TLS13, certificate_compression=zlib, send_cookie=True, ocsp_response=b"x", scts=b"\0\0"),
    )
    assert made.client.negotiated.peer_public_key == key_of("p256")
    assert made.client.negotiated.hello_retried


@VERSIONS
def test_a_judge_refuses(version: ProtocolVersion) -> None:
    """The alert is that of its reason."""

    def refuse(chain: PeerChain) -> None:
        raise PeerError(reasons.CERTIFICATE_UNKNOWN)

    made = pair(client(version, verify_peer=refuse), server(version)).start()
    assert alert_of(made.server) is AlertDescription.CERTIFICATE_UNKNOWN


# Servers and clients that break the rules.


def meddled(
    one: ClientConfig,
    two: ServerConfig,
    side: str,
    form: type[Message],
    change: Callable[[Any], dict[str, Any]],
) -> Pair:
    """Let one side change its first message of a type, and go on as if nothing were."""
    made = pair(one, two)
    channel = (made.client if side == "client" else made.server)._channel
    send = channel.send_handshake
    done = False

    def alter(raw: bytes) -> None:
        nonlocal done
        if raw[0] == form.handshake_type and not done:
            done = True
            message = form.decode(raw[4:])
            raw = frame(replace(message, **change(message)))
        send(raw)

    channel.send_handshake = alter  # type: ignore[method-assign]  # that is the meddling
    return made.start()


def answer(kind: ExtensionType, body: bytes) -> Callable[[Any], dict[str, Any]]:
    """Change or add an extension of an answer."""
    return lambda message: {"extensions": with_extension(message.extensions, kind, body)}


ANSWERS: dict[ProtocolVersion, type[Message]] = {TLS13: EncryptedExtensions, TLS12: ServerHello}


@VERSIONS
@pytest.mark.parametrize(
    ("body", "alert"),
    [
        (bytes((CertificateType.OPENPGP,)), AlertDescription.ILLEGAL_PARAMETER),
        (b"", AlertDescription.DECODE_ERROR),
        (b"\1\2", AlertDescription.DECODE_ERROR),
    ],
)
def test_illegal_answers(version: ProtocolVersion, body: bytes, alert: AlertDescription) -> None:
    """A type that was not offered, and answers that are none."""
    for kind in (ExtensionType.SERVER_CERTIFICATE_TYPE, ExtensionType.CLIENT_CERTIFICATE_TYPE):
        made = meddled(client(version), server(version), "server", ANSWERS[version], answer(kind, body))
        assert alert_of(made.client) is alert


@VERSIONS
def test_answers_that_nobody_asked_for(version: ProtocolVersion) -> None:
    """unsupported_extension, as for any extension."""
    plain = client(version, server_certificate_types=(), client_certificate_types=())
    change = answer(ExtensionType.SERVER_CERTIFICATE_TYPE, bytes((RAW,)))
    silent = server(version, client_authentication=ClientAuthentication.NONE)
    made = meddled(plain, silent, "server", ANSWERS[version], change)
    assert alert_of(made.client) is AlertDescription.UNSUPPORTED_EXTENSION


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    ("change", "alert"),
    [
        (lambda entries: entries * 2, AlertDescription.ILLEGAL_PARAMETER),
        (lambda entries: (replace(entries[0], cert_data=b"0\0"),), AlertDescription.UNSUPPORTED_CERTIFICATE),
        (
            lambda entries: (replace(entries[0], cert_data=identity("p256").certificate),),
            AlertDescription.UNSUPPORTED_CERTIFICATE,
        ),
        (
            lambda entries: (replace(entries[0], cert_data=key_of("p384")),),
            AlertDescription.ILLEGAL_PARAMETER,
        ),
    ],
)
def test_keys_that_are_none(side: str, change: Callable[..., object], alert: AlertDescription) -> None:
    """Two keys, no key, a certificate where a key was agreed on, and the key of somebody else (RFC 8446 §4.4.2)."""

    def changed(message: Certificate13) -> dict[str, Any]:
        return {"certificate_list": change(message.certificate_list)}

    made = meddled(client(TLS13), server(TLS13), side, Certificate13, changed)
    assert alert_of(made.server if side == "client" else made.client) is alert


def test_old_messages_that_are_none() -> None:
    """Below TLS 1.3: an empty message of a server, and a list of certificates where a key was agreed on."""
    form = RawPublicKeyCertificate12
    made = meddled(client(TLS12), server(TLS12), "server", form, lambda _: {"subject_public_key_info": b""})
    assert reason_of(made.client) == "EMPTY_SERVER_CERTIFICATE"
    whole = Certificate12(identity("p256").certificates).encode()[3:]
    for side in ("client", "server"):
        made = meddled(client(TLS12), server(TLS12), side, form, lambda _: {"subject_public_key_info": whole})
        victim = made.server if side == "client" else made.client
        assert alert_of(victim) is AlertDescription.UNSUPPORTED_CERTIFICATE


@VERSIONS
def test_offers_that_are_none(version: ProtocolVersion) -> None:
    """An empty list is malformed, also for a server that would not choose from it."""
    for kind in (ExtensionType.SERVER_CERTIFICATE_TYPE, ExtensionType.CLIENT_CERTIFICATE_TYPE):
        odd = client(version, extra_extensions=(Extension(kind, b"\0"),))
        for types in ((RAW, X509), ()):
            ready = server(version, server_certificate_types=types, client_certificate_types=types)
            assert alert_of(pair(odd, ready).start().server) is AlertDescription.DECODE_ERROR
    unknown = ext.CertificateTypeOffer((CertificateType(99), RAW)).encode()
    odd = client(version, extra_extensions=(Extension(ExtensionType.SERVER_CERTIFICATE_TYPE, unknown),))
    assert connect(odd, server(version)).client.negotiated.peer_public_key == key_of("p256")
