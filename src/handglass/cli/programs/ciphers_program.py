"""`handglass ciphers`: the suites that the engine has, chosen and shown as `openssl ciphers` does it.

Scripts and scanners ask it before they ask a server: what is not in this list cannot be offered, and so a server that
does not choose it has not refused it.

Source: openssl-ciphers(1).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from handglass.cli.lists.ciphers import parse_ciphers, parse_ciphersuites
from handglass.cli.lists.errors import ListError
from handglass.cli.protocol.negotiation import (
    DEFAULT_TLS13_SUITES,
    SUPPORTED_VERSIONS,
    TLS13_SUITES,
    legacy_suites,
)
from handglass.handshake.config import DEFAULT_SUITES
from handglass.registry import suites
from handglass.registry.code_points import CipherSuite, ProtocolVersion
from handglass.registry.security_levels import DEFAULT_SECURITY_LEVEL, SECURITY_LEVELS
from handglass.registry.suites import SuiteFacts

if TYPE_CHECKING:
    from handglass.cli.options.ciphers_program import CiphersOptions

VERSIONS = {
    ProtocolVersion.SSL3: "SSLv3",
    ProtocolVersion.TLS1_0: "TLSv1",
    ProtocolVersion.TLS1_1: "TLSv1.1",
    ProtocolVersion.TLS1_2: "TLSv1.2",
    ProtocolVersion.TLS1_3: "TLSv1.3",
}
KEY_EXCHANGES = {
    "ANY": "any",
    "DHE": "DH",
    "ECDHE": "ECDH",
    "ECDHE_PSK": "ECDHEPSK",
    "DHE_PSK": "DHEPSK",
    "RSA_PSK": "RSAPSK",
}
AUTHENTICATIONS = {"ANY": "any", "NULL": "None"}
MODES = {"GCM": "GCM", "CCM": "CCM", "CCM_8": "CCM8", "CBC": ""}


def run(options: CiphersOptions) -> int:
    """Print the list; 1 if nothing is in it."""
    if options.convert is not None:
        facts = suites.by_iana_name(options.convert)
        print(f"OpenSSL cipher name: {facts.openssl_name if facts is not None else '(NONE)'}")
        return 0
    try:
        chosen = _chosen(options)
    except ListError as error:
        sys.stderr.write(f"Error in cipher list\n{error}\n")
        return 1
    if not (options.v or options.code_points or options.stdname):
        print(":".join(facts.openssl_name for facts in chosen))
        return 0
    for facts in chosen:
        number = (
            f"{f'0x{facts.suite >> 8:02X},0x{facts.suite & 0xFF:02X}':>19} - " if options.code_points else ""
        )
        name = f"{facts.iana_name:<45} - " if options.stdname else ""
        print(f"{number}{name}{description(facts)}")
    return 0


def description(facts: SuiteFacts) -> str:
    """Everything about a suite on one line."""
    exchange = KEY_EXCHANGES.get(facts.key_exchange, facts.key_exchange)
    authentication = AUTHENTICATIONS.get(facts.authentication, facts.authentication)
    return (
        f"{facts.openssl_name:<30} {VERSIONS[facts.min_version]:<7} Kx={exchange:<8} Au={authentication:<5} "
        f"Enc={_encryption(facts):<22} Mac={facts.mac:<4}"
    )


def _encryption(facts: SuiteFacts) -> str:
    """OpenSSL's word for cipher, mode and key length."""
    cipher, _, rest = facts.cipher.partition("_")
    if cipher == "CHACHA20":
        return "CHACHA20/POLY1305(256)"
    if cipher == "NULL" or not rest:
        return "None"
    bits, _, mode = rest.partition("_")
    name = cipher.capitalize() if cipher == "CAMELLIA" else cipher
    return f"{name}{MODES.get(mode, mode)}({bits})"


def _chosen(options: CiphersOptions) -> list[SuiteFacts]:
    newer: tuple[CipherSuite, ...] = DEFAULT_TLS13_SUITES
    if options.ciphersuites is not None:
        newer = parse_ciphersuites(options.ciphersuites, TLS13_SUITES).suites
    older = tuple(suite for suite in DEFAULT_SUITES if suite not in TLS13_SUITES)
    level = DEFAULT_SECURITY_LEVEL
    if options.string is not None:
        choice = parse_ciphers(options.string, legacy_suites())
        older = choice.suites
        level = choice.security_level if choice.security_level is not None else level
    found = [facts for suite in (*newer, *older) if (facts := suites.facts_of(suite)) is not None]
    if not options.s:
        return found
    versions = [version for version in _versions(options) if version in SUPPORTED_VERSIONS]
    return [
        facts
        for facts in found
        if SECURITY_LEVELS[level].allows_suite(facts)
        and any(facts.min_version <= version <= facts.max_version for version in versions)
    ]


def _versions(options: CiphersOptions) -> list[ProtocolVersion]:
    """The version that is asked for, all if none is."""
    given = {
        ProtocolVersion.SSL3: options.ssl3,
        ProtocolVersion.TLS1_0: options.tls1,
        ProtocolVersion.TLS1_1: options.tls1_1,
        ProtocolVersion.TLS1_2: options.tls1_2,
        ProtocolVersion.TLS1_3: options.tls1_3,
    }
    return [version for version, wanted in given.items() if wanted] or list(given)
