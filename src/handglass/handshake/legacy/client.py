"""The client's side below TLS 1.3, in the order of RFC 5246 §7.3, figures 1 and 2."""

from __future__ import annotations

from handglass.crypto import BadSignature, signatures
from handglass.crypto.identity import Identity
from handglass.crypto.signatures import PublicKey
from handglass.handshake.answers import take_answers, take_certificate_types
from handglass.handshake.certificates import (
    choose_client_identity,
    peer_key_for,
    schemes_for_certificate,
    shown_raw_key,
)
from handglass.handshake.client_hello import Offer, send_client_hello
from handglass.handshake.events import (
    CertificateRequested,
    HandshakeCompleted,
    PeerCertificateReceived,
    RenegotiationRequested,
    SessionReceived,
)
from handglass.handshake.extensions import check_extensions
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
from handglass.handshake.legacy.key_exchange import ClientExchange, client_exchange
from handglass.handshake.legacy.profiles import PROFILES, Profile, master_secret
from handglass.handshake.legacy.status import read_status
from handglass.handshake.session import Session
from handglass.handshake.state import CertificateRequestFacts, ClientState, PeerChain, decode_extension
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
    maybe,
)
from handglass.keys.transcript import Transcript
from handglass.messages import extensions as ext
from handglass.messages.extension import Place
from handglass.messages.handshake import (
    Certificate12,
    CertificateRequest12,
    CertificateVerify,
    HelloRequest,
    Message,
    NewSessionTicket12,
    RawPublicKeyCertificate12,
    ServerHello,
    ServerHelloDone,
    ServerKeyExchangeDHE,
    ServerKeyExchangeECDHE,
)
from handglass.registry import reasons, suites
from handglass.registry.code_points import (
    AlertDescription,
    CipherSuite,
    CompressionMethod,
    ExtensionType,
    SignatureScheme,
)
from handglass.registry.errors import LocalError, PeerError
from handglass.registry.suites import SuiteFacts

READ_CERTIFICATE = Expectation("read server certificate", Certificate12)
READ_RAW_KEY = Expectation("read server certificate", RawPublicKeyCertificate12)
READ_ECDHE = Expectation("read server key exchange", ServerKeyExchangeECDHE)
READ_DHE = Expectation("read server key exchange", ServerKeyExchangeDHE)
READ_REQUEST = Expectation("read server certificate request", CertificateRequest12, optional=True)
READ_DONE = Expectation("read server done", ServerHelloDone)
READ_SESSION_TICKET = Expectation("read server session ticket", NewSessionTicket12)
CONNECTED = Expectation("connected", HelloRequest, transcribe=False)
READ_RENEGOTIATED_HELLO = Expectation("read server hello of renegotiation", ServerHello, transcribe=False)


def handshake(me: ClientState, offer: Offer, answer: ServerHello) -> Conversation[None]:
    """From the ServerHello (not yet in the transcript) to the end of the connection."""
    yield from negotiate(me, offer, answer)
    yield Tell(HandshakeCompleted(me.negotiated))
    yield from connected(me)


def connected(me: ClientState) -> Conversation[None]:
    """Between handshakes: the server may ask for another one (HelloRequest, RFC 5246 §7.4.1.1)."""
    requests = 0
    while True:
        yield from expect(CONNECTED)
        requests += 1
        if requests > me.config.limits.renegotiations:
            raise PeerError(reasons.TOO_MANY_HELLO_REQUESTS)
        safe = me.negotiated.secure_renegotiation or me.config.allow_legacy_peer
        accepted = me.config.allow_renegotiation and safe
        yield Tell(RenegotiationRequested(accepted))
        if accepted:
            yield from renegotiate_once(me)
        else:
            yield SendWarning(AlertDescription.NO_RENEGOTIATION)


def renegotiate(me: ClientState) -> Conversation[None]:
    """A new handshake that we begin, and what follows it."""
    yield from renegotiate_once(me)
    yield from connected(me)


