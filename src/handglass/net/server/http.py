"""HTTP over a served connection: requests one after the other, answers that may be large, limits on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from handglass.net.errors import NetError
from handglass.net.http import Request, RequestError, RequestReader, Response, text_response
from handglass.net.server.application import Application

if TYPE_CHECKING:
    from handglass.net.server.connection import ServedConnection

Responder = Callable[["ServedConnection", Request], Response | None]

NO_REQUEST = Request("GET", "/", (1, 0), (), keep_alive=False)
"""Stands for one that could not be read, so that its answer can be written."""


class HttpApplication(Application):
    """Answers each request with what `respond` gives; if that is None, `answer` gives it later.

    `buffer` is for the pieces of files; all may share one.
    """

    idle_limit = True
    data_is_activity = False
    """A request that trickles in shall not hold its connection for ever."""

    def __init__(self, respond: Responder, buffer: bytearray) -> None:
        self._respond = respond
        self._buffer = buffer
        self._reader = RequestReader()
        self._pieces: Iterator[bytes | memoryview] | None = None
        self._response: Response | None = None
        self._unanswered: Request | None = None
        self._goes_on = True
        self._is_short = False
        self._stopping = False

    def on_data(self, link: ServedConnection, data: bytes, *, early: bool) -> None:  # noqa: ARG002 - all alike
        """Take the data, and answer the first request that is complete."""
        self._reader.receive(data)
        if self._pieces is None and self._unanswered is None:
            self._next(link)

    def on_end(self, link: ServedConnection, *, clean: bool) -> None:  # noqa: ARG002 - the same for both
        """The client sends no more; what it asked for is still answered."""
        self._reader.receive_eof()
        if self._pieces is None and self._unanswered is None:
            self._next(link)
        if self._pieces is None:
            link.close()

    def on_stop(self, link: ServedConnection) -> None:
        """Finish the answer that is under way, and no other."""
        self._stopping = True
        if self._pieces is None:
            link.close()

    def on_close(self, link: ServedConnection) -> None:  # noqa: ARG002 - the interface
        """Give back what the answer holds."""
        self._pieces, self.streaming = None, False
        if self._response is not None:
            self._response.body.close()
            self._response = None

    def produce(self, link: ServedConnection) -> None:
        """Send the next piece; after the last, look at the next request.

        A short answer is its only piece, so that a close_notify behind it leaves with it.
        """
        assert self._pieces is not None  # noqa: S101 - streaming says so; for the type checker
        try:
            piece = next(self._pieces, None)
        except NetError:  # the file ended early: no more than a cut connection can tell the client
            link.drop()
            return
        if piece is not None:
            link.send(piece)
            if not self._is_short:
                return
        self._finish_response()
        if not self._goes_on or self._stopping:
            link.close()
        else:
            self._next(link)

    @property
    def unanswered(self) -> Request | None:
        """The request for which `respond` had no response yet."""
        return self._unanswered

    def answer(self, response: Response) -> None:
        """Answer `unanswered`."""
        request, self._unanswered = self._unanswered, None
        assert request is not None  # noqa: S101 - the caller looked; for the type checker
        self._start(request, response)

    def _next(self, link: ServedConnection) -> None:
        try:
            request = self._reader.next_request()
        except RequestError as error:
            self._start(NO_REQUEST, text_response(error.status, f"{error.sentence}\r\n", close=True))
            return
        if request is not None:
            self._unanswered = request
            response = self._respond(link, request)
            if response is not None:
                self.answer(response)
        elif self._reader.finished:
            link.close()

    def _start(self, request: Request, response: Response) -> None:
        self._response = response
        self._goes_on = response.keeps_alive(request)
        self._is_short = response.is_short(request)
        self._pieces = response.stream(request, self._buffer)
        self.streaming = True

    def _finish_response(self) -> None:
        if self._response is not None:
            self._response.body.close()
        self._response = self._pieces = None
        self.streaming = False
