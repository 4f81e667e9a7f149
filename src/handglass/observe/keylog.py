"""-keylogfile: the secrets of a connection in the format that Wireshark reads (RFC 9850)."""

from __future__ import annotations

from typing import IO

from handglass.handshake.observer import Observer
from handglass.keys.labels import SecretLabel

FIRST_LINE = "# SSL/TLS secrets log file, written by Handglass\n"


class KeyLog(Observer):
    """Appends one line per secret to `out` (text), and hands it on at once."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def secret(self, label: SecretLabel, client_random: bytes, secret: bytes) -> None:
        """A secret under its label in the log; those without one are not logged."""
        if label.key_log is not None:
            self._out.write(f"{label.key_log} {client_random.hex()} {secret.hex()}\n")
            self._out.flush()
