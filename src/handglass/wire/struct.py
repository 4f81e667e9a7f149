"""`Struct`: a declaration in the presentation language that can be made, encoded, decoded and walked.

Strategy: a struct is an immutable record. The first call of `decode` or `encode` on a class has the
function written (see `decoder` and `encoder`) and puts it in the place of the method, so that later calls
go straight to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, dataclass_transform

from handglass.records import Frozen, FrozenType
from handglass.wire.fields import Kind, Nested, kind_of
from handglass.wire.node import Node, Walk


@dataclass_transform(frozen_default=True, eq_default=True)
class StructType(FrozenType):
    """Gives each class methods of its own, so that none uses those written for its base."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any
    ) -> StructType:
        """Make the class, with its functions still to be written."""
        namespace["_grammar"] = None
        if bases != (Frozen,):
            namespace["decode"] = classmethod(_write_decode)
            namespace["encode"] = _write_encode
        cls: StructType = super().__new__(mcs, name, bases, namespace, **keywords)  # type: ignore[assignment]  # of this kind
        return cls


class Struct(Frozen, metaclass=StructType):
    """The base of all declarations. Its fields are the annotations of the class body."""

    _grammar: ClassVar[tuple[tuple[str, Kind], ...] | None]

    @classmethod
    def grammar(cls) -> tuple[tuple[str, Kind], ...]:
        """Return the fields in order, each with its kind.

        Raises TypeError for a declaration that makes no sense.
        """
        if cls._grammar is None:
            cls._grammar = tuple(_read_annotations(cls))
        return cls._grammar

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview) -> Self:
        """Read all of `data`. Raises DecodeError unless it has exactly the declared form."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """Write the bytes. Raises EncodeError for a value that does not fit in its field."""
        raise NotImplementedError

    @classmethod
    def walk(
        cls, data: bytes | bytearray | memoryview, *, context: object = None, deep: bool = True
    ) -> Iterator[Node]:
        """Yield a node per field of `data`, whatever its state; what is wrong stands in `Node.problem`.

        With `deep`, opaque fields of known content are looked into (their problems do not concern `decode`).
        `context` overrides what the class says of itself in `walk_context`. Never raises.
        """
        from handglass.wire.walker import walk  # noqa: PLC0415 - few programs walk

        return iter(walk(cls, Walk(bytes(data), deep=deep), context))

    @classmethod
    def walk_context(cls, values: Mapping[str, object]) -> object:  # noqa: ARG003 - for classes that need it
        """Say where we are, for the content of opaque fields; `values` are the fields read so far."""
        return None


def _read_annotations(cls: type[Struct]) -> Iterator[tuple[str, Kind]]:
    names: tuple[str, ...] = cls.__match_args__
    for base in reversed(cls.__mro__):
        scope = vars(sys.modules[base.__module__]) if "__annotations__" in vars(base) else {}
        for name, annotation in vars(base).get("__annotations__", {}).items():
            if annotation.startswith("ClassVar"):
                continue
            kind = kind_of(eval(annotation, scope))
            if _open_ended(kind) and name != names[-1]:
                raise TypeError(f"{cls.__name__}.{name} has no end, so no field can follow it")
            yield name, kind


def _open_ended(kind: Kind) -> bool:
    if isinstance(kind, Nested):
        return any(_open_ended(inner) for _, inner in kind.struct.grammar())
    return kind.only_at_end


def _write_decode(cls: Any, data: bytes) -> Struct:
    """Stand in for `decode` until it is first called."""
    from handglass.wire.decoder import decoder_of  # noqa: PLC0415 - not needed to declare

    written = decoder_of(cls)
    cls.decode = staticmethod(written)
    return written(data)


def _write_encode(self: Any) -> bytes:
    """Stand in for `encode` until it is first called."""
    from handglass.wire.encoder import encoder_of  # noqa: PLC0415 - not needed to declare

    cls = type(self)
    cls.encode = written = encoder_of(cls)
    return written(self)
