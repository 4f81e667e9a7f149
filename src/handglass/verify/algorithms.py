"""Signature algorithms of certificates and CRLs: names, key kinds, digests, strength.

An AlgorithmIdentifier (RFC 5280 §4.1.1.2) is kept as an identifier and the raw bytes of its parameters, so
that two of them can be compared as they stand. What OpenSSL calls an algorithm, which key it needs and how
many bits of security its digest is worth come from one table (OpenSSL's obj_xref and
X509_get_signature_info(3)).
"""

from __future__ import annotations

from handglass.crypto import der
from handglass.records import dataclass

from . import objects

__all__ = ["AlgorithmIdentifier", "SignatureFacts"]


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """What a signature algorithm is.

    `key`: the key kind that makes it ("rsa", "rsa_pss", "ec", "ed25519", "ed448", "dsa", "sm2", "mldsa44" …);
    `digest`: a hash name, or None where the algorithm has none of its own;
    `bits`: security bits that its digest is worth, -1 if unknown.
    """

    name: str
    key: str
    digest: str | None
    bits: int


@dataclass(frozen=True, slots=True)
class AlgorithmIdentifier:
    """SEQUENCE { algorithm, parameters } (RFC 5280 §4.1.1.2); `parameters` is None where they are absent."""

    oid: str
    parameters: bytes | None

    @classmethod
    def read(cls, element: der.Element) -> AlgorithmIdentifier:
        """Read one. Raises DerError for what has no identifier."""
        fields = element.expect(der.SEQUENCE, "algorithm identifier").children()
        if not fields:
            raise der.DerError("an algorithm identifier without an algorithm")
        oid = der.decode_oid(fields[0].expect(der.OID, "algorithm").content)
        return cls(oid, fields[1].encoding if len(fields) > 1 else None)

    @property
    def name(self) -> str:
        """OpenSSL's short name ("RSA-SHA256"), or the dotted identifier."""
        facts = _SIGNATURES.get(self.oid)
        return facts.name if facts else objects.short_name(self.oid) or self.oid

    @property
    def signature(self) -> SignatureFacts | None:
        """The facts of a signature algorithm that has a name; None for an unknown one."""
        facts = _SIGNATURES.get(self.oid)
        if facts is None or facts.key != "rsa_pss":
            return facts
        digest = pss_digest(self.parameters)
        if digest is None:
            return facts
        return SignatureFacts(facts.name, facts.key, digest, _digest_bits(digest))


def pss_digest(parameters: bytes | None) -> str | None:
    """Give the hash that RSASSA-PSS-params name (RFC 4055 §3.1), SHA-1 by default.

    None if they cannot be read.
    """
    if parameters is None:
        return None
    try:
        fields = der.parse(parameters).expect(der.SEQUENCE, "PSS parameters").children()
        for field in fields:
            if field.tag == 0xA0:
                return DIGESTS.get(AlgorithmIdentifier.read(field.children()[0]).oid)
    except (der.DerError, IndexError):
        return None
    return "sha1"


def _digest_bits(digest: str) -> int:
    """Count half the digest's length, less for what is broken (X509_get_signature_info(3))."""
    return _BROKEN.get(digest, _SIZES.get(digest, -2) * 4)


