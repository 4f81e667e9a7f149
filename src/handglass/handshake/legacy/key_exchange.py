"""The key exchanges below TLS 1.3, as objects with one interface for each side.

A server's exchange makes the ServerKeyExchange parameters (or none) and turns the ClientKeyExchange into the
premaster secret; a client's turns the parameters into a ClientKeyExchange and the premaster secret.
"""

from __future__ import annotations

from typing import Protocol as Interface

from handglass.crypto import BadPublic, finite_field
from handglass.crypto import groups as crypto_groups
from handglass.crypto.entropy import Entropy
from handglass.crypto.finite_field import FieldShare
from handglass.crypto.groups import KeyShare
from handglass.crypto.rsa import RSAPrivateKey, RSAPublicKey
from handglass.handshake.certificates import peer_key
from handglass.handshake.config import Config, ServerConfig
from handglass.handshake.state import ClientHelloView, Negotiated
from handglass.keys.premaster import make_rsa_premaster, open_rsa_premaster
from handglass.messages.handshake import (
    ClientKeyExchangeDHE,
    ClientKeyExchangeECDHE,
    ClientKeyExchangeRSA,
    Message,
    ServerDHParams,
    ServerECDHParams,
    ServerKeyExchangeDHE,
    ServerKeyExchangeECDHE,
)
from handglass.records import dataclass, field
from handglass.registry import groups as group_facts
from handglass.registry import reasons
from handglass.registry.code_points import ECCurveType, NamedGroup, SignatureScheme
from handglass.registry.errors import LocalError, PeerError
from handglass.registry.suites import SuiteFacts
from handglass.wire import Struct

MAX_DH_BITS = 8192


class ServerExchange(Interface):
    """The server's half of a key exchange."""

    client_message: type[Message]

    def params(self) -> Struct | None:
        """Fresh parameters to sign (RFC 5246 §7.4.3); None if there is no ServerKeyExchange."""

    def message(self, scheme: SignatureScheme, signature: bytes, /) -> Message:
        """The ServerKeyExchange with these parameters and their signature."""

    def premaster(self, message: Message) -> bytes:
        """The premaster secret from the client's message (RFC 5246 §8.1). Raises PeerError."""


class ClientExchange(Interface):
    """The client's half of a key exchange."""

    server_message: type[ServerKeyExchangeECDHE] | type[ServerKeyExchangeDHE] | None

    def answer(self, message: Message | None, facts: Negotiated, /) -> tuple[Message, bytes]:
        """The ClientKeyExchange and the premaster secret. Raises PeerError."""


@dataclass(slots=True)
class EcdheServer:
    """ECDHE on a named curve (RFC 8422 §5.4)."""

    group: NamedGroup
    entropy: Entropy
    _share: KeyShare | None = field(default=None, repr=False)
    _params: ServerECDHParams | None = None
    client_message: type[Message] = ClientKeyExchangeECDHE

    def params(self) -> Struct | None:
        """Curve and our point."""
        self._share = crypto_groups.generate(self.group, self.entropy)
        self._params = ServerECDHParams(ECCurveType.NAMED_CURVE, self.group, self._share.public)
        return self._params

    def message(self, scheme: SignatureScheme, signature: bytes) -> Message:
        """The ServerKeyExchange."""
        assert self._params is not None  # noqa: S101 - params() comes first
        return ServerKeyExchangeECDHE(self._params, scheme, signature)

    def premaster(self, message: Message) -> bytes:
        """The x coordinate of the shared point (RFC 8422 §5.10)."""
        assert isinstance(message, ClientKeyExchangeECDHE)  # noqa: S101 - the conversation reads no other
        assert self._share is not None  # noqa: S101 - params() comes first
        try:
            return self._share.exchange(message.ecdh_yc)
        except BadPublic as error:
            raise PeerError(reasons.ILLEGAL_KEY_SHARE, f"{self.group.name}: {error}") from error


