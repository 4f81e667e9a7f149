"""The public sans-I/O object: bytes in, events out, bytes to send."""

from handglass.connection.connection import ClientConnection, Connection, ServerConnection

__all__ = ["ClientConnection", "Connection", "ServerConnection"]
