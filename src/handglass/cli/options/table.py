"""What an option is, and what a program's parsed options are: one declaration serves both.

A group of options is a class; a row of the table is an attribute of it::

    class Names(Options, title="Names"):
        servername = text("servername", "name", "Server name sent as SNI", where="ClientHello: server_name")

`Names.servername` is the row (for help, man page, completion); `names.servername` of a parsed instance is
its value, which mypy knows to be `str | None`. A program's options are a class that inherits from its groups,
in the order in which help shows them. Nothing is declared twice.

`handglass s_client -help` must start as quickly as Python does, so this module imports neither `typing` nor
`dataclasses` nor `enum` when it runs.
"""

from __future__ import annotations

from . import values

TYPE_CHECKING = False
if not TYPE_CHECKING:
    T = None

    def overload(function: object) -> object:
        """Stand in for `typing.overload`, which costs more to import than all of this package."""
        return function

    class Typed:
        """Carries the type of a row's value for the type checker; nothing when the program runs."""

        def __class_getitem__(cls, _item: object) -> type:
            return cls


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Generic, Self, TypeVar, overload

    T = TypeVar("T")

    class Typed(Generic[T]):
        """Carries the type of a row's value for the type checker."""


class Option(Typed[T]):
    """One row of the table.

    names: the spellings without their dash, the usual one first; none for the positional target.
    metavar: what help calls the argument, or None if the option takes none.
    help: one line. where: where the option takes effect.
    convert: makes the value of (the option's name, the word); raises BadValueError.
    also: values that giving this option sets on other rows (by attribute), so that among `-quiet` and
    `-no_ign_eof` the last one wins.
    ours: not an option of OpenSSL's program. words: the only values that it takes.
    """

    __slots__ = (
        "also",
        "attribute",
        "convert",
        "default",
        "help",
        "hidden",
        "metavar",
        "names",
        "ours",
        "repeats",
        "where",
        "words",
    )

    def __init__(
        self,
        names: str | tuple[str, ...],
        metavar: str | None,
        help: str,
        *,
        convert: Callable[[str, str], object] | None,
        default: T,
        where: str,
        repeats: bool = False,
        also: Mapping[str, object] | None = None,
        ours: bool = False,
        hidden: bool = False,
        words: tuple[str, ...] = (),
    ) -> None:
        self.names = (names,) if isinstance(names, str) else names
        self.attribute = ""
        self.metavar = metavar
        self.help = help
        self.convert = convert
        self.default = default
        self.where = where
        self.repeats = repeats
        self.also = also
        self.ours = ours
        self.hidden = hidden
        self.words = words

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    @overload
    def __get__(self, parsed: None, owner: type) -> Option[T]: ...

    @overload
    def __get__(self, parsed: Options, owner: type) -> T: ...

    def __get__(self, parsed: Options | None, owner: type) -> Option[T] | T:
        if parsed is None:
            return self
        found: T = parsed._values.get(self.attribute, self.default)
        return found

    def __set__(self, parsed: Options, value: T) -> None:
        raise AttributeError(f"parsed options do not change: {self.attribute}")

    def __repr__(self) -> str:
        return f"<Option -{self.names[0]}>"

    @property
    def takes_value(self) -> bool:
        """Whether an argument follows the option."""
        return self.metavar is not None


class Options:
    """A group of rows; and, for a program's class, the parsed result.

    `given` keeps what was on the command line in its order, as (row, value), for the few options whose order
    matters.
    """

    program: str = ""
    usage: str = "[options]"
    summary: str = ""
    title: str = ""

    def __init_subclass__(
        cls, *, title: str = "", program: str = "", usage: str = "", summary: str = ""
    ) -> None:
        super().__init_subclass__()
        if title:
            cls.title = title
        if program:
            cls.program, cls.usage, cls.summary = program, usage or "[options]", summary

    def __init__(self, values: Mapping[str, Any], given: tuple[tuple[Option[Any], object], ...]) -> None:
        self._values = values
        self.given = given

    @classmethod
    def by_title(cls) -> Iterator[tuple[str, list[Option[Any]]]]:
        """Yield each title with its rows, in the order of the class's bases; equal titles are one group."""
        found: dict[str, list[Option[Any]]] = {}
        for group in (*cls.__bases__, cls):
            if group is Options or not issubclass(group, Options):
                continue
            if group is not cls and group.__bases__ != (Options,):
                for title, rows in group.by_title():
                    found.setdefault(title, []).extend(rows)
                continue
            own = [row for row in vars(group).values() if isinstance(row, Option) and row.names]
            if own:
                found.setdefault(group.title, []).extend(own)
        yield from found.items()

    @classmethod
    def positional(cls) -> Option[Any] | None:
        """Return the row of the word or words that may follow the options."""
        for group in cls.__mro__:
            for row in vars(group).values():
                if isinstance(row, Option) and not row.names:
                    return row
        return None

    @classmethod
    def rows(cls) -> Iterator[Option[Any]]:
        """Yield every row, the positional target excluded."""
        for _, rows in cls.by_title():
            yield from rows

    def has(self, *rows: Option[Any]) -> bool:
        """Say whether one of these rows was on the command line."""
        return any(row in rows for row, _ in self.given)

    def last(self, *rows: Option[Any]) -> Option[Any] | None:
        """Return the one of these rows that came last on the command line."""
        return next((row for row, _ in reversed(self.given) if row in rows), None)

    def all(self, row: Option[Any]) -> tuple[Any, ...]:
        """Return every value that the command line gave to this row, in order."""
        return tuple(value for other, value in self.given if other is row)

    def with_value(self, row: Option[T], value: T) -> Self:
        """Return these options with another value of one row, for what the environment says instead."""
        return type(self)({**self._values, row.attribute: value}, self.given)

    def after(self, settings: Sequence[tuple[Option[Any], object]]) -> Self:
        """Return these options as if `settings` had stood before them on the command line, unchecked."""
        from .parser import take  # noqa: PLC0415 - the two modules know each other

        values: dict[str, Any] = {}
        given: list[tuple[Option[Any], object]] = []
        for row, value in (*settings, *self.given):
            take(row, value, values, given)
        return type(self)(values, tuple(given))

    def check(self) -> None:
        """Look at options that exclude or need each other.

        Raises UsageError with the sentence to print.
        """

    @classmethod
    def parse(cls, words: list[str]) -> Self:
        """Parse a command line (without the program's name); see `parser.parse`."""
        from .parser import parse  # noqa: PLC0415 - the two modules know each other

        return parse(cls, words)


