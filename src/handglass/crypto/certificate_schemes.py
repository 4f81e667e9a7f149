"""What a peer must accept for the signature on a certificate: from the AlgorithmIdentifier to TLS's schemes.

A certificate's ECDSA signature says nothing of its curve, so every scheme with that hash covers it, and both kinds
of RSASSA-PSS schemes cover a PSS signature: the kind tells of the signer's key (RFC 8446 §4.2.3).
"""

from __future__ import annotations

from functools import cache, lru_cache

from handglass.registry.code_points import SignatureScheme
from handglass.registry.signatures import FACTS

from . import der
from .container_errors import ContainerError
from .private_keys import pss_hash_of

PSS_OID = "1.2.840.113549.1.1.10"
PSS = "pss"

# RFC 4055 §5, RFC 5758 §3.2, RFC 3279 §2.2, RFC 8410 §3, RFC 9881 §2.
_KINDS = {
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.1": ("ec", "sha1"),
    "1.2.840.10045.4.3.1": ("ec", "sha224"),
    "1.2.840.10045.4.3.2": ("ec", "sha256"),
    "1.2.840.10045.4.3.3": ("ec", "sha384"),
    "1.2.840.10045.4.3.4": ("ec", "sha512"),
    "1.3.101.112": ("ed25519", ""),
    "1.3.101.113": ("ed448", ""),
    "2.16.840.1.101.3.4.3.17": ("mldsa44", ""),
    "2.16.840.1.101.3.4.3.18": ("mldsa65", ""),
    "2.16.840.1.101.3.4.3.19": ("mldsa87", ""),
}


@lru_cache(maxsize=256)
def schemes_covering(certificate: bytes) -> frozenset[SignatureScheme] | None:
    """The schemes of which a peer must accept one for the signature on a certificate (DER); there may be none.

    None: it is self-signed, and what signs a trust anchor matters to nobody (RFC 8446 §4.4.2.2).
    Raises ContainerError.
    """
    try:
        tbs, algorithm, _signature = der.read(certificate).expect(der.SEQUENCE, "a certificate").children()
        fields = [field for field in tbs.children() if field.tag != 0xA0]
        if fields[2].encoding == fields[4].encoding:
            return None
        oid, *parameters = algorithm.children()
        name = der.object_identifier(oid)
        if name == PSS_OID:
            return _covering(PSS, pss_hash_of(parameters) or "")
    except (der.DerError, ValueError, IndexError) as problem:
        raise ContainerError(f"the certificate cannot be read: {problem}") from None
    return _covering(*_KINDS[name]) if name in _KINDS else frozenset()


@cache
def _covering(kind: str, digest: str) -> frozenset[SignatureScheme]:
    """The schemes of this kind of signature with this hash."""
    return frozenset(
        facts.scheme
        for facts in FACTS.values()
        if facts.hash == digest and (PSS if facts.padding == PSS else facts.key_type) == kind
    )
