"""-state: the steps of the handshake and the alerts, in OpenSSL's words."""

from __future__ import annotations

from typing import IO

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.registry.code_points import AlertDescription, AlertLevel, HandshakeType, ProtocolVersion
from handglass.registry.errors import TLSError

TLS13_ONLY = {
    "read encrypted extensions",
    "write encrypted extensions",
    "read end of early data",
    "write end of early data",
    "read certificate verify",
    "write certificate verify",
    "early data",
}
"""Steps that OpenSSL calls by the newer protocol's name."""

WRITTEN = {
    HandshakeType.HELLO_REQUEST: "write hello request",
    HandshakeType.NEW_SESSION_TICKET: "write session ticket",
    HandshakeType.END_OF_EARLY_DATA: "write end of early data",
    HandshakeType.ENCRYPTED_EXTENSIONS: "write encrypted extensions",
    HandshakeType.SERVER_KEY_EXCHANGE: "write key exchange",
    HandshakeType.CERTIFICATE_REQUEST: "write certificate request",
    HandshakeType.SERVER_HELLO_DONE: "write server done",
    HandshakeType.CERTIFICATE_VERIFY: "write certificate verify",
    HandshakeType.CLIENT_KEY_EXCHANGE: "write client key exchange",
    HandshakeType.FINISHED: "write finished",
    HandshakeType.CERTIFICATE_STATUS: "write certificate status",
    HandshakeType.KEY_UPDATE: "write key update",
}


class StatePrinter(Observer):
    """Writes a line per step to `out` (text)."""

    def __init__(self, out: IO[str], *, is_client: bool) -> None:
        self._out = out
        self._is_client = is_client
        self._tls13 = False
        self._prefix = "SSL_connect" if is_client else "SSL_accept"
        self._line(f"{self._prefix}:before SSL initialization")

    def version(self, version: int) -> None:
        """Remember whether the newer names apply."""
        self._tls13 = version == ProtocolVersion.TLS1_3

    def state(self, name: str) -> None:
        """Something that was waited for has come."""
        if name == "connected":
            return
        if name.startswith("read second"):
            name = name.replace("second ", "")
        if name == "read certificate verify" and self._is_client:
            name = "read server certificate verify"
        self._step(name)

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        """A message that we send is a step; one that comes is told by `state`, but for a few."""
        kind = HandshakeType(raw[0])
        if direction is Direction.WRITE:
            self._step(self._written(kind))
        elif kind == HandshakeType.NEW_SESSION_TICKET and self._tls13:
            self._line("SSL negotiation finished successfully")
            self._step("read server session ticket")
        elif kind == HandshakeType.HELLO_REQUEST:
            self._step("read hello request")

    def change_cipher_spec(self, direction: Direction, raw: bytes) -> None:  # noqa: ARG002 - always one byte
        """ChangeCipherSpec, in both directions."""
        self._step(f"{direction.value} change cipher spec")

    def alert(self, direction: Direction, level: AlertLevel, description: AlertDescription) -> None:
        """An alert with its level and its name."""
        name = description.name.lower().replace("_", " ")
        self._line(f"SSL3 alert {direction.value}:{level.name.lower()}:{name}")

    def failed(self, error: TLSError) -> None:  # noqa: ARG002 - the error itself is told elsewhere
        """The handshake has stopped."""
        self._line(f"{self._prefix}:error in error")

    def _written(self, kind: HandshakeType) -> str:
        hello = {
            HandshakeType.CLIENT_HELLO: "write client hello",
            HandshakeType.SERVER_HELLO: "write server hello",
        }
        if kind in hello:
            return hello[kind]
        if kind in {HandshakeType.CERTIFICATE, HandshakeType.COMPRESSED_CERTIFICATE}:
            return "write client certificate" if self._is_client else "write certificate"
        return WRITTEN.get(kind, f"write {kind.name.lower().replace('_', ' ')}")

    def _step(self, name: str) -> None:
        plain = name.replace("server certificate verify", "certificate verify")
        family = "TLSv1.3" if self._tls13 and plain in TLS13_ONLY else "SSLv3/TLS"
        self._line(f"{self._prefix}:{family} {name}")

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
