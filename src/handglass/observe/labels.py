"""How OpenSSL's programs name what is negotiated, for reports that scripts read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from handglass.handshake.state import Negotiated
from handglass.registry import groups, signatures, suites
from handglass.registry.code_points import (
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)

VERSION_NAMES = {
    ProtocolVersion.SSL3: "SSLv3",
    ProtocolVersion.TLS1_0: "TLSv1",
    ProtocolVersion.TLS1_1: "TLSv1.1",
    ProtocolVersion.TLS1_2: "TLSv1.2",
    ProtocolVersion.TLS1_3: "TLSv1.3",
    ProtocolVersion.DTLS1_0: "DTLSv1",
    ProtocolVersion.DTLS1_2: "DTLSv1.2",
    ProtocolVersion.DTLS1_3: "DTLSv1.3",
}


POINT_FORMATS = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}


def version_name(version: ProtocolVersion | None) -> str:
    """`TLSv1.3`; the number for a version without a name."""
    if version is None:
        return "(NONE)"
    return VERSION_NAMES.get(version, f"0x{int(version):04x}")


@lru_cache(maxsize=1024)
def suite_name(suite: CipherSuite | None) -> str:
    """`ECDHE-RSA-AES256-GCM-SHA384`; the IANA name where OpenSSL has none."""
    if suite is None:
        return "(NONE)"
    facts = suites.facts_of(suite)
    return facts.openssl_name if facts is not None else suite.name


def suite_version(suite: CipherSuite | None) -> str:
    """The class of a suite in the line `New, TLSv1.2, Cipher is …`: the version that introduced it."""
    facts = suites.facts_of(suite) if suite is not None else None
    if facts is None:
        return "(NONE)"
    if facts.min_version == ProtocolVersion.TLS1_0:
        return "TLSv1.0"
    return version_name(facts.min_version)


def group_name(group: NamedGroup) -> str:
    """`x25519`; a number for a group without a name."""
    facts = groups.facts_of(group)
    return facts.openssl_name if facts is not None else f"0x{int(group):04X}"


def scheme_name(scheme: SignatureScheme) -> str:
    """`ECDSA+SHA256`; `0x0A+0x1F` for a scheme without a name."""
    facts = signatures.facts_of(scheme)
    return facts.openssl_name if facts is not None else f"0x{int(scheme) >> 8:02X}+0x{int(scheme) & 255:02X}"


def listed(names: Iterable[str]) -> str:
    """Names with colons between, as OpenSSL lists them."""
    return ":".join(names)


def temporary_key(agreed: Negotiated) -> str | None:
    """`X25519, 253 bits`: the key exchange of this connection; None if there was none."""
    if agreed.group is not None:
        facts = groups.facts_of(agreed.group)
        return facts.temp_key if facts is not None else f"0x{int(agreed.group):04X}"
    if agreed.dh_bits is not None:
        return f"DH, {agreed.dh_bits} bits"
    return None


def point_formats(agreed: Negotiated) -> str | None:
    """The ec_point_formats of the server (RFC 8422 §5.1.2); None if it sent none."""
    for extension in agreed.server_extensions:
        if extension.type == ExtensionType.EC_POINT_FORMATS and extension.data:
            return listed(POINT_FORMATS.get(each, f"unknown({each})") for each in extension.data[1:])
    return None


def signing_digest(scheme: SignatureScheme | None) -> str | None:
    """`SHA256`; None for schemes that hash on their own."""
    facts = signatures.facts_of(scheme) if scheme is not None else None
    if facts is None or not facts.hash or facts.key_type.startswith(("ed", "mldsa")):
        return None
    return facts.hash.upper()


def signature_type(scheme: SignatureScheme | None) -> str | None:
    """The kind of signature: `RSA-PSS`, `RSA`, `ECDSA`, `ed25519`."""
    facts = signatures.facts_of(scheme) if scheme is not None else None
    if facts is None:
        return None
    if facts.key_type in {"rsa", "rsa_pss"}:
        return "RSA-PSS" if facts.padding == "pss" else "RSA"
    return {"ec": "ECDSA", "dsa": "DSA"}.get(facts.key_type, facts.key_type)
