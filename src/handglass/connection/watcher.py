"""Passes what the channel sees on to an observer, in the words of the registry."""

from __future__ import annotations

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.registry.code_points import AlertDescription, AlertLevel, ContentType


class ChannelWatcher:
    """The `Watcher` of a channel whose connection is observed."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def record(self, sent: bool, header: bytes, epoch: int) -> None:
        """A record header."""
        self._observer.record(Direction.WRITE if sent else Direction.READ, header, epoch)

    def inner_content_type(self, sent: bool, content_type: int) -> None:
        """The content type inside a protected record."""
        self._observer.inner_content_type(
            Direction.WRITE if sent else Direction.READ, ContentType(content_type)
        )

    def change_cipher_spec(self, sent: bool, raw: bytes) -> None:
        """The body of a ChangeCipherSpec record."""
        self._observer.change_cipher_spec(Direction.WRITE if sent else Direction.READ, raw)

    def heartbeat(self, sent: bool, raw: bytes) -> None:
        """A heartbeat message."""
        self._observer.heartbeat(Direction.WRITE if sent else Direction.READ, raw)

    def alert(self, sent: bool, level: int, description: int) -> None:
        """An alert."""
        direction = Direction.WRITE if sent else Direction.READ
        self._observer.alert(direction, AlertLevel(level), AlertDescription(description))
