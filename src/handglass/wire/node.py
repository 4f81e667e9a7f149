"""What the tolerant walk yields: one node per field, with its place in the bytes."""

from __future__ import annotations

from handglass.records import Frozen, replace


class Node(Frozen):
    """A field and the bytes that it takes.

    The leaves (`uint`, `code_point`, `opaque`, `length`) tile the input: each byte belongs to exactly one.
    A container (`struct`, `vector`, `content`) comes before the nodes inside it and spans them.
    """

    path: str
    """`extensions[3].data.client_shares[0].group`; empty for the whole."""
    offset: int
    length: int
    kind: str
    value: object
    """The number, code point or bytes; for a struct its class; for a vector the count of its items."""
    problem: str | None
    """What is wrong here, in words, or None."""
    depth: int

    @property
    def name(self) -> str:
        """The last step of the path."""
        return self.path.rpartition(".")[2]

    @property
    def is_leaf(self) -> bool:
        """Whether the node stands for bytes of its own."""
        return self.kind in {"uint", "code_point", "opaque", "length"}


class Damaged(Exception):  # noqa: N818 - never leaves the package
    """The rest of the enclosing region cannot be read; a node for it was already made."""


class Walk:
    """One walk: the input, and the nodes as they come.

    `context` is what the outermost struct says of itself (`Struct.walk_context`), for fields whose content
    depends on where they stand; without `deep`, opaque fields are not looked into.
    """

    def __init__(self, data: bytes, *, deep: bool) -> None:
        self.data = data
        self.deep = deep
        self.context: object = None
        self.nodes: list[Node] = []

    def leaf(self, at: Place, end: int, kind: str, value: object) -> int:
        """Note a leaf that takes the bytes up to `end`; return `end`."""
        self.nodes.append(Node(at.path, at.start, end - at.start, kind, value, None, at.depth))
        return end

    def damaged(self, at: Place, problem: str) -> Damaged:
        """Note that the region cannot be read from here on, and return what to raise."""
        rest = self.data[at.start : at.end]
        self.nodes.append(Node(at.path, at.start, len(rest), "opaque", rest, problem, at.depth))
        return Damaged()

    def open(self, at: Place, kind: str, value: object) -> int:
        """Begin a container; give what is returned to `close`."""
        self.nodes.append(Node(at.path, at.start, 0, kind, value, None, at.depth))
        return len(self.nodes) - 1

    def close(self, index: int, end: int, problem: str | None = None, value: object = None) -> None:
        """End the container at byte `end`."""
        node = self.nodes[index]
        value = node.value if value is None else value
        self.nodes[index] = Node(
            node.path, node.offset, end - node.offset, node.kind, value, problem, node.depth
        )

    def note(self, index: int, problem: str) -> None:
        """Say of a node what is wrong with it."""
        self.nodes[index] = replace(self.nodes[index], problem=problem)


class Place(Frozen):
    """Where the walk stands: which field, from which byte, and where the enclosing region ends."""

    path: str
    start: int
    end: int
    depth: int

    def inside(self, name: str, start: int) -> Place:
        """Step to the field `name` of the struct that stands here."""
        return Place(f"{self.path}.{name}" if self.path else name, start, self.end, self.depth + 1)

    def item(self, index: int, start: int, end: int) -> Place:
        """Step to an item of the vector that stands here."""
        return Place(f"{self.path}[{index}]", start, end, self.depth + 1)

    def deeper(self) -> Place:
        """Stand in the same place, as something inside a container."""
        return Place(self.path, self.start, self.end, self.depth + 1)

    @property
    def left(self) -> int:
        """How many bytes are left in the region."""
        return self.end - self.start
