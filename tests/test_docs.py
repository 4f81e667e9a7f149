"""The documentation is true: its code runs and has the right types, its links lead somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WITH_CODE = ["docs/api.md", "README.md"]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if path.name != "options.md"  # made from the option table, and tested with it
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def blocks(page: str, language: str) -> list[tuple[int, str]]:
    """The code blocks of a language: (number of the first line, text)."""
    text = (ROOT / page).read_text()
    return [
        (text.count("\n", 0, match.start(2)) + 1, match[2])
        for match in FENCE.finditer(text)
        if match[1] == language
    ]


def program(page: str) -> str:
    """All Python of a page as one program whose line numbers are those of the page."""
    lines: list[str] = []
    for line, text in blocks(page, "python"):
        lines += [""] * (line - 1 - len(lines))
        lines += text.splitlines()
    return "\n".join(lines) + "\n"


def matches(expected: str, line: str) -> bool:
    """Whether a printed line is the expected one, in which … stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), line) is not None


@pytest.mark.parametrize("page", WITH_CODE)
def test_code_runs_and_prints_what_it_says(
    page: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    code = program(page)
    exec(compile(code, page, "exec"), {"__name__": page})
    printed = iter(capsys.readouterr().out.splitlines())
    for expected in re.findall(r"^ *# → (.+)$", code, re.MULTILINE):
        assert any(matches(expected, line) for line in printed), f"never printed after the rest: {expected}"


@pytest.mark.parametrize("page", WITH_CODE)
def test_code_is_typed(page: str, tmp_path: Path) -> None:
    module = tmp_path / "page.py"
    module.write_text(program(page))
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_examples_are_short() -> None:
    """A client and a server fit in twenty lines each."""
    functions = [
        node for node in ast.walk(ast.parse(program("docs/api.md"))) if isinstance(node, ast.FunctionDef)
    ]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert all(lengths[name] <= 21 for name in ("shout", "fetch", "answer")), lengths


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    directory = (ROOT / page).parent
    for target in LINK.findall(FENCE.sub("", (ROOT / page).read_text())):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = directory / path if path else ROOT / page
        assert found.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in anchors(found), f"{page}: {target}"


def anchors(page: Path) -> set[str]:
    """The places in a page that links can lead to."""
    text = FENCE.sub("", page.read_text())
    made = {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in HEADING.findall(text)
    }
    return made | set(re.findall(r'<a id="([^"]+)"', text))


NAMED = [
    (page, name)
    for page in PAGES
    for name in sorted(
        set(re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|md))(?:: \w+)?`", (ROOT / page).read_text()))
    )
]


@pytest.mark.parametrize(("page", "name"), NAMED)
def test_files_that_are_named_are_there(page: str, name: str) -> None:
    package = ROOT / "src" / "handglass"
    bases = (ROOT, ROOT / "src", package, package / "handshake")
    assert any((base / name).exists() for base in bases), f"{page}: {name}"


def test_every_package_is_in_the_architecture() -> None:
    table = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE))
    packages = (ROOT / "src" / "handglass").glob("*/__init__.py")
    assert table == {path.parent.name for path in packages}
