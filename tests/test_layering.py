"""Who may import whom: a layer imports from those above it in the list, never from below."""

from __future__ import annotations

import ast
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