def give_up_renegotiation(me: ClientState) -> Conversation[None]:
    """The server refused the renegotiation that we began (RFC 5246 §7.2.2): all stays as it was."""
    me.renegotiating = False
    me.driver.spare_hello_requests = 0
    me.negotiated.client_random = me.driver.client_random = me.former_random
    me.end_transcript(keep=False)
    yield from connected(me)


def renegotiate_once(me: ClientState) -> Conversation[None]:
    """One more handshake on this connection (RFC 5246 §7.4.1.1, RFC 5746 §3.5)."""
    me.renegotiations += 1
    me.renegotiating = True
    me.former_random = me.negotiated.client_random
    me.driver.transcript = Transcript(keep=True)
    me.driver.spare_hello_requests = me.config.limits.renegotiations
    offer = yield from send_client_hello(me)
    answer = yield from expect(READ_RENEGOTIATED_HELLO)
    if answer.legacy_version != me.negotiated.version:
        raise PeerError(reasons.VERSION_CHANGED)
    yield from negotiate(me, offer, answer)
    yield Tell(HandshakeCompleted(me.negotiated))


def negotiate(me: ClientState, offer: Offer, answer: ServerHello) -> Conversation[None]:
    """One handshake, the first or a renegotiation."""
    agreed = me.negotiated
    assert agreed.version is not None  # noqa: S101 - selected before this conversation; for the type checker
    profile = PROFILES[agreed.version]
    yield Allow(version=agreed.version, drop_change_cipher_spec=False)
    if me.driver.channel.dropped_change_cipher_specs:
        raise PeerError(reasons.UNEXPECTED_CHANGE_CIPHER_SPEC, "it came before the ServerHello")
    facts = take_server_hello(me, offer, answer)
    me.transcript.choose(profile.hash_of(facts))
    me.transcript.add(me.raw)
    bodies = check_extensions(
        answer.extensions or (), Place.SH12, offer.types | {ExtensionType.RENEGOTIATION_INFO}
    )
    check_renegotiation_info(me, bodies)
    take_legacy_answers(me, facts, bodies)
    ticket_promised = ExtensionType.SESSION_TICKET in bodies
    if is_resumption(me, offer, answer):
        yield from resume(me, profile, facts, ticket_promised=ticket_promised)
    else:
        yield from full(me, profile, facts, offer, bodies)
    end_handshake(me)


def take_server_hello(me: ClientState, offer: Offer, answer: ServerHello) -> SuiteFacts:
    """Check what the server chose against the offer (RFC 5246 §7.4.1.3)."""
    agreed = me.negotiated
    suite = CipherSuite(answer.cipher_suite)
    facts = suites.facts_of(suite)
    if suite not in offer.hello.cipher_suites or facts is None:
        raise PeerError(reasons.ILLEGAL_SUITE, suite.name)
    if agreed.version is None or not facts.min_version <= agreed.version <= facts.max_version:
        raise PeerError(reasons.SUITE_NOT_FOR_VERSION, suite.name)
    if answer.legacy_compression_method != CompressionMethod.NULL:
        raise PeerError(reasons.ILLEGAL_COMPRESSION, f"method {int(answer.legacy_compression_method)}")
    agreed.suite = suite
    agreed.server_random = answer.random
    agreed.server_extensions = tuple(answer.extensions or ())
    agreed.session_id = answer.legacy_session_id_echo
    return facts


def check_renegotiation_info(me: ClientState, bodies: dict[ExtensionType, bytes]) -> None:
    """Secure renegotiation, in the first handshake and in later ones (RFC 5746 §3.4, §3.5)."""
    agreed = me.negotiated
    body = bodies.get(ExtensionType.RENEGOTIATION_INFO)
    if body is None:
        if me.renegotiations and agreed.secure_renegotiation:
            raise PeerError(reasons.RENEGOTIATION_INFO_MISSING)
        if not me.renegotiations and not me.config.allow_legacy_peer:
            raise PeerError(reasons.RENEGOTIATION_INSECURE, "allow it with -legacy_server_connect")
        agreed.secure_renegotiation = False
        return
    if me.renegotiations and not agreed.secure_renegotiation:
        raise PeerError(reasons.RENEGOTIATION_MISMATCH, "the first handshake had none (RFC 5746 §4.2)")
    info = decode_extension(ext.RenegotiationInfo, body, ExtensionType.RENEGOTIATION_INFO)
    if info.renegotiated_connection != b"".join(agreed.verify_data):
        raise PeerError(reasons.RENEGOTIATION_MISMATCH)
    agreed.secure_renegotiation = True


