"""What a conversation knows while it runs, and what is left when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from handglass.handshake.config import ClientConfig, Config, ServerConfig
from handglass.handshake.lazy import lazy_property
from handglass.keys.transcript import Transcript
from handglass.messages import extensions as ext
from handglass.messages.extension import Place
from handglass.messages.handshake import ClientHello, Extension
from handglass.records import dataclass, field
from handglass.registry import reasons
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CertificateType,
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.errors import PeerError
from handglass.wire import DecodeError, Struct

if TYPE_CHECKING:
    from handglass.crypto.entropy import Entropy
    from handglass.crypto.identity import Identity
    from handglass.handshake.driver import Driver
    from handglass.handshake.session import ExternalPsk, Session

S = TypeVar("S", bound=Struct)


def decode_extension(form: type[S], data: bytes, extension_type: ExtensionType) -> S:
    """The body of an extension; PeerError (decode_error) if it is malformed."""
    try:
        return form.decode(data)
    except DecodeError as error:
        raise PeerError(reasons.DECODE_ERROR, f"extension {extension_type.name}: {error}") from error


@dataclass(frozen=True, slots=True)
class PeerChain:
    """What the peer sent to prove who it is, for the judgement.

    `certificates` are DER, leaf first, as sent. `ocsp_responses` holds, for each certificate, the stapled
    answer or None; `scts` the SignedCertificateTimestampList of the leaf from the TLS extension.
    `server_name` is the name that a client asked for. A peer with a raw public key has no certificates: `public_key` is
    its SubjectPublicKeyInfo in DER (RFC 7250).
    """

    certificates: tuple[bytes, ...] = field(repr=False)
    is_server: bool
    server_name: str | None = None
    ocsp_responses: tuple[bytes | None, ...] = field(default=(), repr=False)
    scts: bytes | None = field(default=None, repr=False)
    version: ProtocolVersion = ProtocolVersion.TLS1_3
    signature_scheme: SignatureScheme | None = None
    public_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CertificateRequestFacts:
    """What a CertificateRequest asks for (RFC 8446 §4.3.2, RFC 5246 §7.4.4)."""

    context: bytes = b""
    authorities: tuple[bytes, ...] = ()
    signature_schemes: tuple[SignatureScheme, ...] = ()
    certificate_types: tuple[int, ...] = ()
    certificate_signature_schemes: tuple[SignatureScheme, ...] = ()
    compression: tuple[CertificateCompressionAlgorithm, ...] = ()
    post_handshake: bool = False


@dataclass(slots=True)
class Negotiated:
    """What the two sides agreed on. It grows during the handshake, and is what it is when the handshake is done."""

    is_client: bool
    version: ProtocolVersion | None = None
    suite: CipherSuite | None = None
    group: NamedGroup | None = None
    dh_bits: int | None = None
    """Size of the server's own DHE prime, where it is no named group."""
    alpn: bytes | None = None
    server_name: str | None = None
    resumed: bool = False
    psk_identity: bytes | None = field(default=None, repr=False)
    peer_certificates: tuple[bytes, ...] = field(default=(), repr=False)
    peer_ocsp_responses: tuple[bytes | None, ...] = field(default=(), repr=False)
    peer_scts: bytes | None = field(default=None, repr=False)
    peer_public_key: bytes = field(default=b"", repr=False)
    """The SubjectPublicKeyInfo of a peer that showed a raw public key, no certificate (RFC 7250)."""
    server_certificate_type: CertificateType = CertificateType.X509
    client_certificate_type: CertificateType = CertificateType.X509
    peer_signature_scheme: SignatureScheme | None = None
    own_certificates: tuple[bytes, ...] = field(default=(), repr=False)
    own_signature_scheme: SignatureScheme | None = None
    certificate_request: CertificateRequestFacts | None = None
    """What the server asked the client for, on both sides."""
    client_certificate_sent: bool = False
    extended_master_secret: bool = False
    encrypt_then_mac: bool = False
    secure_renegotiation: bool = False
    peer_takes_heartbeats: bool = False
    early_data: str = "not sent"
    """not sent, accepted or rejected"""
    hello_retried: bool = False
    max_fragment_length: int | None = None
    record_size_limit: int | None = None
    """The limit that the peer set for what we send (RFC 8449)."""
    session_id: bytes = b""
    session: Session | None = field(default=None, repr=False)
    client_hello: ClientHelloView | None = field(default=None, repr=False)
    server_extensions: tuple[Extension, ...] = field(default=(), repr=False)
    client_random: bytes = b""
    server_random: bytes = b""
    certificate_compression: CertificateCompressionAlgorithm | None = None
    verify_data: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)
    """(client's, server's) Finished of the last handshake, for the renegotiation_info of the next (RFC 5746 §3.1)."""
    exporter: Callable[[bytes, bytes | None, int], bytes] | None = field(default=None, repr=False)
    early_exporter: Callable[[bytes, bytes | None, int], bytes] | None = field(default=None, repr=False)

    @property
    def shows_raw_key(self) -> bool:
        """Whether we show a raw public key when we authenticate (RFC 7250)."""
        own = self.client_certificate_type if self.is_client else self.server_certificate_type
        return own == CertificateType.RAW_PUBLIC_KEY

    @property
    def expects_raw_key(self) -> bool:
        """Whether the peer shows one."""
        peer = self.server_certificate_type if self.is_client else self.client_certificate_type
        return peer == CertificateType.RAW_PUBLIC_KEY


