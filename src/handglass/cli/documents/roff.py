"""Manual pages in man(7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from handglass import __version__
from handglass.cli.options.help import right
from handglass.cli.options.table import Option, Options
from handglass.cli.programs.drop_in import STANDS_IN

from .blocks import Block, Example, Page, Terms


def manual_page(program: type[Options], page: Page) -> str:
    """Return the manual page of a program."""
    name = f"handglass-{program.program}"
    lines = [*_head(name, program.summary), ".SH SYNOPSIS", f"\\fBhandglass {escape(program.program)}\\fR"]
    lines += [f"{_italic_words(program.usage)}", ".SH DESCRIPTION", *_blocks(page.description), ".SH OPTIONS"]
    lines += [
        "Options begin with one dash or two;",
        "a value follows as the next word or after an equals sign.",
    ]
    lines += ["Options marked with * are not OpenSSL's."]
    for title, rows in program.by_title():
        lines += [f".SS {escape(title)}"]
        for row in rows:
            if not row.hidden:
                lines += _option(row)
    for section in page.sections:
        lines += [f".SH {escape(section.title.upper())}", *_blocks(section.blocks)]
    return _end(lines, page.see_also)


def overview_page(programs: Iterable[type[Options]]) -> str:
    """Return the manual page of the command itself."""
    lines = [
        *_head("handglass", "Look at TLS"),
        ".SH SYNOPSIS",
        "\\fBhandglass\\fR \\fIprogram\\fR [\\fIoptions\\fR]",
    ]
    lines += [
        ".SH DESCRIPTION",
        "Handglass is a TLS engine made to be looked at, with programs that take OpenSSL's",
    ]
    lines += ["options and print OpenSSL's text, and tell more. The first word names the program:"]
    for program in programs:
        lines += [".TP", f"\\fB{escape(program.program)}\\fR", escape(f"{program.summary}.")]
    lines += [
        ".PP",
        escape("Each has its own options; `handglass program -help` lists them.").replace("`", ""),
        ".PP",
        escape(
            f"Under the name `openssl`, by a link, it runs its own {_listed(sorted(STANDS_IN))}, with the help on"
        ),
        escape("standard error, and hands every other command on to OpenSSL's program, the first in PATH."),
    ]
    pages = [f"handglass-{program.program}(1)" for program in programs if program.program.startswith("s_")]
    return _end(lines, (*pages, "openssl(1)"))


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def escape(text: str) -> str:
    """Return text in which nothing means anything to roff; backquoted words become bold."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    pieces = text.split("`")
    text = "".join(f"\\fB{piece}\\fR" if index % 2 else piece for index, piece in enumerate(pieces))
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in text.split("\n"))


def _head(name: str, summary: str) -> list[str]:
    title = escape(name.upper())
    return [
        f'.TH {title} 1 "" "Handglass {__version__}" "Handglass Manual"',
        ".SH NAME",
        f"{escape(name)} \\- {escape(summary)}",
    ]


def _end(lines: list[str], see_also: Iterable[str]) -> str:
    references = ", ".join(escape(reference) for reference in see_also)
    return "\n".join([*lines, ".SH SEE ALSO", references, ""])


def _italic_words(usage: str) -> str:
    inside = usage.replace("[", "\0[").split("\0")
    return "".join(f"[\\fI{escape(part[1:].rstrip('] '))}\\fR] " for part in inside if part).rstrip()


def _option(row: Option[Any]) -> Iterator[str]:
    names = ", ".join(f"\\fB{escape(f'-{name}')}\\fR" for name in row.names)
    argument = f" \\fI{escape(row.metavar)}\\fR" if row.metavar else ""
    yield ".TP"
    yield f"{names}{argument}{' *' if row.ours else ''}"
    yield escape(f"{right(row)}.")


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for index, block in enumerate(blocks):
        if isinstance(block, Terms):
            for term, meaning in block.items:
                yield from (".TP", f"\\fB{escape(term)}\\fR", escape(meaning))
        elif isinstance(block, Example):
            yield from (
                ".PP",
                escape(block.purpose),
                ".PP",
                ".RS 4",
                ".nf",
                escape(block.command),
                ".fi",
                ".RE",
            )
        else:
            if index:
                yield ".PP"
            yield escape(block)