@dataclass(slots=True)
class DheServer:
    """Finite-field DHE (RFC 5246 §7.4.3)."""

    prime: int
    generator: int
    entropy: Entropy
    _share: FieldShare | None = field(default=None, repr=False)
    _params: ServerDHParams | None = None
    client_message: type[Message] = ClientKeyExchangeDHE

    def params(self) -> Struct | None:
        """Prime, generator and our public value."""
        self._share = finite_field.generate(self.prime, self.generator, self.entropy)
        self._params = ServerDHParams(
            integer_bytes(self.prime), integer_bytes(self.generator), self._share.public
        )
        return self._params

    def message(self, scheme: SignatureScheme, signature: bytes) -> Message:
        """The ServerKeyExchange."""
        assert self._params is not None  # noqa: S101 - params() comes first
        return ServerKeyExchangeDHE(self._params, scheme, signature)

    def premaster(self, message: Message) -> bytes:
        """The shared value without leading zeros (RFC 5246 §8.1.2)."""
        assert isinstance(message, ClientKeyExchangeDHE)  # noqa: S101 - the conversation reads no other
        assert self._share is not None  # noqa: S101 - params() comes first
        try:
            return finite_field.strip(self._share.exchange(message.dh_yc))
        except BadPublic as error:
            raise PeerError(reasons.ILLEGAL_DH_PUBLIC, str(error)) from error


@dataclass(slots=True)
class RsaServer:
    """RSA key transport (RFC 5246 §7.4.7.1)."""

    key: RSAPrivateKey = field(repr=False)
    offered_version: int
    entropy: Entropy
    client_message: type[Message] = ClientKeyExchangeRSA

    def params(self) -> Struct | None:
        """There is no ServerKeyExchange."""
        return None

    def message(self, _scheme: SignatureScheme, _signature: bytes) -> Message:
        """Never asked for: there are no parameters to sign."""
        raise LocalError(reasons.INTERNAL_ERROR, "RSA key transport has no ServerKeyExchange")

    def premaster(self, message: Message) -> bytes:
        """What the client encrypted, or random bytes if anything was wrong with it: no error may tell which."""
        assert isinstance(message, ClientKeyExchangeRSA)  # noqa: S101 - the expectation saw to it
        encrypted = message.encrypted_pre_master_secret
        return open_rsa_premaster(self.key, encrypted, self.offered_version, self.entropy)


@dataclass(slots=True)
class EcdheClient:
    """ECDHE on a named curve (RFC 8422 §5.4, §5.7)."""

    config: Config
    entropy: Entropy
    server_message: type[ServerKeyExchangeECDHE] | type[ServerKeyExchangeDHE] | None = ServerKeyExchangeECDHE

    def answer(self, message: Message | None, facts: Negotiated) -> tuple[Message, bytes]:
        """Our point on the server's curve."""
        assert isinstance(message, ServerKeyExchangeECDHE)  # noqa: S101 - the expectation saw to it
        params = message.params
        if params.curve_type != ECCurveType.NAMED_CURVE:
            raise PeerError(reasons.ILLEGAL_CURVE_TYPE, params.curve_type.name)
        group = params.named_curve
        known = group_facts.facts_of(group)
        if group not in self.config.groups or known is None or not known.tls12_allowed:
            raise PeerError(reasons.ILLEGAL_GROUP, group.name)
        facts.group = group
        try:
            public, secret = crypto_groups.respond(group, params.public, self.entropy)
        except BadPublic as error:
            raise PeerError(reasons.ILLEGAL_KEY_SHARE, f"{group.name}: {error}") from error
        return ClientKeyExchangeECDHE(public), secret


@dataclass(slots=True)
class DheClient:
    """Finite-field DHE (RFC 5246 §7.4.3, §7.4.7.2) with the server's own prime."""

    config: Config
    entropy: Entropy
    server_message: type[ServerKeyExchangeECDHE] | type[ServerKeyExchangeDHE] | None = ServerKeyExchangeDHE

    def answer(self, message: Message | None, facts: Negotiated) -> tuple[Message, bytes]:
        """Our public value in the server's group, whose size is checked first."""
        assert isinstance(message, ServerKeyExchangeDHE)  # noqa: S101 - the expectation saw to it
        params = message.params
        prime = int.from_bytes(params.dh_p, "big")
        generator = int.from_bytes(params.dh_g, "big")
        bits = facts.dh_bits = prime.bit_length()
        if bits < self.config.min_dh_bits:
            raise PeerError(
                reasons.DH_PRIME_TOO_SHORT, f"{bits} bits, at least {self.config.min_dh_bits} are wanted"
            )
        if bits > MAX_DH_BITS:
            raise PeerError(reasons.DH_PRIME_TOO_LONG, f"{bits} bits, at most {MAX_DH_BITS} are accepted")
        try:
            share = finite_field.generate(prime, generator, self.entropy)
            secret = finite_field.strip(share.exchange(params.dh_ys))
            return ClientKeyExchangeDHE(share.public), secret
        except BadPublic as error:
            raise PeerError(reasons.ILLEGAL_DH_PARAMETERS, str(error)) from error


