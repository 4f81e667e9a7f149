"""Public keys from their DER, by the short way where there is one.

The library's loader stands in a package that brings SSH formats with it, a tenth of a plain start. The kinds
of key that nearly all certificates have need only a point or two numbers; all others, and whatever looks odd, go to
the library's loader, so that its checks and its errors hold.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from . import der

if TYPE_CHECKING:
    from .signatures import PublicKey

_RSA = "1.2.840.113549.1.1.1"
_EC = "1.2.840.10045.2.1"
_ED25519 = "1.3.101.112"
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "1.2.840.10045.3.1.7": ec.SECP256R1,
    "1.3.132.0.34": ec.SECP384R1,
    "1.3.132.0.35": ec.SECP521R1,
}


@lru_cache(maxsize=64)
def load_subject_public_key(spki: bytes) -> PublicKey:
    """The key of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

    Raises ValueError or UnsupportedAlgorithm, as the library's loader does.
    """
    key = _short_way(spki)
    if key is not None:
        return key
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - see above

    return load_der_public_key(spki)


def _short_way(spki: bytes) -> PublicKey | None:
    """The key if it is of a frequent kind in its usual form, else None."""
    try:
        whole = der.read(spki)
        algorithm, bits = whole.expect(der.SEQUENCE, "a public key").children()
        kind, *parameters = algorithm.expect(der.SEQUENCE, "its algorithm").children()
        oid, content = der.object_identifier(kind), der.bit_string(bits)
        if oid == _EC and len(parameters) == 1 and content[:1] == b"\x04":
            curve = _CURVES.get(der.object_identifier(parameters[0]))
            return None if curve is None else ec.EllipticCurvePublicKey.from_encoded_point(curve(), content)
        if oid == _RSA and [each.encoding for each in parameters] == [b"\x05\x00"]:
            modulus, exponent = der.read(content).expect(der.SEQUENCE, "an RSA key").children()
            return rsa.RSAPublicNumbers(der.integer(exponent), der.integer(modulus)).public_key()
        if oid == _ED25519 and not parameters:
            return ed25519.Ed25519PublicKey.from_public_bytes(content)
    except ValueError:  # DerError is one
        return None
    return None
