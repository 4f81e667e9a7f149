"""The system's source of random bytes."""

from __future__ import annotations

import pytest

from handglass.crypto import SYSTEM_ENTROPY


@pytest.mark.parametrize("count", [0, 1, 16, 31, 32, 33, 46, 64, 1000])
def test_as_many_bytes_as_asked_for(count: int) -> None:
    assert len(SYSTEM_ENTROPY(count)) == count


def test_no_two_draws_are_the_same() -> None:
    assert len({SYSTEM_ENTROPY(16) for _ in range(100)}) == 100
    halves = SYSTEM_ENTROPY(64)
    assert halves[:32] != halves[32:]
