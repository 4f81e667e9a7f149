"""s_server: listen, serve every client that comes, and end in good order."""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from handglass.cli.file_limit import raise_file_limit
from handglass.cli.protocol.protocol_details import read_size
from handglass.cli.randomness import RandomnessError, write
from handglass.cli.s_server import report
from handglass.cli.s_server.applications import application_for
from handglass.cli.s_server.certificates import can_serve_nobody
from handglass.cli.s_server.keyboard import Keyboard
from handglass.cli.s_server.observers import observer_maker
from handglass.cli.s_server.screen import ServerScreen
from handglass.cli.s_server.sessions import prefix_lines
from handglass.cli.s_server.settings import (
    Settings,
    StartError,
    listen,
    listen_again,
    read_settings,
    reload_certificates,
)
from handglass.cli.s_server.stapling import begin_stapling
from handglass.cli.s_server.verification import verify_depth
from handglass.cli.s_server.workers import Lifeline, Workers
from handglass.crypto.hashes import digest
from handglass.net.errors import span
from handglass.net.server import Application, ServedConnection, Server, ServerOptions, Wait
from handglass.observe import advice
from handglass.registry.code_points import ProtocolVersion
from handglass.registry.errors import TLSError
from handglass.verify.result import VerifyResult

if TYPE_CHECKING:
    from handglass.cli.options.s_server import SServerOptions
    from handglass.handshake.session import Session
    from handglass.handshake.state import Negotiated
    from handglass.net.dial.listen import Listener

HTTP_IDLE = 60.0
"""Seconds that an HTTP client may do nothing if -idle_timeout does not say otherwise."""
WAITS = {Wait.HANDSHAKE: "DELAY\n", Wait.READ: "Read BLOCK\n", Wait.WRITE: "Write BLOCK\n"}
"""OpenSSL's words for what -nbio shows."""
NOBODY = (
    "s_server: -nocert: each suite that is enabled needs a certificate, so every handshake will fail "
    "(no shared cipher)"
)


def run(options: SServerOptions) -> int:
    """Run the program; its exit status."""
    try:
        settings = read_settings(options)
        listeners, tell_port = listen(options)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    raise_file_limit()
    workers = Workers()
    if options.workers > 1:
        sets = [listen_again(listeners) for _ in range(options.workers - 1)]
        workers.start(sets, lambda own, lifeline: Program(settings, own).work(lifeline), listeners)
    program = Program(settings, listeners, workers)
    program.announce(listeners, tell_port=tell_port)
    program.run()
    if options.writerand is not None:
        try:
            write(options.writerand)
        except RandomnessError as error:
            sys.stderr.write(f"s_server: {error}\n")
            return 1
    return 0


