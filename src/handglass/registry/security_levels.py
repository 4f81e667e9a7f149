"""What OpenSSL's security levels 0 to 5 (`@SECLEVEL=n`, SSL_CTX_set_security_level(3)) allow, as data.

A level demands so many bits of security (NIST SP 800-57 part 1, table 2) of every key, digest, group and
suite; from some level on it refuses whole kinds of things as well. Level 0 allows everything.
"""

from __future__ import annotations

from math import log

from handglass.records import dataclass

from .code_points import ProtocolVersion
from .groups import GroupFacts
from .signatures import SchemeFacts
from .suites import SuiteFacts


@dataclass(frozen=True, slots=True)
class SecurityLevel:
    """One level.

    bits: least security of keys, digests, groups and suites. rsa_bits (also DH and DSA) and ec_bits: the key
    sizes that give it. forward_secrecy: suites of TLS 1.2 and below must have an ephemeral key exchange.
    anonymous, tickets, compression: whether these are allowed. lowest_version and lowest_datagram_version:
    the oldest protocols allowed.
    """

    level: int
    bits: int
    rsa_bits: int
    ec_bits: int
    lowest_version: ProtocolVersion
    lowest_datagram_version: ProtocolVersion
    anonymous: bool
    compression: bool
    tickets: bool
    forward_secrecy: bool

    def allows_bits(self, bits: int) -> bool:
        """Say whether something with that many bits of security is allowed."""
        return bits >= self.bits

    def allows_version(self, version: ProtocolVersion) -> bool:
        """Say whether a protocol version is allowed."""
        if version >= 0xFE00:  # DTLS counts downwards
            return version <= self.lowest_datagram_version
        return version >= self.lowest_version

    def allows_suite(self, facts: SuiteFacts) -> bool:
        """Say whether a suite is allowed."""
        if self.level == 0:
            return True
        if facts.strength_bits < self.bits or facts.mac == "MD5":
            return False
        if facts.cipher == "RC4_128" and self.level >= 2:
            return False
        if facts.mac == "SHA1" and self.bits > 160:  # the digest's 160 bits
            return False
        if facts.authentication == "NULL" and not self.anonymous:
            return False
        ephemeral = facts.key_exchange in {"DHE", "ECDHE", "DHE_PSK", "ECDHE_PSK", "ANY"}
        return ephemeral or not self.forward_secrecy

    def allows_group(self, facts: GroupFacts) -> bool:
        """Say whether a key exchange group is allowed."""
        return self.allows_bits(group_security_bits(facts))

    def allows_scheme(self, facts: SchemeFacts) -> bool:
        """Say whether a signature scheme is allowed in the handshake; the key's size is judged apart."""
        return self.allows_bits(scheme_security_bits(facts))

    def allows_key(self, key_type: str, bits: int) -> bool:
        """Say whether a key is allowed; its type is named as in SchemeFacts.key_type, bits is its size."""
        return self.allows_bits(key_security_bits(key_type, bits))


def _level(level: int, bits: int, rsa_bits: int) -> SecurityLevel:
    return SecurityLevel(
        level,
        bits,
        rsa_bits,
        2 * bits,
        lowest_version=ProtocolVersion.TLS1_2 if level else ProtocolVersion.SSL3,
        lowest_datagram_version=ProtocolVersion.DTLS1_2 if level else ProtocolVersion.DTLS1_0,
        anonymous=level == 0,
        compression=level < 2,
        tickets=level < 3,
        forward_secrecy=level >= 3,
    )


SECURITY_LEVELS = (
    _level(0, 0, 0),
    _level(1, 80, 1024),
    _level(2, 112, 2048),
    _level(3, 128, 3072),
    _level(4, 192, 7680),
    _level(5, 256, 15360),
)
# What the distributions that care build OpenSSL with, and OpenSSL itself since 3.2.
DEFAULT_SECURITY_LEVEL = 2

_WHOLE_ALGORITHMS = {"ed25519": 128, "ed448": 224, "mldsa44": 128, "mldsa65": 192, "mldsa87": 256}
# Collisions are found faster than half the digest's size says.
_WEAK_DIGESTS = {"md5": 39, "sha1": 64}
_DIGEST_SIZES = {"sha224": 224, "sha256": 256, "sha384": 384, "sha512": 512, "sm3": 256}
_KEM_BITS = {"MLKEM512": 128, "MLKEM768": 192, "MLKEM1024": 256}


def scheme_security_bits(facts: SchemeFacts) -> int:
    """Return the security of a signature scheme, by its digest."""
    if facts.key_type in _WHOLE_ALGORITHMS:
        return _WHOLE_ALGORITHMS[facts.key_type]
    return digest_security_bits(facts.hash)


def digest_security_bits(name: str) -> int:
    """Return the security of a digest (hashlib's name) against collisions."""
    return _WEAK_DIGESTS[name] if name in _WEAK_DIGESTS else _DIGEST_SIZES.get(name, 256) // 2


def group_security_bits(facts: GroupFacts) -> int:
    """Return the security of a key exchange group."""
    if facts.kind == "ffdh":
        return finite_field_security_bits(facts.bits)
    if facts.kind == "kem":
        return _KEM_BITS[facts.openssl_name]
    if facts.bits in {253, 255}:
        return 128  # X25519
    if facts.bits == 448:
        return 224
    return facts.bits // 2


def key_security_bits(key_type: str, bits: int) -> int:
    """Return the security of a key of that type and size."""
    if key_type in _WHOLE_ALGORITHMS:
        return _WHOLE_ALGORITHMS[key_type]
    if key_type == "ec":
        return bits // 2
    return finite_field_security_bits(bits)


def finite_field_security_bits(bits: int) -> int:
    """Return the security of RSA, DH and DSA keys of that size.

    NIST SP 800-56B r2, appendix D, rounded to a multiple of eight as in FIPS 140's implementation guidance
    7.5, with the values that SP 800-57 names.
    """
    if bits in _NAMED_SIZES:
        return _NAMED_SIZES[bits]
    if bits < 8:
        return 0
    natural = bits * log(2)
    estimate = (1.923 * (natural * log(natural) ** 2) ** (1 / 3) - 4.69) / log(2)
    ceiling = 192 if bits <= 7680 else 256 if bits <= 15360 else 1200
    return max(0, min(int(estimate + 4) // 8 * 8, ceiling))


_NAMED_SIZES = {1024: 80, 2048: 112, 3072: 128, 4096: 152, 6144: 176, 7680: 192, 8192: 200, 15360: 256}
