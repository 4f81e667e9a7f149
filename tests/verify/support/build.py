"""A builder of certificates and CRLs at DER level: everything can be wrong that a test wants wrong."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Callable, Sequence
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from handglass.crypto import der
from handglass.crypto.der import encode_oid
from handglass.crypto.signatures import PrivateKey
from handglass.records import dataclass, field

NOW = 1_800_000_000  # 2027-01-15
DAY = 86400

SHA256_ECDSA, SHA384_ECDSA, SHA1_ECDSA = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.1"
SHA256_RSA, SHA1_RSA, MD5_RSA = "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4"


# --- DER ------------------------------------------------------------------------------------------


def encode(tag: int, content: bytes) -> bytes:
    return der.encode(tag, content)


def seq(*parts: bytes) -> bytes:
    return encode(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    return encode(0x31, b"".join(sorted(parts)))


def oid(dotted: str) -> bytes:
    return encode(0x06, encode_oid(dotted))


def integer(value: int) -> bytes:
    return encode(0x02, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    return encode(0x04, value)


def bits(value: bytes, unused: int = 0) -> bytes:
    return encode(0x03, bytes((unused,)) + value)


def boolean(value: bool) -> bytes:
    return encode(0x01, b"\xff" if value else b"\x00")


def context(number: int, content: bytes, *, constructed: bool = True) -> bytes:
    return encode((0xA0 if constructed else 0x80) | number, content)


def time(seconds: int) -> bytes:
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    if 1950 <= when.year < 2050:
        return encode(0x17, when.strftime("%y%m%d%H%M%SZ").encode())
    return encode(0x18, f"{when.year:04d}{when:%m%d%H%M%SZ}".encode())


def pem(data: bytes, label: str = "CERTIFICATE") -> str:
    body = base64.encodebytes(data).decode().replace("\n", "")
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


# --- names ----------------------------------------------------------------------------------------

TYPES = {
    "CN": "2.5.4.3",
    "C": "2.5.4.6",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "DC": "0.9.2342.19200300.100.1.25",
    "emailAddress": "1.2.840.113549.1.9.1",
}
UTF8, PRINTABLE, T61, IA5, BMP, UNIVERSAL, NUMERIC = 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x1C, 0x12


def attribute(kind: str, value: str | bytes, tag: int | None = None) -> bytes:
    if tag is None:
        tag = IA5 if kind in {"emailAddress", "DC"} else PRINTABLE if kind == "C" else UTF8
    codec = {BMP: "utf-16-be", UNIVERSAL: "utf-32-be", T61: "latin-1"}.get(tag, "utf-8")
    raw = value.encode(codec) if isinstance(value, str) else value
    return seq(oid(TYPES.get(kind, kind)), encode(tag, raw))


def name(*rdns: str | bytes) -> bytes:
    """Give a Name from "CN=x" strings and ready RDN bytes."""
    parts = []
    for rdn in rdns:
        if isinstance(rdn, str):
            kind, _, value = rdn.partition("=")
            parts.append(set_of(attribute(kind, value)))
        else:
            parts.append(rdn)
    return seq(*parts)


def dns(value: str) -> bytes:
    return context(2, value.encode(), constructed=False)


def email(value: str) -> bytes:
    return context(1, value.encode(), constructed=False)


def uri(value: str) -> bytes:
    return context(6, value.encode(), constructed=False)


def ip(value: bytes) -> bytes:
    return context(7, value, constructed=False)


def directory(value: bytes) -> bytes:
    return context(4, value)


def other(kind: str, value: bytes) -> bytes:
    return context(0, oid(kind) + context(0, value))


# --- keys -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key: its SubjectPublicKeyInfo, how it signs by default, the private key itself."""

    spki: bytes
    algorithm: bytes
    sign: Callable[[bytes, bytes], bytes] = field(repr=False)
    private: PrivateKey = field(repr=False)

    @property
    def identifier(self) -> bytes:
        return hashlib.sha1(self.spki).digest()


def algorithm(dotted: str, *, null: bool = False) -> bytes:
    return seq(oid(dotted), b"\x05\x00") if null else seq(oid(dotted))


def _spki(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey | ed25519.Ed25519PublicKey,
) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    oid(SHA256_ECDSA): hashes.SHA256(),
    oid(SHA384_ECDSA): hashes.SHA384(),
    oid(SHA1_ECDSA): hashes.SHA1(),
    oid("1.2.840.10045.4.3.4"): hashes.SHA512(),
    oid(SHA256_RSA): hashes.SHA256(),
    oid(SHA1_RSA): hashes.SHA1(),
    oid(MD5_RSA): hashes.MD5(),
    oid("1.2.840.113549.1.1.12"): hashes.SHA384(),
    oid("2.16.840.1.101.3.4.3.2"): hashes.SHA256(),
}


def _hash(algorithm_der: bytes) -> hashes.HashAlgorithm:
    return next((h for o, h in _HASHES.items() if o in algorithm_der), hashes.SHA256())


