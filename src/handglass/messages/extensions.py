"""The bodies of the extensions, one declaration per form, and the table of which form stands where.

Strategy: where an extension looks different in different messages it has a class for each
(`KeyShareClientHello`, `KeyShareServerHello`, ..). `BODIES` says which class fits; what it does not name
stays bytes.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from handglass.messages.authentication import CertificateStatus
from handglass.messages.extension import Place
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    CertificateType,
    ECPointFormat,
    ExtensionType,
    HeartbeatMode,
    MaxFragmentLengthCode,
    NamedGroup,
    NameType,
    ProtocolVersion,
    PskKeyExchangeMode,
    SignatureScheme,
    SrtpProtectionProfile,
)
from handglass.wire import Struct, opaque, rest, select, uint8, uint16, uint32, vector

Bytes8 = Annotated[bytes, opaque(1, 2**8 - 1)]
Bytes16 = Annotated[bytes, opaque(1, 2**16 - 1)]


class Body(Struct):
    """The body of an extension."""

    extension_type: ClassVar[ExtensionType]


# Empty bodies: to be there is all that they say.


class ServerNameAcknowledged(Body):
    """RFC 6066 §3: the server used the name."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SERVER_NAME


class StatusRequestFlag(Body):
    """The server's: a status will follow (RFC 6066 §8), or is wanted from the client (RFC 8446 §4.4.2.1)."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.STATUS_REQUEST


class StatusRequestV2Flag(Body):
    """RFC 6961 §2.2: a status will follow."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.STATUS_REQUEST_V2


class SignedCertificateTimestampRequest(Body):
    """RFC 6962 §3.3.1: the client would like to have timestamps."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP


class EncryptThenMac(Body):
    """RFC 7366 §2."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.ENCRYPT_THEN_MAC


class ExtendedMasterSecret(Body):
    """RFC 7627 §5.1."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.EXTENDED_MASTER_SECRET


class EarlyData(Body):
    """RFC 8446 §4.2.10, in ClientHello and EncryptedExtensions."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.EARLY_DATA


class PostHandshakeAuth(Body):
    """RFC 8446 §4.2.6."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.POST_HANDSHAKE_AUTH


# What is negotiated about the connection.


class ServerName(Struct):
    """RFC 6066 §3. A host name is ASCII, without a dot at its end."""

    name_type: NameType
    host_name: Bytes16


class ServerNameList(Body):
    """RFC 6066 §3."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SERVER_NAME

    server_name_list: Annotated[tuple[ServerName, ...], vector(1, 2**16 - 1)]


class MaxFragmentLength(Body):
    """RFC 6066 §4."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.MAX_FRAGMENT_LENGTH

    max_fragment_length: MaxFragmentLengthCode


class RecordSizeLimit(Body):
    """RFC 8449 §4: bytes of plaintext in a record; in TLS 1.3 with content type and padding."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.RECORD_SIZE_LIMIT

    record_size_limit: uint16


class ProtocolNameList(Body):
    """RFC 7301 §3.1: ALPN. An answer holds exactly one."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.ALPN

    protocol_name_list: Annotated[tuple[Bytes8, ...], vector(2, 2**16 - 1)]


class ApplicationSettingsSupport(Body):
    """draft-vvv-tls-alps-01 §3: the protocols for which the client takes settings."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.APPLICATION_SETTINGS

    supported_protocols: Annotated[tuple[Bytes8, ...], vector(2, 2**16 - 1)]


class Heartbeat(Body):
    """RFC 6520 §2."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.HEARTBEAT

    mode: HeartbeatMode


class UseSrtp(Body):
    """RFC 5764 §4.1.1."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.USE_SRTP

    srtp_protection_profiles: Annotated[tuple[SrtpProtectionProfile, ...], vector(2, 2**16 - 1)]
    srtp_mki: Annotated[bytes, opaque(0, 2**8 - 1)]


class ConnectionId(Body):
    """RFC 9146 §3."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.CONNECTION_ID

    cid: Annotated[bytes, opaque(0, 2**8 - 1)]


class Padding(Body):
    """RFC 7685 §3: zeros."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.PADDING

    padding: Annotated[bytes, rest]


