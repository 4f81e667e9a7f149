"""The command `handglass` itself: which program runs, and how little it loads for that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from handglass import __version__
from handglass.__main__ import main
from handglass.cli.dispatch import PROGRAMS, options_of

SOURCE = Path(__file__).parent.parent.parent / "src"
HEAVY = {"asyncio", "ssl", "cryptography", "socket", "dataclasses", "inspect", "typing", "re", "argparse"}


def run(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = (
        [sys.executable, "-S", "-c", code, *words] if code else [sys.executable, "-m", "handglass", *words]
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, env=environment)


@pytest.mark.parametrize("words", [[], ["help"], ["-help"], ["--help"]])
def test_the_list_of_programs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in PROGRAMS:
        assert f"\n {name}" in out


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_is_on_standard_output(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "-help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"Usage: {name} [options]")
    for row in options_of(name).rows():
        assert f" -{row.names[0]}" in out
    assert main(["help", name]) == 0
    assert capsys.readouterr().out == out


def test_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["s_client", "-xyzzy"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "s_client: Unknown option: -xyzzy\ns_client: Use -help for summary.\n"


def test_an_unknown_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["s_cleint"]) == 1
    assert capsys.readouterr().err.startswith("Invalid command 's_cleint'; type ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"Handglass {__version__} (Python {sys.version_info[0]}.")
    assert ", cryptography " in line
    assert ", OpenSSL " in line
    assert main(["version", "-a"]) == 0
    everything = capsys.readouterr().out
    assert everything.startswith(line)
    assert "platform: " in everything
    assert "brotli: " in everything


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from handglass.__main__ import main; main(['s_client', '-help']);"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = run(code=code)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    command = [sys.executable, "-m", "handglass", "s_client", "-help"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    os.close(write)
    assert done.stderr == ""
