"""What a server has given to resume by."""

from __future__ import annotations

from collections import deque

from handglass.handshake.session import Session
from handglass.registry.code_points import ProtocolVersion


class SessionPool:
    """Sessions of one server. A ticket of TLS 1.3 is used once (RFC 8446 §C.4), an older session again and again."""

    def __init__(self, size: int) -> None:
        self._tickets: deque[Session] = deque(maxlen=size)
        self._older: Session | None = None

    def add(self, session: Session) -> None:
        """Keep a session; where there are too many tickets the oldest one goes."""
        if session.version == ProtocolVersion.TLS1_3:
            self._tickets.append(session)
        else:
            self._older = session

    def take(self) -> Session | None:
        """A session for one connection; the newest ticket if there are any."""
        return self._tickets.pop() if self._tickets else self._older

    def suffices_for(self, connections: int) -> bool:
        """Whether so many connections can resume."""
        return self._older is not None or len(self._tickets) >= connections