class RenegotiationInfo(Body):
    """RFC 5746 §3.2: the verify_data of the handshake before, or empty in the first."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.RENEGOTIATION_INFO

    renegotiated_connection: Annotated[bytes, opaque(0, 2**8 - 1)]


class Srp(Body):
    """RFC 5054 §2.8.1: the user's name."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SRP

    srp_i: Bytes8


# Versions and keys.


class SupportedVersionsClientHello(Body):
    """RFC 8446 §4.2.1, the best first."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SUPPORTED_VERSIONS

    versions: Annotated[tuple[ProtocolVersion, ...], vector(2, 254)]


class SupportedVersionsServerHello(Body):
    """RFC 8446 §4.2.1, in ServerHello and HelloRetryRequest."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SUPPORTED_VERSIONS

    selected_version: ProtocolVersion


class SupportedGroups(Body):
    """RFC 8446 §4.2.7, RFC 8422 §5.1.1, the best first."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SUPPORTED_GROUPS

    named_group_list: Annotated[tuple[NamedGroup, ...], vector(2, 2**16 - 1)]


class ECPointFormatList(Body):
    """RFC 8422 §5.1.2."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.EC_POINT_FORMATS

    ec_point_format_list: Annotated[tuple[ECPointFormat, ...], vector(1, 2**8 - 1)]


class KeyShareEntry(Struct):
    """RFC 8446 §4.2.8."""

    group: NamedGroup
    key_exchange: Bytes16


class KeyShareClientHello(Body):
    """RFC 8446 §4.2.8; empty to ask for a HelloRetryRequest."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.KEY_SHARE

    client_shares: Annotated[tuple[KeyShareEntry, ...], vector(0, 2**16 - 1)]


class KeyShareServerHello(Body):
    """RFC 8446 §4.2.8."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.KEY_SHARE

    server_share: KeyShareEntry


class KeyShareHelloRetryRequest(Body):
    """RFC 8446 §4.2.8."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.KEY_SHARE

    selected_group: NamedGroup


class Cookie(Body):
    """RFC 8446 §4.2.2."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.COOKIE

    cookie: Bytes16


# Sessions and pre-shared keys.


class SessionTicket(Body):
    """RFC 5077 §3.2: a ticket, or nothing to ask for one."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SESSION_TICKET

    ticket: Annotated[bytes, rest]


class PskKeyExchangeModes(Body):
    """RFC 8446 §4.2.9."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.PSK_KEY_EXCHANGE_MODES

    ke_modes: Annotated[tuple[PskKeyExchangeMode, ...], vector(1, 255)]


class PskIdentity(Struct):
    """RFC 8446 §4.2.11."""

    identity: Bytes16
    obfuscated_ticket_age: uint32


class PreSharedKeyClientHello(Body):
    """RFC 8446 §4.2.11. It is the last extension, and the binders are its last part."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.PRE_SHARED_KEY

    identities: Annotated[tuple[PskIdentity, ...], vector(7, 2**16 - 1)]
    binders: Annotated[tuple[Annotated[bytes, opaque(32, 255)], ...], vector(33, 2**16 - 1)]

    @property
    def binders_size(self) -> int:
        """How many bytes at the end of the ClientHello a binder does not cover (RFC 8446 §4.2.11.2)."""
        return 2 + sum(1 + len(binder) for binder in self.binders)


class PreSharedKeyServerHello(Body):
    """RFC 8446 §4.2.11: an index into the client's identities."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.PRE_SHARED_KEY

    selected_identity: uint16


class EarlyDataTicket(Body):
    """RFC 8446 §4.2.10, in NewSessionTicket: bytes of early data that the ticket allows."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.EARLY_DATA

    max_early_data_size: uint32


class TicketRequest(Body):
    """RFC 9149 §3, in ClientHello."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.TICKET_REQUEST

    new_session_count: uint8
    resumption_count: uint8


class TicketRequestAnswer(Body):
    """RFC 9149 §3, in EncryptedExtensions."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.TICKET_REQUEST

    expected_count: uint8


# Authentication.


class SignatureAlgorithms(Body):
    """RFC 8446 §4.2.3, the best first; the body of signature_algorithms_cert too."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SIGNATURE_ALGORITHMS

    supported_signature_algorithms: Annotated[tuple[SignatureScheme, ...], vector(2, 2**16 - 2)]


