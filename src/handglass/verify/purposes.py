"""What a certificate may be used for: key usages, Netscape's type (X509_check_purpose(3))."""

from __future__ import annotations

from collections.abc import Callable

from .certificate import Certificate
from .extensions import (
    CRL_SIGN,
    DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE,
    KEY_AGREEMENT,
    KEY_CERT_SIGN,
    KEY_ENCIPHERMENT,
    NON_REPUDIATION,
)
from .params import Purpose

__all__ = ["ca_kind", "fits_purpose"]

SERVER_AUTH, CLIENT_AUTH, EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
SERVER_GATED = ("1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1")
_KNOWN_USAGES = {
    *(f"1.3.6.1.5.5.7.3.{number}" for number in (1, 2, 3, 4, 8, 9, 10)),
    *SERVER_GATED,
    "2.5.29.37.0",
}
# Bits of Netscape's certificate type
NS_CLIENT, NS_SERVER, NS_SMIME = 0x80, 0x40, 0x20
NS_SSL_CA, NS_SMIME_CA, NS_ANY_CA = 0x04, 0x02, 0x07


def ca_kind(certificate: Certificate) -> int:
    """Say what sort of CA it is, in OpenSSL's numbers (X509_check_ca(3)).

    0 none, 1 by basicConstraints, 3 a self-signed one of version 1, 4 by keyUsage alone, 5 by Netscape's
    type.
    """
    return 0 if certificate.facts.invalid else _ca_kind(certificate)


def _ca_kind(certificate: Certificate) -> int:
    facts = certificate.facts
    if not facts.allows(KEY_CERT_SIGN):
        return 0
    if facts.basic_constraints is not None:
        return int(facts.ca)
    if certificate.version == 1 and facts.self_signed:
        return 3
    if facts.key_usage is not None:
        return 4
    return 5 if (facts.netscape_type or 0) & NS_ANY_CA else 0


def fits_purpose(certificate: Certificate, purpose: Purpose, *, must_be_ca: bool) -> bool:
    """Whether the extensions allow the purpose; for a CA: to certify for it."""
    return _CHECKS[purpose](certificate, must_be_ca)


def _usage_rejects(certificate: Certificate, *usages: str) -> bool:
    allowed = certificate.facts.extended_key_usage
    return allowed is not None and not any(usage in allowed for usage in usages)


def _type_rejects(certificate: Certificate, bit: int) -> bool:
    netscape = certificate.facts.netscape_type
    return netscape is not None and not netscape & bit


def _is_ssl_ca(certificate: Certificate) -> bool:
    kind = _ca_kind(certificate)
    if kind == 5:
        return bool((certificate.facts.netscape_type or 0) & NS_SSL_CA)
    return kind != 0


def _ssl_client(certificate: Certificate, ca: bool) -> bool:
    if _usage_rejects(certificate, CLIENT_AUTH):
        return False
    if ca:
        return _is_ssl_ca(certificate)
    return certificate.facts.allows(DIGITAL_SIGNATURE, KEY_AGREEMENT) and not _type_rejects(
        certificate, NS_CLIENT
    )


def _ssl_server(certificate: Certificate, ca: bool) -> bool:
    if _usage_rejects(certificate, SERVER_AUTH, *SERVER_GATED):
        return False
    if ca:
        return _is_ssl_ca(certificate)
    return not _type_rejects(certificate, NS_SERVER) and certificate.facts.allows(
        DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT
    )


def _ns_ssl_server(certificate: Certificate, ca: bool) -> bool:
    return _ssl_server(certificate, ca) and (ca or certificate.facts.allows(KEY_ENCIPHERMENT))


def _smime(certificate: Certificate, ca: bool) -> bool:
    if _usage_rejects(certificate, EMAIL_PROTECTION):
        return False
    netscape = certificate.facts.netscape_type
    if ca:
        kind = _ca_kind(certificate)
        return kind not in {0, 5} or (kind == 5 and bool((netscape or 0) & NS_SMIME_CA))
    return netscape is None or bool(netscape & (NS_SMIME | NS_CLIENT))


def _smime_sign(certificate: Certificate, ca: bool) -> bool:
    return _smime(certificate, ca) and (ca or certificate.facts.allows(DIGITAL_SIGNATURE, NON_REPUDIATION))


def _smime_encrypt(certificate: Certificate, ca: bool) -> bool:
    return _smime(certificate, ca) and (ca or certificate.facts.allows(KEY_ENCIPHERMENT))


def _crl_sign(certificate: Certificate, ca: bool) -> bool:
    return _ca_kind(certificate) != 0 if ca else certificate.facts.allows(CRL_SIGN)


def _any(_certificate: Certificate, _ca: bool) -> bool:
    return True


def _ocsp_helper(certificate: Certificate, ca: bool) -> bool:
    return not ca or _ca_kind(certificate) != 0


def _timestamp_sign(certificate: Certificate, ca: bool) -> bool:
    facts = certificate.facts
    if ca:
        return _ca_kind(certificate) != 0
    signing = DIGITAL_SIGNATURE | NON_REPUDIATION
    if facts.key_usage is not None and (facts.key_usage & ~signing or not facts.key_usage & signing):
        return False
    known = {usage for usage in facts.extended_key_usage or () if usage in _KNOWN_USAGES}
    return known == {TIME_STAMPING} and facts.is_critical(EXTENDED_KEY_USAGE)  # RFC 3161 §2.3


_CHECKS: dict[Purpose, Callable[[Certificate, bool], bool]] = {
    Purpose.SSL_CLIENT: _ssl_client,
    Purpose.SSL_SERVER: _ssl_server,
    Purpose.NS_SSL_SERVER: _ns_ssl_server,
    Purpose.SMIME_SIGN: _smime_sign,
    Purpose.SMIME_ENCRYPT: _smime_encrypt,
    Purpose.CRL_SIGN: _crl_sign,
    Purpose.ANY: _any,
    Purpose.OCSP_HELPER: _ocsp_helper,
    Purpose.TIMESTAMP_SIGN: _timestamp_sign,
}