def take_legacy_answers(me: ClientState, facts: SuiteFacts, bodies: dict[ExtensionType, bytes]) -> None:
    """Note the answers, those of these versions first (RFC 7627, RFC 7366, RFC 8422 §5.1.2)."""
    agreed = me.negotiated
    take_answers(me, bodies)
    bound = ExtensionType.EXTENDED_MASTER_SECRET in bodies
    if me.renegotiations and agreed.extended_master_secret and not bound:
        raise PeerError(reasons.EXTENDED_MASTER_SECRET_DROPPED)
    settle_extended_master_secret(me, used=bound)
    before, agreed.encrypt_then_mac = agreed.encrypt_then_mac, ExtensionType.ENCRYPT_THEN_MAC in bodies
    check_encrypt_then_mac(me, facts, before=before)
    if agreed.encrypt_then_mac and facts.mac == "AEAD":
        raise PeerError(reasons.ILLEGAL_ENCRYPT_THEN_MAC, agreed.suite.name if agreed.suite else "")
    if bodies.get(ExtensionType.SESSION_TICKET):
        raise PeerError(reasons.DECODE_ERROR, "the answer to SESSION_TICKET must be empty (RFC 5077 §3.2)")
    if (body := bodies.get(ExtensionType.EC_POINT_FORMATS)) is not None:
        formats = decode_extension(ext.ECPointFormatList, body, ExtensionType.EC_POINT_FORMATS)
        if 0 not in formats.ec_point_format_list:
            raise PeerError(reasons.ILLEGAL_POINT_FORMATS)
    agreed.peer_scts = bodies.get(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP)


def is_resumption(me: ClientState, offer: Offer, answer: ServerHello) -> bool:
    """Whether the server agreed to resume (RFC 5246 §7.3, RFC 5077 §3.4), on the same terms (RFC 7627 §5.3)."""
    session, agreed = offer.session, me.negotiated
    echo = answer.legacy_session_id_echo
    if not echo or echo != offer.hello.legacy_session_id:
        return False
    if session is None or session.version != agreed.version:
        raise PeerError(reasons.UNKNOWN_SESSION_RESUMED)
    if session.suite != agreed.suite:
        raise PeerError(reasons.SUITE_CHANGED_IN_RESUMPTION)
    if session.extended_master_secret != agreed.extended_master_secret:
        raise PeerError(reasons.EXTENDED_MASTER_SECRET_CHANGED)
    agreed.resumed = True
    agreed.session = session
    agreed.peer_certificates = session.peer_certificates
    agreed.peer_public_key = session.peer_public_key
    return True


def resume(
    me: ClientState, profile: Profile, facts: SuiteFacts, *, ticket_promised: bool
) -> Conversation[None]:
    """The abbreviated handshake (RFC 5246 §7.3, figure 2): the server finishes first."""
    session = me.negotiated.session
    assert session is not None  # noqa: S101 - is_resumption() saw to it; for the type checker
    security = yield from make_security(me, profile, facts, session.secret)
    ticket = None
    if ticket_promised:
        ticket = yield from expect(READ_SESSION_TICKET)
    server = yield from read_finished(me, security)
    client = yield from send_finished(me, security)
    me.negotiated.verify_data = (client, server)
    if ticket is not None:
        yield from keep_session(me, security, ticket)


