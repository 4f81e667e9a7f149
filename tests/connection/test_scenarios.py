"""What connections do besides a plain handshake: early data, key updates, authentication later, renegotiation."""

from __future__ import annotations

import pytest

from handglass.channel.limits import Limits
from handglass.connection.base import UPDATE_MARGIN
from handglass.handshake.config import ClientAuthentication, ClientConfig, ServerConfig
from handglass.handshake.events import (
    CertificateRequested,
    DataReceived,
    EarlyDataEnded,
    KeyUpdated,
    PostHandshakeAuthenticationCompleted,
    RenegotiationRequested,
    SessionReceived,
    WarningReceived,
)
from handglass.handshake.session import ExternalPsk
from handglass.records import replace
from handglass.registry.code_points import (
    AlertDescription,
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    PskKeyExchangeMode,
    SignatureScheme,
)
from handglass.registry.errors import LocalError
from support.engines import (
    Clock,
    Pair,
    alert_of,
    completed,
    connect,
    identity,
    of_type,
    pair,
    random_pieces,
    reason_of,
    received,
    seeded,
    sessions,
    single_bytes,
    whole,
)

TLS13, TLS12 = ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2
BOTH_MODES = (PskKeyExchangeMode.PSK_DHE_KE, PskKeyExchangeMode.PSK_KE)


# Early data (RFC 8446 §2.3, §4.2.10, §8).


class EarlyWorld:
    """A server that takes early data, and a client with a ticket for it."""

    def __init__(self, **server: object) -> None:
        self.clock = Clock()
        self.server = ServerConfig(
            identities=(identity("p256"),),
            sessions=sessions(self.clock),
            max_early_data=2000,
            accept_early_data=True,
            alpn=(b"h2", b"http/1.1"),
        )
        self.client = ClientConfig(versions=(TLS13,), early_data=True, alpn=(b"h2",))
        first = connect(self.client, self.server, clock=self.clock)
        self.client = replace(self.client, session=first.session())
        self.server = replace(self.server, **server)

    def attempt(self, data: bytes = b"early", **options: object) -> Pair:
        """Resume with early data."""
        tried = pair(self.client, self.server, clock=self.clock, **options)  # type: ignore[arg-type]  # as pair()
        tried.client_events += tried.client.start()
        tried.client.send_early_data(data)
        return tried.run()


@pytest.mark.parametrize("cut", [whole, single_bytes, random_pieces(3)], ids=["whole", "bytes", "pieces"])
@pytest.mark.parametrize("compatible", [True, False], ids=["compatible", "plain"])
def test_early_data_is_accepted(cut: object, compatible: bool) -> None:
    """It arrives, marked as early, and before the handshake is done."""
    world = EarlyWorld()
    world.client = replace(world.client, middlebox_compatibility=compatible)
    done = world.attempt(b"early" * 100, cut=cut).check()
    assert done.client.negotiated.early_data == done.server.negotiated.early_data == "accepted"
    early = [event for event in of_type(done.server_events, DataReceived) if event.early]
    assert b"".join(event.data for event in early) == b"early" * 100
    assert len(of_type(done.server_events, EarlyDataEnded)) == 1


def test_early_exporters_agree() -> None:
    """The early exporter secret is the same on both sides (RFC 8446 §7.5)."""
    done = EarlyWorld().attempt()
    keys = [
        connection.negotiated.early_exporter(b"label", b"context", 20)
        for connection in (done.client, done.server)
        if connection.negotiated.early_exporter is not None
    ]
    assert len(keys) == 2
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    "change",
    [
        {"accept_early_data": False},
        {"send_cookie": True},
        {"groups": (NamedGroup.SECP384R1,)},
        {"alpn": (b"http/1.1",), "require_alpn_overlap": False},
        {"suites": (CipherSuite.TLS_CHACHA20_POLY1305_SHA256,)},
        {"session_context": b"another"},
        {"sessions": None},
    ],
    ids=["forbidden", "cookie", "group", "alpn", "suite", "context", "no-sessions"],
)
@pytest.mark.parametrize("cut", [whole, single_bytes], ids=["whole", "bytes"])
def test_early_data_is_rejected(change: dict[str, object], cut: object) -> None:
    """It is passed over, in every way to refuse it, and the handshake succeeds all the same."""
    done = EarlyWorld(**change).attempt(b"x" * 1999, cut=cut).check()
    assert done.client.negotiated.early_data == "rejected"
    assert not any(event.early for event in of_type(done.server_events, DataReceived))


