"""The server's side of TLS 1.3, in the order of RFC 8446 §2, figures 1, 2 and 4."""

from __future__ import annotations

from handglass.crypto import BadPublic
from handglass.crypto import groups as crypto_groups
from handglass.handshake.config import ClientAuthentication, ServerConfig
from handglass.handshake.events import EarlyDataEnded, HandshakeCompleted
from handglass.handshake.state import CertificateRequestFacts, ClientHelloView, ServerState
from handglass.handshake.tls13 import selection
from handglass.handshake.tls13.authentication import (
    judge,
    read_certificate,
    read_certificate_verify,
    read_finished,
    require_scheme,
    send_authentication,
    send_finished,
)
from handglass.handshake.tls13.connected import certificate_request, connected_server
from handglass.handshake.tls13.keys import facts_of, protection
from handglass.handshake.tls13.selection import Choice
from handglass.handshake.tls13.tickets import send_tickets
from handglass.handshake.wants import (
    Allow,
    Conversation,
    Direction,
    Expectation,
    Install,
    Reveal,
    Send,
    SendChangeCipherSpec,
    Tell,
    Turn,
    expect,
)
from handglass.keys import schedule
from handglass.keys.labels import SecretLabel
from handglass.keys.schedule import KeySchedule
from handglass.messages import extensions as ext
from handglass.messages.handshake import (
    HELLO_RETRY_RANDOM,
    Certificate13,
    ClientHello,
    CompressedCertificate,
    EncryptedExtensions,
    EndOfEarlyData,
    Extension,
    ServerHello,
)
from handglass.registry import reasons
from handglass.registry.code_points import CompressionMethod, ExtensionType, ProtocolVersion
from handglass.registry.errors import PeerError

READ_SECOND_CLIENT_HELLO = Expectation("read second client hello", ClientHello, transcribe=False)
READ_CERTIFICATE = Expectation[Certificate13 | CompressedCertificate](
    "read client certificate", Certificate13, CompressedCertificate
)
READ_END_OF_EARLY_DATA = Expectation("read end of early data", EndOfEarlyData)


def handshake(me: ServerState, hello: ClientHelloView) -> Conversation[None]:
    """From the ClientHello (not yet in the transcript) to the end of the connection."""
    yield Allow(
        is_tls13=True, version=ProtocolVersion.TLS1_2, drop_change_cipher_spec=True, plain_alerts=True
    )
    me.transcript.stop_keeping()
    first_raw = me.raw
    choice = yield from selection.choose(me, hello)
    if choice.retry_group is not None or me.config.send_cookie:
        hello, choice = yield from retry(me, hello, choice, first_raw)
    elif ExtensionType.EARLY_DATA in hello and not choice.early_data:
        yield Allow(skip_early_data=me.config.limits.early_data + me.config.max_early_data)
    me.transcript.choose(facts_of(choice.suite).prf_hash)
    me.transcript.add(hello.raw)
    keys = yield from send_server_hello(me, hello, choice)
    yield from send_encrypted_extensions(me, hello, choice)
    requested = yield from authenticate(me, hello, choice)
    yield from send_finished(me, me.write_secret)
    client_secret, server_secret = yield from derive_application_keys(me, keys)
    yield Install(Direction.WRITE, protection(choice.suite, server_secret), 3)
    if choice.early_data:
        yield from read_early_data(me, choice)
    if requested:
        yield from authenticate_client(me)
    yield from read_finished(me, me.read_secret)
    yield Install(Direction.READ, protection(choice.suite, client_secret), 3)
    yield Allow(drop_change_cipher_spec=False, plain_alerts=False, skip_early_data=0)
    me.write_secret, me.read_secret = server_secret, client_secret
    me.resumption_secret = keys.derive(SecretLabel.RESUMPTION, me.transcript.digest())
    me.end_transcript(keep=ExtensionType.POST_HANDSHAKE_AUTH in hello)
    me.receives_data = me.sends_data = True
    yield from send_tickets(me)
    yield Tell(HandshakeCompleted(me.negotiated))
    yield from connected_server(me)


