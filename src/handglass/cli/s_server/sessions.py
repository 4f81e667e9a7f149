"""Sessions and how they are resumed: what the options say of them, and where they are kept."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from handglass.cli.options.s_server import SServerOptions
from handglass.cli.protocol.negotiation import SettingError
from handglass.handshake.session import Session
from handglass.handshake.sessions import MAX_REMEMBERED, MemorySessions
from handglass.records import replace
from handglass.registry.code_points import ProtocolVersion

DEFAULT_CONTEXT = b"\x01\0\0\0"
"""What OpenSSL's s_server binds its sessions to."""
CONTEXT_SIZE = 32
SESSION_ID_SIZE = 32


def session_arguments(options: SServerOptions) -> dict[str, Any]:
    """Return keyword arguments for a `ServerConfig`. Raises SettingError."""
    context = DEFAULT_CONTEXT if options.context is None else os.fsencode(options.context)
    if len(context) > CONTEXT_SIZE:
        raise SettingError(
            f"Error setting session id context\n"
            f"s_server: -context has {len(context)} bytes, and {CONTEXT_SIZE} are the most"
        )
    return {
        "session_context": context,
        "session_id_prefix": os.fsencode(options.id_prefix or ""),
        "session_ids": not options.no_cache,
        "resume_ephemeral": not options.no_resume_ephemeral,
        "resume_in_renegotiation": not options.no_resumption_on_reneg,
        "num_tickets": options.num_tickets,
        "tickets": not options.no_ticket,
        "accept_early_data": options.early_data,
        "max_early_data": _early_data_allowed(options),
    }


def _early_data_allowed(options: SServerOptions) -> int:
    """What tickets promise: nothing unless one of the two options asks for it."""
    wanted = options.early_data or options.has(SServerOptions.max_early_data)
    return options.max_early_data if wanted else 0


def prefix_lines(options: SServerOptions) -> list[str]:
    """OpenSSL's lines on -id_prefix."""
    if options.id_prefix is None:
        return []
    lines = [f"id_prefix '{options.id_prefix}' set."]
    if len(os.fsencode(options.id_prefix)) >= SESSION_ID_SIZE:
        lines.insert(0, "warning: id_prefix is too long, only one new session will be possible")
    return lines


def make_sessions(options: SServerOptions) -> RecordedSessions:
    """Return where the sessions are kept."""
    return RecordedSessions(MemorySessions(time.time), ExternalCache() if options.ext_cache else None)


class ExternalCache:
    """-ext_cache: sessions under their ids, beside the store's own cache, each step told with `tell`."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] = lambda _: None
        self.hits = 0
        self._by_id: OrderedDict[bytes, Session] = OrderedDict()

    def add(self, session_id: bytes, session: Session) -> None:
        """Keep a session, in place of the oldest one if there are too many."""
        self._by_id[session_id] = session
        if len(self._by_id) > MAX_REMEMBERED:
            self._by_id.popitem(last=False)
        self.tell("New session added to external cache")

    def remove(self, session_id: bytes) -> None:
        """Keep this session no longer, if there is one."""
        self._by_id.pop(session_id, None)

    def look_up(self, session_id: bytes) -> Session | None:
        """Return the session with this id, whatever its age."""
        found = self._by_id.get(session_id)
        self.hits += found is not None
        self.tell(f"Lookup session: cache {'miss' if found is None else 'hit'}")
        return found


class RecordedSessions:
    """A `SessionStore` over `memory`, and over `external` for sessions that are found by an id.

    With an external cache the tickets of TLS 1.3 are such ids. `take_last` gives the last session that was put into a
    ticket, once: the report shows it.
    """

    def __init__(self, memory: MemorySessions, external: ExternalCache | None = None) -> None:
        self.memory = memory
        self.external = external
        self._last: tuple[Session, bytes] | None = None

    def take_last(self) -> Session | None:
        """The session of the last ticket, with the ticket."""
        last, self._last = self._last, None
        return None if last is None else replace(last[0], ticket=last[1])

    def put_ticket(self, session: Session) -> bytes:
        """A ticket for the session."""
        if self.external is not None and session.version == ProtocolVersion.TLS1_3:
            ticket = os.urandom(SESSION_ID_SIZE)
            self.external.add(ticket, session)
        else:
            ticket = self.memory.put_ticket(session)
        self._last = (session, ticket)
        return ticket

    def get_ticket(self, ticket: bytes) -> Session | None:
        """The session of a ticket."""
        if self.external is not None and len(ticket) == SESSION_ID_SIZE:
            return self.external.look_up(ticket)
        return self.memory.get_ticket(ticket)

    def put_id(self, session_id: bytes, session: Session) -> None:
        """Keep a session under its id."""
        if self.external is not None:
            self.external.add(session_id, replace(session, session_id=session_id))
        else:
            self.memory.put_id(session_id, session)

    def get_id(self, session_id: bytes) -> Session | None:
        """The session with this id."""
        return self.memory.get_id(session_id) if self.external is None else self.external.look_up(session_id)

    def forget(self, session_id: bytes) -> None:
        """Keep this session no longer, if there is one."""
        if self.external is None:
            self.memory.forget(session_id)
        else:
            self.external.remove(session_id)

    def first_use(self, ticket: bytes) -> bool:
        """Whether early data may come with this ticket."""
        return self.memory.first_use(ticket)