# The kinds of rows, by what their argument is. The parameters are those of Option.


def flag(
    names: str | tuple[str, ...],
    help: str,
    *,
    where: str,
    also: Mapping[str, object] | None = None,
    ours: bool = False,
) -> Option[bool]:
    """Make a row without an argument."""
    return Option(names, None, help, convert=None, default=False, where=where, also=also, ours=ours)


def text(
    names: str | tuple[str, ...],
    metavar: str,
    help: str,
    *,
    where: str,
    also: Mapping[str, object] | None = None,
    ours: bool = False,
) -> Option[str | None]:
    """Make a row with any text as its argument."""
    return Option(
        names, metavar, help, convert=values.anything, default=None, where=where, also=also, ours=ours
    )


def text_or(
    default: str, names: str | tuple[str, ...], metavar: str, help: str, *, where: str, ours: bool = False
) -> Option[str]:
    """Make a row with any text as its argument, and a default."""
    return Option(names, metavar, help, convert=values.anything, default=default, where=where, ours=ours)


def texts(
    names: str | tuple[str, ...], metavar: str, help: str, *, where: str, ours: bool = False
) -> Option[tuple[str, ...]]:
    """Make a row that may be given several times; its value is all of them."""
    return Option(
        names, metavar, help, convert=values.anything, default=(), where=where, repeats=True, ours=ours
    )


def word(
    names: str | tuple[str, ...],
    metavar: str,
    words: tuple[str, ...],
    help: str,
    *,
    where: str,
    ours: bool = False,
    also_taken: tuple[str, ...] = (),
) -> Option[str | None]:
    """Make a row whose argument is one of `words`, or of `also_taken`, which are not advertised."""
    convert = values.one_of(words, also_taken)
    return Option(names, metavar, help, convert=convert, default=None, where=where, words=words, ours=ours)


def form(names: str, help: str, *, where: str, words: tuple[str, ...] = ("DER", "PEM")) -> Option[str | None]:
    """Make a row whose argument is the format of a file, one of `words`."""
    return Option(
        names, "|".join(words), help, convert=values.file_form(words), default=None, where=where, words=words
    )


def directory(
    names: str | tuple[str, ...], help: str, *, where: str, ours: bool = False
) -> Option[str | None]:
    """Make a row whose argument is a directory that exists."""
    return Option(names, "dir", help, convert=values.directory, default=None, where=where, ours=ours)


def number(
    names: str | tuple[str, ...],
    metavar: str,
    help: str,
    *,
    where: str,
    minimum: int | None = None,
    bits: int = 32,
    also: Mapping[str, object] | None = None,
    ours: bool = False,
) -> Option[int | None]:
    """Make a row whose argument is a whole number: any, from 0 (minimum=0), or from 1 (minimum=1)."""
    convert = values.whole_number(minimum, bits)
    return Option(names, metavar, help, convert=convert, default=None, where=where, also=also, ours=ours)


def number_or(
    default: int,
    names: str | tuple[str, ...],
    metavar: str,
    help: str,
    *,
    where: str,
    minimum: int | None = None,
    ours: bool = False,
) -> Option[int]:
    """Make a row whose argument is a whole number, as in `number`, with a default."""
    convert = values.whole_number(minimum, 32)
    return Option(names, metavar, help, convert=convert, default=default, where=where, ours=ours)


def seconds_or(default: float, names: str | tuple[str, ...], help: str, *, where: str) -> Option[float]:
    """Make a row of our own whose argument is a time limit in seconds, with decimals; 0 is no limit."""
    return Option(names, "seconds", help, convert=values.seconds, default=default, where=where, ours=True)


def seconds(names: str | tuple[str, ...], help: str, *, where: str) -> Option[float | None]:
    """Make a row as `seconds_or` does, without a default."""
    return Option(names, "seconds", help, convert=values.seconds, default=None, where=where, ours=True)


def target_words(metavar: str, help: str, *, where: str) -> Option[tuple[str, ...]]:
    """Make the row of the words that may follow the options, any number of them."""
    return Option((), metavar, help, convert=values.anything, default=(), where=where, repeats=True)


def target_word(metavar: str, help: str, *, where: str, words: tuple[str, ...] = ()) -> Option[str | None]:
    """Make the row of the word that may follow the options, any or one of `words`."""
    convert = values.one_of(words) if words else values.anything
    return Option((), metavar, help, convert=convert, default=None, where=where, words=words)