@dataclass(slots=True)
class RsaClient:
    """RSA key transport (RFC 5246 §7.4.7.1)."""

    offered_version: int
    entropy: Entropy
    server_message: type[ServerKeyExchangeECDHE] | type[ServerKeyExchangeDHE] | None = None

    def answer(self, _message: Message | None, facts: Negotiated) -> tuple[Message, bytes]:
        """A fresh secret under the key of the server's certificate."""
        key = rsa_key_of(facts)
        try:
            secret, encrypted = make_rsa_premaster(key, self.offered_version, self.entropy)
        except BadPublic as error:
            raise PeerError(reasons.CERTIFICATE_KEY_UNUSABLE, str(error)) from error
        return ClientKeyExchangeRSA(encrypted), secret


def rsa_key_of(facts: Negotiated) -> RSAPublicKey:
    """The RSA key of the server. Raises PeerError if it has none."""
    key = peer_key(facts)
    if not isinstance(key, RSAPublicKey):
        raise PeerError(reasons.CERTIFICATE_KEY_UNUSABLE, "RSA key transport needs an RSA key")
    return key


def client_exchange(
    config: Config, facts: SuiteFacts, offered_version: int, entropy: Entropy
) -> ClientExchange:
    """The client's half for a suite."""
    if facts.key_exchange == "ECDHE":
        return EcdheClient(config, entropy)
    if facts.key_exchange == "DHE":
        return DheClient(config, entropy)
    if facts.key_exchange == "RSA":
        return RsaClient(offered_version, entropy)
    raise LocalError(reasons.MISSING_ALGORITHM, f"key exchange {facts.key_exchange}")


def server_group(config: Config, hello: ClientHelloView) -> NamedGroup | None:
    """The curve for ECDHE: the client's first that we have, or ours first if our order counts (RFC 8422 §4)."""
    ours = [
        g for g in config.groups if (f := group_facts.facts_of(g)) and f.tls12_allowed and f.kind != "ffdh"
    ]
    if not hello.groups:
        # A client that says nothing takes anything; P-256 is what all of them have (RFC 8422 §4).
        return NamedGroup.SECP256R1 if NamedGroup.SECP256R1 in ours else next(iter(ours), None)
    order = ours if getattr(config, "prefer_own_suites", False) else [g for g in hello.groups if g in ours]
    return next((group for group in order if group in hello.groups), None)


FFDHE_CODE_POINTS = range(0x0100, 0x0200)
"""Where finite-field groups are among the named groups, known or not (RFC 7919 §2)."""


def common_ffdhe(config: Config, hello: ClientHelloView) -> NamedGroup | None:
    """The first of the client's finite-field groups that we use."""
    ours = [g for g in config.groups if (f := group_facts.facts_of(g)) and f.kind == "ffdh"]
    return next((group for group in hello.groups if group in ours), None)


def excludes_dh(config: ServerConfig, hello: ClientHelloView) -> bool:
    """Whether the client names finite-field groups, and none that we use: then DHE is out (RFC 7919 §4)."""
    if config.dh_parameters is not None:
        return False
    named = any(group in FFDHE_CODE_POINTS for group in hello.groups)
    return named and common_ffdhe(config, hello) is None


def dh_group(config: ServerConfig, hello: ClientHelloView) -> tuple[int, int] | None:
    """Prime and generator for DHE: as configured, or of a group that the client names if it names any (RFC 7919 §4)."""
    if config.dh_parameters is not None:
        return config.dh_parameters
    if excludes_dh(config, hello):
        return None
    group = common_ffdhe(config, hello) or NamedGroup.FFDHE2048
    facts = group_facts.facts_of(group)
    return finite_field.ffdhe_prime(facts.bits if facts is not None else 2048), 2


def integer_bytes(value: int) -> bytes:
    """A positive integer as its shortest bytes, big-endian (RFC 5246 §4.4)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
