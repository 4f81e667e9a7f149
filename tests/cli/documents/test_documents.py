"""The generated documents: in step with the option table, and well formed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from handglass.cli.dispatch import PROGRAMS, options_of
from handglass.cli.documents.__main__ import documents, main
from handglass.cli.documents.prose import PAGES
from handglass.cli.documents.roff import escape
from support.peers import needs

ROOT = Path(__file__).parent.parent.parent.parent
DOCUMENTS = dict(documents())
MANUALS = [name for name in DOCUMENTS if name.startswith("man/")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_in_step_with_the_table(name: str) -> None:
    assert (ROOT / name).read_text() == DOCUMENTS[name], "run `make man`"


def test_nothing_is_left_over() -> None:
    assert {f"man/man1/{path.name}" for path in (ROOT / "man" / "man1").iterdir()} == set(MANUALS)


def test_writing(tmp_path: Path) -> None:
    main(str(tmp_path))
    for name, text in DOCUMENTS.items():
        assert (tmp_path / name).read_text() == text


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_option_is_in_the_table(name: str) -> None:
    part = DOCUMENTS["docs/options.md"].split(f"## handglass {name}\n")[1].split("\n## ")[0]
    for row in (row for row in options_of(name).rows() if not row.hidden):
        for spelling in row.names:
            assert f"`-{spelling}`" in part


@pytest.mark.parametrize("name", PAGES)
def test_every_option_is_in_the_manual(name: str) -> None:
    page = DOCUMENTS[f"man/man1/handglass-{name}.1"]
    for row in (row for row in options_of(name).rows() if not row.hidden):
        for spelling in row.names:
            assert f"\\fB{escape(f'-{spelling}')}\\fR" in page


@needs("groff")
@pytest.mark.parametrize("name", MANUALS)
def test_groff_has_nothing_to_complain_of(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-rHY=0"],
        input=DOCUMENTS[name],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "SEE ALSO" in done.stdout.replace("\b", "") or "SSEEEE" in done.stdout.replace("\b", "")


def test_roff_takes_text_literally() -> None:
    assert escape(".x -y \\n `z`\n'a") == "\\&.x \\-y \\en \\fBz\\fR\n\\&'a"