def full(
    me: ClientState, profile: Profile, facts: SuiteFacts, offer: Offer, bodies: dict[ExtensionType, bytes]
) -> Conversation[None]:
    """The full handshake (RFC 5246 §7.3, figure 1)."""
    agreed = me.negotiated
    agreed.resumed = False
    take_certificate_types(me, offer.types, bodies)
    yield from read_server_certificate(me, bodies)
    exchange = client_exchange(me.config, facts, offer.hello.legacy_version, me.entropy)
    params = yield from read_server_params(me, profile, facts, exchange)
    request = yield from maybe(READ_REQUEST)
    identity = None
    if request is not None:
        identity = yield from consider_request(me, request)
    yield from expect(READ_DONE)
    yield Turn()
    if request is not None:
        yield Send(own_certificate(me, identity))
    message, premaster = exchange.answer(params, agreed)
    yield Send(message)
    session_hash = me.transcript.digest() if agreed.extended_master_secret else None
    randoms = (agreed.client_random, agreed.server_random)
    master = master_secret(profile, facts, premaster, randoms=randoms, session_hash=session_hash)
    if identity is not None:
        yield from send_certificate_verify(me, identity)
    me.transcript.stop_keeping()
    security = yield from make_security(me, profile, facts, master)
    agreed.session = make_session(me, security)
    client = yield from send_finished(me, security)
    ticket = None
    if ExtensionType.SESSION_TICKET in bodies:
        ticket = yield from expect(READ_SESSION_TICKET)
    server = yield from read_finished(me, security)
    agreed.verify_data = (client, server)
    yield from keep_session(me, security, ticket)


def read_server_certificate(me: ClientState, bodies: dict[ExtensionType, bytes]) -> Conversation[None]:
    """Certificate and, if one was announced, CertificateStatus (RFC 5246 §7.4.2, RFC 6066 §8), and the judgement."""
    agreed = me.negotiated
    before = agreed.peer_certificates[:1] or agreed.peer_public_key
    yield from read_certificate(me, READ_CERTIFICATE, READ_RAW_KEY)
    shown = agreed.peer_certificates[:1] or agreed.peer_public_key
    if not shown:
        raise PeerError(reasons.EMPTY_SERVER_CERTIFICATE)
    if me.renegotiating and not agreed.extended_master_secret and shown != before:
        raise PeerError(reasons.RENEGOTIATION_CERTIFICATE_CHANGED)
    agreed.peer_ocsp_responses = yield from read_status(bodies, len(agreed.peer_certificates))
    yield Tell(PeerCertificateReceived(agreed.peer_certificates, public_key=agreed.peer_public_key))
    peer = PeerChain(
        agreed.peer_certificates,
        is_server=True,
        server_name=me.config.server_name,
        ocsp_responses=agreed.peer_ocsp_responses,
        scts=agreed.peer_scts,
        version=agreed.version or me.config.versions[0],
        public_key=agreed.peer_public_key,
    )
    yield from ask("verification", me.config.verify_peer, peer)


def read_server_params(
    me: ClientState,
    profile: Profile,
    facts: SuiteFacts,
    exchange: ClientExchange,
) -> Conversation[Message | None]:
    """ServerKeyExchange and the signature in it (RFC 5246 §7.4.3), if this exchange has one."""
    if exchange.server_message is None:
        return None
    message: ServerKeyExchangeECDHE | ServerKeyExchangeDHE
    if exchange.server_message is ServerKeyExchangeECDHE:
        message = yield from expect(READ_ECDHE)
    else:
        message = yield from expect(READ_DHE)
    agreed = me.negotiated
    signed = agreed.client_random + agreed.server_random + message.params.encode()
    scheme = SignatureScheme(message.algorithm)
    key = signing_key(me, facts, scheme)
    try:
        profile.verify(scheme, key, signed, message.signature)
    except BadSignature as error:
        raise PeerError(reasons.BAD_SIGNATURE, f"ServerKeyExchange with {scheme.name}") from error
    agreed.peer_signature_scheme = scheme
    return message


def signing_key(me: ClientState, facts: SuiteFacts, scheme: SignatureScheme) -> PublicKey:
    """The key that the server showed, if it may sign with this scheme for this suite. Raises PeerError."""
    if scheme not in me.config.signature_schemes:
        raise PeerError(reasons.ILLEGAL_SIGNATURE_SCHEME, scheme.name)
    key = peer_key_for(me.negotiated, scheme, curve_bound=False)
    if (signatures.key_type(key) == "rsa") != (facts.authentication == "RSA"):
        raise PeerError(reasons.CERTIFICATE_KEY_UNUSABLE, f"{facts.openssl_name} with another kind of key")
    curve = signatures.curve_of(key)
    named = ExtensionType.SUPPORTED_GROUPS not in me.config.omit_extensions
    if curve is not None and named and curve not in me.config.groups:
        raise PeerError(reasons.CERTIFICATE_CURVE_NOT_OFFERED, curve.name)
    return key


