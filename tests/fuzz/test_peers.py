"""The fuzz target of `net` as a test; with more inputs from the command line: `python -m fuzz.peers 1000000 2`."""

from __future__ import annotations

import pytest

from fuzz.peers import PROXIES, Peers
from handglass.net.starttls import PROTOCOLS

INPUTS = 3_000
LOOKUPS = 30


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_hostile_peers(seed: int) -> None:
    """12,000 inputs in all, to every reader, each a different one."""
    results = Peers(seed).run(INPUTS).results
    assert {f"{word} agreed" for word in (*PROTOCOLS, *PROXIES)} < set(results), (
        "the damage lets nothing through"
    )
    assert {"HTTP 200", "HTTP 400", "HTTP 403", "fetched", "refused", "answer-too-long"} < set(results)


def test_hostile_resolvers() -> None:
    peers = Peers(1)
    peers.look_up(LOOKUPS)
    assert peers.outcome.inputs == LOOKUPS
    assert len(peers.outcome.results) >= 3
