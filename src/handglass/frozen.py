"""Small immutable records: what `dataclasses.dataclass(frozen=True, slots=True)` gives, ready sooner.

Strategy: the metaclass only notes the fields of a class; `__init__` is written when the first object is
made. A program that starts, does one thing and ends defines many records and uses few. (`dataclasses`
writes five methods for each class at once, and imports `inspect` for it: together some 20 ms of a plain
start.) The module of a record needs `from __future__ import annotations`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True, eq_default=True)
class FrozenType(type):
    """Turns the annotations of a class body into slots and constructor parameters, in their order."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any
    ) -> FrozenType:
        """Make the class. Annotations of `ClassVar`s are no fields; a value in the body is a default."""
        own = [
            field
            for field, annotation in namespace.get("__annotations__", {}).items()
            if not annotation.startswith("ClassVar")
        ]
        fields: dict[str, None] = {}
        defaults: dict[str, Any] = {}
        for base in reversed(bases):
            fields.update(dict.fromkeys(getattr(base, "__match_args__", ())))
            defaults.update(getattr(base, "_defaults", {}))
        namespace["__slots__"] = tuple(field for field in own if field not in fields)
        fields.update(dict.fromkeys(own))
        defaults.update({field: namespace.pop(field) for field in own if field in namespace})
        namespace["__match_args__"] = tuple(fields)
        namespace["_defaults"] = defaults
        namespace.setdefault("__init__", _write_init)
        return super().__new__(mcs, name, bases, namespace, **keywords)


def _write_init(self: Any, *args: Any, **keywords: Any) -> None:
    """Stand in for `__init__` until the first object is made."""
    cls = type(self)
    owner: Any = next(base for base in cls.__mro__ if base.__dict__.get("__init__") is _write_init)
    names = owner.__match_args__
    scope: dict[str, Any] = {f"set_{name}": getattr(owner, name).__set__ for name in names}
    scope.update({f"default_{name}": value for name, value in owner._defaults.items()})
    parameters = "".join(
        f", {name}=default_{name}" if name in owner._defaults else f", {name}" for name in names
    )
    body = "".join(f"\n    set_{name}(self, {name})" for name in names) or "\n    pass"
    exec(f"def __init__(self{parameters}):{body}", scope)
    owner.__init__ = scope["__init__"]
    owner.__init__.__qualname__ = f"{owner.__qualname__}.__init__"
    owner.__init__(self, *args, **keywords)


class Frozen(metaclass=FrozenType):
    """An immutable record: positional or keyword construction, equality, hash, `match`, copy and pickle."""

    __match_args__: ClassVar[tuple[str, ...]]
    _defaults: ClassVar[dict[str, Any]]

    def replace(self, **changes: Any) -> Self:
        """Return a copy with these fields changed. Raises TypeError for a field that does not exist."""
        values = {name: getattr(self, name) for name in self.__match_args__}
        return type(self)(**{**values, **changes})

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash((type(self), _values(self)))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({inside})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__match_args__)


def _values(record: Frozen) -> object:
    names = record.__match_args__
    return attrgetter(*names)(record) if names else ()
