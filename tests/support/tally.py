"""Counts that a run prints at its end, also when several workers have run it.

A test notes what it counted as a user property, `note(record_property, subject, kind)`; that travels with pytest's
report to whoever prints.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

PROPERTY = "tally"


def note(record_property: Callable[[str, object], None], subject: str, kind: str, count: int = 1) -> None:
    """Count `count` of a kind towards a subject, if the test passes."""
    record_property(PROPERTY, [subject, kind, count])


class Tally:
    """Adds up what passing tests have noted, on the process that prints; a pytest plugin."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test's notes."""
        if report.when != "call" or not report.passed:
            return
        for name, told in report.user_properties:
            if name == PROPERTY and isinstance(told, list):
                subject, kind, count = told
                self.counts[subject][kind] += count

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each subject."""
        if not self.counts:
            return
        terminalreporter.section("counts")
        for subject, kinds in sorted(self.counts.items()):
            told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
            terminalreporter.line(f"{subject}: {told}")
