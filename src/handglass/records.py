"""`dataclass` and `field` as the standard library has them, ready sooner.

Strategy: the decorator only notes the fields of a class; `__init__` is written when the first object is made. The
standard decorator writes up to eight methods for each class at once and imports `inspect` to do so; for the hundred
records that a plain connect defines and mostly never makes, that is half of its start (see
docs/decisions/records-and-code-points.md). What nothing here uses is left out: ordering,
`InitVar`, `init=False`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
_MISSING: Any = object()


class _Field:
    """What `field` says about one field."""

    __slots__ = ("default", "factory", "repr")

    def __init__(self, default: Any, factory: Any, repr: bool) -> None:
        self.default = default
        self.factory = factory
        self.repr = repr


def field(*, default: Any = _MISSING, default_factory: Any = _MISSING, repr: bool = True) -> Any:
    """Say more about a field: its default, what makes its default, whether it is printed."""
    return _Field(default, default_factory, repr)


@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """Make a record of a class whose module has `from __future__ import annotations`.

    frozen: its objects do not change, and can be hashed. slots: they have no dictionary. kw_only: fields are given by
    name. eq: False compares objects by identity.
    """

    def decorate(cls: type[T]) -> Any:
        namespace = dict(vars(cls))
        own = [
            name
            for name, kind in namespace.get("__annotations__", {}).items()
            if not kind.startswith("ClassVar")
        ]
        notes: dict[str, tuple[_Field, bool]] = {}
        for base in reversed(cls.__mro__[1:]):
            notes.update(vars(base).get("_notes", {}))
        for name in own:
            value = namespace.get(name, _MISSING)
            note = value if isinstance(value, _Field) else _Field(value, _MISSING, True)
            notes[name] = (note, kw_only)
            if isinstance(value, _Field) or slots:
                namespace.pop(name, None)
                if not slots and note.default is not _MISSING:
                    namespace[name] = note.default
        namespace["_notes"] = notes
        namespace["__match_args__"] = tuple(name for name, (_, by_name) in notes.items() if not by_name)
        namespace["__init__"] = _write_init
        namespace.setdefault("__repr__", _repr)
        if eq:
            namespace.setdefault("__eq__", _eq)
            namespace.setdefault("__hash__", _hash if frozen else None)
        if frozen:
            namespace["__setattr__"] = _refuse_set
            namespace["__delattr__"] = _refuse_delete
        if slots:
            inherited = {name for base in cls.__mro__[1:] for name in getattr(base, "__slots__", ())}
            namespace["__slots__"] = tuple(name for name in own if name not in inherited)
            if frozen:
                namespace.setdefault("__reduce__", _reduce)
        namespace.pop("__dict__", None)
        namespace.pop("__weakref__", None)
        metaclass: Any = type(cls)
        made = metaclass(cls.__name__, cls.__bases__, namespace)
        made.__qualname__ = cls.__qualname__
        return made

    return decorate


def replace(record: T, **changes: Any) -> T:
    """A copy of a record with these fields changed. Raises TypeError for a field that does not exist."""
    values = {name: getattr(record, name) for name in _notes_of(record)}
    return type(record)(**{**values, **changes})


def changed_fields(record: object) -> dict[str, Any]:
    """The fields of a record that differ from their defaults, with their values."""
    values = {name: (getattr(record, name), note.default) for name, (note, _) in _notes_of(record).items()}
    return {name: value for name, (value, default) in values.items() if value != default}


def _notes_of(record: object) -> dict[str, tuple[_Field, bool]]:
    notes: dict[str, tuple[_Field, bool]] = record._notes  # type: ignore[attr-defined]  # every record has them
    return notes


def _write_init(self: Any, *args: Any, **keywords: Any) -> None:
    """Stand in for `__init__` until the first object is made."""
    cls: Any = next(base for base in type(self).__mro__ if base.__dict__.get("__init__") is _write_init)
    scope: dict[str, Any] = {"missing": _MISSING}
    positional: list[str] = []
    by_name: list[str] = []
    body: list[str] = []
    for name, (note, keyword) in cls._notes.items():
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
        (by_name if keyword else positional).append(parameter)
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


def _repr(self: Any) -> str:
    shown = [name for name, (note, _) in _notes_of(self).items() if note.repr]
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in _notes_of(self))


def _hash(self: Any) -> int:
    return hash(tuple(getattr(self, name) for name in _notes_of(self)))


def _reduce(self: Any) -> tuple[Any, ...]:
    return _rebuild, (type(self), tuple((name, getattr(self, name)) for name in _notes_of(self)))


def _rebuild(cls: Any, values: tuple[tuple[str, Any], ...]) -> Any:
    return cls(**dict(values))


def _refuse_set(self: Any, name: str, _value: object) -> None:
    raise AttributeError(f"{type(self).__name__} does not change: {name!r} cannot be set")


def _refuse_delete(self: Any, name: str) -> None:
    raise AttributeError(f"{type(self).__name__} does not change: {name!r} cannot be deleted")
