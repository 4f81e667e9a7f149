"""Certificates, the requests for them, and the proofs that go with them.

Names that end in 13 or 12 are for TLS 1.3 or TLS 1.2; those that end in 10 are for SSL 3.0 to TLS 1.1.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from handglass.messages.extension import Extension, Place
from handglass.messages.message import Message
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    ClientCertificateType,
    HandshakeType,
    SignatureScheme,
)
from handglass.wire import Struct, opaque, rest, select, uint24, vector


class CertificateEntry(Struct):
    """RFC 8446 §4.4.2. `cert_data` is a DER certificate, or a SubjectPublicKeyInfo (RFC 7250)."""

    cert_data: Annotated[bytes, opaque(1, 2**24 - 1)]
    extensions: Annotated[tuple[Extension, ...], vector(0, 2**16 - 1)] = ()


class Certificate13(Message):
    """RFC 8446 §4.4.2. The sender's own certificate comes first."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE
    place: ClassVar[Place] = Place.CT

    certificate_request_context: Annotated[bytes, opaque(0, 2**8 - 1)]
    certificate_list: Annotated[tuple[CertificateEntry, ...], vector(0, 2**24 - 1)]


class Certificate12(Message):
    """RFC 5246 §7.4.2. DER certificates, the sender's own first."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE

    certificate_list: Annotated[tuple[Annotated[bytes, opaque(1, 2**24 - 1)], ...], vector(0, 2**24 - 1)]


class RawPublicKeyCertificate12(Message):
    """RFC 7250 §3: a SubjectPublicKeyInfo in the place of a certificate list, in TLS 1.2.

    It is empty where a client has none to show; the RFC forgot that (RFC 5246 §7.4.6), programs do it so.
    """

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE

    subject_public_key_info: Annotated[bytes, opaque(0, 2**24 - 1)]


class CompressedCertificate(Message):
    """RFC 8879 §4."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.COMPRESSED_CERTIFICATE

    algorithm: CertificateCompressionAlgorithm
    uncompressed_length: uint24
    compressed_certificate_message: Annotated[bytes, opaque(1, 2**24 - 1)]


class CertificateRequest13(Message):
    """RFC 8446 §4.3.2."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_REQUEST
    place: ClassVar[Place] = Place.CR

    certificate_request_context: Annotated[bytes, opaque(0, 2**8 - 1)]
    extensions: Annotated[tuple[Extension, ...], vector(2, 2**16 - 1)]


class CertificateRequest12(Message):
    """RFC 5246 §7.4.4. Each of `certificate_authorities` is a DER distinguished name."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_REQUEST

    certificate_types: Annotated[tuple[ClientCertificateType, ...], vector(1, 2**8 - 1)]
    supported_signature_algorithms: Annotated[tuple[SignatureScheme, ...], vector(2, 2**16 - 2)]
    certificate_authorities: Annotated[
        tuple[Annotated[bytes, opaque(1, 2**16 - 1)], ...], vector(0, 2**16 - 1)
    ] = ()


class CertificateRequest10(Message):
    """RFC 4346 §7.4.4."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_REQUEST

    certificate_types: Annotated[tuple[ClientCertificateType, ...], vector(1, 2**8 - 1)]
    certificate_authorities: Annotated[
        tuple[Annotated[bytes, opaque(1, 2**16 - 1)], ...], vector(0, 2**16 - 1)
    ] = ()


class CertificateVerify(Message):
    """RFC 8446 §4.4.3, RFC 5246 §7.4.8."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_VERIFY

    algorithm: SignatureScheme
    signature: Annotated[bytes, opaque(0, 2**16 - 1)]


class CertificateVerify10(Message):
    """RFC 4346 §7.4.8: the key decides how the signature is made."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_VERIFY

    signature: Annotated[bytes, opaque(0, 2**16 - 1)]


class OCSPResponse(Struct):
    """RFC 6066 §8. One response in DER."""

    ocsp_response: Annotated[bytes, opaque(1, 2**24 - 1)]


class OCSPResponseList(Struct):
    """RFC 6961 §2.2. A response in DER for each certificate, the sender's own first; empty where there is none."""

    ocsp_response_list: Annotated[tuple[Annotated[bytes, opaque(0, 2**24 - 1)], ...], vector(1, 2**24 - 1)]


class CertificateStatus(Message):
    """RFC 6066 §8, RFC 6961 §2.2; in TLS 1.3 the body of status_request in a CertificateEntry (RFC 8446 §4.4.2.1)."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_STATUS

    status_type: CertificateStatusType
    response: Annotated[
        OCSPResponse | OCSPResponseList | bytes,
        select(
            "status_type",
            {CertificateStatusType.OCSP: OCSPResponse, CertificateStatusType.OCSP_MULTI: OCSPResponseList},
        ),
    ]

    @property
    def responses(self) -> tuple[bytes | None, ...]:
        """The responses in DER for the sender's certificates, its own first; None where there is none."""
        if isinstance(self.response, OCSPResponse):
            return (self.response.ocsp_response,)
        if isinstance(self.response, OCSPResponseList):
            return tuple(response or None for response in self.response.ocsp_response_list)
        return (None,)


class Finished(Message):
    """RFC 8446 §4.4.4, RFC 5246 §7.4.9: as long as the hash in TLS 1.3, 12 bytes before, 36 in SSL 3.0."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.FINISHED

    verify_data: Annotated[bytes, rest]
