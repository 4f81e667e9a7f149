"""The server's end of a connection; it loads nothing of the client's."""

from __future__ import annotations

from collections.abc import Callable

from handglass.connection.base import Connection, make_channel, no_clock
from handglass.crypto import CryptoError
from handglass.crypto.entropy import SYSTEM_ENTROPY, Entropy
from handglass.handshake.config import ServerConfig
from handglass.handshake.driver import Driver
from handglass.handshake.events import Event
from handglass.handshake.legacy.server import request_renegotiation
from handglass.handshake.observer import Observer
from handglass.handshake.server import handshake
from handglass.handshake.state import Negotiated, ServerState
from handglass.handshake.tls13.connected import request_certificate
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, ProtocolVersion
from handglass.registry.errors import LocalError, TLSError


class ServerConnection(Connection):
    """The server's end of a connection; it needs no start."""

    def __init__(
        self,
        config: ServerConfig,
        *,
        clock: Callable[[], float] = no_clock,
        entropy: Entropy = SYSTEM_ENTROPY,
        observer: Observer | None = None,
        deferred: frozenset[str] = frozenset(),
    ) -> None:
        events: list[Event] = []
        channel = make_channel(config, observer)
        driver = Driver(channel, events.append, observer, deferred)
        self._server = ServerState(driver, entropy, clock, Negotiated(is_client=False), config=config)
        super().__init__(self._server, channel, driver, observer, events)
        self._begin(handshake(self._server))

    def request_certificate(self) -> list[Event]:
        """Ask the client for a certificate now (TLS 1.3, RFC 8446 §4.6.2).

        Raises:
            LocalError: the client did not offer post_handshake_auth, or the version is not TLS 1.3.
        """
        if self.negotiated.version != ProtocolVersion.TLS1_3:
            raise LocalError(reasons.INTERNAL_ERROR, "post-handshake authentication exists only in TLS 1.3")
        self._aside(request_certificate(self._server))
        return self._take_events()

    def request_renegotiation(self, *, authenticate: bool = False) -> list[Event]:
        """Ask the client for a new handshake (HelloRequest, RFC 5246 §7.4.1.1), with a client certificate if wanted.

        Raises:
            LocalError: the version has no renegotiation.
        """
        self._check_renegotiation()
        self._aside(request_renegotiation(self._server, authenticate=authenticate))
        return self._take_events()

    def _fail(self, error: TLSError | CryptoError, description: AlertDescription | None = None) -> None:
        """End the connection; a session that failed must not be resumed (RFC 5246 §7.2.2)."""
        super()._fail(error, description)
        sessions, session_id = self._server.config.sessions, self.negotiated.session_id
        if sessions is not None and session_id:
            sessions.forget(session_id)

    def _renegotiation_refused(self) -> None:
        self._server.renegotiation_requested = self._server.authenticate_again = False
