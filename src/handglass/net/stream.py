"""What the blocking and the asyncio stream have in common: where the events of a connection go.

Strategy: a stream pumps bytes between a transport and a `Connection`. Everything that is no waiting is here, so the
two kinds differ in their waits alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.events import Closed, DataReceived, Event, SessionReceived
from handglass.net.dial.names import ascii_name
from handglass.net.errors import span
from handglass.net.verification import Verdict, Verify, packed_address, verdict_for
from handglass.records import replace
from handglass.registry import reasons
from handglass.registry.errors import PeerError, TLSError

if TYPE_CHECKING:
    from handglass.handshake.observer import Observer
    from handglass.handshake.session import Session
    from handglass.handshake.state import Negotiated
    from handglass.registry.code_points import AlertDescription, CipherSuite, ProtocolVersion
    from handglass.verify.result import VerifyResult

TIME_LIMIT = 30.0
"""Seconds: for reaching a peer and its handshake together, and for each read and write."""
CHUNK = 1 << 18
"""Bytes that are read from a transport at once."""
READ_AHEAD = 1 << 22
"""Bytes of application data that are kept for a reader who does not come; then the peer has to wait."""
LINGER = 0.5
"""Seconds that a close waits for the peer to take what is still to be sent, and to close too."""

Tell = Callable[[Event], None]
Report = Callable[[Exception], None]


class BaseStream:
    """A connection whose handshake is done, and the data that it has received.

    `connection` is the sans-I/O object (`update_keys`, `export_keying_material` …); `sessions` are those that
    the server has given so far, to be used as `ClientConfig.session`; `early_data` is what a client sent
    before the handshake was done, which may have been replayed (RFC 8446 §8).
    """

    def __init__(self, connection: Connection, verdict: Verdict | None, tell: Tell | None) -> None:
        self.connection = connection
        self.sessions: list[Session] = []
        self.early_data = b""
        self._verdict = verdict
        self._tell = tell
        self._received = bytearray()
        self._end: Closed | None = None

    @property
    def negotiated(self) -> Negotiated:
        """What the two sides agreed on."""
        return self.connection.negotiated

    @property
    def version(self) -> ProtocolVersion:
        """The protocol version."""
        assert self.negotiated.version is not None  # noqa: S101 - no stream leaves us before it is settled
        return self.negotiated.version

    @property
    def suite(self) -> CipherSuite:
        """The cipher suite."""
        assert self.negotiated.suite is not None  # noqa: S101 - no stream leaves us before it is settled
        return self.negotiated.suite

    @property
    def verification(self) -> VerifyResult | None:
        """How the peer's chain was judged.

        None if nobody judged: the peer sent no certificate, the session was resumed, `verify` was False, or the
        configuration's own `verify_peer` did it.
        """
        return self._verdict.result if self._verdict is not None else None

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, DataReceived):
                if event.early:
                    self.early_data += event.data
                else:
                    self._received += event.data
            elif isinstance(event, SessionReceived):
                self.sessions.append(event.session)
            elif isinstance(event, Closed):
                self._end = event
            if self._tell is not None:
                self._tell(event)

    def _check_handshake(self) -> None:
        """Raise what has ended the handshake, if anything has: an error, or a peer that called it off."""
        if self.connection.error is not None:
            raise self.connection.error
        if self._end is not None:
            where = f"close_notify came while we waited to {self.connection.state}"
            raise PeerError(reasons.HANDSHAKE_CALLED_OFF, where)

    def _call_off(self, alert: AlertDescription) -> None:
        """End the connection whose handshake failed; a peer that has called it off is answered in kind."""
        if self._end is not None and self.connection.error is None:
            self.connection.close()
        else:
            self.connection.abort(alert)

    @property
    def _has_answer(self) -> bool:
        """Whether a read has something to return or to raise."""
        return bool(self._received) or self._end is not None or self.connection.error is not None

    def _give(self, size: int) -> bytes:
        """Up to `size` bytes of what has been received; b"" at the end; raises what ended the connection otherwise."""
        if self._received:
            data = bytes(memoryview(self._received)[:size])
            del self._received[:size]
            return data
        if self.connection.error is not None:
            raise self.connection.error
        if self._end is not None and not self._end.clean:
            raise PeerError(reasons.UNEXPECTED_EOF)
        return b""


def client_connection(
    host: str,
    config: ClientConfig | None,
    verify: Verify,
    observer: Observer | None,
    deferred: frozenset[str] = frozenset(),
) -> tuple[ClientConnection, Verdict | None]:
    """A client for `host`: its name is sent (SNI) and checked, unless the configuration names another.

    Raises:
        NetError: the name is malformed.
        ValueError: two judges were given.
    """
    config = config if config is not None else ClientConfig()
    if config.server_name is None and packed_address(host) is None:
        config = replace(config, server_name=ascii_name(host).removesuffix("."))
    verdict = verdict_for(config, verify, config.server_name or host)
    if verdict is not None:
        config = replace(config, verify_peer=verdict)
    return ClientConnection(config, clock=time.time, observer=observer, deferred=deferred), verdict


def server_connection(
    config: ServerConfig,
    verify: Verify,
    observer: Observer | None,
    deferred: frozenset[str] = frozenset(),
) -> tuple[ServerConnection, Verdict | None]:
    """A server that judges clients' certificates by `verify`, if it asks for them. Raises ValueError: two judges."""
    verdict = verdict_for(config, verify, None)
    if verdict is not None:
        config = replace(config, verify_peer=verdict)
    return ServerConnection(config, clock=time.time, observer=observer, deferred=deferred), verdict


def overdue(what: str, seconds: float | None, state: str = "") -> TimeoutError:
    """The error of a time limit that was reached; `state` is that of the connection until then."""
    wait = f", waiting to {state}" if state.startswith("read ") else ""
    return TimeoutError(f"the {what} was not done within {span(seconds or 0)}{wait}")


def interrupted(error: OSError, connection: Connection) -> OSError:
    """The system's error with what we were waiting for."""
    if error.errno is None or not connection.state.startswith("read ") or connection.is_established:
        return error
    return type(error)(error.errno, f"{error.strerror}, while we waited to {connection.state}")


def log(error: Exception) -> None:
    """Log what ended a client: a failed connection as information, anything else as an error with its trace."""
    import logging  # noqa: PLC0415 - only where something went wrong

    if isinstance(error, TLSError | OSError):
        logging.getLogger("handglass").info("%s", error)
    else:
        logging.getLogger("handglass").error("a handler failed", exc_info=error)
