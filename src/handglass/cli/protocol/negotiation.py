"""From the options of versions, suites, groups and signatures to what the engine offers or accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from handglass.cli.lists.ciphers import parse_ciphers, parse_ciphersuites
from handglass.cli.lists.errors import ListError
from handglass.cli.lists.groups import parse_groups
from handglass.cli.lists.protocols import parse_protocols
from handglass.cli.lists.signatures import parse_signatures
from handglass.cli.lists.versions import versions_asked_for
from handglass.crypto import groups as crypto_groups
from handglass.crypto.aead import AEADS
from handglass.crypto.cbc import CBC_CIPHERS
from handglass.handshake.config import DEFAULT_GROUPS, DEFAULT_SIGNATURE_SCHEMES, DEFAULT_SUITES
from handglass.handshake.legacy.profiles import PROFILES
from handglass.records import dataclass
from handglass.registry import groups, signatures, suites
from handglass.registry.code_points import CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme
from handglass.registry.security_levels import DEFAULT_SECURITY_LEVEL, SECURITY_LEVELS, SecurityLevel

if TYPE_CHECKING:
    from handglass.cli.options.s_client import SClientOptions
    from handglass.cli.options.s_server import SServerOptions
    from handglass.cli.options.s_time import STimeOptions

T = TypeVar("T")

DEFAULT_TLS13_SUITES = (
    CipherSuite.TLS_AES_256_GCM_SHA384,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_128_GCM_SHA256,
)
TLS13_SUITES = (
    *DEFAULT_TLS13_SUITES,
    CipherSuite.TLS_AES_128_CCM_SHA256,
    CipherSuite.TLS_AES_128_CCM_8_SHA256,
    CipherSuite.TLS_SHA256_SHA256,
    CipherSuite.TLS_SHA384_SHA384,
)
"""Every TLS 1.3 suite that the engine has."""

SUPPORTED_VERSIONS = (ProtocolVersion.TLS1_3, *PROFILES)

MIN_DH_BITS = (512, 1024, 2048, 3072, 7680, 8192)
"""The shortest Diffie-Hellman prime at each security level."""


class SettingError(ValueError):
    """The value of an option cannot be used. The text is the whole message."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the options mean for the engine. `explanation`: a sentence if they seem to ask for more than is offered."""

    versions: tuple[ProtocolVersion, ...]
    suites: tuple[CipherSuite, ...]
    groups: tuple[NamedGroup, ...]
    key_shares: tuple[NamedGroup, ...] | None
    group_tuples: tuple[tuple[NamedGroup, ...], ...]
    signature_schemes: tuple[SignatureScheme, ...]
    alpn: tuple[bytes, ...]
    security_level: int
    explanation: str | None

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments that a client's and a server's configuration share."""
        return {
            "versions": self.versions,
            "suites": self.suites,
            "groups": self.groups,
            "signature_schemes": self.signature_schemes,
            "alpn": self.alpn,
            "min_dh_bits": MIN_DH_BITS[self.security_level],
        }


def engine_settings(options: SClientOptions | SServerOptions | STimeOptions) -> EngineSettings:
    """Read the options.

    Raises:
        SettingError: a list names something unknown, or nothing is left to offer.
    """
    try:
        choice = versions_asked_for(options, SUPPORTED_VERSIONS)
    except ListError as error:
        raise SettingError(str(error)) from error
    newer: tuple[CipherSuite, ...] = DEFAULT_TLS13_SUITES
    if options.ciphersuites is not None:
        newer = _read(
            "ciphersuites", options.ciphersuites, lambda t: parse_ciphersuites(t, TLS13_SUITES)
        ).suites
    older = tuple(suite for suite in DEFAULT_SUITES if suite not in TLS13_SUITES)
    number = DEFAULT_SECURITY_LEVEL
    if options.cipher is not None:
        ciphers = _read("cipher", options.cipher, lambda t: parse_ciphers(t, legacy_suites()))
        older = tuple(suite for suite in ciphers.suites if suite not in TLS13_SUITES)
        number = DEFAULT_SECURITY_LEVEL if ciphers.security_level is None else ciphers.security_level
    level = SECURITY_LEVELS[number]
    wanted_groups, shares, tuples = _groups(options.groups)
    schemes: tuple[SignatureScheme, ...] = DEFAULT_SIGNATURE_SCHEMES
    if options.sigalgs is not None:
        schemes = _read("sigalgs", options.sigalgs, lambda t: parse_signatures(t, supported_schemes()))
    elif number == 0:
        schemes = (*schemes, SignatureScheme.ECDSA_SHA1, SignatureScheme.RSA_PKCS1_SHA1)
    return EngineSettings(
        versions=choice.versions,
        suites=tuple(s for s in (*newer, *older) if (f := suites.facts_of(s)) and level.allows_suite(f)),
        groups=tuple(g for g in wanted_groups if (f2 := groups.facts_of(g)) and level.allows_group(f2)),
        key_shares=shares,
        group_tuples=tuples,
        signature_schemes=_allowed(schemes, level),
        alpn=_protocols(options.alpn),
        security_level=number,
        explanation=choice.explanation,
    )


def schemes_named(option: str, text: str, security_level: int) -> tuple[SignatureScheme, ...]:
    """Return the schemes that an option lists and a security level allows. Raises SettingError."""
    schemes = _read(option, text, lambda t: parse_signatures(t, supported_schemes()))
    return _allowed(schemes, SECURITY_LEVELS[security_level])


def legacy_suites() -> tuple[CipherSuite, ...]:
    """Every suite below TLS 1.3 that the engine has."""
    return tuple(
        facts.suite
        for facts in suites.FACTS.values()
        if facts.key_exchange in {"RSA", "DHE", "ECDHE"}
        and facts.authentication in {"RSA", "ECDSA"}
        and not facts.export
        and facts.min_version <= ProtocolVersion.TLS1_2 <= facts.max_version
        and (_is_aead12(facts.cipher) if facts.mac == "AEAD" else facts.cipher in CBC_CIPHERS)
    )


def supported_groups() -> tuple[NamedGroup, ...]:
    """Every key exchange group that the engine has."""
    return crypto_groups.supported()


def supported_schemes() -> tuple[SignatureScheme, ...]:
    """Every signature scheme that the engine can verify."""
    return tuple(facts.scheme for facts in signatures.FACTS.values())


def _is_aead12(cipher: str) -> bool:
    """Whether this AEAD has a nonce for TLS 1.2 (RFC 5288, RFC 6655, RFC 7905)."""
    return cipher in AEADS and AEADS[cipher].salt_size > 0


def _groups(
    text: str | None,
) -> tuple[tuple[NamedGroup, ...], tuple[NamedGroup, ...] | None, tuple[tuple[NamedGroup, ...], ...]]:
    if text is None:
        return DEFAULT_GROUPS, None, ()
    chosen = _read("groups", text, lambda t: parse_groups(t, supported_groups(), DEFAULT_GROUPS))
    return chosen.groups, chosen.key_shares, chosen.tuples


def _allowed(schemes: tuple[SignatureScheme, ...], level: SecurityLevel) -> tuple[SignatureScheme, ...]:
    return tuple(s for s in schemes if (facts := signatures.facts_of(s)) and level.allows_scheme(facts))


def _protocols(text: str | None) -> tuple[bytes, ...]:
    if text is None:
        return ()
    try:
        return parse_protocols(text)
    except ListError as error:
        raise SettingError(f"Error parsing -alpn argument: {error}") from error


def _read(name: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ListError as error:
        raise SettingError(error.complaint(name, text)) from error
