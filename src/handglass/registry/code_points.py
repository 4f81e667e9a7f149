"""The numbers of TLS and DTLS with their registered names.

Strategy: one class per registry, members named as IANA names them (in capitals), values as they stand on
the wire. Suites are many and have a file of their own. A second name for a number is an alias of the first.
What a number means (key sizes, OpenSSL's names, versions) stands in `suites`, `groups` and `signatures`.

Source, unless said otherwise: IANA "TLS Parameters" and "TLS Extensions", and the RFC named with the class.
"""

from __future__ import annotations

from handglass.registry.cipher_suites import CipherSuite, SSL2CipherKind
from handglass.registry.code_point import CodePoint

__all__ = [
    "AlertDescription",
    "AlertLevel",
    "CertificateCompressionAlgorithm",
    "CertificateStatusType",
    "CertificateType",
    "CipherSuite",
    "ClientCertificateType",
    "CodePoint",
    "CompressionMethod",
    "ContentType",
    "ECBasisType",
    "ECCurveType",
    "ECPointFormat",
    "ExtensionType",
    "HandshakeType",
    "HeartbeatMode",
    "KeyUpdateRequest",
    "MaxFragmentLengthCode",
    "NameType",
    "NamedGroup",
    "ProtocolVersion",
    "PskKeyExchangeMode",
    "SSL2CipherKind",
    "SignatureScheme",
    "SrtpProtectionProfile",
]


class ProtocolVersion(CodePoint, size=2):
    """A protocol version as hellos and records carry it (RFC 8446 §4.1.2, RFC 9147 §5.3)."""

    SSL2 = 0x0002
    SSL3 = 0x0300
    TLS1_0 = 0x0301
    TLS1_1 = 0x0302
    TLS1_2 = 0x0303
    TLS1_3 = 0x0304
    DTLS1_BAD = 0x0100
    DTLS1_0 = 0xFEFF
    DTLS1_2 = 0xFEFD
    DTLS1_3 = 0xFEFC


class ContentType(CodePoint, size=1):
    """What a record carries (RFC 8446 §5.1, RFC 6520, RFC 9146, RFC 9147)."""

    INVALID = 0
    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24
    TLS12_CID = 25
    ACK = 26
    RETURN_ROUTABILITY_CHECK = 27


class HandshakeType(CodePoint, size=1):
    """Which handshake message follows (RFC 8446 §4)."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    HELLO_VERIFY_REQUEST = 3
    NEW_SESSION_TICKET = 4
    END_OF_EARLY_DATA = 5
    HELLO_RETRY_REQUEST = 6
    ENCRYPTED_EXTENSIONS = 8
    REQUEST_CONNECTION_ID = 9
    NEW_CONNECTION_ID = 10
    CERTIFICATE = 11
    SERVER_KEY_EXCHANGE = 12
    CERTIFICATE_REQUEST = 13
    SERVER_HELLO_DONE = 14
    CERTIFICATE_VERIFY = 15
    CLIENT_KEY_EXCHANGE = 16
    CLIENT_CERTIFICATE_REQUEST = 17
    FINISHED = 20
    CERTIFICATE_URL = 21
    CERTIFICATE_STATUS = 22
    SUPPLEMENTAL_DATA = 23
    KEY_UPDATE = 24
    COMPRESSED_CERTIFICATE = 25
    EKT_KEY = 26
    NEXT_PROTOCOL = 67
    MESSAGE_HASH = 254


class AlertLevel(CodePoint, size=1):
    """RFC 8446 §6."""

    WARNING = 1
    FATAL = 2


class AlertDescription(CodePoint, size=1):
    """RFC 8446 §6 and B.2, with the alerts of earlier versions and of extensions."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    DECRYPTION_FAILED = 21
    RECORD_OVERFLOW = 22
    DECOMPRESSION_FAILURE = 30
    HANDSHAKE_FAILURE = 40
    NO_CERTIFICATE = 41
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    TOO_MANY_CIDS_REQUESTED = 52
    EXPORT_RESTRICTION = 60
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    CERTIFICATE_UNOBTAINABLE = 111
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    BAD_CERTIFICATE_HASH_VALUE = 114
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    GENERAL_ERROR = 117
    NO_APPLICATION_PROTOCOL = 120
    ECH_REQUIRED = 121