def test_early_data_is_not_replayed() -> None:
    """A ticket carries early data once (RFC 8446 §8.1)."""
    world = EarlyWorld()
    assert world.attempt().check().client.negotiated.early_data == "accepted"
    second = world.attempt().check()
    assert second.client.negotiated.early_data == "rejected"
    assert second.client.negotiated.resumed


def test_early_data_is_not_taken_late() -> None:
    """A hello that was held back is not fresh (RFC 8446 §8.3)."""
    world = EarlyWorld()
    tried = pair(world.client, world.server, clock=world.clock)
    tried.client_events += tried.client.start()
    tried.client.send_early_data(b"early")
    world.clock.now += 11
    tried.run().check()
    assert tried.client.negotiated.early_data == "rejected"


def test_limits_of_early_data() -> None:
    """The client may not send more than the ticket allows, and the server does not take more."""
    world = EarlyWorld()
    tried = pair(world.client, world.server, clock=world.clock)
    with pytest.raises(LocalError):
        tried.client.send_early_data(b"before the start")
    tried.client.start()
    assert tried.client.early_data_limit == 2000
    with pytest.raises(LocalError):
        tried.client.send_early_data(bytes(2001))
    tried.client.send_early_data(bytes(2000))
    tried.run().check()
    with pytest.raises(LocalError):
        tried.client.send_early_data(b"after the handshake")
    strict = EarlyWorld(receive_max_early_data=10).attempt(bytes(11))
    assert reason_of(strict.server) == "TOO_MUCH_EARLY_DATA"


def test_too_much_refused_early_data() -> None:
    """What is skipped is limited too."""
    world = EarlyWorld(accept_early_data=False, max_early_data=0, limits=Limits(early_data=1000))
    assert world.attempt(bytes(1000)).check().client.negotiated.early_data == "rejected"
    assert reason_of(world.attempt(bytes(1001)).server) == "TOO_MUCH_SKIPPED_DATA"


# Pre-shared keys (RFC 8446 §2.2).


@pytest.mark.parametrize("modes", [(BOTH_MODES[0],), (BOTH_MODES[1],)], ids=["dhe", "plain"])
@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("looked_up", [False, True])
def test_external_psk(modes: tuple[PskKeyExchangeMode], imported: bool, looked_up: bool) -> None:
    """A key that was agreed on outside TLS; no certificate is needed."""
    psk = ExternalPsk(b"Client_identity", b"k" * 32, "sha384", imported=imported)
    server = ServerConfig(psk_modes=BOTH_MODES)
    if looked_up:
        server = replace(server, find_psk=lambda name: psk if name == psk.identity else None)
    else:
        server = replace(server, psks=(psk,))
    client = ClientConfig(versions=(TLS13,), psks=(ExternalPsk(b"unknown", b"u"), psk), psk_modes=modes)
    done = connect(client, server)
    assert done.server.negotiated.psk_identity == b"Client_identity"
    wrong = ClientConfig(psks=(replace(psk, key=b"wrong"),), psk_modes=modes)
    failed = pair(wrong, server).start()
    assert reason_of(failed.server) == "BINDER_MISMATCH"
    assert alert_of(failed.client) == AlertDescription.DECRYPT_ERROR


