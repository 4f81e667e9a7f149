"""The text of `-help`: the program's rows, group by group."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .table import Option, Options

INDENT = 28


def help_text(program: type[Options], width: int = 100) -> str:
    """Return the help page of a program, its lines at most `width` columns wide."""
    lines = [f"Usage: {program.program} {program.usage}"]
    for title, rows in program.by_title():
        lines += ["", f"{title}:"]
        for row in rows:
            if not row.hidden:
                lines += _entry(row, width)
    target = program.positional()
    if target is not None:
        lines += ["", "Parameters:", *_entry(target, width)]
    return "\n".join(lines) + "\n"


def right(row: Option[Any]) -> str:
    """Return the row's help with its default."""
    if row.takes_value and row.default not in {None, ()}:
        return (
            f"{row.help}; default: {row.default:g}" if isinstance(row.default, float) else _with_default(row)
        )
    return row.help


def _with_default(row: Option[Any]) -> str:
    return f"{row.help}; default: {row.default}"


def _entry(row: Option[Any], width: int) -> Iterator[str]:
    """Give the row's lines; each further name of it has a line of its own, where a search finds it."""
    first, *others = row.names or ("",)
    argument = f" {row.metavar}" if row.metavar else ""
    yield from _lines(f" -{first}{argument}" if first else argument, right(row), width)
    for name in others:
        yield from _lines(f" -{name}{argument}", f"The same as -{first}", width)


def _lines(start: str, text: str, width: int) -> Iterator[str]:
    lines = list(_wrap(text, max(width - INDENT, 30)))
    if len(start) >= INDENT:
        yield start
    else:
        yield start.ljust(INDENT) + lines.pop(0)
    for line in lines:
        yield " " * INDENT + line


def _wrap(text: str, width: int) -> Iterator[str]:
    """Break between words; textwrap would bring `re` with it."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
