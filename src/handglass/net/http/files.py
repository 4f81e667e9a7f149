"""Serving files: -WWW (with a head that we write) and -HTTP (the file is the whole answer).

The path of a request is decoded once and then only ever used to walk down from the served directory (see
`below`). The sentences of refusals are OpenSSL's where it has one; the status, which it always gives as 200,
tells the truth.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from handglass.net.http.below import Below, Obstacle, ObstacleError
from handglass.net.http.conditions import UNSATISFIABLE, precondition, version_of, wanted_range
from handglass.net.http.content_types import content_type
from handglass.net.http.request import Request
from handglass.net.http.response import BytesBody, FileBody, Response, text_response

METHODS = "GET, HEAD"
OTHER_METHODS = frozenset(("POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
BROKEN_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})")
RAW_HEAD_LIMIT = 1 << 16
SENTENCES = {
    Obstacle.MISSING: (404, "Error opening '{}' mode='r'"),
    Obstacle.DENIED: (403, "Error opening '{}' mode='r'"),
    Obstacle.BUSY: (503, "'{}' cannot be opened now: too many files are open"),
    Obstacle.DIRECTORY: (403, "'{}' is a directory"),
    Obstacle.OUTSIDE: (403, "'{}' is an invalid path"),
    Obstacle.SPECIAL: (403, "'{}' is no regular file"),
}


class PathError(Exception):
    """The path of a request names nothing that is served: the status, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class FileResponder:
    """Answers requests with files strictly below `directory`. `bare`: as -HTTP, else as -WWW.

    `tell` gets the name of each file that is looked for.
    """

    def __init__(
        self, directory: str = ".", *, bare: bool = False, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._below = Below(directory)
        self._bare = bare
        self._tell = tell

    def close(self) -> None:
        """Give the directory back."""
        self._below.close()

    def respond(self, request: Request) -> Response:
        """Return the answer, whatever the request is."""
        if request.method not in ("GET", "HEAD"):
            return _wrong_method(request)
        try:
            name = served_name(request)
            self._tell(name)
            fd, status = self._below.open(os.fsencode(name))
        except PathError as error:
            return text_response(error.status, f"{error.sentence}\r\n")
        except ObstacleError as error:
            code, sentence = SENTENCES[error.obstacle]
            return text_response(code, sentence.format(printable(name)) + "\r\n")
        body = FileBody(fd, 0, status.st_size)
        if self._bare:
            return _bare(request, body)
        return _whole_or_part(request, body, status, name)


def served_name(request: Request) -> str:
    """Return the path of a request relative to the served directory, decoded once. Raises PathError.

    Refused, whatever they would lead to: ``..`` as a component, a colon (as with OpenSSL), an absolute path,
    an encoded slash or NUL, an encoding that is none.
    """
    path = request.path
    if not path.startswith("/"):
        raise PathError(400, f"'{printable(path)}' is an invalid path")
    path = path[1:]
    if BROKEN_ENCODING.search(path):
        raise PathError(400, f"'{printable(path)}' is an invalid path")
    decoded = unquote_to_bytes(path.encode("latin-1"))
    name = os.fsdecode(decoded)
    if b"\x00" in decoded or decoded.count(b"/") != path.count("/") or decoded.startswith(b"/"):
        raise PathError(403, f"'{printable(name)}' is an invalid path")
    if b".." in decoded.split(b"/") or b":" in decoded:
        raise PathError(403, f"'{printable(name)}' contains '..' or ':'")
    return name


def printable(name: str) -> str:
    """Return a name as text that cannot drive a terminal or break a line."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in name[:1000]
    )


def _whole_or_part(request: Request, body: FileBody, status: os.stat_result, name: str) -> Response:
    version = version_of(status)
    fields = [("Content-type", content_type(name))]
    validators = [("Last-Modified", version.last_modified), ("ETag", version.entity_tag)]
    early = precondition(request, version)
    if early is not None:
        body.close()
        return Response(early, validators, BytesBody())
    part = wanted_range(request, status.st_size, version)
    if part == UNSATISFIABLE:
        body.close()
        response = text_response(UNSATISFIABLE, "the range lies behind the end of the file\r\n")
        response.fields.append(("Content-Range", f"bytes */{status.st_size}"))
        return response
    fields += [("Accept-Ranges", "bytes"), *validators]
    if isinstance(part, tuple):
        body.start, body.length = part
        last = body.start + body.length - 1
        fields.append(("Content-Range", f"bytes {body.start}-{last}/{status.st_size}"))
        return Response(206, fields, body)
    return Response(200, fields, body)


def _bare(request: Request, body: FileBody) -> Response:
    """Answer with the file as it is; for HEAD, up to the blank line that ends the head in it."""
    if request.method == "HEAD":
        start = os.pread(body.fd, RAW_HEAD_LIMIT, 0)
        body.close()
        end = re.search(rb"\r?\n\r?\n", start)
        return Response(200, [], BytesBody(start[: end.end()] if end else b""), bare=True)
    return Response(200, [], body, bare=True)


def _wrong_method(request: Request) -> Response:
    status = 405 if request.method in OTHER_METHODS else 501
    response = text_response(status, f"{request.method[:40]} is not answered here, GET and HEAD are\r\n")
    if status == 405:
        response.fields.append(("Allow", METHODS))
    return response
