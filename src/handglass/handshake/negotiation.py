"""What a server chooses in the same way in every version: suites, ALPN, types of certificates, record limits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from handglass.crypto.identity import Identity
from handglass.handshake.config import ClientAuthentication, ServerConfig
from handglass.handshake.session import Session
from handglass.handshake.state import ClientHelloView, ServerState
from handglass.handshake.wants import Conversation, ask
from handglass.messages import extensions as ext
from handglass.messages.handshake import Extension
from handglass.record.protection import MAX_PLAINTEXT
from handglass.registry import reasons, suites
from handglass.registry.code_points import (
    CertificateType,
    CipherSuite,
    ExtensionType,
    HeartbeatMode,
    ProtocolVersion,
)
from handglass.registry.errors import PeerError

UNDERSTOOD = (
    ExtensionType.STATUS_REQUEST,
    ExtensionType.SUPPORTED_GROUPS,
    ExtensionType.SIGNATURE_ALGORITHMS,
    ExtensionType.SIGNATURE_ALGORITHMS_CERT,
    ExtensionType.ALPN,
    ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP,
    ExtensionType.CLIENT_CERTIFICATE_TYPE,
    ExtensionType.SERVER_CERTIFICATE_TYPE,
    ExtensionType.RECORD_SIZE_LIMIT,
)
"""What a server reads in every version, and therefore refuses if it is malformed."""


def ordered_suites(
    config: ServerConfig, hello: ClientHelloView, version: ProtocolVersion
) -> list[CipherSuite]:
    """The suites that both know and the version allows, best first: in the client's order, or in ours."""
    offered = hello.suites
    allowed = allowed_suites(config.suites, version)
    if config.prefer_own_suites:
        order = list(allowed)
        first = suites.facts_of(offered[0]) if offered else None
        if config.prioritize_chacha and first is not None and "CHACHA20" in first.cipher:
            order.sort(key=lambda suite: "CHACHA20" not in suite.name)
        theirs = set(offered)
        return [suite for suite in order if suite in theirs]
    return [suite for suite in offered if suite in allowed]


@lru_cache(maxsize=64)
def allowed_suites(
    ours: tuple[CipherSuite, ...], version: ProtocolVersion
) -> dict[CipherSuite, suites.SuiteFacts]:
    """Those of our suites that the version allows, in our order; a configuration has the same for each connection."""
    known = {suite: suites.facts_of(suite) for suite in ours}
    return {s: f for s, f in known.items() if f and f.min_version <= version <= f.max_version}


def lacks_client_certificate(config: ServerConfig, session: Session) -> bool:
    """Whether resuming would let a client in without the certificate that is required."""
    required = config.client_authentication is ClientAuthentication.REQUIRE
    return required and not session.peer_certificates and not session.peer_public_key


def choose_certificate_types(me: ServerState, hello: ClientHelloView, *, asks: bool) -> None:
    """Choose what each side shows, and keep the answers to be sent (RFC 7250 §4.2); not for a resumption.

    `asks`: the client is asked for a certificate, or may be after the handshake; if not, its own type gets no answer.

    Raises:
        PeerError: unsupported_certificate, if a client names types of which we have none.
    """
    config, facts = me.config, me.negotiated
    facts.server_certificate_type = facts.client_certificate_type = CertificateType.X509
    answers = []
    chosen = None
    if asks:
        chosen = _common_type(hello, ExtensionType.CLIENT_CERTIFICATE_TYPE, config.client_certificate_types)
    if chosen is not None:
        facts.client_certificate_type = chosen
        answers.append(_type_answer(ExtensionType.CLIENT_CERTIFICATE_TYPE, chosen))
    chosen = _common_type(hello, ExtensionType.SERVER_CERTIFICATE_TYPE, config.server_certificate_types)
    if chosen is not None:
        facts.server_certificate_type = chosen
        answers.append(_type_answer(ExtensionType.SERVER_CERTIFICATE_TYPE, chosen))
    me.type_answers = tuple(answers)


