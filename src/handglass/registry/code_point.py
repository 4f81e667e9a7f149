"""What every code point has in common: a number with a name, whether we know the value or not.

Strategy: to a type checker a registry is an `enum.IntEnum`, and it behaves as one: members, `cls(value)`,
`cls["NAME"]`, iteration, `.name`, `.value`. Two things differ at run time. A value that has no name becomes a
pseudo-member made on the spot, so that what a peer sent is never lost, can be compared, printed and encoded
again, and no caller needs a second path; pseudo-members are made anew each time, so compare with `==`,
never with `is`. And the classes are made by the small metaclass below: `enum` takes some 10 ms for our 800
members, which is as long as the whole start of the interpreter; this takes less than one.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:

    class CodePoint(IntEnum):
        """A registered number of `size` bytes. `cls(value)` works for every value in range, known or not.

        Raises ValueError for a value that does not fit in `size` bytes.
        """

        size: ClassVar[int]
        """How many bytes the number takes on the wire."""

        points: ClassVar[dict[int, Any]]
        """The members by number; subscribing with an unknown number in range gives its pseudo-member."""

        def __init_subclass__(cls, *, size: int) -> None: ...

        @property
        def is_known(self) -> bool:
            """Whether the number has a name in the registry."""

        @property
        def is_grease(self) -> bool:
            """Whether the number is reserved to test the tolerance of peers (RFC 8701 §2)."""

        @classmethod
        def _looks_like_grease(cls, value: int) -> bool: ...

else:

    class _Points(dict):
        """Members by number. Missing ones are made, not kept: no peer shall fill our memory."""

        __slots__ = ("owner",)

        def __missing__(self, value: int) -> CodePoint:
            owner = self.owner
            if not isinstance(value, int) or not 0 <= value < 1 << 8 * owner.size:
                raise ValueError(f"{value!r} is not a valid {owner.__name__}")
            return int.__new__(owner, value)

    def _new_member(owner: type, name: str, value: int) -> CodePoint:
        member = int.__new__(owner, value)
        member.__dict__["name"] = name
        return member

    class _Registry(type):
        """Turns the plain numbers of a class body into members of the class."""

        def __new__(
            mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], size: int = 0
        ) -> _Registry:
            numbers = {k: v for k, v in body.items() if type(v) is int and not k.startswith("_")}
            cls = super().__new__(mcs, name, bases, {k: v for k, v in body.items() if k not in numbers})
            points = _Points()
            points.owner = cls
            members = {}
            for key, value in numbers.items():
                member = points.get(value)
                if member is None:
                    member = points[value] = _new_member(cls, key, value)
                members[key] = member
                setattr(cls, key, member)
            cls.size = size
            cls.points = points
            cls.__members__ = members
            return cls

        def __getitem__(cls, name: str) -> CodePoint:
            return cls.__members__[name]

        def __iter__(cls):
            return iter(cls.points.values())

        def __len__(cls) -> int:
            return len(cls.points)

        def __bool__(cls) -> bool:
            return True

        def __contains__(cls, value: object) -> bool:
            return value in cls.points

    class CodePoint(int, metaclass=_Registry):
        """A registered number of `size` bytes. `cls(value)` works for every value in range, known or not.

        Raises ValueError for a value that does not fit in `size` bytes.
        """

        def __new__(cls, value: int) -> Self:
            """Look the value up; one without a name becomes a pseudo-member."""
            return cls.points[value]

        @property
        def value(self) -> int:
            """Return the bare number."""
            return int(self)

        @property
        def is_known(self) -> bool:
            """Whether the number has a name in the registry."""
            return self in self.points

        @property
        def is_grease(self) -> bool:
            """Whether the number is reserved to test the tolerance of peers (RFC 8701 §2)."""
            return self._looks_like_grease(self)

        @classmethod
        def _looks_like_grease(cls, value: int) -> bool:
            """RFC 8701 §2: 0x0A0A, 0x1A1A, .. 0xFAFA in the two-byte registries."""
            return cls.size == 2 and value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF

        def __getattr__(self, attribute: str) -> str:
            """Name a number that has no name, when it is asked for."""
            if attribute != "name":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}")
            kind = "GREASE" if self.is_grease else "UNKNOWN"
            return f"{kind}_0x{int(self):0{2 * self.size}X}"

        def __str__(self) -> str:
            return self.name

        def __repr__(self) -> str:
            return f"<{type(self).__name__}.{self.name}: {int(self)}>"

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"{self!r} cannot be changed")

        def __reduce__(self) -> tuple[type, tuple[int]]:
            return type(self), (int(self),)
