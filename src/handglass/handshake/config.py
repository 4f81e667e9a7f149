"""What the two roles are told before a connection begins: facts, preferences and the questions they may ask.

A configuration is immutable and can serve any number of connections at once. Every callable in it may be
answered later and elsewhere if the connection defers the question of that name (see `Connection`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from handglass.channel.limits import Limits
from handglass.crypto.entropy import Entropy
from handglass.crypto.identity import Identity
from handglass.crypto.signatures import PrivateKey
from handglass.crypto.signatures import sign as sign_with_key
from handglass.handshake.session import ExternalPsk, Session, SessionStore
from handglass.messages.handshake import Extension
from handglass.records import dataclass, field
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CertificateType,
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    PskKeyExchangeMode,
    SignatureScheme,
)

if TYPE_CHECKING:
    from handglass.handshake.state import ClientHelloView, PeerChain

DEFAULT_VERSIONS = (ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2)

DEFAULT_SUITES = (
    CipherSuite.TLS_AES_256_GCM_SHA384,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    CipherSuite.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    CipherSuite.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    CipherSuite.TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite.TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA256,
    CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256,
    CipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA,
    CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
)
"""OpenSSL 3's default list, in its order."""

DEFAULT_GROUPS = (
    NamedGroup.X25519MLKEM768,
    NamedGroup.X25519,
    NamedGroup.SECP256R1,
    NamedGroup.X448,
    NamedGroup.SECP384R1,
    NamedGroup.SECP521R1,
    NamedGroup.FFDHE2048,
    NamedGroup.FFDHE3072,
)

DEFAULT_KEY_SHARES = (NamedGroup.X25519MLKEM768, NamedGroup.X25519)

DEFAULT_SIGNATURE_SCHEMES = (
    SignatureScheme.MLDSA65,
    SignatureScheme.MLDSA87,
    SignatureScheme.MLDSA44,
    SignatureScheme.ECDSA_SECP256R1_SHA256,
    SignatureScheme.ECDSA_SECP384R1_SHA384,
    SignatureScheme.ECDSA_SECP521R1_SHA512,
    SignatureScheme.ED25519,
    SignatureScheme.ED448,
    SignatureScheme.ECDSA_BRAINPOOLP256R1TLS13_SHA256,
    SignatureScheme.ECDSA_BRAINPOOLP384R1TLS13_SHA384,
    SignatureScheme.ECDSA_BRAINPOOLP512R1TLS13_SHA512,
    SignatureScheme.RSA_PSS_PSS_SHA256,
    SignatureScheme.RSA_PSS_PSS_SHA384,
    SignatureScheme.RSA_PSS_PSS_SHA512,
    SignatureScheme.RSA_PSS_RSAE_SHA256,
    SignatureScheme.RSA_PSS_RSAE_SHA384,
    SignatureScheme.RSA_PSS_RSAE_SHA512,
    SignatureScheme.RSA_PKCS1_SHA256,
    SignatureScheme.RSA_PKCS1_SHA384,
    SignatureScheme.RSA_PKCS1_SHA512,
)


class ClientAuthentication(Enum):
    """Whether a server asks for a client certificate."""

    NONE = "none"
    REQUEST = "request"
    REQUIRE = "require"