def _common_type(
    hello: ClientHelloView, extension: ExtensionType, ours: tuple[CertificateType, ...]
) -> CertificateType | None:
    """Return the best of our types that the client names; None if one of the two names none."""
    offered = hello.decoded(ext.CertificateTypeOffer, extension)
    if offered is None or not ours:
        return None
    for each in ours:
        if each in offered.certificate_types:
            return each
    names = ", ".join(CertificateType(each).name for each in offered.certificate_types)
    raise PeerError(reasons.NO_COMMON_CERTIFICATE_TYPE, f"{extension.name} is {names}")


def _type_answer(extension: ExtensionType, chosen: CertificateType) -> Extension:
    return Extension(extension, ext.CertificateTypeAnswer(chosen).encode())


def choose_alpn(config: ServerConfig, hello: ClientHelloView) -> bytes | None:
    """The application protocol, in the server's order (RFC 7301 §3.2)."""
    if not config.alpn or not hello.alpn:
        return None
    for protocol in config.alpn:
        if protocol in hello.alpn:
            return protocol
    if config.require_alpn_overlap:
        names = ", ".join(repr(name)[1:] for name in hello.alpn)
        raise PeerError(reasons.NO_APPLICATION_PROTOCOL, f"it offers {names}")
    return None


def choose_limits(me: ServerState, hello: ClientHelloView) -> list[Extension]:
    """Answer record_size_limit (RFC 8449), or max_fragment_length where that is not offered (RFC 6066 §4)."""
    channel, config = me.driver.channel, me.config
    limit = hello.decoded(ext.RecordSizeLimit, ExtensionType.RECORD_SIZE_LIMIT)
    if limit is not None and limit.record_size_limit < 64:
        raise PeerError(reasons.ILLEGAL_RECORD_SIZE_LIMIT, f"{limit.record_size_limit} is less than 64")
    if limit is not None and config.record_size_limit is not None:
        size = limit.record_size_limit
        me.negotiated.record_size_limit = size
        # In TLS 1.3 the limit counts the content type byte, which our plaintext does not (RFC 8449 §4).
        hidden = 1 if channel.is_tls13 else 0
        channel.write_limit = min(channel.write_limit, size - hidden)
        own = min(config.record_size_limit, MAX_PLAINTEXT + hidden)
        channel.limit_reads(own - hidden, reasons.RECORD_SIZE_LIMIT_EXCEEDED)
        body = ext.RecordSizeLimit(own).encode()
        return [Extension(ExtensionType.RECORD_SIZE_LIMIT, body)]
    body = hello.body(ExtensionType.MAX_FRAGMENT_LENGTH) or b""
    if ExtensionType.MAX_FRAGMENT_LENGTH not in hello:
        return []
    if len(body) != 1:
        raise PeerError(reasons.DECODE_ERROR, f"max_fragment_length of {len(body)} bytes")
    if not 1 <= body[0] <= 4:
        raise PeerError(reasons.ILLEGAL_MAX_FRAGMENT_LENGTH, f"code {body[0]}")
    length = 256 << body[0]
    me.negotiated.max_fragment_length = length
    channel.write_limit = min(channel.write_limit, length)
    channel.limit_reads(length, reasons.MAX_FRAGMENT_LENGTH_EXCEEDED)
    return [Extension(ExtensionType.MAX_FRAGMENT_LENGTH, body)]


def choose_heartbeats(me: ServerState, hello: ClientHelloView) -> list[Extension]:
    """Answer heartbeat, if heartbeats are wanted (RFC 6520 §2)."""
    body = hello.body(ExtensionType.HEARTBEAT)
    if body is None or not me.config.heartbeats:
        return []
    from handglass.handshake.heartbeat import agree  # noqa: PLC0415 - hardly anybody has them

    agree(me, body)
    return [Extension(ExtensionType.HEARTBEAT, bytes((HeartbeatMode.PEER_ALLOWED_TO_SEND,)))]


def stapled_responses(config: ServerConfig, identity: Identity) -> Conversation[Sequence[bytes | None]]:
    """The OCSP responses for a client that wants them, leaf's first; they may take their time (RFC 6066 §8)."""
    if config.staple is None:
        return (config.ocsp_response,)
    return (yield from ask("status", config.staple, identity))
