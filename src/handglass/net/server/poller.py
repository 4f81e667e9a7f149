"""Waiting for many descriptors at once: `epoll` where the system has it, else what `selectors` finds.

Strategy: a served handshake costs half a millisecond, and `selectors` would take a tenth of that for its own
bookkeeping. So on Linux `epoll` is used as it is, with one dictionary beside it, and a descriptor that is closed
need not be taken out first.
"""

from __future__ import annotations

import select
import selectors
from contextlib import suppress
from typing import Protocol

READ, WRITE = 1, 4
"""The bits of EPOLLIN and EPOLLOUT."""
BOTH = READ | WRITE


class Watched(Protocol):
    """Anything with a descriptor that the loop looks after."""

    def on_ready(self, mask: int) -> None:
        """It can be read (READ) or written (WRITE); both where it is broken."""


class Poller(Protocol):
    """What the loop waits with."""

    def add(self, descriptor: int, mask: int, watched: Watched) -> None:
        """Wait for this descriptor; OSError where the system cannot."""

    def change(self, descriptor: int, mask: int) -> None:
        """Wait for something else on it."""

    def remove(self, descriptor: int) -> None:
        """Wait for it no more; it stays open. Harmless if it was not waited for."""

    def forget(self, descriptor: int) -> None:
        """It is about to be closed."""

    def wait(self, seconds: float | None) -> list[tuple[Watched, int]]:
        """What is ready, within this time (None: as long as it takes)."""

    def close(self) -> None:
        """End."""


class EpollPoller:
    """`Poller` over epoll(7), level-triggered."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}

    def add(self, descriptor: int, mask: int, watched: Watched) -> None:
        """Wait for this descriptor."""
        self._epoll.register(descriptor, mask)
        self._watched[descriptor] = watched

    def change(self, descriptor: int, mask: int) -> None:
        """Wait for something else on it."""
        self._epoll.modify(descriptor, mask)

    def remove(self, descriptor: int) -> None:
        """Wait for it no more."""
        if self._watched.pop(descriptor, None) is not None:
            with suppress(OSError):
                self._epoll.unregister(descriptor)

    def forget(self, descriptor: int) -> None:
        """The system takes a closed descriptor out by itself."""
        self._watched.pop(descriptor, None)

    def wait(self, seconds: float | None) -> list[tuple[Watched, int]]:
        """What is ready."""
        watched = self._watched
        ready = self._epoll.poll(seconds)
        return [
            (watched[descriptor], mask if mask <= BOTH else BOTH)
            for descriptor, mask in ready
            if descriptor in watched
        ]

    def close(self) -> None:
        """Close the epoll descriptor."""
        self._epoll.close()


class SelectorPoller:
    """`Poller` over `selectors`, for systems without epoll."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, descriptor: int, mask: int, watched: Watched) -> None:
        """Wait for this descriptor."""
        self._selector.register(descriptor, _events(mask), watched)

    def change(self, descriptor: int, mask: int) -> None:
        """Wait for something else on it."""
        self._selector.modify(descriptor, _events(mask), self._selector.get_key(descriptor).data)

    def remove(self, descriptor: int) -> None:
        """Wait for it no more."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(descriptor)

    def forget(self, descriptor: int) -> None:
        """Take it out while it is still open."""
        self.remove(descriptor)

    def wait(self, seconds: float | None) -> list[tuple[Watched, int]]:
        """What is ready."""
        return [
            (key.data, (READ if events & selectors.EVENT_READ else 0) | (WRITE if events & 2 else 0))
            for key, events in self._selector.select(seconds)
        ]

    def close(self) -> None:
        """Close the selector."""
        self._selector.close()


def make_poller() -> Poller:
    """The best that this system has."""
    return EpollPoller() if hasattr(select, "epoll") else SelectorPoller()


def _events(mask: int) -> int:
    return (selectors.EVENT_READ if mask & READ else 0) | (selectors.EVENT_WRITE if mask & WRITE else 0)
