"""Who may import whom: a layer imports from those above it in the list, never from below.

And what no file may do: grow beyond what one reads in one go, print from a library, silence a checker without a
word about it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "handglass"
LAYERS = [
    "registry",
    "wire",
    "messages",
    "crypto",
    "keys",
    "record",
    "channel",
    "handshake",
    "verify",
    "connection",
    "observe",
    "net",
    "cli",
]
# X.509 parsing comes from a library too, and is no primitive.
PARSERS = {"verify": ("cryptography.x509",)}
IO_MODULES = {
    "socket",
    "ssl",
    "asyncio",
    "select",
    "selectors",
    "subprocess",
    "threading",
    "time",
    "random",
    "secrets",
    "os",
}
IO_ALLOWED = {"net", "cli"}
# Half of a plain start; `handglass.records` takes their place.
SLOW_MODULES = {"dataclasses", "inspect"}
MAX_LINES = 600


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Each absolute module name that a file imports, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.lineno, node.module
            if node.module == "handglass":
                for alias in node.names:
                    yield node.lineno, f"handglass.{alias.name}"
        elif isinstance(node, ast.ImportFrom):
            base = ["handglass", *path.relative_to(SOURCE).parts[:-1]]
            base = base[: len(base) - node.level + 1]
            yield node.lineno, ".".join(base + ([node.module] if node.module else []))


def layer_of(path: Path) -> str | None:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else None


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_up_only(path: Path) -> None:
    layer = layer_of(path)
    if layer is None:
        return
    assert layer in LAYERS, f"{layer} is not in the list of layers"
    for line, module in imports(path):
        if not module.startswith("handglass."):
            continue
        other = module.split(".")[1]
        if other in LAYERS:
            assert LAYERS.index(other) <= LAYERS.index(layer), f"{path}:{line}: {layer} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_primitives_come_through_crypto(path: Path) -> None:
    layer = layer_of(path)
    if layer in {None, "crypto"}:
        return
    for line, module in imports(path):
        if module.startswith(PARSERS.get(layer or "", ("-",))):
            continue
        assert module.split(".")[0] != "cryptography", f"{path}:{line}: {layer} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_sockets_clocks_or_randomness_below_net(path: Path) -> None:
    layer = layer_of(path)
    if layer is None or layer in IO_ALLOWED:
        return
    for line, module in imports(path):
        assert module.split(".")[0] not in IO_MODULES, f"{path}:{line}: {layer} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_records_are_our_own(path: Path) -> None:
    for line, module in imports(path):
        assert module not in SLOW_MODULES, f"{path}:{line}: imports {module}"


def test_files_are_read_in_one_go() -> None:
    lengths = {str(path.relative_to(SOURCE)): path.read_text().count("\n") for path in FILES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_libraries_do_not_print(path: Path) -> None:
    if layer_of(path) == "cli":
        return
    program = re.compile(r'^if __name__ == "__main__":\n.*', re.MULTILINE | re.DOTALL)
    for node in ast.walk(ast.parse(program.sub("", path.read_text()))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{path}:{node.lineno}: prints"


_SILENCED = re.compile(r"# *(?:noqa|type: *ignore|pragma: *no|ruff:|mypy:)", re.IGNORECASE)
_CODE = r"# (?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z-]+(?:, [a-z-]+)*\])"
_REASON = r" +(?:-|#|\() *[^\s#].+"


def silenced(path: Path, form: str) -> Iterator[str]:
    """Each comment that silences a checker in another form than this."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        comment = token.string
        if token.type == tokenize.COMMENT and _SILENCED.search(comment) and not re.match(form, comment):
            yield f"{path}:{token.start[0]}: {comment}"


@pytest.mark.parametrize(
    ("folder", "form"),
    [("src", _CODE + _REASON), ("tests", _CODE), ("bench", _CODE)],
    ids=["src", "tests", "bench"],
)
def test_checkers_are_silenced_by_code_and_in_the_library_with_a_reason(folder: str, form: str) -> None:
    paths = (SOURCE.parent.parent / folder).rglob("*.py")
    assert [found for path in paths for found in silenced(path, form)] == []


@pytest.mark.parametrize(
    ("comment", "passes"),
    [
        ("# noqa: S101 - for the type checker", True),
        ("# noqa: PLC0415, S101 (lazy: rarely needed)", True),
        ("# type: ignore[misc]  # made on the way", True),
        ("# a word on type: checkers", True),
        ("# noqa", False),
        ("# noqa: S101", False),
        ("# type:ignore", False),
        ("# type: ignore[misc]", False),
        ("# pragma: no cover", False),
    ],
)
def test_silence_is_noticed(comment: str, passes: bool, tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    file.write_text(f"x = 1  {comment}\n")
    assert (list(silenced(file, _CODE + _REASON)) == []) == passes
