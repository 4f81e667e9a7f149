"""Shell completion: the scripts are sound, and bash offers what it should."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from handglass.__main__ import main
from handglass.cli.dispatch import PROGRAMS, options_of
from handglass.cli.programs.completion import SHELLS, script
from support.peers import needs


def complete(*words: str, directory: Path | None = None) -> list[str]:
    """Ask bash what it offers for the last of the words."""
    program = f"{script('bash')}\ncompopt() {{ :; }}\n"
    quoted = " ".join(f"'{word}'" for word in words)
    program += f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _handglass\n"
    program += 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", program], capture_output=True, text=True, check=True, cwd=directory
    )
    assert done.stderr == ""
    return done.stdout.split()


@needs("bash")
def test_programs() -> None:
    assert complete("handglass", "") == [*PROGRAMS, "help"]
    assert complete("handglass", "s_") == ["s_client", "s_server", "s_time"]
    assert complete("handglass", "help", "s_c") == ["s_client"]


@needs("bash")
def test_options() -> None:
    assert complete("handglass", "s_client", "-conn") == ["-connect", "-connect_timeout"]
    assert complete("handglass", "s_server", "-throw") == ["-throwaway_cert"]
    assert complete("handglass", "completion", "z") == ["zsh"]


@needs("bash")
def test_values(tmp_path: Path) -> None:
    (tmp_path / "root.pem").touch()
    (tmp_path / "roots").mkdir()
    for option in ("-CAfile", "--CAfile"):
        offered = complete("handglass", "s_client", option, "ro", directory=tmp_path)
        assert sorted(offered) == ["root.pem", "roots"]
    assert complete("handglass", "s_client", "-CApath", "ro", directory=tmp_path) == ["roots"]
    assert complete("handglass", "s_client", "-connect", "ro", directory=tmp_path) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_every_option_is_known_to_every_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert text == script(shell)
    for name in PROGRAMS:
        for row in (row for row in options_of(name).rows() if not row.hidden):
            for spelling in row.names:
                assert (f" -o {spelling} " if shell == "fish" else f"-{spelling}") in text


@pytest.mark.parametrize("shell", [pytest.param(shell, marks=needs(shell)) for shell in SHELLS])
def test_the_shell_itself_reads_the_script(shell: str) -> None:
    done = subprocess.run([shell, "-n"], input=script(shell), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_shell_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion"]) == 1
    assert capsys.readouterr().err.startswith("completion: Name a shell: bash, zsh, fish\n")
    assert main(["completion", "csh"]) == 1
    assert capsys.readouterr().err.startswith("completion: Value must be one of:\n\tbash\n")
