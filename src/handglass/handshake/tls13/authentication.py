"""Certificate, CertificateVerify and Finished (RFC 8446 §4.4): the same three messages in both directions.

Used by both roles in the main handshake, and after it for post-handshake authentication.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from handglass.crypto import BadSignature, compression, signatures
from handglass.crypto.hashes import equal
from handglass.crypto.identity import Identity
from handglass.handshake.certificates import peer_key_for, schemes_for_certificate, shown_raw_key
from handglass.handshake.events import PeerCertificateReceived
from handglass.handshake.extensions import check_extensions
from handglass.handshake.state import PeerChain, State, decode_extension
from handglass.handshake.tls13.keys import facts_of
from handglass.handshake.wants import Conversation, Expectation, Send, Tell, ask, expect
from handglass.keys import schedule
from handglass.messages.extension import Place
from handglass.messages.handshake import (
    Certificate13,
    CertificateEntry,
    CertificateStatus,
    CertificateVerify,
    CompressedCertificate,
    Extension,
    Finished,
    frame,
)
from handglass.registry import reasons
from handglass.registry import signatures as scheme_facts
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    ExtensionType,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.errors import PeerError
from handglass.wire import DecodeError

SERVER_CONTEXT = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"
CLIENT_CONTEXT = b" " * 64 + b"TLS 1.3, client CertificateVerify\0"

READ_CERTIFICATE_VERIFY = Expectation("read certificate verify", CertificateVerify)
READ_FINISHED = Expectation("read finished", Finished)


def send_authentication(
    me: State,
    identity: Identity,
    scheme: SignatureScheme,
    *,
    context: bytes = b"",
    extensions: tuple[tuple[Extension, ...], ...] = (),
    peer_compression: Sequence[CertificateCompressionAlgorithm] = (),
) -> Conversation[None]:
    """Send our chain (RFC 8446 §4.4.2), compressed if both sides like that (RFC 8879), and the proof (§4.4.3).

    Where that was agreed on, our raw public key goes in its place (RFC 7250).

    `extensions`: what goes with each certificate, leaf first; those beyond the last tuple have none.
    The signature is made first: it may take its time, and the two messages must not be torn apart (§4.6.2).
    """
    facts, settings = me.negotiated, me.settings
    algorithm = None
    if peer_compression:
        algorithm = next((a for a in settings.certificate_compression if a in peer_compression), None)
    shown = (shown_raw_key(identity),) if facts.shows_raw_key else identity.certificates
    raw = certificate_message(shown, context, extensions, algorithm)
    content = (CLIENT_CONTEXT if facts.is_client else SERVER_CONTEXT) + me.transcript.digest_with(raw)
    signature = yield from ask("signature", settings.sign, scheme, identity.key, content, me.entropy)
    facts.own_certificates = () if facts.shows_raw_key else identity.certificates
    facts.own_signature_scheme = scheme
    yield Send(raw=raw)
    yield Send(CertificateVerify(scheme, signature))


def send_no_certificate(me: State, context: bytes) -> Conversation[None]:
    """Send an empty chain: a client that has nothing to show (RFC 8446 §4.4.2)."""
    me.negotiated.own_certificates = ()
    yield Send(Certificate13(context, ()))


@lru_cache(maxsize=64)
def certificate_message(
    chain: tuple[bytes, ...],
    context: bytes,
    extensions: tuple[tuple[Extension, ...], ...],
    algorithm: CertificateCompressionAlgorithm | None,
) -> bytes:
    """A whole Certificate or CompressedCertificate message; kept, because a server sends the same one every time.

    `chain`: certificates (DER), or one SubjectPublicKeyInfo.
    """
    entries = tuple(
        CertificateEntry(certificate, extensions[index] if index < len(extensions) else ())
        for index, certificate in enumerate(chain)
    )
    message = Certificate13(context, entries)
    if algorithm is None:
        return frame(message)
    body = message.encode()
    return frame(CompressedCertificate(algorithm, len(body), compression.compress(algorithm, body)))


def send_finished(me: State, secret: bytes) -> Conversation[None]:
    """Confirm the handshake so far (RFC 8446 §4.4.4) under our handshake traffic secret."""
    assert me.negotiated.suite is not None  # noqa: S101 - settled before any Finished; for the type checker
    hash_name = facts_of(me.negotiated.suite).prf_hash
    yield Send(Finished(schedule.finished_mac(hash_name, secret, me.transcript.digest())))


def read_certificate(
    me: State,
    expectation: Expectation[Certificate13 | CompressedCertificate],
    *,
    context: bytes = b"",
    asked: frozenset[ExtensionType] = frozenset(),
    post_handshake: bool = False,
) -> Conversation[tuple[bytes, ...]]:
    """Read the peer's chain (RFC 8446 §4.4.2) and note what is stapled to it; a client's may be empty.

    What is returned is what it showed: certificates, or where that was agreed on its raw public key (RFC 7250).
    """
    message = yield from expect(expectation)
    return (
        yield from take_certificate(me, message, context=context, asked=asked, post_handshake=post_handshake)
    )


def take_certificate(
    me: State,
    message: Certificate13 | CompressedCertificate,
    *,
    context: bytes = b"",
    asked: frozenset[ExtensionType] = frozenset(),
    post_handshake: bool = False,
) -> Conversation[tuple[bytes, ...]]:
    """The same for a message that was read already."""
    limits = me.settings.limits
    if len(me.raw) > limits.certificate_list:
        raise PeerError(
            reasons.CERTIFICATES_TOO_LONG, f"{len(me.raw)}, and the limit is {limits.certificate_list}"
        )
    if isinstance(message, CompressedCertificate):
        message = decompress(me, message)
    if message.certificate_request_context != context:
        raise PeerError(reasons.WRONG_REQUEST_CONTEXT, message.certificate_request_context.hex())
    entries = message.certificate_list
    if len(entries) > limits.certificates:
        raise PeerError(
            reasons.TOO_MANY_CERTIFICATES, f"{len(entries)}, and the limit is {limits.certificates}"
        )
    responses: list[bytes | None] = []
    scts = None
    for index, entry in enumerate(entries):
        check_extensions(entry.extensions, Place.CT, asked)
        responses.append(None)
        for extension in entry.extensions:
            if extension.type == ExtensionType.STATUS_REQUEST:
                status = decode_extension(CertificateStatus, extension.data, ExtensionType.STATUS_REQUEST)
                if status.status_type == CertificateStatusType.OCSP:
                    responses[index] = status.responses[0]
            elif extension.type == ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP and index == 0:
                scts = extension.data
    facts = me.negotiated
    shown = tuple(entry.cert_data for entry in entries)
    if facts.expects_raw_key:
        if len(shown) > 1:
            raise PeerError(reasons.SEVERAL_RAW_PUBLIC_KEYS, f"{len(shown)} entries")
        facts.peer_certificates, facts.peer_public_key = (), shown[0] if shown else b""
    else:
        facts.peer_certificates, facts.peer_public_key = shown, b""
        facts.peer_ocsp_responses, facts.peer_scts = tuple(responses), scts
    yield Tell(PeerCertificateReceived(facts.peer_certificates, post_handshake, facts.peer_public_key))
    return shown


def judge(me: State) -> Conversation[None]:
    """Have the peer's chain or raw public key judged; raises the PeerError of the one who judges."""
    facts = me.negotiated
    chain = PeerChain(
        facts.peer_certificates,
        is_server=facts.is_client,
        server_name=facts.server_name,
        ocsp_responses=facts.peer_ocsp_responses,
        scts=facts.peer_scts,
        version=facts.version or ProtocolVersion.TLS1_3,
        public_key=facts.peer_public_key,
    )
    yield from ask("verification", me.settings.verify_peer, chain)


