"""Cold start: `-help`, and a whole connection that prints its report and ends."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.machinery import (
    ENVIRONMENT,
    PROGRAMS,
    Result,
    Settings,
    compare,
    on_cpu,
    running_server,
    take_turns,
)
from support.processes import run

RUNS = 5
"""Starts per turn: the best of them, since a start can only be disturbed."""


def starting(settings: Settings) -> Iterator[Result]:
    """Milliseconds from the start of the program to its end."""
    for program in ("s_client", "s_server"):
        medians = take_turns(settings, lambda side, program=program: _best(side, [program, "-help"]))  # type: ignore[misc]
        yield compare(f"start: {program} -help", "ms", medians, higher_is_better=False)
    # With the trust store of the system, as in daily use; the server's certificate is not in it.
    with running_server("openssl", settings.pki.server("p256"), "-www") as (_, port):
        arguments = ["s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"]
        medians = take_turns(settings, lambda side: _best(side, arguments))
    yield compare("start: connect, print, exit", "ms", medians, higher_is_better=False)


def _best(side: str, arguments: Sequence[str]) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run(on_cpu(1, [*PROGRAMS[side], *arguments]), env=ENVIRONMENT)
        taken.append(time.perf_counter() - start)
    return min(taken) * 1000
