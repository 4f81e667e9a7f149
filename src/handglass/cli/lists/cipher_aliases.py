"""The words of cipher strings that stand for many suites, and the tags of a suite that they stand for.

Names and meanings are those of openssl-ciphers(1), with the words that OpenSSL 1.0 had for what it has
dropped since.
"""

from __future__ import annotations

from collections.abc import Mapping

from handglass.registry.code_points import ProtocolVersion
from handglass.registry.suites import SuiteFacts

# Aspect -> the tags of which a suite must have one.
Pattern = Mapping[str, frozenset[str]]

VERSIONS = {
    "SSLv3": ProtocolVersion.SSL3,
    "TLSv1": ProtocolVersion.TLS1_0,
    "TLSv1.0": ProtocolVersion.TLS1_0,
    "TLSv1.2": ProtocolVersion.TLS1_2,
}


def tags_of(facts: SuiteFacts) -> Pattern:
    """Return the tags of a suite."""
    cipher = _cipher(facts.cipher)
    return {
        "exchange": frozenset({facts.key_exchange}),
        "authentication": frozenset({facts.authentication}),
        "cipher": frozenset({cipher}),
        "mode": frozenset({"CBC"} if facts.cipher.endswith(("CBC", "CBC_40", "CBC_56")) else ()),
        "mac": frozenset({facts.mac}),
        "strength": frozenset(_strength(facts, cipher)),
        "default": frozenset() if _in_default(facts, cipher) else frozenset({"NOT"}),
        "export": frozenset({str(facts.strength_bits)} if facts.export else ()),
    }


def _cipher(name: str) -> str:
    """`AES_128_GCM` -> `AES128GCM`; modes other than CBC are ciphers of their own."""
    if name.startswith(("AES_", "CAMELLIA_", "ARIA_")):
        return name.replace("_CBC", "").replace("_", "")
    for start, tag in (
        ("3DES", "3DES"),
        ("DES", "DES"),
        ("CHACHA20", "CHACHA20"),
        ("RC4", "RC4"),
        ("RC2", "RC2"),
    ):
        if name.startswith(start):
            return tag
    return name.removesuffix("_CBC")


def _strength(facts: SuiteFacts, cipher: str) -> set[str]:
    if facts.export or cipher == "NULL":
        return {"NONE"}
    if cipher in {"DES", "FORTEZZA"}:
        return {"LOW"}
    if cipher in {"3DES", "RC4", "SEED", "IDEA"}:
        return {"MEDIUM", "FIPS"} if cipher == "3DES" else {"MEDIUM"}
    fips = cipher in {"AES128", "AES256", "AES128GCM", "AES256GCM"} and facts.key_exchange != "SRP"
    return {"HIGH", "FIPS"} if fips else {"HIGH"}


def _in_default(facts: SuiteFacts, cipher: str) -> bool:
    if cipher == "NULL":
        return True  # what keeps it out of DEFAULT is that ALL has no part of it
    if facts.export or facts.authentication in {"NULL", "DSS"}:
        return False
    return cipher in {"AES128", "AES256", "AES128GCM", "AES256GCM", "CHACHA20"}


def _one(aspect: str, *tags: str) -> Pattern:
    return {aspect: frozenset(tags)}


_ANYONE = frozenset({"RSA", "DSS", "ECDSA", "PSK", "SRP", "KRB5", "GOST", "ECCPWD", "FORTEZZA"})
_AES_GCM = ("AES128GCM", "AES256GCM")
_AES_CCM = ("AES128CCM", "AES256CCM", "AES128CCM8", "AES256CCM8")
_ARIA = ("ARIA128GCM", "ARIA256GCM")
_EVERY_CIPHER = frozenset(
    {
        *(
            "AES128",
            "AES256",
            *_AES_GCM,
            *_AES_CCM,
            "ARIA128",
            "ARIA256",
            *_ARIA,
            "CAMELLIA128",
            "CAMELLIA256",
        ),
        *(
            "CAMELLIA128GCM",
            "CAMELLIA256GCM",
            "CHACHA20",
            "3DES",
            "DES",
            "RC4",
            "RC2",
            "IDEA",
            "SEED",
            "FORTEZZA",
        ),
        *("28147_CNT", "KUZNYECHIK_CTR", "MAGMA_CTR"),
    }
)

