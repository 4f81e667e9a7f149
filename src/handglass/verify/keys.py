"""Public keys in certificates: what kind, how large, how strong (RFC 3279, RFC 5480, RFC 8410).

A SubjectPublicKeyInfo is read here only as far as judging needs it. A key is `usable` when OpenSSL would
make a key of it: its structure is right, its parameters are known and an elliptic curve point lies on its
curve.
"""

from __future__ import annotations

import math

from handglass.crypto import certificate_signature, der
from handglass.records import dataclass

from .algorithms import AlgorithmIdentifier

__all__ = ["PublicKey"]

MAX_RSA_BITS = 16384  # RFC 8017 sets no bound; OpenSSL refuses larger moduli


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The subject's key.

    `kind`: "rsa", "rsa_pss", "ec", "ed25519", "ed448", "x25519", "x448", "dsa", "dh", "sm2", "mldsa44" …,
    or "" for an unknown algorithm; `name`: OpenSSL's name of the algorithm or the dotted identifier;
    `bits`: size in bits as OpenSSL prints it; `security_bits`: strength by NIST SP 800-57; `curve`:
    OpenSSL's name of an elliptic curve; `explicit`: curve given by its numbers instead of its name;
    `usable`: a key can be made of it.
    """

    kind: str
    name: str
    bits: int
    security_bits: int
    curve: str | None = None
    explicit: bool = False
    usable: bool = True

    @classmethod
    def read(cls, spki: bytes) -> PublicKey:
        """Any bytes give a key; those that make no sense give one that is not usable."""
        name = ""
        try:
            algorithm, key = der.parse(spki).expect(der.SEQUENCE, "public key").children()
            identifier = AlgorithmIdentifier.read(algorithm)
            kind, name = _KINDS.get(identifier.oid, ("", identifier.oid))
            bits = key.expect(der.BIT_STRING, "public key").content
            if not bits or bits[0]:
                raise der.DerError("a public key that is no whole number of bytes")
            reader = _READERS.get(kind)
            if reader is None:
                return cls("", name, 0, 0, usable=False)
            return reader(kind, name, identifier.parameters, bits[1:], spki)
        except (der.DerError, ValueError, LookupError):
            return cls("", name, 0, 0, usable=False)

    @property
    def lacks_parameters(self) -> bool:
        """Whether it is a DSA key that has its group from its issuer (RFC 3279 §2.3.2)."""
        return self.kind == "dsa" and self.bits == 0

    @property
    def text(self) -> str:
        """The key in s_client's `a:PKEY:` line: "rsaEncryption, 2048 (bit)"."""
        return f"{self.name or 'unreadable'}, {self.bits} (bit)"


def _rsa(kind: str, name: str, _parameters: bytes | None, key: bytes, _spki: bytes) -> PublicKey:
    modulus, _exponent = _integers(key, 2)
    bits = modulus.bit_length()
    return PublicKey(kind, name, bits, _factoring_strength(bits), usable=0 < bits <= MAX_RSA_BITS)


def _dsa(kind: str, name: str, parameters: bytes | None, key: bytes, _spki: bytes) -> PublicKey:
    if parameters is None or parameters == b"\x05\x00":
        return PublicKey(kind, name, 0, 0)
    p, q = _integers(parameters, 3)[:2]
    der.parse(key).expect(der.INTEGER, "DSA key")
    strength = _finite_field_strength(p.bit_length(), q.bit_length())
    return PublicKey(kind, name, p.bit_length(), strength)


def _dh(kind: str, name: str, parameters: bytes | None, key: bytes, _spki: bytes) -> PublicKey:
    p = _integers(parameters or b"", 2)[0]
    der.parse(key).expect(der.INTEGER, "DH key")
    return PublicKey(kind, name, p.bit_length(), _finite_field_strength(p.bit_length(), None))


def _ec(kind: str, name: str, parameters: bytes | None, key: bytes, spki: bytes) -> PublicKey:
    if parameters is None:
        raise der.DerError("an elliptic curve key without its curve")
    outer = der.parse(parameters)
    if outer.tag == der.SEQUENCE:  # explicit numbers (RFC 3279 §2.3.5), forbidden by RFC 5480 §2.1.1
        order = der.integer(outer.children()[4].expect(der.INTEGER, "order").content).bit_length()
        return PublicKey(kind, name, order, _curve_strength(order), None, explicit=True)
    known = _CURVES.get(der.decode_oid(outer.expect(der.OID, "curve").content))
    if known is None:
        raise der.DerError("an unknown curve")
    curve, order, size = known
    form, length = key[0], len(key) - 1
    well_formed = (form in {4, 6, 7} and length == 2 * size) or (form in {2, 3} and length == size)
    usable = well_formed and certificate_signature.is_on_curve(spki)
    if curve == "SM2":
        return PublicKey("sm2", "SM2", order, 128, curve, usable=usable)
    return PublicKey(kind, name, order, _curve_strength(order), curve, usable=usable)


def _raw(kind: str, name: str, parameters: bytes | None, key: bytes, _spki: bytes) -> PublicKey:
    size, bits, strength = _RAW[kind]
    return PublicKey(kind, name, bits, strength, usable=len(key) == size and parameters is None)


def _integers(data: bytes, at_least: int) -> list[int]:
    fields = der.parse(data).expect(der.SEQUENCE, "key numbers").children()
    numbers = [der.integer(field.content) for field in fields if field.tag == der.INTEGER]
    if len(numbers) < at_least or min(numbers) < 0:
        raise der.DerError("numbers of a key are missing or negative")
    return numbers


