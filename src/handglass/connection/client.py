"""The client's end of a connection; it loads nothing of the server's."""

from __future__ import annotations

from collections.abc import Callable

from handglass.connection.base import Connection, make_channel, no_clock
from handglass.crypto.entropy import SYSTEM_ENTROPY, Entropy
from handglass.handshake.client import handshake
from handglass.handshake.config import ClientConfig
from handglass.handshake.driver import Driver
from handglass.handshake.events import Event
from handglass.handshake.observer import Observer
from handglass.handshake.state import ClientState, Negotiated
from handglass.registry import reasons
from handglass.registry.errors import LocalError


class ClientConnection(Connection):
    """The client's end of a connection. `start` makes the ClientHello.

    `clock` gives seconds since the epoch (for tickets), `entropy(n)` n random bytes; with another source
    than the system's a connection can be replayed byte for byte.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        clock: Callable[[], float] = no_clock,
        entropy: Entropy = SYSTEM_ENTROPY,
        observer: Observer | None = None,
        deferred: frozenset[str] = frozenset(),
    ) -> None:
        events: list[Event] = []
        channel = make_channel(config, observer)
        driver = Driver(channel, events.append, observer, deferred)
        self._client = ClientState(driver, entropy, clock, Negotiated(is_client=True), config=config)
        super().__init__(self._client, channel, driver, observer, events)

    def start(self) -> list[Event]:
        """Begin: the ClientHello is among the bytes to send, and early data may follow it."""
        return self._begin(handshake(self._client))

    @property
    def early_data_limit(self) -> int:
        """How many bytes of early data may still be sent (RFC 8446 §4.2.10); 0 outside that phase."""
        return self._client.early_data_left

    def send_early_data(self, data: bytes) -> None:
        """Send application data before the server has answered (RFC 8446 §2.3); it may be replayed, and may be refused.

        Raises:
            LocalError: there is no session that allows it, it is more than the ticket allows, or it is too late.
        """
        if self._closed or self.error is not None:
            raise LocalError(reasons.CONNECTION_OVER)
        left = self._client.early_data_left
        if len(data) > left:
            raise LocalError(reasons.TOO_MUCH_EARLY_DATA, f"{len(data)} bytes, and {left} are allowed")
        self._client.early_data_left = left - len(data)
        self._channel.send_data(data)

    def renegotiate(self) -> list[Event]:
        """Begin a new handshake on this connection (TLS 1.2 and below, RFC 5746).

        Raises:
            LocalError: the version has no renegotiation, or the server does not support it safely.
        """
        self._check_renegotiation()
        if not self.negotiated.secure_renegotiation and not self._client.config.allow_legacy_peer:
            raise LocalError(reasons.RENEGOTIATION_INSECURE)
        from handglass.handshake.legacy.client import renegotiate  # noqa: PLC0415 - TLS 1.3 needs none of it

        return self._go_on(lambda: self._driver.start(renegotiate(self._client)))

    def _renegotiation_refused(self) -> None:
        if not self._me.renegotiating:
            return
        from handglass.handshake.legacy import client as legacy  # noqa: PLC0415 - TLS 1.3 needs none of it

        if self._driver.is_waiting_for(legacy.READ_RENEGOTIATED_HELLO):
            self._driver.start(legacy.give_up_renegotiation(self._client))
