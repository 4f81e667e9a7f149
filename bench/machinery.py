"""What every measurement needs: programs started on their own CPU, turns, medians, one form of result."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import ROOT
from handglass.records import dataclass, field
from support.pki import Identity, Pki
from support.processes import Process, free_port

OPENSSL = shutil.which("openssl") or "openssl"
PROGRAMS = {"handglass": [sys.executable, "-m", "handglass"], "openssl": [OPENSSL]}
SIDES = tuple(PROGRAMS)
# An installed program has its bytecode beside it; a developer's environment may have forbidden to write it.
ENVIRONMENT = {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": ""}

_TICKS = os.sysconf("SC_CLK_TCK")
_TASKSET = shutil.which("taskset")


@dataclass(frozen=True)
class Result:
    """One comparison. `ratio` above 1 means that we are better; None where OpenSSL's program cannot do it."""

    name: str
    unit: str
    handglass: float
    openssl: float | None
    higher_is_better: bool = True
    detail: dict[str, object] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times as good as OpenSSL's program."""
        if not self.openssl or not self.handglass:
            return None
        if self.higher_is_better:
            return self.handglass / self.openssl
        return self.openssl / self.handglass

    def as_json(self) -> dict[str, object]:
        """Give the form for `--json`."""
        names = ("name", "unit", "handglass", "openssl", "higher_is_better", "detail", "ratio")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Settings:
    """How long to measure: seconds per turn, turns per side, and sizes. `quick` is for trying the benchmark."""

    quick: bool
    pki: Pki
    directory: Path

    @property
    def seconds(self) -> float:
        """Length of one turn."""
        return 1.0 if self.quick else 4.0

    @property
    def turns(self) -> int:
        """Turns of each side."""
        return 1 if self.quick else 5

    @property
    def bulk_bytes(self) -> int:
        """Size of a bulk transfer."""
        return (64 if self.quick else 1024) << 20


def take_turns(settings: Settings, measure: Callable[[str], float]) -> dict[str, float]:
    """Measure both sides in turns and return the median of each."""
    taken: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(settings.turns):
        for side in SIDES:
            taken[side].append(measure(side))
    return {side: statistics.median(values) for side, values in taken.items()}


def compare(
    name: str,
    unit: str,
    medians: dict[str, float],
    detail: dict[str, object] | None = None,
    *,
    higher_is_better: bool = True,
) -> Result:
    """Make a result of the medians of both sides."""
    return Result(name, unit, medians["handglass"], medians["openssl"], higher_is_better, detail or {})


def on_cpu(number: int, argv: Sequence[str | Path]) -> list[str | Path]:
    """Pin a command to a CPU, so that the two ends of a connection do not take it from each other."""
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if not _TASKSET or len(cpus) < 2:
        return list(argv)
    return [_TASKSET, "--cpu-list", str(cpus[number % len(cpus)]), *argv]


def server_argv(side: str, identity: Identity, port: int, *options: str) -> list[str | Path]:
    """Return the command line of `s_server` of either side."""
    argv: list[str | Path] = [*PROGRAMS[side], "s_server", "-accept", f"127.0.0.1:{port}"]
    argv += ["-cert", identity.certificate, "-key", identity.key, "-cert_chain", identity.intermediate]
    return [*argv, *options]


@contextlib.contextmanager
def running_server(
    side: str, identity: Identity, *options: str, cwd: Path | None = None
) -> Iterator[tuple[Process, int]]:
    """Run `s_server` of either side on CPU 0; give its process and port."""
    port = free_port()
    argv = on_cpu(0, server_argv(side, identity, port, *options))
    with Process(argv, env=ENVIRONMENT, cwd=cwd) as process:
        process.wait_until_listening(port)
        yield process, port


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """Allow this process, and those that it starts, as many open files as the system lets them."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_bytes(pid: int) -> int:
    """Return the proportional set size of a process: what it alone occupies, and its share of the rest."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no Pss in smaps_rollup")
