"""The client's side of TLS 1.3, in the order of RFC 8446 §2, figures 1, 2 and 4."""

from __future__ import annotations

from handglass.crypto import BadPublic
from handglass.crypto.hashes import digest
from handglass.crypto.identity import Identity
from handglass.handshake.answers import take_answers, take_certificate_types
from handglass.handshake.client_hello import Offer, send_second_hello
from handglass.handshake.events import HandshakeCompleted
from handglass.handshake.extensions import check_extensions
from handglass.handshake.session import Session
from handglass.handshake.state import ClientState, decode_extension
from handglass.handshake.tls13.authentication import (
    judge,
    read_certificate,
    read_certificate_verify,
    read_finished,
    send_finished,
)
from handglass.handshake.tls13.client_authentication import answer_request, consider_request
from handglass.handshake.tls13.connected import connected_client
from handglass.handshake.tls13.keys import facts_of, protection
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
    maybe,
)
from handglass.keys import schedule
from handglass.keys.labels import SecretLabel
from handglass.keys.schedule import KeySchedule
from handglass.messages import extensions as ext
from handglass.messages.extension import Place
from handglass.messages.handshake import (
    Certificate13,
    CertificateRequest13,
    CompressedCertificate,
    EncryptedExtensions,
    EndOfEarlyData,
    ServerHello,
)
from handglass.record.null import NullProtection
from handglass.registry import reasons, suites
from handglass.registry.code_points import (
    CipherSuite,
    CompressionMethod,
    ExtensionType,
    ProtocolVersion,
    PskKeyExchangeMode,
)
from handglass.registry.errors import PeerError

SELECTED_TLS13 = ext.SupportedVersionsServerHello(ProtocolVersion.TLS1_3).encode()

READ_SECOND_SERVER_HELLO = Expectation("read second server hello", ServerHello, transcribe=False)
READ_ENCRYPTED_EXTENSIONS = Expectation("read encrypted extensions", EncryptedExtensions)
READ_CERTIFICATE_REQUEST = Expectation("read server certificate request", CertificateRequest13, optional=True)
READ_CERTIFICATE = Expectation[Certificate13 | CompressedCertificate](
    "read server certificate", Certificate13, CompressedCertificate
)


def handshake(me: ClientState, offer: Offer, answer: ServerHello) -> Conversation[None]:
    """From the ServerHello (not yet in the transcript) to the end of the connection."""
    yield Allow(is_tls13=True, version=ProtocolVersion.TLS1_2, drop_change_cipher_spec=True)
    me.transcript.stop_keeping()
    if answer.is_retry:
        offer = yield from retry(me, offer, answer)
        answer = yield from expect(READ_SECOND_SERVER_HELLO)
        check_second_answer(me, offer, answer)
    me.transcript.add(me.raw)
    keys = yield from agree_on_keys(me, offer, answer)
    yield from read_encrypted_extensions(me, offer)
    if offer.early_data and me.negotiated.early_data != "accepted":
        me.early_data_left = 0
        yield Install(Direction.WRITE, protection(answer.cipher_suite, me.write_secret), 2)
    identity = None
    if not me.negotiated.resumed:
        identity = yield from authenticate_server(me, offer)
    yield from read_finished(me, me.read_secret)
    yield from finish(me, keys, identity)
    yield Tell(HandshakeCompleted(me.negotiated))
    yield from connected_client(me)


