"""s_time: as many connections as can be made in a given time, new ones and then resumed ones, and what they took.

A first connection, which is not counted, shows whether the server answers at all and which of its addresses does;
if it fails the program ends with the reason. Later failures are counted.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from handglass.cli.file_limit import raise_file_limit
from handglass.cli.s_time import report
from handglass.cli.s_time.settings import Settings, StartError, read_settings
from handglass.cli.screen import Screen
from handglass.handshake.state import Negotiated
from handglass.net.dial import dial
from handglass.net.dial.lookup import Address
from handglass.net.errors import NetError
from handglass.net.load.load import Load, Plan
from handglass.net.load.tally import Tally
from handglass.observe.advice import explain, openssl_line
from handglass.registry.errors import TLSError

if TYPE_CHECKING:
    from types import FrameType

    from handglass.cli.options.s_time import STimeOptions
    from handglass.net.load.connection import TimedConnection

INTERRUPTED = 130
"""The exit status of a program that SIGINT has ended."""
PROGRESS_SECONDS = 0.2


def run(options: STimeOptions) -> int:
    """Run the program; its exit status."""
    screen = Screen()
    if options.starttls == "help":
        from handglass.cli.s_client.reach import list_protocols  # noqa: PLC0415 - rarely wanted

        return list_protocols(screen)
    try:
        settings = read_settings(options)
    except StartError as error:
        screen.error(str(error))
        return 1
    if settings.explanation is not None:
        screen.error(f"s_time: {settings.explanation}")
    if options.verify is not None:
        screen.error(f"s_time: verify depth is {options.verify}")
    raise_file_limit()
    return Timing(options, settings, screen).run()


class Timing:
    """One run of the program: new sessions, reused ones, or one after the other."""

    def __init__(self, options: STimeOptions, settings: Settings, screen: Screen) -> None:
        self._options = options
        self._settings = settings
        self._screen = screen
        self._progress = Progress(screen)
        self._failed = False
        self._load: Load | None = None

    def run(self) -> int:
        """Time what is to be timed; the exit status."""
        interrupted = False
        try:
            if not self._options.reuse:
                self._screen.text(report.heading(self._options.time))
                interrupted = self._time(reusing=False)
            if not self._options.new and not interrupted:
                self._screen.text(report.REUSE_HEADING)
                interrupted = self._time(reusing=True)
        except (NetError, TLSError) as error:
            self._complain(error)
            return 1
        finally:
            if self._load is not None:
                self._load.close()
        if interrupted:
            return INTERRUPTED
        return 1 if self._failed else 0

    def _time(self, *, reusing: bool) -> bool:
        """Time new or reused sessions; whether somebody interrupted it. Raises NetError, TLSError."""
        load = self._ready()
        if reusing:
            load.collect_sessions()
            self._screen.text(report.STARTING)
            if not load.has_sessions:
                self._screen.error(
                    "s_time: the server gives nothing to resume by: these handshakes are full ones"
                )
        self._progress.begin()
        with until_interrupted(load):
            tally = load.run(self._options.time, resuming=reusing, tell=self._progress.tell)
        self._progress.end()
        verifier = self._settings.verifier
        outcomes = verifier.take_outcomes() if verifier is not None else {}
        self._screen.text(report.summary(tally))
        self._screen.error(report.table(tally, outcomes, reusing=reusing))
        if tally.last_error is not None or not tally.connections:
            self._failed = True
        if tally.last_error is not None:
            self._screen.error(f"s_time: {report.failed_sentence(tally)}")
        return load.stopped

    def _ready(self) -> Load:
        """The load, after its first connection. Raises NetError, TLSError."""
        if self._load is not None:
            return self._load
        settings, options = self._settings, self._options
        dialled = dial(settings.target, settings.dial)
        assert isinstance(dialled.address, Address)  # noqa: S101 - a target with a port has no other; for the type checker
        plan = Plan(
            dialled.address,
            str(settings.target),
            settings.config,
            settings.request,
            settings.prelude,
            connect_seconds=options.connect_timeout or None,
            prelude_seconds=options.starttls_timeout or None,
            handshake_seconds=options.handshake_timeout or None,
            answer_seconds=options.answer_timeout or None,
        )
        self._load = Load(plan, options.parallel)
        self._load.try_out(dialled.socket)
        return self._load

    def _complain(self, error: NetError | TLSError) -> None:
        """Say why there is nothing to measure: OpenSSL's words for scripts, then a sentence."""
        self._screen.error("ERROR")
        if isinstance(error, NetError):
            self._screen.error(f"s_time: {error.sentence}")
            return
        self._screen.error(openssl_line(error, "s_time"))
        first = self._load.first if self._load is not None else None
        for line in explain(error, first.negotiated if first is not None else Negotiated(is_client=True)):
            self._screen.error(f"s_time: {line}")


class Progress:
    """What is seen while it runs: a line on a terminal, and OpenSSL's characters wherever else the output goes.

    Both are written only a few times a second: to wake up whoever reads them costs as much as a connection.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._is_watched = sys.stderr.isatty()
        self._shows_marks = not (self._is_watched and sys.stdout.isatty())
        self._marks: list[str] = []
        self._began = self._next = 0.0

    def begin(self) -> None:
        """A run begins."""
        self._began = self._next = time.monotonic()

    def tell(self, tally: Tally, completed: list[TimedConnection]) -> None:
        """Take note of a turn of the run, and show what is due."""
        if self._shows_marks:
            self._marks += [report.mark(each.version, resumed=each.resumed) for each in completed]
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_SECONDS
            self._show(report.progress(tally, now - self._began))

    def end(self) -> None:
        """The run is over: show what is left, and clear the line."""
        self._show("")

    def _show(self, line: str) -> None:
        if self._marks:
            self._screen.text("".join(self._marks))
            self._marks.clear()
        if self._is_watched:
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()


@contextmanager
def until_interrupted(load: Load) -> Iterator[None]:
    """Let the first SIGINT end a run in good order, and the next one as usual."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        load.stopped = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
