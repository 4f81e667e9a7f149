"""Questions of connections that may take their time, worked out in threads while the loop goes on.

A connection whose question is under way is not read: its client can neither fill the memory nor be missed, since the
time limit of the handshake still holds. The answer wakes the loop through a pair of sockets.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handglass.handshake.wants import Ask
    from handglass.net.server.connection import ServedConnection
    from handglass.net.server.server import Server

MAX_THREADS = 32
"""How many questions are worked out at once; more wait for their turn."""


class Deferral:
    """The threads of one server, started as they are needed; they end with the program."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._questions: queue.SimpleQueue[tuple[ServedConnection, Ask] | None] = queue.SimpleQueue()
        self._answers: deque[tuple[ServedConnection, Ask, Any]] = deque()
        self._here = threading.local()
        self._lock = threading.Lock()
        self._threads = self._busy = 0
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        server.add(self._ours.fileno(), self)

    @property
    def link(self) -> ServedConnection | None:
        """The connection whose question the calling thread works out; None in the loop's own thread."""
        found: ServedConnection | None = getattr(self._here, "link", None)
        return found

    def ask(self, link: ServedConnection, question: Ask) -> None:
        """Have a question worked out; `link.answer` gets the result in the loop's thread."""
        with self._lock:
            self._busy += 1
            more = self._busy > self._threads < MAX_THREADS
            self._threads += more
        self._questions.put((link, question))
        if more:
            threading.Thread(target=self._work, name="deferred-questions", daemon=True).start()

    def close(self) -> None:
        """End the threads as soon as they have nothing to do; their answers are not wanted any more."""
        for _ in range(self._threads):
            self._questions.put(None)
        with self._lock:
            self._ours.close()
            self._theirs.close()

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - only reading is waited for
        """Take the answers back to their connections."""
        self._ours.recv(4096)
        while self._answers:
            link, question, value = self._answers.popleft()
            self._server.answered(link, question, value)

    def _work(self) -> None:
        while (task := self._questions.get()) is not None:
            link, question = task
            self._here.link = link
            try:
                value = question.run()
            except Exception as error:
                value = error
            self._here.link = None
            self._answers.append((link, question, value))
            with self._lock:
                self._busy -= 1
                if self._theirs.fileno() >= 0:
                    with suppress(BlockingIOError):  # it is full of calls already
                        self._theirs.send(b"\0")