class DelegatedCredentialRequest(Body):
    """RFC 9345 §4.1.1."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.DELEGATED_CREDENTIAL

    supported_signature_algorithms: Annotated[tuple[SignatureScheme, ...], vector(2, 2**16 - 2)]


class OCSPStatusRequest(Struct):
    """RFC 6066 §8. DER responder ids and extensions."""

    responder_id_list: Annotated[tuple[Bytes16, ...], vector(0, 2**16 - 1)] = ()
    request_extensions: Annotated[bytes, opaque(0, 2**16 - 1)] = b""


class StatusRequest(Body):
    """RFC 6066 §8."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.STATUS_REQUEST

    status_type: CertificateStatusType
    request: Annotated[
        OCSPStatusRequest | bytes, select("status_type", {CertificateStatusType.OCSP: OCSPStatusRequest})
    ]


class StatusRequestItem(Struct):
    """RFC 6961 §2.2."""

    status_type: CertificateStatusType
    request: Annotated[bytes, opaque(0, 2**16 - 1)]


class StatusRequestV2(Body):
    """RFC 6961 §2.2."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.STATUS_REQUEST_V2

    certificate_status_req_list: Annotated[tuple[StatusRequestItem, ...], vector(1, 2**16 - 1)]


class SignedCertificateTimestampList(Body):
    """RFC 6962 §3.3."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP

    sct_list: Annotated[tuple[Bytes16, ...], vector(1, 2**16 - 1)]


class CompressCertificateAlgorithms(Body):
    """RFC 8879 §3."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.COMPRESS_CERTIFICATE

    algorithms: Annotated[tuple[CertificateCompressionAlgorithm, ...], vector(2, 2**8 - 2)]


class CertificateAuthorities(Body):
    """RFC 8446 §4.2.4: DER distinguished names."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.CERTIFICATE_AUTHORITIES

    authorities: Annotated[tuple[Bytes16, ...], vector(3, 2**16 - 1)]


class OIDFilter(Struct):
    """RFC 8446 §4.2.5. Both in DER."""

    certificate_extension_oid: Bytes8
    certificate_extension_values: Annotated[bytes, opaque(0, 2**16 - 1)]


class OidFilters(Body):
    """RFC 8446 §4.2.5."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.OID_FILTERS

    filters: Annotated[tuple[OIDFilter, ...], vector(0, 2**16 - 1)]


class CertificateTypeOffer(Body):
    """RFC 7250 §3, of client_certificate_type and server_certificate_type, in ClientHello."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SERVER_CERTIFICATE_TYPE

    certificate_types: Annotated[tuple[CertificateType, ...], vector(1, 2**8 - 1)]


class CertificateTypeAnswer(Body):
    """RFC 7250 §3, of client_certificate_type and server_certificate_type, in the server's answer."""

    extension_type: ClassVar[ExtensionType] = ExtensionType.SERVER_CERTIFICATE_TYPE

    certificate_type: CertificateType


_CH, _SH, _HRR, _EE, _CT, _CR, _NST, _SH12 = Place
_SERVER = (_EE, _SH12)
_X = ExtensionType

