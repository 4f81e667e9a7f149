"""The ClientHello: which extensions a client offers, and with what in them.

One row per extension in `OFFERS`; its order is the order on the wire unless the configuration says
otherwise. A row's function returns the body, or None where the extension has no place in this hello.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from handglass.crypto import groups as crypto_groups
from handglass.crypto.groups import KeyShare
from handglass.crypto.hashes import HASHES, digest
from handglass.handshake.config import ClientConfig
from handglass.handshake.session import ExternalPsk, Session
from handglass.handshake.state import ClientState
from handglass.handshake.tls13.keys import protection
from handglass.handshake.wants import (
    Conversation,
    Direction,
    Install,
    Reveal,
    Send,
    SendChangeCipherSpec,
)
from handglass.keys import schedule
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
    CompressionMethod,
    ECPointFormat,
    ExtensionType,
    HeartbeatMode,
    NamedGroup,
    NameType,
    ProtocolVersion,
    PskKeyExchangeMode,
)
from handglass.registry.errors import LocalError

MAX_AGE = 7 * 24 * 3600
"""No ticket may be used longer than this many seconds (RFC 8446 §4.6.1)."""


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
class Offer:
    """What the client has said so far: its hello, and what only it knows about it."""

    hello: ClientHello
    raw: bytes = field(repr=False)
    key_shares: dict[NamedGroup, KeyShare] = field(default_factory=dict, repr=False)
    psks: list[PskOffer] = field(default_factory=list, repr=False)
    early_data: bool = False
    session: Session | None = field(default=None, repr=False)

    @property
    def types(self) -> frozenset[ExtensionType]:
        """The extension types that the server may answer."""
        return frozenset(extension.type for extension in self.hello.extensions or ())


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


def send_client_hello(me: ClientState) -> Conversation[Offer]:
    """Send the first ClientHello (RFC 8446 §4.1.2), and with it the keys for early data."""
    config = me.config
    agreed = me.negotiated.version
    versions = config.versions if agreed is None else (agreed,)  # a renegotiation stays at its version
    usable = usable_suites(config, versions)
    session = usable_session(me, usable) if agreed is None else None
    psks = offered_psks(me, session, usable) if agreed is None else []
    if ExtensionType.PRE_SHARED_KEY in config.omit_extensions:
        psks = []
    draft = Draft(
        me,
        versions,
        usable,
        session,
        make_key_shares(me, first_key_shares(config)) if ProtocolVersion.TLS1_3 in versions else {},
        psks,
        early_data=config.early_data and bool(psks) and allows_early_data(psks[0].source),
        grease=me.entropy(8) if config.grease else b"",
    )
    random = me.entropy(32)
    me.negotiated.client_random = me.driver.client_random = random
    hello = ClientHello(
        legacy_version=min(max(versions), ProtocolVersion.TLS1_2),
        random=random,
        legacy_session_id=first_session_id(draft),
        cipher_suites=hello_suites(draft),
        legacy_compression_methods=(CompressionMethod.NULL,),
        extensions=build_extensions(draft),
    )
    offer = Offer(padded(hello, config.pad_hello_to), b"", draft.key_shares, psks, draft.early_data, session)
    yield from send_with_binders(me, offer)
    if offer.early_data:
        yield from begin_early_data(me, offer)
    return offer


def send_second_hello(
    me: ClientState, offer: Offer, group: NamedGroup | None, cookie: bytes | None
) -> Conversation[Offer]:
    """Answer a HelloRetryRequest (RFC 8446 §4.1.2): the same hello but for what it asked to change."""
    if group is not None:
        offer.key_shares = make_key_shares(me, (group,))
    draft = Draft(
        me,
        me.config.versions,
        tuple(offer.hello.cipher_suites),
        offer.session,
        offer.key_shares,
        offer.psks,
        early_data=False,
        cookie=cookie,  # GREASE stays as it was, but for its key share: only the share asked for may come (§4.1.2)
    )
    replaced = {extension.type: extension.data for extension in build_extensions(draft)}
    changing = {ExtensionType.PRE_SHARED_KEY}
    if group is not None:
        changing.add(ExtensionType.KEY_SHARE)
    kept = [
        Extension(e.type, replaced[e.type] if e.type in changing else e.data)
        for e in offer.hello.extensions or ()
        if e.type not in {ExtensionType.EARLY_DATA, ExtensionType.PADDING}
        and (e.type not in changing or e.type in replaced)
    ]
    if cookie is not None:
        order = list(replaced)
        later = order[order.index(ExtensionType.COOKIE) :]
        position = next((i for i, e in enumerate(kept) if e.type in later), len(kept))
        kept.insert(position, Extension(ExtensionType.COOKIE, replaced[ExtensionType.COOKIE]))
    offer.hello = padded(replace(offer.hello, extensions=tuple(kept)), me.config.pad_hello_to)
    offer.early_data = False
    yield from send_with_binders(me, offer)
    return offer


def send_with_binders(me: ClientState, offer: Offer) -> Conversation[None]:
    """Encode and send the hello, its PSK binders computed over all that stands before them (RFC 8446 §4.2.11.2)."""
    raw = frame(offer.hello)
    if offer.psks:
        binders = ext.PreSharedKeyClientHello.decode((offer.hello.extensions or ())[-1].data).binders
        length = 2 + sum(1 + len(binder) for binder in binders)
        truncated = me.retry_prefix + raw[:-length]
        parts = []
        for psk in offer.psks:
            key = schedule.binder_key(psk.hash_name, psk.key, psk.binder_label)
            mac = schedule.finished_mac(psk.hash_name, key, digest(psk.hash_name, truncated))
            parts.append(bytes((len(mac),)) + mac)
        raw = raw[: 2 - length] + b"".join(parts)
    offer.raw = raw
    yield Send(raw=raw)


def begin_early_data(me: ClientState, offer: Offer) -> Conversation[None]:
    """Switch to the early traffic keys (RFC 8446 §4.2.10, §7.1); ChangeCipherSpec goes first in compatibility mode."""
    psk = offer.psks[0]
    suite = psk.source.suite
    assert suite is not None  # noqa: S101 - allows_early_data() saw to it; for the type checker
    keys = schedule.KeySchedule(psk.hash_name)
    keys.start(psk.key)
    transcript = digest(psk.hash_name, offer.raw)
    secret = keys.derive(SecretLabel.CLIENT_EARLY_TRAFFIC, transcript)
    yield Reveal(SecretLabel.CLIENT_EARLY_TRAFFIC, secret)
    early_exporter = keys.derive(SecretLabel.EARLY_EXPORTER, transcript)
    yield Reveal(SecretLabel.EARLY_EXPORTER, early_exporter)
    me.negotiated.early_exporter = lambda label, context, length: schedule.exporter(
        psk.hash_name, early_exporter, label, context or b"", length
    )
    me.driver.channel.is_tls13 = True
    if me.config.middlebox_compatibility:
        yield SendChangeCipherSpec()
    yield Install(Direction.WRITE, protection(suite, secret), 1)
    me.early_data_left = psk.source.max_early_data


# What goes into the hello --------------------------------------------------------------------------------


def usable_suites(config: ClientConfig, versions: tuple[ProtocolVersion, ...]) -> tuple[CipherSuite, ...]:
    """The configured suites that some offered version can use, in their order."""
    chosen = _suites_for(tuple(versions), tuple(config.suites))
    if not chosen:
        raise LocalError(reasons.NO_COMMON_SUITE, "no configured cipher suite fits the offered versions")
    return chosen


@lru_cache(maxsize=16)
def _suites_for(
    versions: tuple[ProtocolVersion, ...], configured: tuple[CipherSuite, ...]
) -> tuple[CipherSuite, ...]:
    """Those of the suites; remembered, as most connections of a program have one configuration."""
    chosen = []
    for suite in configured:
        facts = suites.facts_of(suite)
        if facts is None or any(facts.min_version <= v <= facts.max_version for v in versions):
            chosen.append(suite)
    return tuple(chosen)


def usable_session(me: ClientState, offered: tuple[CipherSuite, ...]) -> Session | None:
    """The configured session, if this connection may resume it (RFC 8446 §4.6.1, RFC 5246 §F.1.4)."""
    session = me.config.session
    if session is None or session.version not in me.config.versions:
        return None
    facts = suites.facts_of(session.suite)
    if facts is None:
        return None
    age = me.clock() - session.created
    if session.version == ProtocolVersion.TLS1_3:
        hashes = {
            f.prf_hash for f in map(suites.facts_of, offered) if f and f.min_version == ProtocolVersion.TLS1_3
        }
        lives = age < min(session.lifetime, MAX_AGE)
        return session if session.ticket and lives and facts.prf_hash in hashes else None
    if session.suite not in offered or (session.lifetime and age > session.lifetime):
        return None
    return session if session.session_id or session.ticket else None


def allows_early_data(source: Session | ExternalPsk) -> bool:
    """Whether this key says how much early data it may carry, and under which suite."""
    return source.max_early_data > 0 and source.suite is not None


def offered_psks(
    me: ClientState, session: Session | None, offered: tuple[CipherSuite, ...]
) -> list[PskOffer]:
    """The pre-shared keys to offer: the session's first, then external ones (RFC 8446 §4.2.11)."""
    config = me.config
    if ProtocolVersion.TLS1_3 not in config.versions:
        return []
    hashes = {
        f.prf_hash for f in map(suites.facts_of, offered) if f and f.min_version == ProtocolVersion.TLS1_3
    }
    offers = []
    if session is not None and session.version == ProtocolVersion.TLS1_3:
        facts = suites.facts_of(session.suite)
        assert facts is not None  # noqa: S101 - usable_session() saw to it; for the type checker
        age = int((me.clock() - session.created) * 1000)
        identity = ext.PskIdentity(session.ticket, (max(age, 0) + session.age_add) & 0xFFFFFFFF)
        offers.append(PskOffer(identity, session.secret, facts.prf_hash, session))
    offers += [
        PskOffer(ext.PskIdentity(psk.identity, 0), psk.key, psk.hash_name, psk)
        for psk in config.psks
        if psk.hash_name in hashes
    ]
    return offers