def _factoring_strength(bits: int) -> int:
    """Security bits of a modulus (NIST SP 800-56B rev. 2 appendix D), rounded as OpenSSL rounds."""
    if bits in _FACTORING:
        return _FACTORING[bits]
    if bits < 8:
        return 0
    cap = 192 if bits <= 7680 else 256 if bits <= 15360 else 1200
    x = bits * math.log(2)
    estimate = int((1.923 * math.cbrt(x * math.log(x) ** 2) - 4.69) / math.log(2))
    return min((estimate + 4) & ~7, cap)


def _finite_field_strength(p_bits: int, q_bits: int | None) -> int:
    """Security bits of a DSA or DH group (NIST SP 800-57 part 1 table 2)."""
    steps = ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80))
    strength = next((worth for size, worth in steps if p_bits >= size), 0)
    if q_bits is None:
        return strength
    return 0 if q_bits < 160 else min(strength, q_bits // 2)


def _curve_strength(order: int) -> int:
    """Security bits of an elliptic curve by the size of its order (NIST SP 800-57 part 1 table 2)."""
    steps = ((512, 256), (384, 192), (256, 128), (224, 112), (160, 80))
    return next((worth for size, worth in steps if order >= size), order // 2)


_FACTORING = {2048: 112, 3072: 128, 4096: 152, 6144: 176, 7680: 192, 8192: 200, 15360: 256}
# size of the key in bytes, bits as OpenSSL prints them, security bits
_RAW = {
    "ed25519": (32, 256, 128),
    "ed448": (57, 456, 224),
    "x25519": (32, 253, 128),
    "x448": (56, 448, 224),
    "mldsa44": (1312, 10496, 128),
    "mldsa65": (1952, 15616, 192),
    "mldsa87": (2592, 20736, 256),
}
_KINDS = {
    "1.2.840.113549.1.1.1": ("rsa", "rsaEncryption"),
    "2.5.8.1.1": ("rsa", "rsaEncryption"),
    "1.2.840.113549.1.1.10": ("rsa_pss", "RSASSA-PSS"),
    "1.2.840.10045.2.1": ("ec", "id-ecPublicKey"),
    "1.3.101.110": ("x25519", "X25519"),
    "1.3.101.111": ("x448", "X448"),
    "1.3.101.112": ("ed25519", "ED25519"),
    "1.3.101.113": ("ed448", "ED448"),
    "1.2.840.10040.4.1": ("dsa", "dsaEncryption"),
    "1.2.840.113549.1.3.1": ("dh", "dhKeyAgreement"),
    "1.2.840.10046.2.1": ("dh", "dhpublicnumber"),
    "1.2.156.10197.1.301": ("ec", "SM2"),
    "2.16.840.1.101.3.4.3.17": ("mldsa44", "id-ml-dsa-44"),
    "2.16.840.1.101.3.4.3.18": ("mldsa65", "id-ml-dsa-65"),
    "2.16.840.1.101.3.4.3.19": ("mldsa87", "id-ml-dsa-87"),
}
_READERS = {"rsa": _rsa, "rsa_pss": _rsa, "ec": _ec, "dsa": _dsa, "dh": _dh, **dict.fromkeys(_RAW, _raw)}


def _binary(start: int, *sizes: tuple[str, int, int]) -> dict[str, tuple[str, int, int]]:
    return {f"1.3.132.0.{start + index}": facts for index, facts in enumerate(sizes)}


# identifier: name, bits of the order, bytes of a coordinate (SEC 2, RFC 5639, X9.62)
_CURVES: dict[str, tuple[str, int, int]] = {
    "1.2.840.10045.3.1.1": ("prime192v1", 192, 24),
    "1.2.840.10045.3.1.7": ("prime256v1", 256, 32),
    "1.3.132.0.33": ("secp224r1", 224, 28),
    "1.3.132.0.34": ("secp384r1", 384, 48),
    "1.3.132.0.35": ("secp521r1", 521, 66),
    "1.3.132.0.10": ("secp256k1", 256, 32),
    "1.3.132.0.8": ("secp160r1", 161, 20),
    "1.3.132.0.9": ("secp160k1", 161, 20),
    "1.3.132.0.30": ("secp160r2", 161, 20),
    "1.3.132.0.31": ("secp192k1", 192, 24),
    "1.3.132.0.32": ("secp224k1", 225, 28),
    **_binary(1, ("sect163k1", 163, 21), ("sect163r1", 162, 21), ("sect239k1", 238, 30)),
    **_binary(15, ("sect163r2", 163, 21), ("sect283k1", 281, 36), ("sect283r1", 282, 36)),
    **_binary(24, ("sect193r1", 193, 25), ("sect193r2", 193, 25), ("sect233k1", 232, 30)),
    **_binary(27, ("sect233r1", 233, 30)),
    **_binary(36, ("sect409k1", 407, 52), ("sect409r1", 409, 52), ("sect571k1", 570, 72)),
    **_binary(39, ("sect571r1", 570, 72)),
    **{
        f"1.3.36.3.3.2.8.1.1.{2 * index + twist + 1}": (f"brainpoolP{bits}{'rt'[twist]}1", bits, bits // 8)
        for index, bits in enumerate((160, 192, 224, 256, 320, 384, 512))
        for twist in (0, 1)
    },
    "1.2.156.10197.1.301": ("SM2", 256, 32),
}