def retry(
    me: ServerState, hello: ClientHelloView, choice: Choice, raw: bytes
) -> Conversation[tuple[ClientHelloView, Choice]]:
    """Ask for another key share, or for a cookie to come back, and read the second hello (RFC 8446 §4.1.4)."""
    yield Turn()
    config, group = me.config, choice.retry_group
    cookie = me.entropy(config.cookie_size) if config.send_cookie else None
    hash_name = facts_of(choice.suite).prf_hash
    me.transcript.choose(hash_name)
    me.transcript.add(raw)
    me.transcript.replace_with_message_hash()
    extensions = [
        Extension(
            ExtensionType.SUPPORTED_VERSIONS,
            ext.SupportedVersionsServerHello(ProtocolVersion.TLS1_3).encode(),
        )
    ]
    if group is not None:
        extensions.append(Extension(ExtensionType.KEY_SHARE, ext.KeyShareHelloRetryRequest(group).encode()))
    if cookie is not None:
        extensions.append(Extension(ExtensionType.COOKIE, ext.Cookie(cookie).encode()))
    request = server_hello(hello, HELLO_RETRY_RANDOM, choice, in_order(config, extensions))
    sent = yield Send(request)
    me.retry_prefix = selection.retry_prefix(raw, hash_name, sent)
    if config.middlebox_compatibility and hello.hello.legacy_session_id:
        yield SendChangeCipherSpec()
    if ExtensionType.EARLY_DATA in hello:
        yield Allow(skip_early_data=config.limits.early_data + config.max_early_data)
    me.negotiated.hello_retried = True
    message = yield from expect(READ_SECOND_CLIENT_HELLO)
    yield Allow(skip_early_data=0)  # what was refused came before the second hello (RFC 8446 §4.2.10)
    second = ClientHelloView(message, me.raw)
    selection.check_second_hello(hello, second, group, cookie)
    me.hello = me.negotiated.client_hello = second
    again = yield from selection.choose(me, second, only=choice.suite)
    if again.retry_group is not None:
        raise PeerError(reasons.ILLEGAL_KEY_SHARE, "the second ClientHello still has no share for the group")
    return second, again


def in_order(config: ServerConfig, extensions: list[Extension]) -> tuple[Extension, ...]:
    """The extensions as the configuration orders them; those that it does not name come last, as they are."""
    order = config.extension_order
    return tuple(sorted(extensions, key=lambda e: order.index(e.type) if e.type in order else len(order)))


def server_hello(
    hello: ClientHelloView, random: bytes, choice: Choice, extensions: tuple[Extension, ...]
) -> ServerHello:
    """A ServerHello or HelloRetryRequest (RFC 8446 §4.1.3)."""
    return ServerHello(
        legacy_version=ProtocolVersion.TLS1_2,
        random=random,
        legacy_session_id_echo=hello.hello.legacy_session_id,
        cipher_suite=choice.suite,
        legacy_compression_method=CompressionMethod.NULL,
        extensions=extensions,
    )


def send_server_hello(me: ServerState, hello: ClientHelloView, choice: Choice) -> Conversation[KeySchedule]:
    """Send ServerHello and change to the handshake keys (RFC 8446 §4.1.3, §7.1)."""
    facts = me.negotiated
    facts.suite, facts.group = choice.suite, choice.group
    shared = None
    extensions = []
    if choice.share is not None:
        try:
            public, shared = crypto_groups.respond(choice.share.group, choice.share.key_exchange, me.entropy)
        except BadPublic as error:
            raise PeerError(reasons.ILLEGAL_KEY_SHARE, f"{choice.share.group.name}: {error}") from error
        entry = ext.KeyShareEntry(choice.share.group, public)
        extensions.append(Extension(ExtensionType.KEY_SHARE, ext.KeyShareServerHello(entry).encode()))
    if choice.psk is not None:
        body = ext.PreSharedKeyServerHello(choice.psk.index).encode()
        extensions.append(Extension(ExtensionType.PRE_SHARED_KEY, body))
    extensions.append(Extension(ExtensionType.SUPPORTED_VERSIONS, SELECTED_TLS13))
    facts.server_random = me.entropy(32)
    yield Send(server_hello(hello, facts.server_random, choice, in_order(me.config, extensions)))
    if me.config.middlebox_compatibility and hello.hello.legacy_session_id and not facts.hello_retried:
        yield SendChangeCipherSpec()
    keys = choice.psk.keys if choice.psk is not None else KeySchedule(facts_of(choice.suite).prf_hash)
    if choice.psk is None:
        keys.start(None)
    elif choice.early_data:
        yield from begin_early_data(me, keys, hello, choice)
    keys.enter_handshake(shared)
    transcript = me.transcript.digest()
    me.read_secret = keys.derive(SecretLabel.CLIENT_HANDSHAKE_TRAFFIC, transcript)
    me.write_secret = keys.derive(SecretLabel.SERVER_HANDSHAKE_TRAFFIC, transcript)
    yield Reveal(SecretLabel.CLIENT_HANDSHAKE_TRAFFIC, me.read_secret)
    yield Reveal(SecretLabel.SERVER_HANDSHAKE_TRAFFIC, me.write_secret)
    yield Install(Direction.WRITE, protection(choice.suite, me.write_secret), 2)
    if not choice.early_data:
        yield Install(Direction.READ, protection(choice.suite, me.read_secret), 2)
    return keys


SELECTED_TLS13 = ext.SupportedVersionsServerHello(ProtocolVersion.TLS1_3).encode()