def retry(me: ClientState, offer: Offer, answer: ServerHello) -> Conversation[Offer]:
    """Do what a HelloRetryRequest asks for (RFC 8446 §4.1.4)."""
    yield Turn()
    suite = check_suite(offer, answer)
    me.negotiated.suite, me.negotiated.hello_retried = suite, True
    asked = offer.types | {ExtensionType.COOKIE}
    bodies = check_extensions(answer.extensions or (), Place.HRR, asked)
    if offer.early_data:
        me.negotiated.early_data = "rejected"
    group = None
    if (body := bodies.get(ExtensionType.KEY_SHARE)) is not None:
        group = decode_extension(ext.KeyShareHelloRetryRequest, body, ExtensionType.KEY_SHARE).selected_group
        if group not in me.config.groups:
            raise PeerError(reasons.ILLEGAL_RETRY_GROUP, f"{group.name} was not offered")
        if group in offer.key_shares:
            raise PeerError(reasons.ILLEGAL_RETRY_GROUP, f"a share for {group.name} was sent already")
    cookie = None
    if (body := bodies.get(ExtensionType.COOKIE)) is not None:
        cookie = decode_extension(ext.Cookie, body, ExtensionType.COOKIE).cookie
    if group is None and cookie is None:
        raise PeerError(reasons.RETRY_WITHOUT_CHANGE, "neither a group nor a cookie is in it")
    hash_name = facts_of(suite).prf_hash
    offer.psks = [psk for psk in offer.psks if psk.hash_name == hash_name]
    me.transcript.choose(hash_name)
    me.transcript.replace_with_message_hash()
    me.transcript.add(me.raw)
    me.retry_prefix = retry_prefix(offer.raw, hash_name, me.raw)
    me.early_data_left = 0
    if offer.early_data:
        yield Install(Direction.WRITE, NullProtection(ProtocolVersion.TLS1_2), 0)
    elif me.config.middlebox_compatibility:
        yield SendChangeCipherSpec()
    return (yield from send_second_hello(me, offer, group, cookie))


def retry_prefix(first_hello: bytes, hash_name: str, request: bytes) -> bytes:
    """message_hash and HelloRetryRequest as they stand before the second ClientHello (RFC 8446 §4.4.1)."""
    hashed = digest(hash_name, first_hello)
    return bytes((254, 0, 0, len(hashed))) + hashed + request


def check_second_answer(me: ClientState, offer: Offer, answer: ServerHello) -> None:
    """A retry must not lead to another retry, another suite or another version (RFC 8446 §4.1.4)."""
    if answer.is_retry:
        raise PeerError(reasons.SECOND_RETRY)
    bodies = check_extensions(answer.extensions or (), Place.SH, offer.types)
    if bodies.get(ExtensionType.SUPPORTED_VERSIONS) != SELECTED_TLS13:
        raise PeerError(reasons.VERSION_CHANGED)
    if answer.cipher_suite != me.negotiated.suite:
        raise PeerError(reasons.SUITE_CHANGED)


def check_suite(offer: Offer, answer: ServerHello) -> CipherSuite:
    """What ServerHello and HelloRetryRequest have in common must fit the offer (RFC 8446 §4.1.3)."""
    suite = CipherSuite(answer.cipher_suite)
    facts = suites.facts_of(suite)
    if suite not in offer.hello.cipher_suites or facts is None or facts.min_version != ProtocolVersion.TLS1_3:
        raise PeerError(reasons.ILLEGAL_SUITE, f"{suite.name} was not offered for TLS 1.3")
    if answer.legacy_version != ProtocolVersion.TLS1_2:
        raise PeerError(reasons.ILLEGAL_LEGACY_VERSION, f"legacy_version is 0x{answer.legacy_version:04x}")
    if answer.legacy_session_id_echo != offer.hello.legacy_session_id:
        raise PeerError(reasons.ILLEGAL_SESSION_ID, "legacy_session_id_echo is not what was sent")
    if answer.legacy_compression_method != CompressionMethod.NULL:
        raise PeerError(reasons.ILLEGAL_COMPRESSION, f"method {answer.legacy_compression_method}")
    return suite