class ExtensionType(CodePoint, size=2):
    """RFC 8446 §4.2 and IANA "TLS ExtensionType Values"; a few in wide use that were never registered."""

    SERVER_NAME = 0
    MAX_FRAGMENT_LENGTH = 1
    CLIENT_CERTIFICATE_URL = 2
    TRUSTED_CA_KEYS = 3
    TRUNCATED_HMAC = 4
    STATUS_REQUEST = 5
    USER_MAPPING = 6
    CLIENT_AUTHZ = 7
    SERVER_AUTHZ = 8
    CERT_TYPE = 9
    SUPPORTED_GROUPS = 10
    EC_POINT_FORMATS = 11
    SRP = 12
    SIGNATURE_ALGORITHMS = 13
    USE_SRTP = 14
    HEARTBEAT = 15
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16
    ALPN = 16
    STATUS_REQUEST_V2 = 17
    SIGNED_CERTIFICATE_TIMESTAMP = 18
    CLIENT_CERTIFICATE_TYPE = 19
    SERVER_CERTIFICATE_TYPE = 20
    PADDING = 21
    ENCRYPT_THEN_MAC = 22
    EXTENDED_MASTER_SECRET = 23
    TOKEN_BINDING = 24
    CACHED_INFO = 25
    TLS_LTS = 26
    COMPRESS_CERTIFICATE = 27
    RECORD_SIZE_LIMIT = 28
    PWD_PROTECT = 29
    PWD_CLEAR = 30
    PASSWORD_SALT = 31
    TICKET_PINNING = 32
    TLS_CERT_WITH_EXTERN_PSK = 33
    DELEGATED_CREDENTIAL = 34
    SESSION_TICKET = 35
    TLMSP = 36
    TLMSP_PROXYING = 37
    TLMSP_DELEGATE = 38
    SUPPORTED_EKT_CIPHERS = 39
    PRE_SHARED_KEY = 41
    EARLY_DATA = 42
    SUPPORTED_VERSIONS = 43
    COOKIE = 44
    PSK_KEY_EXCHANGE_MODES = 45
    CERTIFICATE_AUTHORITIES = 47
    OID_FILTERS = 48
    POST_HANDSHAKE_AUTH = 49
    SIGNATURE_ALGORITHMS_CERT = 50
    KEY_SHARE = 51
    TRANSPARENCY_INFO = 52
    CONNECTION_ID_DEPRECATED = 53
    CONNECTION_ID = 54
    EXTERNAL_ID_HASH = 55
    EXTERNAL_SESSION_ID = 56
    QUIC_TRANSPORT_PARAMETERS = 57
    TICKET_REQUEST = 58
    DNSSEC_CHAIN = 59
    SEQUENCE_NUMBER_ENCRYPTION_ALGORITHMS = 60
    RRC = 61
    TLS_FLAGS = 62
    NEXT_PROTOCOL_NEGOTIATION = 0x3374
    APPLICATION_SETTINGS_OLD = 0x4469
    APPLICATION_SETTINGS = 0x44CD
    CHANNEL_ID_OLD = 0x754F
    CHANNEL_ID = 0x7550
    TRUST_ANCHORS = 0xCA34
    ECH_OUTER_EXTENSIONS = 0xFD00
    ENCRYPTED_CLIENT_HELLO = 0xFE0D
    RENEGOTIATION_INFO = 0xFF01
    QUIC_TRANSPORT_PARAMETERS_DRAFT = 0xFFA5


class NamedGroup(CodePoint, size=2):
    """IANA "TLS Supported Groups" (RFC 8446 §4.2.7, RFC 8422, RFC 7919, RFC 8734, RFC 9189)."""

    SECT163K1 = 1
    SECT163R1 = 2
    SECT163R2 = 3
    SECT193R1 = 4
    SECT193R2 = 5
    SECT233K1 = 6
    SECT233R1 = 7
    SECT239K1 = 8
    SECT283K1 = 9
    SECT283R1 = 10
    SECT409K1 = 11
    SECT409R1 = 12
    SECT571K1 = 13
    SECT571R1 = 14
    SECP160K1 = 15
    SECP160R1 = 16
    SECP160R2 = 17
    SECP192K1 = 18
    SECP192R1 = 19
    SECP224K1 = 20
    SECP224R1 = 21
    SECP256K1 = 22
    SECP256R1 = 23
    SECP384R1 = 24
    SECP521R1 = 25
    BRAINPOOLP256R1 = 26
    BRAINPOOLP384R1 = 27
    BRAINPOOLP512R1 = 28
    X25519 = 29
    X448 = 30
    BRAINPOOLP256R1TLS13 = 31
    BRAINPOOLP384R1TLS13 = 32
    BRAINPOOLP512R1TLS13 = 33
    GC256A = 34
    GC256B = 35
    GC256C = 36
    GC256D = 37
    GC512A = 38
    GC512B = 39
    GC512C = 40
    CURVESM2 = 41
    FFDHE2048 = 256
    FFDHE3072 = 257
    FFDHE4096 = 258
    FFDHE6144 = 259
    FFDHE8192 = 260
    MLKEM512 = 512
    MLKEM768 = 513
    MLKEM1024 = 514
    SECP256R1MLKEM768 = 4587
    X25519MLKEM768 = 4588
    SECP384R1MLKEM1024 = 4589
    CURVESM2MLKEM768 = 4590
    X25519KYBER768DRAFT00 = 0x6399
    SECP256R1KYBER768DRAFT00 = 0x639A
    ARBITRARY_EXPLICIT_PRIME_CURVES = 0xFF01
    ARBITRARY_EXPLICIT_CHAR2_CURVES = 0xFF02


