"""The fuzz target as a test; with more inputs from the command line: `python -m fuzz 1000000 2`."""

from __future__ import annotations

import pytest

from fuzz.target import Fuzzer

SEEDS = range(1, 9)
INPUTS = 12_500


@pytest.mark.no_cover  # twice as quick; the other tests of the engine come to the same lines
@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_input(seed: int) -> None:
    """100,000 damaged inputs in all: each is taken, or ends the connection in good order."""
    outcome = Fuzzer(seed).run(INPUTS)
    print(f"{outcome.inputs} inputs, {len(outcome.failures)} reasons, {outcome.seconds:.0f} s")
    assert outcome.inputs >= INPUTS
    assert len(outcome.failures) >= 40, "the damage does not reach far"