def first_key_shares(config: ClientConfig) -> tuple[NamedGroup, ...]:
    """The groups to send a share for at once."""
    if config.key_shares is not None:
        return tuple(group for group in config.key_shares if group in config.groups)
    able = [g for g in config.groups if (facts := group_facts.facts_of(g)) and facts.tls13_allowed]
    if not able:
        return ()
    facts = group_facts.facts_of(able[0])
    if facts is not None and facts.kind == "hybrid" and NamedGroup.X25519 in able:
        return (able[0], NamedGroup.X25519)
    return (able[0],)


def make_key_shares(me: ClientState, groups: tuple[NamedGroup, ...]) -> dict[NamedGroup, KeyShare]:
    """Fresh ephemeral keys for these groups."""
    return {group: crypto_groups.generate(group, me.entropy) for group in groups}


def first_session_id(draft: Draft) -> bytes:
    """legacy_session_id: a session to resume below TLS 1.3, or 32 bytes that make TLS 1.3 look like it (§4.1.2)."""
    config = draft.config
    if config.session_id is not None:
        return config.session_id
    session = draft.session
    if session is not None and session.version != ProtocolVersion.TLS1_3:
        # A ticket needs an id by which the client can tell that it was accepted (RFC 5077 §3.4).
        return session.session_id or draft.me.entropy(32)
    if draft.tls13 and config.middlebox_compatibility:
        return draft.me.entropy(32)
    return b""


def hello_suites(draft: Draft) -> tuple[CipherSuite, ...]:
    """The suites and signalling values of the hello."""
    listed = list(draft.suites)
    if draft.grease:
        listed.insert(0, CipherSuite(grease_value(draft.grease[0])))
    if draft.legacy and draft.config.renegotiation_scsv and not draft.me.renegotiations:
        listed.append(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
    if draft.config.fallback:
        listed.append(CipherSuite.TLS_FALLBACK_SCSV)
    return tuple(listed)


def grease_value(seed: int) -> int:
    """One of the reserved 16-bit values 0x0A0A, 0x1A1A, … (RFC 8701 §2)."""
    return (seed & 0xF0 | 0x0A) * 0x0101


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