class SignatureScheme(CodePoint, size=2):
    """RFC 8446 §4.2.3; the (hash, signature) pairs of RFC 5246 §7.4.1.4.1 in one number."""

    RSA_PKCS1_MD5 = 0x0101
    DSA_MD5 = 0x0102
    ECDSA_MD5 = 0x0103
    RSA_PKCS1_SHA1 = 0x0201
    DSA_SHA1 = 0x0202
    ECDSA_SHA1 = 0x0203
    RSA_PKCS1_SHA224 = 0x0301
    DSA_SHA224 = 0x0302
    ECDSA_SHA224 = 0x0303
    RSA_PKCS1_SHA256 = 0x0401
    DSA_SHA256 = 0x0402
    ECDSA_SECP256R1_SHA256 = 0x0403
    RSA_PKCS1_SHA256_LEGACY = 0x0420
    RSA_PKCS1_SHA384 = 0x0501
    DSA_SHA384 = 0x0502
    ECDSA_SECP384R1_SHA384 = 0x0503
    RSA_PKCS1_SHA384_LEGACY = 0x0520
    RSA_PKCS1_SHA512 = 0x0601
    DSA_SHA512 = 0x0602
    ECDSA_SECP521R1_SHA512 = 0x0603
    RSA_PKCS1_SHA512_LEGACY = 0x0620
    ECCSI_SHA256 = 0x0704
    ISO_IBS1 = 0x0705
    ISO_IBS2 = 0x0706
    ISO_CHINESE_IBS = 0x0707
    SM2SIG_SM3 = 0x0708
    GOSTR34102012_256A = 0x0709
    GOSTR34102012_256B = 0x070A
    GOSTR34102012_256C = 0x070B
    GOSTR34102012_256D = 0x070C
    GOSTR34102012_512A = 0x070D
    GOSTR34102012_512B = 0x070E
    GOSTR34102012_512C = 0x070F
    RSA_PSS_RSAE_SHA256 = 0x0804
    RSA_PSS_RSAE_SHA384 = 0x0805
    RSA_PSS_RSAE_SHA512 = 0x0806
    ED25519 = 0x0807
    ED448 = 0x0808
    RSA_PSS_PSS_SHA256 = 0x0809
    RSA_PSS_PSS_SHA384 = 0x080A
    RSA_PSS_PSS_SHA512 = 0x080B
    ECDSA_BRAINPOOLP256R1TLS13_SHA256 = 0x081A
    ECDSA_BRAINPOOLP384R1TLS13_SHA384 = 0x081B
    ECDSA_BRAINPOOLP512R1TLS13_SHA512 = 0x081C
    GOSTR34102012_256_INTRINSIC = 0x0840
    GOSTR34102012_512_INTRINSIC = 0x0841
    MLDSA44 = 0x0904
    MLDSA65 = 0x0905
    MLDSA87 = 0x0906
    SLHDSA_SHA2_128S = 0x0911
    SLHDSA_SHA2_128F = 0x0912
    SLHDSA_SHA2_192S = 0x0913
    SLHDSA_SHA2_192F = 0x0914
    SLHDSA_SHA2_256S = 0x0915
    SLHDSA_SHA2_256F = 0x0916
    SLHDSA_SHAKE_128S = 0x0917
    SLHDSA_SHAKE_128F = 0x0918
    SLHDSA_SHAKE_192S = 0x0919
    SLHDSA_SHAKE_192F = 0x091A
    SLHDSA_SHAKE_256S = 0x091B
    SLHDSA_SHAKE_256F = 0x091C
    GOSTR34102001_GOSTR3411 = 0xEDED
    GOSTR34102012_256_GOSTR34112012_256 = 0xEEEE
    GOSTR34102012_512_GOSTR34112012_512 = 0xEFEF


