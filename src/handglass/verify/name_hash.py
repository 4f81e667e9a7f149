"""The hashes under which directories file certificates, and where the names stand in the bytes.

Directories may hold hundreds of certificates and bundles are large, so names are found by skipping over DER
headers and nothing else of a certificate is read. The canonical form is X509_NAME_hash(3)'s: text in UTF-8
and lower case, white space trimmed and collapsed, the RDNs one after the other without the sequence around
them.
"""

from __future__ import annotations

import hashlib

from handglass.crypto import der

_TEXT = {
    der.UTF8_STRING: "utf-8",
    der.PRINTABLE_STRING: "latin-1",
    der.T61_STRING: "latin-1",
    der.IA5_STRING: "latin-1",
    der.VISIBLE_STRING: "latin-1",
    der.UNIVERSAL_STRING: "utf-32-be",
    der.BMP_STRING: "utf-16-be",
}
_SPACES = b" \t\n\v\f\r"
_SPACE_TABLE = bytes(0x20 if byte in _SPACES else byte for byte in range(256))
_LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))


def name_hash(name: bytes) -> str:
    """Return the eight hexadecimal digits under which OpenSSL 1.0.0 and later file a name (DER)."""
    digest = hashlib.sha1(canonical_name(name), usedforsecurity=False).digest()
    return digest[3::-1].hex()


def old_name_hash(name: bytes) -> str:
    """Return the eight hexadecimal digits under which OpenSSL before 1.0.0 filed a name (DER)."""
    return hashlib.md5(name, usedforsecurity=False).digest()[3::-1].hex()


def canonical_name(name: bytes) -> bytes:
    """Return the canonical form of a name (DER), the same for equal names; damaged ones stay as they are."""
    try:
        rdns = der.read(name).expect(der.SEQUENCE, "a name").children()
        return b"".join(der.encode(der.SET, *sorted(map(_attribute, rdn.children()))) for rdn in rdns)
    except (der.DerError, ValueError):
        return name


def _attribute(pair: der.Element) -> bytes:
    kind, value = pair.children()
    codec = _TEXT.get(value.tag)
    if codec is None:
        return pair.encoding
    text = value.content.decode(codec).encode()
    folded = b" ".join(text.translate(_LOWER).translate(_SPACE_TABLE).split(b" "))
    while b"  " in folded:
        folded = folded.replace(b"  ", b" ")
    return der.encode(der.SEQUENCE, kind.encoding, der.encode(der.UTF8_STRING, folded.strip(b" ")))


def subject_bytes(data: bytes, *, crl: bool = False) -> bytes | None:
    """Return the subject (DER) of a certificate, or the issuer of a revocation list; None if there is none.

    Source: RFC 5280 §4.1, §5.1.
    """
    try:
        offset = der.read(data, der.read(data).body).body
        optional = der.INTEGER if crl else 0xA0  # the version
        if data[offset] == optional:
            offset = der.read(data, offset).end
        for _ in range(1 if crl else 4):  # signature; or serial, signature, issuer, validity
            offset = der.read(data, offset).end
        element = der.read(data, offset)
    except (der.DerError, IndexError):
        return None
    return element.encoding if element.tag == der.SEQUENCE else None
