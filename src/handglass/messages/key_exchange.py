"""The key exchange messages up to TLS 1.2.

Strategy: the suite says which class fits; nothing in the bytes does. The parameters are a struct of their
own, for it is their encoding that the server signs (RFC 5246 §7.4.3). Names that end in 10 are for SSL 3.0
to TLS 1.1, where a signature does not name its algorithm.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from handglass.messages.message import Message
from handglass.registry.code_points import ECCurveType, HandshakeType, NamedGroup, SignatureScheme
from handglass.wire import Struct, opaque


class ServerECDHParams(Struct):
    """RFC 8422 §5.4. With a `curve_type` other than NAMED_CURVE the bytes have another form."""

    curve_type: ECCurveType
    named_curve: NamedGroup
    public: Annotated[bytes, opaque(1, 2**8 - 1)]


class ServerDHParams(Struct):
    """RFC 5246 §7.4.3. Big-endian numbers."""

    dh_p: Annotated[bytes, opaque(1, 2**16 - 1)]
    dh_g: Annotated[bytes, opaque(1, 2**16 - 1)]
    dh_ys: Annotated[bytes, opaque(1, 2**16 - 1)]


class ServerKeyExchangeECDHE(Message):
    """RFC 8422 §5.4, signed."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_KEY_EXCHANGE

    params: ServerECDHParams
    algorithm: SignatureScheme
    signature: Annotated[bytes, opaque(0, 2**16 - 1)]


class ServerKeyExchangeDHE(Message):
    """RFC 5246 §7.4.3, signed."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_KEY_EXCHANGE

    params: ServerDHParams
    algorithm: SignatureScheme
    signature: Annotated[bytes, opaque(0, 2**16 - 1)]


class ServerKeyExchangeECDHE10(Message):
    """RFC 4492 §5.4, signed."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_KEY_EXCHANGE

    params: ServerECDHParams
    signature: Annotated[bytes, opaque(0, 2**16 - 1)]


class ServerKeyExchangeDHE10(Message):
    """RFC 4346 §7.4.3, signed."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_KEY_EXCHANGE

    params: ServerDHParams
    signature: Annotated[bytes, opaque(0, 2**16 - 1)]


class ServerKeyExchangeECDHAnon(Message):
    """RFC 8422 §5.4, not signed."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_KEY_EXCHANGE

    params: ServerECDHParams


class ServerKeyExchangeDHAnon(Message):
    """RFC 5246 §7.4.3, not signed."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_KEY_EXCHANGE

    params: ServerDHParams


class ServerHelloDone(Message):
    """RFC 5246 §7.4.5."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.SERVER_HELLO_DONE


class ClientKeyExchangeRSA(Message):
    """RFC 5246 §7.4.7.1."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CLIENT_KEY_EXCHANGE

    encrypted_pre_master_secret: Annotated[bytes, opaque(0, 2**16 - 1)]


class ClientKeyExchangeECDHE(Message):
    """RFC 8422 §5.7."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CLIENT_KEY_EXCHANGE

    ecdh_yc: Annotated[bytes, opaque(1, 2**8 - 1)]


class ClientKeyExchangeDHE(Message):
    """RFC 5246 §7.4.7.2."""

    handshake_type: ClassVar[HandshakeType] = HandshakeType.CLIENT_KEY_EXCHANGE

    dh_yc: Annotated[bytes, opaque(1, 2**16 - 1)]
