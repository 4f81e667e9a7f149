"""A property that is worked out once per object.

`functools.cached_property` takes a lock each time it has something to work out (until Python 3.12); a conversation
has one thread, and a server works out ten such properties for each connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy_property(Generic[T]):  # noqa: N801 - used as a decorator, like property
    """Keeps what `work_out` returned in the object, where it is found first from then on."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> lazy_property[T]: ...

    @overload
    def __get__(self, owner: object, kind: type | None = None) -> T: ...

    def __get__(self, owner: object | None, kind: type | None = None) -> lazy_property[T] | T:
        """Work it out; this is not called again for the same object."""
        if owner is None:
            return self
        found = owner.__dict__[self._name] = self._work_out(owner)
        return found
