"""What a verification is asked to check: OpenSSL's X509_VERIFY_PARAM (X509_VERIFY_PARAM_set_flags(3)).

Values that are None are not set: a named set (`-verify_name`) or the caller's default fills them in.
"""

from __future__ import annotations

from enum import Enum, IntFlag
from typing import Any

from handglass.records import changed_fields, dataclass, replace

__all__ = ["NAMED_SETS", "HostFlags", "Purpose", "SuiteB", "Trust", "VerifyParams", "to_ascii"]

DEFAULT_DEPTH = 100
MAX_DEPTH = 1000  # no chain that anyone uses comes near; keeps a loop of issuers in a store finite


class Purpose(Enum):
    """What the chain is to be used for; the value is the name that `-purpose` takes."""

    SSL_CLIENT = "sslclient"
    SSL_SERVER = "sslserver"
    NS_SSL_SERVER = "nssslserver"
    SMIME_SIGN = "smimesign"
    SMIME_ENCRYPT = "smimeencrypt"
    CRL_SIGN = "crlsign"
    ANY = "any"
    OCSP_HELPER = "ocsphelper"
    TIMESTAMP_SIGN = "timestampsign"

    @property
    def title(self) -> str:
        """OpenSSL's description, as its help prints it."""
        return _TITLES[self]


class Trust(Enum):
    """For what a certificate with auxiliary trust settings must be trusted; the value is a key purpose.

    ANY is the default, COMPATIBLE looks at self-signature alone (X509_TRUST_COMPAT).
    """

    ANY = "2.5.29.37.0"
    COMPATIBLE = ""
    SSL_CLIENT = "1.3.6.1.5.5.7.3.2"
    SSL_SERVER = "1.3.6.1.5.5.7.3.1"
    EMAIL = "1.3.6.1.5.5.7.3.4"
    TIMESTAMP = "1.3.6.1.5.5.7.3.8"


class SuiteB(Enum):
    """Suite B levels of security (RFC 6460 §4)."""

    LEVEL_128_ONLY = "128_only"
    LEVEL_128 = "128"
    LEVEL_192 = "192"


class HostFlags(IntFlag):
    """How host names are compared (X509_check_host(3))."""

    ALWAYS_CHECK_SUBJECT = 0x1
    NO_WILDCARDS = 0x2
    NO_PARTIAL_WILDCARDS = 0x4
    MULTI_LABEL_WILDCARDS = 0x8
    SINGLE_LABEL_SUBDOMAINS = 0x10
    NEVER_CHECK_SUBJECT = 0x20


NO_HOST_FLAGS = HostFlags(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyParams:
    """The parameters of one verification.

    `depth`: how many intermediate certificates there may be; `time`: seconds since 1970, in place of the
    caller's clock, wins over `no_check_time`; `auth_level`: 0 to 5, -1 for none; `policies`: dotted
    identifiers of acceptable policies; `hosts`: any one of them must match; `ip`: 4 or 16 bytes.
    """

    purpose: Purpose | None = None
    trust: Trust | None = None
    depth: int | None = None
    time: int | None = None
    auth_level: int | None = None
    policies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    host_flags: HostFlags = NO_HOST_FLAGS
    email: str | None = None
    ip: bytes | None = None
    suite_b: SuiteB | None = None
    ignore_critical: bool = False
    crl_check: bool = False
    crl_check_all: bool = False
    policy_check: bool = False
    explicit_policy: bool = False
    inhibit_any: bool = False
    inhibit_map: bool = False
    policy_print: bool = False
    x509_strict: bool = False
    extended_crl: bool = False
    use_deltas: bool = False
    check_ss_sig: bool = False
    trusted_first: bool = True
    partial_chain: bool = False
    no_alt_chains: bool = False
    no_check_time: bool = False
    allow_proxy_certs: bool = False

    def overridden(self, other: VerifyParams) -> VerifyParams:
        """Give these parameters with everything that `other` sets in place of their own."""
        return replace(self, **other._set_values())

    def completed(self, defaults: VerifyParams) -> VerifyParams:
        """Give these parameters with what they leave unset taken from `defaults`."""
        return defaults.overridden(self)

    @property
    def checks_policies(self) -> bool:
        """Whether policy processing is on."""
        return bool(
            self.policies or self.policy_check or self.explicit_policy or self.inhibit_any or self.inhibit_map
        )

    @property
    def effective_trust(self) -> Trust:
        """The trust asked for, else the one that goes with the purpose."""
        if self.trust is not None:
            return self.trust
        return _TRUST_OF[self.purpose] if self.purpose is not None else Trust.ANY

    def _set_values(self) -> dict[str, Any]:
        return changed_fields(self)


def to_ascii(host: str) -> str:
    """Give a host name's labels in the form that certificates have (RFC 5890 A-labels). Raises ValueError."""
    if host.isascii():
        return host
    try:
        import idna  # noqa: PLC0415 - optional, and most names are ASCII
    except ImportError:
        return host.encode("idna").decode("ascii")  # Python's own: IDNA 2003
    return idna.encode(host, uts46=True).decode("ascii")


_TITLES = {
    Purpose.SSL_CLIENT: "SSL client",
    Purpose.SSL_SERVER: "SSL server",
    Purpose.NS_SSL_SERVER: "Netscape SSL server",
    Purpose.SMIME_SIGN: "S/MIME signing",
    Purpose.SMIME_ENCRYPT: "S/MIME encryption",
    Purpose.CRL_SIGN: "CRL signing",
    Purpose.ANY: "Any Purpose",
    Purpose.OCSP_HELPER: "OCSP helper",
    Purpose.TIMESTAMP_SIGN: "Time Stamp signing",
}
_TRUST_OF = {
    Purpose.SSL_CLIENT: Trust.SSL_CLIENT,
    Purpose.SSL_SERVER: Trust.SSL_SERVER,
    Purpose.NS_SSL_SERVER: Trust.SSL_SERVER,
    Purpose.SMIME_SIGN: Trust.EMAIL,
    Purpose.SMIME_ENCRYPT: Trust.EMAIL,
    Purpose.CRL_SIGN: Trust.COMPATIBLE,
    Purpose.ANY: Trust.ANY,
    Purpose.OCSP_HELPER: Trust.COMPATIBLE,
    Purpose.TIMESTAMP_SIGN: Trust.TIMESTAMP,
}
NAMED_SETS = {
    "default": VerifyParams(depth=DEFAULT_DEPTH),
    "pkcs7": VerifyParams(purpose=Purpose.SMIME_SIGN, trust=Trust.EMAIL),
    "smime_sign": VerifyParams(purpose=Purpose.SMIME_SIGN, trust=Trust.EMAIL),
    "ssl_client": VerifyParams(purpose=Purpose.SSL_CLIENT, trust=Trust.SSL_CLIENT),
    "ssl_server": VerifyParams(purpose=Purpose.SSL_SERVER, trust=Trust.SSL_SERVER),
}
