"""What a client makes of the answers that mean the same in every version.

ALPN, server_name, record limits, types of certificates.
"""

from __future__ import annotations

from collections.abc import Collection

from handglass.handshake.state import ClientState, decode_extension
from handglass.messages import extensions as ext
from handglass.record.protection import MAX_PLAINTEXT
from handglass.registry import reasons
from handglass.registry.code_points import CertificateType, ExtensionType
from handglass.registry.errors import PeerError


def take_answers(me: ClientState, bodies: dict[ExtensionType, bytes]) -> None:
    """Note what the server answered in EncryptedExtensions or in the ServerHello below TLS 1.3.

    Raises:
        PeerError: an answer does not fit what was offered.
    """
    facts, config = me.negotiated, me.config
    facts.server_name = config.server_name
    if (body := bodies.get(ExtensionType.SERVER_NAME)) is not None and body:
        raise PeerError(reasons.DECODE_ERROR, "the answer to server_name must be empty (RFC 6066 §3)")
    if (body := bodies.get(ExtensionType.ALPN)) is not None:
        protocols = decode_extension(ext.ProtocolNameList, body, ExtensionType.ALPN).protocol_name_list
        if len(protocols) != 1:
            raise PeerError(
                reasons.ILLEGAL_APPLICATION_PROTOCOL, f"the server selected {len(protocols)} protocols"
            )
        if protocols[0] not in config.alpn:
            raise PeerError(reasons.ILLEGAL_APPLICATION_PROTOCOL, f"{protocols[0]!r} was not offered")
        facts.alpn = protocols[0]
    if (body := bodies.get(ExtensionType.HEARTBEAT)) is not None:
        from handglass.handshake.heartbeat import agree  # noqa: PLC0415 - hardly anybody has them

        agree(me, body)
    if (body := bodies.get(ExtensionType.RECORD_SIZE_LIMIT)) is not None:
        if ExtensionType.MAX_FRAGMENT_LENGTH in bodies:
            raise PeerError(reasons.TWO_RECORD_LIMITS, "max_fragment_length came with it (RFC 8449 §5)")
        take_record_size_limit(me, body)
    if (body := bodies.get(ExtensionType.MAX_FRAGMENT_LENGTH)) is not None:
        length = config.max_fragment_length
        if length is None or body != bytes((length.bit_length() - 9,)):
            raise PeerError(reasons.ILLEGAL_MAX_FRAGMENT_LENGTH, f"the answer is {body.hex()}")
        facts.max_fragment_length = length
        channel = me.driver.channel
        channel.write_limit = min(channel.write_limit, length)
        channel.limit_reads(length, reasons.MAX_FRAGMENT_LENGTH_EXCEEDED)


def take_certificate_types(
    me: ClientState, offered: Collection[ExtensionType], bodies: dict[ExtensionType, bytes]
) -> None:
    """What either side will show, certificates or a raw public key (RFC 7250 §4.2); not for a resumption.

    Raises:
        PeerError: the server chose what was not offered, or shows certificates of a type that is not wanted.
    """
    facts, config = me.negotiated, me.config
    facts.server_certificate_type = facts.client_certificate_type = CertificateType.X509
    accepts_certificates = CertificateType.X509 in config.server_certificate_types
    if (body := bodies.get(ExtensionType.CLIENT_CERTIFICATE_TYPE)) is not None:
        facts.client_certificate_type = _chosen_type(body, config.client_certificate_types)
    if (body := bodies.get(ExtensionType.SERVER_CERTIFICATE_TYPE)) is not None:
        facts.server_certificate_type = _chosen_type(body, config.server_certificate_types)
    elif ExtensionType.SERVER_CERTIFICATE_TYPE in offered and not accepts_certificates:
        why = "the server did not choose one, so it shows X.509 certificates"
        raise PeerError(reasons.NO_COMMON_CERTIFICATE_TYPE, why)


def _chosen_type(body: bytes, offered: tuple[CertificateType, ...]) -> CertificateType:
    chosen = decode_extension(
        ext.CertificateTypeAnswer, body, ExtensionType.SERVER_CERTIFICATE_TYPE
    ).certificate_type
    if chosen not in offered:
        raise PeerError(reasons.ILLEGAL_CERTIFICATE_TYPE, CertificateType(chosen).name)
    return CertificateType(chosen)


def take_record_size_limit(me: ClientState, body: bytes) -> None:
    """The server's limit for what we send; its answer puts ours into force for what it sends (RFC 8449 §4)."""
    limit = decode_extension(ext.RecordSizeLimit, body, ExtensionType.RECORD_SIZE_LIMIT).record_size_limit
    channel, own = me.driver.channel, me.config.record_size_limit
    # In TLS 1.3 the limit counts the content type byte, which our plaintext does not (RFC 8449 §4).
    hidden = 1 if channel.is_tls13 else 0
    if not 64 <= limit <= MAX_PLAINTEXT + hidden:
        raise PeerError(reasons.ILLEGAL_RECORD_SIZE_LIMIT, f"it is {limit}")
    me.negotiated.record_size_limit = limit
    channel.write_limit = min(channel.write_limit, limit - hidden)
    if own is not None:
        channel.limit_reads(min(own - hidden, MAX_PLAINTEXT), reasons.RECORD_SIZE_LIMIT_EXCEEDED)