def test_early_data_with_an_external_psk() -> None:
    """It names its suite and how much it carries (RFC 8446 §4.2.10)."""
    suite = CipherSuite.TLS_AES_128_GCM_SHA256
    psk = ExternalPsk(b"id", b"k" * 32, max_early_data=100, suite=suite)
    clock = Clock()
    server = ServerConfig(psks=(psk,), accept_early_data=True, sessions=sessions(clock))
    done = pair(ClientConfig(psks=(psk,), early_data=True), server, clock=clock)
    done.client.start()
    done.client.send_early_data(b"early")
    done.run().check()
    assert done.server.negotiated.early_data == "accepted"
    assert received(done.server_events).startswith(b"early")


def test_an_unknown_ticket_leads_to_a_full_handshake() -> None:
    """Neither a ticket of another server nor an expired one is an error."""
    clock = Clock()
    config = ServerConfig(identities=(identity("p256"),), sessions=sessions(clock))
    for version in (TLS13, TLS12):
        client = ClientConfig(versions=(version,))
        session = connect(client, config, clock=clock).session()
        other = replace(config, sessions=sessions(clock))
        done = connect(replace(client, session=session), other, clock=clock)
        assert not done.client.negotiated.resumed
        clock.now += 7201
        late = replace(session, lifetime=100_000)
        assert not connect(replace(client, session=late), config, clock=clock).client.negotiated.resumed
        unsent = pair(replace(client, session=session), config, clock=clock).start().check()
        assert not unsent.client.negotiated.resumed


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
def test_resumption_needs_the_same_name_and_the_required_certificate(version: ProtocolVersion) -> None:
    """Another server name (RFC 6066 §3), or a session without the certificate that is required: a full handshake."""
    clock = Clock()
    config = ServerConfig(identities=(identity("p256"),), sessions=sessions(clock))
    client = ClientConfig(versions=(version,), server_name="one.test", identities=(identity("p384"),))
    first = connect(client, config, clock=clock)
    client = replace(client, session=first.session())
    assert connect(client, config, clock=clock).server.negotiated.resumed
    other = connect(replace(client, server_name="two.test"), config, clock=clock)
    assert not other.server.negotiated.resumed
    strict = replace(config, client_authentication=ClientAuthentication.REQUIRE)
    again = connect(client, strict, clock=clock)
    assert not again.server.negotiated.resumed
    assert again.server.negotiated.peer_certificates
    resumed = connect(replace(client, session=again.session()), strict, clock=clock)
    assert resumed.server.negotiated.resumed
    assert resumed.server.negotiated.peer_certificates == again.server.negotiated.peer_certificates


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_number_of_tickets(number: int) -> None:
    """As many as configured after a full handshake, one after a resumption."""
    clock = Clock()
    config = ServerConfig(identities=(identity("p256"),), sessions=sessions(clock), num_tickets=number)
    first = connect(ClientConfig(), config, clock=clock)
    assert len(of_type(first.client_events, SessionReceived)) == number
    if number:
        again = connect(ClientConfig(session=first.session()), config, clock=clock)
        assert len(of_type(again.client_events, SessionReceived)) == 1


# Key updates (RFC 8446 §4.6.3, §5.5).


@pytest.mark.parametrize("request_peer", [False, True])
@pytest.mark.parametrize("by_client", [False, True])
def test_key_update(request_peer: bool, by_client: bool) -> None:
    """Either side, asking the other or not."""
    done = connect()
    one, two = (done.client, done.server) if by_client else (done.server, done.client)
    mine, theirs = (
        (done.client_events, done.server_events) if by_client else (done.server_events, done.client_events)
    )
    for _ in range(3):
        mine.clear()
        theirs.clear()
        mine += one.update_keys(request_peer=request_peer)
        done.run()
        assert KeyUpdated(ours=False, update_requested=request_peer) in theirs
        assert (KeyUpdated(ours=False, update_requested=False) in mine) is request_peer
        done.exchange()
    assert one._channel.writer.sequence < 5
    assert two.error is None


def test_keys_are_updated_before_their_limit() -> None:
    """Automatic, also in the middle of one large piece of data (RFC 8446 §5.5)."""
    done = connect()
    done.client._channel.writer.seal_limit = UPDATE_MARGIN + 3
    done.exchange(10 << 14)
    assert len(of_type(done.client_events, KeyUpdated)) == 1
    assert len(of_type(done.server_events, KeyUpdated)) == 1


