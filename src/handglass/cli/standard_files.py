"""Standard input, output and error of a process that was started without one of them.

A closed one leaves its number to the next file or socket that is opened, and complaints would go to the peer.
"""

from __future__ import annotations

import os
import sys


def open_closed() -> None:
    """Point those that were closed at the start to /dev/null; the others stay as they are."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest free one, which is the one that is missing
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open
