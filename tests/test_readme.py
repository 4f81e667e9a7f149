"""The README's examples, run as they stand there by a shell, print what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from handglass.records import dataclass, field
from support.command import make_command
from support.processes import free_port
from test_docs import ROOT, blocks

LIMIT = 60.0
PORTS = ("4433", "4434")
COMMANDS = [
    line[2:]
    for _, text in blocks("README.md", "console")
    for line in text.splitlines()
    if line.startswith("$ ")
]


@dataclass()
class Shell:
    """A directory in which `handglass` is a command, and where the README's ports are free ones."""

    directory: Path
    ports: dict[str, str]
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the commands; their name first in PATH, their certificates alone trusted."""
        return {
            "PATH": f"{self.directory}/bin:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, command: str, before: int) -> str:
        """What a command prints; `before` is the exit status of the one before it."""
        self.status = subprocess.run(
            ["sh", "-c", f"(exit {before}); {self._translated(command)}"],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
            check=False,
        )
        return self._original(self.status.stdout.decode())

    def start(self, command: str, expected: list[str]) -> str:
        """What a server prints until it has printed what is expected, or the time is over."""
        output = self.directory / f"server-{len(self.servers)}.txt"
        with output.open("wb") as file:
            words = shlex.split(self._translated(command))
            self.servers.append(
                subprocess.Popen(
                    words,
                    cwd=self.directory,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                )
            )
        deadline = time.monotonic() + LIMIT
        while True:
            text = self._original(output.read_text())
            if agrees(expected, text) or time.monotonic() > deadline:
                return text
            time.sleep(0.02)

    def close(self) -> None:
        """End the servers."""
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait(LIMIT)

    def _translated(self, text: str) -> str:
        return re.sub("|".join(self.ports), lambda found: self.ports[found[0]], text)

    def _original(self, text: str) -> str:
        names = {port: name for name, port in self.ports.items()}
        return re.sub("|".join(names), lambda found: names[found[0]], text).replace("\r\n", "\n")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    make_command(tmp_path / "bin")
    shell = Shell(tmp_path, {name: str(free_port()) for name in PORTS})
    yield shell
    shell.close()


def agrees(expected: list[str], text: str) -> bool:
    """Whether the text is what is expected: … in a line is anything in it, … alone any number of lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) + r"\n"
        for line in expected
    )
    return re.fullmatch(pattern, text if not text or text.endswith("\n") else text + "\n") is not None


def test_the_examples_are_true(shell: Shell) -> None:
    status = 0
    for line, text in blocks("README.md", "console"):
        parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
        for command, output in zip(parts[::2], parts[1::2], strict=True):
            expected = output.splitlines()
            if command.endswith(" &"):
                printed = shell.start(command.removesuffix(" &"), expected)
            else:
                printed = shell.run(command, status)
                status = shell.status.returncode
            assert agrees(expected, printed), f"README.md, block at line {line}: $ {command}\n{printed}"


def test_there_are_six() -> None:
    assert len(re.findall(r"^\*\*\d\. ", (ROOT / "README.md").read_text(), re.MULTILINE)) == 6
    assert len(COMMANDS) > 5


@pytest.mark.parametrize(
    ("expected", "text", "is_so"),
    [
        (["a", "…", "d"], "a\nb\nc\nd\n", True),
        (["a", "…", "d"], "a\nd", True),
        (["a", "…"], "a\n", True),
        (["a … d"], "a b c d\n", True),
        (["a … d"], "a b\nd\n", False),
        ([], "", True),
        ([], "a\n", False),
        (["a"], "", False),
    ],
)
def test_agreeing(expected: list[str], text: str, is_so: bool) -> None:
    assert agrees(expected, text) == is_so