class CompressionMethod(CodePoint, size=1):
    """RFC 3749 §2, RFC 3943."""

    NULL = 0
    DEFLATE = 1
    LZS = 64


class PskKeyExchangeMode(CodePoint, size=1):
    """RFC 8446 §4.2.9."""

    PSK_KE = 0
    PSK_DHE_KE = 1

    @classmethod
    def _looks_like_grease(cls, value: int) -> bool:
        """RFC 8701 §2: 0x0B, 0x2A, 0x49, .. in steps of 0x1F."""
        return (value - 0x0B) % 0x1F == 0 and 0x0B <= value <= 0xE4


class ClientCertificateType(CodePoint, size=1):
    """What a CertificateRequest up to TLS 1.2 asks for (RFC 5246 §7.4.4, RFC 8422 §5.5, RFC 9189)."""

    RSA_SIGN = 1
    DSS_SIGN = 2
    RSA_FIXED_DH = 3
    DSS_FIXED_DH = 4
    RSA_EPHEMERAL_DH = 5
    DSS_EPHEMERAL_DH = 6
    FORTEZZA_DMS = 20
    GOST_SIGN01 = 22
    ECDSA_SIGN = 64
    RSA_FIXED_ECDH = 65
    ECDSA_FIXED_ECDH = 66
    GOST_SIGN256 = 67
    GOST_SIGN512 = 68


class ECPointFormat(CodePoint, size=1):
    """RFC 8422 §5.1.2."""

    UNCOMPRESSED = 0
    ANSIX962_COMPRESSED_PRIME = 1
    ANSIX962_COMPRESSED_CHAR2 = 2


class ECCurveType(CodePoint, size=1):
    """RFC 8422 §5.4."""

    EXPLICIT_PRIME = 1
    EXPLICIT_CHAR2 = 2
    NAMED_CURVE = 3


class ECBasisType(CodePoint, size=1):
    """RFC 4492 §5.4."""

    EC_BASIS_TRINOMIAL = 1
    EC_BASIS_PENTANOMIAL = 2


class CertificateCompressionAlgorithm(CodePoint, size=2):
    """RFC 8879 §7.3."""

    ZLIB = 1
    BROTLI = 2
    ZSTD = 3


class CertificateStatusType(CodePoint, size=1):
    """RFC 6066 §8, RFC 6961 §2.2."""

    OCSP = 1
    OCSP_MULTI = 2


class KeyUpdateRequest(CodePoint, size=1):
    """RFC 8446 §4.6.3."""

    UPDATE_NOT_REQUESTED = 0
    UPDATE_REQUESTED = 1


class NameType(CodePoint, size=1):
    """RFC 6066 §3."""

    HOST_NAME = 0


class CertificateType(CodePoint, size=1):
    """RFC 7250 §3, RFC 6091, RFC 8902."""

    X509 = 0
    OPENPGP = 1
    RAW_PUBLIC_KEY = 2
    IEEE_1609_DOT_2 = 3


class MaxFragmentLengthCode(CodePoint, size=1):
    """RFC 6066 §4: the largest plaintext of a record, 2^(8 + code) bytes."""

    TWO_TO_9 = 1
    TWO_TO_10 = 2
    TWO_TO_11 = 3
    TWO_TO_12 = 4


class HeartbeatMode(CodePoint, size=1):
    """RFC 6520 §2."""

    PEER_ALLOWED_TO_SEND = 1
    PEER_NOT_ALLOWED_TO_SEND = 2


class SrtpProtectionProfile(CodePoint, size=2):
    """RFC 5764 §4.1.2, RFC 7714 §14.2, RFC 8269 §9."""

    SRTP_AES128_CM_HMAC_SHA1_80 = 0x0001
    SRTP_AES128_CM_HMAC_SHA1_32 = 0x0002
    SRTP_NULL_HMAC_SHA1_80 = 0x0005
    SRTP_NULL_HMAC_SHA1_32 = 0x0006
    SRTP_AEAD_AES_128_GCM = 0x0007
    SRTP_AEAD_AES_256_GCM = 0x0008
    DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM = 0x0009
    DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM = 0x000A
    SRTP_ARIA_128_CTR_HMAC_SHA1_80 = 0x000B
    SRTP_ARIA_128_CTR_HMAC_SHA1_32 = 0x000C
    SRTP_ARIA_256_CTR_HMAC_SHA1_80 = 0x000D
    SRTP_ARIA_256_CTR_HMAC_SHA1_32 = 0x000E
    SRTP_AEAD_ARIA_128_GCM = 0x000F
    SRTP_AEAD_ARIA_256_GCM = 0x0010
