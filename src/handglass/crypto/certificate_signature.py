"""Checking the signature on a certificate, a CRL or an OCSP response (RFC 5280 §4.1.1.3).

The algorithm is named by an AlgorithmIdentifier (RFC 3279, 4055, 5758, 8410, 9881), not by a TLS code
point, and the key comes as a SubjectPublicKeyInfo. Whatever does not check, for whatever reason, raises
`CertificateSignatureError`: a signature that cannot be checked is no better than a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa

from handglass.records import dataclass

from .public_keys import load_subject_public_key

__all__ = ["CertificateSignatureError", "check_signature", "is_on_curve"]

Check = Callable[[bytes, bytes | None, bytes, bytes], None]  # spki, parameters, signed, signature


class CertificateSignatureError(Exception):
    """The signature does not verify, or cannot be verified; the sentence says which."""


def check_signature(oid: str, parameters: bytes | None, spki: bytes, signed: bytes, signature: bytes) -> None:
    """Check `signature` over `signed` (DER bytes as they were signed).

    `oid`, `parameters`: the AlgorithmIdentifier's dotted identifier and the DER of its parameters (None if
    absent); `spki`: DER of the signer's SubjectPublicKeyInfo. Raises CertificateSignatureError.
    """
    check = _CHECKS.get(oid)
    if check is None:
        raise CertificateSignatureError(f"the signature algorithm {oid} is not supported")
    try:
        check(spki, parameters, signed, signature)
    except InvalidSignature:
        raise CertificateSignatureError("the signature does not match") from None
    except (UnsupportedAlgorithm, ValueError, TypeError, IndexError) as problem:
        raise CertificateSignatureError(f"the signature cannot be checked: {problem}") from None


def is_on_curve(spki: bytes) -> bool:
    """Whether an elliptic curve key's point lies on its curve.

    True also for a curve that is not supported here.
    """
    try:
        load_subject_public_key(spki)
    except UnsupportedAlgorithm:
        return True
    except (ValueError, TypeError):
        return False
    return True


def _other_kind() -> ValueError:
    return ValueError("the signer's key is of another kind")


def _rsa(digest: hashes.HashAlgorithm) -> Check:
    def check(spki: bytes, _parameters: bytes | None, signed: bytes, signature: bytes) -> None:
        if _pss_of_key(spki) is not None:
            raise ValueError("the signer's key makes RSASSA-PSS signatures only")
        key = load_subject_public_key(spki)
        if not isinstance(key, rsa.RSAPublicKey):
            raise _other_kind()
        key.verify(signature, signed, padding.PKCS1v15(), digest)

    return check


def _ecdsa(digest: hashes.HashAlgorithm) -> Check:
    def check(spki: bytes, _parameters: bytes | None, signed: bytes, signature: bytes) -> None:
        key = load_subject_public_key(spki)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise _other_kind()
        key.verify(signature, signed, ec.ECDSA(digest))

    return check


def _dsa(digest: hashes.HashAlgorithm) -> Check:
    def check(spki: bytes, _parameters: bytes | None, signed: bytes, signature: bytes) -> None:
        key = load_subject_public_key(spki)
        if not isinstance(key, dsa.DSAPublicKey):
            raise _other_kind()
        key.verify(signature, signed, digest)

    return check


def _one_shot(
    kind: type[
        ed25519.Ed25519PublicKey
        | ed448.Ed448PublicKey
        | mldsa.MLDSA44PublicKey
        | mldsa.MLDSA65PublicKey
        | mldsa.MLDSA87PublicKey
    ],
) -> Check:
    def check(spki: bytes, parameters: bytes | None, signed: bytes, signature: bytes) -> None:
        if parameters is not None:  # RFC 8410 §3, RFC 9881 §2
            raise ValueError("parameters where the algorithm has none")
        key = load_subject_public_key(spki)
        if not isinstance(key, kind):
            raise _other_kind()
        key.verify(signature, signed)

    return check


# --- RSASSA-PSS (RFC 4055 §3) ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pss:
    digest: hashes.HashAlgorithm
    mask: hashes.HashAlgorithm
    salt: int


def _pss(spki: bytes, parameters: bytes | None, signed: bytes, signature: bytes) -> None:
    used = _read_pss(parameters)
    limits = _pss_of_key(spki)
    if isinstance(limits, _Pss) and (
        limits.digest.name != used.digest.name
        or limits.mask.name != used.mask.name
        or used.salt < limits.salt
    ):
        raise ValueError("the signer's key is bound to other RSASSA-PSS parameters")
    scheme = padding.PSS(padding.MGF1(used.mask), used.salt)
    key = load_subject_public_key(spki)
    if not isinstance(key, rsa.RSAPublicKey):
        raise _other_kind()
    key.verify(signature, signed, scheme, used.digest)


def _pss_of_key(spki: bytes) -> _Pss | bytes | None:
    """Give a key's own RSASSA-PSS parameters (RFC 4055 §3.3).

    None for a plain RSA key, b"" for a free PSS key.
    """
    algorithm = _elements(_elements(spki)[0][1])[0][1]
    fields = _elements(algorithm)
    if fields[0][1] != _PSS_OID:
        return None
    return _read_pss(fields[1][2]) if len(fields) > 1 and fields[1][0] == 0x30 else b""


def _read_pss(parameters: bytes | None) -> _Pss:
    if parameters is None:
        raise ValueError("RSASSA-PSS without parameters")
    digest: hashes.HashAlgorithm = hashes.SHA1()  # the default that RFC 4055 §3.1 sets
    mask, salt, trailer = digest, 20, 1
    for tag, content, _whole in _elements(_elements(parameters)[0][1]):
        inner = _elements(content)[0]
        if tag == 0xA0:
            digest = _digest(inner[1])
        elif tag == 0xA1:
            function, hashing = _elements(inner[1])[:2]
            if function[1] != _MGF1_OID:
                raise ValueError("a mask generation function other than MGF1")
            mask = _digest(hashing[1])
        elif tag == 0xA2:
            salt = int.from_bytes(inner[1], "big", signed=True)
        elif tag == 0xA3:
            trailer = int.from_bytes(inner[1], "big", signed=True)
    if trailer != 1 or not 0 <= salt <= 2048:
        raise ValueError("RSASSA-PSS parameters out of range")
    return _Pss(digest, mask, salt)


def _digest(algorithm: bytes) -> hashes.HashAlgorithm:
    oid = _elements(algorithm)[0][1]
    if oid not in _PSS_DIGESTS:
        raise UnsupportedAlgorithm("a digest in RSASSA-PSS parameters")
    return _PSS_DIGESTS[oid]


def _elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """(tag, content, whole) of each DER element in `data`. Raises ValueError where they do not fill it."""
    found = []
    at = 0
    while at < len(data):
        tag, length, body = data[at], data[at + 1], at + 2
        if length & 0x80:
            body += length & 0x7F
            length = int.from_bytes(data[at + 2 : body], "big")
        if body + length > len(data):
            raise ValueError("parameters or key are cut short")
        found.append((tag, data[body : body + length], data[at : body + length]))
        at = body + length
    return found


_PSS_OID = bytes.fromhex("2a864886f70d01010a")
_MGF1_OID = bytes.fromhex("2a864886f70d010108")
_PSS_DIGESTS: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("2b0e03021a"): hashes.SHA1(),
    **{
        bytes.fromhex("608648016503040200")[:-1] + bytes((last,)): digest
        for last, digest in (
            (1, hashes.SHA256()),
            (2, hashes.SHA384()),
            (3, hashes.SHA512()),
            (4, hashes.SHA224()),
            (8, hashes.SHA3_256()),
            (9, hashes.SHA3_384()),
            (10, hashes.SHA3_512()),
        )
    },
}
_CHECKS: dict[str, Check] = {
    "1.2.840.113549.1.1.4": _rsa(hashes.MD5()),
    "1.3.14.3.2.3": _rsa(hashes.MD5()),
    "1.2.840.113549.1.1.5": _rsa(hashes.SHA1()),
    "1.3.14.3.2.29": _rsa(hashes.SHA1()),
    "1.2.840.113549.1.1.10": _pss,
    "1.2.840.113549.1.1.11": _rsa(hashes.SHA256()),
    "1.2.840.113549.1.1.12": _rsa(hashes.SHA384()),
    "1.2.840.113549.1.1.13": _rsa(hashes.SHA512()),
    "1.2.840.113549.1.1.14": _rsa(hashes.SHA224()),
    "2.16.840.1.101.3.4.3.13": _rsa(hashes.SHA3_224()),
    "2.16.840.1.101.3.4.3.14": _rsa(hashes.SHA3_256()),
    "2.16.840.1.101.3.4.3.15": _rsa(hashes.SHA3_384()),
    "2.16.840.1.101.3.4.3.16": _rsa(hashes.SHA3_512()),
    "1.2.840.10045.4.1": _ecdsa(hashes.SHA1()),
    "1.2.840.10045.4.3.1": _ecdsa(hashes.SHA224()),
    "1.2.840.10045.4.3.2": _ecdsa(hashes.SHA256()),
    "1.2.840.10045.4.3.3": _ecdsa(hashes.SHA384()),
    "1.2.840.10045.4.3.4": _ecdsa(hashes.SHA512()),
    "1.2.840.10040.4.3": _dsa(hashes.SHA1()),
    "2.16.840.1.101.3.4.3.1": _dsa(hashes.SHA224()),
    "2.16.840.1.101.3.4.3.2": _dsa(hashes.SHA256()),
    "1.3.101.112": _one_shot(ed25519.Ed25519PublicKey),
    "1.3.101.113": _one_shot(ed448.Ed448PublicKey),
    "2.16.840.1.101.3.4.3.17": _one_shot(mldsa.MLDSA44PublicKey),
    "2.16.840.1.101.3.4.3.18": _one_shot(mldsa.MLDSA65PublicKey),
    "2.16.840.1.101.3.4.3.19": _one_shot(mldsa.MLDSA87PublicKey),
}
