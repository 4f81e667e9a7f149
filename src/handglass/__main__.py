"""The command `handglass`: finds the program that its first word names, and starts only that one.

Under the name `openssl`, by a link, it stands in for that (`cli/programs/drop_in.py`).
"""

from __future__ import annotations

import gc
import sys

from handglass.net import interrupts

# Container objects that are made before the collector looks for cycles. A start makes some 40,000 that all stay;
# going over them again and again, as with Python's 700, takes a tenth of a short run.
COLLECT_AFTER = 50_000


def main(words: list[str] | None = None) -> int:
    """Run a program and return its exit status; `words` are the command line without `handglass` itself.

    Without `words` the process is ours: the command line is its own, and so are its signals and the garbage collector.
    """
    if words is None:
        interrupts.install()
        gc.set_threshold(COLLECT_AFTER)
    from handglass.cli.dispatch import dispatch  # noqa: PLC0415 - so that an interrupt while loading ends quietly too

    if words is not None:
        return dispatch(words)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from handglass.cli.standard_files import open_closed  # noqa: PLC0415 - hardly ever

        open_closed()
    try:
        if sys.argv[0].rpartition("/")[2] == "openssl":
            from handglass.cli.programs import drop_in  # noqa: PLC0415 - rarely wanted

            return drop_in.run(sys.argv[1:])
        return dispatch(sys.argv[1:])
    finally:
        # The process ends. That takes a moment, and is not to be broken off; its last collection would only go over
        # what the system takes back anyway.
        interrupts.ignore()
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