DIGESTS = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.4": "md4",
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "1.3.36.3.2.1": "ripemd160",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.5": "sha512_224",
    "2.16.840.1.101.3.4.2.6": "sha512_256",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
    "1.2.156.10197.1.401": "sm3",
}
_SIZES = {
    "md2": 16,
    "md4": 16,
    "md5": 16,
    "sha": 20,
    "sha1": 20,
    "ripemd160": 20,
    "mdc2": 16,
    "sm3": 32,
    **{f"sha{bits}": bits // 8 for bits in (224, 256, 384, 512)},
    **{f"sha3_{bits}": bits // 8 for bits in (224, 256, 384, 512)},
    "sha512_224": 28,
    "sha512_256": 32,
}
_BROKEN = {"sha1": 63, "md5": 39}


def _facts(name: str, key: str, digest: str | None, bits: int | None = None) -> SignatureFacts:
    if bits is None:
        bits = _digest_bits(digest) if digest else -1
    return SignatureFacts(name, key, digest, bits)


_SIGNATURES: dict[str, SignatureFacts] = {
    "1.2.840.113549.1.1.2": _facts("RSA-MD2", "rsa", "md2"),
    "1.2.840.113549.1.1.3": _facts("RSA-MD4", "rsa", "md4"),
    "1.2.840.113549.1.1.4": _facts("RSA-MD5", "rsa", "md5"),
    "1.2.840.113549.1.1.5": _facts("RSA-SHA1", "rsa", "sha1"),
    "1.2.840.113549.1.1.10": _facts("RSASSA-PSS", "rsa_pss", None),
    "1.2.840.113549.1.1.11": _facts("RSA-SHA256", "rsa", "sha256"),
    "1.2.840.113549.1.1.12": _facts("RSA-SHA384", "rsa", "sha384"),
    "1.2.840.113549.1.1.13": _facts("RSA-SHA512", "rsa", "sha512"),
    "1.2.840.113549.1.1.14": _facts("RSA-SHA224", "rsa", "sha224"),
    "1.3.14.3.2.3": _facts("RSA-NP-MD5", "rsa", "md5"),
    "1.3.14.3.2.15": _facts("RSA-SHA", "rsa", "sha"),
    "1.3.14.3.2.29": _facts("RSA-SHA1-2", "rsa", "sha1"),
    "1.3.36.3.3.1.2": _facts("RSA-RIPEMD160", "rsa", "ripemd160"),
    "2.5.8.3.100": _facts("RSA-MDC2", "rsa", "mdc2"),
    "2.16.840.1.101.3.4.3.13": _facts("id-rsassa-pkcs1-v1_5-with-sha3-224", "rsa", "sha3_224"),
    "2.16.840.1.101.3.4.3.14": _facts("id-rsassa-pkcs1-v1_5-with-sha3-256", "rsa", "sha3_256"),
    "2.16.840.1.101.3.4.3.15": _facts("id-rsassa-pkcs1-v1_5-with-sha3-384", "rsa", "sha3_384"),
    "2.16.840.1.101.3.4.3.16": _facts("id-rsassa-pkcs1-v1_5-with-sha3-512", "rsa", "sha3_512"),
    "1.2.840.10045.4.1": _facts("ecdsa-with-SHA1", "ec", "sha1"),
    "1.2.840.10045.4.2": _facts("ecdsa-with-Recommended", "ec", None),
    "1.2.840.10045.4.3": _facts("ecdsa-with-Specified", "ec", None),
    "1.2.840.10045.4.3.1": _facts("ecdsa-with-SHA224", "ec", "sha224"),
    "1.2.840.10045.4.3.2": _facts("ecdsa-with-SHA256", "ec", "sha256"),
    "1.2.840.10045.4.3.3": _facts("ecdsa-with-SHA384", "ec", "sha384"),
    "1.2.840.10045.4.3.4": _facts("ecdsa-with-SHA512", "ec", "sha512"),
    "1.2.840.10040.4.3": _facts("DSA-SHA1", "dsa", "sha1"),
    "1.3.14.3.2.13": _facts("DSA-SHA", "dsa", "sha"),
    "1.3.14.3.2.27": _facts("DSA-SHA1-old", "dsa", "sha1"),
    "2.16.840.1.101.3.4.3.1": _facts("dsa_with_SHA224", "dsa", "sha224"),
    "2.16.840.1.101.3.4.3.2": _facts("dsa_with_SHA256", "dsa", "sha256"),
    "1.3.101.112": _facts("ED25519", "ed25519", None, 128),
    "1.3.101.113": _facts("ED448", "ed448", None, 224),
    "1.2.156.10197.1.501": _facts("SM2-SM3", "sm2", "sm3"),
    "2.16.840.1.101.3.4.3.17": _facts("id-ml-dsa-44", "mldsa44", None, 128),
    "2.16.840.1.101.3.4.3.18": _facts("id-ml-dsa-65", "mldsa65", None, 192),
    "2.16.840.1.101.3.4.3.19": _facts("id-ml-dsa-87", "mldsa87", None, 256),
}