def decompress(me: State, message: CompressedCertificate) -> Certificate13:
    """The Certificate in a CompressedCertificate, its size checked before and after (RFC 8879 §4)."""
    if not me.settings.certificate_compression:
        raise PeerError(reasons.UNEXPECTED_MESSAGE, "COMPRESSED_CERTIFICATE, and no compression was offered")
    if message.algorithm not in me.settings.certificate_compression:
        raise PeerError(
            reasons.ILLEGAL_CERTIFICATE_COMPRESSION, f"algorithm {message.algorithm.name} was not offered"
        )
    limit = me.settings.limits.certificate_list
    if message.uncompressed_length > limit:
        raise PeerError(
            reasons.DECOMPRESSED_CERTIFICATE_TOO_LONG,
            f"it announces {message.uncompressed_length} bytes, the limit is {limit}",
        )
    try:
        body = compression.decompress(
            message.algorithm, message.compressed_certificate_message, message.uncompressed_length
        )
    except compression.CompressionError as error:
        raise PeerError(reasons.CERTIFICATE_DECOMPRESSION_FAILED, str(error)) from error
    me.negotiated.certificate_compression = message.algorithm
    try:
        return Certificate13.decode(body)
    except DecodeError as error:
        raise PeerError(reasons.DECODE_ERROR, f"decompressed Certificate: {error}") from error


