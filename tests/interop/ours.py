"""Our side of the matrix."""

from __future__ import annotations

from interop.sides import ClientSide, CommandClient, CommandServer, Places, ServerSetup, ServerSide


def our_client(places: Places) -> ClientSide:
    """Make our client."""
    return CommandClient(places, ["openssl"], "stand-in client")


def our_server(places: Places, setup: ServerSetup) -> ServerSide:
    """Start our server."""
    return CommandServer(places, setup, ["openssl"], "stand-in server")
