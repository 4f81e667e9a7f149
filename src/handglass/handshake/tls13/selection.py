"""What a TLS 1.3 server chooses from a ClientHello: pre-shared key, suite, group, certificate (RFC 8446 §4.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from handglass.crypto.hashes import digest, equal
from handglass.crypto.identity import Identity
from handglass.handshake.certificates import strict_enough
from handglass.handshake.config import ClientAuthentication
from handglass.handshake.negotiation import (
    UNDERSTOOD,
    choose_alpn,
    choose_certificate_types,
    choose_heartbeats,
    choose_limits,
    lacks_client_certificate,
    ordered_suites,
    stapled_responses,
)
from handglass.handshake.session import ExternalPsk, Session
from handglass.handshake.state import ClientHelloView, ServerState
from handglass.handshake.tls13.authentication import choose_scheme
from handglass.handshake.wants import Conversation, ask
from handglass.keys import schedule
from handglass.keys.labels import SecretLabel
from handglass.keys.schedule import KeySchedule
from handglass.messages import extensions as ext
from handglass.messages.handshake import CertificateStatus, Extension, OCSPResponse
from handglass.records import dataclass, field
from handglass.registry import groups as group_facts
from handglass.registry import reasons, suites
from handglass.registry.code_points import (
    CertificateStatusType,
    CipherSuite,
    CompressionMethod,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    PskKeyExchangeMode,
    SignatureScheme,
)
from handglass.registry.errors import LocalError, PeerError

UNDERSTOOD_HERE = (
    ExtensionType.COMPRESS_CERTIFICATE,
    ExtensionType.PRE_SHARED_KEY,
    ExtensionType.EARLY_DATA,
    ExtensionType.COOKIE,
    ExtensionType.PSK_KEY_EXCHANGE_MODES,
    ExtensionType.CERTIFICATE_AUTHORITIES,
    ExtensionType.POST_HANDSHAKE_AUTH,
    ExtensionType.KEY_SHARE,
)
"""What a server of TLS 1.3 reads besides, and therefore refuses if it is malformed."""

MAX_PSK_IDENTITIES = 8
"""How many of the client's identities are looked up."""


@dataclass(slots=True)
class ChosenPsk:
    """A pre-shared key whose binder was right, and the key schedule started with it."""

    index: int
    identity: bytes
    keys: KeySchedule
    source: Session | ExternalPsk = field(repr=False)

    @property
    def session(self) -> Session | None:
        """The session, if the key is a ticket's."""
        return self.source if isinstance(self.source, Session) else None


@dataclass(slots=True)
class Choice:
    """What was chosen. `share` is the client's share of `group`; `retry_group` is what to ask for if there is none."""

    suite: CipherSuite
    group: NamedGroup | None = None
    share: ext.KeyShareEntry | None = None
    retry_group: NamedGroup | None = None
    psk: ChosenPsk | None = None
    identity: Identity | None = field(default=None, repr=False)
    scheme: SignatureScheme | None = None
    early_data: bool = False
    early_limit: int = 0


def choose(me: ServerState, hello: ClientHelloView, only: CipherSuite | None = None) -> Conversation[Choice]:
    """Choose everything; `only` is the suite of a HelloRetryRequest, which must stay.

    Raises:
        PeerError: the hello breaks a rule, or there is nothing in common.
        LocalError: no certificate of ours fits.
    """
    hello.check_bodies(UNDERSTOOD)
    hello.check_bodies(UNDERSTOOD_HERE)
    check_hello(hello)
    offered = ordered_suites(me.config, hello, ProtocolVersion.TLS1_3)
    if only is not None:
        offered = [only] if only in offered else []
    if not offered:
        raise PeerError(reasons.NO_COMMON_SUITE, "for TLS 1.3 it offers " + tls13_names(hello))
    psk, suite = yield from choose_psk(me, hello, offered)
    choice = Choice(suite or offered[0], psk=psk)
    choose_group(me, hello, choice)
    if psk is None:
        asks = me.config.client_authentication is not ClientAuthentication.NONE
        choose_certificate_types(me, hello, asks=asks or ExtensionType.POST_HANDSHAKE_AUTH in hello)
        yield from choose_certificate(me, hello, choice)
    me.negotiated.alpn = choose_alpn(me.config, hello)
    if choice.retry_group is None:
        choice.early_data = yield from accept_early_data(me, hello, choice)
    return choice


def tls13_names(hello: ClientHelloView) -> str:
    """The client's TLS 1.3 suites, for a person."""
    names = [
        s.name for s in hello.suites if (f := suites.facts_of(s)) and f.min_version == ProtocolVersion.TLS1_3
    ]
    return ", ".join(names) or "none"


