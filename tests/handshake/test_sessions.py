"""A server's sessions in memory: tickets and ids found again, used ones known, limits kept."""

from __future__ import annotations

import pytest

from handglass.handshake import sessions
from handglass.handshake.session import Session
from handglass.handshake.sessions import MemorySessions
from handglass.records import dataclass, replace
from handglass.registry.code_points import CipherSuite, NamedGroup, ProtocolVersion


@dataclass()
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def session(clock: Clock, lifetime: int = 100) -> Session:
    return Session(
        version=ProtocolVersion.TLS1_3,
        suite=CipherSuite.TLS_AES_128_GCM_SHA256,
        secret=b"s" * 32,
        created=clock.now,
        lifetime=lifetime,
        age_add=7,
        max_early_data=5,
        alpn=b"h2",
        server_name="server.test",
        peer_certificates=(b"certificate",),
        group=NamedGroup.X25519,
        context=b"context",
    )


def test_a_ticket_holds_its_session() -> None:
    clock = Clock()
    store = MemorySessions(clock)
    assert store.get_ticket(store.put_ticket(session(clock))) == session(clock)
    assert (store.hits, store.misses) == (1, 0)


def test_two_stores_with_one_key_share_tickets() -> None:
    clock = Clock()
    first, second = (MemorySessions(clock, ticket_key=bytes(range(48))) for _ in range(2))
    ticket = first.put_ticket(session(clock))
    assert second.get_ticket(ticket) == session(clock)
    assert MemorySessions(clock).get_ticket(ticket) is None
    with pytest.raises(ValueError, match="48 bytes, not 47"):
        MemorySessions(clock, ticket_key=bytes(47))


def test_a_changed_ticket_is_nobodys() -> None:
    clock = Clock()
    store = MemorySessions(clock)
    ticket = store.put_ticket(session(clock))
    for at in range(len(ticket)):
        changed = bytearray(ticket)
        changed[at] ^= 1
        assert store.get_ticket(bytes(changed)) is None
    for length in range(len(ticket)):
        assert store.get_ticket(ticket[:length]) is None


def test_sessions_expire() -> None:
    clock = Clock()
    store = MemorySessions(clock)
    ticket = store.put_ticket(session(clock))
    store.put_id(b"id", session(clock))
    clock.now += 100
    assert store.get_ticket(ticket) is not None
    assert store.get_id(b"id") == replace(session(Clock()), session_id=b"id")
    clock.now += 1
    assert store.get_ticket(ticket) is None
    assert store.get_id(b"id") is None
    assert store.get_id(b"id") is None
    assert (store.timeouts, store.misses, len(store)) == (2, 1, 0)


def test_ids_are_limited_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_REMEMBERED", 2)
    clock = Clock()
    store = MemorySessions(clock)
    for name in (b"1", b"2", b"3"):
        store.put_id(name, session(clock))
    assert [store.get_id(name) is not None for name in (b"1", b"2", b"3")] == [False, True, True]
    assert store.full == 1


def test_a_ticket_is_used_once() -> None:
    clock = Clock()
    store = MemorySessions(clock)
    ticket, other = store.put_ticket(session(clock)), store.put_ticket(session(clock))
    assert [store.first_use(ticket), store.first_use(ticket), store.first_use(other)] == [True, False, True]
    clock.now += 99
    assert not store.first_use(ticket)


def test_of_two_threads_with_one_ticket_one_is_first() -> None:
    """The second thread comes between the first one's look and its entry."""
    clock = Clock()
    answers: list[bool | None] = []

    class Interrupted(MemorySessions):
        def get_ticket(self, ticket: bytes) -> Session | None:
            if not answers:
                answers.append(None)
                answers[0] = self.first_use(ticket)
            return super().get_ticket(ticket)

    store = Interrupted(clock)
    ticket = MemorySessions.put_ticket(store, session(clock))
    answers.append(store.first_use(ticket))
    assert answers == [True, False]


def test_used_tickets_are_forgotten_when_they_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_USED", 2)
    clock = Clock()
    store = MemorySessions(clock)
    tickets = [store.put_ticket(session(clock)) for _ in range(3)]
    assert [store.first_use(ticket) for ticket in tickets] == [True, True, False]
    clock.now += 101
    assert store.first_use(store.put_ticket(session(clock)))
