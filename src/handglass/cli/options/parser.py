"""OpenSSL's command line grammar, over a table of rows.

`-x` and `--x` are the same; a value follows as the next word, whatever that begins with, or after an equals
sign; options end at `--` or at the first word without a dash; what then remains is the target. Words are
looked at from left to right, and the first that is wrong, or `-help`, ends it.
"""

from __future__ import annotations

from .values import BadValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from .table import Option, Options

    P = TypeVar("P", bound=Options)


class UsageError(Exception):
    """A command line that cannot be followed. Its text is ready to print; the exit status is 1."""


class ConflictError(UsageError):
    """Options that do not go together."""


class HelpWanted(Exception):  # noqa: N818 - no error
    """`-help` was met."""


def parse(program: type[P], words: list[str]) -> P:
    """Parse the words that follow the program's name.

    Raises UsageError with the text to print, or HelpWanted.
    """
    names = {name: row for row in program.rows() for name in row.names}
    values: dict[str, Any] = {}
    given: list[tuple[Option[Any], object]] = []
    at = 0
    while at < len(words) and words[at].startswith("-"):
        word = words[at]
        at += 1
        if word == "--":
            break
        name, equals, value = word[2 if word.startswith("--") else 1 :].partition("=")
        row = names.get(name)
        if row is None:
            raise usage_error(program, f"Unknown option: -{name}", *_suggest(name, names))
        if name == "help":
            raise HelpWanted
        if row.convert is None:
            if equals:
                raise usage_error(program, f"Option -{name} does not take a value")
            take(row, True, values, given)
            continue
        if not equals:
            if at == len(words):
                raise usage_error(program, f"Option -{name} needs a value")
            value = words[at]
            at += 1
        take(row, _converted(program, row, name, value), values, given)
    _take_target(program, words[at:], values, given)
    parsed = program(values, tuple(given))
    parsed.check()
    return parsed


def usage_error(program: type[Options], *lines: str) -> UsageError:
    """Make the error with OpenSSL's frame: the program's name before each line, and the pointer to -help."""
    return UsageError("\n".join(f"{program.program}: {line}" for line in (*lines, "Use -help for summary.")))


def _converted(program: type[Options], row: Option[Any], name: str, word: str) -> object:
    try:
        return row.convert(name, word) if row.convert is not None else word
    except BadValueError as bad:
        raise usage_error(program, *bad.lines) from None


def take(
    row: Option[Any], value: object, values: dict[str, Any], given: list[tuple[Option[Any], object]]
) -> None:
    """Note that an option was given, after all that `values` and `given` hold."""
    if row.repeats:
        values[row.attribute] = (*values.get(row.attribute, ()), value)
    else:
        values[row.attribute] = value
    if row.also:
        values.update(row.also)
    given.append((row, value))


def _take_target(
    program: type[Options], rest: list[str], values: dict[str, Any], given: list[tuple[Option[Any], object]]
) -> None:
    if not rest:
        return
    target = program.positional()
    allowed = 0 if target is None else len(rest) if target.repeats else 1
    if len(rest) > allowed:
        extra = rest[allowed]
        hint = "; options stand before the target" if extra.startswith("-") else ""
        raise usage_error(program, f'Extra argument "{extra}"{hint}')
    if target is not None:
        for each in rest:
            take(target, _converted(program, target, target.attribute, each), values, given)


def _suggest(name: str, names: dict[str, Option[Any]]) -> tuple[str, ...]:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake has to pay for it

    known = [known for known, row in names.items() if not row.hidden]
    longer = [other for other in known if len(name) > 2 and other.startswith(name)]
    same = [other for other in known if _plain(other) == _plain(name)]
    near = same or longer or get_close_matches(name, known, n=3, cutoff=0.75)
    if not near:
        return ()
    return (f"Did you mean {' or '.join(f'-{other}' for other in near[:3])}?",)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
