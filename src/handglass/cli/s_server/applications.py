"""Which application each connection gets, as -www, -WWW, -HTTP and -rev say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handglass.cli.s_server.interactive import Interactive
from handglass.net.http import FileResponder, PathError, Request, Response, served_name
from handglass.net.http.files import printable
from handglass.net.server import Application, HttpApplication, Reverse, ServedConnection
from handglass.registry.errors import TLSError

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program
    from handglass.handshake.session import Session


def application_for(program: Program) -> Callable[[ServedConnection], Application]:
    """What makes the application of each connection."""
    options = program.options
    if options.www:
        return lambda link: Web(program, lambda _, request: status_page(program, link, request))
    if options.www_files or options.http:
        files = Files(program, FileResponder(bare=options.http))
        return lambda _: Web(program, files.respond)
    if options.rev:
        return lambda _: Reversing(program)
    return lambda _: Interactive(program)


class Web(HttpApplication):
    """HTTP: silent but for handshakes that fail."""

    def __init__(self, program: Program, respond: Callable[[ServedConnection, Request], Response]) -> None:
        super().__init__(respond, program.server.file_buffer)
        self._program = program
        self._handshakes = 0
        self.session: Session | None = None

    def on_handshake(self, link: ServedConnection) -> None:
        """Count it, and keep what the page tells of the session."""
        self._handshakes += 1
        self.session = self._program.session_of(link.connection.negotiated)
        self._program.handshake_done(again=self._handshakes > 1)

    def on_failure(self, link: ServedConnection, error: TLSError) -> None:
        """Say what went wrong."""
        self._program.handshake_failed(link, error)

    def on_idle(self, link: ServedConnection) -> None:
        """No request has come, or no answer was taken, for too long."""
        self._program.idle(link)
        link.close()


class Files:
    """-WWW and -HTTP: files, each named on standard error, and /stats."""

    def __init__(self, program: Program, responder: FileResponder) -> None:
        self._program = program
        self._responder = responder

    def respond(self, link: ServedConnection, request: Request) -> Response:
        """The answer to a request."""
        try:
            name = served_name(request)
        except PathError:
            return self._responder.respond(request)
        if name == "stats" or name.startswith("stats "):
            return status_page(self._program, link, request)
        if not self._program.options.quiet:
            self._program.screen.error(f"FILE:{printable(name)}")
        return self._responder.respond(request)


class Reversing(Reverse):
    """-rev, with its lines on standard error."""

    def __init__(self, program: Program) -> None:
        super().__init__(ignore_close=program.options.ign_eof)
        self.idle_limit = program.options.idle_timeout is not None
        self._program = program
        self._handshakes = 0
        self._is_told = program.options.brief or not program.options.quiet

    def on_handshake(self, link: ServedConnection) -> None:
        """Say with whom."""
        self._handshakes += 1
        self._program.handshake_done(again=self._handshakes > 1)
        if self._is_told:
            self._program.screen.error("CONNECTION ESTABLISHED\n" + self._program.summary_of(link))

    def on_idle(self, link: ServedConnection) -> None:
        """Nothing has come or gone for too long."""
        self._program.idle(link)
        link.close()

    def on_failure(self, link: ServedConnection, error: TLSError) -> None:
        """Say what went wrong."""
        self._program.handshake_failed(link, error)

    def on_close(self, link: ServedConnection) -> None:  # noqa: ARG002 - the interface
        """It is over."""
        if self._is_told:
            self._program.screen.error("CONNECTION CLOSED")


def status_page(program: Program, link: ServedConnection, request: Request) -> Response:
    """The page about the connection."""
    from handglass.cli.s_server.page import respond  # noqa: PLC0415 - only for those who ask

    return respond(program, link, request)
