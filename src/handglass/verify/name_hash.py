"""The hashes under which directories file certificates, and where the names stand in the bytes.

Directories may hold hundreds of certificates and bundles are large, so names are found by skipping over DER
headers and nothing else of a certificate is read. The canonical form is X509_NAME_hash(3)'s: text in UTF-8
and lower case, white space trimmed and collapsed, the RDNs one after the other without the sequence around
them.
"""

from __future__ import annotations

import hashlib

from handglass.crypto import der

from .names import Name


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
        read = Name.read(der.parse(name))
    except der.DerError:
        return name
    return (
        name if any(problem.startswith("name: ") for problem in read.problems) else b"".join(read.canonical)
    )


def longest_word(name: bytes) -> bytes:
    """Return the longest run of ASCII letters and digits in the texts of a name (DER), in lower case.

    Whatever their encoding, all names with the same canonical form hold it (`may_hold_word`): folding leaves such
    runs whole. It is empty when there is none, or when the name cannot be read.
    """
    try:
        attributes = Name.read(der.parse(name)).attributes
    except der.DerError:
        return b""
    texts = (attribute.text for attribute in attributes)
    words = (word for text in texts if text for word in text.encode().translate(_WORDS_ONLY).split())
    return max(words, key=len, default=b"")


def may_hold_word(name: bytes, word: bytes) -> bool:
    """Whether a name (DER), or what contains one, may hold a word of `longest_word`; much cheaper than comparing.

    A text of 16 or 32 bits per character has NULs between the letters, so NULs are left out.
    """
    return word in name.translate(_LOWER, b"\0")


_LOWER = bytes(range(256)).lower()
_WORDS_ONLY = bytes(byte if chr(byte).isalnum() and byte < 128 else 32 for byte in _LOWER)


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