def check_hello(hello: ClientHelloView) -> None:
    """The rules of a TLS 1.3 ClientHello (RFC 8446 §4.1.2, §4.2.8, §4.2.11, §9.2)."""
    if tuple(hello.hello.legacy_compression_methods) != (CompressionMethod.NULL,):
        raise PeerError(reasons.COMPRESSION_OFFERED)
    types = hello.extension_types
    has_psk = ExtensionType.PRE_SHARED_KEY in hello
    if has_psk:
        if types[-1] != ExtensionType.PRE_SHARED_KEY:
            raise PeerError(reasons.PSK_NOT_LAST)
        if ExtensionType.PSK_KEY_EXCHANGE_MODES not in hello:
            raise PeerError(reasons.MISSING_PSK_MODES)
        offered = hello.pre_shared_keys
        if offered is not None and len(offered.identities) != len(offered.binders):
            raise PeerError(reasons.BINDER_COUNT_MISMATCH)
    if (hello.key_shares is None) != (ExtensionType.SUPPORTED_GROUPS not in hello):
        raise PeerError(
            reasons.MISSING_SUPPORTED_GROUPS if hello.key_shares is not None else reasons.MISSING_KEY_SHARE
        )
    if not has_psk:
        if ExtensionType.SIGNATURE_ALGORITHMS not in hello:
            raise PeerError(reasons.MISSING_SIGNATURE_ALGORITHMS)
        if hello.key_shares is None:
            raise PeerError(reasons.MISSING_SUPPORTED_GROUPS)
    check_key_shares(hello)


def check_key_shares(hello: ClientHelloView) -> None:
    """One share per group, each group offered, in the order of the groups (RFC 8446 §4.2.8)."""
    groups = hello.groups
    seen: set[NamedGroup] = set()
    for share in hello.key_shares or ():
        if share.group in seen:
            raise PeerError(reasons.DUPLICATE_KEY_SHARE, share.group.name)
        if share.group not in groups:
            raise PeerError(reasons.KEY_SHARE_NOT_IN_GROUPS, share.group.name)
        seen.add(share.group)


def choose_psk(
    me: ServerState, hello: ClientHelloView, offered: Sequence[CipherSuite]
) -> Conversation[tuple[ChosenPsk | None, CipherSuite | None]]:
    """The first of the client's pre-shared keys that we know and have a suite for, its binder checked (§4.2.11)."""
    found = hello.pre_shared_keys
    if found is None or not usable_modes(me, hello):
        return None, None
    for index, identity in enumerate(found.identities[:MAX_PSK_IDENTITIES]):
        source = yield from look_up(me, hello, identity.identity)
        if source is None:
            continue
        hash_name = hash_of(source)
        suite = next((s for s in offered if facts_hash(s) == hash_name), None)
        own = source.suite
        if source.max_early_data and own is not None and own in offered and facts_hash(own) == hash_name:
            suite = own  # the only one that early data can have been sent with (RFC 8446 §4.2.10)
        if suite is None:
            continue
        keys = check_binder(me, hello, index, source)
        return ChosenPsk(index, identity.identity, keys, source), suite
    return None, None


def usable_modes(me: ServerState, hello: ClientHelloView) -> bool:
    """Whether a key exchange mode is known to both (RFC 8446 §4.2.9)."""
    return any(mode in me.config.psk_modes for mode in hello.psk_modes)


def look_up(
    me: ServerState, hello: ClientHelloView, identity: bytes
) -> Conversation[Session | ExternalPsk | None]:
    """The key behind an identity: an external one, or a ticket that is fit to be resumed here."""
    config = me.config
    for psk in config.psks:
        if psk.identity == identity:
            return psk
    if config.find_psk is not None:
        found = yield from ask("psk", config.find_psk, identity)
        if found is not None:
            return found
    if config.sessions is None:
        return None
    session = yield from ask("session", config.sessions.get_ticket, identity)
    if (
        session is None
        or session.version != ProtocolVersion.TLS1_3
        or session.context != config.session_context
        or session.server_name != hello.server_name
        or me.clock() - session.created > session.lifetime
        or lacks_client_certificate(config, session)
    ):
        return None
    return session


def hash_of(source: Session | ExternalPsk) -> str:
    """The hash that a pre-shared key is bound to."""
    return source.hash_name if isinstance(source, ExternalPsk) else facts_hash(source.suite)


def facts_hash(suite: CipherSuite) -> str:
    """The hash of a suite that we know."""
    facts = suites.facts_of(suite)
    return facts.prf_hash if facts is not None else ""


