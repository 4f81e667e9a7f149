"""Ways to damage a message or a stream of records; every choice comes from the random source handed in."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

INTERESTING = (0, 1, 2, 3, 4, 0x0A, 0x14, 0x15, 0x16, 0x17, 0x18, 0x20, 0x2A, 0x33, 0x7F, 0x80, 0xFE, 0xFF)
"""Bytes that mean something in TLS, or stand at the edge of a range."""

Source = random.Random
Mutation = Callable[[Source, bytearray, Sequence[bytes]], None]


def mutate(source: Source, data: bytes, others: Sequence[bytes]) -> bytes:
    """Give the data with one to four of the mutations below; `others` are pieces to splice in."""
    damaged = bytearray(data)
    for _ in range(1 + (source.random() < 0.4) + 2 * (source.random() < 0.1)):
        source.choice(MUTATIONS)(source, damaged, others)
    return bytes(damaged)


def mutate_message(source: Source, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Damage a handshake message; mostly its header is made right again, so that the damage is looked at."""
    damaged = mutate(source, raw, others)
    body = damaged[4:]
    if source.random() < 0.9:
        kind = damaged[:1] if source.random() < 0.2 and damaged else raw[:1]
        return kind + len(body).to_bytes(3, "big") + body
    return damaged


def _at(source: Source, data: bytearray) -> int:
    return source.randrange(len(data)) if data else 0


def _flip(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(source, data)] ^= 1 << source.randrange(8)


def _set(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(source, data)] = source.choice(INTERESTING)


def _count(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    """Change a length, or whatever it is, by little."""
    if data:
        at = _at(source, data)
        data[at] = (data[at] + source.choice((-2, -1, 1, 2))) & 0xFF


def _cut(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_at(source, data) :]


def _remove(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    del data[at : at + source.randrange(1, 40)]


def _repeat(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    data[at:at] = data[at : at + source.randrange(1, 60)] * source.choice((1, 1, 1, 2, 30))


def _insert(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    data[at:at] = source.randbytes(source.randrange(1, 30))


def _fill(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    size = min(source.randrange(1, 16), len(data) - at)
    data[at : at + size] = bytes((source.choice(INTERESTING),)) * size


def _splice(source: Source, data: bytearray, others: Sequence[bytes]) -> None:
    other = source.choice(others)
    start = source.randrange(len(other))
    piece = other[start : start + source.randrange(1, 200)]
    at = _at(source, data)
    if source.random() < 0.5:
        data[at:at] = piece
    else:
        data[at : at + len(piece)] = piece


def _swap(source: Source, data: bytearray, _: Sequence[bytes]) -> None:
    if len(data) > 8:
        one, two = sorted((_at(source, data), _at(source, data)))
        size = min(source.randrange(1, 20), two - one)
        data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _set, _set, _count, _count, _cut, _remove, _repeat, _insert, _fill, _splice, _swap,
)  # fmt: skip
