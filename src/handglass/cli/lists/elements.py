"""What the colon-separated lists have in common."""

from __future__ import annotations

from .errors import ListError


def split(text: str, separator: str = ":") -> list[str]:
    """Cut a list into its elements, without the white space around them.

    Raises ListError for an empty list or element.
    """
    elements = [part.strip() for part in text.split(separator)]
    if not all(elements):
        raise ListError(
            "passed invalid argument", "an empty list" if len(elements) == 1 else "an empty element"
        )
    return elements