def check_binder(
    me: ServerState, hello: ClientHelloView, index: int, source: Session | ExternalPsk
) -> KeySchedule:
    """Check that the client has the key (RFC 8446 §4.2.11.2); the key schedule started with it."""
    found = hello.pre_shared_keys
    assert found is not None  # noqa: S101 - the caller looked; for the type checker
    hash_name = hash_of(source)
    truncated = me.retry_prefix + hello.raw[: -found.binders_size]
    key = source.key if isinstance(source, ExternalPsk) else source.secret
    label = SecretLabel.RESUMPTION_BINDER
    if isinstance(source, ExternalPsk):
        label = SecretLabel.IMPORTED_BINDER if source.imported else SecretLabel.EXTERNAL_BINDER
    expected = schedule.finished_mac(
        hash_name, schedule.binder_key(hash_name, key, label), digest(hash_name, truncated)
    )
    if not equal(found.binders[index], expected):
        raise PeerError(reasons.BINDER_MISMATCH)
    keys = KeySchedule(hash_name)
    keys.start(key)
    return keys


def choose_group(me: ServerState, hello: ClientHelloView, choice: Choice) -> None:
    """The share to use, or the group to ask for (RFC 8446 §4.1.1, §4.2.8); none at all with psk_ke."""
    config = me.config
    if choice.psk is not None:
        modes = [mode for mode in hello.psk_modes if mode in config.psk_modes]
        if PskKeyExchangeMode.PSK_DHE_KE not in modes or hello.key_shares is None:
            if PskKeyExchangeMode.PSK_KE not in modes:
                raise PeerError(reasons.MISSING_KEY_SHARE)
            return
    if hello.key_shares is None:  # it relied on a pre-shared key that we do not take
        raise PeerError(reasons.MISSING_KEY_SHARE)
    usable = allowed_groups(config.groups)
    if config.group_tuples:
        tuples = config.group_tuples
        best = next(
            (members for members in tuples if any(g in usable and g in hello.groups for g in members)), ()
        )
        usable = tuple(group for group in usable if group in best)
    shares = {share.group: share for share in hello.key_shares}
    order: Iterable[NamedGroup] = usable if config.prefer_own_suites else shares
    for group in order:
        if group in shares and group in usable:
            choice.group, choice.share = group, shares[group]
            return
    order = usable if config.prefer_own_suites else hello.groups
    for group in order:
        if group in usable and group in hello.groups:
            choice.retry_group = group
            return
    names = ", ".join(group.name for group in hello.groups) or "none"
    raise PeerError(reasons.NO_COMMON_GROUP, f"it offers {names}")


@lru_cache(maxsize=64)
def allowed_groups(groups: tuple[NamedGroup, ...]) -> tuple[NamedGroup, ...]:
    """Those that TLS 1.3 allows; a configuration has the same for each connection."""
    return tuple(g for g in groups if (facts := group_facts.facts_of(g)) and facts.tls13_allowed)


def choose_certificate(me: ServerState, hello: ClientHelloView, choice: Choice) -> Conversation[None]:
    """The certificate and the scheme to sign with (RFC 8446 §4.4.2.2, §4.4.3)."""
    config = me.config
    identities: Sequence[Identity] = config.identities
    if config.choose_identity is not None:
        identities = yield from ask("certificate", config.choose_identity, hello, config.identities)
    if not identities:
        raise LocalError(reasons.NO_CERTIFICATE_CONFIGURED)
    if ExtensionType.SIGNATURE_ALGORITHMS not in hello:  # it relied on a pre-shared key that we do not take
        raise PeerError(reasons.MISSING_SIGNATURE_ALGORITHMS)
    in_chains = hello.certificate_signature_schemes or hello.signature_schemes
    for identity in identities:
        if not strict_enough(config, identity, in_chains):
            continue
        scheme = choose_scheme(identity, hello.signature_schemes, config.signature_schemes)
        if scheme is not None:
            choice.identity, choice.scheme = identity, scheme
            return
    names = ", ".join(scheme.name for scheme in hello.signature_schemes) or "none"
    raise PeerError(reasons.NO_COMMON_SIGNATURE, f"the client accepts {names}")