class Program:
    """What all connections share: the settings, the screen, the counters, and who is talked to."""

    def __init__(self, settings: Settings, listeners: list[Listener], workers: Workers | None = None) -> None:
        self.settings = settings
        self.options = settings.options
        self.screen = ServerScreen()
        self.counters = report.Counters()
        self.workers = workers or Workers()
        self._is_worker = False
        self._talking: dict[ServedConnection, None] = {}
        self._has_terminal = is_terminal()
        self._make = application_for(self)
        settings.tell_with(self.screen)
        self._stapling = begin_stapling(settings, self.screen.error)
        self.server = Server(
            listeners,
            settings.config,
            self._make_application,
            options=self._server_options(),
            make_observer=observer_maker(settings, self.screen),
            on_problem=lambda sentence: self.screen.error(f"s_server: {sentence}"),
            deferred=self._deferred,
        )
        self.server.add(self.screen.descriptor, self.screen)
        self.screen.on_room = self.server.release
        settings.verifier.server = self.server
        self.is_interactive = not (
            self.options.www or self.options.www_files or self.options.http or self.options.rev
        )
        self._keyboard = Keyboard(self, commands=not self.options.quiet) if self.is_interactive else None

    def announce(self, listeners: list[Listener], *, tell_port: bool) -> None:
        """Say that we listen, and with what."""
        if self.options.quiet:
            return
        for line in prefix_lines(self.options):
            self.screen.error(line)
        if can_serve_nobody(self.settings.config):
            self.screen.error(NOBODY)
        if self.settings.engine.explanation is not None:
            self.screen.error(f"s_server: {self.settings.engine.explanation}")
        if self.options.sendfile:
            self.screen.error("Warning: sendfile requested but KTLS is not available")
        depth = verify_depth(self.options)
        if depth is not None:
            required = ", must return a certificate" if self.options.verify_required is not None else ""
            self.screen.error(f"verify depth is {depth}{required}")
        lines = []
        if not self.options.no_dhe:
            verb = "Using default" if self.settings.config.dh_parameters is None else "Setting"
            lines.append(f"{verb} temp DH parameters")
        if self.settings.is_throwaway:
            fingerprint = digest("sha256", self.settings.certificates.default[0].certificate).hex(":").upper()
            lines.append("Throwaway certificate for localhost, 127.0.0.1 and ::1, good for this run")
            lines.append(f"SHA256 Fingerprint={fingerprint}")
        for listener in listeners:
            shown = tell_port or listener.path is not None
            lines.append(f"ACCEPT {listener.name}" if shown else "ACCEPT")
        self.screen.text("".join(line + "\n" for line in dict.fromkeys(lines)))

    def run(self) -> None:
        """Serve until the end."""
        self.workers.watch(self.server, lambda sentence: self.screen.error(f"s_server: {sentence}"))
        with Signals(self, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if self._keyboard is not None:
                self._keyboard.start()
            self.server.run()
        totals = self.totals
        for others in self.workers.end():
            if others is None:
                self.screen.error("s_server: the counts of a worker that was ended are missing here")
            else:
                totals = totals.plus(others)
        if not self.options.quiet:
            self.screen.text(report.statistics_text(totals))
        self.screen.close()

    def work(self, lifeline: int) -> report.Totals:
        """Serve as one of several, until the first process says so, or is gone."""
        self._is_worker = True
        Lifeline(lifeline, self.server)
        with Signals(self, signal.SIGTERM, signal.SIGHUP):
            self.server.run()
        self.screen.close()
        return self.totals

    @property
    def totals(self) -> report.Totals:
        """The numbers of the statistics."""
        external = self.settings.sessions.external
        hits = 0 if external is None else external.hits
        return report.Totals.of(self.settings.sessions.memory, self.counters, hits)

    def reload(self) -> None:
        """Read the certificates again, for connections that begin later."""
        self.workers.signal(signal.SIGHUP)
        try:
            reload_certificates(self.settings)
        except StartError as error:
            self.screen.error(f"{error}\ns_server: the certificates stay as they were")
            return
        self.server.config = self.settings.config
        if self._stapling is not None:
            self._stapling.prepare(self.settings.certificates.all)
        if not self.options.quiet and not self._is_worker:
            self.screen.error("s_server: the certificates were read again")

    def hung_up(self) -> None:
        """SIGHUP: the terminal has gone, or somebody wants the certificates read again."""
        if self._has_terminal and not is_terminal():
            self.stop()
        else:
            self.reload()

    def stop(self) -> None:
        """End, with all workers: what is under way may finish; twice: at once."""
        self.workers.stop()
        self.server.stop()

    def quit(self) -> None:
        """End the server: what is under way may finish."""
        if not self.options.quiet:
            self.screen.error("shutdown accept socket")
        self.stop()

    # For connections -------------------------------------------------------------------------------------

    def _make_application(self, link: ServedConnection) -> Application:
        self.counters.accepts += 1
        if self.options.nbio and not self.options.quiet:
            self.screen.error("Turned on non blocking io")
        return self._make(link)

    @property
    def talking_to(self) -> ServedConnection | None:
        """The client that gets what is typed: the one that has been there longest, as with OpenSSL.

        Nobody takes the keyboard from another one by connecting.
        """
        return next(iter(self._talking), None)

    def handshake_done(self, *, again: bool) -> None:
        """Count it."""
        self.counters.finished += 1
        if again:
            self.counters.renegotiations += 1

    def talk_to(self, link: ServedConnection) -> None:
        """What is typed goes to this client once it is its turn, or may go on to it."""
        if link not in self._talking:
            self._talking[link] = None
            if len(self._talking) > 1:
                self._tell_whose_turn("still goes")
        self.keyboard_goes_on()

    def keyboard_goes_on(self) -> None:
        """What was typed may have waited for this."""
        if self._keyboard is not None:
            self._keyboard.go_on()

    def left(self, link: ServedConnection) -> None:
        """This client is not talked to any more; another one may be."""
        if link in self._talking:
            had_the_keyboard = link is self.talking_to
            del self._talking[link]
            if had_the_keyboard:
                self._tell_whose_turn("now goes")
            self.keyboard_goes_on()

    def _tell_whose_turn(self, goes: str) -> None:
        """Several clients are or were there: who gets what is typed, if anything still is."""
        client = self.talking_to
        typing = self._keyboard is not None and self._keyboard.is_open
        if client is not None and typing and not self.options.quiet:
            self.screen.error(f"s_server: what is typed {goes} to {client.peer}; q ends that connection")

    def idle(self, link: ServedConnection) -> None:
        """A client has done nothing for as long as -idle_timeout allows."""
        limit = self.options.idle_timeout
        if limit is not None:
            self.screen.error(
                f"s_server: {link.peer}: the client did nothing for {span(limit)} and was let go (-idle_timeout)"
            )

    def handshake_failed(self, link: ServedConnection, error: TLSError) -> None:
        """A handshake that failed, in OpenSSL's words."""
        self.screen.error("ERROR")
        self.complain(link, error)

    def complain(self, link: ServedConnection, error: TLSError) -> None:
        """What went wrong: OpenSSL's line, then who, what and what to do."""
        connection = link.connection
        self.screen.error(advice.openssl_line(error, connection.state.replace(" ", "_")))
        for line in advice.explain(error, connection.negotiated):
            self.screen.error(f"s_server: {link.peer}: {line}")

    def summary_of(self, link: ServedConnection) -> str:
        """What -brief says of a connection."""
        verdict = link.verdict if isinstance(link.verdict, VerifyResult) else None
        text = report.brief_text(link.connection.negotiated, verdict, self.settings.verifier.name_flags)
        return text.rstrip("\n")

    def session_of(self, agreed: Negotiated) -> Session | None:
        """The session that was just made or resumed."""
        if agreed.version == ProtocolVersion.TLS1_3:
            return self.settings.sessions.take_last()
        return agreed.session

    def _deferred(self) -> frozenset[str]:
        """The questions whose answers may have to be fetched from other servers."""
        questions = {"verification"} if self.settings.verifier.may_wait else set()
        if self._stapling is not None and self._stapling.may_wait:
            questions.add("status")
        return frozenset(questions)

    def _server_options(self) -> ServerOptions:
        options = self.options
        tells_waits = (options.nbio or options.nbio_test) and not options.quiet
        return ServerOptions(
            handshake_timeout=options.handshake_timeout or None,
            idle_timeout=HTTP_IDLE if options.idle_timeout is None else options.idle_timeout or None,
            accept_at_most=options.naccept,
            read_size=read_size(options),
            on_wait=(lambda _, wait: self.screen.text(WAITS[wait])) if tells_waits else None,
            reluctant=options.nbio_test,
        )


class Signals:
    """SIGINT and SIGTERM end the server in good order, a second one at once; SIGHUP is for the program.

    A signal only writes a byte into a pair of sockets, which wakes the loop.
    """

    def __init__(self, program: Program, *numbers: signal.Signals) -> None:
        self._program = program
        self._numbers = numbers
        self._before: dict[int, Any] = {}
        self._ours, self._theirs = socket.socketpair()
        self._before_fd = -1

    def __enter__(self) -> None:
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._before_fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        for number in self._numbers:
            self._before[number] = signal.signal(number, _nothing)
        self._program.server.add(self._ours.fileno(), self)

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """A signal has come."""
        for number in self._ours.recv(64):
            if number == signal.SIGHUP:
                self._program.hung_up()
            elif number in self._before:
                self._program.stop()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The wakeup descriptor tells the loop."""


def is_terminal() -> bool:
    """Whether standard input is a terminal that is still there."""
    try:
        return os.isatty(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return False
