"""How things are measured: processes with their CPU time, runs in turn, medians.

Two programs that are compared run in turn (A B A B …), so that a machine whose speed drifts does not favour one. What a
server costs is its own CPU time per connection: the load generator may be slow without that showing.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPENSSL = shutil.which("openssl") or "openssl"
HANDGLASS = [sys.executable, "-m", "handglass"]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Result:
    """One comparison: our figure, OpenSSL's, and the ratio in which more is better for us."""

    name: str
    unit: str
    ours: float
    openssl: float | None
    more_is_better: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than OpenSSL's we are; below 1 we are worse."""
        if not self.openssl or not self.ours:
            return None
        return self.ours / self.openssl if self.more_is_better else self.openssl / self.ours

    def as_json(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "name": self.name,
            "unit": self.unit,
            "handglass": self.ours,
            "openssl": self.openssl,
            "times_openssl": self.ratio,
            "note": self.note,
        }


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """The environment of both programs: Python keeps its bytecode, as in an installation."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    source = Path(__file__).parent.parent / "src"
    return {**kept, "PYTHONPATH": str(source)}


@contextmanager
def running(command: Sequence[str], port: int, cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A server while it runs; it is ended by its process id."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
        env=environment(),
    )
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server listens."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            time.sleep(0.2)
            return
    raise RuntimeError("the server does not listen")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_kib(pid: int) -> int:
    """Memory of a process in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def run_cpu(command: Sequence[str], data: bytes | None = b"", cwd: Path | None = None) -> tuple[float, float]:
    """Run to the end: (CPU seconds, wall seconds)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        command,
        input=data,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        cwd=cwd,
        env=environment(),
        timeout=300,
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float]:
    """The medians of two measurements that are made in turn."""
    first, second = [], []
    for _ in range(rounds):
        first.append(ours())
        second.append(theirs())
    return median(first), median(second)
