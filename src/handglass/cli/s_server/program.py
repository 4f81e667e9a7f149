"""s_server: listen, serve every client that comes, and end in good order."""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from handglass.cli.s_server import report
from handglass.cli.s_server.applications import application_for
from handglass.cli.s_server.keyboard import Keyboard
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
from handglass.cli.screen import Screen
from handglass.crypto.hashes import digest
from handglass.handshake.observer import Observer
from handglass.net.server import Application, ServedConnection, Server, ServerOptions
from handglass.observe import advice
from handglass.observe.extensions import ExtensionDump
from handglass.observe.keylog import KeyLog
from handglass.observe.messages import MessageDump
from handglass.observe.several import combined
from handglass.observe.states import StatePrinter
from handglass.observe.wire import WireDump
from handglass.registry.code_points import ProtocolVersion
from handglass.registry.errors import TLSError

if TYPE_CHECKING:
    from handglass.cli.options.s_server import SServerOptions
    from handglass.handshake.session import Session
    from handglass.handshake.state import Negotiated
    from handglass.net.dial.listen import Listener


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
    return 0


class Program:
    """What all connections share: the settings, the screen, the counters, and who is talked to."""

    def __init__(self, settings: Settings, listeners: list[Listener], workers: Workers | None = None) -> None:
        self.settings = settings
        self.options = settings.options
        self.screen = Screen()
        self.counters = report.Counters()
        self.workers = workers or Workers()
        self._talking: list[ServedConnection] = []
        self._has_terminal = is_terminal()
        self._make = application_for(self)
        self._stapling = begin_stapling(settings, self.screen.error)
        self.server = Server(
            listeners,
            settings.config,
            self._make_application,
            options=ServerOptions(
                handshake_timeout=self.options.handshake_timeout or None, accept_at_most=self.options.naccept
            ),
            make_observer=self._observer_maker(),
            on_problem=lambda sentence: self.screen.error(f"s_server: {sentence}"),
            deferred=self._deferred,
        )
        settings.verifier.server = self.server
        self.is_interactive = not (
            self.options.www or self.options.www_files or self.options.http or self.options.rev
        )
        self._keyboard = Keyboard(self, commands=not self.options.quiet) if self.is_interactive else None

    def announce(self, listeners: list[Listener], *, tell_port: bool) -> None:
        """Say that we listen, and with what."""
        if self.options.quiet:
            return
        if self.settings.engine.explanation is not None:
            self.screen.error(f"s_server: {self.settings.engine.explanation}")
        if self.options.sendfile:
            self.screen.error("Warning: sendfile requested but KTLS is not available")
        depth = verify_depth(self.options)
        if depth is not None:
            required = ", must return a certificate" if self.options.verify_required is not None else ""
            self.screen.error(f"verify depth is {depth}{required}")
        lines = ["Using default temp DH parameters"]
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
        with Signals(self):
            if self._keyboard is not None:
                self._keyboard.start()
            self.server.run()
        totals = self.totals
        for others in self.workers.end():
            if others is None:
                self.screen.error("s_server: a worker ended without its counts")
            else:
                totals = totals.plus(others)
        if not self.options.quiet:
            self.screen.text(report.statistics_text(totals))

    def work(self, lifeline: int) -> report.Totals:
        """Serve as one of several, until the first process says so, or is gone."""
        with Signals(self):
            self.server.add(lifeline, Lifeline(lifeline, self.server.stop))
            self.server.run()
        return self.totals

    @property
    def totals(self) -> report.Totals:
        """The numbers of the statistics."""
        return report.Totals.of(self.settings.sessions.memory, self.counters)

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
        if not self.options.quiet:
            self.screen.error("s_server: the certificates were read again")

    def hung_up(self) -> None:
        """SIGHUP: the terminal has gone, or somebody wants the certificates read again."""
        if self._has_terminal and not is_terminal():
            self.server.stop()
        else:
            self.reload()

    def quit(self) -> None:
        """End the server: what is under way may finish."""
        if not self.options.quiet:
            self.screen.error("shutdown accept socket")
        self.server.stop()

    # For connections -------------------------------------------------------------------------------------

    def _make_application(self, link: ServedConnection) -> Application:
        self.counters.accepts += 1
        return self._make(link)

    @property
    def talking_to(self) -> ServedConnection | None:
        """The client that gets what is typed: the newest one."""
        return self._talking[-1] if self._talking else None

    def handshake_done(self, link: ServedConnection, *, again: bool) -> None:
        """Count it; from now on this client is talked to, if any is."""
        self.counters.finished += 1
        if again:
            self.counters.renegotiations += 1
        elif self._keyboard is not None:
            self._talking.append(link)
            self._keyboard.go_on()

    def left(self, link: ServedConnection) -> None:
        """This client is not talked to any more."""
        with suppress(ValueError):
            self._talking.remove(link)

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

    def _observer_maker(self) -> Any:
        options, key_log = self.options, self.settings.key_log
        shown = (options.state, options.debug, options.msg, options.tlsextdebug)
        if not any(shown) and key_log is None:
            return lambda: None

        def make() -> Observer | None:
            found: list[Observer] = []
            if options.state:
                found.append(StatePrinter(sys.stderr, is_client=False))
            if options.debug:
                found.append(WireDump(sys.stdout))
            if options.msg:
                found.append(MessageDump(sys.stdout, max(self.settings.engine.versions)))
            if options.tlsextdebug:
                found.append(ExtensionDump(sys.stdout, "client"))
            if key_log is not None:
                found.append(KeyLog(key_log))
            return combined(found)

        return make


class Signals:
    """SIGINT and SIGTERM end the server in good order, a second one at once; SIGHUP is for the program.

    A signal only writes a byte into a pair of sockets, which wakes the loop.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._before: dict[int, Any] = {}
        self._ours, self._theirs = socket.socketpair()
        self._before_fd = -1

    def __enter__(self) -> None:
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._before_fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
                self._program.server.stop()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The wakeup descriptor tells the loop."""


def is_terminal() -> bool:
    """Whether standard input is a terminal that is still there."""
    try:
        return os.isatty(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: one per client."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
