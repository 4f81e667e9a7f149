"""s_client: connect, show everything about the connection, talk.

One `Visit` is one connection from dialling to its end; -reconnect makes several.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from handglass.cli.s_client.settings import Settings, StartError, complain, read_settings
from handglass.cli.s_client.visit import Visit
from handglass.cli.screen import Screen
from handglass.handshake.session import Session
from handglass.net.dial import ConnectError, DialOptions, dial
from handglass.net.errors import NetError

if TYPE_CHECKING:
    from handglass.cli.options.s_client import SClientOptions

RECONNECTIONS = 5
TICKET_SECONDS = 2.0
"""How long -reconnect and -sess_out wait for a ticket in TLS 1.3."""


def run(options: SClientOptions) -> int:
    """Run the program; its exit status."""
    try:
        settings = read_settings(options)
    except StartError as error:
        return complain(error)
    screen = Screen()
    if settings.engine.explanation is not None:
        screen.error(f"s_client: {settings.engine.explanation}")
    if options.verify is not None:
        screen.error(f"verify depth is {options.verify}")
    tour = Tour(settings, screen)
    try:
        return tour.run()
    except (KeyboardInterrupt, BrokenPipeError):
        tour.leave()
        raise


class Tour:
    """The connections of one run: one, or with -reconnect several that resume what the one before got."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self._settings = settings
        self._screen = screen
        self._session, self._outcome = settings.config.session, settings.session_outcome
        self._visit: Visit | None = None

    def run(self) -> int:
        """Make them all; the exit status."""
        again = self._settings.options.reconnect
        for turn in range(RECONNECTIONS if again else 0):
            visit = self._open(again=turn > 0)
            if visit is None:
                return 1
            if not visit.shake_hands():
                return visit.finish()
            visit.wait_for_session(TICKET_SECONDS)
            self._session, self._outcome = visit.session or self._session, visit.outcome
            visit.leave()
            self._screen.text("drop connection and then reconnect\n")
        visit = self._open(again=again)
        if visit is None:
            return 1
        if visit.shake_hands():
            visit.talk()
        return visit.finish()

    def leave(self) -> None:
        """Say goodbye to the server when the run is broken off."""
        if self._visit is not None:
            self._visit.leave()

    def _open(self, *, again: bool) -> Visit | None:
        self._visit = open_visit(self._settings, self._screen, self._session, self._outcome, again=again)
        return self._visit


def open_visit(
    settings: Settings, screen: Screen, session: Session | None, outcome: int | None, *, again: bool
) -> Visit | None:
    """Connect; None if that failed, which has been said then. `outcome`: what the session says of the peer."""
    limit = settings.options.connect_timeout or None
    began = time.monotonic()
    try:
        dialled = dial(settings.target, DialOptions(lookup_seconds=limit, connect_seconds=limit))
    except NetError as error:
        report_unreachable(screen, error)
        return None
    seconds = time.monotonic() - began
    if not settings.options.quiet and not settings.options.brief:
        screen.text(f"CONNECTED({dialled.socket.fileno():08X})\n")
    return Visit(
        settings,
        screen,
        dialled.socket,
        session,
        short=again,
        connect_seconds=seconds,
        earlier=outcome,
    )


def report_unreachable(screen: Screen, error: NetError) -> None:
    """OpenSSL's lines for scripts, then the sentence, then each address that was tried."""
    if error.errno:
        words = f"{0x80000000 + error.errno:08X}:system library:connect:{error.reason}:handglass:0:"
    else:
        words = f"10080002:BIO routines:lookup:system lib:handglass:0:{error.reason}"
    screen.error(f"{0:016X}:error:{words}")
    screen.error(f"connect:errno={error.errno}")
    screen.error(f"s_client: {error.sentence}")
    if isinstance(error, ConnectError) and len(error.attempts) > 1:
        for attempt in error.attempts:
            screen.error(f"s_client:   {attempt}")
