"""What each cipher suite consists of, and what OpenSSL calls it.

Strategy: up to TLS 1.2 the name of a suite says it all (`TLS_<key exchange>_WITH_<cipher>_<mac>`), so the
facts are derived from the name by a few small tables and the exceptions are spelled out; nothing is typed
370 times. The result is one table, `FACTS`, made when first asked for. Suites of TLS 1.3 name no key
exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from handglass.records import Frozen
from handglass.registry.code_points import CipherSuite, ProtocolVersion

SSL3, TLS1_0, TLS1_2, TLS1_3 = (
    ProtocolVersion.SSL3,
    ProtocolVersion.TLS1_0,
    ProtocolVersion.TLS1_2,
    ProtocolVersion.TLS1_3,
)


class SuiteFacts(Frozen):
    """The parts of one cipher suite."""

    suite: CipherSuite
    openssl_name: str
    """OpenSSL's name (of any of its versions); IANA's where OpenSSL never had the suite."""
    key_exchange: str
    """RSA DH DHE ECDH ECDHE PSK RSA_PSK DHE_PSK ECDHE_PSK SRP KRB5 GOST ECCPWD FORTEZZA NULL; 1.3: ANY."""
    authentication: str
    """What proves the server: RSA DSS ECDSA PSK SRP KRB5 GOST ECCPWD FORTEZZA; NULL when nothing does; ANY in
    TLS 1.3. For the static key exchanges DH and ECDH: the algorithm that signed the certificate."""
    cipher: str
    """AES_128_GCM AES_256_CBC CHACHA20_POLY1305 AES_128_CCM_8 RC4_128 NULL and so on, as in IANA's name."""
    mac: str
    """AEAD SHA1 SHA256 SHA384 MD5, or a GOST name."""
    prf_hash: str
    """hashlib's name of the hash of the PRF in TLS 1.2, or of the key schedule in TLS 1.3."""
    min_version: ProtocolVersion
    max_version: ProtocolVersion
    strength_bits: int
    """The strength that OpenSSL gives it: 3DES counts 112."""
    export_key_bits: int
    """512 or 1024: the limit on the temporary key of an export suite; 0 for all others."""

    @property
    def export(self) -> bool:
        """Whether it was weakened for export (RFC 2246 §A.5)."""
        return self.export_key_bits != 0

    @property
    def iana_name(self) -> str:
        """IANA's name."""
        return self.suite.name


def facts_of(suite: int) -> SuiteFacts | None:
    """Return the facts of a suite; None for a number that is no suite (unknown, GREASE, signalling value)."""
    facts = _derived.get(suite)
    if facts is None and suite in CipherSuite.points:
        member = CipherSuite(suite)
        if not member.name.endswith("_SCSV"):
            facts = _derived[member] = _derive(member)
    return facts


def by_iana_name(name: str) -> SuiteFacts | None:
    """Return the suite that IANA calls `name` (exact spelling), or None."""
    member = CipherSuite.__members__.get(name)
    return None if member is None else facts_of(member)


def by_openssl_name(name: str) -> SuiteFacts | None:
    """Return the suite that any version of OpenSSL calls `name` (exact spelling), or None."""
    return _openssl_names().get(name)


@cache
def all_facts() -> dict[int, SuiteFacts]:
    """All suites by number."""
    return {int(suite): facts for suite in CipherSuite if (facts := facts_of(suite)) is not None}


_derived: dict[int, SuiteFacts] = {}
"""What has been asked for: a connection offers some 30 suites of 365."""


if TYPE_CHECKING:
    FACTS: dict[int, SuiteFacts]
else:

    def __getattr__(name: str) -> dict[int, SuiteFacts]:
        """`FACTS` is made when first asked for: a start with `-help` has no use for it."""
        if name == "FACTS":
            return all_facts()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _openssl_names() -> dict[str, SuiteFacts]:
    """Every OpenSSL name; older spellings (EDH- for DHE-) lead to the same suite."""
    names: dict[str, SuiteFacts] = {}
    for facts in all_facts().values():
        for name in _spellings(facts):
            names.setdefault(name, facts)
    return names


def _spellings(facts: SuiteFacts) -> Iterator[str]:
    name = facts.openssl_name
    yield name
    if "DHE-" in name and "ECDHE-" not in name and facts.cipher in _DES_FAMILY:
        yield name.replace("DHE-", "EDH-")


