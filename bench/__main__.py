"""`python -m bench`: measure, print a table, or JSON with --json."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import bulk, engine, handshakes, load, memory, starting
from bench.machinery import OPENSSL, Result, Settings
from support.pki import shared_pki
from support.processes import run

GROUPS: dict[str, Callable[[Settings], Iterator[Result]]] = {
    "server": handshakes.servers,
    "s_time": handshakes.clients,
    "engine": engine.engine,
    "bulk": bulk.bulk,
    "start": starting.starting,
    "memory": memory.memory,
    "load": load.load,
}


def main() -> None:
    """Run the chosen measurements."""
    arguments = _arguments()
    results = []
    table = not (arguments.json or arguments.markdown)
    if table:
        print(f"{'':44}{'handglass':>14}{'openssl':>14}{'ratio':>9}  unit")
    with tempfile.TemporaryDirectory(prefix="handglass-bench-") as name:
        directory = Path(name)
        settings = Settings(arguments.quick, shared_pki(directory / "pki"), directory)
        for group in arguments.only or GROUPS:
            for result in GROUPS[group](settings):
                results.append(result)
                if table:
                    print(_line(result), flush=True)
        profile = engine.profile(settings) if "engine" in (arguments.only or GROUPS) else None
    if arguments.json:
        report = {
            "machine": _machine(),
            "results": [result.as_json() for result in results],
            "profile": profile,
        }
        json.dump(report, sys.stdout, indent=2)
        print()
    elif arguments.markdown:
        print(_markdown(results))
    elif profile:
        print(f"\nWhere a full handshake spends its time (both sides, under the profiler):\n{profile}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/performance.md")
    parser.add_argument("--quick", action="store_true", help="one short turn each: to try it, not to measure")
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure this group; may be repeated")
    return parser.parse_args()


def _line(result: Result) -> str:
    openssl = f"{result.openssl:14.1f}" if result.openssl is not None else f"{'-':>14}"
    ratio = f"{result.ratio:9.2f}" if result.ratio is not None else f"{'-':>9}"
    detail = ", ".join(f"{name} {_short(value)}" for name, value in result.detail.items())
    return f"{result.name:44}{result.handglass:14.1f}{openssl}{ratio}  {result.unit}" + (
        f"\n{'':8}{detail}" if detail else ""
    )


def _markdown(results: list[Result]) -> str:
    lines = [
        "| what | handglass | openssl | ratio | unit | besides |",
        "| --- | --: | --: | --: | --- | --- |",
    ]
    for result in results:
        openssl = f"{result.openssl:,.1f}" if result.openssl is not None else "–"
        ratio = f"**{result.ratio:.2f}**" if result.ratio is not None else "–"
        detail = "; ".join(
            f"{name.replace('_', ' ')} {_short(value)}" for name, value in result.detail.items()
        )
        lines.append(
            f"| {result.name} | {result.handglass:,.1f} | {openssl} | {ratio} | {result.unit} | {detail} |"
        )
    return "\n".join(lines)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_short(each)}" for name, each in value.items()) + ")"
    return str(value)


def _machine() -> dict[str, str]:
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "openssl": run([OPENSSL, "version"]).text.strip(),
    }


if __name__ == "__main__":
    main()
