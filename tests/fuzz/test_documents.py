"""The fuzz target for documents as a test; with more inputs: `python -m fuzz.documents 300000 2`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fuzz.documents import READERS, Report, run
from support.tally import note

INPUTS = dict.fromkeys(READERS, 1000) | {"chains": 4000} | {"chains meant to explode": 40}
SEED = 1


@pytest.mark.no_cover  # much quicker
@pytest.mark.parametrize("name", READERS)
def test_damaged_documents(name: str, record_property: Callable[[str, object], None]) -> None:
    """No reader lets anything escape, and each takes bounded time; some inputs are measured for memory as well."""
    report = Report()
    run(name, INPUTS[name], SEED, report)
    run(name, INPUTS[name] // 20, SEED + 1, report, memory=True)
    note(record_property, "damaged documents", name, report.inputs[name])
