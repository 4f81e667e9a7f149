"""The option table of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from handglass.cli.options.table import Option, Options

INTRODUCTION = """\
# Options

Made from the option table by `make man`; edit `src/handglass/cli/options/`, not this page.

Options begin with one dash or two; a value follows as the next word, whatever it begins with, or after an
equals sign. Where an option is repeated the last one counts, unless the table says that it may be given
several times. Options marked ✚ are not OpenSSL's.
"""


def option_tables(programs: Iterable[type[Options]]) -> str:
    """Return the page with the options of each program."""
    lines = [INTRODUCTION]
    for program in programs:
        lines += [f"## handglass {program.program}", "", f"{program.summary}.", ""]
        lines += [f"    handglass {program.program} {program.usage}", ""]
        for title, rows in program.by_title():
            shown = [row for row in rows if not row.hidden]
            if shown:
                lines += [f"### {title}", "", *_table(shown), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(rows: Iterable[Option[Any]]) -> Iterator[str]:
    yield "| option | argument | meaning | default | takes effect |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        names = ", ".join(f"`-{name}`" for name in row.names) + (" ✚" if row.ours else "")
        meaning = row.help + ("; may be given several times" if row.repeats else "")
        cells = (names, _code(row.metavar), meaning, _code(_default(row)), row.where)
        escaped = (cell.replace("|", "\\|") for cell in cells)
        yield f"| {' | '.join(escaped)} |"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _default(row: Option[Any]) -> str:
    if not row.takes_value or row.default in {None, ()}:
        return ""
    return f"{row.default:g}" if isinstance(row.default, float) else str(row.default)