@cache
def ec_key(seed: int | str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Key:
    number = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:20], "big") + 1
    private = ec.derive_private_key(number, curve())

    def sign(data: bytes, how: bytes) -> bytes:
        return private.sign(data, ec.ECDSA(_hash(how)))

    default = SHA384_ECDSA if curve is ec.SECP384R1 else SHA256_ECDSA
    return Key(_spki(private.public_key()), algorithm(default), sign, private)


@cache
def rsa_key(size: int = 2048, index: int = 0) -> Key:
    private = rsa.generate_private_key(65537, size)

    def sign(data: bytes, how: bytes) -> bytes:
        return private.sign(data, padding.PKCS1v15(), _hash(how))

    return Key(_spki(private.public_key()), algorithm(SHA256_RSA, null=True), sign, private)


@cache
def ed25519_key(seed: int | str) -> Key:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(str(seed).encode()).digest())
    return Key(
        _spki(private.public_key()), algorithm("1.3.101.112"), lambda data, _how: private.sign(data), private
    )


# --- extensions -----------------------------------------------------------------------------------


def extension(dotted: str, value: bytes, critical: bool = False) -> bytes:
    return seq(oid(dotted), boolean(True) if critical else b"", octets(value))


def basic_constraints(ca: bool = True, length: int | None = None, critical: bool = True) -> bytes:
    value = seq(boolean(True) if ca else b"", b"" if length is None else integer(length))
    return extension("2.5.29.19", value, critical)


DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, KEY_AGREEMENT = 0, 1, 2, 4
CERT_SIGN, CRL_SIGN = 5, 6


