"""Elliptic curve private keys as old programs wrote them: the scalar without its leading zeros.

RFC 5915 §3 wants it as long as the curve's order. One key in 256 came out shorter, and OpenSSL reads such keys to
this day; the library below does not.
"""

from __future__ import annotations

from . import der

EC_KEY = "1.2.840.10045.2.1"


def with_full_scalar(data: bytes) -> bytes:
    """An ECPrivateKey, bare or in PKCS#8 (DER), with the leading zeros that it lacks; anything else as it is."""
    try:
        version, *fields = der.read_whole(data).expect(der.SEQUENCE, "a key").children()
        if fields[0].tag == der.OCTET_STRING:
            return _padded(data)
        algorithm, key, *rest = fields
        if der.object_identifier(algorithm.children()[0]) != EC_KEY:
            return data
        inner = der.encode(der.OCTET_STRING, _padded(key.content))
        parts = (version.encoding, algorithm.encoding, inner, *(field.encoding for field in rest))
        return der.encode(der.SEQUENCE, *parts)
    except (der.DerError, ValueError, IndexError):
        return data


def _padded(data: bytes) -> bytes:
    """The same for a bare ECPrivateKey; its public key tells how long the scalar must be."""
    version, scalar, *rest = der.read_whole(data).children()
    public = next((field.children()[0] for field in rest if field.tag == 0xA1), None)
    if public is None:
        return data
    size = (len(der.bit_string(public)) - 1) // 2
    content = scalar.content.rjust(size, b"\0")
    parts = (der.encode(der.OCTET_STRING, content), *(field.encoding for field in rest))
    return der.encode(der.SEQUENCE, version.encoding, *parts)
