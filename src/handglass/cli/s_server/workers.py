"""-workers: several processes on one port, each with an event loop of its own.

Strategy: all is read and opened before the processes part, so they share the configuration and the key of the
tickets: a session that one has begun, another resumes. Each has its own listening sockets on the common port
(SO_REUSEPORT), among which the system spreads the connections. A pipe ties each worker to the first process:
when that is gone, the worker ends; and through another it hands over its counts at its end.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from handglass.cli.s_server.report import Totals
from handglass.net.dial.listen import Listener

LAYOUT = struct.Struct("!9Q")


class Lifeline:
    """Ends a worker when the process that started it has gone."""

    def __init__(self, descriptor: int, stop: Callable[[], None]) -> None:
        self.descriptor = descriptor
        self._stop = stop

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only its end is waited for
        """The other end was closed."""
        self._stop()


class Worker:
    """A worker, seen from the process that started it."""

    def __init__(self, pid: int, counts: int) -> None:
        self.pid = pid
        self._counts = counts

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def join(self) -> Totals | None:
        """Wait for its end; what it has counted, None if it could not say."""
        data = b""
        while piece := os.read(self._counts, LAYOUT.size):
            data += piece
        os.close(self._counts)
        os.waitpid(self.pid, 0)
        return Totals(*LAYOUT.unpack(data)) if len(data) == LAYOUT.size else None


class Workers:
    """The workers beside the first process."""

    def __init__(self) -> None:
        self._members: list[Worker] = []
        self._lifeline: int | None = None

    def start(
        self,
        sets: Sequence[list[Listener]],
        work: Callable[[list[Listener], int], Totals],
        own: list[Listener],
    ) -> None:
        """Start one worker for each set of listeners; `work(listeners, lifeline)` is all that it does."""
        reading, self._lifeline = os.pipe()
        for listeners in sets:
            counts, handing_over = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(counts)
                os.close(self._lifeline)
                others = [each for other in sets if other is not listeners for each in other]
                _be_a_worker(listeners, [*own, *others], work, reading, handing_over)
            os.close(handing_over)
            self._members.append(Worker(pid, counts))
        os.close(reading)
        for listeners in sets:
            for listener in listeners:
                listener.close()

    def signal(self, number: signal.Signals) -> None:
        """Send all of them a signal."""
        for worker in self._members:
            worker.signal(number)

    def end(self) -> list[Totals | None]:
        """Let them finish what is under way, and wait for that."""
        self.signal(signal.SIGTERM)
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        members, self._members = self._members, []
        return [worker.join() for worker in members]


def _be_a_worker(
    listeners: list[Listener],
    others: list[Listener],
    work: Callable[[list[Listener], int], Totals],
    lifeline: int,
    handing_over: int,
) -> None:
    """The life of a worker, which never returns to what the first process was doing."""
    status = 1
    try:
        # Ctrl-C reaches the whole group: the first process decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for other in others:
            other.close()
        totals = work(listeners, lifeline)
        os.write(handing_over, LAYOUT.pack(*totals))
        status = 0
    except Exception as error:
        sys.stderr.write(f"s_server: a worker failed: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(status)
