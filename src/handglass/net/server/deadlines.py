"""Time limits of many connections, each set, moved and lifted in constant time.

Strategy: all limits of one kind have the same duration, so whoever was set last is due last: a queue per kind
replaces a heap, and the queue's first entry is the next that is due. With tens of thousands of connections that
each move their limit at every write, this costs no more than a dictionary does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

NEVER = float("inf")


class Deadlines(Generic[T]):
    """A queue of things that have `seconds` each; None: nothing is ever due. Times are those of one clock."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._due: OrderedDict[T, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, thing: T) -> bool:
        return thing in self._due

    def start(self, thing: T, now: float) -> float:
        """Give it its whole time from now on, also if it had some left; when that will be over."""
        if self.seconds is None:
            return NEVER
        due = self._due[thing] = now + self.seconds
        self._due.move_to_end(thing)
        return due

    def stop(self, thing: T) -> None:
        """Forget it."""
        self._due.pop(thing, None)

    @property
    def next(self) -> float:
        """When the first one is due."""
        return next(iter(self._due.values())) if self._due else NEVER

    def expired(self, now: float) -> Iterator[T]:
        """Take out, one by one, what is due."""
        while self._due and next(iter(self._due.values())) <= now:
            yield self._due.popitem(last=False)[0]