def named_bits(*numbers: int) -> bytes:
    if not numbers:
        return bits(b"")
    size = max(numbers) + 1
    value = bytearray((size + 7) // 8)
    for number in numbers:
        value[number // 8] |= 0x80 >> number % 8
    return bits(bytes(value), len(value) * 8 - size)


def key_usage(*numbers: int, critical: bool = True) -> bytes:
    return extension("2.5.29.15", named_bits(*numbers), critical)


SERVER, CLIENT, EMAIL_PROTECTION, TIME_STAMPING, OCSP_SIGNING, ANY_USAGE = (
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.5.5.7.3.2",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
    "2.5.29.37.0",
)


def extended_key_usage(*usages: str, critical: bool = False) -> bytes:
    return extension("2.5.29.37", seq(*map(oid, usages)), critical)


def netscape_type(value: int) -> bytes:
    return extension("2.16.840.1.113730.1.1", bits(bytes((value,))))


def subject_key_id(value: bytes, critical: bool = False) -> bytes:
    return extension("2.5.29.14", octets(value), critical)


def authority_key_id(
    key_id: bytes | None = None,
    issuer: bytes | None = None,
    serial: int | None = None,
    critical: bool = False,
) -> bytes:
    value = b""
    if key_id is not None:
        value += context(0, key_id, constructed=False)
    if issuer is not None:
        value += context(1, issuer)
    if serial is not None:
        value += context(2, integer(serial)[2:], constructed=False)
    return extension("2.5.29.35", seq(value), critical)


def alternative_names(*names: bytes, critical: bool = False) -> bytes:
    return extension("2.5.29.17", seq(*names), critical)


def name_constraints(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()) -> bytes:
    value = b""
    for number, subtrees in ((0, permitted), (1, excluded)):
        if subtrees:
            value += context(number, b"".join(seq(subtree) for subtree in subtrees))
    return extension("2.5.29.30", seq(value), True)


ANY_POLICY = "2.5.29.32.0"


def policies(*oids: str, critical: bool = False, qualifiers: bytes = b"") -> bytes:
    return extension("2.5.29.32", seq(*(seq(oid(item), qualifiers) for item in oids)), critical)


def policy_mappings(*pairs: tuple[str, str]) -> bytes:
    return extension("2.5.29.33", seq(*(seq(oid(a), oid(b)) for a, b in pairs)), True)


def policy_constraints(explicit: int | None = None, mapping: int | None = None) -> bytes:
    value = b""
    for number, count in ((0, explicit), (1, mapping)):
        if count is not None:
            value += context(number, integer(count)[2:], constructed=False)
    return extension("2.5.29.36", seq(value), True)


def inhibit_any(count: int) -> bytes:
    return extension("2.5.29.54", integer(count), True)


def proxy_info(length: int | None = None, language: str = "1.3.6.1.5.5.7.21.1") -> bytes:
    value = seq(b"" if length is None else integer(length), seq(oid(language)))
    return extension("1.3.6.1.5.5.7.1.14", value, True)


def point_name(*names: bytes) -> bytes:
    return context(0, context(0, b"".join(names)))


def distribution_point(
    names: Sequence[bytes] = (), reasons: Sequence[int] = (), issuer: bytes | None = None
) -> bytes:
    value = point_name(*names) if names else b""
    if reasons:
        value += context(1, named_bits(*reasons)[2:], constructed=False)
    if issuer is not None:
        value += context(2, directory(issuer))
    return seq(value)


def distribution_points(*points: bytes) -> bytes:
    return extension("2.5.29.31", seq(*points))


def freshest(*points: bytes) -> bytes:
    return extension("2.5.29.46", seq(*points))


# --- certificates ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """A certificate that was built, with what issuing below it needs."""

    der: bytes
    subject: bytes
    key: Key
    serial: int

    @property
    def pem(self) -> str:
        return pem(self.der)


Default = object()


def certificate(
    subject: bytes,
    key: Key,
    issuer: Built | None = None,
    extensions: Sequence[bytes] = (),
    *,
    serial: int = 1,
    start: int = NOW - 100 * DAY,
    end: int = NOW + 100 * DAY,
    version: int | None = 3,
    issuer_name: bytes | None = None,
    issuer_key: Key | None = None,
    outer: bytes | None = None,
    inner: bytes | None = None,
    validity: bytes | None = None,
    spki: bytes | None = None,
    raw_serial: bytes | None = None,
    damage: bool = False,
    tail: bytes = b"",
) -> Built:
    """Build one; without `issuer` it is self-signed. `damage` flips a bit of the signature."""
    signer = issuer_key or (issuer.key if issuer else key)
    by = issuer_name if issuer_name is not None else issuer.subject if issuer else subject
    outer = outer or signer.algorithm
    signed = seq(
        context(0, integer(version - 1)) if version is not None and version != 1 else b"",
        raw_serial if raw_serial is not None else integer(serial),
        inner or outer,
        by,
        validity if validity is not None else seq(time(start), time(end)),
        subject,
        spki if spki is not None else key.spki,
        context(3, seq(*extensions)) if extensions else b"",
    )
    signature = signer.sign(signed, outer)
    if damage:
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    return Built(seq(signed, outer, bits(signature), tail), subject, key, serial)


def ca_extensions(key: Key, issuer: Key | None = None, length: int | None = None) -> list[bytes]:
    """Give what a conforming CA certificate has."""
    found = [basic_constraints(True, length), key_usage(CERT_SIGN, CRL_SIGN), subject_key_id(key.identifier)]
    if issuer is not None:
        found.append(authority_key_id(issuer.identifier))
    return found


def leaf_extensions(
    key: Key, issuer: Key, *names: bytes, usages: Sequence[str] = (SERVER, CLIENT)
) -> list[bytes]:
    """Give what a conforming server certificate has."""
    return [
        key_usage(DIGITAL_SIGNATURE),
        extended_key_usage(*usages),
        subject_key_id(key.identifier),
        authority_key_id(issuer.identifier),
        alternative_names(*(names or (dns("server.test"),))),
    ]


# --- CRLs -----------------------------------------------------------------------------------------


def revoked(serial: int, *extensions: bytes, when: int = NOW - DAY) -> bytes:
    return seq(integer(serial), time(when), seq(*extensions) if extensions else b"")


def reason(code: int) -> bytes:
    return extension("2.5.29.21", encode(0x0A, bytes((code,))))


def certificate_issuer(value: bytes) -> bytes:
    return extension("2.5.29.29", seq(directory(value)), True)


def crl_number(value: int) -> bytes:
    return extension("2.5.29.20", integer(value))


def delta_indicator(value: int) -> bytes:
    return extension("2.5.29.27", integer(value), True)


def issuing_point(
    names: Sequence[bytes] = (),
    *,
    user: bool = False,
    ca: bool = False,
    attribute_only: bool = False,
    indirect: bool = False,
    reasons: Sequence[int] = (),
) -> bytes:
    value = point_name(*names) if names else b""
    for number, flag in ((1, user), (2, ca)):
        if flag:
            value += context(number, b"\xff", constructed=False)
    if reasons:
        value += context(3, named_bits(*reasons)[2:], constructed=False)
    for number, flag in ((4, indirect), (5, attribute_only)):
        if flag:
            value += context(number, b"\xff", constructed=False)
    return extension("2.5.29.28", seq(value), True)


def crl(
    issuer: Built,
    entries: Sequence[bytes] = (),
    extensions: Sequence[bytes] | None = None,
    *,
    start: int = NOW - 10 * DAY,
    end: int | None = NOW + 10 * DAY,
    damage: bool = False,
    signer: Key | None = None,
    key_id: bool = True,
) -> bytes:
    signer = signer or issuer.key
    if extensions is None:
        extensions = [crl_number(1)]
    extensions = [*extensions, *([authority_key_id(signer.identifier)] if key_id else [])]
    signed = seq(
        integer(1),
        signer.algorithm,
        issuer.subject,
        time(start),
        time(end) if end is not None else b"",
        seq(*entries) if entries else b"",
        context(0, seq(*extensions)) if extensions else b"",
    )
    signature = signer.sign(signed, signer.algorithm)
    if damage:
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    return seq(signed, signer.algorithm, bits(signature))
