"""The matrix as a table at the end of the run, also when several workers have run it.

A test notes its result as a user property, which travels with pytest's report to whoever prints.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from handglass.records import dataclass, field
from interop.combinations import Combination

PROPERTY = "interop"
COLUMNS = ("TLS 1.2", "TLS 1.3", "suites", "groups", "certificates", "client auth", "resumed", "retries")


def properties(pairing: str, combination: Combination) -> list[str]:
    """Tell what the table wants to know of a combination, in the order of `Row.count`."""
    return [
        pairing,
        combination.version,
        combination.suite.name,
        combination.group or "",
        combination.certificate,
        combination.client or "",
        combination.resumption or "",
        "retry" if combination.retry else "",
    ]


@dataclass()
class Row:
    """One pairing of programs."""

    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    values: list[set[str]] = field(default_factory=lambda: [set(), set(), set()])
    extras: list[int] = field(default_factory=lambda: [0, 0, 0])

    def count(self, outcome: str, told: list[str]) -> None:
        """Count one combination."""
        self.outcomes[outcome] += 1
        if outcome != "passed":
            return
        _, version, *rest = told
        self.versions[version] += 1
        for values, value in zip(self.values, rest[:3], strict=True):
            values.update({value} - {""})
        for index, value in enumerate(rest[3:]):
            self.extras[index] += bool(value)

    def cells(self) -> list[int]:
        """Return the numbers below `COLUMNS`."""
        return [self.versions["TLSv1.2"], self.versions["TLSv1.3"], *map(len, self.values), *self.extras]


class MatrixReport:
    """Collects the results on the process that prints; a pytest plugin."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = defaultdict(Row)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test's call, or its set-up if it came no further."""
        told = dict(report.user_properties).get(PROPERTY)
        if isinstance(told, list) and (
            report.when == "call" or (report.when == "setup" and not report.passed)
        ):
            self.rows[told[0]].count(report.outcome, told)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        if not self.rows:
            return
        total = {
            outcome: sum(row.outcomes[outcome] for row in self.rows.values())
            for outcome in ("passed", "failed", "skipped")
        }
        terminalreporter.section("interoperability")
        terminalreporter.line(
            f"{sum(total.values())} combinations: "
            + ", ".join(f"{count} {outcome}" for outcome, count in total.items())
        )
        width = max(map(len, self.rows))
        terminalreporter.line(" " * width + "".join(f"{title:>14}" for title in ("passed", *COLUMNS)))
        for name, row in self.rows.items():
            cells = [row.outcomes["passed"], *row.cells()]
            terminalreporter.line(f"{name:{width}}" + "".join(f"{cell:>14}" for cell in cells))
