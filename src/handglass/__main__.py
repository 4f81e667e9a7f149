"""The command `handglass`: finds the program that its first word names, and starts only that one.

Under the name `openssl`, by a link, it stands in for that (`cli/drop_in.py`).
"""

from __future__ import annotations

import gc
import sys

# Container objects that are made before the collector looks for cycles. A start makes some 40,000 that all stay;
# going over them again and again, as with Python's 700, takes a tenth of a short run.
COLLECT_AFTER = 50_000


def main(words: list[str] | None = None) -> int:
    """Run a program and return its exit status; `words` are the command line without `handglass` itself.

    Without `words` the process is ours: the command line is its own, and so is the garbage collector.
    """
    if words is not None:
        from handglass.cli.dispatch import dispatch  # noqa: PLC0415 - see below

        return dispatch(words)
    gc.set_threshold(COLLECT_AFTER)
    try:
        # Loaded here, so that an interrupt meanwhile ends quietly too.
        if sys.argv[0].rpartition("/")[2] == "openssl":
            from handglass.cli import drop_in  # noqa: PLC0415 - rarely wanted

            return drop_in.run(sys.argv[1:])
        from handglass.cli.dispatch import dispatch  # noqa: PLC0415 - see above

        return dispatch(sys.argv[1:], owns_process=True)
    except KeyboardInterrupt:
        return 130
    finally:
        gc.freeze()  # the process ends: its last collection would only go over what the system takes back anyway


if __name__ == "__main__":
    sys.exit(main())
