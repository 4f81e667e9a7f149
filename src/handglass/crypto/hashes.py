"""Hashes and HMAC by hashlib name, with `md5-sha1` as the pair that TLS 1.0 and 1.1 use.

HMAC is done by hand on hashlib (RFC 2104 §2): two hash objects and two `bytes.translate` cost
about 0.9 µs where `hmac.digest` costs 1.5 µs and an OpenSSL MAC context more, and a key schedule
is nothing but HMACs of one block. A key that is used more than once gets a `Mac`, which keeps the
two hash states after the key block and copies them for each message (0.65 µs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from hmac import compare_digest
from typing import Protocol, Self

from handglass.records import dataclass

from .errors import Missing

Buffer = bytes | bytearray | memoryview


class HashObject(Protocol):
    """A running hash, as hashlib makes them."""

    def update(self, data: Buffer, /) -> None:
        """Take in more of the message."""

    def digest(self) -> bytes:
        """Give the hash of what was taken in so far."""

    def copy(self) -> Self:
        """Give a second running hash in the same state."""


@dataclass(frozen=True, slots=True)
class HashFacts:
    """A hash: its hashlib name, output and block size in bytes, and what starts one."""

    name: str
    digest_size: int
    block_size: int
    new: Callable[[Buffer], HashObject]


class Mac:
    """HMAC under one key for many messages (RFC 2104). Call it with the parts of a message."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, facts: HashFacts, key: Buffer) -> None:
        padded = _block_key(facts, key)
        self._inner = facts.new(padded.translate(_INNER))
        self._outer = facts.new(padded.translate(_OUTER))

    def __call__(self, *parts: Buffer) -> bytes:
        """Give the MAC of the concatenation of `parts`."""
        inner = self._inner.copy()
        for part in parts:
            inner.update(part)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def digest(name: str, data: Buffer) -> bytes:
    """Give the hash of `data`. Raises KeyError for a name that is not in `HASHES`."""
    return HASHES[name].new(data).digest()


def hmac(name: str, key: Buffer, data: Buffer) -> bytes:
    """HMAC of one message under one key (RFC 2104)."""
    facts = HASHES[name]
    new = facts.new
    padded = _block_key(facts, key)
    return new(padded.translate(_OUTER) + new(padded.translate(_INNER) + data).digest()).digest()


def keyed(name: str, key: Buffer) -> Mac:
    """HMAC under a key that will serve many messages."""
    return Mac(HASHES[name], key)


def equal(left: Buffer, right: Buffer) -> bool:
    """Whether two MACs are the same, in a time that does not depend on where they differ."""
    return compare_digest(left, right)


def _block_key(facts: HashFacts, key: Buffer) -> bytes:
    """RFC 2104 §2: a long key is hashed, a short one filled with zeros to the block size."""
    if len(key) > facts.block_size:
        key = facts.new(key).digest()
    return bytes(key).ljust(facts.block_size, b"\0")


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class _Md5Sha1:
    """MD5 and SHA-1 side by side: the handshake hash of TLS 1.0 and 1.1 (RFC 2246 §7.4.8)."""

    __slots__ = ("_md5", "_sha1")

    def __init__(self, data: Buffer = b"") -> None:
        self._md5 = hashlib.md5(data, usedforsecurity=False)
        self._sha1 = hashlib.sha1(data, usedforsecurity=False)

    def update(self, data: Buffer, /) -> None:
        self._md5.update(data)
        self._sha1.update(data)

    def digest(self) -> bytes:
        return self._md5.digest() + self._sha1.digest()

    def copy(self) -> Self:
        other = type(self)()
        other._md5 = self._md5.copy()
        other._sha1 = self._sha1.copy()
        return other


def _sm3(data: Buffer) -> HashObject:
    try:
        return hashlib.new("sm3", data)
    except ValueError as error:
        raise Missing("this Python's OpenSSL has no SM3") from error


HASHES: dict[str, HashFacts] = {
    facts.name: facts
    for facts in (
        HashFacts("md5", 16, 64, partial(hashlib.md5, usedforsecurity=False)),
        HashFacts("sha1", 20, 64, partial(hashlib.sha1, usedforsecurity=False)),
        HashFacts("md5-sha1", 36, 64, _Md5Sha1),
        HashFacts("sha224", 28, 64, hashlib.sha224),
        HashFacts("sha256", 32, 64, hashlib.sha256),
        HashFacts("sha384", 48, 128, hashlib.sha384),
        HashFacts("sha512", 64, 128, hashlib.sha512),
        HashFacts("sm3", 32, 64, _sm3),
    )
}