ALIASES: dict[str, Pattern] = {
    # Everything with encryption; and what that leaves out, or the default does.
    "ALL": {"cipher": _EVERY_CIPHER},
    "COMPLEMENTOFALL": _one("cipher", "NULL"),
    "COMPLEMENTOFDEFAULT": _one("default", "NOT"),
    # Key exchange.
    "kRSA": _one("exchange", "RSA"),
    "kEDH": _one("exchange", "DHE"),
    "kDHE": _one("exchange", "DHE"),
    "kDH": _one("exchange", "DH"),
    "DH": _one("exchange", "DHE", "DH"),
    "kEECDH": _one("exchange", "ECDHE"),
    "kECDHE": _one("exchange", "ECDHE"),
    "kECDH": _one("exchange", "ECDH"),
    "ECDH": _one("exchange", "ECDHE", "ECDH"),
    "kPSK": _one("exchange", "PSK"),
    "kRSAPSK": _one("exchange", "RSA_PSK"),
    "kECDHEPSK": _one("exchange", "ECDHE_PSK"),
    "kDHEPSK": _one("exchange", "DHE_PSK"),
    "kSRP": _one("exchange", "SRP"),
    "kKRB5": _one("exchange", "KRB5"),
    "kGOST": _one("exchange", "GOST"),
    # Authentication.
    "aRSA": _one("authentication", "RSA"),
    "aDSS": _one("authentication", "DSS"),
    "DSS": _one("authentication", "DSS"),
    "aNULL": _one("authentication", "NULL"),
    "aECDSA": _one("authentication", "ECDSA"),
    "ECDSA": _one("authentication", "ECDSA"),
    "aPSK": _one("authentication", "PSK"),
    "aSRP": _one("authentication", "SRP"),
    "aKRB5": _one("authentication", "KRB5"),
    "aGOST": _one("authentication", "GOST"),
    # Both.
    "EDH": {"exchange": frozenset({"DHE"}), "authentication": _ANYONE},
    "DHE": {"exchange": frozenset({"DHE"}), "authentication": _ANYONE},
    "EECDH": {"exchange": frozenset({"ECDHE"}), "authentication": _ANYONE},
    "ECDHE": {"exchange": frozenset({"ECDHE"}), "authentication": _ANYONE},
    "RSA": {"exchange": frozenset({"RSA"}), "authentication": frozenset({"RSA"})},
    "ADH": {"exchange": frozenset({"DHE"}), "authentication": frozenset({"NULL"})},
    "AECDH": {"exchange": frozenset({"ECDHE"}), "authentication": frozenset({"NULL"})},
    "PSK": _one("exchange", "PSK", "RSA_PSK", "DHE_PSK", "ECDHE_PSK"),
    "SRP": _one("exchange", "SRP"),
    "KRB5": _one("exchange", "KRB5"),
    # Ciphers.
    "3DES": _one("cipher", "3DES"),
    "DES": _one("cipher", "DES"),
    "RC4": _one("cipher", "RC4"),
    "RC2": _one("cipher", "RC2"),
    "IDEA": _one("cipher", "IDEA"),
    "SEED": _one("cipher", "SEED"),
    "NULL": _one("cipher", "NULL"),
    "eNULL": _one("cipher", "NULL"),
    "AES128": _one("cipher", "AES128", "AES128GCM", "AES128CCM", "AES128CCM8"),
    "AES256": _one("cipher", "AES256", "AES256GCM", "AES256CCM", "AES256CCM8"),
    "AES": _one("cipher", "AES128", "AES256", *_AES_GCM, *_AES_CCM),
    "AESGCM": _one("cipher", *_AES_GCM),
    "AESCCM": _one("cipher", *_AES_CCM),
    "AESCCM8": _one("cipher", "AES128CCM8", "AES256CCM8"),
    "CAMELLIA128": _one("cipher", "CAMELLIA128"),
    "CAMELLIA256": _one("cipher", "CAMELLIA256"),
    "CAMELLIA": _one("cipher", "CAMELLIA128", "CAMELLIA256"),
    "CHACHA20": _one("cipher", "CHACHA20"),
    "ARIA": _one("cipher", *_ARIA),
    "ARIAGCM": _one("cipher", *_ARIA),
    "ARIA128": _one("cipher", "ARIA128GCM"),
    "ARIA256": _one("cipher", "ARIA256GCM"),
    "GOST89": _one("cipher", "28147_CNT"),
    "CBC": _one("mode", "CBC"),
    # MACs.
    "MD5": _one("mac", "MD5"),
    "SHA1": _one("mac", "SHA1"),
    "SHA": _one("mac", "SHA1"),
    "SHA256": _one("mac", "SHA256"),
    "SHA384": _one("mac", "SHA384"),
    "GOST94": _one("mac", "GOSTR3411"),
    "GOST89MAC": _one("mac", "IMIT"),
    # Strength.
    "LOW": _one("strength", "LOW"),
    "MEDIUM": _one("strength", "MEDIUM"),
    "HIGH": _one("strength", "HIGH"),
    "FIPS": _one("strength", "FIPS"),
    "EXP": _one("export", "40", "56"),
    "EXPORT": _one("export", "40", "56"),
    "EXPORT40": _one("export", "40"),
    "EXPORT56": _one("export", "56"),
}