class ClientHelloView:
    """A ClientHello with its extensions decoded when they are asked for.

    `hello` is the message, `raw` its bytes with the header. What the client did not say is an empty tuple
    or None. Every property may raise PeerError (decode_error) for an extension that is malformed.
    """

    def __init__(self, hello: ClientHello, raw: bytes) -> None:
        self.hello = hello
        self.raw = raw
        self._bodies: dict[int, bytes] = {}
        self._decoded: dict[int, Struct] = {}
        bodies = self._bodies
        for extension in hello.extensions or ():
            if extension.type in bodies:
                raise PeerError(reasons.DUPLICATE_EXTENSION, ExtensionType(extension.type).name)
            bodies[extension.type] = extension.data

    def __contains__(self, extension_type: ExtensionType) -> bool:
        return extension_type in self._bodies

    def body(self, extension_type: ExtensionType) -> bytes | None:
        """The raw body of an extension, or None if the client did not send it."""
        return self._bodies.get(extension_type)

    def decoded(self, form: type[S], extension_type: ExtensionType) -> S | None:
        """An extension in this form, or None if the client did not send it."""
        known = self._decoded.get(extension_type)
        if isinstance(known, form):
            return known
        data = self._bodies.get(extension_type)
        if data is None:
            return None
        found = self._decoded[extension_type] = decode_extension(form, data, extension_type)
        return found

    def check_bodies(self, extension_types: Iterable[ExtensionType]) -> None:
        """Decode these extensions, as far as they are there. Raises PeerError (decode_error)."""
        bodies = self._bodies
        for extension_type in extension_types:
            if extension_type in bodies:
                self.decoded(ext.BODIES[Place.CH, extension_type], extension_type)

    @property
    def suites(self) -> Sequence[CipherSuite]:
        """The offered cipher suites, in the client's order."""
        return self.hello.cipher_suites

    @lazy_property
    def extension_types(self) -> tuple[ExtensionType, ...]:
        """The types of all extensions, in the order in which they were sent."""
        return tuple(extension.type for extension in self.hello.extensions or ())

    @lazy_property
    def versions(self) -> tuple[ProtocolVersion, ...]:
        """supported_versions (RFC 8446 §4.2.1), or nothing."""
        found = self.decoded(ext.SupportedVersionsClientHello, ExtensionType.SUPPORTED_VERSIONS)
        return found.versions if found else ()

    @lazy_property
    def server_name(self) -> str | None:
        """The host_name of server_name (RFC 6066 §3)."""
        found = self.decoded(ext.ServerNameList, ExtensionType.SERVER_NAME)
        if found is None:
            return None
        # Names of a type that we do not know are passed over, as long as they can be read.
        names = [entry.host_name for entry in found.server_name_list if entry.name_type == 0]
        if not names:
            return None
        if len(names) > 1:
            raise PeerError(reasons.ILLEGAL_SERVER_NAME, "more than one host name")
        name = names[0]
        if any(
            byte <= 0x20 or byte >= 0x7F for byte in name
        ):  # no host name has such characters (RFC 6066 §3)
            raise PeerError(reasons.ILLEGAL_SERVER_NAME, repr(name[:64]))
        return name.decode("ascii")

    @lazy_property
    def groups(self) -> tuple[NamedGroup, ...]:
        """supported_groups (RFC 8446 §4.2.7)."""
        found = self.decoded(ext.SupportedGroups, ExtensionType.SUPPORTED_GROUPS)
        return found.named_group_list if found else ()

    @lazy_property
    def signature_schemes(self) -> tuple[SignatureScheme, ...]:
        """signature_algorithms (RFC 8446 §4.2.3)."""
        found = self.decoded(ext.SignatureAlgorithms, ExtensionType.SIGNATURE_ALGORITHMS)
        return found.supported_signature_algorithms if found else ()

    @lazy_property
    def certificate_signature_schemes(self) -> tuple[SignatureScheme, ...]:
        """signature_algorithms_cert (RFC 8446 §4.2.3)."""
        found = self.decoded(ext.SignatureAlgorithms, ExtensionType.SIGNATURE_ALGORITHMS_CERT)
        return found.supported_signature_algorithms if found else ()

    @lazy_property
    def key_shares(self) -> tuple[ext.KeyShareEntry, ...] | None:
        """key_share (RFC 8446 §4.2.8); None if the extension is absent, which an empty list is not."""
        found = self.decoded(ext.KeyShareClientHello, ExtensionType.KEY_SHARE)
        return found.client_shares if found else None

    @lazy_property
    def alpn(self) -> tuple[bytes, ...]:
        """The protocols of application_layer_protocol_negotiation (RFC 7301)."""
        found = self.decoded(ext.ProtocolNameList, ExtensionType.ALPN)
        return found.protocol_name_list if found else ()

    @lazy_property
    def psk_modes(self) -> tuple[int, ...]:
        """psk_key_exchange_modes (RFC 8446 §4.2.9)."""
        found = self.decoded(ext.PskKeyExchangeModes, ExtensionType.PSK_KEY_EXCHANGE_MODES)
        return found.ke_modes if found else ()

    @lazy_property
    def pre_shared_keys(self) -> ext.PreSharedKeyClientHello | None:
        """pre_shared_key (RFC 8446 §4.2.11)."""
        return self.decoded(ext.PreSharedKeyClientHello, ExtensionType.PRE_SHARED_KEY)