_DES_FAMILY = ("DES40_CBC", "DES_CBC", "3DES_EDE_CBC")

# RFC 8446 §B.4, RFC 9150, RFC 8998, the AEGIS and GOST registrations: cipher, hash, strength.
_TLS13 = {
    CipherSuite.TLS_AES_128_GCM_SHA256: ("AES_128_GCM", "sha256", 128),
    CipherSuite.TLS_AES_256_GCM_SHA384: ("AES_256_GCM", "sha384", 256),
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256: ("CHACHA20_POLY1305", "sha256", 256),
    CipherSuite.TLS_AES_128_CCM_SHA256: ("AES_128_CCM", "sha256", 128),
    CipherSuite.TLS_AES_128_CCM_8_SHA256: ("AES_128_CCM_8", "sha256", 128),
    CipherSuite.TLS_AEGIS_256_SHA512: ("AEGIS_256", "sha512", 256),
    CipherSuite.TLS_AEGIS_128L_SHA256: ("AEGIS_128L", "sha256", 128),
    CipherSuite.TLS_SM4_GCM_SM3: ("SM4_GCM", "sm3", 128),
    CipherSuite.TLS_SM4_CCM_SM3: ("SM4_CCM", "sm3", 128),
    CipherSuite.TLS_SHA256_SHA256: ("SHA256_SHA256", "sha256", 0),
    CipherSuite.TLS_SHA384_SHA384: ("SHA384_SHA384", "sha384", 0),
    CipherSuite.TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L: ("KUZNYECHIK_MGM_L", "streebog256", 256),
    CipherSuite.TLS_GOSTR341112_256_WITH_MAGMA_MGM_L: ("MAGMA_MGM_L", "streebog256", 256),
    CipherSuite.TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S: ("KUZNYECHIK_MGM_S", "streebog256", 256),
    CipherSuite.TLS_GOSTR341112_256_WITH_MAGMA_MGM_S: ("MAGMA_MGM_S", "streebog256", 256),
}

# The part of the name before _WITH_: key exchange, authentication, prefix of OpenSSL's name.
_KEY_EXCHANGES = {
    "NULL": ("NULL", "NULL", ""),
    "RSA": ("RSA", "RSA", ""),
    "RSA_FIPS": ("RSA", "RSA", ""),
    "DH_DSS": ("DH", "DSS", "DH-DSS-"),
    "DH_RSA": ("DH", "RSA", "DH-RSA-"),
    "DHE_DSS": ("DHE", "DSS", "DHE-DSS-"),
    "DHE_RSA": ("DHE", "RSA", "DHE-RSA-"),
    "DH_anon": ("DHE", "NULL", "ADH-"),
    "ECDH_ECDSA": ("ECDH", "ECDSA", "ECDH-ECDSA-"),
    "ECDH_RSA": ("ECDH", "RSA", "ECDH-RSA-"),
    "ECDHE_ECDSA": ("ECDHE", "ECDSA", "ECDHE-ECDSA-"),
    "ECDHE_RSA": ("ECDHE", "RSA", "ECDHE-RSA-"),
    "ECDH_anon": ("ECDHE", "NULL", "AECDH-"),
    "PSK": ("PSK", "PSK", "PSK-"),
    "RSA_PSK": ("RSA_PSK", "RSA", "RSA-PSK-"),
    "DHE_PSK": ("DHE_PSK", "PSK", "DHE-PSK-"),
    "PSK_DHE": ("DHE_PSK", "PSK", "DHE-PSK-"),
    "ECDHE_PSK": ("ECDHE_PSK", "PSK", "ECDHE-PSK-"),
    "SRP_SHA": ("SRP", "SRP", "SRP-"),
    "SRP_SHA_RSA": ("SRP", "RSA", "SRP-RSA-"),
    "SRP_SHA_DSS": ("SRP", "DSS", "SRP-DSS-"),
    "KRB5": ("KRB5", "KRB5", "KRB5-"),
    "ECCPWD": ("ECCPWD", "ECCPWD", ""),
    "FORTEZZA_KEA": ("FORTEZZA", "FORTEZZA", ""),
    "GOSTR341094": ("GOST", "GOST", ""),
    "GOSTR341001": ("GOST", "GOST", ""),
    "GOSTR341112_256": ("GOST", "GOST", ""),
}

