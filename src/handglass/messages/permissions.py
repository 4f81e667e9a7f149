"""Which extension may stand in which message: the table of RFC 8446 §4.2, with IANA's column "TLS 1.3" since.

SH12, a ServerHello up to TLS 1.2, is filled in from the RFC of each extension.
"""

from __future__ import annotations

from handglass.messages.extension import Place
from handglass.registry.code_points import ExtensionType as X

_CH, _SH, _HRR, _EE, _CT, _CR, _NST, _SH12 = Place

PERMITTED: dict[int, frozenset[Place]] = {
    X.SERVER_NAME: frozenset({_CH, _EE, _SH12}),
    X.MAX_FRAGMENT_LENGTH: frozenset({_CH, _EE, _SH12}),
    X.CLIENT_CERTIFICATE_URL: frozenset({_CH, _SH12}),
    X.TRUSTED_CA_KEYS: frozenset({_CH, _SH12}),
    X.TRUNCATED_HMAC: frozenset({_CH, _SH12}),
    X.STATUS_REQUEST: frozenset({_CH, _CR, _CT, _SH12}),
    X.USER_MAPPING: frozenset({_CH, _SH12}),
    X.CLIENT_AUTHZ: frozenset({_CH, _SH12}),
    X.SERVER_AUTHZ: frozenset({_CH, _SH12}),
    X.CERT_TYPE: frozenset({_CH, _SH12}),
    X.SUPPORTED_GROUPS: frozenset({_CH, _EE}),
    X.EC_POINT_FORMATS: frozenset({_CH, _SH12}),
    X.SRP: frozenset({_CH}),
    X.SIGNATURE_ALGORITHMS: frozenset({_CH, _CR}),
    X.USE_SRTP: frozenset({_CH, _EE, _SH12}),
    X.HEARTBEAT: frozenset({_CH, _EE, _SH12}),
    X.APPLICATION_LAYER_PROTOCOL_NEGOTIATION: frozenset({_CH, _EE, _SH12}),
    X.STATUS_REQUEST_V2: frozenset({_CH, _SH12}),
    X.SIGNED_CERTIFICATE_TIMESTAMP: frozenset({_CH, _CR, _CT, _SH12}),
    X.CLIENT_CERTIFICATE_TYPE: frozenset({_CH, _EE, _SH12}),
    X.SERVER_CERTIFICATE_TYPE: frozenset({_CH, _EE, _SH12}),
    X.PADDING: frozenset({_CH}),
    X.ENCRYPT_THEN_MAC: frozenset({_CH, _SH12}),
    X.EXTENDED_MASTER_SECRET: frozenset({_CH, _SH12}),
    X.TOKEN_BINDING: frozenset({_CH, _SH12}),
    X.CACHED_INFO: frozenset({_CH, _EE, _SH12}),
    X.TLS_LTS: frozenset({_CH, _SH12}),
    X.COMPRESS_CERTIFICATE: frozenset({_CH, _CR}),
    X.RECORD_SIZE_LIMIT: frozenset({_CH, _EE, _SH12}),
    X.PWD_PROTECT: frozenset({_CH}),
    X.PWD_CLEAR: frozenset({_CH}),
    X.PASSWORD_SALT: frozenset({_CH, _SH, _HRR}),
    X.TICKET_PINNING: frozenset({_CH, _EE}),
    X.TLS_CERT_WITH_EXTERN_PSK: frozenset({_CH, _SH}),
    X.DELEGATED_CREDENTIAL: frozenset({_CH, _CR, _CT}),
    X.SESSION_TICKET: frozenset({_CH, _SH12}),
    X.SUPPORTED_EKT_CIPHERS: frozenset({_CH, _EE}),
    X.PRE_SHARED_KEY: frozenset({_CH, _SH}),
    X.EARLY_DATA: frozenset({_CH, _EE, _NST}),
    X.SUPPORTED_VERSIONS: frozenset({_CH, _SH, _HRR}),
    X.COOKIE: frozenset({_CH, _HRR}),
    X.PSK_KEY_EXCHANGE_MODES: frozenset({_CH}),
    X.CERTIFICATE_AUTHORITIES: frozenset({_CH, _CR}),
    X.OID_FILTERS: frozenset({_CR}),
    X.POST_HANDSHAKE_AUTH: frozenset({_CH}),
    X.SIGNATURE_ALGORITHMS_CERT: frozenset({_CH, _CR}),
    X.KEY_SHARE: frozenset({_CH, _SH, _HRR}),
    X.TRANSPARENCY_INFO: frozenset({_CH, _CR, _CT}),
    X.CONNECTION_ID: frozenset({_CH, _SH, _SH12}),
    X.EXTERNAL_ID_HASH: frozenset({_CH, _EE}),
    X.EXTERNAL_SESSION_ID: frozenset({_CH, _EE}),
    X.QUIC_TRANSPORT_PARAMETERS: frozenset({_CH, _EE}),
    X.TICKET_REQUEST: frozenset({_CH, _EE}),
    X.DNSSEC_CHAIN: frozenset({_CH, _CT}),
    X.RRC: frozenset({_CH, _SH, _SH12}),
    X.NEXT_PROTOCOL_NEGOTIATION: frozenset({_CH, _SH12}),
    X.APPLICATION_SETTINGS: frozenset({_CH, _EE}),
    X.APPLICATION_SETTINGS_OLD: frozenset({_CH, _EE}),
    X.CHANNEL_ID: frozenset({_CH, _EE, _SH12}),
    X.ECH_OUTER_EXTENSIONS: frozenset({_CH}),
    X.ENCRYPTED_CLIENT_HELLO: frozenset({_CH, _HRR, _EE}),
    X.RENEGOTIATION_INFO: frozenset({_CH, _SH12}),
    X.QUIC_TRANSPORT_PARAMETERS_DRAFT: frozenset({_CH, _EE}),
}


def permitted(extension: int, place: Place) -> bool:
    """Tell whether the extension may stand there; one that we do not know may stand anywhere."""
    places = PERMITTED.get(extension)
    return places is None or place in places
