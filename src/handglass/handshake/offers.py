"""The extensions of a ClientHello: which ones a client offers, and with what in them.

One row per extension in `OFFERS`; its order is the order on the wire unless the configuration says
otherwise. A row's function returns the body, or None where the extension has no place in this hello.
"""

from __future__ import annotations

from collections.abc import Callable

from handglass.crypto.groups import KeyShare
from handglass.crypto.hashes import HASHES
from handglass.handshake.config import ClientConfig
from handglass.handshake.session import ExternalPsk, Session
from handglass.handshake.state import ClientState
from handglass.keys.labels import SecretLabel
from handglass.messages import extensions as ext
from handglass.messages.handshake import ClientHello, Extension, frame
from handglass.records import dataclass, field, replace
from handglass.registry import groups as group_facts
from handglass.registry import reasons, suites
from handglass.registry.code_points import (
    CertificateStatusType,
    CertificateType,
    CipherSuite,
    ECPointFormat,
    ExtensionType,
    HeartbeatMode,
    NamedGroup,
    NameType,
    ProtocolVersion,
    PskKeyExchangeMode,
)
from handglass.registry.errors import LocalError


@dataclass(slots=True)
class PskOffer:
    """A pre-shared key as it is offered: what the binder is made with (RFC 8446 §4.2.11.2)."""

    identity: ext.PskIdentity
    key: bytes = field(repr=False)
    hash_name: str
    source: Session | ExternalPsk = field(repr=False)

    @property
    def binder_label(self) -> SecretLabel:
        """Under which label the binder key is derived (RFC 8446 §7.1, RFC 9258 §5.2)."""
        if isinstance(self.source, Session):
            return SecretLabel.RESUMPTION_BINDER
        return SecretLabel.IMPORTED_BINDER if self.source.imported else SecretLabel.EXTERNAL_BINDER


@dataclass(slots=True)
class Draft:
    """A ClientHello while it is made. `retry` is what a HelloRetryRequest demands of the second one."""

    me: ClientState
    versions: tuple[ProtocolVersion, ...]
    suites: tuple[CipherSuite, ...]
    session: Session | None
    key_shares: dict[NamedGroup, KeyShare]
    psks: list[PskOffer]
    early_data: bool
    cookie: bytes | None = None
    grease: bytes = b""

    @property
    def config(self) -> ClientConfig:
        """The client's configuration."""
        return self.me.config

    @property
    def tls13(self) -> bool:
        """Whether TLS 1.3 is offered."""
        return ProtocolVersion.TLS1_3 in self.versions

    @property
    def legacy(self) -> bool:
        """Whether a version below TLS 1.3 is offered."""
        return any(version != ProtocolVersion.TLS1_3 for version in self.versions)


def build_extensions(draft: Draft) -> tuple[Extension, ...]:
    """All extensions in their order: the configured ones first, pre_shared_key last (RFC 8446 §4.2.11)."""
    config = draft.config
    bodies: dict[ExtensionType, bytes] = {}
    for kind, offer in OFFERS.items():
        body = None if kind in config.omit_extensions else offer(draft)
        if body is not None:
            bodies[kind] = body
    for extra in config.extra_extensions:
        bodies[extra.type] = extra.data
    first = [kind for kind in config.extension_order if kind in bodies]
    order = first + [kind for kind in bodies if kind not in first]
    if ExtensionType.PRE_SHARED_KEY in bodies:
        order.remove(ExtensionType.PRE_SHARED_KEY)
        order.append(ExtensionType.PRE_SHARED_KEY)
    found = [Extension(kind, bodies[kind]) for kind in order]
    if draft.grease:
        found.insert(0, Extension(ExtensionType(grease_value(draft.grease[1])), b""))
    return tuple(found)


def padded(hello: ClientHello, target: int) -> ClientHello:
    """Add padding where a hello of 256 bytes or more was asked to grow to `target` bytes (RFC 7685 §4)."""
    length = len(frame(hello)) if target else 0
    if not 255 < length < target:
        return hello
    found = list(hello.extensions or ())
    last = len(found) - bool(found and found[-1].type == ExtensionType.PRE_SHARED_KEY)
    found.insert(last, Extension(ExtensionType.PADDING, bytes(max(target - length - 4, 1))))
    return replace(hello, extensions=tuple(found))


def grease_value(seed: int) -> int:
    """One of the reserved 16-bit values 0x0A0A, 0x1A1A, … (RFC 8701 §2)."""
    return (seed & 0xF0 | 0x0A) * 0x0101


