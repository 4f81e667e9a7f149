"""HTTP for s_server's -www, -WWW, -HTTP, and the echo of -rev: all without sockets."""

from handglass.net.http.below import Below, Obstacle, ObstacleError
from handglass.net.http.content_types import content_type
from handglass.net.http.files import FileResponder
from handglass.net.http.limits import RequestLimits
from handglass.net.http.request import Request, RequestError, RequestReader
from handglass.net.http.response import Body, BytesBody, FileBody, Response, text_response
from handglass.net.http.reverse import LineReverser

__all__ = [
    "Below",
    "Body",
    "BytesBody",
    "FileBody",
    "FileResponder",
    "LineReverser",
    "Obstacle",
    "ObstacleError",
    "Request",
    "RequestError",
    "RequestLimits",
    "RequestReader",
    "Response",
    "content_type",
    "text_response",
]
