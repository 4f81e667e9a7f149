"""How long something took, many times over: its percentiles, in memory that does not grow with the number.

Strategy: a dictionary counts how often each duration was measured, in whole microseconds of which the first eleven
binary digits are kept. So everything below 2 ms is exact to the microsecond, above that a percentile is at most one
part in 1024 too small, and there can be no more than some thirty thousand different durations, however long the run.
Sorted samples would be exact everywhere, but a run of an hour would need hundreds of megabytes for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

DIGITS = 11
"""Binary digits of a duration that are kept."""


class Latencies:
    """Durations of one kind. All times are seconds."""

    __slots__ = ("_counts", "count", "longest", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)
        key = _kept(int(seconds * 1e6))
        self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def mean(self) -> float:
        """The arithmetic mean, exact; 0 if nothing was counted."""
        return self.total / self.count if self.count else 0.0

    def percentiles(self, percents: Sequence[float]) -> list[float]:
        """For each of `percents` (ascending, 0 to 100) the shortest duration that so many per cent do not exceed."""
        # Rounded first: 99.9 per cent of 10,000 are 9,990, and not the least bit more.
        ranks = [max(1, ceil(round(percent * self.count / 100, 6))) for percent in percents]
        found: list[float] = []
        passed = 0
        for microseconds in sorted(self._counts):
            passed += self._counts[microseconds]
            while len(found) < len(ranks) and ranks[len(found)] <= passed:
                found.append(microseconds / 1e6)
        return found or [0.0] * len(ranks)


def _kept(microseconds: int) -> int:
    """The duration without the digits that are not kept."""
    surplus = microseconds.bit_length() - DIGITS
    return microseconds if surplus <= 0 else microseconds >> surplus << surplus
