"""What came of the connections of one run: how many, how long their steps took, why the others failed."""

from __future__ import annotations

from enum import StrEnum

from handglass.net.errors import NetError
from handglass.net.load.latencies import Latencies
from handglass.registry.errors import LocalError, PeerError, TLSError

REASONS_KEPT = 50
"""Reasons for failures that are told apart; a server chooses which there are."""
OTHER_REASONS = "other reasons"


class Step(StrEnum):
    """What is timed; the values are the words of the table."""

    CONNECT = "TCP connect"
    PRELUDE = "STARTTLS"
    HANDSHAKE = "TLS handshake"
    FIRST_BYTE = "first byte"
    TOTAL = "total"


class Tally:
    """The connections that were completed, and the failures by their reason; times are seconds.

    `latencies`: per step, those of full handshakes (False) and of resumed ones (True). `bytes_read`: application data.
    `seconds`: how long the run took; `user` and
    `system`: the CPU time that it used. `abandoned`: connections under way when the run was broken off.
    """

    def __init__(self) -> None:
        self.latencies: dict[bool, dict[Step, Latencies]] = {False: {}, True: {}}
        self.failures: dict[str, int] = {}
        self.connections = 0
        self.resumed = 0
        self.bytes_read = 0
        self.abandoned = 0
        self.seconds = 0.0
        self.user = 0.0
        self.system = 0.0
        self.last_error: TLSError | NetError | None = None

    @property
    def failed(self) -> int:
        """How many connections failed."""
        return sum(self.failures.values())

    def count(self, times: dict[Step, float], *, resumed: bool, bytes_read: int) -> None:
        """Count a connection that was completed."""
        self.connections += 1
        self.resumed += resumed
        self.bytes_read += bytes_read
        latencies = self.latencies[resumed]
        for step, seconds in times.items():
            if step not in latencies:
                latencies[step] = Latencies()
            latencies[step].add(seconds)

    def count_failure(self, error: TLSError | NetError) -> None:
        """Count a connection that failed."""
        self.last_error = error
        reason = reason_of(error)
        if reason not in self.failures and len(self.failures) >= REASONS_KEPT:
            reason = OTHER_REASONS
        self.failures[reason] = self.failures.get(reason, 0) + 1


def reason_of(error: TLSError | NetError) -> str:
    """The sentence by which failures are told apart: what happened, without what differs from one to the next."""
    if isinstance(error, PeerError | LocalError):
        return f"{error.reason.sentence} ({error.reason.reference})"
    return error.sentence if isinstance(error, NetError) else str(error)