_FORMS: tuple[tuple[ExtensionType, tuple[Place, ...], type[Struct]], ...] = (
    (_X.SERVER_NAME, (_CH,), ServerNameList),
    (_X.SERVER_NAME, _SERVER, ServerNameAcknowledged),
    (_X.MAX_FRAGMENT_LENGTH, (_CH, *_SERVER), MaxFragmentLength),
    (_X.STATUS_REQUEST, (_CH,), StatusRequest),
    (_X.STATUS_REQUEST, (_CT,), CertificateStatus),
    (_X.STATUS_REQUEST, (_CR, _SH12), StatusRequestFlag),
    (_X.STATUS_REQUEST_V2, (_CH,), StatusRequestV2),
    (_X.STATUS_REQUEST_V2, (_SH12,), StatusRequestV2Flag),
    (_X.SUPPORTED_GROUPS, (_CH, *_SERVER), SupportedGroups),
    (_X.EC_POINT_FORMATS, (_CH, _SH12), ECPointFormatList),
    (_X.SRP, (_CH,), Srp),
    (_X.SIGNATURE_ALGORITHMS, (_CH, _CR), SignatureAlgorithms),
    (_X.SIGNATURE_ALGORITHMS_CERT, (_CH, _CR), SignatureAlgorithms),
    (_X.USE_SRTP, (_CH, *_SERVER), UseSrtp),
    (_X.HEARTBEAT, (_CH, *_SERVER), Heartbeat),
    (_X.ALPN, (_CH, *_SERVER), ProtocolNameList),
    (_X.APPLICATION_SETTINGS, (_CH,), ApplicationSettingsSupport),
    (_X.APPLICATION_SETTINGS_OLD, (_CH,), ApplicationSettingsSupport),
    (_X.SIGNED_CERTIFICATE_TIMESTAMP, (_CH, _CR), SignedCertificateTimestampRequest),
    (_X.SIGNED_CERTIFICATE_TIMESTAMP, (_CT, _SH12), SignedCertificateTimestampList),
    (_X.CLIENT_CERTIFICATE_TYPE, (_CH,), CertificateTypeOffer),
    (_X.CLIENT_CERTIFICATE_TYPE, _SERVER, CertificateTypeAnswer),
    (_X.SERVER_CERTIFICATE_TYPE, (_CH,), CertificateTypeOffer),
    (_X.SERVER_CERTIFICATE_TYPE, _SERVER, CertificateTypeAnswer),
    (_X.PADDING, (_CH,), Padding),
    (_X.ENCRYPT_THEN_MAC, (_CH, _SH12), EncryptThenMac),
    (_X.EXTENDED_MASTER_SECRET, (_CH, _SH12), ExtendedMasterSecret),
    (_X.COMPRESS_CERTIFICATE, (_CH, _CR), CompressCertificateAlgorithms),
    (_X.RECORD_SIZE_LIMIT, (_CH, *_SERVER), RecordSizeLimit),
    (_X.DELEGATED_CREDENTIAL, (_CH, _CR), DelegatedCredentialRequest),
    (_X.SESSION_TICKET, (_CH, _SH12), SessionTicket),
    (_X.PRE_SHARED_KEY, (_CH,), PreSharedKeyClientHello),
    (_X.PRE_SHARED_KEY, (_SH,), PreSharedKeyServerHello),
    (_X.EARLY_DATA, (_CH, _EE), EarlyData),
    (_X.EARLY_DATA, (_NST,), EarlyDataTicket),
    (_X.SUPPORTED_VERSIONS, (_CH,), SupportedVersionsClientHello),
    (_X.SUPPORTED_VERSIONS, (_SH, _HRR), SupportedVersionsServerHello),
    (_X.COOKIE, (_CH, _HRR), Cookie),
    (_X.PSK_KEY_EXCHANGE_MODES, (_CH,), PskKeyExchangeModes),
    (_X.CERTIFICATE_AUTHORITIES, (_CH, _CR), CertificateAuthorities),
    (_X.OID_FILTERS, (_CR,), OidFilters),
    (_X.POST_HANDSHAKE_AUTH, (_CH,), PostHandshakeAuth),
    (_X.KEY_SHARE, (_CH,), KeyShareClientHello),
    (_X.KEY_SHARE, (_SH,), KeyShareServerHello),
    (_X.KEY_SHARE, (_HRR,), KeyShareHelloRetryRequest),
    (_X.CONNECTION_ID, (_CH, _SH, _SH12), ConnectionId),
    (_X.TICKET_REQUEST, (_CH,), TicketRequest),
    (_X.TICKET_REQUEST, (_EE,), TicketRequestAnswer),
    (_X.RENEGOTIATION_INFO, (_CH, _SH12), RenegotiationInfo),
)

BODIES: dict[tuple[Place, int], type[Struct]] = {
    (place, int(extension)): body for extension, places, body in _FORMS for place in places
}


def body_of(place: Place, extension: int) -> type[Struct] | None:
    """Return the declaration of an extension's body in a message; None where we do not know its form.

    A ServerHello (`Place.SH`) is looked up as one of TLS 1.3 first, and then as one of an earlier version.
    """
    body = BODIES.get((place, extension))
    if body is None and place is Place.SH:
        body = BODIES.get((Place.SH12, extension))
    return body
