"""What is done with the data of a connection: the interface, and the two smallest applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.net.http.reverse import LineReverser

if TYPE_CHECKING:
    from handglass.handshake.events import Event
    from handglass.net.server.connection import ServedConnection
    from handglass.registry.errors import TLSError


class Application:
    """One connection's application; the loop calls it, and it calls `send`, `close` and the like on the connection.

    `streaming`: it has more to send than it has sent; then `produce` is called whenever all has left, and
    nothing is read from the client. `idle_limit`: the server's time limit for doing nothing applies; to take
    what was sent is doing something, and so is to send data if `data_is_activity`.
    """

    streaming = False
    idle_limit = False
    data_is_activity = True

    @property
    def takes_data(self) -> bool:
        """Whether data of the client is welcome now. If not it is not read, until `Server.release` is called."""
        return True

    def on_handshake(self, link: ServedConnection) -> None:
        """A handshake is done; after a renegotiation, once more."""

    def on_data(self, link: ServedConnection, data: bytes, *, early: bool) -> None:
        """Data from the client; `early` data came before the handshake was done and may be a replay."""

    def on_event(self, link: ServedConnection, event: Event) -> None:
        """Anything else that the connection tells."""

    def on_end(self, link: ServedConnection, *, clean: bool) -> None:  # noqa: ARG002 - for those who override
        """The client sends no more; `clean` if it said so. The connection is ours to close."""
        link.close()

    def on_failure(self, link: ServedConnection, error: TLSError) -> None:
        """The connection is over because of an error."""

    def on_stop(self, link: ServedConnection) -> None:
        """The server is about to end: finish what is under way, soon."""
        link.close()

    def on_room(self, link: ServedConnection) -> None:
        """What had to wait because the client did not read has been sent."""

    def on_idle(self, link: ServedConnection) -> None:
        """The client has done nothing for as long as `idle_limit` allows; the connection ends after this."""

    def produce(self, link: ServedConnection) -> None:
        """Send some more (see `streaming`), an amount that may wait in memory."""

    def on_close(self, link: ServedConnection) -> None:
        """The last call: the connection is over, however it ended."""


class Sink(Application):
    """Takes data and does nothing with it."""


class Reverse(Application):
    """-rev: every line comes back reversed; the line CLOSE ends the connection."""

    def __init__(self, *, ignore_close: bool = False) -> None:
        self._lines = LineReverser(ignore_close=ignore_close)

    def on_data(self, link: ServedConnection, data: bytes, *, early: bool) -> None:  # noqa: ARG002 - all alike
        """Answer the lines that are complete."""
        link.send(self._lines.receive(data))
        if self._lines.closed:
            link.close()