def agree_on_keys(me: ClientState, offer: Offer, answer: ServerHello) -> Conversation[KeySchedule]:
    """Take suite, group and PSK from the ServerHello and derive the handshake keys (RFC 8446 §7.1)."""
    facts = me.negotiated
    facts.suite = suite = check_suite(offer, answer)
    facts.server_random = answer.random
    bodies = check_extensions(answer.extensions or (), Place.SH, offer.types)
    hash_name = facts_of(suite).prf_hash
    me.transcript.choose(hash_name)
    psk = accepted_psk(me, offer, bodies.get(ExtensionType.PRE_SHARED_KEY), hash_name)
    keys = KeySchedule(hash_name)
    keys.start(psk)
    keys.enter_handshake(
        shared_secret(me, offer, bodies.get(ExtensionType.KEY_SHARE), resuming=psk is not None)
    )
    transcript = me.transcript.digest()
    me.write_secret = keys.derive(SecretLabel.CLIENT_HANDSHAKE_TRAFFIC, transcript)
    me.read_secret = keys.derive(SecretLabel.SERVER_HANDSHAKE_TRAFFIC, transcript)
    yield Reveal(SecretLabel.CLIENT_HANDSHAKE_TRAFFIC, me.write_secret)
    yield Reveal(SecretLabel.SERVER_HANDSHAKE_TRAFFIC, me.read_secret)
    if me.config.middlebox_compatibility and not facts.hello_retried and not offer.early_data:
        yield SendChangeCipherSpec()
    yield Install(Direction.READ, protection(suite, me.read_secret), 2)
    if not offer.early_data:
        yield Install(Direction.WRITE, protection(suite, me.write_secret), 2)
    return keys


def accepted_psk(me: ClientState, offer: Offer, body: bytes | None, hash_name: str) -> bytes | None:
    """The pre-shared key that the server chose, if it did (RFC 8446 §4.2.11)."""
    if body is None:
        return None
    index = decode_extension(
        ext.PreSharedKeyServerHello, body, ExtensionType.PRE_SHARED_KEY
    ).selected_identity
    if index >= len(offer.psks):
        raise PeerError(reasons.ILLEGAL_PSK_INDEX, f"identity {index} of {len(offer.psks)}")
    psk = offer.psks[index]
    if psk.hash_name != hash_name:
        raise PeerError(reasons.PSK_HASH_MISMATCH, f"its hash is {psk.hash_name}, the suite's is {hash_name}")
    facts = me.negotiated
    facts.resumed = True
    facts.psk_identity = psk.identity.identity
    if isinstance(psk.source, Session):
        facts.peer_certificates = psk.source.peer_certificates
        facts.peer_public_key = psk.source.peer_public_key
        facts.session = psk.source
    return psk.key


def shared_secret(me: ClientState, offer: Offer, body: bytes | None, *, resuming: bool) -> bytes | None:
    """The (EC)DHE or KEM secret, or None with psk_ke (RFC 8446 §4.2.8, §4.2.9)."""
    if body is None:
        if resuming and PskKeyExchangeMode.PSK_KE in me.config.psk_modes:
            return None
        raise PeerError(reasons.MISSING_KEY_SHARE, "the ServerHello has none")
    if resuming and PskKeyExchangeMode.PSK_DHE_KE not in me.config.psk_modes:
        raise PeerError(reasons.PSK_MODE_MISMATCH, "a key share came although only psk_ke was offered")
    share = decode_extension(ext.KeyShareServerHello, body, ExtensionType.KEY_SHARE).server_share
    own = offer.key_shares.get(share.group)
    if own is None:
        raise PeerError(reasons.ILLEGAL_GROUP, f"no share for {share.group.name} was sent")
    me.negotiated.group = share.group
    try:
        return own.exchange(share.key_exchange)
    except BadPublic as error:
        raise PeerError(reasons.ILLEGAL_KEY_SHARE, f"{share.group.name}: {error}") from error


def read_encrypted_extensions(me: ClientState, offer: Offer) -> Conversation[None]:
    """Read EncryptedExtensions (RFC 8446 §4.3.1) and take up what each answer means."""
    message = yield from expect(READ_ENCRYPTED_EXTENSIONS)
    facts = me.negotiated
    facts.server_extensions = tuple(message.extensions)
    bodies = check_extensions(message.extensions, Place.EE, offer.types)
    take_answers(me, bodies)
    if not facts.resumed:
        take_certificate_types(me, offer.types, bodies)
    if offer.early_data:
        facts.early_data = "accepted" if ExtensionType.EARLY_DATA in bodies else "rejected"
        if facts.early_data == "accepted":
            check_early_data(me, offer)
    elif ExtensionType.EARLY_DATA in bodies:
        raise PeerError(reasons.UNSOLICITED_EXTENSION, "early_data after HelloRetryRequest")


