"""The numbered outcomes of certificate verification: X509_V_*.

Numbers, names and texts are OpenSSL's (X509_STORE_CTX_get_error(3), X509_verify_cert_error_string(3)),
because scripts read them. The alert beside an outcome is the one that OpenSSL's TLS sends when that outcome
ends a handshake.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["VerifyCode", "alert_for", "text_of"]


class VerifyCode(IntEnum):
    """An outcome; the member's name is OpenSSL's without `X509_V_` and `ERR_`."""

    OK = 0
    UNSPECIFIED = 1
    UNABLE_TO_GET_ISSUER_CERT = 2
    UNABLE_TO_GET_CRL = 3
    UNABLE_TO_DECRYPT_CERT_SIGNATURE = 4
    UNABLE_TO_DECRYPT_CRL_SIGNATURE = 5
    UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY = 6
    CERT_SIGNATURE_FAILURE = 7
    CRL_SIGNATURE_FAILURE = 8
    CERT_NOT_YET_VALID = 9
    CERT_HAS_EXPIRED = 10
    CRL_NOT_YET_VALID = 11
    CRL_HAS_EXPIRED = 12
    ERROR_IN_CERT_NOT_BEFORE_FIELD = 13
    ERROR_IN_CERT_NOT_AFTER_FIELD = 14
    ERROR_IN_CRL_LAST_UPDATE_FIELD = 15
    ERROR_IN_CRL_NEXT_UPDATE_FIELD = 16
    OUT_OF_MEM = 17
    DEPTH_ZERO_SELF_SIGNED_CERT = 18
    SELF_SIGNED_CERT_IN_CHAIN = 19
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20
    UNABLE_TO_VERIFY_LEAF_SIGNATURE = 21
    CERT_CHAIN_TOO_LONG = 22
    CERT_REVOKED = 23
    NO_ISSUER_PUBLIC_KEY = 24
    PATH_LENGTH_EXCEEDED = 25
    INVALID_PURPOSE = 26
    CERT_UNTRUSTED = 27
    CERT_REJECTED = 28
    SUBJECT_ISSUER_MISMATCH = 29
    AKID_SKID_MISMATCH = 30
    AKID_ISSUER_SERIAL_MISMATCH = 31
    KEYUSAGE_NO_CERTSIGN = 32
    UNABLE_TO_GET_CRL_ISSUER = 33
    UNHANDLED_CRITICAL_EXTENSION = 34
    KEYUSAGE_NO_CRL_SIGN = 35
    UNHANDLED_CRITICAL_CRL_EXTENSION = 36
    INVALID_NON_CA = 37
    PROXY_PATH_LENGTH_EXCEEDED = 38
    KEYUSAGE_NO_DIGITAL_SIGNATURE = 39
    PROXY_CERTIFICATES_NOT_ALLOWED = 40
    INVALID_EXTENSION = 41
    INVALID_POLICY_EXTENSION = 42
    NO_EXPLICIT_POLICY = 43
    DIFFERENT_CRL_SCOPE = 44
    UNSUPPORTED_EXTENSION_FEATURE = 45
    UNNESTED_RESOURCE = 46
    PERMITTED_VIOLATION = 47
    EXCLUDED_VIOLATION = 48
    SUBTREE_MINMAX = 49
    APPLICATION_VERIFICATION = 50
    UNSUPPORTED_CONSTRAINT_TYPE = 51
    UNSUPPORTED_CONSTRAINT_SYNTAX = 52
    UNSUPPORTED_NAME_SYNTAX = 53
    CRL_PATH_VALIDATION_ERROR = 54
    PATH_LOOP = 55
    SUITE_B_INVALID_VERSION = 56
    SUITE_B_INVALID_ALGORITHM = 57
    SUITE_B_INVALID_CURVE = 58
    SUITE_B_INVALID_SIGNATURE_ALGORITHM = 59
    SUITE_B_LOS_NOT_ALLOWED = 60
    SUITE_B_CANNOT_SIGN_P_384_WITH_P_256 = 61
    HOSTNAME_MISMATCH = 62
    EMAIL_MISMATCH = 63
    IP_ADDRESS_MISMATCH = 64
    DANE_NO_MATCH = 65
    EE_KEY_TOO_SMALL = 66
    CA_KEY_TOO_SMALL = 67
    CA_MD_TOO_WEAK = 68
    INVALID_CALL = 69
    STORE_LOOKUP = 70
    NO_VALID_SCTS = 71
    PROXY_SUBJECT_NAME_VIOLATION = 72
    OCSP_VERIFY_NEEDED = 73
    OCSP_VERIFY_FAILED = 74
    OCSP_CERT_UNKNOWN = 75
    UNSUPPORTED_SIGNATURE_ALGORITHM = 76
    SIGNATURE_ALGORITHM_MISMATCH = 77
    SIGNATURE_ALGORITHM_INCONSISTENCY = 78
    INVALID_CA = 79
    PATHLEN_INVALID_FOR_NON_CA = 80
    PATHLEN_WITHOUT_KU_KEY_CERT_SIGN = 81
    KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA = 82
    ISSUER_NAME_EMPTY = 83
    SUBJECT_NAME_EMPTY = 84
    MISSING_AUTHORITY_KEY_IDENTIFIER = 85
    MISSING_SUBJECT_KEY_IDENTIFIER = 86
    EMPTY_SUBJECT_ALT_NAME = 87
    EMPTY_SUBJECT_SAN_NOT_CRITICAL = 88
    CA_BCONS_NOT_CRITICAL = 89
    AUTHORITY_KEY_IDENTIFIER_CRITICAL = 90
    SUBJECT_KEY_IDENTIFIER_CRITICAL = 91
    CA_CERT_MISSING_KEY_USAGE = 92
    EXTENSIONS_REQUIRE_VERSION_3 = 93
    EC_KEY_EXPLICIT_PARAMS = 94
    RPK_UNTRUSTED = 95


def text_of(code: int) -> str:
    """OpenSSL's sentence for an outcome; numbers without one are named as OpenSSL names them."""
    return _TEXTS[code] if 0 <= code < len(_TEXTS) else f"error number {code}"


