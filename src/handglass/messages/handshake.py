"""All handshake messages under one roof, and which class a type means in which version."""

from __future__ import annotations

from handglass.messages.authentication import (
    Certificate12,
    Certificate13,
    CertificateEntry,
    CertificateRequest10,
    CertificateRequest12,
    CertificateRequest13,
    CertificateStatus,
    CertificateVerify,
    CertificateVerify10,
    CompressedCertificate,
    Finished,
    OCSPResponse,
    OCSPResponseList,
    RawPublicKeyCertificate12,
)
from handglass.messages.extension import Extension, Place, by_type, duplicates, find
from handglass.messages.hello import (
    DOWNGRADE_TLS11,
    DOWNGRADE_TLS12,
    HELLO_RETRY_RANDOM,
    ClientHello,
    DatagramClientHello,
    EncryptedExtensions,
    HelloRequest,
    HelloVerifyRequest,
    ServerHello,
)
from handglass.messages.key_exchange import (
    ClientKeyExchangeDHE,
    ClientKeyExchangeECDHE,
    ClientKeyExchangeRSA,
    ServerDHParams,
    ServerECDHParams,
    ServerHelloDone,
    ServerKeyExchangeDHAnon,
    ServerKeyExchangeDHE,
    ServerKeyExchangeDHE10,
    ServerKeyExchangeECDHAnon,
    ServerKeyExchangeECDHE,
    ServerKeyExchangeECDHE10,
)
from handglass.messages.message import HEADER_SIZE, Message, frame, frame_body
from handglass.messages.session import (
    EndOfEarlyData,
    KeyUpdate,
    MessageHash,
    NewSessionTicket12,
    NewSessionTicket13,
    NextProtocol,
)
from handglass.registry.code_points import HandshakeType

__all__ = [
    "DOWNGRADE_TLS11",
    "DOWNGRADE_TLS12",
    "HEADER_SIZE",
    "HELLO_RETRY_RANDOM",
    "TLS12_MESSAGES",
    "TLS13_MESSAGES",
    "Certificate12",
    "Certificate13",
    "CertificateEntry",
    "CertificateRequest10",
    "CertificateRequest12",
    "CertificateRequest13",
    "CertificateStatus",
    "CertificateVerify",
    "CertificateVerify10",
    "ClientHello",
    "ClientKeyExchangeDHE",
    "ClientKeyExchangeECDHE",
    "ClientKeyExchangeRSA",
    "CompressedCertificate",
    "DatagramClientHello",
    "EncryptedExtensions",
    "EndOfEarlyData",
    "Extension",
    "Finished",
    "HelloRequest",
    "HelloVerifyRequest",
    "KeyUpdate",
    "Message",
    "MessageHash",
    "NewSessionTicket12",
    "NewSessionTicket13",
    "NextProtocol",
    "OCSPResponse",
    "OCSPResponseList",
    "Place",
    "RawPublicKeyCertificate12",
    "ServerDHParams",
    "ServerECDHParams",
    "ServerHello",
    "ServerHelloDone",
    "ServerKeyExchangeDHAnon",
    "ServerKeyExchangeDHE",
    "ServerKeyExchangeDHE10",
    "ServerKeyExchangeECDHAnon",
    "ServerKeyExchangeECDHE",
    "ServerKeyExchangeECDHE10",
    "by_type",
    "duplicates",
    "find",
    "frame",
    "frame_body",
]

TLS13_MESSAGES: dict[HandshakeType, type[Message]] = {
    message.handshake_type: message
    for message in (
        ClientHello,
        ServerHello,
        NewSessionTicket13,
        EndOfEarlyData,
        EncryptedExtensions,
        Certificate13,
        CertificateRequest13,
        CertificateVerify,
        Finished,
        KeyUpdate,
        CompressedCertificate,
        MessageHash,
    )
}
"""What each type means in TLS 1.3."""

TLS12_MESSAGES: dict[HandshakeType, type[Message]] = {
    message.handshake_type: message
    for message in (
        HelloRequest,
        ClientHello,
        ServerHello,
        HelloVerifyRequest,
        NewSessionTicket12,
        Certificate12,
        CertificateRequest12,
        ServerHelloDone,
        CertificateVerify,
        Finished,
        CertificateStatus,
        NextProtocol,
    )
}
"""What each type means in TLS 1.2; the two key exchange messages depend on the suite (see `key_exchange`)."""
