"""What a watcher of a connection is told while it happens.

Observation costs one `is not None` where nobody observes. The methods here do nothing: an observer overrides what it
wants to see. Bytes that come in are shown before they are judged, so a broken message is seen too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.keys.labels import SecretLabel
from handglass.registry.code_points import AlertDescription, AlertLevel, ContentType
from handglass.registry.errors import TLSError

if TYPE_CHECKING:
    from handglass.handshake.wants import Direction


class Observer:
    """The base of all observers. `direction` is READ for what the peer sent and WRITE for what we send."""

    def wire(self, direction: Direction, data: bytes) -> None:
        """Bytes as they come from the transport, b"" at its end, or as they are handed out to go there."""

    def record(self, direction: Direction, header: bytes, epoch: int) -> None:
        """A record header as it stands on the wire (RFC 8446 §5.1)."""

    def inner_content_type(self, direction: Direction, content_type: ContentType) -> None:
        """The content type inside a protected TLS 1.3 record (RFC 8446 §5.2)."""

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        """A whole handshake message, header included."""

    def change_cipher_spec(self, direction: Direction, raw: bytes) -> None:
        """The body of a ChangeCipherSpec record."""

    def heartbeat(self, direction: Direction, raw: bytes) -> None:
        """A heartbeat message (RFC 6520)."""

    def alert(self, direction: Direction, level: AlertLevel, description: AlertDescription) -> None:
        """An alert."""

    def version(self, version: int) -> None:
        """The protocol version is settled (or settled provisionally, for what is sent before it is known)."""

    def state(self, name: str) -> None:
        """The conversation has got what it waited for under this name."""

    def secret(self, label: SecretLabel, client_random: bytes, secret: bytes) -> None:
        """A secret that a key log may hold."""

    def failed(self, error: TLSError) -> None:
        """The connection failed."""
