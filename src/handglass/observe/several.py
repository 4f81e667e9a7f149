"""Several observers of one connection."""

from __future__ import annotations

from collections.abc import Sequence

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.keys.labels import SecretLabel
from handglass.registry.code_points import AlertDescription, AlertLevel, ContentType
from handglass.registry.errors import TLSError


class Several(Observer):
    """Tells each of `observers` everything, in their order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def wire(self, direction: Direction, data: bytes) -> None:
        """Pass on bytes."""
        for observer in self._observers:
            observer.wire(direction, data)

    def record(self, direction: Direction, header: bytes, epoch: int) -> None:
        """Pass on a record header."""
        for observer in self._observers:
            observer.record(direction, header, epoch)

    def inner_content_type(self, direction: Direction, content_type: ContentType) -> None:
        """Pass on an inner content type."""
        for observer in self._observers:
            observer.inner_content_type(direction, content_type)

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        """Pass on a handshake message."""
        for observer in self._observers:
            observer.handshake_message(direction, raw)

    def change_cipher_spec(self, direction: Direction, raw: bytes) -> None:
        """Pass on a ChangeCipherSpec."""
        for observer in self._observers:
            observer.change_cipher_spec(direction, raw)

    def heartbeat(self, direction: Direction, raw: bytes) -> None:
        """Pass on a heartbeat."""
        for observer in self._observers:
            observer.heartbeat(direction, raw)

    def alert(self, direction: Direction, level: AlertLevel, description: AlertDescription) -> None:
        """Pass on an alert."""
        for observer in self._observers:
            observer.alert(direction, level, description)

    def version(self, version: int) -> None:
        """Pass on the version."""
        for observer in self._observers:
            observer.version(version)

    def state(self, name: str) -> None:
        """Pass on a step."""
        for observer in self._observers:
            observer.state(name)

    def secret(self, label: SecretLabel, client_random: bytes, secret: bytes) -> None:
        """Pass on a secret."""
        for observer in self._observers:
            observer.secret(label, client_random, secret)

    def failed(self, error: TLSError) -> None:
        """Pass on the end."""
        for observer in self._observers:
            observer.failed(error)


def combined(observers: Sequence[Observer]) -> Observer | None:
    """One observer for all of these; None if there are none, so that observation costs nothing."""
    if not observers:
        return None
    return observers[0] if len(observers) == 1 else Several(observers)
