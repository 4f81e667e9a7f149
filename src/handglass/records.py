"""Records: what the standard library's `dataclasses` gives, ready sooner.

Strategy: making a class only notes its fields; `__init__` is written when the first object is made. The standard
decorator writes up to eight methods for each class at once and imports `inspect` to do so; for the hundred
records that a plain connect defines and mostly never makes, that is half of its start (see
docs/decisions/records-and-code-points.md). What nothing here uses is left out: ordering, `InitVar`, `init=False`.

Two spellings, one machinery: `@dataclass(…)` for any class, and the base `Frozen` for what `frozen=True, slots=True`
says there, where many classes derive from each other. Both need `from __future__ import annotations`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, TypeVar, dataclass_transform

T = TypeVar("T")
_MISSING: Any = object()


class _Field:
    """What `field` says about one field."""

    __slots__ = ("by_name", "default", "factory", "repr")

    def __init__(self, default: Any, factory: Any, repr: bool) -> None:
        self.default = default
        self.factory = factory
        self.repr = repr
        self.by_name = False


def field(*, default: Any = _MISSING, default_factory: Any = _MISSING, repr: bool = True) -> Any:
    """Say more about a field: its default, what makes its default, whether it is printed."""
    return _Field(default, default_factory, repr)


@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """Make a record of a class.

    frozen: its objects do not change, and can be hashed. slots: they have no dictionary. kw_only: fields are given by
    name. eq: False compares objects by identity.
    """

    def decorate(cls: type[T]) -> Any:
        namespace = {
            name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}
        }
        _note_fields(namespace, cls.__bases__, slots=slots, kw_only=kw_only)
        namespace.setdefault("__repr__", _repr)
        if eq:
            namespace.setdefault("__eq__", _eq)
            namespace.setdefault("__hash__", _hash if frozen else None)
        if frozen:
            namespace["__setattr__"] = _refuse_set
            namespace["__delattr__"] = _refuse_delete
            if slots:
                namespace.setdefault("__reduce__", _reduce)
        metaclass: Any = type(cls)
        made = metaclass(cls.__name__, cls.__bases__, namespace)
        made.__qualname__ = cls.__qualname__
        return made

    return decorate


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class FrozenType(type):
    """Makes a record with slots of each class derived from `Frozen`."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any
    ) -> FrozenType:
        """Make the class."""
        _note_fields(namespace, bases, slots=True, kw_only=False)
        return super().__new__(mcs, name, bases, namespace, **keywords)


def replace(record: T, **changes: Any) -> T:
    """A copy of a record with these fields changed. Raises TypeError for a field that does not exist."""
    return type(record)(**{**{name: getattr(record, name) for name in _notes_of(record)}, **changes})


def changed_fields(record: object) -> dict[str, Any]:
    """The fields of a record that differ from their defaults, with their values."""
    values = {name: (getattr(record, name), note.default) for name, note in _notes_of(record).items()}
    return {name: value for name, (value, default) in values.items() if value != default}


def _note_fields(namespace: dict[str, Any], bases: tuple[type, ...], *, slots: bool, kw_only: bool) -> None:
    """Turn the annotations of a class body into fields. Those of `ClassVar`s are none."""
    notes: dict[str, _Field] = {}
    for base in reversed(bases):
        notes.update(getattr(base, "_notes", ()))
    inherited = set(notes)
    own = [
        name for name, kind in namespace.get("__annotations__", {}).items() if not kind.startswith("ClassVar")
    ]
    for name in own:
        value = namespace.get(name, _MISSING)
        note = notes[name] = value if isinstance(value, _Field) else _Field(value, _MISSING, True)
        note.by_name = kw_only
        if isinstance(value, _Field) or slots:
            namespace.pop(name, None)
            if not slots and note.default is not _MISSING:
                namespace[name] = note.default
    if slots:
        namespace["__slots__"] = tuple(name for name in own if name not in inherited)
    namespace["_notes"] = notes
    namespace["__match_args__"] = tuple(name for name, note in notes.items() if not note.by_name)
    namespace["__init__"] = _write_init


def _notes_of(record: object) -> dict[str, _Field]:
    notes: dict[str, _Field] = record._notes  # type: ignore[attr-defined]  # every record has them
    return notes


def _write_init(self: Any, *args: Any, **keywords: Any) -> None:
    """Stand in for `__init__` until the first object is made."""
    cls: Any = next(base for base in type(self).__mro__ if base.__dict__.get("__init__") is _write_init)
    scope: dict[str, Any] = {"missing": _MISSING}
    positional: list[str] = []
    by_name: list[str] = []
    body: list[str] = []
    for name, note in cls._notes.items():
        slot: Any = getattr(cls, name, None)
        if hasattr(slot, "__set__"):
            scope[f"set_{name}"] = slot.__set__
            store = f"set_{name}(self, %s)"
        else:
            store = f"fields[{name!r}] = %s"
        parameter, value = name, name
        if note.factory is not _MISSING:
            scope[f"make_{name}"] = note.factory
            parameter, value = f"{name}=missing", f"make_{name}() if {name} is missing else {name}"
        elif note.default is not _MISSING:
            scope[f"default_{name}"] = note.default
            parameter = f"{name}=default_{name}"
        (by_name if note.by_name else positional).append(parameter)
        body.append(store % value)
    if any(line.startswith("fields") for line in body):
        body.insert(0, "fields = self.__dict__")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*"] if by_name else []), *by_name])
    exec(f"def __init__({parameters}):\n    " + "\n    ".join(body or ["pass"]), scope)
    cls.__init__ = scope["__init__"]
    cls.__init__.__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__(self, *args, **keywords)


def _values(record: object) -> object:
    """The values of all fields, as something to compare and to hash."""
    names = _notes_of(record)
    return attrgetter(*names)(record) if names else ()


def _repr(self: Any) -> str:
    shown = [name for name, note in _notes_of(self).items() if note.repr]
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self is other or bool(_values(self) == _values(other))


def _hash(self: Any) -> int:
    return hash((type(self), _values(self)))


def _reduce(self: Any) -> tuple[Any, ...]:
    return _rebuild, (type(self), tuple((name, getattr(self, name)) for name in _notes_of(self)))


def _rebuild(cls: Any, values: tuple[tuple[str, Any], ...]) -> Any:
    return cls(**dict(values))


def _refuse_set(self: Any, name: str, _value: object) -> None:
    raise AttributeError(f"{type(self).__name__} does not change: {name!r} cannot be set")


def _refuse_delete(self: Any, name: str) -> None:
    raise AttributeError(f"{type(self).__name__} does not change: {name!r} cannot be deleted")


class Frozen(metaclass=FrozenType):
    """An immutable record with slots: construction, equality, hash, `match`, copy and pickle."""

    _notes: ClassVar[dict[str, _Field]]
    __match_args__: ClassVar[tuple[str, ...]]
    __repr__ = _repr
    __eq__ = _eq
    __hash__ = _hash
    __setattr__ = _refuse_set
    __delattr__ = _refuse_delete
    __reduce__ = _reduce
