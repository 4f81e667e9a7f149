"""What the observers that print write to."""

from __future__ import annotations

from typing import Protocol


class Text(Protocol):
    """A file of text, as far as it is written to."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> object:
        """Hand on what was written."""