def consider_request(me: ClientState, request: CertificateRequest12) -> Conversation[Identity | None]:
    """Note what the server asks for, tell it, and choose what to answer (RFC 5246 §7.4.4)."""
    schemes = tuple(SignatureScheme(scheme) for scheme in request.supported_signature_algorithms)
    facts = CertificateRequestFacts(
        authorities=tuple(request.certificate_authorities),
        signature_schemes=schemes,
        certificate_types=tuple(request.certificate_types),
    )
    me.negotiated.certificate_request = facts
    identity = yield from choose_client_identity(me, schemes, facts.authorities)
    if identity is not None and client_scheme(me, identity) is None:
        identity = None
    yield Tell(
        CertificateRequested(facts.authorities, schemes, facts.certificate_types, False, identity is not None)
    )
    me.negotiated.client_certificate_sent = identity is not None
    return identity


def own_certificate(me: ClientState, identity: Identity | None) -> Message:
    """Our Certificate message: a chain, or where that was agreed on a raw public key; empty if we have none."""
    agreed = me.negotiated
    if agreed.shows_raw_key:
        return RawPublicKeyCertificate12(shown_raw_key(identity) if identity is not None else b"")
    agreed.own_certificates = identity.certificates if identity is not None else ()
    return Certificate12(agreed.own_certificates)


def client_scheme(me: ClientState, identity: Identity) -> SignatureScheme | None:
    """The first of our schemes that the server wants and the key can make (RFC 5246 §7.4.8)."""
    request = me.negotiated.certificate_request
    able = schemes_for_certificate(identity.certificate, curve_bound=False)
    wanted = request.signature_schemes if request is not None else ()
    ours = me.config.client_signature_schemes or me.config.signature_schemes
    return next((s for s in ours if s in wanted and s in able), None)


def send_certificate_verify(me: ClientState, identity: Identity) -> Conversation[None]:
    """Sign the whole handshake so far (RFC 5246 §7.4.8)."""
    scheme = client_scheme(me, identity)
    if scheme is None:
        raise LocalError(reasons.NO_COMMON_SIGNATURE)
    signature = yield from ask(
        "signature", me.config.sign, scheme, identity.key, me.transcript.messages, me.entropy
    )
    me.negotiated.own_signature_scheme = scheme
    yield Send(CertificateVerify(scheme, signature))


def keep_session(
    me: ClientState, security: Security, ticket: NewSessionTicket12 | None
) -> Conversation[None]:
    """Tell of the session, if the server gave anything to resume it by (RFC 5246 §7.3, RFC 5077)."""
    session = me.negotiated.session = make_session(me, security, ticket)
    if session.ticket or session.session_id:
        yield Tell(SessionReceived(session))


def make_session(me: ClientState, security: Security, ticket: NewSessionTicket12 | None = None) -> Session:
    """What was agreed on, as a session; without a ticket or an id it cannot be resumed."""
    agreed = me.negotiated
    assert agreed.version is not None and agreed.suite is not None  # noqa: S101, PT018 - settled by the ServerHello
    return Session(
        version=agreed.version,
        suite=agreed.suite,
        secret=security.master,
        ticket=ticket.ticket if ticket is not None else b"",
        session_id=agreed.session_id,
        created=me.clock(),
        lifetime=ticket.ticket_lifetime_hint if ticket is not None else 0,
        alpn=agreed.alpn,
        server_name=me.config.server_name,
        extended_master_secret=agreed.extended_master_secret,
        encrypt_then_mac=agreed.encrypt_then_mac,
        peer_certificates=agreed.peer_certificates,
        peer_public_key=agreed.peer_public_key,
        group=agreed.group,
    )
