"""The public names of the package: there, of the right kind, and loaded only when asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import handglass

SOURCE = Path(handglass.__file__)


def declared() -> dict[str, str]:
    """What a type checker sees: name → module."""
    return {
        alias.name: node.module or ""
        for node in ast.walk(ast.parse(SOURCE.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }


def test_the_type_checker_sees_what_the_program_gets() -> None:
    assert declared() == handglass._HOME_OF


@pytest.mark.parametrize("name", sorted(handglass._HOME_OF))
def test_every_name_is_there(name: str) -> None:
    value = getattr(handglass, name)
    assert value is getattr(handglass, name)
    assert name in dir(handglass)
    assert value.__doc__


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = handglass.nothing  # type: ignore[attr-defined]  # that is the point


def loaded_after(statement: str) -> set[str]:
    """The modules in memory after a statement in a fresh interpreter."""
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    environment = {"PYTHONPATH": str(SOURCE.parent.parent)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(done.stdout.split())


def test_the_package_alone_loads_nothing() -> None:
    before, after = loaded_after("pass"), loaded_after("import handglass")
    assert {name for name in after - before if not name.startswith("_")} == {"handglass"}


def test_the_engine_loads_no_sockets() -> None:
    new = loaded_after("from handglass import ClientConnection, ServerConfig") - loaded_after("pass")
    assert not new & {"asyncio", "ssl", "socket", "selectors", "handglass.net", "handglass.verify"}


def test_blocking_streams_load_neither_asyncio_nor_ssl() -> None:
    new = loaded_after("from handglass import connect, start_server") - loaded_after("pass")
    assert not new & {"asyncio", "ssl", "logging"}
