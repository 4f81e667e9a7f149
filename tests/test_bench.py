"""The benchmark runs, and its ratios say what they mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from bench.machinery import Result

from support.peers import needs
from support.processes import run

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("handglass", "openssl", "higher_is_better", "ratio"),
    [(200.0, 100.0, True, 2.0), (200.0, 100.0, False, 0.5), (200.0, None, True, None)],
)
def test_ratio_above_one_means_better(
    handglass: float, openssl: float | None, higher_is_better: bool, ratio: float | None
) -> None:
    assert Result("x", "y", handglass, openssl, higher_is_better).ratio == ratio


@needs("openssl")
def test_quick_run_gives_json() -> None:
    outcome = run([sys.executable, "-m", "bench", "--quick", "--only", "start", "--json"], cwd=ROOT, limit=60)
    report = json.loads(outcome.check().stdout)
    assert [result["name"] for result in report["results"]] == [
        "start: s_client -help",
        "start: s_server -help",
        "start: connect, print, exit",
    ]
    assert all(result["ratio"] > 0 for result in report["results"])
    assert report["machine"]["openssl"].startswith("OpenSSL")


def test_quick_run_of_the_load() -> None:
    """Every part of it answers all requests; nginx is left out where it is not installed."""
    argv = [sys.executable, "-m", "bench", "--quick", "--only", "load", "--json"]
    report = json.loads(run(argv, cwd=ROOT, limit=200).check().stdout)
    handshakes, small, kept, new = report["results"]
    assert set(handshakes["detail"]["beside"]) == {"p50", "p90", "p99", "worst"}
    assert small["detail"]["http.server_per_s"] > 0
    assert kept["name"] == "load: memory after 2000 requests"
    assert new["detail"]["connections_per_s"] > 0
