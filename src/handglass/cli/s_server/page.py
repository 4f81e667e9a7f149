"""-www: a page about the connection over which it is asked for, for people, and as JSON for programs."""

from __future__ import annotations

import html
import shlex
import sys
from typing import TYPE_CHECKING

from handglass.cli.s_server.page_text import page_text
from handglass.net.http import BytesBody, Request, Response
from handglass.net.server import ServedConnection
from handglass.verify.result import VerifyResult

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program


def respond(program: Program, link: ServedConnection, request: Request) -> Response:  # noqa: ARG001
    """The answer to any request."""
    agreed = link.connection.negotiated
    verdict = link.verdict if isinstance(link.verdict, VerifyResult) else None
    session = getattr(link.application, "session", None)
    text = shlex.join(sys.argv[1:]) + "\n" + page_text(program, agreed, session, verdict)
    body = f"<!DOCTYPE html>\n<html><body><pre>\n{html.escape(text)}</pre></body></html>\r\n\r\n"
    return Response(200, [("Content-type", "text/html; charset=utf-8")], BytesBody(body.encode()))
