"""The application without -www and its kin: every client is shown, its data printed, and one is talked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.cli.keying_material import keying_material
from handglass.cli.s_server import report
from handglass.handshake.events import (
    EarlyDataEnded,
    Event,
    HeartbeatAnswered,
    PostHandshakeAuthenticationCompleted,
)
from handglass.net.server import Application, ServedConnection
from handglass.registry import reasons
from handglass.registry.errors import PeerError, TLSError
from handglass.verify.result import VerifyResult

if TYPE_CHECKING:
    from handglass.cli.s_server.program import Program

MOST_UNREAD = 1 << 16
"""Bytes that are taken from one client while nobody reads standard output."""


class Interactive(Application):
    """One client."""

    def __init__(self, program: Program) -> None:
        self.idle_limit = program.options.idle_timeout is not None
        self._program = program
        self._greeted = False
        self._handshakes = 0
        self._early: list[bytes] | None = None
        self._early_ended = False
        self._unread = 0

    def on_handshake(self, link: ServedConnection) -> None:
        """Show everything about the connection; from now on it can be talked to."""
        self._handshakes += 1
        self._program.handshake_done(again=self._handshakes > 1)
        if not self._program.options.quiet:
            self._report(link)
        elif self._program.options.brief:
            self._program.screen.error(self._program.summary_of(link))
        self._program.talk_to(link)

    def _report(self, link: ServedConnection) -> None:
        program = self._program
        verdict = link.verdict if isinstance(link.verdict, VerifyResult) else None
        agreed = link.connection.negotiated
        session = program.session_of(agreed)
        config = program.settings.config
        flags = program.settings.verifier.name_flags
        text = report.connection_text(config, agreed, session, verdict, flags)
        text += keying_material(program.options, link.connection)
        if self._handshakes == 1:
            text = self._greeting(link) + self._early_data_text(link) + text
        program.screen.text(text)

    @property
    def takes_data(self) -> bool:
        """While nobody reads what we print, only a little: who says few words is heard to his end."""
        screen = self._program.screen
        return not screen.is_full or (self._unread < MOST_UNREAD and not screen.is_overfull)

    def on_data(self, link: ServedConnection, data: bytes, *, early: bool) -> None:
        """Print it."""
        if early and not self._program.options.quiet:
            self._program.screen.text(self._greeting(link))
            if self._early is None:
                self._early = []
                self._program.screen.text("Early data received:\n")
        screen = self._program.screen
        screen.data(data)
        self._unread = self._unread + len(data) if screen.is_full else 0

    def on_event(self, link: ServedConnection, event: Event) -> None:  # noqa: ARG002 - the interface
        """The end of early data, and a certificate that was asked for later."""
        if isinstance(event, EarlyDataEnded):
            if not self._program.options.quiet and self._early is not None:
                self._program.screen.text("\nEnd of early data\n")
            self._early_ended = True
        elif isinstance(event, HeartbeatAnswered):
            self._say("The client has answered the heartbeat\n")
        elif isinstance(event, PostHandshakeAuthenticationCompleted) and not self._program.options.quiet:
            self._show_certificate(event)

    def on_end(self, link: ServedConnection, *, clean: bool) -> None:
        """The client has gone."""
        if clean or self._program.options.ignore_unexpected_eof:
            self._say("DONE\n")
        else:
            self._say("ERROR\n")
            if not self._program.options.quiet:
                self._program.complain(link, PeerError(reasons.UNEXPECTED_EOF))
        link.close()

    def on_failure(self, link: ServedConnection, error: TLSError) -> None:
        """Say what went wrong."""
        if self._handshakes:
            self._say("ERROR\n")
            self._program.complain(link, error)
        else:
            self._say(self._greeting(link))
            self._program.handshake_failed(link, error)

    def on_room(self, link: ServedConnection) -> None:  # noqa: ARG002 - the interface
        """More of what was typed may go out."""
        self._program.keyboard_goes_on()

    def on_idle(self, link: ServedConnection) -> None:
        """Nothing has come or gone for too long."""
        self._program.idle(link)
        self._say("DONE\n")

    def on_stop(self, link: ServedConnection) -> None:
        """The server is about to end."""
        self._say("DONE\n")
        link.close()

    def on_close(self, link: ServedConnection) -> None:
        """It is over."""
        self._say("shutting down SSL\nCONNECTION CLOSED\n")
        self._program.left(link)

    def _greeting(self, link: ServedConnection) -> str:
        if self._greeted:
            return ""
        self._greeted = True
        program = self._program
        agreed = link.connection.negotiated
        return report.hello_text(program.settings.config, agreed, program.options.servername)

    def _early_data_text(self, link: ServedConnection) -> str:
        """What became of early data, if the server takes any."""
        if not self._program.options.early_data or self._early_ended:
            return ""
        status = link.connection.negotiated.early_data
        return "Early data was rejected\n" if status == "rejected" else "No early data received\n"

    def _show_certificate(self, event: PostHandshakeAuthenticationCompleted) -> None:
        if event.chain:
            flags = self._program.settings.verifier.name_flags
            self._say("Client certificate\n" + report.certificate_text(event.chain[0], flags))
        else:
            self._say("The client sent no certificate\n")

    def _say(self, text: str) -> None:
        if not self._program.options.quiet and text:
            self._program.screen.text(text)