def test_keys_that_cannot_be_updated() -> None:
    """Below TLS 1.3 there is an error instead, and nothing is sent under keys that are used up."""
    done = connect(ClientConfig(versions=(TLS12,)))
    done.client._channel.writer.seal_limit = UPDATE_MARGIN
    with pytest.raises(LocalError):
        done.client.send(b"x")
    assert not done.client.has_data_to_send


def test_simultaneous_key_updates() -> None:
    """Both ask at the same time."""
    done = connect()
    done.client.update_keys(request_peer=True)
    done.server.update_keys(request_peer=True)
    done.run().exchange()


# Post-handshake authentication (RFC 8446 §4.6.2).


@pytest.mark.parametrize("cut", [whole, single_bytes], ids=["whole", "bytes"])
@pytest.mark.parametrize("has", [True, False], ids=["has-one", "has-none"])
def test_post_handshake_authentication(cut: object, has: bool) -> None:
    """Asked for once, twice at a time, and amid key updates and data."""
    identities = (identity("p384"),) if has else ()
    done = connect(ClientConfig(post_handshake_auth=True, identities=identities), cut=cut)
    for rounds in (1, 2):
        done.server_events.clear()
        for _ in range(rounds):
            done.server_events += done.server.request_certificate()
        done.server.update_keys(request_peer=True)
        done.client.send(b"meanwhile")
        done.run()
        finished = of_type(done.server_events, PostHandshakeAuthenticationCompleted)
        assert [bool(event.chain) for event in finished] == [has] * rounds
        assert received(done.server_events) == b"meanwhile"
    requested = of_type(done.client_events, CertificateRequested)
    assert [event.answered for event in requested] == [has] * 3
    done.exchange()


def test_post_handshake_authentication_needs_the_offer() -> None:
    """A client that did not say post_handshake_auth cannot be asked."""
    done = connect()
    with pytest.raises(LocalError):
        done.server.request_certificate()
    assert connect(ClientConfig(versions=(TLS12,), post_handshake_auth=True)).server.error is None


# Renegotiation (RFC 5246 §7.4.1.1, RFC 5746).


OLD = ClientConfig(versions=(TLS12,), server_name="server.test", alpn=(b"h2",))
WELCOMING = ServerConfig(
    identities=(identity("p256"),), allow_client_renegotiation=True, alpn=(b"h2",), suites=OLD.suites
)


@pytest.mark.parametrize("cut", [whole, single_bytes], ids=["whole", "bytes"])
def test_renegotiation_by_the_client(cut: object) -> None:
    """New keys, new exporter, the same connection; data goes on, and the protocol stays."""
    done = connect(OLD, WELCOMING, cut=cut)
    before = done.client.export_keying_material(b"EXPORTER-x", None, 16)
    for number in (2, 3):
        done.client_events += done.client.renegotiate()
        done.client.send(b"held back")
        done.server.send(b"in the old keys")
        done.run().check()
        assert completed(done.client_events) == completed(done.server_events) == number
        assert b"held back" in received(done.server_events)
        assert b"in the old keys" in received(done.client_events)
    assert done.client.export_keying_material(b"EXPORTER-x", None, 16) != before
    assert done.client.negotiated.alpn == done.server.negotiated.alpn == b"h2"


@pytest.mark.parametrize("authenticate", [False, True])
def test_renegotiation_by_the_server(authenticate: bool) -> None:
    """HelloRequest, with a client certificate if wanted."""
    done = connect(replace(OLD, identities=(identity("p384"),)), WELCOMING)
    assert not done.server.negotiated.peer_certificates
    done.server_events += done.server.request_renegotiation(authenticate=authenticate)
    done.run().check()
    assert completed(done.client_events) == completed(done.server_events) == 2
    assert bool(done.server.negotiated.peer_certificates) is authenticate
    assert RenegotiationRequested(True) in done.client_events