_MACS = {"MD5": "MD5", "SHA": "SHA1", "SHA256": "SHA256", "SHA384": "SHA384"}

_STRENGTHS = {
    "NULL": 0,
    "RC4_40": 40,
    "RC4_56": 56,
    "RC4_128": 128,
    "RC2_CBC_40": 40,
    "RC2_CBC_56": 56,
    "DES40_CBC": 40,
    "DES_CBC_40": 40,
    "DES_CBC": 56,
    "3DES_EDE_CBC": 112,
    "IDEA_CBC": 128,
    "SEED_CBC": 128,
    "CHACHA20_POLY1305": 256,
    "FORTEZZA_CBC": 80,
}

# OpenSSL's names of the ciphers that it does not simply write with dashes.
_OPENSSL_CIPHERS = {
    "RC4_40": "RC4",
    "RC4_56": "RC4",
    "RC4_128": "RC4",
    "RC2_CBC_40": "RC2-CBC",
    "RC2_CBC_56": "RC2-CBC",
    "DES40_CBC": "DES-CBC",
    "DES_CBC_40": "DES-CBC",
    "DES_CBC": "DES-CBC",
    "3DES_EDE_CBC": "DES-CBC3",
    "SEED_CBC": "SEED",
    "CHACHA20_POLY1305": "CHACHA20-POLY1305",
    "FORTEZZA_CBC": "FORTEZZA-CBC",
}

_OPENSSL_EXCEPTIONS = {
    CipherSuite.TLS_NULL_WITH_NULL_NULL: "TLS_NULL_WITH_NULL_NULL",
    CipherSuite.SSL_FORTEZZA_KEA_WITH_NULL_SHA: "FZA-NULL-SHA",
    CipherSuite.SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA: "FZA-FZA-CBC-SHA",
    CipherSuite.SSL_RSA_FIPS_WITH_DES_CBC_SHA: "SSL_RSA_FIPS_WITH_DES_CBC_SHA",
    CipherSuite.SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA: "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA",
    CipherSuite.TLS_GOSTR341094_WITH_28147_CNT_IMIT: "GOST94-GOST89-GOST89",
    CipherSuite.TLS_GOSTR341001_WITH_28147_CNT_IMIT: "GOST2001-GOST89-GOST89",
    CipherSuite.TLS_GOSTR341094_WITH_NULL_GOSTR3411: "GOST94-NULL-GOST94",
    CipherSuite.TLS_GOSTR341001_WITH_NULL_GOSTR3411: "GOST2001-NULL-GOST94",
    CipherSuite.TLS_GOSTR341112_256_WITH_28147_CNT_IMIT: "IANA-GOST2012-GOST8912-GOST8912",
    CipherSuite.TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC: "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC",
    CipherSuite.TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC: "GOST2012-MAGMA-MAGMAOMAC",
}


def _derive(suite: CipherSuite) -> SuiteFacts:
    if suite in _TLS13:
        cipher, prf_hash, strength = _TLS13[suite]
        return SuiteFacts(
            suite, suite.name, "ANY", "ANY", cipher, "AEAD", prf_hash, TLS1_3, TLS1_3, strength, 0
        )
    before, after = suite.name.split("_", 1)[1].split("_WITH_")
    export_key_bits = 1024 if "EXPORT1024" in before else 512 if "EXPORT" in before else 0
    before = before.removesuffix("_EXPORT1024").removesuffix("_EXPORT")
    key_exchange, authentication, prefix = _KEY_EXCHANGES[before]
    cipher, mac, prf_hash = _cipher_and_mac(after)
    minimum, maximum = _versions(suite, before, cipher, mac, export_key_bits)
    return SuiteFacts(
        suite,
        _openssl_name(suite, prefix, cipher, after.rpartition("_")[2], export_key_bits),
        key_exchange,
        authentication,
        cipher,
        mac,
        prf_hash,
        minimum,
        maximum,
        _STRENGTHS.get(cipher, 128 if "_128_" in cipher else 256),
        export_key_bits,
    )


