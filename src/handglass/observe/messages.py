"""-msg: every protocol message in hexadecimal, under a title line, in OpenSSL's layout."""

from __future__ import annotations

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.observe.hexdump import plain
from handglass.observe.text import Text
from handglass.registry.code_points import (
    AlertDescription,
    AlertLevel,
    ContentType,
    HandshakeType,
    ProtocolVersion,
)

VERSIONS = {
    ProtocolVersion.SSL3: "SSL 3.0",
    ProtocolVersion.TLS1_0: "TLS 1.0",
    ProtocolVersion.TLS1_1: "TLS 1.1",
    ProtocolVersion.TLS1_2: "TLS 1.2",
    ProtocolVersion.TLS1_3: "TLS 1.3",
}

HEARTBEATS = {b"\1": "HeartbeatRequest", b"\2": "HeartbeatResponse"}

TITLES = {
    HandshakeType.HELLO_REQUEST: "HelloRequest",
    HandshakeType.CLIENT_HELLO: "ClientHello",
    HandshakeType.SERVER_HELLO: "ServerHello",
    HandshakeType.NEW_SESSION_TICKET: "NewSessionTicket",
    HandshakeType.END_OF_EARLY_DATA: "EndOfEarlyData",
    HandshakeType.ENCRYPTED_EXTENSIONS: "EncryptedExtensions",
    HandshakeType.CERTIFICATE: "Certificate",
    HandshakeType.SERVER_KEY_EXCHANGE: "ServerKeyExchange",
    HandshakeType.CERTIFICATE_REQUEST: "CertificateRequest",
    HandshakeType.SERVER_HELLO_DONE: "ServerHelloDone",
    HandshakeType.CERTIFICATE_VERIFY: "CertificateVerify",
    HandshakeType.CLIENT_KEY_EXCHANGE: "ClientKeyExchange",
    HandshakeType.FINISHED: "Finished",
    HandshakeType.CERTIFICATE_STATUS: "CertificateStatus",
    HandshakeType.COMPRESSED_CERTIFICATE: "CompressedCertificate",
    HandshakeType.KEY_UPDATE: "KeyUpdate",
}


class MessageDump(Observer):
    """Writes to `out` (text) as things happen. `highest` is the version to name until one is settled.

    A record comes before what is in it, as OpenSSL's programs show it. What we send is known before its record is, so
    it waits for that.
    """

    def __init__(self, out: Text, highest: ProtocolVersion) -> None:
        self._out = out
        self._version = highest
        self._waiting: list[tuple[ContentType, str]] = []

    def version(self, version: int) -> None:
        """Name this version from now on."""
        self._version = ProtocolVersion(version)

    def record(self, direction: Direction, header: bytes, epoch: int) -> None:  # noqa: ARG002 - not shown
        """A record header, under the version that stands in it."""
        version = ProtocolVersion(header[1] << 8 | header[2])
        self._write(_block(direction, f"{_name(version)}, RecordHeader", header))
        if direction is Direction.WRITE:
            self._release(ContentType(header[0]))

    def inner_content_type(self, direction: Direction, content_type: ContentType) -> None:
        """The content type that was inside a protected record."""
        self._write(_block(direction, f"{_name(self._version)}, InnerContent", bytes((content_type,))))
        if direction is Direction.WRITE:
            self._release(content_type)

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        """A handshake message by its name."""
        kind = HandshakeType(raw[0])
        title = TITLES.get(kind, f"??? ({int(kind)})")
        block = _block(direction, f"{_name(self._version)}, Handshake", raw, f", {title}")
        self._take(direction, ContentType.HANDSHAKE, block)

    def change_cipher_spec(self, direction: Direction, raw: bytes) -> None:
        """A ChangeCipherSpec."""
        block = _block(direction, f"{_name(self._version)}, ChangeCipherSpec", raw)
        self._take(direction, ContentType.CHANGE_CIPHER_SPEC, block)

    def heartbeat(self, direction: Direction, raw: bytes) -> None:
        """A heartbeat, as OpenSSL 1.0.1 named it."""
        kind = HEARTBEATS.get(raw[:1], "???")
        block = _block(direction, f"{_name(self._version)}, Heartbeat", raw, f", {kind}")
        self._take(direction, ContentType.HEARTBEAT, block)

    def alert(self, direction: Direction, level: AlertLevel, description: AlertDescription) -> None:
        """An alert by its name."""
        words = f", {level.name.lower()} {description.name.lower()}"
        data = bytes((level, description))
        self._take(
            direction, ContentType.ALERT, _block(direction, f"{_name(self._version)}, Alert", data, words)
        )

    def _take(self, direction: Direction, content_type: ContentType, block: str) -> None:
        if direction is Direction.WRITE:
            self._waiting.append((content_type, block))
        else:
            self._write(block)

    def _release(self, content_type: ContentType) -> None:
        """Show what a record of this type that is sent now may hold: several messages, or one of the others."""
        waiting = self._waiting
        while waiting and waiting[0][0] == content_type:
            self._write(waiting.pop(0)[1])
            if content_type != ContentType.HANDSHAKE:
                break

    def _write(self, block: str) -> None:
        self._out.write(block)
        self._out.flush()


def _block(direction: Direction, title: str, data: bytes, words: str = "") -> str:
    arrow = "<<<" if direction is Direction.READ else ">>>"
    return f"{arrow} {title} [length {len(data):04x}]{words}\n{plain(data)}"


def _name(version: ProtocolVersion) -> str:
    return VERSIONS.get(version, f"0x{int(version):04x}")
