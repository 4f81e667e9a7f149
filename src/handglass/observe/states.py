"""-state: the steps of the handshake and the alerts, in OpenSSL's words."""

from __future__ import annotations

from handglass.handshake.observer import Observer
from handglass.handshake.wants import Direction
from handglass.observe.text import Text
from handglass.registry.code_points import AlertDescription, AlertLevel, HandshakeType, ProtocolVersion
from handglass.registry.errors import TLSError

COMMON_NEWER_STEPS = frozenset(
    {
        "read encrypted extensions",
        "write encrypted extensions",
        "read end of early data",
        "write end of early data",
        "early data",
        "read client key update",
        "write client key update",
        "read server key update",
        "write server key update",
    }
)
NEWER_STEPS = {
    True: COMMON_NEWER_STEPS | {"read server certificate verify"},
    False: COMMON_NEWER_STEPS | {"write certificate verify"},
}
"""Steps that OpenSSL calls by the newer protocol's name, for a client (True) and a server."""

ALERT_NAMES = {
    AlertDescription.UNEXPECTED_MESSAGE: "unexpected_message",
    AlertDescription.UNKNOWN_CA: "unknown CA",
    AlertDescription.UNKNOWN_PSK_IDENTITY: "unknown PSK identity",
}
"""Names of alerts that OpenSSL spells in its own way."""

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
}


class StatePrinter(Observer):
    """Writes a line per step to `out` (text), in the order in which OpenSSL's programs do.

    OpenSSL names a step when its state is left, and that shows: the last message of a flight comes twice if an answer
    is awaited, a certificate stands after its judgement, and the ChangeCipherSpec of TLS 1.3, which means nothing,
    before the flight that follows it.
    """

    def __init__(self, out: Text, *, is_client: bool) -> None:
        self._out = out
        self._is_client = is_client
        self._tls13 = False
        self._finished: set[Direction] = set()
        """Whose Finished of this handshake was seen."""
        self._later = ""
        """A line that waits for the next one."""
        self._written_last = ""
        """The line of the last message, if we sent it."""
        self._change_cipher_spec_due = False
        self._prefix = "SSL_connect" if is_client else "SSL_accept"
        self._line(f"{self._prefix}:before SSL initialization")

    def version(self, version: int) -> None:
        """Remember whether the newer names apply."""
        self._tls13 = version == ProtocolVersion.TLS1_3

    def state(self, name: str) -> None:
        """Something that was waited for has come."""
        if name == "connected":
            return
        name = name.replace("second ", "").removesuffix(" of renegotiation")
        if name == "read certificate verify" and self._is_client:
            name = "read server certificate verify"
        self._arrived()
        if name == "read server certificate":
            self._later = f"{self._prefix}:SSLv3/TLS {name}"
        else:
            self._step(name)

    def handshake_message(self, direction: Direction, raw: bytes) -> None:
        """A message that we send is a step; one that comes is told by `state`, but for a few."""
        kind = HandshakeType(raw[0])
        if direction is Direction.WRITE:
            self._send(kind)
        elif kind == HandshakeType.FINISHED:
            self._finished.add(direction)
        elif kind == HandshakeType.NEW_SESSION_TICKET and self._tls13:
            self._finished_already(2)
            self._step("read server session ticket")
        elif kind == HandshakeType.HELLO_REQUEST:
            self._finished_already(2)
            self._finished.clear()
            self._step("read hello request")
        elif kind == HandshakeType.KEY_UPDATE:
            self._finished_already(2)
            self._step(f"read {'server' if self._is_client else 'client'} key update")
        elif kind == HandshakeType.CERTIFICATE_REQUEST and self._done:
            self._finished_already(2)
            self._step("read server certificate request")

    def change_cipher_spec(self, direction: Direction, raw: bytes) -> None:  # noqa: ARG002 - always one byte
        """ChangeCipherSpec, in both directions."""
        if not self._tls13:
            if direction is Direction.READ:
                self._arrived()
            self._step(f"{direction.value} change cipher spec")
        elif direction is Direction.WRITE:
            self._change_cipher_spec_due = True

    def alert(self, direction: Direction, level: AlertLevel, description: AlertDescription) -> None:
        """An alert with its level and its name."""
        if level == AlertLevel.FATAL:
            self._later = ""  # what was read is not accepted
        name = ALERT_NAMES.get(description, description.name.lower().replace("_", " "))
        self._line(f"SSL3 alert {direction.value}:{level.name.lower()}:{name}")

    def failed(self, error: TLSError) -> None:  # noqa: ARG002 - the error itself is told elsewhere
        """The handshake has stopped."""
        self._later = ""
        if not self._done:
            self._line(f"{self._prefix}:error in error")

    def _send(self, kind: HandshakeType) -> None:
        if self._change_cipher_spec_due:
            self._change_cipher_spec_due = False
            self._step("write change cipher spec")
        if self._done and kind in {HandshakeType.KEY_UPDATE, HandshakeType.CLIENT_HELLO}:
            self._finished_already(1)
        if kind == HandshakeType.CLIENT_HELLO:
            self._finished.clear()
        name = self._written(kind)
        self._step(name)
        if kind == HandshakeType.FINISHED:
            self._finished.add(Direction.WRITE)
        self._written_last = "" if self._done else name

    @property
    def _done(self) -> bool:
        return len(self._finished) == len(Direction)

    def _arrived(self) -> None:
        """Something has come: what was sent last is done with now."""
        if self._written_last:
            self._step(self._written_last)

    def _finished_already(self, times: int) -> None:
        if self._done:
            for _ in range(times):
                self._line(f"{self._prefix}:SSL negotiation finished successfully")

    def _written(self, kind: HandshakeType) -> str:
        hello = {
            HandshakeType.CLIENT_HELLO: "write client hello",
            HandshakeType.SERVER_HELLO: "write server hello",
        }
        if kind in hello:
            return hello[kind]
        if kind in {HandshakeType.CERTIFICATE, HandshakeType.COMPRESSED_CERTIFICATE}:
            return "write client certificate" if self._is_client else "write certificate"
        if kind == HandshakeType.KEY_UPDATE:
            return f"write {'client' if self._is_client else 'server'} key update"
        return WRITTEN.get(kind, f"write {kind.name.lower().replace('_', ' ')}")

    def _step(self, name: str) -> None:
        newer = NEWER_STEPS[self._is_client]
        family = "TLSv1.3" if self._tls13 and name in newer else "SSLv3/TLS"
        self._line(f"{self._prefix}:{family} {name}")
        self._written_last = ""

    def _flush(self) -> None:
        if self._later:
            later, self._later = self._later, ""
            self._line(later)

    def _line(self, text: str) -> None:
        self._flush()
        self._out.write(text + "\n")
        self._out.flush()
