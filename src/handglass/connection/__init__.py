"""The public sans-I/O object: bytes in, events out, bytes to send.

Each side is loaded when it is first used: a client has no use for the server's conversations.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handglass.connection.base import Connection
    from handglass.connection.client import ClientConnection
    from handglass.connection.server import ServerConnection

__all__ = ["ClientConnection", "Connection", "ServerConnection"]


_HOMES = {
    "ClientConnection": "handglass.connection.client",
    "Connection": "handglass.connection.base",
    "ServerConnection": "handglass.connection.server",
}


if not TYPE_CHECKING:  # or else a type checker would believe in every name

    def __getattr__(name: str) -> object:
        """Load a class from where it lives, and keep it."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - only when something is asked for

        value: object = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
