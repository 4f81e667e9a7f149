"""After the handshake (RFC 8446 §4.6): tickets, post-handshake authentication, KeyUpdate."""

from __future__ import annotations

from handglass.handshake.events import KeyUpdated, PostHandshakeAuthenticationCompleted, SessionReceived
from handglass.handshake.extensions import check_extensions
from handglass.handshake.session import Session
from handglass.handshake.state import (
    CertificateRequestFacts,
    ClientState,
    ServerState,
    State,
    decode_extension,
)
from handglass.handshake.tls13 import authentication as auth
from handglass.handshake.tls13.client_authentication import answer_request, consider_request
from handglass.handshake.tls13.keys import facts_of, protection
from handglass.handshake.wants import Conversation, Direction, Expectation, Install, Send, Tell, expect
from handglass.keys import schedule
from handglass.keys.transcript import Transcript
from handglass.messages import extensions as ext
from handglass.messages.extension import Place
from handglass.messages.handshake import (
    Certificate13,
    CertificateRequest13,
    CompressedCertificate,
    Extension,
    KeyUpdate,
    NewSessionTicket13,
    frame,
)
from handglass.registry import reasons
from handglass.registry.code_points import ExtensionType, KeyUpdateRequest, ProtocolVersion
from handglass.registry.errors import LocalError, PeerError

CLIENT_CONNECTED = Expectation[NewSessionTicket13 | KeyUpdate | CertificateRequest13](
    "connected", NewSessionTicket13, KeyUpdate, CertificateRequest13, transcribe=False
)
SERVER_CONNECTED = Expectation[KeyUpdate | Certificate13 | CompressedCertificate](
    "connected", KeyUpdate, Certificate13, CompressedCertificate, transcribe=False
)

MAX_TICKET_LIFETIME = 7 * 24 * 3600
"""Seconds (RFC 8446 §4.6.1)."""


def connected_client(me: ClientState) -> Conversation[None]:
    """Take whatever may come after the handshake, for as long as the connection stands."""
    while True:
        message = yield from expect(CLIENT_CONNECTED)
        if isinstance(message, NewSessionTicket13):
            yield from take_ticket(me, message)
        elif isinstance(message, KeyUpdate):
            yield from take_key_update(me, message)
        else:
            yield from answer_post_handshake_request(me, message)


def take_ticket(me: ClientState, message: NewSessionTicket13) -> Conversation[None]:
    """Make a session of a NewSessionTicket (RFC 8446 §4.6.1)."""
    me.tickets_seen += 1
    if me.tickets_seen > me.config.limits.tickets:
        raise PeerError(reasons.TOO_MANY_TICKETS, f"more than {me.config.limits.tickets}")
    facts = me.negotiated
    assert facts.suite is not None  # noqa: S101 - settled long ago; for the type checker
    bodies = check_extensions(message.extensions, Place.NST, None)
    early = 0
    if (body := bodies.get(ExtensionType.EARLY_DATA)) is not None:
        early = decode_extension(ext.EarlyDataTicket, body, ExtensionType.EARLY_DATA).max_early_data_size
    if message.ticket_lifetime > MAX_TICKET_LIFETIME:
        raise PeerError(reasons.ILLEGAL_TICKET_LIFETIME, f"{message.ticket_lifetime} seconds")
    hash_name = facts_of(facts.suite).prf_hash
    session = Session(
        version=ProtocolVersion.TLS1_3,
        suite=facts.suite,
        secret=schedule.resumption_psk(hash_name, me.resumption_secret, message.ticket_nonce),
        ticket=message.ticket,
        created=me.clock(),
        lifetime=message.ticket_lifetime,
        age_add=message.ticket_age_add,
        max_early_data=early,
        alpn=facts.alpn,
        server_name=me.config.server_name,
        peer_certificates=facts.peer_certificates,
        peer_public_key=facts.peer_public_key,
        group=facts.group,
    )
    facts.session = session
    yield Tell(SessionReceived(session))


def answer_post_handshake_request(me: ClientState, request: CertificateRequest13) -> Conversation[None]:
    """Authenticate after the handshake (RFC 8446 §4.6.2)."""
    if me.finished_transcript is None:
        raise PeerError(reasons.POST_HANDSHAKE_AUTH_NOT_OFFERED)
    if request.certificate_request_context in me.pha_contexts:
        raise PeerError(reasons.DUPLICATE_REQUEST_CONTEXT, "it was used before on this connection")
    me.pha_contexts.add(request.certificate_request_context)
    if len(me.pha_contexts) > me.config.limits.certificate_requests:
        raise PeerError(
            reasons.TOO_MANY_CERTIFICATE_REQUESTS, f"more than {me.config.limits.certificate_requests}"
        )
    me.driver.transcript = me.finished_transcript.fork()
    me.transcript.add(me.raw)
    identity = yield from consider_request(me, request, post_handshake=True)
    yield from answer_request(me, identity)
    yield from auth.send_finished(me, me.write_secret)
    me.driver.transcript = Transcript()


def connected_server(me: ServerState) -> Conversation[None]:
    """The same from the server's side: certificates come only when they were asked for."""
    while True:
        message = yield from expect(SERVER_CONNECTED)
        if isinstance(message, KeyUpdate):
            yield from take_key_update(me, message)
        else:
            yield from take_post_handshake_certificate(me, message)


