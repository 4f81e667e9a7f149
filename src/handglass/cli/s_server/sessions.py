"""The server's sessions, with an eye on which ticket was made last: the report shows it."""

from __future__ import annotations

from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.records import replace


class RecordedSessions:
    """A `SessionStore` over `memory`. `take_last` gives the last session that was put into a ticket, once."""

    def __init__(self, memory: MemorySessions) -> None:
        self.memory = memory
        self._last: tuple[Session, bytes] | None = None

    def take_last(self) -> Session | None:
        """The session of the last ticket, with the ticket."""
        last, self._last = self._last, None
        return None if last is None else replace(last[0], ticket=last[1])

    def put_ticket(self, session: Session) -> bytes:
        """A ticket for the session."""
        ticket = self.memory.put_ticket(session)
        self._last = (session, ticket)
        return ticket

    def get_ticket(self, ticket: bytes) -> Session | None:
        """The session of a ticket."""
        return self.memory.get_ticket(ticket)

    def put_id(self, session_id: bytes, session: Session) -> None:
        """Keep a session under its id."""
        self.memory.put_id(session_id, session)

    def get_id(self, session_id: bytes) -> Session | None:
        """The session with this id."""
        return self.memory.get_id(session_id)

    def first_use(self, ticket: bytes) -> bool:
        """Whether early data may come with this ticket."""
        return self.memory.first_use(ticket)
