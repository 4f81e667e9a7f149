"""How a client answers a CertificateRequest, during the handshake or after it (RFC 8446 §4.3.2, §4.4.2)."""

from __future__ import annotations

from handglass.crypto.identity import Identity
from handglass.handshake.certificates import choose_client_identity
from handglass.handshake.events import CertificateRequested
from handglass.handshake.extensions import check_extensions
from handglass.handshake.state import CertificateRequestFacts, ClientState, decode_extension
from handglass.handshake.tls13.authentication import choose_scheme, send_authentication, send_no_certificate
from handglass.handshake.wants import Conversation, Tell
from handglass.messages import extensions as ext
from handglass.messages.extension import Place
from handglass.messages.handshake import CertificateRequest13
from handglass.registry import reasons
from handglass.registry.code_points import CertificateCompressionAlgorithm, ExtensionType, SignatureScheme
from handglass.registry.errors import PeerError


def consider_request(
    me: ClientState, request: CertificateRequest13, *, post_handshake: bool
) -> Conversation[Identity | None]:
    """Note what the server asks for, tell it, and choose what to answer (RFC 8446 §4.3.2)."""
    bodies = check_extensions(request.extensions, Place.CR, None)
    body = bodies.get(ExtensionType.SIGNATURE_ALGORITHMS)
    if body is None:
        raise PeerError(reasons.MISSING_SIGNATURE_ALGORITHMS, "in CertificateRequest")
    schemes = decode_extension(ext.SignatureAlgorithms, body, ExtensionType.SIGNATURE_ALGORITHMS)
    authorities: tuple[bytes, ...] = ()
    if (body := bodies.get(ExtensionType.CERTIFICATE_AUTHORITIES)) is not None:
        authorities = decode_extension(
            ext.CertificateAuthorities, body, ExtensionType.CERTIFICATE_AUTHORITIES
        ).authorities
    certificate_schemes: tuple[SignatureScheme, ...] = ()
    if (body := bodies.get(ExtensionType.SIGNATURE_ALGORITHMS_CERT)) is not None:
        certificate_schemes = decode_extension(
            ext.SignatureAlgorithms, body, ExtensionType.SIGNATURE_ALGORITHMS_CERT
        ).supported_signature_algorithms
    compression: tuple[CertificateCompressionAlgorithm, ...] = ()
    if (body := bodies.get(ExtensionType.COMPRESS_CERTIFICATE)) is not None:
        compression = decode_extension(
            ext.CompressCertificateAlgorithms, body, ExtensionType.COMPRESS_CERTIFICATE
        ).algorithms
    wanted = schemes.supported_signature_algorithms
    me.negotiated.certificate_request = CertificateRequestFacts(
        context=request.certificate_request_context,
        authorities=authorities,
        signature_schemes=wanted,
        certificate_signature_schemes=certificate_schemes,
        compression=compression,
        post_handshake=post_handshake,
    )
    identity = yield from choose_client_identity(me, wanted, authorities)
    ours = me.config.client_signature_schemes or me.config.signature_schemes
    if identity is not None and choose_scheme(identity, wanted, ours) is None:
        identity = None
    yield Tell(CertificateRequested(authorities, wanted, (), post_handshake, identity is not None))
    return identity


def answer_request(me: ClientState, identity: Identity | None) -> Conversation[None]:
    """Send Certificate and, if there is one, CertificateVerify (RFC 8446 §4.4.2, §4.4.3)."""
    request = me.negotiated.certificate_request
    assert request is not None  # noqa: S101 - an answer follows a request; for the type checker
    scheme = None
    if identity is not None:
        ours = me.config.client_signature_schemes or me.config.signature_schemes
        scheme = choose_scheme(identity, request.signature_schemes, ours)
    if identity is None or scheme is None:
        yield from send_no_certificate(me, request.context)
        return
    me.negotiated.client_certificate_sent = True
    yield from send_authentication(
        me, identity, scheme, context=request.context, peer_compression=request.compression
    )
