"""Start other programs from a test and be sure that they end.

A `Process` writes its output into two files, so that it never stalls on a full pipe and a failing test can
show what it said. Every wait has a limit; leaving the `with` block ends the process by its pid; if the test
run itself is killed, the kernel ends the child (`setpriv --pdeathsig`, where it is installed).
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from handglass.records import dataclass

DEFAULT_LIMIT = 60.0
"""Seconds that a start, a wait or a whole run may take; ten times what a slow and busy machine needs."""

_PORTS = range(10240, 32768)
"""Below Linux's ephemeral range, so that no outgoing connection takes a port between our look and its use."""

_SETPRIV = shutil.which("setpriv")
_SETPRIV_PREFIX = [_SETPRIV, "--pdeathsig", "KILL", "--"] if _SETPRIV else []
_LISTEN_STATE = "0A"


class ProcessError(AssertionError):
    """A program did not do what the test needs from it; the message carries its output."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program that has ended left behind."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Both outputs, standard output first, as text for searching in."""
        return (self.stdout + b"\n" + self.stderr).decode("utf-8", "replace")

    def check(self) -> Self:
        """Return this, or raise `ProcessError` if the exit status is not 0."""
        if self.returncode:
            raise ProcessError(f"{' '.join(self.argv)} ended with {self.returncode}:\n{self.text}")
        return self


def run(
    argv: Sequence[str | Path],
    *,
    data: bytes = b"",
    limit: float = DEFAULT_LIMIT,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Outcome:
    """Run a program to its end with `data` on its standard input; an error if it takes `limit` seconds."""
    command = [str(part) for part in argv]
    try:
        done = subprocess.run(
            [*_SETPRIV_PREFIX, *command],
            input=data,
            capture_output=True,
            timeout=limit,
            env=_environment(env),
            cwd=cwd,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"") + (error.stderr or b"")
        raise ProcessError(
            f"{' '.join(command)} did not end in {limit} s:\n{said.decode(errors='replace')}"
        ) from None
    return Outcome(tuple(command), done.returncode, done.stdout, done.stderr)


class Process:
    """A program that runs beside the test, for instance a server. Use it as a context manager.

    With `merged`, standard error goes into `stdout`, so that the order of what it says is kept.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        merged: bool = False,
    ) -> None:
        self.argv = tuple(str(part) for part in argv)
        self._files: tuple[IO[bytes], IO[bytes]] = (
            tempfile.TemporaryFile(),  # noqa: SIM115  (open as long as the process: `close` ends both)
            tempfile.TemporaryFile(),  # noqa: SIM115  (the same)
        )
        self._popen = subprocess.Popen(
            [*_SETPRIV_PREFIX, *self.argv],
            stdin=subprocess.PIPE,
            stdout=self._files[0],
            stderr=subprocess.STDOUT if merged else self._files[1],
            env=_environment(env),
            cwd=cwd,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; None while it runs."""
        return self._popen.poll()

    @property
    def stdout(self) -> bytes:
        """All it has written to standard output so far."""
        return _contents(self._files[0])

    @property
    def stderr(self) -> bytes:
        """All it has written to standard error so far."""
        return _contents(self._files[1])

    @property
    def text(self) -> str:
        """Both outputs so far, standard output first."""
        return (self.stdout + b"\n" + self.stderr).decode("utf-8", "replace")

    def send(self, data: bytes) -> None:
        """Write to its standard input."""
        assert self._popen.stdin
        self._popen.stdin.write(data)
        self._popen.stdin.flush()

    def wait_until_read(self, *, limit: float = DEFAULT_LIMIT) -> None:
        """Wait until it has read all that was sent, so that it cannot read what comes next along with it."""
        assert self._popen.stdin
        deadline = time.monotonic() + limit
        while struct.unpack("i", fcntl.ioctl(self._popen.stdin, termios.FIONREAD, bytes(4)))[0]:
            if self.returncode is not None or time.monotonic() > deadline:
                raise ProcessError(f"does not read its input:\n{self._story()}")
            time.sleep(0.002)

    def end_input(self) -> None:
        """Close its standard input."""
        assert self._popen.stdin
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()

    def wait_for(self, pattern: str, *, limit: float = DEFAULT_LIMIT, after: int = 0) -> re.Match[str]:
        """Wait until its output (from character `after`) matches; an error if it ends or the time is up."""
        compiled = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + limit
        while True:
            ended = self.returncode is not None
            if match := compiled.search(self.text, after):
                return match
            if ended or time.monotonic() > deadline:
                problem = f"ended with {self.returncode}" if ended else f"said nothing like it in {limit} s"
                raise ProcessError(f"waiting for {pattern!r}: {self.argv[0]} {problem}:\n{self._story()}")
            time.sleep(0.002)

    def wait_until_listening(self, port: int, *, limit: float = DEFAULT_LIMIT) -> None:
        """Wait until somebody listens on this TCP port; found out without a connection, which would count."""
        deadline = time.monotonic() + limit
        while not is_listening(port):
            if self.returncode is not None or time.monotonic() > deadline:
                raise ProcessError(f"nobody listens on port {port}:\n{self._story()}")
            time.sleep(0.002)

    def wait(self, *, limit: float = DEFAULT_LIMIT) -> int:
        """Wait for its end and return the exit status."""
        try:
            return self._popen.wait(limit)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"did not end in {limit} s:\n{self._story()}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def stop(self, grace: float = 2.0) -> None:
        """End it: SIGTERM, and SIGKILL if that is not heard in `grace` seconds. Harmless if it has ended."""
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(grace)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        self.end_input()

    def close(self) -> None:
        """End it and forget its output."""
        self.stop()
        for file in self._files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if value is not None and isinstance(value, Exception):
            value.add_note(f"{self._story()[-4000:]}")
        self.close()

    def _story(self) -> str:
        return f"$ {' '.join(self.argv)}\n{self.text}"


def free_port() -> int:
    """Find a TCP and UDP port that nobody uses now, outside the range of outgoing connections.

    None is found twice, and pytest's workers look at different ones: what is found here stays free until it is used.
    """
    for port in itertools.islice(_candidates(), 200):
        if not is_listening(port) and _can_bind(port):
            return port
    raise ProcessError("found no free port")


@cache
def _candidates() -> Iterator[int]:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = list(_PORTS[worker % workers :: workers])
    random.SystemRandom().shuffle(ports)
    return itertools.cycle(ports)


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port that refuses connections: taken, so that nobody else listens there meanwhile."""
    with socket.socket() as holder:
        holder.bind(("", 0))
        yield holder.getsockname()[1]


def is_listening(port: int) -> bool:
    """Whether any process listens on this TCP port, seen in the kernel's table if there is one."""
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if tables[0].exists():
        wanted = f":{port:04X}"
        return any(
            fields[1].endswith(wanted) and fields[3] == _LISTEN_STATE
            for table in tables
            if table.exists()
            for fields in (line.split() for line in table.read_text().splitlines()[1:])
        )
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _can_bind(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True


def _contents(file: IO[bytes]) -> bytes:
    if file.closed:
        return b""
    # The child writes through the same open file: pread leaves its position alone.
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment["LC_ALL"] = "C.UTF-8"
    environment.update(extra or {})
    return environment
