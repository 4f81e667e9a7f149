"""The key exchange groups: what each one is, and every name that people give it.

Strategy: a row per group that we can do something with or that OpenSSL names; the code point alone suffices
to show the others.
"""

from __future__ import annotations

from functools import cache

from handglass.records import Frozen
from handglass.registry.code_points import NamedGroup


class GroupFacts(Frozen):
    """One group. `bits` is the size that OpenSSL prints; for a hybrid, that of its classical part."""

    group: NamedGroup
    openssl_name: str
    aliases: tuple[str, ...]
    kind: str
    """ecdh (short Weierstrass), xdh (RFC 7748), ffdh (RFC 7919), kem (ML-KEM alone), hybrid (both in one)."""
    bits: int
    temp_key: str
    """What s_client puts behind `Server Temp Key: `; empty where OpenSSL prints no such line (KEM,
    hybrid)."""
    tls13_allowed: bool
    tls12_allowed: bool


def facts_of(group: int) -> GroupFacts | None:
    """Return the facts of a group, or None for one that we know at most by name."""
    return FACTS.get(group)


def by_name(name: str) -> GroupFacts | None:
    """Return the group of this name (IANA's, OpenSSL's, NIST's; in any case of letters), or None."""
    return _names().get(name.lower())


@cache
def _names() -> dict[str, GroupFacts]:
    names: dict[str, GroupFacts] = {}
    for facts in FACTS.values():
        for name in (facts.openssl_name, facts.group.name, *facts.aliases):
            names.setdefault(name.lower(), facts)
    return names


def _ecdh(
    group: NamedGroup, name: str, bits: int, *aliases: str, short: str = "", tls13: bool = False
) -> GroupFacts:
    """`short` is the short name of the curve's object identifier where it differs: what OpenSSL prints."""
    return GroupFacts(
        group, name, aliases, "ecdh", bits, f"ECDH, {short or name}, {bits} bits", tls13, tls12_allowed=True
    )


def _brainpool(group: NamedGroup, bits: int) -> GroupFacts:
    """RFC 8734: code points of their own for TLS 1.3, where those of RFC 7027 may not be used."""
    name = f"brainpoolP{bits}r1"
    return GroupFacts(
        group,
        f"{name}tls13",
        (),
        "ecdh",
        bits,
        f"ECDH, {name}, {bits} bits",
        tls13_allowed=True,
        tls12_allowed=False,
    )


def _ffdh(group: NamedGroup, bits: int) -> GroupFacts:
    return GroupFacts(
        group,
        f"ffdhe{bits}",
        (),
        "ffdh",
        bits,
        f"DH, {bits} bits",
        tls13_allowed=True,
        tls12_allowed=True,
    )


def _kem(group: NamedGroup, name: str, kind: str, bits: int) -> GroupFacts:
    return GroupFacts(group, name, (), kind, bits, name, tls13_allowed=True, tls12_allowed=False)


_G = NamedGroup
FACTS: dict[int, GroupFacts] = {
    int(facts.group): facts
    for facts in (
        GroupFacts(_G.X25519, "x25519", (), "xdh", 253, "X25519, 253 bits", True, True),
        GroupFacts(_G.X448, "x448", (), "xdh", 448, "X448, 448 bits", True, True),
        _ecdh(_G.SECP256R1, "secp256r1", 256, "P-256", "prime256v1", short="prime256v1", tls13=True),
        _ecdh(_G.SECP384R1, "secp384r1", 384, "P-384", tls13=True),
        _ecdh(_G.SECP521R1, "secp521r1", 521, "P-521", tls13=True),
        _ecdh(_G.SECP256K1, "secp256k1", 256),
        _ecdh(_G.SECP224R1, "secp224r1", 224, "P-224"),
        _ecdh(_G.SECP224K1, "secp224k1", 224),
        _ecdh(_G.SECP192R1, "secp192r1", 192, "P-192", "prime192v1", short="prime192v1"),
        _ecdh(_G.SECP192K1, "secp192k1", 192),
        _ecdh(_G.SECP160K1, "secp160k1", 160),
        _ecdh(_G.SECP160R1, "secp160r1", 160),
        _ecdh(_G.SECP160R2, "secp160r2", 160),
        _ecdh(_G.SECT163K1, "sect163k1", 163, "K-163"),
        _ecdh(_G.SECT163R1, "sect163r1", 163),
        _ecdh(_G.SECT163R2, "sect163r2", 163, "B-163"),
        _ecdh(_G.SECT193R1, "sect193r1", 193),
        _ecdh(_G.SECT193R2, "sect193r2", 193),
        _ecdh(_G.SECT233K1, "sect233k1", 233, "K-233"),
        _ecdh(_G.SECT233R1, "sect233r1", 233, "B-233"),
        _ecdh(_G.SECT239K1, "sect239k1", 239),
        _ecdh(_G.SECT283K1, "sect283k1", 283, "K-283"),
        _ecdh(_G.SECT283R1, "sect283r1", 283, "B-283"),
        _ecdh(_G.SECT409K1, "sect409k1", 409, "K-409"),
        _ecdh(_G.SECT409R1, "sect409r1", 409, "B-409"),
        _ecdh(_G.SECT571K1, "sect571k1", 571, "K-571"),
        _ecdh(_G.SECT571R1, "sect571r1", 571, "B-571"),
        _ecdh(_G.BRAINPOOLP256R1, "brainpoolP256r1", 256),
        _ecdh(_G.BRAINPOOLP384R1, "brainpoolP384r1", 384),
        _ecdh(_G.BRAINPOOLP512R1, "brainpoolP512r1", 512),
        _brainpool(_G.BRAINPOOLP256R1TLS13, 256),
        _brainpool(_G.BRAINPOOLP384R1TLS13, 384),
        _brainpool(_G.BRAINPOOLP512R1TLS13, 512),
        _ecdh(_G.CURVESM2, "curveSM2", 256, "SM2", short="SM2", tls13=True),
        _ffdh(_G.FFDHE2048, 2048),
        _ffdh(_G.FFDHE3072, 3072),
        _ffdh(_G.FFDHE4096, 4096),
        _ffdh(_G.FFDHE6144, 6144),
        _ffdh(_G.FFDHE8192, 8192),
        _kem(_G.MLKEM512, "MLKEM512", "kem", 512),
        _kem(_G.MLKEM768, "MLKEM768", "kem", 768),
        _kem(_G.MLKEM1024, "MLKEM1024", "kem", 1024),
        _kem(_G.X25519MLKEM768, "X25519MLKEM768", "hybrid", 253),
        _kem(_G.SECP256R1MLKEM768, "SecP256r1MLKEM768", "hybrid", 256),
        _kem(_G.SECP384R1MLKEM1024, "SecP384r1MLKEM1024", "hybrid", 384),
        _kem(_G.CURVESM2MLKEM768, "curveSM2MLKEM768", "hybrid", 256),
    )
}