def _cipher_and_mac(after: str) -> tuple[str, str, str]:
    """Split the part of the name behind _WITH_: cipher, MAC, hash of the PRF."""
    cipher, _, last = after.rpartition("_")
    if last in {"IMIT", "OMAC", "GOSTR3411"}:
        return cipher, last, "md_gost94" if "KUZ" not in after and "MAGMA" not in after else "streebog256"
    prf_hash = "sha384" if last == "SHA384" else "sha256"
    if "CCM" in after and last not in _MACS:
        return after, "AEAD", "sha256"
    if "GCM" in cipher or "CCM" in cipher or cipher == "CHACHA20_POLY1305":
        return cipher, "AEAD", prf_hash
    if last not in _MACS:  # the one name without a hash: NULL_NULL
        return cipher, "NULL", prf_hash
    return cipher, _MACS[last], prf_hash


def _versions(
    suite: CipherSuite, before: str, cipher: str, mac: str, export_key_bits: int
) -> tuple[ProtocolVersion, ProtocolVersion]:
    """Return the versions that a suite may be negotiated in, the lowest as OpenSSL has it."""
    if mac in {"IMIT", "OMAC", "GOSTR3411"}:
        # RFC 9189 §4: the two newer ones from TLS 1.2 on.
        return (TLS1_2 if mac == "OMAC" or suite >= 0xC100 else TLS1_0), TLS1_2
    minimum = SSL3
    if mac == "AEAD":
        minimum = TLS1_2
    elif mac in {"SHA256", "SHA384"}:
        # RFC 5487 §3, RFC 5489 §3 and RFC 6367 §3.3 let PSK suites run in earlier versions too; RFC 6209
        # does not.
        minimum = TLS1_0 if "PSK" in before and "ARIA" not in cipher else TLS1_2
    elif before.startswith("EC"):
        minimum = TLS1_0  # RFC 4492: there are no extensions in SSL 3.0
    if export_key_bits:
        return minimum, TLS1_0  # RFC 4346 §A.5
    if cipher in {"DES_CBC", "IDEA_CBC"}:
        return minimum, ProtocolVersion.TLS1_1  # RFC 5246 §1.2, RFC 5469
    if before in {"FORTEZZA_KEA", "RSA_FIPS"}:
        return minimum, SSL3 if before == "FORTEZZA_KEA" else TLS1_0
    return minimum, TLS1_2


def _openssl_name(suite: CipherSuite, prefix: str, cipher: str, digest: str, export_key_bits: int) -> str:
    if suite in _OPENSSL_EXCEPTIONS:
        return _OPENSSL_EXCEPTIONS[suite]
    if _unknown_to_openssl(suite.name, cipher):
        return suite.name
    if cipher in _OPENSSL_CIPHERS and not (cipher == "3DES_EDE_CBC" and ("PSK" in prefix or "SRP" in prefix)):
        name = _OPENSSL_CIPHERS[cipher]
    elif "SRP" in prefix:
        name = cipher.replace("_", "-")
    elif "PSK" in prefix and "CAMELLIA" not in cipher:
        name = cipher.replace("_", "-").replace("AES-", "AES")
    else:
        name = cipher.removesuffix("_CBC") if cipher.startswith(("AES", "CAMELLIA")) else cipher
        name = name.replace("_", "-").replace("AES-", "AES").replace("CAMELLIA-", "CAMELLIA")
    name = name.replace("ARIA-", "ARIA").replace("CCM-8", "CCM8")
    if "ARIA" in name and prefix.startswith("ECDH"):
        prefix = prefix.replace("-RSA", "")
    if export_key_bits:
        prefix = ("EXP1024-" if export_key_bits == 1024 else "EXP-") + prefix
    if cipher == "CHACHA20_POLY1305" or "CCM" in cipher:
        return prefix + name
    return f"{prefix}{name}-{digest}"


def _unknown_to_openssl(name: str, cipher: str) -> bool:
    if (cipher.startswith("ARIA") and cipher.endswith("CBC")) or (
        cipher.startswith("CAMELLIA") and cipher.endswith("GCM")
    ):
        return True
    # RFC 8442 and RFC 8492
    return name.startswith(("TLS_ECDHE_PSK_WITH_AES_128_CCM", "TLS_ECCPWD")) or (
        "ECDHE_PSK" in name and cipher.endswith("GCM")
    )
