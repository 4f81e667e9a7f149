"""Damage DER where it matters: an element is changed, and all lengths around it are made right again.

Bytes that are flipped at random mostly break a length, and what reads the document stops there. Here the document is
taken apart into its tree first, also inside strings that hold DER, so that the damage gets to the values.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from fuzz.mutate import INTERESTING, mutate
from handglass.crypto import der
from handglass.records import dataclass, field

Source = random.Random
MAX_DEPTH = 40
TAGS = (
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0A,
    0x0C,
    0x13,
    0x16,
    0x17,
    0x18,
    0x1E,
    0x30,
    0x31,
    0x80,
    0x82,
    0xA0,
    0xA3,
)
CONTENTS = (
    b"", b"\0", b"\xff", b"\x80", b"\0\0", b"\xff" * 9, b"\x80" * 300, bytes(70000), b"9" * 13 + b"Z", b"991332256199Z",
    b"*.", b"xn--", b"\xc3\x28", b"\x00\xd8", b"\x2a" + b"\xff" * 200 + b"\x01",
)  # fmt: skip
"""Contents that are an edge for some type: empty, negative, huge, no time, no text, an endless object identifier."""


@dataclass()
class Tree:
    """An element of a document: what is in it, or its content where nothing is."""

    tag: int
    content: bytes = b""
    inner: list[Tree] = field(default_factory=list)
    prefix: bytes = b""
    """What stands before the inner elements: the unused bits of a bit string."""

    def encode(self) -> bytes:
        """Give the bytes."""
        content = self.prefix + b"".join(each.encode() for each in self.inner) if self.inner else self.content
        return der.encode(self.tag, content)

    def all(self) -> Iterator[Tree]:
        """Give every element, this one first."""
        yield self
        for each in self.inner:
            yield from each.all()


def take_apart(data: bytes, depth: int = 0) -> list[Tree]:
    """Give the elements of a document; raises `DerError` where it is none."""
    found = []
    for element in der.read_all(data):
        tree = Tree(element.tag, element.content)
        prefix = b"\0" if element.tag == der.BIT_STRING and element.content[:1] == b"\0" else b""
        nested = element.tag & 0x20 or element.tag == der.OCTET_STRING or prefix
        if nested and depth < MAX_DEPTH and len(element.content) > len(prefix):
            try:
                tree.inner = take_apart(element.content[len(prefix) :], depth + 1)
                tree.prefix = prefix
            except der.DerError:
                tree.inner = []
        found.append(tree)
    return found


def mutate_der(source: Source, data: bytes, others: Sequence[bytes]) -> bytes:
    """Give the document with one to three of its elements changed; what is no DER is damaged byte by byte."""
    try:
        trees = take_apart(data)
    except der.DerError:
        trees = []
    if not trees or source.random() < 0.25:
        return mutate(source, data, others)
    for _ in range(1 + (source.random() < 0.3) + (source.random() < 0.1)):
        elements = [each for tree in trees for each in tree.all()]
        _change(source, source.choice(elements), elements, others)
    return b"".join(tree.encode() for tree in trees)


def _change(source: Source, tree: Tree, elements: Sequence[Tree], others: Sequence[bytes]) -> None:
    kind = source.randrange(9)
    if kind == 0:
        tree.tag = source.choice(TAGS)
    elif kind == 1:
        tree.inner, tree.content = [], source.choice(CONTENTS)
    elif kind == 2 and tree.inner:
        del tree.inner[source.randrange(len(tree.inner))]
    elif kind == 3 and tree.inner:
        tree.inner += [source.choice(tree.inner)] * source.choice((1, 2, 40))
    elif kind == 4 and tree.inner:
        source.shuffle(tree.inner)
    elif kind == 5 and tree.inner:
        tree.inner.append(Tree(source.choice(TAGS), source.choice(CONTENTS)))
    elif kind == 6:
        other = source.choice(elements)
        tree.tag, tree.content, tree.inner = other.tag, other.encode()[-200:], []
    elif kind == 7:
        tree.inner, tree.content = [], mutate(source, tree.content or b"\0", others)
    else:
        tree.inner, tree.content = [], bytes((source.choice(INTERESTING),)) + tree.content[1:]
