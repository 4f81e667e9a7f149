"""Which application each connection gets, as -www, -WWW, -HTTP and -rev say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handglass.cli.s_server.interactive import Interactive
from handglass.handshake.events import PostHandshakeAuthenticationCompleted, WarningReceived
from handglass.net.http import FileResponder, Request, Response
from handglass.net.http.files import printable
from handglass.net.server import Application, HttpApplication, Reverse, ServedConnection
from handglass.net.server.http import Responder
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription, ProtocolVersion
from handglass.registry.errors import LocalError, TLSError

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program
    from handglass.handshake.events import Event
    from handglass.handshake.session import Session


def application_for(program: Program) -> Callable[[ServedConnection], Application]:
    """What makes the application of each connection."""
    options = program.options
    if options.www:
        return lambda _: Status(program)
    if options.www_files or options.http:
        files = Files(program)
        return lambda _: Web(program, files.respond)
    if options.rev:
        return lambda _: Reversing(program)
    return lambda _: Interactive(program)


class Web(HttpApplication):
    """HTTP: silent but for handshakes that fail."""

    def __init__(self, program: Program, respond: Responder) -> None:
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


class Status(Web):
    """-www: the page about the connection; for /reneg and /renegcert, once the client has done what it is asked for.

    That is another handshake, for /renegcert with a client certificate; in TLS 1.3, which has no renegotiation,
    the certificate alone, if the client lets itself be asked (RFC 8446 §4.6.2).
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program, self._respond_to)

    def on_handshake(self, link: ServedConnection) -> None:
        """If a request has waited for it: answer."""
        super().on_handshake(link)
        self._go_on(link, "The handshake was done again.")

    def on_event(self, link: ServedConnection, event: Event) -> None:
        """What else a request may wait for."""
        if isinstance(event, PostHandshakeAuthenticationCompleted):
            did = "sent" if event.chain else "was asked for"
            none = "" if event.chain else ", and sent none"
            self._go_on(link, f"The client {did} a certificate after the handshake{none}.")
        elif isinstance(event, WarningReceived) and event.description == AlertDescription.NO_RENEGOTIATION:
            self._go_on(link, "The client was asked for another handshake and does not want one.")

    def _respond_to(self, link: ServedConnection, request: Request) -> Response | None:
        if request.path not in {"/reneg", "/renegcert"}:
            return status_page(self._program, link, request)
        note = self._ask_again(link, authenticate=request.path == "/renegcert")
        return None if note is None else status_page(self._program, link, request, note)

    def _ask_again(self, link: ServedConnection, *, authenticate: bool) -> str | None:
        """Ask the client for another handshake; or why that cannot be done."""
        connection = link.connection
        is_tls13 = connection.negotiated.version == ProtocolVersion.TLS1_3
        if is_tls13 and not authenticate:
            return "TLS 1.3 has no renegotiation: the handshake is still the first one."
        try:
            if is_tls13:
                link.do(connection.request_certificate())
            else:
                link.do(connection.request_renegotiation(authenticate=authenticate))
        except LocalError as error:
            if error.reason is reasons.NO_POST_HANDSHAKE_AUTH:
                return "The client does not offer post_handshake_auth, so it was not asked for a certificate."
            return f"{error}."
        return None

    def _go_on(self, link: ServedConnection, note: str) -> None:
        request = self.unanswered
        if request is not None:
            self.answer(status_page(self._program, link, request, note))


class Files:
    """-WWW and -HTTP: files, each named on standard error, and /stats."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._responder = FileResponder(bare=program.options.http, tell=self._tell)

    def respond(self, link: ServedConnection, request: Request) -> Response:
        """The answer to a request."""
        if request.path == "/stats":
            return status_page(self._program, link, request)
        return self._responder.respond(request)

    def _tell(self, name: str) -> None:
        if not self._program.options.quiet:
            self._program.screen.error(f"FILE:{printable(name)}")


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

    def on_failure(self, link: ServedConnection, error: TLSError) -> None:
        """Say what went wrong."""
        self._program.handshake_failed(link, error)

    def on_close(self, link: ServedConnection) -> None:  # noqa: ARG002 - the interface
        """It is over."""
        if self._is_told:
            self._program.screen.error("CONNECTION CLOSED")


def status_page(
    program: Program, link: ServedConnection, request: Request, note: str | None = None
) -> Response:
    """The page about the connection, with a note on what was done for it."""
    from handglass.cli.s_server.page import respond  # noqa: PLC0415 - only for those who ask

    return respond(program, link, request, note)
