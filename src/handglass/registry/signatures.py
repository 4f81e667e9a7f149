"""The signature schemes: which key signs, with which padding and hash, and where each may be used.

Strategy: a row per scheme that we can do something with or that OpenSSL names. RFC 8446 §4.2.3 says where:
PKCS#1 v1.5 and SHA-1 stand in TLS 1.3 for certificates only, never for CertificateVerify.
"""

from __future__ import annotations

from functools import cache

from handglass.records import Frozen
from handglass.registry.code_points import NamedGroup, SignatureScheme


class SchemeFacts(Frozen):
    """One signature scheme."""

    scheme: SignatureScheme
    openssl_name: str
    """What OpenSSL prints in a list of algorithms and takes in `-sigalgs`."""
    key_type: str
    """The kind of key: rsa, rsa_pss, dsa, ec, ed25519, ed448, mldsa44, mldsa65, mldsa87."""
    padding: str
    """pkcs1 or pss; empty where the algorithm has none."""
    hash: str
    """hashlib's name; empty where the algorithm hashes by itself."""
    curve: NamedGroup | None
    """The curve that the scheme is bound to in TLS 1.3 (in TLS 1.2 ECDSA schemes are bound to none)."""
    tls13_allowed: bool
    """In a CertificateVerify of TLS 1.3."""
    tls12_allowed: bool

    @property
    def iana_name(self) -> str:
        """IANA's name, such as `rsa_pss_rsae_sha256`."""
        name = self.scheme.name.lower()
        return name.replace("brainpoolp", "brainpoolP")


def facts_of(scheme: int) -> SchemeFacts | None:
    """Return the facts of a scheme, or None for one that we know at most by name."""
    return FACTS.get(scheme)


def by_name(name: str) -> SchemeFacts | None:
    """Return the scheme of this name (IANA's or OpenSSL's, in any case of letters), or None.

    `RSA-PSS+SHA256` and `PSS+SHA256` mean the rsae scheme, as in OpenSSL.
    """
    return _names().get(name.lower())


@cache
def _names() -> dict[str, SchemeFacts]:
    names: dict[str, SchemeFacts] = {}
    for facts in FACTS.values():
        for name in (facts.openssl_name, facts.iana_name, facts.openssl_name.replace("RSA-PSS+", "PSS+")):
            names.setdefault(name.lower(), facts)
    return names


def _rsa(scheme: SignatureScheme, digest: str, *, tls13: bool = False) -> SchemeFacts:
    name = f"RSA+{digest.upper()}"
    return SchemeFacts(scheme, name, "rsa", "pkcs1", digest, None, tls13, tls12_allowed=True)


def _pss(scheme: SignatureScheme, digest: str, key_type: str) -> SchemeFacts:
    name = f"RSA-PSS+{digest.upper()}" if key_type == "rsa" else scheme.name.lower()
    return SchemeFacts(scheme, name, key_type, "pss", digest, None, tls13_allowed=True, tls12_allowed=True)


def _dsa(scheme: SignatureScheme, digest: str) -> SchemeFacts:
    name = f"DSA+{digest.upper()}"
    return SchemeFacts(scheme, name, "dsa", "", digest, None, tls13_allowed=False, tls12_allowed=True)


def _ecdsa(scheme: SignatureScheme, digest: str, curve: NamedGroup | None = None) -> SchemeFacts:
    name = f"ECDSA+{digest.upper()}"
    return SchemeFacts(scheme, name, "ec", "", digest, curve, curve is not None, tls12_allowed=True)


def _brainpool(scheme: SignatureScheme, digest: str, curve: NamedGroup) -> SchemeFacts:
    """RFC 8734 §4: for TLS 1.3 only; TLS 1.2 has the curve-free ECDSA schemes."""
    name = scheme.name.lower().replace("brainpoolp", "brainpoolP")
    return SchemeFacts(scheme, name, "ec", "", digest, curve, tls13_allowed=True, tls12_allowed=False)


def _whole(scheme: SignatureScheme, *, tls12: bool) -> SchemeFacts:
    """Describe one that takes the message whole. RFC 8422 lets EdDSA into TLS 1.2, nothing lets ML-DSA."""
    name = scheme.name.lower()
    return SchemeFacts(scheme, name, name, "", "", None, tls13_allowed=True, tls12_allowed=tls12)


_S = SignatureScheme
FACTS: dict[int, SchemeFacts] = {
    int(facts.scheme): facts
    for facts in (
        _ecdsa(_S.ECDSA_SECP256R1_SHA256, "sha256", NamedGroup.SECP256R1),
        _ecdsa(_S.ECDSA_SECP384R1_SHA384, "sha384", NamedGroup.SECP384R1),
        _ecdsa(_S.ECDSA_SECP521R1_SHA512, "sha512", NamedGroup.SECP521R1),
        _whole(_S.ED25519, tls12=True),
        _whole(_S.ED448, tls12=True),
        _pss(_S.RSA_PSS_RSAE_SHA256, "sha256", "rsa"),
        _pss(_S.RSA_PSS_RSAE_SHA384, "sha384", "rsa"),
        _pss(_S.RSA_PSS_RSAE_SHA512, "sha512", "rsa"),
        _pss(_S.RSA_PSS_PSS_SHA256, "sha256", "rsa_pss"),
        _pss(_S.RSA_PSS_PSS_SHA384, "sha384", "rsa_pss"),
        _pss(_S.RSA_PSS_PSS_SHA512, "sha512", "rsa_pss"),
        _rsa(_S.RSA_PKCS1_SHA256, "sha256"),
        _rsa(_S.RSA_PKCS1_SHA384, "sha384"),
        _rsa(_S.RSA_PKCS1_SHA512, "sha512"),
        _rsa(_S.RSA_PKCS1_SHA224, "sha224"),
        _rsa(_S.RSA_PKCS1_SHA1, "sha1"),
        _rsa(_S.RSA_PKCS1_MD5, "md5"),
        _ecdsa(_S.ECDSA_SHA224, "sha224"),
        _ecdsa(_S.ECDSA_SHA1, "sha1"),
        _ecdsa(_S.ECDSA_MD5, "md5"),
        _dsa(_S.DSA_SHA256, "sha256"),
        _dsa(_S.DSA_SHA384, "sha384"),
        _dsa(_S.DSA_SHA512, "sha512"),
        _dsa(_S.DSA_SHA224, "sha224"),
        _dsa(_S.DSA_SHA1, "sha1"),
        _dsa(_S.DSA_MD5, "md5"),
        _brainpool(_S.ECDSA_BRAINPOOLP256R1TLS13_SHA256, "sha256", NamedGroup.BRAINPOOLP256R1TLS13),
        _brainpool(_S.ECDSA_BRAINPOOLP384R1TLS13_SHA384, "sha384", NamedGroup.BRAINPOOLP384R1TLS13),
        _brainpool(_S.ECDSA_BRAINPOOLP512R1TLS13_SHA512, "sha512", NamedGroup.BRAINPOOLP512R1TLS13),
        _whole(_S.MLDSA44, tls12=False),
        _whole(_S.MLDSA65, tls12=False),
        _whole(_S.MLDSA87, tls12=False),
    )
}
