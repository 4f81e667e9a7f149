"""-tlsextdebug: each extension that the peer sends, in hexadecimal, in OpenSSL's layout."""

from __future__ import annotations

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.messages.handshake import (
    HEADER_SIZE,
    TLS12_MESSAGES,
    TLS13_MESSAGES,
    Certificate13,
    Extension,
    Message,
)
from handglass.observe.hexdump import dump
from handglass.observe.text import Text
from handglass.registry.code_points import ExtensionType, HandshakeType, ProtocolVersion
from handglass.wire import DecodeError

NAMES = {
    ExtensionType.CLIENT_CERTIFICATE_URL: "client certificate URL",
    ExtensionType.TRUSTED_CA_KEYS: "trusted CA keys",
    ExtensionType.TRUNCATED_HMAC: "truncated HMAC",
    ExtensionType.SUPPORTED_GROUPS: "supported_groups",
    ExtensionType.EC_POINT_FORMATS: "EC point formats",
    ExtensionType.SRP: "SRP",
    ExtensionType.USE_SRTP: "use SRTP",
    ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP: "signed certificate timestamps",
    ExtensionType.PADDING: "TLS padding",
    ExtensionType.NEXT_PROTOCOL_NEGOTIATION: "next protocol",
    ExtensionType.ENCRYPT_THEN_MAC: "encrypt-then-mac",
    ExtensionType.PRE_SHARED_KEY: "psk",
    ExtensionType.PSK_KEY_EXCHANGE_MODES: "psk kex modes",
    ExtensionType.POST_HANDSHAKE_AUTH: "post handshake auth",
}
"""What OpenSSL's programs call an extension, where that is not IANA's name with blanks."""


class ExtensionDump(Observer):
    """Writes the extensions of every message that comes. `sender` is the peer: "client" or "server".

    Unlike OpenSSL's programs it also shows those that it does not know.
    """

    def __init__(self, out: Text, sender: str) -> None:
        self._out = out
        self._sender = sender
        self._tls13 = False

    def version(self, version: int) -> None:
        """Remember what a message type means."""
        self._tls13 = version == ProtocolVersion.TLS1_3

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        """Show what a message brings, if it came and can be read."""
        if direction is Direction.WRITE:
            return
        for extension in _extensions(raw, TLS13_MESSAGES if self._tls13 else TLS12_MESSAGES):
            title = f'"{_name(extension.type)}" (id={int(extension.type)}), len={len(extension.data)}'
            self._out.write(f"TLS {self._sender} extension {title}\n{dump(extension.data)}")
        self._out.flush()


def _extensions(raw: bytes, messages: dict[HandshakeType, type[Message]]) -> tuple[Extension, ...]:
    kind = messages.get(HandshakeType(raw[0]))
    if kind is None:
        return ()
    try:
        message = kind.decode(raw[HEADER_SIZE:])
    except DecodeError:
        return ()
    if isinstance(message, Certificate13):
        return tuple(extension for entry in message.certificate_list for extension in entry.extensions)
    found: tuple[Extension, ...] | None = getattr(message, "extensions", None)
    return found or ()


def _name(extension: ExtensionType) -> str:
    if not extension.is_known:
        return "unknown"
    return NAMES.get(extension) or extension.name.lower().replace("_", " ")
