"""Peers that break no rule that matters, and peers that go on before it is their turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handglass.crypto.finite_field import modp_prime
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.messages.handshake import Certificate12, Extension, HelloRequest, ServerHello, frame
from handglass.records import replace
from handglass.registry.code_points import (
    AlertDescription,
    CipherSuite,
    ExtensionType,
    HandshakeType,
    NamedGroup,
    ProtocolVersion,
)
from support.engines import Clock, Pair, alert_of, connect, identity, pair, reason_of, sessions
from support.rogue import SERVER, Act, Tap, changed, flights, misbehave, rebuilt, with_extension

TLS13, TLS12 = (ProtocolVersion.TLS1_3,), (ProtocolVersion.TLS1_2,)
BOTH = TLS13 + TLS12


def struck(made: Pair, side: str, number: int, act: Act) -> Pair:
    """Let one side of a pair misbehave at its message of this number, which is its last one."""
    Tap(made.server if side == SERVER else made.client, number, act)
    return made.start()


def altered(made: Pair, kind: HandshakeType, change: Callable[[bytes], bytes]) -> Pair:
    """Let the server send something else for each message of this type, and go on."""
    channel = made.server._channel
    send = channel.send_handshake

    def alter(raw: bytes) -> None:
        send(change(raw) if raw[0] == kind else raw)

    channel.send_handshake = alter  # type: ignore[method-assign]  # that is the alteration
    return made.start()


# Whose turn it is.


@pytest.mark.parametrize(
    ("world", "side", "kind"),
    [
        ("retried", "client", HandshakeType.CLIENT_HELLO),
        ("retried", "server", HandshakeType.SERVER_HELLO),
        ("old ECDHE", "client", HandshakeType.CLIENT_HELLO),
        ("old ECDHE", "server", HandshakeType.SERVER_HELLO_DONE),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 40])
def test_a_part_of_the_next_flight(world: str, side: str, kind: HandshakeType, size: int) -> None:
    """What answers us cannot be here before we have spoken (RFC 5246 §7.3, RFC 8446 §2)."""
    sent = flights(world)[side]
    number = next(n for n, raw in enumerate(sent) if raw[0] == kind)
    ahead = sent[number + 1][:size]
    victim, _ = misbehave(world, side, number, changed(lambda raw: raw + ahead))
    assert alert_of(victim) == AlertDescription.UNEXPECTED_MESSAGE
    assert reason_of(victim) == "PREMATURE_MESSAGE"


def test_hello_requests_may_come_at_any_time() -> None:
    """A client that is negotiating passes over them, also where it is its turn (RFC 5246 §7.4.1.1)."""
    made = pair(ClientConfig(versions=TLS12), ServerConfig(identities=(identity("p256"),)))
    altered(made, HandshakeType.SERVER_HELLO_DONE, lambda raw: raw + frame(HelloRequest()))
    made.check()


# What is passed over.


def test_groups_in_an_old_server_hello() -> None:
    """Deployed servers send supported_groups there; nobody refuses it, and it means nothing."""

    def with_groups(message: ServerHello) -> dict[str, object]:
        return {
            "extensions": with_extension(message.extensions, ExtensionType.SUPPORTED_GROUPS, b"\0\2\0\x1d")
        }

    made = pair(ClientConfig(versions=TLS12), ServerConfig(identities=(identity("p256"),)))
    struck(made, SERVER, 0, rebuilt(ServerHello, with_groups))
    assert made.client.error is None
    assert made.client.state == "read server certificate"


@pytest.mark.parametrize("size", [0, 1, 16, 40])
def test_early_data_that_no_key_goes_with(size: int) -> None:
    """It cannot be read, so it is passed over as all early data that is refused (RFC 8446 §4.2.10)."""
    offer = Extension(ExtensionType.EARLY_DATA, b"")
    made = pair(ClientConfig(extra_extensions=(offer,)))
    made.client.start()
    hello = bytes(made.client.data_to_send())
    made.server_events += made.server.receive(hello + bytes((23, 3, 3, 0, size)) + bytes(size))
    assert made.server.error is None
    made.run().check()
    assert made.server.negotiated.early_data == "rejected"


@pytest.mark.parametrize("versions", [TLS13, TLS12])
def test_as_many_extensions_as_fit(versions: tuple[ProtocolVersion, ...]) -> None:
    """A server passes over what it does not know, however much that is (RFC 8446 §4.1.2, RFC 5246 §7.4.1.4)."""
    many = tuple(Extension(ExtensionType(0x4000 + number), b"") for number in range(12_000))
    connect(ClientConfig(versions=versions, extra_extensions=many))


# What is not.


def test_an_id_of_no_session() -> None:
    """A server of TLS 1.2 that echoes an id which was made up for compatibility resumes nothing that exists."""
    made = pair(
        ClientConfig(versions=BOTH, session_id=bytes(range(32))),
        ServerConfig(identities=(identity("p256"),), versions=TLS12),
    )
    struck(made, SERVER, 0, rebuilt(ServerHello, lambda _: {"legacy_session_id_echo": bytes(range(32))}))
    assert alert_of(made.client) == AlertDescription.ILLEGAL_PARAMETER
    assert reason_of(made.client) == "UNKNOWN_SESSION_RESUMED"


def test_another_key_share_for_a_cookie_alone() -> None:
    """The second hello may only bring the cookie (RFC 8446 §4.1.2)."""
    made = pair(
        ClientConfig(groups=(NamedGroup.X25519,)),
        ServerConfig(identities=(identity("p256"),), send_cookie=True),
    )

    def other_share(raw: bytes) -> bytes:
        at = raw.index(b"\x00\x26\x00\x24\x00\x1d\x00\x20") + 8
        return raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]

    struck(made, "client", 1, changed(other_share))
    assert reason_of(made.server) == "SECOND_HELLO_CHANGED"


def test_what_is_no_certificate() -> None:
    """A damaged certificate is bad_certificate, not an unsupported one (RFC 8446 §6.2)."""
    honest, damaged = identity("p256").certificate, b"\x30\x41GARBAGE"
    for versions in TLS13, TLS12:
        made = pair(ClientConfig(versions=versions))
        altered(made, HandshakeType.CERTIFICATE, lambda raw: _with_certificate(raw, honest, damaged))
        assert alert_of(made.client) == AlertDescription.BAD_CERTIFICATE


def test_what_is_no_certificate_of_a_client() -> None:
    """It is refused where it comes, not only where its signature is due."""
    numbers = [
        n for n, raw in enumerate(flights("old ECDHE")["client"]) if raw[0] == HandshakeType.CERTIFICATE
    ]
    message = Certificate12((bytes(3),))
    victim, _ = misbehave("old ECDHE", "client", numbers[0], changed(lambda _: frame(message)))
    assert alert_of(victim) == AlertDescription.BAD_CERTIFICATE


def _with_certificate(raw: bytes, honest: bytes, other: bytes) -> bytes:
    """The same Certificate message with another certificate in it, all lengths put right."""
    at = raw.index(honest)
    context, after = raw[4 : at - 6], raw[at + len(honest) :]
    entry = len(other).to_bytes(3, "big") + other + after
    body = context + len(entry).to_bytes(3, "big") + entry
    return raw[:1] + len(body).to_bytes(3, "big") + body


# What is configured.

DHE = (CipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,)


def test_finite_fields_that_the_client_names() -> None:
    """Of those that it names one is used, or none (RFC 7919 §4), unless parameters were configured."""
    client = ClientConfig(versions=TLS12, suites=DHE, groups=(NamedGroup.FFDHE4096,))
    server = ServerConfig(identities=(identity("rsa"),), groups=(NamedGroup.FFDHE2048,))
    assert alert_of(pair(client, server).start().server) == AlertDescription.INSUFFICIENT_SECURITY
    shorter = replace(client, groups=(NamedGroup.FFDHE3072, NamedGroup.FFDHE2048))
    assert connect(shorter, server).client.negotiated.dh_bits == 2048
    configured = replace(server, dh_parameters=(modp_prime(1536), 2))
    assert connect(client, configured).client.negotiated.dh_bits == 1536


@pytest.mark.parametrize("resumed", [False, True])
def test_timestamps_come_with_a_certificate(resumed: bool) -> None:
    """A resumption has none, and so no SCTs (RFC 6962 §3.3.1)."""
    clock = Clock()
    server = ServerConfig(identities=(identity("p256"),), scts=b"\0\3\0\1x", sessions=sessions(clock))
    client = ClientConfig(versions=TLS12, request_scts=True)
    first = connect(client, server, clock=clock)
    assert first.client.negotiated.peer_scts == b"\0\3\0\1x"
    if resumed:
        again = connect(replace(client, session=first.session()), server, clock=clock)
        assert again.client.negotiated.resumed
        assert again.client.negotiated.peer_scts is None


def test_renegotiation_with_servers_of_old() -> None:
    """Whoever allows peers without RFC 5746 also follows their HelloRequest."""
    old = ServerConfig(identities=(identity("p256"),), versions=TLS12, allow_legacy_peer=True)
    client = ClientConfig(
        allow_legacy_peer=True,
        renegotiation_scsv=False,
        versions=TLS12,
        omit_extensions=frozenset({ExtensionType.RENEGOTIATION_INFO}),
    )
    made = connect(client, old)
    assert not made.client.negotiated.secure_renegotiation
    before = made.client.negotiated.client_random
    made.server.request_renegotiation()
    made.run()
    assert made.client.negotiated.client_random != before
    made.check()


def test_a_renegotiation_keeps_the_extended_master_secret() -> None:
    """A client does not let a server take back what binds a handshake to its own session (RFC 7627 §1)."""

    def drop(message: ServerHello) -> dict[str, object]:
        kept = with_extension(message.extensions, ExtensionType.EXTENDED_MASTER_SECRET, None)
        return {"extensions": kept}

    numbers = [
        n for n, raw in enumerate(flights("old ECDHE")[SERVER]) if raw[0] == HandshakeType.SERVER_HELLO
    ]
    victim, _ = misbehave("old ECDHE", SERVER, numbers[1], rebuilt(ServerHello, drop))
    assert reason_of(victim) == "EXTENDED_MASTER_SECRET_DROPPED"
    assert alert_of(victim) == AlertDescription.HANDSHAKE_FAILURE


def test_secure_renegotiation_cannot_begin_late() -> None:
    """A server that had none in the first handshake is broken, or somebody stands between (RFC 5746 §4.2)."""
    names = frozenset({ExtensionType.RENEGOTIATION_INFO})
    client = ClientConfig(
        versions=TLS12, allow_legacy_peer=True, renegotiation_scsv=False, omit_extensions=names
    )
    old = ServerConfig(identities=(identity("p256"),), versions=TLS12, allow_legacy_peer=True)
    made = connect(client, old)
    info = b"".join(made.client.negotiated.verify_data)

    def with_info(message: ServerHello) -> dict[str, object]:
        body = bytes((len(info),)) + info
        return {"extensions": with_extension(message.extensions, ExtensionType.RENEGOTIATION_INFO, body)}

    Tap(made.server, 1, rebuilt(ServerHello, with_info))
    made.server.request_renegotiation()
    made.run()
    assert reason_of(made.client) == "RENEGOTIATION_MISMATCH"


@pytest.mark.parametrize("resumed", [False, True])
def test_a_session_that_failed_is_forgotten(resumed: bool) -> None:
    """A connection that ended with a fatal alert is not resumed (RFC 5246 §7.2.2), one that was closed is."""
    clock = Clock()
    server = ServerConfig(
        identities=(identity("p256"),), versions=TLS12, tickets=False, sessions=sessions(clock)
    )
    first = connect(ClientConfig(versions=TLS12), server, clock=clock)
    client = ClientConfig(versions=TLS12, session=first.session())
    first.client.close()
    first.run()
    failed = connect(client, server, clock=clock) if resumed else first
    assert failed.client.negotiated.resumed is resumed
    if resumed:
        failed.client.abort(AlertDescription.INTERNAL_ERROR)
        failed.run()
    again = connect(client, server, clock=clock)
    assert again.client.negotiated.resumed is not resumed


def test_a_session_is_forgotten_for_the_servers_own_alert() -> None:
    """It does not matter who sent it."""
    clock = Clock()
    server = ServerConfig(
        identities=(identity("p256"),), versions=TLS12, tickets=False, sessions=sessions(clock)
    )
    first = connect(ClientConfig(versions=TLS12), server, clock=clock)
    first.server.receive(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert alert_of(first.server) == AlertDescription.BAD_RECORD_MAC
    again = connect(ClientConfig(versions=TLS12, session=first.session()), server, clock=clock)
    assert not again.client.negotiated.resumed


def test_the_clients_groups_bind_the_certificate() -> None:
    """Below TLS 1.3 the curve of an ECDSA certificate must be one of them (RFC 8422 §5.3)."""
    client = ClientConfig(versions=TLS12, groups=(NamedGroup.X25519, NamedGroup.SECP384R1))
    small, large = identity("p256"), identity("p384")
    refused = pair(client, ServerConfig(identities=(small,))).start().server
    assert reason_of(refused) == "NO_COMMON_SUITE"
    done = connect(client, ServerConfig(identities=(small, large)))
    assert done.client.negotiated.peer_certificates == (large.certificate,)
    connect(
        replace(client, versions=TLS13), ServerConfig(identities=(small,))
    )  # there the scheme alone counts


def test_a_certificate_on_a_curve_that_was_not_offered() -> None:
    """A server that shows one all the same is told so; nothing was said if the extension was left out."""
    client = ClientConfig(versions=TLS12, groups=(NamedGroup.X25519,))
    server = ServerConfig(identities=(identity("p256"),))
    unsaid = replace(client, omit_extensions=frozenset({ExtensionType.SUPPORTED_GROUPS}))
    made = pair(replace(unsaid, groups=(NamedGroup.SECP256R1,)), server)
    made.start().check()
    made = pair(replace(client, groups=(NamedGroup.SECP256R1,)), server)
    made.client_events += made.client.start()
    made.client._client.config = client
    made.run()
    assert reason_of(made.client) == "CERTIFICATE_CURVE_NOT_OFFERED"
