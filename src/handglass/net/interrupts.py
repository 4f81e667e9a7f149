"""Ctrl-C and the signals that ask a program to end, acted upon only where that does no harm.

Strategy: a signal may come at any moment, also while the engine is half through a record; an exception raised there
would leave a connection that cannot say goodbye any more. So a signal is only noted, and raised as `Interrupted` where
the program waits (`interruptible`), or at once where nothing can break. Raising it takes that permission away, so that
a second signal does not break off the goodbye.

Signals are the process's, and so is what this module keeps; it is for the main thread, where Python handles signals.
Until `install` is called nothing is different from Python's own ways.

It is the first thing that a program loads, so it takes the built-in half of `signal`, which needs no other module.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stubs: it is CPython's and PyPy's own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

ENDING = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
"""The signals that ask a program to end. Those that are ignored when it starts (nohup) stay ignored."""


class Interrupted(KeyboardInterrupt):
    """The program was asked to end by a signal. `status`: the exit status that says so, as a shell counts."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.status = 128 + number


class _State:
    """What this process keeps.

    The interruption that is still to be raised, the one that was raised last, and whether one may be raised now.
    """

    noted: BaseException | None = None
    raised: BaseException | None = None
    open: bool = False


def install() -> None:
    """Take over the signals that ask the program to end; from now on they wait for `interruptible`."""
    for number in ENDING:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, _arrived)


def ignore() -> None:
    """Ignore those signals from now on: the program is at its end."""
    for number in ENDING:
        if _signal.getsignal(number) is _arrived:
            _signal.signal(number, _signal.SIG_IGN)


def interrupt(reason: BaseException) -> None:
    """Raise this (from a signal's handler) now or as soon as the program may be interrupted."""
    if _State.noted is None:
        _State.noted = reason
    if _State.open:
        _raise()


def _raise() -> None:
    reason, _State.noted = _State.noted, None
    if reason is not None:
        _State.open, _State.raised = False, reason
        raise reason


def _arrived(number: int, _frame: FrameType | None) -> None:
    interrupt(Interrupted(number))


class _Stretch:
    """A stretch of the program in which it may or may not be interrupted; stretches may stand in each other."""

    __slots__ = ("_before",)
    _may_be_interrupted = False

    def __enter__(self) -> None:
        self._before = _State.open
        _State.open = self._may_be_interrupted
        if self._may_be_interrupted:
            _raise()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if value is None or value is not _State.raised:
            _State.open = self._before
        if value is None and self._before:
            _raise()


class interruptible(_Stretch):  # noqa: N801 - reads like what it is, a statement
    """`with interruptible():` something waits here, and an interruption may break the wait off."""

    __slots__ = ()
    _may_be_interrupted = True


class held(_Stretch):  # noqa: N801 - reads like what it is, a statement
    """`with held():` what is done here is done whole; only waits in it are `interruptible`."""

    __slots__ = ()