def alert_for(code: int) -> int:
    """Give the alert description (RFC 8446 §6) that tells the peer of this outcome.

    Certificate_unknown by default.
    """
    return _ALERTS.get(code, _CERTIFICATE_UNKNOWN)


_TEXTS = (
    "ok",
    "unspecified certificate verification error",
    "unable to get issuer certificate",
    "unable to get certificate CRL",
    "unable to decrypt certificate's signature",
    "unable to decrypt CRL's signature",
    "unable to decode issuer public key",
    "certificate signature failure",
    "CRL signature failure",
    "certificate is not yet valid",
    "certificate has expired",
    "CRL is not yet valid",
    "CRL has expired",
    "format error in certificate's notBefore field",
    "format error in certificate's notAfter field",
    "format error in CRL's lastUpdate field",
    "format error in CRL's nextUpdate field",
    "out of memory",
    "self-signed certificate",
    "self-signed certificate in certificate chain",
    "unable to get local issuer certificate",
    "unable to verify the first certificate",
    "certificate chain too long",
    "certificate revoked",
    "issuer certificate doesn't have a public key",
    "path length constraint exceeded",
    "unsuitable certificate purpose",
    "certificate not trusted",
    "certificate rejected",
    "subject issuer mismatch",
    "authority and subject key identifier mismatch",
    "authority and issuer serial number mismatch",
    "key usage does not include certificate signing",
    "unable to get CRL issuer certificate",
    "unhandled critical extension",
    "key usage does not include CRL signing",
    "unhandled critical CRL extension",
    "invalid non-CA certificate (has CA markings)",
    "proxy path length constraint exceeded",
    "key usage does not include digital signature",
    "proxy certificates not allowed, please set the appropriate flag",
    "invalid or inconsistent certificate extension",
    "invalid or inconsistent certificate policy extension",
    "no explicit policy",
    "different CRL scope",
    "unsupported extension feature",
    "RFC 3779 resource not subset of parent's resources",
    "permitted subtree violation",
    "excluded subtree violation",
    "name constraints minimum and maximum not supported",
    "application verification failure",
    "unsupported name constraint type",
    "unsupported or invalid name constraint syntax",
    "unsupported or invalid name syntax",
    "CRL path validation error",
    "path loop",
    "Suite B: certificate version invalid",
    "Suite B: invalid public key algorithm",
    "Suite B: invalid ECC curve",
    "Suite B: invalid signature algorithm",
    "Suite B: curve not allowed for this LOS",
    "Suite B: cannot sign P-384 with P-256",
    "hostname mismatch",
    "email address mismatch",
    "IP address mismatch",
    "no matching DANE TLSA records",
    "EE certificate key too weak",
    "CA certificate key too weak",
    "CA signature digest algorithm too weak",
    "invalid certificate verification context",
    "issuer certificate lookup error",
    "Certificate Transparency required, but no valid SCTs found",
    "proxy subject name violation",
    "OCSP verification needed",
    "OCSP verification failed",
    "OCSP unknown cert",
    "Cannot find certificate signature algorithm",
    "subject signature algorithm and issuer public key algorithm mismatch",
    "cert info signature and signature algorithm mismatch",
    "invalid CA certificate",
    "Path length invalid for non-CA cert",
    "Path length given without key usage keyCertSign",
    "Key usage keyCertSign invalid for non-CA cert",
    "Issuer name empty",
    "Subject name empty",
    "Missing Authority Key Identifier",
    "Missing Subject Key Identifier",
    "Empty Subject Alternative Name extension",
    "Subject empty and Subject Alt Name extension not critical",
    "Basic Constraints of CA cert not marked critical",
    "Authority Key Identifier marked critical",
    "Subject Key Identifier marked critical",
    "CA cert does not include key usage extension",
    "Using cert extension requires at least X509v3",
    "Certificate public key has explicit ECC parameters",
    "raw public key untrusted, no trusted keys configured",
)