def check_early_data(me: ClientState, offer: Offer) -> None:
    """Accepted early data must have been sent as it was agreed on (RFC 8446 §4.2.10)."""
    facts, first = me.negotiated, offer.psks[0]
    if not facts.resumed or facts.psk_identity != first.identity.identity:
        raise PeerError(reasons.ILLEGAL_EARLY_DATA, "it is accepted, but the first PSK is not")
    if facts.suite != first.source.suite:
        raise PeerError(reasons.ILLEGAL_EARLY_DATA, "it is accepted under another suite than the ticket's")
    if isinstance(first.source, Session) and facts.alpn != first.source.alpn:
        raise PeerError(
            reasons.ILLEGAL_EARLY_DATA, "it is accepted with another ALPN protocol than the ticket's"
        )


def authenticate_server(me: ClientState, offer: Offer) -> Conversation[Identity | None]:
    """CertificateRequest, Certificate and CertificateVerify (RFC 8446 §4.3.2, §4.4.2, §4.4.3)."""
    identity = None
    request = yield from maybe(READ_CERTIFICATE_REQUEST)
    if request is not None:
        if request.certificate_request_context:
            raise PeerError(reasons.NONEMPTY_REQUEST_CONTEXT)
        identity = yield from consider_request(me, request, post_handshake=False)
    shown = yield from read_certificate(me, READ_CERTIFICATE, asked=offer.types)
    if not shown:
        raise PeerError(reasons.EMPTY_SERVER_CERTIFICATE)
    yield from judge(me)
    yield from read_certificate_verify(me, me.config.signature_schemes, by_client=False)
    return identity


def finish(me: ClientState, keys: KeySchedule, identity: Identity | None) -> Conversation[None]:
    """The client's last flight, and the application keys (RFC 8446 §2, §7.1)."""
    facts = me.negotiated
    assert facts.suite is not None  # noqa: S101 - settled by the ServerHello; for the type checker
    hash_name = keys.hash_name
    keys.enter_master()
    transcript = me.transcript.digest()
    client_secret = keys.derive(SecretLabel.CLIENT_APPLICATION_TRAFFIC, transcript)
    server_secret = keys.derive(SecretLabel.SERVER_APPLICATION_TRAFFIC, transcript)
    exporter_secret = keys.derive(SecretLabel.EXPORTER, transcript)
    yield Reveal(SecretLabel.CLIENT_APPLICATION_TRAFFIC, client_secret)
    yield Reveal(SecretLabel.SERVER_APPLICATION_TRAFFIC, server_secret)
    yield Reveal(SecretLabel.EXPORTER, exporter_secret)
    facts.exporter = lambda label, context, length: schedule.exporter(
        hash_name, exporter_secret, label, context or b"", length
    )
    me.early_data_left = 0
    if facts.early_data == "accepted":
        yield Send(EndOfEarlyData())
        yield Install(Direction.WRITE, protection(facts.suite, me.write_secret), 2)
    if facts.certificate_request is not None:
        yield from answer_request(me, identity)
    yield from send_finished(me, me.write_secret)
    yield Install(Direction.WRITE, protection(facts.suite, client_secret), 3)
    yield Install(Direction.READ, protection(facts.suite, server_secret), 3)
    yield Allow(drop_change_cipher_spec=False)
    me.write_secret, me.read_secret = client_secret, server_secret
    me.resumption_secret = keys.derive(SecretLabel.RESUMPTION, me.transcript.digest())
    me.end_transcript(keep=me.config.post_handshake_auth)
    me.receives_data = me.sends_data = True