def _renegotiation_info(draft: Draft) -> bytes | None:
    me = draft.me
    if me.renegotiations:
        return ext.RenegotiationInfo(me.negotiated.verify_data[0]).encode()
    if draft.legacy and not draft.config.renegotiation_scsv:
        return ext.RenegotiationInfo(b"").encode()
    return None


def _server_name(draft: Draft) -> bytes | None:
    name = draft.config.server_name
    if name is None:
        return None
    if not name.isascii() or not name:
        raise LocalError(
            reasons.ILLEGAL_SERVER_NAME, f"{name!r} is no host name in its ASCII form (RFC 5890)"
        )
    return ext.ServerNameList((ext.ServerName(NameType.HOST_NAME, name.encode("ascii")),)).encode()


def _max_fragment_length(draft: Draft) -> bytes | None:
    length = draft.config.max_fragment_length
    return None if length is None else bytes((length.bit_length() - 9,))


def _point_formats(draft: Draft) -> bytes | None:
    if not draft.legacy or not uses_elliptic_curves(draft.suites):
        return None
    return ext.ECPointFormatList((ECPointFormat.UNCOMPRESSED,)).encode()


def _supported_groups(draft: Draft) -> bytes | None:
    groups = draft.config.groups
    if not draft.tls13:
        groups = tuple(g for g in groups if (facts := group_facts.facts_of(g)) is None or facts.tls12_allowed)
    if not draft.tls13 and not uses_elliptic_curves(draft.suites):
        groups = tuple(g for g in groups if (facts := group_facts.facts_of(g)) and facts.kind == "ffdh")
    if not groups:
        return None
    if draft.grease:
        groups = (NamedGroup(grease_value(draft.grease[2])), *groups)
    return ext.SupportedGroups(groups).encode()


def uses_elliptic_curves(listed: tuple[CipherSuite, ...]) -> bool:
    """Whether any of these suites needs a curve."""
    return any(
        (facts := suites.facts_of(suite)) is not None and "EC" in facts.key_exchange for suite in listed
    )


def _session_ticket(draft: Draft) -> bytes | None:
    if not draft.legacy or not draft.config.tickets:
        return None
    session = draft.session
    return session.ticket if session is not None and session.version != ProtocolVersion.TLS1_3 else b""


def _alpn(draft: Draft) -> bytes | None:
    if not draft.config.alpn or draft.me.renegotiations:
        return None
    return ext.ProtocolNameList(draft.config.alpn).encode()


def _status_request(draft: Draft) -> bytes | None:
    if not draft.config.request_status:
        return None
    return bytes((CertificateStatusType.OCSP, 0, 0, 0, 0))


def _status_request_v2(draft: Draft) -> bytes | None:
    """The responses for all certificates, else the leaf's (RFC 6961 §2.2); TLS 1.3 has no use for it."""
    if not draft.config.request_all_statuses or draft.versions == (ProtocolVersion.TLS1_3,):
        return None
    request = ext.OCSPStatusRequest().encode()
    kinds = (CertificateStatusType.OCSP_MULTI, CertificateStatusType.OCSP)
    return ext.StatusRequestV2(tuple(ext.StatusRequestItem(kind, request) for kind in kinds)).encode()


def _signed_certificate_timestamp(draft: Draft) -> bytes | None:
    return b"" if draft.config.request_scts else None


def _heartbeat(draft: Draft) -> bytes | None:
    return ext.Heartbeat(HeartbeatMode.PEER_ALLOWED_TO_SEND).encode() if draft.config.heartbeats else None


def _encrypt_then_mac(draft: Draft) -> bytes | None:
    return b"" if draft.legacy and draft.config.encrypt_then_mac else None


def _extended_master_secret(draft: Draft) -> bytes | None:
    return b"" if draft.legacy and draft.config.extended_master_secret else None


def _record_size_limit(draft: Draft) -> bytes | None:
    limit = draft.config.record_size_limit
    return None if limit is None else ext.RecordSizeLimit(limit).encode()


def _signature_algorithms(draft: Draft) -> bytes | None:
    if max(draft.versions) < ProtocolVersion.TLS1_2:
        return None
    return ext.SignatureAlgorithms(draft.config.signature_schemes).encode()


def _signature_algorithms_cert(draft: Draft) -> bytes | None:
    schemes = draft.config.certificate_signature_schemes
    return ext.SignatureAlgorithms(schemes).encode() if schemes else None


def _supported_versions(draft: Draft) -> bytes | None:
    if not draft.tls13:
        return None
    versions = draft.versions
    if draft.grease:
        versions = (ProtocolVersion(grease_value(draft.grease[3])), *versions)
    return ext.SupportedVersionsClientHello(versions).encode()


