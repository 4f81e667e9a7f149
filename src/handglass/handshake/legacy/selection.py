"""What a server below TLS 1.3 chooses: session, suite, key exchange, certificate (RFC 5246 §7.4.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from handglass.crypto.identity import Identity
from handglass.crypto.rsa import RSAPrivateKey
from handglass.crypto.signatures import curve_of
from handglass.handshake.certificates import schemes_for_certificate, strict_enough
from handglass.handshake.legacy.key_exchange import (
    DheServer,
    EcdheServer,
    RsaServer,
    ServerExchange,
    dh_group,
    excludes_dh,
    server_group,
)
from handglass.handshake.negotiation import (
    choose_alpn,
    choose_heartbeats,
    choose_limits,
    lacks_client_certificate,
    ordered_suites,
)
from handglass.handshake.session import Session
from handglass.handshake.state import ClientHelloView, ServerState
from handglass.handshake.wants import Conversation, ask
from handglass.messages import extensions as ext
from handglass.messages.handshake import Extension
from handglass.records import dataclass, field
from handglass.registry import reasons, suites
from handglass.registry.code_points import (
    CipherSuite,
    ECPointFormat,
    ExtensionType,
    NamedGroup,
    SignatureScheme,
)
from handglass.registry.errors import LocalError, PeerError
from handglass.registry.suites import SuiteFacts

DEFAULT_SCHEMES = (SignatureScheme.RSA_PKCS1_SHA1, SignatureScheme.ECDSA_SHA1)
"""What a client that sends no signature_algorithms accepts (RFC 5246 §7.4.1.4.1)."""


@dataclass(slots=True)
class Choice:
    """What was chosen. A resumption has a `session` and needs no exchange."""

    suite: CipherSuite
    facts: SuiteFacts
    exchange: ServerExchange = field(repr=False)
    identity: Identity | None = field(default=None, repr=False)
    scheme: SignatureScheme | None = None
    group: NamedGroup | None = None
    session: Session | None = field(default=None, repr=False)
    by_ticket: bool = False
    alpn: bytes | None = None


def choose(me: ServerState, hello: ClientHelloView) -> Conversation[Choice]:
    """Choose everything.

    Raises:
        PeerError: there is nothing in common.
        LocalError: no certificate of ours fits.
    """
    assert me.negotiated.version is not None  # noqa: S101 - chosen before this conversation; for the type checker
    shared = ordered_suites(me.config, hello, me.negotiated.version)
    if not shared:
        names = ", ".join(suite.name for suite in hello.suites[:20])
        raise PeerError(reasons.NO_COMMON_SUITE, f"for {me.negotiated.version.name} it offers {names}")
    alpn = None if me.renegotiations else choose_alpn(me.config, hello)
    session, by_ticket = yield from find_session(me, hello, shared)
    if session is not None:
        facts = suites.facts_of(session.suite)
        assert facts is not None  # noqa: S101 - find_session() saw to it; for the type checker
        exchange = DheServer(0, 0, me.entropy)
        return Choice(session.suite, facts, exchange, session=session, by_ticket=by_ticket, alpn=alpn)
    identities: Sequence[Identity] = me.config.identities
    if me.config.choose_identity is not None:
        identities = yield from ask("certificate", me.config.choose_identity, hello, me.config.identities)
    in_chains = hello.certificate_signature_schemes or hello.signature_schemes or DEFAULT_SCHEMES
    usable = [identity for identity in identities if strict_enough(me.config, identity, in_chains)]
    for suite in shared:
        choice = try_suite(me, hello, suite, usable)
        if choice is not None:
            choice.alpn = alpn
            return choice
    if not identities:
        raise LocalError(reasons.NO_CERTIFICATE_CONFIGURED)
    if excludes_dh(me.config, hello) and any(
        f.key_exchange == "DHE" for s in shared if (f := suites.facts_of(s))
    ):
        raise PeerError(reasons.NO_COMMON_FFDHE_GROUP)
    names = ", ".join(suite.name for suite in shared)
    raise PeerError(
        reasons.NO_COMMON_SUITE, f"no certificate, curve or signature scheme of ours fits one of {names}"
    )


def find_session(
    me: ServerState, hello: ClientHelloView, shared: list[CipherSuite]
) -> Conversation[tuple[Session | None, bool]]:
    """The session to resume, and whether it came from a ticket (RFC 5077 §3.4, RFC 5246 §7.3, RFC 7627 §5.3)."""
    sessions = me.config.sessions
    renegotiating = me.renegotiations > 0
    if sessions is None or me.authenticate_again:
        return None, False
    if renegotiating and not me.config.resume_in_renegotiation:
        return None, False
    session, by_ticket = None, False
    ticket = hello.body(ExtensionType.SESSION_TICKET) if me.config.tickets else None
    if ticket:
        session = yield from ask("session", sessions.get_ticket, ticket)
        by_ticket = True
    elif hello.hello.legacy_session_id and me.config.session_ids:
        session = yield from ask("session", sessions.get_id, hello.hello.legacy_session_id)
    if session is None:
        return None, False
    fits = (
        session.version == me.negotiated.version
        and session.suite in shared
        and session.context == me.config.session_context
        and session.server_name == hello.server_name
        and me.clock() - session.created <= session.lifetime
        and not lacks_client_certificate(me.config, session)
    )
    # A ticket may come with an empty session id; the client then tells by our next message (RFC 5077 §3.4).
    if not fits:
        return None, False
    offers_binding = ExtensionType.EXTENDED_MASTER_SECRET in hello and me.config.extended_master_secret
    if session.extended_master_secret and not offers_binding:
        raise PeerError(reasons.EXTENDED_MASTER_SECRET_CHANGED)
    if not session.extended_master_secret and (offers_binding or renegotiating):
        return None, False
    return session, by_ticket


def try_suite(
    me: ServerState, hello: ClientHelloView, suite: CipherSuite, identities: Sequence[Identity]
) -> Choice | None:
    """Everything that this suite needs, or None if something is missing."""
    facts = suites.facts_of(suite)
    assert facts is not None  # noqa: S101 - ordered_suites() gives known ones; for the type checker
    if facts.key_exchange == "RSA":
        for identity in identities:
            if identity.key_type == "rsa" and isinstance(identity.key, RSAPrivateKey):
                exchange = RsaServer(identity.key, hello.hello.legacy_version, me.entropy)
                return Choice(suite, facts, exchange, identity)
        return None
    if facts.key_exchange not in {"ECDHE", "DHE"}:
        return None
    for identity in identities:
        scheme = signing_scheme(me, hello, facts, identity)
        if scheme is None:
            continue
        if facts.key_exchange == "DHE":
            found = dh_group(me.config, hello)
            if found is None:
                return None
            return Choice(suite, facts, DheServer(*found, me.entropy), identity, scheme)
        group = server_group(me.config, hello)
        if group is None:
            return None
        return Choice(suite, facts, EcdheServer(group, me.entropy), identity, scheme, group)
    return None


def signing_scheme(
    me: ServerState, hello: ClientHelloView, facts: SuiteFacts, identity: Identity
) -> SignatureScheme | None:
    """The scheme to sign the parameters with, if this certificate fits the suite (RFC 5246 §7.4.1.4.1)."""
    is_rsa = identity.key_type in {"rsa", "rsa_pss"}
    if is_rsa != (facts.authentication == "RSA"):
        return None
    if identity.key_type.startswith("mldsa"):
        return None
    curve = curve_of(identity.key)
    if curve is not None and hello.groups and curve not in hello.groups:
        return None  # the client's groups bind the certificate too (RFC 8422 §5.3)
    able = schemes_for_certificate(identity.certificate, curve_bound=False)
    offered = hello.signature_schemes
    if not offered:
        return next((scheme for scheme in DEFAULT_SCHEMES if scheme in able), None)
    return next((s for s in me.config.signature_schemes if s in offered and s in able), None)


def answers(me: ServerState, hello: ClientHelloView, choice: Choice) -> list[Extension]:
    """The extensions of our ServerHello, but for what is promised to follow (RFC 5246 §7.4.1.4)."""
    agreed = me.negotiated
    found = []
    if agreed.secure_renegotiation:
        info = b"".join(agreed.verify_data) if me.renegotiations else b""
        found.append(Extension(ExtensionType.RENEGOTIATION_INFO, ext.RenegotiationInfo(info).encode()))
    if me.config.acknowledge_server_name and hello.server_name is not None and choice.session is None:
        found.append(Extension(ExtensionType.SERVER_NAME, b""))
    if ExtensionType.EC_POINT_FORMATS in hello and choice.facts.key_exchange == "ECDHE":
        formats = ext.ECPointFormatList((ECPointFormat.UNCOMPRESSED,)).encode()
        found.append(Extension(ExtensionType.EC_POINT_FORMATS, formats))
    if choice.alpn is not None:
        body = ext.ProtocolNameList((choice.alpn,)).encode()
        found.append(Extension(ExtensionType.ALPN, body))
    if agreed.encrypt_then_mac:
        found.append(Extension(ExtensionType.ENCRYPT_THEN_MAC, b""))
    if agreed.extended_master_secret:
        found.append(Extension(ExtensionType.EXTENDED_MASTER_SECRET, b""))
    wants_scts = choice.session is None and ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP in hello
    if me.config.scts is not None and wants_scts:  # a resumption has no certificate (RFC 6962 §3.3.1)
        found.append(Extension(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP, me.config.scts))
    found += choose_limits(me, hello)
    found += me.type_answers
    found += choose_heartbeats(me, hello)
    return found
