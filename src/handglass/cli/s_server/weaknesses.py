"""What is weak about a connection or an offer, in a few words each."""

from __future__ import annotations

from functools import cache

from handglass.handshake.state import Negotiated
from handglass.observe import labels
from handglass.registry import signatures, suites
from handglass.registry.code_points import CipherSuite, ExtensionType, ProtocolVersion
from handglass.registry.errors import PeerError

BROKEN_CIPHERS = {
    "RC4": "RC4 is broken (RFC 7465)",
    "RC2": "a cipher with small keys",
    "DES": "DES is broken",
    "3DES": "64-bit blocks (Sweet32)",
    "IDEA": "64-bit blocks (Sweet32)",
}
MOST_NAMED = 4


@cache
def of_suite(suite: CipherSuite) -> str | None:
    """Why a suite is weak; None if it is not, or not known."""
    facts = suites.facts_of(suite)
    if facts is None:
        return None
    if facts.cipher.startswith("NULL"):
        return "no encryption"
    if facts.authentication == "NULL":
        return "no authentication"
    if facts.export:
        return "export-grade keys"
    for name, why in BROKEN_CIPHERS.items():
        if facts.cipher.startswith(name):
            return why
    if facts.mac == "MD5":
        return "MD5"
    if facts.key_exchange in {"RSA", "PSK", "DH", "ECDH"}:
        return "no forward secrecy"
    if facts.cipher.endswith("_CBC"):
        return "CBC mode"
    return None


def of_connection(agreed: Negotiated) -> list[str]:
    """Sentences on what was agreed, then on what the client offers."""
    return [*_of_agreement(agreed), *_of_offer(agreed)]


def _of_agreement(agreed: Negotiated) -> list[str]:
    found = []
    if agreed.version is not None and agreed.version < ProtocolVersion.TLS1_2:
        found.append(f"{labels.version_name(agreed.version)} is obsolete (RFC 8996)")
    if agreed.suite is not None and (why := of_suite(agreed.suite)) is not None:
        found.append(f"The negotiated {labels.suite_name(agreed.suite)} is weak: {why}")
    if agreed.version != ProtocolVersion.TLS1_3:
        if not agreed.extended_master_secret:
            found.append("No extended master secret (RFC 7627)")
        if not agreed.secure_renegotiation:
            found.append("No secure renegotiation (RFC 5746)")
    return found


def _of_offer(agreed: Negotiated) -> list[str]:
    hello = agreed.client_hello
    if hello is None:
        return []
    found = []
    kinds: dict[str, list[str]] = {}
    for suite in hello.suites:
        if (why := of_suite(suite)) is not None:
            kinds.setdefault(why, []).append(labels.suite_name(suite))
    found += [f"The client offers suites with {why}: {_some(names)}" for why, names in kinds.items()]
    try:
        old = [
            labels.scheme_name(scheme)
            for scheme in hello.signature_schemes
            if (facts := signatures.facts_of(scheme)) is not None
            and (facts.hash in {"sha1", "md5"} or facts.key_type == "dsa")
        ]
    except PeerError:
        old = []
    if old:
        found.append(f"The client accepts old signatures: {_some(old)}")
    if any(hello.hello.legacy_compression_methods):
        found.append("The client offers TLS compression (CRIME)")
    if ExtensionType.SERVER_NAME not in hello:
        found.append("The client sends no server name (SNI)")
    return found


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