def accept_any_chain(chain: PeerChain) -> None:
    """Let every certificate chain pass: the judgement is somebody else's."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What both roles share.

    `suites`, `groups` and `signature_schemes` are in order of preference. `verify_peer` gets the peer's
    chain and raises PeerError with the reason (and so the alert) if the handshake must not go on. `sign`
    makes the signatures: `(scheme, private key, data, entropy) -> signature`; replace it for keys that live
    elsewhere. Lengths are bytes.
    """

    versions: tuple[ProtocolVersion, ...] = DEFAULT_VERSIONS
    suites: tuple[CipherSuite, ...] = DEFAULT_SUITES
    groups: tuple[NamedGroup, ...] = DEFAULT_GROUPS
    signature_schemes: tuple[SignatureScheme, ...] = DEFAULT_SIGNATURE_SCHEMES
    certificate_signature_schemes: tuple[SignatureScheme, ...] = ()
    client_signature_schemes: tuple[SignatureScheme, ...] = ()
    """For clients' signatures alone: what a server asks for, what a client signs with; (): `signature_schemes`."""
    alpn: tuple[bytes, ...] = ()
    identities: tuple[Identity, ...] = ()
    psks: tuple[ExternalPsk, ...] = ()
    psk_modes: tuple[PskKeyExchangeMode, ...] = (PskKeyExchangeMode.PSK_DHE_KE,)
    extended_master_secret: bool = True
    require_extended_master_secret: bool = False
    encrypt_then_mac: bool = True
    tickets: bool = True
    middlebox_compatibility: bool = True
    record_size_limit: int | None = None
    max_fragment_length: int | None = None
    record_padding: int = 0
    max_send_fragment: int = 1 << 14
    certificate_compression: tuple[CertificateCompressionAlgorithm, ...] = ()
    server_certificate_types: tuple[CertificateType, ...] = ()
    """What a server may show (RFC 7250): X.509 certificates or raw public keys, best first. (): X.509, nothing said."""
    client_certificate_types: tuple[CertificateType, ...] = ()
    """The same for what a client may show."""
    strict_chains: bool = False
    """Show only certificates whose whole chain is signed as the peer accepts (RFC 5246 §7.4.2, RFC 8446 §4.4.2.2)."""
    heartbeats: bool = False
    """Tell the peer that it may send heartbeats, and answer them (RFC 6520)."""
    allow_renegotiation: bool = True
    allow_legacy_peer: bool = False
    """Handshake with peers that lack secure renegotiation (RFC 5746 §4.1, §4.3)."""
    min_dh_bits: int = 1024
    limits: Limits = field(default_factory=Limits)
    verify_peer: Callable[[PeerChain], None] = accept_any_chain
    sign: Callable[[SignatureScheme, PrivateKey, bytes, Entropy], bytes] = sign_with_key


@dataclass(frozen=True, kw_only=True)
class ClientConfig(Config):
    """What a client is told.

    `choose_identity` picks the certificate for a CertificateRequest from its signature schemes and CA
    names; by default the first of `identities` that can sign. `extra_extensions` are added to the
    ClientHello as they are; `extension_order` puts the named ones first and in this order (pre_shared_key
    is always last, RFC 8446 §4.2.11).
    """

    server_name: str | None = None
    key_shares: tuple[NamedGroup, ...] | None = None
    """Groups to send a share for at once; None: the first group, and X25519 beside a first hybrid."""
    session: Session | None = field(default=None, repr=False)
    early_data: bool = False
    post_handshake_auth: bool = False
    request_status: bool = False
    """Ask for stapled OCSP responses with status_request: below TLS 1.3 for the leaf (RFC 6066 §8), else for all."""
    request_all_statuses: bool = False
    """Ask for those of all certificates below TLS 1.3 too, with status_request_v2 (RFC 6961)."""
    request_scts: bool = False
    authorities: tuple[bytes, ...] = ()
    renegotiation_scsv: bool = True
    """Announce secure renegotiation with the signalling suite, not with an empty extension (RFC 5746 §3.3)."""
    fallback: bool = False
    """Send TLS_FALLBACK_SCSV (RFC 7507)."""
    grease: bool = False
    """Send reserved code points to keep peers honest (RFC 8701)."""
    extra_extensions: tuple[Extension, ...] = ()
    omit_extensions: frozenset[ExtensionType] = frozenset()
    extension_order: tuple[ExtensionType, ...] = ()
    session_id: bytes | None = None
    """The legacy_session_id to send; None: chosen as the mode demands."""
    pad_hello_to: int = 0
    """Pad a ClientHello of 256 bytes or more to this length (RFC 7685 §4); 0: never."""
    choose_identity: Callable[[Sequence[SignatureScheme], Sequence[bytes]], Identity | None] | None = None


