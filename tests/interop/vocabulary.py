"""Suites and groups under each peer's names, written down here apart from the product's tables, as an oracle.

Sources: IANA TLS parameters; `openssl ciphers -V`; GnuTLS priority strings; NSS takes code points.
"""

from __future__ import annotations

import re

from handglass.records import dataclass

TLS12 = "TLSv1.2"
TLS13 = "TLSv1.3"


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite: code point, OpenSSL's name, and its parts under GnuTLS's names."""

    code: int
    name: str
    key_exchange: str
    """ "" for TLS 1.3, else RSA, DHE-RSA, ECDHE-RSA, ECDHE-ECDSA."""
    cipher: str
    mac: str

    @property
    def version(self) -> str:
        """The only version (of those tested) that it can be negotiated in."""
        return TLS12 if self.key_exchange else TLS13

    @property
    def has_group(self) -> bool:
        """Whether its key exchange negotiates a group."""
        return self.key_exchange in ("", "ECDHE-RSA", "ECDHE-ECDSA")

    @property
    def gnutls(self) -> str:
        """The parts of a GnuTLS priority string."""
        parts = [self.cipher, self.mac] + ([self.key_exchange] if self.key_exchange else [])
        return ":".join(f"+{part}" for part in parts)

    @property
    def nss(self) -> str:
        """The argument of tstclnt's and selfserv's -c."""
        return f":{self.code:04X}"


TLS13_SUITES = tuple(
    Suite(code, name, "", cipher, "AEAD")
    for code, name, cipher in (
        (0x1301, "TLS_AES_128_GCM_SHA256", "AES-128-GCM"),
        (0x1302, "TLS_AES_256_GCM_SHA384", "AES-256-GCM"),
        (0x1303, "TLS_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
        (0x1304, "TLS_AES_128_CCM_SHA256", "AES-128-CCM"),
        (0x1305, "TLS_AES_128_CCM_8_SHA256", "AES-128-CCM-8"),
    )
)

# Code points per key exchange, in the order of _CIPHERS; 0: there is no such suite.
_CIPHERS = (
    ("AES128-GCM-SHA256", "AES-128-GCM", "AEAD"),
    ("AES256-GCM-SHA384", "AES-256-GCM", "AEAD"),
    ("CHACHA20-POLY1305", "CHACHA20-POLY1305", "AEAD"),
    ("AES128-CCM", "AES-128-CCM", "AEAD"),
    ("AES256-CCM", "AES-256-CCM", "AEAD"),
    ("AES128-CCM8", "AES-128-CCM-8", "AEAD"),
    ("AES256-CCM8", "AES-256-CCM-8", "AEAD"),
    ("AES128-SHA", "AES-128-CBC", "SHA1"),
    ("AES256-SHA", "AES-256-CBC", "SHA1"),
    ("AES128-SHA256", "AES-128-CBC", "SHA256"),
    ("AES256-SHA256", "AES-256-CBC", "SHA256"),
    ("AES256-SHA384", "AES-256-CBC", "SHA384"),
)
_CODES = {
    "RSA": (0x9C, 0x9D, 0, 0xC09C, 0xC09D, 0xC0A0, 0xC0A1, 0x2F, 0x35, 0x3C, 0x3D, 0),
    "DHE-RSA": (0x9E, 0x9F, 0xCCAA, 0xC09E, 0xC09F, 0xC0A2, 0xC0A3, 0x33, 0x39, 0x67, 0x6B, 0),
    "ECDHE-RSA": (0xC02F, 0xC030, 0xCCA8, 0, 0, 0, 0, 0xC013, 0xC014, 0xC027, 0, 0xC028),
    "ECDHE-ECDSA": (
        *(0xC02B, 0xC02C, 0xCCA9, 0xC0AC, 0xC0AD, 0xC0AE, 0xC0AF),
        *(0xC009, 0xC00A, 0xC023, 0, 0xC024),
    ),
}

TLS12_SUITES = tuple(
    Suite(code, name if exchange == "RSA" else f"{exchange}-{name}", exchange, cipher, mac)
    for exchange, codes in _CODES.items()
    for code, (name, cipher, mac) in zip(codes, _CIPHERS, strict=True)
    if code
)
BY_NAME = {suite.name: suite for suite in (*TLS13_SUITES, *TLS12_SUITES)}
BY_CODE = {suite.code: suite for suite in BY_NAME.values()}
BY_PARTS = {(suite.key_exchange, suite.cipher, suite.mac): suite for suite in BY_NAME.values()}


@dataclass(frozen=True, slots=True)
class Group:
    """A group: code point and its name with each peer, None where the peer lacks it."""

    name: str
    """OpenSSL's name."""
    code: int
    gnutls: str | None
    nss: str | None
    temp_key: str
    """How s_client prints it after "Server Temp Key: ". """


GROUPS = {
    group.name: group
    for group in (
        Group("X25519", 0x1D, "X25519", "x25519", "X25519, 253 bits"),
        Group("X448", 0x1E, "X448", None, "X448, 448 bits"),
        Group("P-256", 0x17, "SECP256R1", "P256", "ECDH, prime256v1, 256 bits"),
        Group("P-384", 0x18, "SECP384R1", "P384", "ECDH, secp384r1, 384 bits"),
        Group("P-521", 0x19, "SECP521R1", "P521", "ECDH, secp521r1, 521 bits"),
        Group("brainpoolP256r1", 0x1A, None, None, "ECDH, brainpoolP256r1, 256 bits"),
        Group("brainpoolP384r1", 0x1B, None, None, "ECDH, brainpoolP384r1, 384 bits"),
        Group("brainpoolP512r1", 0x1C, None, None, "ECDH, brainpoolP512r1, 512 bits"),
        Group("ffdhe2048", 0x100, "FFDHE2048", "FF2048", "DH, 2048 bits"),
        Group("ffdhe3072", 0x101, "FFDHE3072", "FF3072", "DH, 3072 bits"),
        Group("ffdhe4096", 0x102, "FFDHE4096", "FF4096", "DH, 4096 bits"),
        Group("ffdhe6144", 0x103, "FFDHE6144", "FF6144", "DH, 6144 bits"),
        Group("ffdhe8192", 0x104, "FFDHE8192", "FF8192", "DH, 8192 bits"),
    )
}
GROUP_BY_CODE = {group.code: group.name for group in GROUPS.values()}
GROUP_BY_TEMP_KEY = {group.temp_key: group.name for group in GROUPS.values()}
GROUP_BY_GNUTLS = {group.gnutls: group.name for group in GROUPS.values() if group.gnutls}

CURVE_OF_KEY = {"p256": "P-256", "p384": "P-384", "p521": "P-521"}
"""The group that must be offered in TLS 1.2 with an ECDSA certificate (RFC 8422 §5.1)."""

ECDSA_KEYS = ("p256", "p384", "p521", "ed25519", "ed448")
"""Certificates for the ECDHE_ECDSA suites (RFC 8422 §2.1)."""


def plain_version(text: str) -> str:
    """Bring "TLS1.3" or "TLS 1.3" into the form "TLSv1.3"."""
    match = re.fullmatch(r"TLS\s*v?(1\.\d)", text)
    assert match, text
    return f"TLSv{match[1]}"
