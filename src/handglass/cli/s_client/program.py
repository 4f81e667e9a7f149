"""s_client: connect, show everything about the connection, talk.

One `Visit` is one connection from dialling to its end; -reconnect makes several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.cli.randomness import RandomnessError, write
from handglass.cli.s_client.keyboard import Commands, Keyboard
from handglass.cli.s_client.reach import go, list_protocols, report_unreachable
from handglass.cli.s_client.run_limit import RunOver, run_limit
from handglass.cli.s_client.settings import Settings, StartError, complain, read_settings
from handglass.cli.s_client.visit import Visit, report_nothing
from handglass.cli.screen import Screen
from handglass.handshake.session import Session
from handglass.net.errors import NetError
from handglass.net.interrupts import held, interruptible
from handglass.observe.wire import WireDump

if TYPE_CHECKING:
    from handglass.cli.options.s_client import SClientOptions

RECONNECTIONS = 5
TICKET_SECONDS = 2.0
"""How long a connection that is to be resumed waits for a ticket in TLS 1.3."""


def run(options: SClientOptions) -> int:
    """Run the program; its exit status."""
    screen = Screen()
    if options.starttls == "help":
        return list_protocols(screen)
    tour: Tour | None = None
    try:
        with run_limit(options.run_timeout):
            settings = read_settings(options)
            _introduce(settings, screen)
            if options.dane_lookup:
                from handglass.cli.s_client.tlsa import with_tlsa  # noqa: PLC0415 - few ask the DNS

                settings = with_tlsa(settings, screen)
            tour = Tour(settings, screen)
            with held():
                status = tour.run()
            if options.writerand is not None:
                write(options.writerand)
            return status
    except StartError as error:
        return complain(error)
    except RandomnessError as error:
        screen.error(f"s_client: {error}")
        return 1
    except RunOver as over:
        if tour is not None:
            tour.break_off()
        screen.error(f"s_client: {over}")
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        if tour is not None:
            tour.break_off()
        raise


def _introduce(settings: Settings, screen: Screen) -> None:
    """What is to be said before a socket is opened."""
    options = settings.options
    if settings.engine.explanation is not None:
        screen.error(f"s_client: {settings.engine.explanation}")
    if options.verify is not None:
        screen.error(f"verify depth is {options.verify}")
    if options.ctlogfile is not None and not options.ct:
        screen.error("s_client: -ctlogfile has no effect without -ct")
    if options.tfo and not settings.way.dial.fast_open:
        screen.error("s_client: -tfo has no effect with -starttls: it is the server that speaks first")


class Tour:
    """The connections of one run: one, or with -reconnect several that resume what the one before got."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self._settings = settings
        self._screen = screen
        self._session, self._outcome = settings.config.session, settings.session_outcome
        self._visit: Visit | None = None
        self._keyboard = _keyboard(settings.options)

    def run(self) -> int:
        """Make them all; the exit status."""
        for turn in range(RECONNECTIONS if self._settings.options.reconnect else 0):
            visit = self._open(again=turn > 0)
            if visit is None:
                return 1
            if not visit.shake_hands():
                return visit.finish()
            self._part(visit)
            self._screen.text("drop connection and then reconnect\n")
        visit = self._open(again=self._settings.options.reconnect)
        while visit is not None:
            if visit.shake_hands():
                visit.talk(self._keyboard)
            if not visit.wants_another:
                return visit.finish()
            self._part(visit)
            visit = self._open(again=True)
        return 1

    def break_off(self) -> None:
        """Say goodbye to the server when the run is interrupted."""
        if self._visit is not None:
            self._visit.break_off()

    def _part(self, visit: Visit) -> None:
        """Leave with something to resume by, if there is anything to be had."""
        visit.wait_for_session(TICKET_SECONDS)
        self._session, self._outcome = visit.session or self._session, visit.outcome
        visit.leave()

    def _open(self, *, again: bool) -> Visit | None:
        self._visit = open_visit(self._settings, self._screen, self._session, self._outcome, again=again)
        return self._visit


def _keyboard(options: SClientOptions) -> Keyboard:
    """Standard input; without letters where nobody is expected to type."""
    commands = Commands.BASIC
    if options.adv:
        commands = Commands.ADVANCED
    elif options.nocommands or options.ign_eof:
        commands = Commands.NONE
    return Keyboard(commands, crlf=options.crlf, reads=not options.no_interactive)


def open_visit(
    settings: Settings, screen: Screen, session: Session | None, outcome: int | None, *, again: bool
) -> Visit | None:
    """Connect; None if that failed, which has been said then. `outcome`: what the session says of the peer."""
    talkative = not (settings.options.quiet or settings.options.brief)
    try:
        with interruptible():
            wire = WireDump(screen.out) if settings.options.debug else None
            reached = go(settings.way, screen, talkative=talkative or wire is not None, wire=wire)
    except NetError as error:
        report_unreachable(screen, error)
        if settings.options.prexit and talkative:
            report_nothing(screen)
        return None
    return Visit(settings, screen, reached, session, short=again, earlier=outcome)