_HANDSHAKE_FAILURE, _BAD_CERTIFICATE, _UNSUPPORTED_CERTIFICATE, _CERTIFICATE_REVOKED = 40, 42, 43, 44
_CERTIFICATE_EXPIRED, _CERTIFICATE_UNKNOWN, _UNKNOWN_CA, _DECRYPT_ERROR, _INTERNAL_ERROR = 45, 46, 48, 51, 80
_GROUPS: dict[int, tuple[VerifyCode, ...]] = {
    _HANDSHAKE_FAILURE: (VerifyCode.APPLICATION_VERIFICATION,),
    _BAD_CERTIFICATE: (
        VerifyCode.CA_KEY_TOO_SMALL,
        VerifyCode.EC_KEY_EXPLICIT_PARAMS,
        VerifyCode.CA_MD_TOO_WEAK,
        VerifyCode.CERT_NOT_YET_VALID,
        VerifyCode.CERT_REJECTED,
        VerifyCode.CERT_UNTRUSTED,
        VerifyCode.CRL_NOT_YET_VALID,
        VerifyCode.DANE_NO_MATCH,
        VerifyCode.EE_KEY_TOO_SMALL,
        VerifyCode.EMAIL_MISMATCH,
        VerifyCode.ERROR_IN_CERT_NOT_AFTER_FIELD,
        VerifyCode.ERROR_IN_CERT_NOT_BEFORE_FIELD,
        VerifyCode.ERROR_IN_CRL_LAST_UPDATE_FIELD,
        VerifyCode.ERROR_IN_CRL_NEXT_UPDATE_FIELD,
        VerifyCode.HOSTNAME_MISMATCH,
        VerifyCode.IP_ADDRESS_MISMATCH,
        VerifyCode.UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
        VerifyCode.RPK_UNTRUSTED,
    ),
    _UNSUPPORTED_CERTIFICATE: (VerifyCode.INVALID_PURPOSE,),
    _CERTIFICATE_REVOKED: (VerifyCode.CERT_REVOKED,),
    _CERTIFICATE_EXPIRED: (
        VerifyCode.CERT_HAS_EXPIRED,
        VerifyCode.CRL_HAS_EXPIRED,
    ),
    _UNKNOWN_CA: (
        VerifyCode.CERT_CHAIN_TOO_LONG,
        VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT,
        VerifyCode.INVALID_CA,
        VerifyCode.PATH_LENGTH_EXCEEDED,
        VerifyCode.SELF_SIGNED_CERT_IN_CHAIN,
        VerifyCode.UNABLE_TO_GET_CRL,
        VerifyCode.UNABLE_TO_GET_CRL_ISSUER,
        VerifyCode.UNABLE_TO_GET_ISSUER_CERT,
        VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        VerifyCode.UNABLE_TO_VERIFY_LEAF_SIGNATURE,
    ),
    _DECRYPT_ERROR: (
        VerifyCode.CERT_SIGNATURE_FAILURE,
        VerifyCode.CRL_SIGNATURE_FAILURE,
        VerifyCode.UNABLE_TO_DECRYPT_CERT_SIGNATURE,
        VerifyCode.UNABLE_TO_DECRYPT_CRL_SIGNATURE,
    ),
    _INTERNAL_ERROR: (
        VerifyCode.INVALID_CALL,
        VerifyCode.OUT_OF_MEM,
        VerifyCode.STORE_LOOKUP,
        VerifyCode.UNSPECIFIED,
    ),
}
_ALERTS: dict[int, int] = {code: alert for alert, codes in _GROUPS.items() for code in codes}
