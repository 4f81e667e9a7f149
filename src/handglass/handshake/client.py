"""The client's first step: ClientHello, ServerHello, and which version's conversation goes on from there."""

from __future__ import annotations

from handglass.handshake.client_hello import Offer, send_client_hello
from handglass.handshake.state import ClientState, decode_extension
from handglass.handshake.tls13 import client as tls13
from handglass.handshake.wants import Allow, Conversation, Expectation, expect
from handglass.messages import extensions as ext
from handglass.messages.handshake import DOWNGRADE_TLS11, DOWNGRADE_TLS12, ServerHello
from handglass.registry import reasons
from handglass.registry.code_points import ExtensionType, ProtocolVersion
from handglass.registry.errors import PeerError

READ_SERVER_HELLO = Expectation("read server hello", ServerHello, transcribe=False)


def handshake(me: ClientState) -> Conversation[None]:
    """A client's connection from its first message on (RFC 8446 §4.1.1 and appendix D.1)."""
    tls13_offered = ProtocolVersion.TLS1_3 in me.config.versions
    yield Allow(drop_change_cipher_spec=tls13_offered)
    offer = yield from send_client_hello(me)
    if min(me.config.versions) < ProtocolVersion.TLS1_3:
        me.driver.spare_hello_requests = me.config.limits.renegotiations
    answer = yield from expect(READ_SERVER_HELLO)
    version = selected_version(me, offer, answer)
    me.negotiated.version = version
    if me.driver.observer is not None:
        me.driver.observer.version(version)
    if version == ProtocolVersion.TLS1_3:
        me.driver.spare_hello_requests = 0
        yield from tls13.handshake(me, offer, answer)
    else:
        from handglass.handshake.legacy import client as legacy  # noqa: PLC0415 - not for TLS 1.3

        yield from legacy.handshake(me, offer, answer)


def selected_version(me: ClientState, offer: Offer, answer: ServerHello) -> ProtocolVersion:
    """The version that the ServerHello settles on (RFC 8446 §4.1.3, §4.2.1)."""
    offered = me.config.versions
    body = next((e.data for e in answer.extensions or () if e.type == ExtensionType.SUPPORTED_VERSIONS), None)
    if body is not None:
        if ExtensionType.SUPPORTED_VERSIONS not in offer.types:
            raise PeerError(reasons.UNSOLICITED_EXTENSION, "SUPPORTED_VERSIONS in the ServerHello")
        version = decode_extension(
            ext.SupportedVersionsServerHello, body, ExtensionType.SUPPORTED_VERSIONS
        ).selected_version
        if version < ProtocolVersion.TLS1_3 or version not in offered:
            raise PeerError(reasons.ILLEGAL_SELECTED_VERSION, f"supported_versions selects 0x{version:04x}")
        return ProtocolVersion.TLS1_3
    if answer.is_retry and ProtocolVersion.TLS1_3 in offered:
        raise PeerError(reasons.MISSING_EXTENSION, "SUPPORTED_VERSIONS in the HelloRetryRequest")
    version = ProtocolVersion(answer.legacy_version)
    if version not in offered or version == ProtocolVersion.TLS1_3:
        names = ", ".join(v.name for v in offered)
        raise PeerError(reasons.VERSION_NOT_ENABLED, f"the server chose {version.name}, we offered {names}")
    check_downgrade(offered, version, answer.random)
    if offer.early_data:
        raise PeerError(reasons.EARLY_DATA_DOWNGRADE, f"{version.name} was chosen")
    return version


def check_downgrade(offered: tuple[ProtocolVersion, ...], version: ProtocolVersion, random: bytes) -> None:
    """Refuse a lower version if the server's random says that it could do better (RFC 8446 §4.1.3)."""
    best = max(offered)
    sentinel = random[-8:]
    if best == ProtocolVersion.TLS1_3 and sentinel in {DOWNGRADE_TLS12, DOWNGRADE_TLS11}:
        raise PeerError(reasons.DOWNGRADE_DETECTED, f"{version.name} was chosen")
    if best == ProtocolVersion.TLS1_2 and version < best and sentinel == DOWNGRADE_TLS11:
        raise PeerError(reasons.DOWNGRADE_DETECTED, f"{version.name} was chosen")
