"""Certificates as OpenSSL prints them (X509_print_ex(3)), damaged ones as far as they can be read.

Used where OpenSSL prints whole certificates: inside OCSP responses, and by -text. The text is that of 3.0;
keys that it does not know are printed as later versions do.
"""

from __future__ import annotations

import textwrap

from handglass.crypto import der

from . import nameopt, objects
from .algorithms import DIGESTS, AlgorithmIdentifier
from .certificate import Certificate
from .extension_text import extension_lines
from .keys import PublicKey

__all__ = ["certificate_text", "hexadecimal_lines", "public_key_text", "signature_lines"]

_NIST = {
    "prime192v1": "P-192",
    "secp224r1": "P-224",
    "prime256v1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
}
_LONG_NAMES = {
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.2.840.10040.4.3": "dsaWithSHA1",
}
_RAW_KEYS = {"ed25519": "ED25519", "ed448": "ED448", "x25519": "X25519", "x448": "X448"}
_DIGESTS = {f"sha{size}": f"SHA2-{size}" for size in (224, 256, 384, 512)} | {"sha1": "SHA1"}


def certificate_text(certificate: Certificate, name_flags: int = nameopt.COMPAT) -> str:
    """Return the whole text, ending in a line feed. `name_flags`: as for -nameopt; OCSP printing uses COMPAT."""
    if not certificate.readable:
        return "Certificate:\n" + "".join(f"    {problem}\n" for problem in certificate.problems)
    lines = [
        "Certificate:",
        "    Data:",
        f"        Version: {certificate.version} (0x{certificate.version - 1:x})",
        *_serial(certificate),
        f"        Signature Algorithm: {algorithm_name(certificate.inner_algorithm)}",
        *pss_lines(certificate.inner_algorithm),
        f"        Issuer: {certificate.issuer.format(name_flags)}",
        "        Validity",
        f"            Not Before: {certificate.not_before.text}",
        f"            Not After : {certificate.not_after.text}",
        f"        Subject: {certificate.subject.format(name_flags)}",
        "        Subject Public Key Info:",
        *_key(certificate.spki, certificate.public_key),
    ]
    if certificate.extensions:
        lines.append("        X509v3 extensions:")
        lines += extension_lines(certificate.extensions, 12)
    lines += signature_lines(certificate.signature_algorithm, certificate.signature)
    return "\n".join(lines) + "\n"


def signature_lines(algorithm: AlgorithmIdentifier, signature: bytes) -> list[str]:
    """Return the lines of a signature, as they end certificates and OCSP responses."""
    return [
        f"    Signature Algorithm: {algorithm_name(algorithm)}",
        "    Signature Value:",
        *pss_lines(algorithm),
        *hexadecimal_lines(signature, 8, 18),
    ]


def algorithm_name(algorithm: AlgorithmIdentifier) -> str:
    """Return OpenSSL's long name ("sha256WithRSAEncryption"), or the dotted identifier."""
    return _LONG_NAMES.get(algorithm.oid) or objects.long_name(algorithm.oid) or algorithm.name


def hexadecimal_lines(data: bytes, indent: int, per_line: int = 15) -> list[str]:
    """Return bytes in lower case with colons, so many to a line; a colon ends each line but the last."""
    rows = [data[at : at + per_line].hex(":") for at in range(0, len(data), per_line)]
    return [" " * indent + row + (":" if number < len(rows) - 1 else "") for number, row in enumerate(rows)]


def pss_lines(algorithm: AlgorithmIdentifier) -> list[str]:
    """Return the lines of RSASSA-PSS parameters beneath the algorithm's name; none for others."""
    if algorithm.oid != "1.2.840.113549.1.1.10":
        return []
    digest, mask, salt, trailer = _pss(algorithm.parameters)
    return [
        f"        Hash Algorithm: {digest or 'sha1 (default)'}",
        f"        Mask Algorithm: mgf1 with {mask or 'sha1 (default)'}",
        f"         Salt Length: 0x{20 if salt is None else salt:02X}{' (default)' if salt is None else ''}",
        f"        Trailer Field: 0x{trailer or 1:02X}{' (default)' if trailer is None else ''}",
    ]


def _pss(parameters: bytes | None) -> tuple[str | None, str | None, int | None, int | None]:
    """Return hash, mask hash, salt length and trailer of RSASSA-PSS-params; None for a default (RFC 4055 §3.1)."""
    digest = mask = None
    numbers: dict[int, int] = {}
    try:
        for field in der.parse(parameters or b"\x30\0").children():
            inner = field.children()[0]
            if field.tag == 0xA0:
                digest = _digest_name(AlgorithmIdentifier.read(inner))
            elif field.tag == 0xA1:
                mask = _digest_name(AlgorithmIdentifier.read(inner.children()[1]))
            else:
                numbers[field.tag] = der.integer(inner.content)
    except (der.DerError, IndexError):
        return "(INVALID)", "(INVALID)", None, None
    return digest, mask, numbers.get(0xA2), numbers.get(0xA3)


