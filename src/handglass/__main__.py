"""The command `handglass`: finds the program that its first word names, and starts only that one."""

from __future__ import annotations

import sys


def main(words: list[str] | None = None) -> int:
    """Run a program and return its exit status; `words` are the command line without `handglass` itself."""
    from handglass.cli.dispatch import dispatch  # noqa: PLC0415 - so that an interrupt while loading ends quietly too

    return dispatch(sys.argv[1:] if words is None else words)


if __name__ == "__main__":
    sys.exit(main())