@dataclass(slots=True)
class State:
    """What both roles know. `clock` gives seconds since the epoch; `entropy(n)` gives n random bytes."""

    driver: Driver
    entropy: Entropy
    clock: Callable[[], float]
    negotiated: Negotiated
    receives_data: bool = False
    """Application data may come now."""
    sends_data: bool = False
    """Application data may be sent now."""
    early_budget: int | None = None
    """Bytes of early data that may still come; None outside that phase."""
    read_secret: bytes = field(default=b"", repr=False)
    write_secret: bytes = field(default=b"", repr=False)
    resumption_secret: bytes = field(default=b"", repr=False)
    key_updates_in_a_row: int = 0
    tickets_seen: int = 0
    renegotiations: int = 0
    renegotiating: bool = False
    """A handshake after the first is under way; data to send waits for its end."""
    retry_prefix: bytes = b""
    """message_hash and HelloRetryRequest: what stands before a second ClientHello (RFC 8446 §4.4.1)."""
    finished_transcript: Transcript | None = field(default=None, repr=False)
    """The whole handshake, kept where post-handshake authentication may come (RFC 8446 §4.4.1)."""

    @property
    def settings(self) -> Config:
        """The part of the configuration that both roles have."""
        raise NotImplementedError

    @property
    def transcript(self) -> Transcript:
        """The handshake hash so far."""
        return self.driver.transcript

    def end_transcript(self, *, keep: bool) -> None:
        """The handshake is done: keep its hash if post-handshake authentication may need it (RFC 8446 §4.4.1)."""
        self.finished_transcript = self.driver.transcript if keep else None
        self.driver.transcript = Transcript()

    @property
    def raw(self) -> bytes:
        """The bytes of the last message received, header included."""
        return self.driver.raw


@dataclass(slots=True)
class ClientState(State):
    """What a client knows."""

    config: ClientConfig = field(default_factory=ClientConfig)
    early_data_left: int = 0
    """Bytes of early data that may still be sent; 0 outside that phase."""
    pha_contexts: set[bytes] = field(default_factory=set)
    """The contexts of the certificate requests after the handshake; each may come once (RFC 8446 §4.3.2)."""
    former_random: bytes = b""
    """The client's random before the renegotiation that is under way."""

    @property
    def settings(self) -> Config:
        """The configuration."""
        return self.config


@dataclass(slots=True)
class ServerState(State):
    """What a server knows."""

    config: ServerConfig = field(default_factory=ServerConfig)
    hello: ClientHelloView | None = None
    type_answers: tuple[Extension, ...] = ()
    """What was chosen of the certificate types that the client offered, to be told it (RFC 7250 §4.2)."""
    identity: Identity | None = field(default=None, repr=False)
    psk: Session | ExternalPsk | None = field(default=None, repr=False)
    requested: dict[bytes, CertificateRequestFacts] = field(default_factory=dict)
    """Post-handshake certificate requests that wait for their answer, by context."""
    renegotiation_requested: bool = False
    """We sent HelloRequest, so the next ClientHello is welcome."""
    authenticate_again: bool = False
    """The next handshake must be full, and ask for a client certificate."""
    request_transcripts: dict[bytes, Transcript] = field(default_factory=dict, repr=False)
    """The handshake and the request that was sent with this context (RFC 8446 §4.4.1)."""

    @property
    def settings(self) -> Config:
        """The configuration."""
        return self.config