def _psk_key_exchange_modes(draft: Draft) -> bytes | None:
    if not draft.tls13 or not draft.config.psk_modes:
        return None
    return ext.PskKeyExchangeModes(
        tuple(PskKeyExchangeMode(mode) for mode in draft.config.psk_modes)
    ).encode()


def _key_share(draft: Draft) -> bytes | None:
    if not draft.tls13 or (not draft.config.groups and draft.psks):
        return None
    shares = [ext.KeyShareEntry(group, key.public) for group, key in draft.key_shares.items()]
    if draft.grease:
        shares.insert(0, ext.KeyShareEntry(NamedGroup(grease_value(draft.grease[2])), b"\0"))
    return ext.KeyShareClientHello(tuple(shares)).encode()


def _cookie(draft: Draft) -> bytes | None:
    return None if draft.cookie is None else ext.Cookie(draft.cookie).encode()


def _compress_certificate(draft: Draft) -> bytes | None:
    algorithms = draft.config.certificate_compression
    return ext.CompressCertificateAlgorithms(algorithms).encode() if draft.tls13 and algorithms else None


def _certificate_authorities(draft: Draft) -> bytes | None:
    names = draft.config.authorities
    return ext.CertificateAuthorities(names).encode() if draft.tls13 and names else None


def _server_certificate_type(draft: Draft) -> bytes | None:
    return _certificate_types(draft.config.server_certificate_types)


def _client_certificate_type(draft: Draft) -> bytes | None:
    config = draft.config
    if not config.identities and config.choose_identity is None:  # we offer only what we have (RFC 7250 §4.1)
        return None
    return _certificate_types(config.client_certificate_types)


def _certificate_types(types: tuple[CertificateType, ...]) -> bytes | None:
    """The offer, which is left out where it holds nothing but the default (RFC 7250 §4.1)."""
    if not types or types == (CertificateType.X509,):
        return None
    return ext.CertificateTypeOffer(types).encode()


def _post_handshake_auth(draft: Draft) -> bytes | None:
    return b"" if draft.tls13 and draft.config.post_handshake_auth else None


def _early_data(draft: Draft) -> bytes | None:
    return b"" if draft.early_data else None


def _pre_shared_key(draft: Draft) -> bytes | None:
    if not draft.psks:
        return None
    binders = tuple(bytes(HASHES[psk.hash_name].digest_size) for psk in draft.psks)
    return ext.PreSharedKeyClientHello(tuple(psk.identity for psk in draft.psks), binders).encode()


OFFERS: dict[ExtensionType, Callable[[Draft], bytes | None]] = {
    ExtensionType.RENEGOTIATION_INFO: _renegotiation_info,
    ExtensionType.SERVER_NAME: _server_name,
    ExtensionType.MAX_FRAGMENT_LENGTH: _max_fragment_length,
    ExtensionType.EC_POINT_FORMATS: _point_formats,
    ExtensionType.SUPPORTED_GROUPS: _supported_groups,
    ExtensionType.SESSION_TICKET: _session_ticket,
    ExtensionType.STATUS_REQUEST: _status_request,
    ExtensionType.STATUS_REQUEST_V2: _status_request_v2,
    ExtensionType.HEARTBEAT: _heartbeat,
    ExtensionType.ALPN: _alpn,
    ExtensionType.ENCRYPT_THEN_MAC: _encrypt_then_mac,
    ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP: _signed_certificate_timestamp,
    ExtensionType.EXTENDED_MASTER_SECRET: _extended_master_secret,
    ExtensionType.POST_HANDSHAKE_AUTH: _post_handshake_auth,
    ExtensionType.SIGNATURE_ALGORITHMS: _signature_algorithms,
    ExtensionType.SIGNATURE_ALGORITHMS_CERT: _signature_algorithms_cert,
    ExtensionType.SUPPORTED_VERSIONS: _supported_versions,
    ExtensionType.PSK_KEY_EXCHANGE_MODES: _psk_key_exchange_modes,
    ExtensionType.KEY_SHARE: _key_share,
    ExtensionType.RECORD_SIZE_LIMIT: _record_size_limit,
    ExtensionType.COMPRESS_CERTIFICATE: _compress_certificate,
    ExtensionType.CLIENT_CERTIFICATE_TYPE: _client_certificate_type,
    ExtensionType.SERVER_CERTIFICATE_TYPE: _server_certificate_type,
    ExtensionType.COOKIE: _cookie,
    ExtensionType.CERTIFICATE_AUTHORITIES: _certificate_authorities,
    ExtensionType.EARLY_DATA: _early_data,
    ExtensionType.PRE_SHARED_KEY: _pre_shared_key,
}
"""What a client can offer: the extension, and what makes its body."""
