"""The server's side below TLS 1.3, in the order of RFC 5246 §7.3, figures 1 and 2."""

from __future__ import annotations

from handglass.crypto import BadSignature
from handglass.crypto.identity import Identity
from handglass.handshake.certificates import peer_key, peer_key_for, shown_raw_key
from handglass.handshake.config import ClientAuthentication
from handglass.handshake.events import HandshakeCompleted, PeerCertificateReceived, RenegotiationRequested
from handglass.handshake.legacy import selection
from handglass.handshake.legacy.common import (
    Security,
    check_encrypt_then_mac,
    end_handshake,
    make_security,
    read_certificate,
    read_finished,
    send_finished,
    settle_extended_master_secret,
)
from handglass.handshake.legacy.key_exchange import DheServer, ServerExchange
from handglass.handshake.legacy.profiles import PROFILES, Profile, master_secret
from handglass.handshake.legacy.selection import Choice
from handglass.handshake.legacy.status import choose_status
from handglass.handshake.negotiation import UNDERSTOOD, choose_certificate_types
from handglass.handshake.session import Session
from handglass.handshake.state import (
    CertificateRequestFacts,
    ClientHelloView,
    PeerChain,
    ServerState,
    decode_extension,
)
from handglass.handshake.wants import (
    Allow,
    Conversation,
    Expectation,
    Send,
    SendWarning,
    Tell,
    Turn,
    ask,
    expect,
)
from handglass.keys.transcript import Transcript
from handglass.messages import extensions as ext
from handglass.messages.handshake import (
    DOWNGRADE_TLS12,
    Certificate12,
    CertificateRequest12,
    CertificateVerify,
    ClientHello,
    ClientKeyExchangeDHE,
    ClientKeyExchangeECDHE,
    ClientKeyExchangeRSA,
    Extension,
    HelloRequest,
    Message,
    NewSessionTicket12,
    RawPublicKeyCertificate12,
    ServerHello,
    ServerHelloDone,
)
from handglass.registry import reasons
from handglass.registry.code_points import (
    AlertDescription,
    CipherSuite,
    ClientCertificateType,
    CompressionMethod,
    ECPointFormat,
    ExtensionType,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.errors import PeerError

UNDERSTOOD_HERE = (
    ExtensionType.EC_POINT_FORMATS,
    ExtensionType.ENCRYPT_THEN_MAC,
    ExtensionType.EXTENDED_MASTER_SECRET,
    ExtensionType.RENEGOTIATION_INFO,
    ExtensionType.STATUS_REQUEST_V2,
)
"""What a server of these versions reads besides, and therefore refuses if it is malformed."""

READ_CERTIFICATE = Expectation("read client certificate", Certificate12)
READ_RAW_KEY = Expectation("read client certificate", RawPublicKeyCertificate12)
READ_KEY_EXCHANGE: dict[type[Message], Expectation[Message]] = {
    form: Expectation[Message]("read client key exchange", form)
    for form in (ClientKeyExchangeECDHE, ClientKeyExchangeDHE, ClientKeyExchangeRSA)
}
READ_CERTIFICATE_VERIFY = Expectation("read certificate verify", CertificateVerify)
CONNECTED = Expectation("connected", ClientHello, transcribe=False)

LONGEST_PREFIX = 24
"""Bytes of a prefix behind which session ids are certain to differ."""

CERTIFICATE_TYPES = (
    ClientCertificateType.RSA_SIGN,
    ClientCertificateType.DSS_SIGN,
    ClientCertificateType.ECDSA_SIGN,
)


def handshake(me: ServerState, hello: ClientHelloView) -> Conversation[None]:
    """From the ClientHello (not yet in the transcript) to the end of the connection."""
    yield from negotiate(me, hello)
    yield Tell(HandshakeCompleted(me.negotiated))
    yield from connected(me)


def connected(me: ServerState) -> Conversation[None]:
    """Between handshakes: the client may begin another one (RFC 5746 §3.7)."""
    while True:
        message = yield from expect(CONNECTED)
        accepted = me.renegotiation_requested or me.config.allow_client_renegotiation
        accepted = accepted and me.config.allow_renegotiation
        yield Tell(RenegotiationRequested(accepted))
        if not accepted:
            yield SendWarning(AlertDescription.NO_RENEGOTIATION)
            me.renegotiations += 1
            if me.renegotiations > me.config.limits.renegotiations:
                raise PeerError(reasons.TOO_MANY_RENEGOTIATIONS)
            continue
        yield from renegotiate(me, ClientHelloView(message, me.raw))


def renegotiate(me: ServerState, hello: ClientHelloView) -> Conversation[None]:
    """One more handshake on this connection, at the same version."""
    me.renegotiations += 1
    if me.renegotiations > me.config.limits.renegotiations:
        raise PeerError(reasons.TOO_MANY_RENEGOTIATIONS)
    if hello.hello.legacy_version < (me.negotiated.version or 0):
        raise PeerError(reasons.VERSION_CHANGED)
    me.renegotiation_requested = False
    me.renegotiating = True
    me.driver.transcript = Transcript(keep=True)
    me.hello = me.negotiated.client_hello = hello
    me.negotiated.client_random = me.driver.client_random = hello.hello.random
    yield from negotiate(me, hello)
    yield Tell(HandshakeCompleted(me.negotiated))


def request_renegotiation(me: ServerState, *, authenticate: bool) -> Conversation[None]:
    """Ask the client for a new handshake (RFC 5246 §7.4.1.1); for `Driver.aside`.

    `authenticate`: ask for a client certificate in it, which a resumption would leave out.
    """
    me.renegotiation_requested = True
    me.authenticate_again = me.authenticate_again or authenticate
    yield Send(HelloRequest(), transcribe=False)


def negotiate(me: ServerState, hello: ClientHelloView) -> Conversation[None]:
    """One handshake, the first or a renegotiation."""
    agreed = me.negotiated
    assert agreed.version is not None  # noqa: S101 - chosen before this conversation; for the type checker
    profile = PROFILES[agreed.version]
    yield Allow(version=agreed.version, drop_change_cipher_spec=False)
    yield Turn()
    check_hello(me, hello)
    choice = yield from selection.choose(me, hello)
    agreed.suite = choice.suite
    if not me.renegotiations:
        agreed.alpn = choice.alpn
    me.transcript.choose(profile.hash_of(choice.facts))
    me.transcript.add(hello.raw)
    offers_binding = ExtensionType.EXTENDED_MASTER_SECRET in hello
    settle_extended_master_secret(me, used=offers_binding and me.config.extended_master_secret)
    before, agreed.encrypt_then_mac = (
        agreed.encrypt_then_mac,
        (
            me.config.encrypt_then_mac
            and ExtensionType.ENCRYPT_THEN_MAC in hello
            and choice.facts.mac != "AEAD"
        ),
    )
    check_encrypt_then_mac(me, choice.facts, before=before)
    me.authenticate_again, authenticate = False, me.authenticate_again
    if choice.session is not None:
        yield from resume(me, profile, hello, choice)
    else:
        yield from full(me, profile, hello, choice, authenticate=authenticate)
    end_handshake(me)


def check_hello(me: ServerState, hello: ClientHelloView) -> None:
    """Compression and secure renegotiation (RFC 5246 §7.4.1.2, RFC 5746 §3.6, §3.7)."""
    agreed = me.negotiated
    hello.check_bodies(UNDERSTOOD)
    hello.check_bodies(UNDERSTOOD_HERE)
    if CompressionMethod.NULL not in hello.hello.legacy_compression_methods:
        raise PeerError(reasons.NULL_COMPRESSION_MISSING)
    scsv = CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV in hello.suites
    body = hello.body(ExtensionType.RENEGOTIATION_INFO)
    if me.renegotiations:
        if scsv:
            raise PeerError(reasons.RENEGOTIATION_SCSV)
        if body is None and agreed.secure_renegotiation:
            raise PeerError(reasons.RENEGOTIATION_INFO_MISSING)
        if body is None and not me.config.allow_legacy_peer:
            raise PeerError(reasons.RENEGOTIATION_INSECURE)
    if body is not None:
        info = decode_extension(ext.RenegotiationInfo, body, ExtensionType.RENEGOTIATION_INFO)
        if info.renegotiated_connection != agreed.verify_data[0]:
            raise PeerError(reasons.RENEGOTIATION_MISMATCH)
    if me.renegotiations and not agreed.secure_renegotiation and body is not None:
        raise PeerError(reasons.RENEGOTIATION_MISMATCH, "the first handshake had none (RFC 5746 §4.4)")
    agreed.secure_renegotiation = scsv or body is not None
    formats = hello.decoded(ext.ECPointFormatList, ExtensionType.EC_POINT_FORMATS)
    if formats is not None and ECPointFormat.UNCOMPRESSED not in formats.ec_point_format_list:
        raise PeerError(reasons.ILLEGAL_POINT_FORMATS)


def send_server_hello(
    me: ServerState, hello: ClientHelloView, choice: Choice, session_id: bytes, extra: tuple[Extension, ...]
) -> Conversation[None]:
    """ServerHello with the answers of these versions (RFC 5246 §7.4.1.3)."""
    agreed = me.negotiated
    assert agreed.version is not None  # noqa: S101 - chosen before this conversation; for the type checker
    extensions = selection.answers(me, hello, choice) + list(extra)
    random = me.entropy(32)
    if ProtocolVersion.TLS1_3 in me.config.versions:
        random = random[:24] + DOWNGRADE_TLS12
    agreed.server_random, agreed.session_id = random, session_id
    yield Send(
        ServerHello(
            legacy_version=agreed.version,
            random=random,
            legacy_session_id_echo=session_id,
            cipher_suite=choice.suite,
            legacy_compression_method=CompressionMethod.NULL,
            extensions=tuple(extensions) or None,
        )
    )


def resume(me: ServerState, profile: Profile, hello: ClientHelloView, choice: Choice) -> Conversation[None]:
    """The abbreviated handshake (RFC 5246 §7.3, figure 2): we finish first."""
    session, agreed = choice.session, me.negotiated
    assert session is not None  # noqa: S101 - negotiate() looked; for the type checker
    agreed.resumed, agreed.session = True, session
    agreed.peer_certificates = session.peer_certificates
    agreed.peer_public_key = session.peer_public_key
    me.type_answers = ()
    renew = choice.by_ticket
    promise = (Extension(ExtensionType.SESSION_TICKET, b""),) if renew else ()
    yield from send_server_hello(me, hello, choice, hello.hello.legacy_session_id, promise)
    security = yield from make_security(me, profile, choice.facts, session.secret)
    if renew:
        yield from send_ticket(me, security)
    server = yield from send_finished(me, security)
    client = yield from read_finished(me, security)
    agreed.verify_data = (client, server)


def full(
    me: ServerState, profile: Profile, hello: ClientHelloView, choice: Choice, *, authenticate: bool
) -> Conversation[None]:
    """The full handshake (RFC 5246 §7.3, figure 1)."""
    agreed, config = me.negotiated, me.config
    agreed.resumed = False
    is_kept = config.sessions is not None and (
        config.resume_ephemeral or "DHE" not in choice.facts.key_exchange
    )
    use_ticket = is_kept and config.tickets and ExtensionType.SESSION_TICKET in hello
    session_id = b""
    if is_kept and config.session_ids and not use_ticket:
        session_id = yield from make_session_id(me)
    requested = authenticate or config.client_authentication is not ClientAuthentication.NONE
    requested = requested and choice.identity is not None
    choose_certificate_types(me, hello, asks=requested)
    stapled = None
    if choice.identity is not None and not agreed.shows_raw_key:
        stapled = yield from choose_status(config, hello, choice.identity)
    promises = []
    if use_ticket:
        promises.append(Extension(ExtensionType.SESSION_TICKET, b""))
    if stapled is not None:
        promises.append(Extension(stapled[0], b""))
    yield from send_server_hello(me, hello, choice, session_id, tuple(promises))
    if choice.identity is not None:
        yield Send(own_certificate(me, choice.identity))
        if stapled is not None:
            yield Send(stapled[1])
    yield from send_params(me, choice)
    if requested:
        yield from send_request(me)
    yield Send(ServerHelloDone())
    shown = False
    if requested:
        shown = yield from read_client_certificate(me)
    message = yield from expect(READ_KEY_EXCHANGE[choice.exchange.client_message])
    premaster = choice.exchange.premaster(message)
    session_hash = me.transcript.digest() if agreed.extended_master_secret else None
    randoms = (agreed.client_random, agreed.server_random)
    master = master_secret(profile, choice.facts, premaster, randoms=randoms, session_hash=session_hash)
    if shown:
        yield from read_certificate_verify(me, profile)
    me.transcript.stop_keeping()
    security = yield from make_security(me, profile, choice.facts, master)
    client = yield from read_finished(me, security)
    if use_ticket:
        yield from send_ticket(me, security)
    server = yield from send_finished(me, security)
    agreed.verify_data = (client, server)
    if session_id and config.sessions is not None:
        yield from ask("session id", config.sessions.put_id, session_id, make_session(me, security))


def own_certificate(me: ServerState, identity: Identity) -> Message:
    """Our Certificate message: a chain, or where that was agreed on a raw public key (RFC 7250 §3)."""
    if me.negotiated.shows_raw_key:
        return RawPublicKeyCertificate12(shown_raw_key(identity))
    me.negotiated.own_certificates = identity.certificates
    return Certificate12(identity.certificates)


def make_session_id(me: ServerState) -> Conversation[bytes]:
    """A fresh session id (RFC 5246 §7.4.1.3) that begins with the configured prefix; none if that leaves no choice."""
    prefix = me.config.session_id_prefix[:32]
    session_id = prefix + me.entropy(32 - len(prefix))
    if len(prefix) > LONGEST_PREFIX and me.config.sessions is not None:
        taken = yield from ask("session", me.config.sessions.get_id, session_id)
        return b"" if taken is not None else session_id
    return session_id


def send_params(me: ServerState, choice: Choice) -> Conversation[None]:
    """ServerKeyExchange, its parameters signed where there is a certificate (RFC 5246 §7.4.3)."""
    exchange: ServerExchange = choice.exchange
    params = exchange.params()
    if params is None:
        return
    agreed = me.negotiated
    agreed.group = choice.group
    agreed.dh_bits = exchange.prime.bit_length() if isinstance(exchange, DheServer) else None
    identity, scheme = choice.identity, choice.scheme
    assert identity is not None and scheme is not None  # noqa: S101, PT018 - such exchanges are signed
    signed = agreed.client_random + agreed.server_random + params.encode()
    signature = yield from ask("signature", me.config.sign, scheme, identity.key, signed, me.entropy)
    agreed.own_signature_scheme = scheme
    yield Send(exchange.message(scheme, signature))


def send_request(me: ServerState) -> Conversation[None]:
    """CertificateRequest (RFC 5246 §7.4.4)."""
    config = me.config
    schemes = config.client_signature_schemes or config.signature_schemes
    me.negotiated.certificate_request = CertificateRequestFacts(
        authorities=config.authorities, signature_schemes=schemes, certificate_types=CERTIFICATE_TYPES
    )
    yield Send(CertificateRequest12(CERTIFICATE_TYPES, schemes, config.authorities))


def read_client_certificate(me: ServerState) -> Conversation[bool]:
    """The client's Certificate, which may be empty (RFC 5246 §7.4.6): whether it showed one, or a raw public key."""
    agreed = me.negotiated
    yield from read_certificate(me, READ_CERTIFICATE, READ_RAW_KEY)
    yield Tell(PeerCertificateReceived(agreed.peer_certificates, public_key=agreed.peer_public_key))
    if not agreed.peer_certificates and not agreed.peer_public_key:
        if me.config.client_authentication is ClientAuthentication.REQUIRE:
            raise PeerError(reasons.CERTIFICATE_REQUIRED_LEGACY)
        return False
    peer = PeerChain(
        agreed.peer_certificates,
        is_server=False,
        version=agreed.version or ProtocolVersion.TLS1_2,
        public_key=agreed.peer_public_key,
    )
    yield from ask("verification", me.config.verify_peer, peer)
    peer_key(agreed)  # what is no certificate is told at once: CertificateVerify comes two messages later
    return True


def read_certificate_verify(me: ServerState, profile: Profile) -> Conversation[None]:
    """The client's signature over the handshake so far (RFC 5246 §7.4.8)."""
    signed = me.transcript.messages
    message = yield from expect(READ_CERTIFICATE_VERIFY)
    scheme = SignatureScheme(message.algorithm)
    if scheme not in (me.config.client_signature_schemes or me.config.signature_schemes):
        raise PeerError(reasons.ILLEGAL_SIGNATURE_SCHEME, scheme.name)
    key = peer_key_for(me.negotiated, scheme, curve_bound=False)
    try:
        profile.verify(scheme, key, signed, message.signature)
    except BadSignature as error:
        raise PeerError(reasons.BAD_SIGNATURE, f"CertificateVerify with {scheme.name}") from error
    me.negotiated.peer_signature_scheme = scheme


def send_ticket(me: ServerState, security: Security) -> Conversation[None]:
    """NewSessionTicket (RFC 5077 §3.3)."""
    config = me.config
    assert config.sessions is not None  # noqa: S101 - a ticket was promised only with them
    ticket = yield from ask("ticket", config.sessions.put_ticket, make_session(me, security))
    yield Send(NewSessionTicket12(config.ticket_lifetime, ticket))


def make_session(me: ServerState, security: Security) -> Session:
    """What is to be known of this session when it is resumed."""
    agreed = me.negotiated
    assert agreed.version is not None and agreed.suite is not None  # noqa: S101, PT018 - settled by the ServerHello
    session = Session(
        version=agreed.version,
        suite=agreed.suite,
        secret=security.master,
        session_id=agreed.session_id,
        created=me.clock(),
        lifetime=me.config.ticket_lifetime,
        alpn=agreed.alpn,
        server_name=agreed.server_name,
        extended_master_secret=agreed.extended_master_secret,
        encrypt_then_mac=agreed.encrypt_then_mac,
        peer_certificates=agreed.peer_certificates,
        peer_public_key=agreed.peer_public_key,
        group=agreed.group,
        context=me.config.session_context,
    )
    agreed.session = session
    return session
