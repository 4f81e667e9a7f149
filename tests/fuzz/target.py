"""The fuzz target: mutated input of real conversations, in every state of both roles.

The invariant: whatever comes in, it is taken, or the connection ends with one `Failed` event that holds a
PeerError or an AlertReceived. Nothing else is ever raised, and what is kept does not grow beyond its limits.

Strategy: two ways in. `bytes`: a fresh server or client gets a damaged stream of records. `messages`: a side is
brought into a state by the honest messages, without record protection between (the channel's `next` is fed
from a list, everything above it is real), and then gets a damaged message. Bringing it there costs most, so
states are visited in turn, and a connection that survives is used again. The honest conversations are recorded once
with the same seeded randomness that the replay uses, so signatures, Finished and tickets fit.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter

from fuzz.mutate import mutate, mutate_message
from handglass.channel.stream import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
from handglass.connection import ClientConnection, Connection, ServerConnection
from handglass.handshake.events import Event, Failed
from handglass.records import dataclass, field
from handglass.registry.errors import AlertReceived, PeerError
from support.engines import Pair, seeded
from support.rogue import CLIENT, SERVER, World, worlds

Item = tuple[int, bytes]
"""Content type and content; or CALL and the name of a method that the application calls then."""
CALL = -1
CALLS: dict[str, dict[str, object]] = {
    "request_certificate": {},
    "request_renegotiation": {"authenticate": True},
    "update_keys": {"request_peer": True},
}

SEED_CLIENT, SEED_SERVER = 11, 12
MAX_KEPT = 1 << 19
"""Bytes that a connection may hold for input and output after any one input."""
USES = 40
"""Damaged messages in a row for a connection that survives them."""


@dataclass()
class Recording:
    """One conversation: what each side takes from its channel, in order, and the bytes that it receives."""

    world: World
    items: dict[str, list[Item]] = field(default_factory=dict)
    streams: dict[str, bytes] = field(default_factory=dict)


@dataclass()
class Outcome:
    """What came of a run."""

    inputs: int = 0
    survived: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def connection_of(world: World, side: str) -> Connection:
    """Make one side, with the randomness of the recording; a client is started."""
    if side == SERVER:
        return ServerConnection(world.server, clock=world.clock, entropy=seeded(SEED_SERVER))
    client = ClientConnection(world.client, clock=world.clock, entropy=seeded(SEED_CLIENT))
    client.start()
    return client


def record(world: World) -> Recording:
    """Play a conversation and write down what each side gets."""
    client = ClientConnection(world.client, clock=world.clock, entropy=seeded(SEED_CLIENT))
    server = ServerConnection(world.server, clock=world.clock, entropy=seeded(SEED_SERVER))
    made = Pair(client, server)
    recording = Recording(world)
    for side, connection in ((CLIENT, client), (SERVER, server)):
        items: list[Item] = []
        _note_items(connection, items)
        recording.items[side] = items
        recording.streams[side] = b""
        _note_stream(connection, recording, side)
    world.play(made)
    assert client.error is None, (world.name, client.error)
    assert server.error is None, (world.name, server.error)
    return recording


def _note_items(connection: Connection, items: list[Item]) -> None:
    following = connection._channel.next

    def noted() -> Item | None:
        item = following()
        if item is not None:
            items.append(item)
        return item

    connection._channel.next = noted  # type: ignore[method-assign]  # the recorder
    for name in CALLS:
        _note_call(connection, items, name)


def _note_call(connection: Connection, items: list[Item], name: str) -> None:
    method = getattr(connection, name, None)
    if method is None:
        return

    def noted(**arguments: object) -> list[Event]:
        assert arguments == CALLS[name]
        items.append((CALL, name.encode()))
        found: list[Event] = method(**arguments)
        return found

    setattr(connection, name, noted)


def _note_stream(connection: Connection, recording: Recording, side: str) -> None:
    receive = connection.receive

    def noted(data: bytes | bytearray | memoryview) -> list[Event]:
        recording.streams[side] += bytes(data)
        return receive(data)

    connection.receive = noted  # type: ignore[method-assign]  # the recorder


class Replayed:
    """One side of a recording, fed above the record layer."""

    def __init__(self, recording: Recording, side: str) -> None:
        self.connection = connection_of(recording.world, side)
        self._queue: list[Item] = []
        self.connection._channel.next = self._next  # type: ignore[method-assign]  # instead of records

    def _next(self) -> Item | None:
        return self._queue.pop(0) if self._queue else None

    def take(self, *items: Item) -> list[Event]:
        """Let the connection take these."""
        events: list[Event] = []
        for item in items:
            if item[0] == CALL:
                name = item[1].decode()
                events += getattr(self.connection, name)(**CALLS[name])
            else:
                self._queue.append(item)
                events += self.connection._go_on()
        return events


class Fuzzer:
    """Runs damaged inputs; the same seed gives the same inputs."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.recordings = [record(world) for world in worlds().values()]
        self.messages = [
            payload
            for recording in self.recordings
            for items in recording.items.values()
            for kind, payload in items
            if kind == HANDSHAKE
        ]
        self.outcome = Outcome()

    def run(self, inputs: int) -> Outcome:
        """Try so many damaged inputs; raises AssertionError where the invariant does not hold."""
        started = time.perf_counter()
        while self.outcome.inputs < inputs:
            for recording in self.recordings:
                for side in (SERVER, CLIENT):
                    self.damage_stream(recording, side)
                    for number in range(len(recording.items[side]) + 1):
                        if self.outcome.inputs >= inputs:
                            break
                        self.damage_messages(recording, side, number)
        self.outcome.seconds = time.perf_counter() - started
        return self.outcome

    def damage_stream(self, recording: Recording, side: str) -> None:
        """Give a fresh connection a damaged stream, whole or in pieces."""
        for _ in range(USES):
            connection = connection_of(recording.world, side)
            data = mutate(
                self.source, recording.streams[side][: self.source.choice((600, 4000))], self.messages
            )
            cut = self.source.randrange(len(data) + 1)
            events = []
            for piece in (data[:cut], data[cut:]):
                events += connection.receive(piece) if piece else []
            self.judge(connection, events, data)

    def damage_messages(self, recording: Recording, side: str, number: int) -> None:
        """Bring a connection up to its item of this number, then give it damaged ones until it fails."""
        items = recording.items[side]
        honest = items[number : number + 1] or items[-1:]
        fresh: Replayed | None = None
        for _ in range(USES):
            if fresh is None:
                fresh = Replayed(recording, side)
                fresh.take(*items[:number])
                if fresh.connection.error is not None:
                    raise AssertionError(f"the replay differs: {fresh.connection.error}")
            item = self.damaged(*honest[-1])
            self.judge(fresh.connection, fresh.take(item), item[1])
            if fresh.connection.error is not None or fresh.connection.wants_no_more_data:
                fresh = None

    def damaged(self, kind: int, payload: bytes) -> Item:
        """Give a damaged message, or now and then something that is none."""
        chance = self.source.random()
        if chance < 0.03:
            return APPLICATION_DATA, self.source.randbytes(self.source.randrange(50))
        if chance < 0.05:
            return CHANGE_CIPHER_SPEC, b"\1"
        if chance < 0.08:
            return ALERT, self.source.randbytes(2)
        if chance < 0.15 or kind != HANDSHAKE:
            payload = self.source.choice(self.messages)
        return HANDSHAKE, self.whole(mutate_message(self.source, payload, self.messages))

    def whole(self, raw: bytes) -> bytes:
        """Give a message as the channel would: with a header, and as long as that says."""
        raw = raw.ljust(4, b"\0")
        length = int.from_bytes(raw[1:4], "big")
        return (
            raw[:4] + raw[4 : 4 + length]
            if length <= len(raw) - 4
            else raw[:1] + (len(raw) - 4).to_bytes(3, "big") + raw[4:]
        )

    def judge(self, connection: Connection, events: list[Event], data: bytes) -> None:
        """Check the invariant for the input just taken."""
        self.outcome.inputs += 1
        failed = [event.error for event in events if isinstance(event, Failed)]
        assert len(failed) <= 1, data.hex()
        assert (connection.error is None) == (not failed), data.hex()
        if failed:
            error = failed[0]
            assert isinstance(error, PeerError | AlertReceived), (error, data.hex())
            name = error.reason.name if isinstance(error, PeerError) else "alert received"
            self.outcome.failures[name] += 1
            assert str(error)
        else:
            self.outcome.survived += 1
        channel = connection._channel
        kept = len(channel._in) + len(channel._handshake) + len(channel._pending) + len(channel._out)
        assert kept < MAX_KEPT, kept
        connection.data_to_send()


def main() -> None:
    """Run as many inputs as the command line says, from the seed that it says."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    outcome = Fuzzer(seed).run(inputs)
    print(f"{outcome.inputs} inputs in {outcome.seconds:.1f} s, {outcome.survived} taken without an error")
    for name, count in outcome.failures.most_common():
        print(f"{count:8} {name}")
