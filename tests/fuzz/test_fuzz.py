"""The fuzz target as a test; with more inputs from the command line: `python -m fuzz 1000000 2`."""

from __future__ import annotations

from fuzz.target import Fuzzer

INPUTS = 100_000


def test_mutated_input() -> None:
    """100,000 damaged inputs: each is taken, or ends the connection in good order."""
    outcome = Fuzzer(seed=1).run(INPUTS)
    print(f"{outcome.inputs} inputs, {len(outcome.failures)} reasons, {outcome.seconds:.0f} s")
    assert outcome.inputs >= INPUTS
    assert len(outcome.failures) >= 40, "the damage does not reach far"
