"""Write every generated document below a directory: `man/man1/*.1` and `docs/options.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from handglass.cli.dispatch import PROGRAMS, options_of

from .markdown import option_tables
from .prose import PAGES
from .roff import manual_page, overview_page


def documents() -> Iterator[tuple[str, str]]:
    """Yield the path and text of each document."""
    programs = [options_of(name) for name in PROGRAMS]
    yield "docs/options.md", option_tables(programs)
    yield "man/man1/handglass.1", overview_page(programs)
    for program in programs:
        if program.program in PAGES:
            yield f"man/man1/handglass-{program.program}.1", manual_page(program, PAGES[program.program])


def main(directory: str) -> None:
    """Write the documents below `directory`."""
    for name, text in documents():
        path = Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
