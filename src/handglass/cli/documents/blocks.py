"""What the prose of a manual page is made of; `code` stands between backquotes."""

from __future__ import annotations

from handglass.records import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """A list of terms with what they mean."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A command, with what it is for."""

    purpose: str
    command: str


Block = str | Terms | Example


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a page."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The prose of a program: what stands before its options, and what follows them."""

    description: tuple[Block, ...]
    sections: tuple[Section, ...]
    see_also: tuple[str, ...]