def request_certificate(me: ServerState) -> Conversation[None]:
    """Ask for a client certificate after the handshake (RFC 8446 §4.6.2); for `Driver.aside`.

    Raises:
        LocalError: the client did not send post_handshake_auth.
    """
    if me.finished_transcript is None:
        raise LocalError(reasons.NO_POST_HANDSHAKE_AUTH, "the client's hello does not have the extension")
    context = me.entropy(8)
    raw = frame(certificate_request(me, context))
    transcript = me.finished_transcript.fork()
    transcript.add(raw)
    yield Send(raw=raw, transcribe=False)
    me.requested[context] = CertificateRequestFacts(context=context, post_handshake=True)
    me.request_transcripts[context] = transcript


def certificate_request(me: ServerState, context: bytes) -> CertificateRequest13:
    """A CertificateRequest as the configuration says (RFC 8446 §4.3.2)."""
    config = me.config
    schemes = config.client_signature_schemes or config.signature_schemes
    extensions = [Extension(ExtensionType.SIGNATURE_ALGORITHMS, ext.SignatureAlgorithms(schemes).encode())]
    if config.certificate_signature_schemes:
        body = ext.SignatureAlgorithms(config.certificate_signature_schemes).encode()
        extensions.append(Extension(ExtensionType.SIGNATURE_ALGORITHMS_CERT, body))
    if config.authorities:
        body = ext.CertificateAuthorities(config.authorities).encode()
        extensions.append(Extension(ExtensionType.CERTIFICATE_AUTHORITIES, body))
    if config.certificate_compression:
        body = ext.CompressCertificateAlgorithms(config.certificate_compression).encode()
        extensions.append(Extension(ExtensionType.COMPRESS_CERTIFICATE, body))
    return CertificateRequest13(context, tuple(extensions))


def take_post_handshake_certificate(
    me: ServerState, message: Certificate13 | CompressedCertificate
) -> Conversation[None]:
    """The client's Certificate, CertificateVerify and Finished in answer to our request (RFC 8446 §4.6.2)."""
    if not me.requested:
        raise PeerError(reasons.UNSOLICITED_CERTIFICATE)
    raw = me.raw
    plain = auth.decompress(me, message) if isinstance(message, CompressedCertificate) else message
    request = me.requested.pop(plain.certificate_request_context, None)
    if request is None:
        raise PeerError(reasons.WRONG_REQUEST_CONTEXT, "no request of ours has this context")
    me.driver.transcript = me.request_transcripts.pop(request.context)
    me.transcript.add(raw)
    shown = yield from auth.take_certificate(me, plain, context=request.context, post_handshake=True)
    if shown:
        yield from auth.judge(me)
        schemes = me.config.client_signature_schemes or me.config.signature_schemes
        yield from auth.read_certificate_verify(me, schemes, by_client=True)
    yield from auth.read_finished(me, me.read_secret)
    me.driver.transcript = Transcript()
    yield Tell(PostHandshakeAuthenticationCompleted(me.negotiated.peer_certificates))


def take_key_update(me: State, message: KeyUpdate) -> Conversation[None]:
    """Switch the reading keys, and ours too if we are asked to (RFC 8446 §4.6.3)."""
    me.key_updates_in_a_row += 1
    if me.key_updates_in_a_row > me.settings.limits.key_updates:
        raise PeerError(reasons.TOO_MANY_KEY_UPDATES, f"more than {me.settings.limits.key_updates} in a row")
    if message.request_update not in {
        KeyUpdateRequest.UPDATE_NOT_REQUESTED,
        KeyUpdateRequest.UPDATE_REQUESTED,
    }:
        raise PeerError(reasons.ILLEGAL_KEY_UPDATE, f"request_update is {int(message.request_update)}")
    assert me.negotiated.suite is not None  # noqa: S101 - settled long ago; for the type checker
    me.read_secret = schedule.next_traffic_secret(facts_of(me.negotiated.suite).prf_hash, me.read_secret)
    yield Install(
        Direction.READ, protection(me.negotiated.suite, me.read_secret), me.driver.channel.read_epoch + 1
    )
    requested = message.request_update == KeyUpdateRequest.UPDATE_REQUESTED
    yield Tell(KeyUpdated(ours=False, update_requested=requested))
    if requested:
        yield from send_key_update(me, request=False)


def send_key_update(me: State, *, request: bool) -> Conversation[None]:
    """Send KeyUpdate and switch the writing keys (RFC 8446 §4.6.3); for `Driver.aside` too."""
    assert me.negotiated.suite is not None  # noqa: S101 - settled long ago; for the type checker
    wanted = KeyUpdateRequest.UPDATE_REQUESTED if request else KeyUpdateRequest.UPDATE_NOT_REQUESTED
    yield Send(KeyUpdate(wanted), transcribe=False)
    me.write_secret = schedule.next_traffic_secret(facts_of(me.negotiated.suite).prf_hash, me.write_secret)
    yield Install(
        Direction.WRITE, protection(me.negotiated.suite, me.write_secret), me.driver.channel.write_epoch + 1
    )
    yield Tell(KeyUpdated(ours=True, update_requested=request))
