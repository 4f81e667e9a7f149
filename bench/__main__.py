"""`python -m bench`: run the comparisons and print them as a table, or as JSON."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import bulk, handshakes, memory, start
from bench.material import Material
from bench.measure import OPENSSL, Result

GROUPS: dict[str, Callable[..., list[Result]]] = {
    "server": handshakes.servers,
    "client": handshakes.clients,
    "engine": handshakes.engine,
    "bulk": bulk.transfers,
    "start": start.cold,
    "memory": memory.idle,
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="small amounts, one round")
    parser.add_argument("--only", choices=[*GROUPS, "profile"], action="append", help="run this group alone")
    chosen = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as directory:
        material = Material(Path(directory))
        for name, group in GROUPS.items():
            if chosen.only and name not in chosen.only:
                continue
            print(f"{name} …", file=sys.stderr, flush=True)
            results += group(material, quick=chosen.quick)
        if chosen.only and "profile" in chosen.only:
            print(handshakes.profile(material))
    if chosen.json:
        print(
            json.dumps({"machine": machine(), "results": [result.as_json() for result in results]}, indent=2)
        )
    else:
        print_table(results)
    return 0


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    version = subprocess.run([OPENSSL, "version"], capture_output=True, text=True, check=False).stdout.strip()
    return {"openssl": version, "python": platform.python_version(), "system": platform.platform()}


def print_table(results: list[Result]) -> None:
    """One line per comparison."""
    print(f"{'':52} {'handglass':>12} {'openssl':>12} {'times openssl':>14}")
    for result in results:
        theirs = "" if result.openssl is None else f"{result.openssl:,.1f}"
        ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
        print(f"{result.name:52} {result.ours:12,.1f} {theirs:>12} {ratio:>14}  {result.unit}")
        if result.note:
            print(f"{'':52} ({result.note})")


if __name__ == "__main__":
    sys.exit(main())
