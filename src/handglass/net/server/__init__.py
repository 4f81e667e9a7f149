"""A TLS server for any number of clients at once: one thread, one event loop, one small interface to applications."""

from handglass.net.server.application import Application, Reverse, Sink
from handglass.net.server.connection import ServedConnection, Wait
from handglass.net.server.http import HttpApplication
from handglass.net.server.server import Server, ServerOptions

__all__ = [
    "Application",
    "HttpApplication",
    "Reverse",
    "ServedConnection",
    "Server",
    "ServerOptions",
    "Sink",
    "Wait",
]