def _digest_name(algorithm: AlgorithmIdentifier) -> str:
    return DIGESTS.get(algorithm.oid, algorithm.oid)


def _serial(certificate: Certificate) -> list[str]:
    serial = certificate.serial
    if len(certificate.serial_content.lstrip(b"\0")) <= 8 and -(2**63) < serial < 2**63:
        sign = "-" if serial < 0 else ""
        return [f"        Serial Number: {serial} ({sign}0x{abs(serial):x})"]
    size = (abs(serial).bit_length() + 7) // 8
    negative = " (Negative)" if serial < 0 else ""
    text = abs(serial).to_bytes(size, "big").hex(":")
    return ["        Serial Number:", f"            {negative.lstrip() + ' ' if negative else ''}{text}"]


# --- keys
# -------------------------------------------------------------------------------------------------------------


def public_key_text(spki: bytes, indent: int) -> str:
    """Return a key alone, as EVP_PKEY_print_public(3) prints it."""
    lines = _key(spki, PublicKey.read(spki))[1:]
    return textwrap.indent(textwrap.dedent("\n".join(lines)), " " * indent) + "\n"


def _key(spki: bytes, key: PublicKey) -> list[str]:
    try:
        algorithm, bits = der.parse(spki).children()[:2]
        identifier = AlgorithmIdentifier.read(algorithm)
        content = bits.expect(der.BIT_STRING, "key").content[1:]
        name = _LONG_NAMES.get(identifier.oid, key.name)
        lines = [f"            Public Key Algorithm: {name}"]
        if not key.usable and key.kind not in {"x25519", "x448"}:
            return [*lines, "            Unable to load Public Key"]
        if key.kind in {"rsa", "rsa_pss"}:
            return (
                lines + _rsa(content, key.bits) + (_pss_limits(identifier) if key.kind == "rsa_pss" else [])
            )
        if key.kind == "ec":
            return lines + _ec(content, key.bits, key.curve)
        if key.kind == "dsa":
            return lines + _dsa(content, key.bits, identifier)
        title = _RAW_KEYS.get(key.kind, key.name)
        raw = hexadecimal_lines(content, 20)
        return [*lines, f"                {title} Public-Key:", "                pub:", *raw]
    except (der.DerError, ValueError, IndexError):
        return [
            f"            Public Key Algorithm: {key.name or 'unreadable'}",
            "            Unable to load Public Key",
        ]


def _rsa(content: bytes, bits: int) -> list[str]:
    modulus, exponent = der.parse(content).children()[:2]
    number = der.integer(exponent.content)
    return [
        f"                Public-Key: ({bits} bit)",
        "                Modulus:",
        *hexadecimal_lines(_unsigned(modulus), 20),
        f"                Exponent: {number} (0x{number:x})",
    ]


def _unsigned(element: der.Element) -> bytes:
    """Return a number's bytes as OpenSSL prints them: with a zero in front if the first bit is set."""
    data = element.content.lstrip(b"\0") or b"\0"
    return b"\0" + data if data[0] & 0x80 else data


def _pss_limits(algorithm: AlgorithmIdentifier) -> list[str]:
    """Return what an RSA-PSS key is restricted to (RFC 4055 §3.3)."""
    if algorithm.parameters is None:
        return ["                No PSS parameter restrictions"]
    digest, mask, salt, trailer = _pss(algorithm.parameters)
    names = [_DIGESTS.get(each or "sha1", each or "SHA1") for each in (digest, mask)]
    defaults = [" (default)" if each is None else "" for each in (digest, mask)]
    return [
        "                PSS parameter restrictions:",
        f"                  Hash Algorithm: {names[0]}{defaults[0]}",
        f"                  Mask Algorithm: MGF1 with {names[1]}{defaults[1]}",
        f"                  Minimum Salt Length: {20 if salt is None else salt}{' (default)' if salt is None else ''}",
        f"                  Trailer Field: 0x{trailer or 1:x}{' (default)' if trailer is None else ''}",
    ]


def _ec(content: bytes, bits: int, curve: str | None) -> list[str]:
    lines = [
        f"                Public-Key: ({bits} bit)",
        "                pub:",
        *hexadecimal_lines(content, 20),
    ]
    if curve is not None:
        lines.append(f"                ASN1 OID: {curve}")
    if curve in _NIST:
        lines.append(f"                NIST CURVE: {_NIST[curve]}")
    return lines


def _dsa(content: bytes, bits: int, algorithm: AlgorithmIdentifier) -> list[str]:
    lines = [f"                Public-Key: ({bits} bit)", "                pub:"]
    lines += hexadecimal_lines(_unsigned(der.parse(content)), 20)
    if algorithm.parameters is not None:
        for title, number in zip("PQG", der.parse(algorithm.parameters).children(), strict=False):
            lines += [f"                {title}:", *hexadecimal_lines(_unsigned(number), 20)]
    return lines