def test_sessions_that_an_ephemeral_key_exchange_began_need_not_be_kept() -> None:
    """They are, unless the server is told otherwise."""
    for tickets in (True, False):
        clock = Clock()
        server = ServerConfig(
            identities=(identity("rsa"),), sessions=sessions(clock), tickets=tickets, resume_ephemeral=False
        )
        for suite, kept in (
            (CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, False),
            (CipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, False),
            (CipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256, True),
        ):
            client = ClientConfig(versions=(TLS12,), suites=(suite,))
            made = connect(client, server, clock=clock)
            assert bool(of_type(made.client_events, SessionReceived)) == kept
            if kept:
                again = connect(replace(client, session=made.session()), server, clock=clock)
                assert again.server.negotiated.resumed


def test_session_ids_with_a_prefix() -> None:
    """Where the prefix leaves no room for difference, one session has an id."""
    for prefix, ids in ((b"ABCD", 2), (b"A" * 31, 2), (b"A" * 40, 1)):
        clock = Clock()
        store = sessions(clock)
        server = ServerConfig(
            identities=(identity("p256"),), sessions=store, tickets=False, session_id_prefix=prefix
        )
        found = [
            connect(ClientConfig(versions=(TLS12,)), server, clock=clock, entropy=seeded(number))
            for number in range(2)
        ]
        given = [made.server.negotiated.session_id for made in found]
        assert sum(bool(each) for each in given) == len(store) == ids
        assert all(each.startswith(prefix[:32]) and len(each) == 32 for each in given if each)


def test_refused_renegotiation() -> None:
    """Both sides may refuse, and the connection goes on (RFC 5246 §7.2.2)."""
    done = connect(OLD, replace(WELCOMING, allow_client_renegotiation=False))
    done.client_events += done.client.renegotiate()
    done.client.send(b"held back")
    done.run().check()
    assert of_type(done.client_events, WarningReceived)[0].description == AlertDescription.NO_RENEGOTIATION
    assert b"held back" in received(done.server_events)
    done.server.request_renegotiation()
    done.run().check()  # asked for by the server, it is welcome
    assert completed(done.server_events) == 2
    unwilling = connect(replace(OLD, allow_renegotiation=False), WELCOMING)
    unwilling.server.request_renegotiation()
    unwilling.run().check()
    assert RenegotiationRequested(False) in unwilling.client_events
    assert of_type(unwilling.server_events, WarningReceived)


def test_no_renegotiation_in_tls13() -> None:
    """There is none."""
    done = connect()
    with pytest.raises(LocalError):
        done.client.renegotiate()
    with pytest.raises(LocalError):
        done.server.request_renegotiation()


def test_limit_of_renegotiations() -> None:
    """A peer cannot renegotiate for ever."""
    limits = Limits(renegotiations=3)
    done = connect(OLD, replace(WELCOMING, limits=limits))
    for _ in range(4):
        assert done.server.error is None
        done.client.renegotiate()
        done.run()
    assert reason_of(done.server) == "TOO_MANY_RENEGOTIATIONS"
    pestered = connect(replace(OLD, limits=limits), WELCOMING)
    for _ in range(4):
        pestered.server.request_renegotiation()
        pestered.run()
    assert reason_of(pestered.client) == "TOO_MANY_HELLO_REQUESTS"


def test_renegotiation_keeps_encrypt_then_mac() -> None:
    """It must not be given up (RFC 7366 §3.1)."""
    suites = (CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,)
    done = connect(replace(OLD, suites=suites), replace(WELCOMING, suites=suites))
    assert done.server.negotiated.encrypt_then_mac
    done.client._client.config = replace(done.client._client.config, encrypt_then_mac=False)
    done.client.renegotiate()
    done.run()
    assert reason_of(done.server) == "ENCRYPT_THEN_MAC_DROPPED"


