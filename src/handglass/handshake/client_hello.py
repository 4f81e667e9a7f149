"""The ClientHello: when it is sent, with which suites, sessions and keys; its extensions are in `offers`."""

from __future__ import annotations

from functools import lru_cache

from handglass.crypto import groups as crypto_groups
from handglass.crypto.groups import KeyShare
from handglass.crypto.hashes import digest
from handglass.handshake.config import ClientConfig
from handglass.handshake.offers import (
    Draft,
    PskOffer,
    build_extensions,
    grease_value,
    padded,
)
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
    CipherSuite,
    CompressionMethod,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
)
from handglass.registry.errors import LocalError

MAX_AGE = 7 * 24 * 3600
"""No ticket may be used longer than this many seconds (RFC 8446 §4.6.1)."""


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
