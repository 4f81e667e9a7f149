"""A user and a password for a proxy; neither is ever shown."""

from __future__ import annotations

from handglass.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password as text; they travel as UTF-8."""

    user: str
    password: str = field(default="", repr=False)

    def basic(self) -> bytes:
        """Return the token of Basic authentication (RFC 7617 §2)."""
        import base64  # noqa: PLC0415 - proxies with authentication alone need it

        return base64.b64encode(f"{self.user}:{self.password}".encode())
