"""The hellos: what opens a handshake, in TLS and DTLS.

Strategy: one class serves all versions, as on the wire. The block of extensions is None when the peer left
it out altogether, as old clients do, and that is not the same as an empty block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from handglass.messages.extension import Extension, Place
from handglass.messages.message import Message
from handglass.registry.code_points import CipherSuite, CompressionMethod, HandshakeType, ProtocolVersion
from handglass.wire import fixed, opaque, optional, vector

HELLO_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""SHA-256 of "HelloRetryRequest": marks a ServerHello as a HelloRetryRequest (RFC 8446 §4.1.3)."""

DOWNGRADE_TLS12 = b"DOWNGRD\x01"
"""The end of a server's random that could do TLS 1.3 and was led to TLS 1.2 (RFC 8446 §4.1.3)."""

DOWNGRADE_TLS11 = b"DOWNGRD\x00"
"""The same for TLS 1.1 and below."""


class ClientHello(Message):
    """RFC 8446 §4.1.2, RFC 5246 §7.4.1.2. `random` is 32 bytes."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CLIENT_HELLO
    place: ClassVar[Place] = Place.CH

    legacy_version: ProtocolVersion
    random: Annotated[bytes, fixed(32)]
    legacy_session_id: Annotated[bytes, opaque(0, 32)]
    cipher_suites: Annotated[tuple[CipherSuite, ...], vector(2, 2**16 - 2)]
    legacy_compression_methods: Annotated[tuple[CompressionMethod, ...], vector(1, 2**8 - 1)]
    extensions: Annotated[tuple[Extension, ...] | None, optional(vector(0, 2**16 - 1))] = None


class DatagramClientHello(Message):
    """The ClientHello of DTLS, with the cookie of RFC 6347 §4.2.1 (empty in DTLS 1.3, RFC 9147 §5.3)."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CLIENT_HELLO
    place: ClassVar[Place] = Place.CH

    legacy_version: ProtocolVersion
    random: Annotated[bytes, fixed(32)]
    legacy_session_id: Annotated[bytes, opaque(0, 32)]
    legacy_cookie: Annotated[bytes, opaque(0, 2**8 - 1)]
    cipher_suites: Annotated[tuple[CipherSuite, ...], vector(2, 2**16 - 2)]
    legacy_compression_methods: Annotated[tuple[CompressionMethod, ...], vector(1, 2**8 - 1)]
    extensions: Annotated[tuple[Extension, ...] | None, optional(vector(0, 2**16 - 1))] = None


class ServerHello(Message):
    """RFC 8446 §4.1.3, RFC 5246 §7.4.1.3; a HelloRetryRequest too (RFC 8446 §4.1.4)."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_HELLO

    legacy_version: ProtocolVersion
    random: Annotated[bytes, fixed(32)]
    legacy_session_id_echo: Annotated[bytes, opaque(0, 32)]
    cipher_suite: CipherSuite
    legacy_compression_method: CompressionMethod = CompressionMethod.NULL
    extensions: Annotated[tuple[Extension, ...] | None, optional(vector(0, 2**16 - 1))] = None

    @property
    def is_retry(self) -> bool:
        """Whether this is a HelloRetryRequest."""
        return self.random == HELLO_RETRY_RANDOM

    @classmethod
    def walk_context(cls, values: Mapping[str, object]) -> Place:
        """Tell the two kinds apart by the random."""
        return Place.HRR if values.get("random") == HELLO_RETRY_RANDOM else Place.SH


class EncryptedExtensions(Message):
    """RFC 8446 §4.3.1."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.ENCRYPTED_EXTENSIONS
    place: ClassVar[Place] = Place.EE

    extensions: Annotated[tuple[Extension, ...], vector(0, 2**16 - 1)]


class HelloRequest(Message):
    """RFC 5246 §7.4.1.1: the server asks for renegotiation."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.HELLO_REQUEST


class HelloVerifyRequest(Message):
    """RFC 6347 §4.2.1: a DTLS server asks the client to show that it can receive."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.HELLO_VERIFY_REQUEST

    server_version: ProtocolVersion
    cookie: Annotated[bytes, opaque(0, 2**8 - 1)]
