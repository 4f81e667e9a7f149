"""-workers: several processes on one port, each with an event loop of its own.

Strategy: all is read and opened before the processes part, so they share the configuration and the key of the
tickets: a session that one has begun, another resumes. Each has its own listening sockets on the common port
(SO_REUSEPORT), among which the system spreads the connections. A pipe ties each worker to the first process:
when that is gone, the worker ends; and through another it hands over its counts at its end. A worker that ends before
its time is told of and not replaced: what is wrong with one would be wrong with the next.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from handglass.cli.s_server.report import Totals
from handglass.net.dial.listen import Listener
from handglass.net.server import Server

END_SECONDS = 10.0
"""How long workers may take to end once the first process has; twice what a server needs to finish what it does."""
LAYOUT = struct.Struct("!9Q")


class Lifeline:
    """Ends a worker when the process that started it has gone."""

    def __init__(self, descriptor: int, server: Server) -> None:
        self._descriptor = descriptor
        self._server = server
        server.add(descriptor, self)

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only its end is waited for
        """The other end was closed."""
        self._server.remove(self._descriptor)
        self._server.stop()


class Worker:
    """A worker, seen from the process that started it."""

    def __init__(self, pid: int, counts: int) -> None:
        self.pid = pid
        self._counts = counts
        self._heard = b""
        self._ended: str | None = None
        self._watching: tuple[Server, Callable[[str], None]] | None = None

    @property
    def totals(self) -> Totals | None:
        """What it has counted; None if it did not come to say so."""
        return Totals(*LAYOUT.unpack(self._heard)) if len(self._heard) == LAYOUT.size else None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._ended is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def watch(self, server: Server, tell: Callable[[str], None]) -> None:
        """Have `server` look after it; `tell` gets a sentence should it end."""
        self._watching = server, tell
        server.add(self._counts, self)

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """It hands over its counts, or it has ended."""
        if self._hear() and self._watching is not None:
            server, tell = self._watching
            server.remove(self._counts)
            self._reap()
            tell(f"worker {self.pid} {self._ended}; the others go on")

    def join(self, deadline: float) -> None:
        """Wait for its end, which comes at the `deadline` (monotonic seconds) at the latest."""
        poll = select.poll()
        poll.register(self._counts, select.POLLIN)
        while self._ended is None:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                os.kill(self.pid, signal.SIGKILL)
                deadline = time.monotonic() + END_SECONDS
            elif self._hear():
                self._reap()

    def _hear(self) -> bool:
        """Take what it hands over; whether it has ended."""
        piece = os.read(self._counts, LAYOUT.size)
        self._heard += piece
        return not piece

    def _reap(self) -> None:
        os.close(self._counts)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended = (
            f"ended with status {status}" if status >= 0 else f"was ended by {_signal_name(-status)}"
        )


class Workers:
    """The workers beside the first process."""

    def __init__(self) -> None:
        self._members: list[Worker] = []
        self._lifeline: int | None = None
        self._stopping = False

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

    def watch(self, server: Server, tell: Callable[[str], None]) -> None:
        """Have `server` look after them; `tell` gets a sentence for each one that ends before it shall."""
        for worker in self._members:
            worker.watch(server, lambda sentence: None if self._stopping else tell(sentence))

    def stop(self) -> None:
        """Let them finish what is under way; twice: end at once."""
        self._stopping = True
        self.signal(signal.SIGTERM)

    def end(self) -> list[Totals | None]:
        """Wait until all have ended; what each of them has counted."""
        if not self._stopping:
            self.stop()
        deadline = time.monotonic() + END_SECONDS
        for worker in self._members:
            worker.join(deadline)
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        members, self._members = self._members, []
        return [worker.totals for worker in members]


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


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
