"""Percentiles against those of sorted samples; bounded memory; sessions and reasons that are kept."""

from __future__ import annotations

import random
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handglass.net.errors import NetCode, NetError
from handglass.net.load.latencies import Latencies
from handglass.net.load.tally import OTHER_REASONS, REASONS_KEPT, Tally

PERCENTS = (0, 1, 50, 90, 95, 99, 99.9, 100)


def measured(microseconds: list[int]) -> Latencies:
    latencies = Latencies()
    for each in microseconds:
        latencies.add((each + 0.5) / 1e6)  # in the middle, so that no rounding moves it to a neighbour
    return latencies


def nearest_rank(ordered: list[int], percent: float) -> int:
    """The definition: the smallest sample that at least so many per cent of all do not exceed."""
    return ordered[max(1, ceil(round(percent * len(ordered) / 100, 6))) - 1]


@given(st.lists(st.integers(0, 2047), min_size=1, max_size=300))
def test_short_times_are_exact(microseconds: list[int]) -> None:
    ordered = sorted(microseconds)
    assert measured(microseconds).percentiles(PERCENTS) == [
        nearest_rank(ordered, percent) / 1e6 for percent in PERCENTS
    ]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300))
def test_long_times_are_right_to_a_thousandth(microseconds: list[int]) -> None:
    ordered = sorted(microseconds)
    for found, percent in zip(measured(microseconds).percentiles(PERCENTS), PERCENTS, strict=True):
        exact = nearest_rank(ordered, percent) / 1e6
        assert exact * (1 - 1 / 1024) <= found <= exact


def test_percentiles_of_a_known_distribution() -> None:
    latencies = measured(list(range(1, 1001)))
    assert latencies.percentiles((50, 90, 99.9, 100)) == [500e-6, 900e-6, 999e-6, 1000e-6]


@pytest.mark.parametrize("count", [10, 1000, 10_000, 123_457])
def test_a_rank_is_not_moved_by_rounding(count: int) -> None:
    latencies = Latencies()
    latencies.count = count
    latencies._counts = dict.fromkeys(range(count), 1)
    rank = -(-count * 999 // 1000)
    assert latencies.percentiles((99.9,)) == [(rank - 1) / 1e6]


def test_mean_and_longest_are_exact() -> None:
    values = [0.0123456789, 1.5, 30.000000001]
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    assert latencies.longest == values[2]
    assert latencies.mean == pytest.approx(sum(values) / 3, rel=1e-12)


def test_memory_does_not_grow_with_the_run() -> None:
    chance = random.Random(1)
    latencies = Latencies()
    for _ in range(200_000):
        latencies.add(chance.expovariate(1 / 5))  # up to a minute: the worst spread there can be
    assert latencies.count == 200_000
    assert len(latencies._counts) < 30_000


def test_nothing_measured() -> None:
    assert Latencies().percentiles(PERCENTS) == [0.0] * len(PERCENTS)
    assert Latencies().mean == 0.0


def test_a_server_cannot_fill_the_memory_with_reasons() -> None:
    tally = Tally()
    for number in range(10 * REASONS_KEPT):
        tally.count_failure(NetError(NetCode.REFUSED, f"refused: {number}"))
    assert len(tally.failures) == REASONS_KEPT + 1
    assert tally.failed == 10 * REASONS_KEPT
    assert tally.failures[OTHER_REASONS] == 9 * REASONS_KEPT
