"""The three ways in which a session can fail: the peer did wrong, we cannot go on, the peer told us off.

Strategy: each error carries its `Reason`, so the alert, the sentence and the reference always fit together.
"""

from __future__ import annotations

from handglass.registry.code_points import AlertDescription, AlertLevel
from handglass.registry.reasons import Reason


class TLSError(Exception):
    """Base of everything that ends a session."""


class _ReasonedError(TLSError):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    @property
    def alert(self) -> AlertDescription:
        """The alert to send before the connection ends."""
        return self.reason.alert

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.reason.sentence}{detail} ({self.reason.reference})"


class PeerError(_ReasonedError):
    """The peer broke a rule, or wants what we refuse. Send `.alert`, then close."""


class LocalError(_ReasonedError):
    """Something on our side cannot or will not go on: configuration, a missing algorithm, a limit reached."""


class AlertReceived(TLSError):  # noqa: N818 - the name says what happened, as the RFC does
    """The peer sent a fatal alert (RFC 8446 §6.2). Nothing may be sent any more."""

    def __init__(self, level: AlertLevel, description: AlertDescription) -> None:
        super().__init__(level, description)
        self.level = level
        self.description = description

    def __str__(self) -> str:
        name = self.description.name.lower()
        level = self.level.name.lower()
        return f"the peer ended the connection with the {level} alert {name} ({int(self.description)})"
