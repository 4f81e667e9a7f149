"""The table of states in the documentation is that of the code, and complete."""

from __future__ import annotations

from pathlib import Path

from handglass.handshake.states import state_table, states
from handglass.handshake.wants import EXPECTATIONS

DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_document_is_up_to_date() -> None:
    """After a change: `python -m handglass.handshake.states > docs/states.md`."""
    assert DOCUMENT.read_text(encoding="utf-8") == state_table()


def test_no_state_is_missing() -> None:
    """Every wait that any conversation defines is in the table, and has a name."""
    listed = {id(wait) for _, wait in states()}
    assert {id(wait) for wait in EXPECTATIONS} == listed
    assert all(wait.state for wait in EXPECTATIONS)