def accept_early_data(me: ServerState, hello: ClientHelloView, choice: Choice) -> Conversation[bool]:
    """Whether early data is taken (RFC 8446 §4.2.10), each ticket once (§8.1) and only while it is fresh (§8.3)."""
    config, psk = me.config, choice.psk
    if ExtensionType.EARLY_DATA not in hello or not config.accept_early_data or psk is None or psk.index:
        return False
    if me.negotiated.hello_retried or config.send_cookie:
        return False
    source = psk.source
    if source.max_early_data == 0 or source.suite != choice.suite:
        return False
    choice.early_limit = source.max_early_data
    if isinstance(source, Session):
        if source.alpn != me.negotiated.alpn:
            return False
        found = hello.pre_shared_keys
        assert found is not None  # noqa: S101 - there is a PSK; for the type checker
        claimed = (found.identities[0].obfuscated_ticket_age - source.age_add & 0xFFFFFFFF) / 1000
        if abs(claimed - (me.clock() - source.created)) > config.early_data_window:
            return False
    if config.sessions is None or not config.anti_replay:
        return True
    return (yield from ask("replay", config.sessions.first_use, psk.identity))


def common_answers(me: ServerState, hello: ClientHelloView) -> list[Extension]:
    """The answers that mean the same in every version: server_name, ALPN, record limits, types of certificates."""
    found = []
    if me.config.acknowledge_server_name and hello.server_name is not None:
        found.append(Extension(ExtensionType.SERVER_NAME, b""))
    if me.negotiated.alpn is not None:
        body = ext.ProtocolNameList((me.negotiated.alpn,)).encode()
        found.append(Extension(ExtensionType.ALPN, body))
    found += choose_limits(me, hello)
    found += me.type_answers
    found += choose_heartbeats(me, hello)
    return found


def certificate_extensions(
    me: ServerState, hello: ClientHelloView, identity: Identity
) -> Conversation[tuple[tuple[Extension, ...], ...]]:
    """What is stapled to each of our certificates, leaf first (RFC 8446 §4.4.2.1)."""
    responses: Sequence[bytes | None] = ()
    if ExtensionType.STATUS_REQUEST in hello:
        responses = yield from stapled_responses(me.config, identity)
    found = [
        () if response is None else (status_extension(response),)
        for response in responses[: len(identity.certificates)]
    ]
    if me.config.scts is not None and ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP in hello:
        timestamps = Extension(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP, me.config.scts)
        found[:1] = [(*(found[0] if found else ()), timestamps)]
    return tuple(found)


def status_extension(response: bytes) -> Extension:
    """An OCSP response as the extension of a certificate."""
    body = CertificateStatus(CertificateStatusType.OCSP, OCSPResponse(response)).encode()
    return Extension(ExtensionType.STATUS_REQUEST, body)


def check_second_hello(
    first: ClientHelloView, second: ClientHelloView, group: NamedGroup | None, cookie: bytes | None
) -> None:
    """The second ClientHello may differ only as the retry asked (RFC 8446 §4.1.2)."""
    one, two = first.hello, second.hello
    for name in (
        "legacy_version",
        "random",
        "legacy_session_id",
        "cipher_suites",
        "legacy_compression_methods",
    ):
        if getattr(one, name) != getattr(two, name):
            raise PeerError(reasons.SECOND_HELLO_CHANGED, name)
    if ExtensionType.EARLY_DATA in second:
        raise PeerError(reasons.EARLY_DATA_IN_SECOND_HELLO)
    free = {
        ExtensionType.KEY_SHARE,
        ExtensionType.EARLY_DATA,
        ExtensionType.COOKIE,
        ExtensionType.PRE_SHARED_KEY,
        ExtensionType.PADDING,
    }
    for kind in {*first.extension_types, *second.extension_types} - free:
        if first.body(kind) != second.body(kind):
            raise PeerError(reasons.SECOND_HELLO_CHANGED, f"extension {kind.name}")
    if group is None and first.body(ExtensionType.KEY_SHARE) != second.body(ExtensionType.KEY_SHARE):
        raise PeerError(reasons.SECOND_HELLO_CHANGED, "extension KEY_SHARE, and no other group was asked for")
    if group is not None and [share.group for share in second.key_shares or ()] != [group]:
        raise PeerError(reasons.SECOND_HELLO_WRONG_SHARE, f"{group.name} was asked for")
    body = second.body(ExtensionType.COOKIE)
    if (cookie is None) != (body is None) or (cookie is not None and body != ext.Cookie(cookie).encode()):
        raise PeerError(reasons.BAD_COOKIE)


def retry_prefix(first_hello: bytes, hash_name: str, request: bytes) -> bytes:
    """message_hash and HelloRetryRequest as they stand before the second ClientHello (RFC 8446 §4.4.1)."""
    hashed = digest(hash_name, first_hello)
    return bytes((254, 0, 0, len(hashed))) + hashed + request


def hello_hash(me: ServerState, hello: ClientHelloView, hash_name: str) -> bytes:
    """The hash that the early secrets are derived with: up to and with the ClientHello (RFC 8446 §7.1)."""
    return digest(hash_name, me.retry_prefix + hello.raw)