def read_certificate_verify(
    me: State, offered: Sequence[SignatureScheme], *, by_client: bool
) -> Conversation[None]:
    """Check the peer's signature over the handshake so far (RFC 8446 §4.4.3)."""
    content = (CLIENT_CONTEXT if by_client else SERVER_CONTEXT) + me.transcript.digest()
    message = yield from expect(READ_CERTIFICATE_VERIFY)
    scheme = SignatureScheme(message.algorithm)
    facts = scheme_facts.facts_of(scheme)
    if scheme not in offered or facts is None or not facts.tls13_allowed:
        raise PeerError(
            reasons.ILLEGAL_SIGNATURE_SCHEME, f"{scheme.name} was not offered or is not for TLS 1.3"
        )
    key = peer_key_for(me.negotiated, scheme, curve_bound=True)
    try:
        signatures.verify(scheme, key, content, message.signature)
    except BadSignature as error:
        raise PeerError(reasons.BAD_SIGNATURE, f"CertificateVerify with {scheme.name}") from error
    me.negotiated.peer_signature_scheme = scheme


def read_finished(me: State, secret: bytes) -> Conversation[None]:
    """Check the peer's Finished (RFC 8446 §4.4.4) under its handshake traffic secret."""
    assert me.negotiated.suite is not None  # noqa: S101 - settled before any Finished; for the type checker
    hash_name = facts_of(me.negotiated.suite).prf_hash
    expected = schedule.finished_mac(hash_name, secret, me.transcript.digest())
    message = yield from expect(READ_FINISHED)
    if len(message.verify_data) != len(expected):
        raise PeerError(
            reasons.DECODE_ERROR, f"Finished has {len(message.verify_data)} bytes, not {len(expected)}"
        )
    if not equal(message.verify_data, expected):
        raise PeerError(
            reasons.BAD_FINISHED, "verify_data differs from the hash of the handshake as we saw it"
        )


def choose_scheme(
    identity: Identity, wanted: Sequence[SignatureScheme], ours: Sequence[SignatureScheme]
) -> SignatureScheme | None:
    """The first of our schemes that the peer wants, the key can make and TLS 1.3 allows (RFC 8446 §4.2.3)."""
    able = schemes_for_certificate(identity.certificate)
    for scheme in ours:
        if scheme in wanted and scheme in able:
            facts = scheme_facts.facts_of(scheme)
            if facts is not None and facts.tls13_allowed:
                return scheme
    return None


def require_scheme(scheme: SignatureScheme | None) -> SignatureScheme:
    """A scheme that was found; PeerError (handshake_failure) if none was."""
    if scheme is None:
        raise PeerError(
            reasons.NO_COMMON_SIGNATURE, "no certificate of ours can sign with a scheme that the peer accepts"
        )
    return scheme