@dataclass(frozen=True, kw_only=True)
class ServerConfig(Config):
    """What a server is told.

    `choose_config` sees the ClientHello first and may give another configuration for this connection
    (server name, certificate, anything but the versions). `choose_identity` picks among identities for a
    hello; by default the first that can sign with a scheme the client accepts. `sessions` keeps sessions
    (None: no resumption). `extension_order` puts the named extensions of ServerHello, HelloRetryRequest and
    EncryptedExtensions first and in this order.
    """

    client_authentication: ClientAuthentication = ClientAuthentication.NONE
    authorities: tuple[bytes, ...] = ()
    prefer_own_suites: bool = False
    prioritize_chacha: bool = False
    require_alpn_overlap: bool = True
    sessions: SessionStore | None = field(default=None, repr=False)
    num_tickets: int = 2
    ticket_lifetime: int = 7200
    ticket_nonce_size: int = 8
    """Bytes of a ticket's nonce, which is its number on the connection (RFC 8446 §4.6.1)."""
    session_ids: bool = True
    """Below TLS 1.3, resume by session id when no ticket is used."""
    session_id_prefix: bytes = b""
    """Every session id begins with this, up to its 32 bytes."""
    resume_ephemeral: bool = True
    """Below TLS 1.3, let sessions be resumed whose key exchange was ephemeral."""
    resume_in_renegotiation: bool = False
    """Let a renegotiation resume a session, if that has the extended master secret (RFC 7627 §6.1)."""
    max_early_data: int = 0
    """Announced in tickets; 0 forbids early data."""
    accept_early_data: bool = False
    receive_max_early_data: int | None = None
    """The hard limit on received early data; None: what the ticket allowed."""
    anti_replay: bool = True
    """Take early data once for each ticket (RFC 8446 §8.1)."""
    early_data_window: float = 10.0
    """How many seconds a ticket's age may be off for early data (RFC 8446 §8.3)."""
    send_cookie: bool = False
    """Always answer a first ClientHello with HelloRetryRequest and a cookie (RFC 8446 §4.2.2)."""
    cookie_size: int = 32
    """Bytes of that cookie."""
    ocsp_response: bytes | None = field(default=None, repr=False)
    """Stapled to the leaf, whichever certificate that is; `staple` goes before it."""
    scts: bytes | None = field(default=None, repr=False)
    send_supported_groups: bool = False
    """Tell the client our groups in EncryptedExtensions (RFC 8446 §4.2.7)."""
    acknowledge_server_name: bool = True
    extension_order: tuple[ExtensionType, ...] = ()
    group_tuples: tuple[tuple[NamedGroup, ...], ...] = ()
    """Groups that are equally good, best tuple first: a share is taken only of the first tuple that the client knows
    a group of; for that tuple a HelloRetryRequest asks rather than that the next one is used (RFC 8446 §4.1.1).
    (): all `groups` are equally good."""
    allow_client_renegotiation: bool = False
    dh_parameters: tuple[int, int] | None = None
    """(p, g) for DHE below TLS 1.3, whatever groups the client names; None: the RFC 7919 group that fits."""
    session_context: bytes = b""
    choose_config: Callable[[ClientHelloView], ServerConfig] | None = None
    choose_identity: Callable[[ClientHelloView, tuple[Identity, ...]], Sequence[Identity]] | None = None
    staple: Callable[[Identity], Sequence[bytes | None]] | None = None
    """The OCSP responses for an identity's certificates, leaf first. Below TLS 1.3 only clients that ask with
    status_request_v2 get more than the leaf's."""
    find_psk: Callable[[bytes], ExternalPsk | None] | None = None