@pytest.mark.parametrize("side", ["client", "server"])
def test_peers_without_secure_renegotiation(side: str) -> None:
    """A client refuses such a server unless told otherwise; a server takes such a client, but does not renegotiate."""
    missing = frozenset({ExtensionType.RENEGOTIATION_INFO})
    if side == "server":
        done = pair(replace(OLD, renegotiation_scsv=False, omit_extensions=missing), WELCOMING).start()
        assert reason_of(done.client) == "RENEGOTIATION_INSECURE"
        client = replace(OLD, renegotiation_scsv=False, omit_extensions=missing, allow_legacy_peer=True)
        insecure = connect(client, WELCOMING)
        assert not insecure.server.negotiated.secure_renegotiation
        insecure.client.renegotiate()
        insecure.run()
        assert reason_of(insecure.server) == "RENEGOTIATION_INSECURE"
    else:
        client = replace(OLD, renegotiation_scsv=False)
        assert connect(client, WELCOMING).client.negotiated.secure_renegotiation


# Versions (RFC 8446 §4.1.3, RFC 7507).


def test_fallback_signal() -> None:
    """A client that fell back for no reason is told so."""
    tried = pair(ClientConfig(versions=(TLS12,), fallback=True)).start()
    assert reason_of(tried.server) == "INAPPROPRIATE_FALLBACK"
    assert alert_of(tried.client) == AlertDescription.INAPPROPRIATE_FALLBACK
    connect(ClientConfig(fallback=True))
    only = ServerConfig(identities=(identity("p256"),), versions=(TLS12,))
    connect(ClientConfig(versions=(TLS12,), fallback=True), only)


def test_downgrade_is_seen() -> None:
    """A server that can do TLS 1.3 marks its random when it is led to TLS 1.2, and the client looks."""
    done = connect(ClientConfig(versions=(TLS12,)))
    assert done.server.negotiated.server_random.endswith(b"DOWNGRD\x01")
    plain = connect(
        ClientConfig(versions=(TLS12,)), ServerConfig(identities=(identity("p256"),), versions=(TLS12,))
    )
    assert not plain.server.negotiated.server_random.endswith(b"DOWNGRD\x01")
    # Somebody in between takes TLS 1.3 out of the hello.
    tried = pair(ClientConfig(omit_extensions=frozenset({ExtensionType.SUPPORTED_VERSIONS}))).start()
    assert reason_of(tried.client) == "DOWNGRADE_DETECTED"


def test_no_common_version() -> None:
    """Neither side has what the other has."""
    tried = pair(
        ClientConfig(versions=(TLS13,)), ServerConfig(identities=(identity("p256"),), versions=(TLS12,))
    ).start()
    assert alert_of(tried.server) == alert_of(tried.client) == AlertDescription.PROTOCOL_VERSION
    other = pair(
        ClientConfig(versions=(TLS12,)), ServerConfig(identities=(identity("p256"),), versions=(TLS13,))
    ).start()
    assert alert_of(other.server) == alert_of(other.client) == AlertDescription.PROTOCOL_VERSION


@pytest.mark.parametrize("key_type", ["rsa", "p256"])
def test_a_client_that_names_no_signatures(key_type: str) -> None:
    """In TLS 1.2 it takes SHA-1, whatever our own list says (RFC 5246 §7.4.1.4.1)."""
    old = (SignatureScheme.RSA_PKCS1_SHA1, SignatureScheme.ECDSA_SHA1)
    missing = frozenset({ExtensionType.SIGNATURE_ALGORITHMS})
    client = ClientConfig(versions=(TLS12,), omit_extensions=missing, signature_schemes=old)
    done = connect(client, ServerConfig(identities=(identity(key_type),)))
    assert done.server.negotiated.own_signature_scheme in old


def test_a_client_without_any_extension() -> None:
    """The oldest form of a TLS 1.2 hello still leads to a connection."""
    client = ClientConfig(
        versions=(TLS12,),
        omit_extensions=frozenset(ExtensionType),
        signature_schemes=(SignatureScheme.RSA_PKCS1_SHA1,),
    )
    done = connect(client, ServerConfig(identities=(identity("rsa"),)))
    hello = done.server.negotiated.client_hello
    assert hello is not None
    assert not hello.extension_types