def begin_early_data(
    me: ServerState, keys: KeySchedule, hello: ClientHelloView, choice: Choice
) -> Conversation[None]:
    """Change to the early traffic keys for reading (RFC 8446 §4.2.10)."""
    hash_name = keys.hash_name
    transcript = selection.hello_hash(me, hello, hash_name)
    secret = keys.derive(SecretLabel.CLIENT_EARLY_TRAFFIC, transcript)
    exporter_secret = keys.derive(SecretLabel.EARLY_EXPORTER, transcript)
    yield Reveal(SecretLabel.CLIENT_EARLY_TRAFFIC, secret)
    yield Reveal(SecretLabel.EARLY_EXPORTER, exporter_secret)
    me.negotiated.early_exporter = lambda label, context, length: schedule.exporter(
        hash_name, exporter_secret, label, context or b"", length
    )
    yield Install(Direction.READ, protection(choice.suite, secret), 1)
    limit = me.config.receive_max_early_data
    me.early_budget = choice.early_limit if limit is None else limit


def send_encrypted_extensions(me: ServerState, hello: ClientHelloView, choice: Choice) -> Conversation[None]:
    """Answer what the client offered (RFC 8446 §4.3.1)."""
    found = selection.common_answers(me, hello)
    if me.config.send_supported_groups and hello.groups:
        found.append(
            Extension(ExtensionType.SUPPORTED_GROUPS, ext.SupportedGroups(me.config.groups).encode())
        )
    if choice.early_data:
        found.append(Extension(ExtensionType.EARLY_DATA, b""))
    if ExtensionType.EARLY_DATA in hello:
        me.negotiated.early_data = "accepted" if choice.early_data else "rejected"
    yield Send(EncryptedExtensions(in_order(me.config, found)))


def authenticate(me: ServerState, hello: ClientHelloView, choice: Choice) -> Conversation[bool]:
    """CertificateRequest, Certificate and CertificateVerify, unless a PSK stands for them (RFC 8446 §4.3.2, §4.4)."""
    config, facts = me.config, me.negotiated
    if choice.psk is not None:
        facts.resumed = True
        facts.psk_identity = choice.psk.identity
        facts.session = choice.psk.session
        if choice.psk.session is not None:
            facts.peer_certificates = choice.psk.session.peer_certificates
            facts.peer_public_key = choice.psk.session.peer_public_key
        return False
    requested = config.client_authentication is not ClientAuthentication.NONE
    if requested:
        facts.certificate_request = CertificateRequestFacts(
            authorities=config.authorities,
            signature_schemes=config.client_signature_schemes or config.signature_schemes,
        )
        yield Send(certificate_request(me, b""))
    identity = choice.identity
    assert identity is not None  # noqa: S101 - selection fails without one; for the type checker
    me.identity = identity
    offered = hello.decoded(ext.CompressCertificateAlgorithms, ExtensionType.COMPRESS_CERTIFICATE)
    extensions: tuple[tuple[Extension, ...], ...] = ()
    if not facts.shows_raw_key:
        extensions = yield from selection.certificate_extensions(me, hello, identity)
    yield from send_authentication(
        me,
        identity,
        require_scheme(choice.scheme),
        extensions=extensions,
        peer_compression=offered.algorithms if offered is not None else (),
    )
    return requested


def derive_application_keys(me: ServerState, keys: KeySchedule) -> Conversation[tuple[bytes, bytes]]:
    """The application traffic secrets (client's, server's) and the exporter secret (RFC 8446 §7.1, §7.5)."""
    hash_name = keys.hash_name
    keys.enter_master()
    transcript = me.transcript.digest()
    client_secret = keys.derive(SecretLabel.CLIENT_APPLICATION_TRAFFIC, transcript)
    server_secret = keys.derive(SecretLabel.SERVER_APPLICATION_TRAFFIC, transcript)
    exporter_secret = keys.derive(SecretLabel.EXPORTER, transcript)
    yield Reveal(SecretLabel.CLIENT_APPLICATION_TRAFFIC, client_secret)
    yield Reveal(SecretLabel.SERVER_APPLICATION_TRAFFIC, server_secret)
    yield Reveal(SecretLabel.EXPORTER, exporter_secret)
    me.negotiated.exporter = lambda label, context, length: schedule.exporter(
        hash_name, exporter_secret, label, context or b"", length
    )
    return client_secret, server_secret


def read_early_data(me: ServerState, choice: Choice) -> Conversation[None]:
    """Let early data pass until its end (RFC 8446 §4.5), then read under the handshake keys."""
    yield from expect(READ_END_OF_EARLY_DATA)
    me.early_budget = None
    yield Install(Direction.READ, protection(choice.suite, me.read_secret), 2)
    yield Tell(EarlyDataEnded())


def authenticate_client(me: ServerState) -> Conversation[None]:
    """The client's Certificate and CertificateVerify (RFC 8446 §4.4.2.4)."""
    shown = yield from read_certificate(me, READ_CERTIFICATE)
    if not shown:
        if me.config.client_authentication is ClientAuthentication.REQUIRE:
            raise PeerError(reasons.CERTIFICATE_REQUIRED, "the client sent an empty Certificate message")
        return
    yield from judge(me)
    schemes = me.config.client_signature_schemes or me.config.signature_schemes
    yield from read_certificate_verify(me, schemes, by_client=True)
