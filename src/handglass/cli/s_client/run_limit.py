"""-run_timeout: a time limit for everything that the program does, wherever it is when the time is over.

The system's alarm is one more way to interrupt the program: it ends any wait, also one for the reader of our output,
with an exception that no one else catches.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from handglass.net.errors import span
from handglass.net.interrupts import interrupt


class RunOver(BaseException):
    """The time for the whole run is over. The text is a sentence. No `except Exception` on the way shall see it."""


@contextmanager
def run_limit(seconds: float) -> Iterator[None]:
    """Raise RunOver once when so many seconds have passed; 0: never."""
    if not seconds:
        yield
        return

    def over(_number: int, _frame: object) -> None:
        interrupt(RunOver(f"the run was not done within {span(seconds)} (-run_timeout)"))

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
