"""Handshakes per second: our server and OpenSSL's under the same load, our client and OpenSSL's likewise.

The load on a server comes from several `openssl s_time` at once on the other CPU. One alone would wait for the
server half of the time; several keep it busy, and they are the same for both servers. The rate is what a user
sees. Besides it stands the server's own CPU time per handshake, which does not depend on how fast the load is.

OpenSSL 3.0's programs have no X25519MLKEM768: there the load is our own client, and only our server is measured.
"""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.machinery import (
    ENVIRONMENT,
    OPENSSL,
    Result,
    Settings,
    compare,
    cpu_seconds,
    on_cpu,
    running_server,
    take_turns,
)
from support.processes import Process

LOADS = 3
"""Clients at a time."""
KINDS = {"ECDSA P-256, X25519": "p256", "RSA-2048, X25519": "rsa"}
FILE = "tiny.txt"


def servers(settings: Settings) -> Iterator[Result]:
    """Full and resumed handshakes of the servers."""
    (settings.directory / FILE).write_text("abc")
    for title, key_type in KINDS.items():
        for mode in ("full", "resumed"):
            yield _server(settings, f"server, {mode}: {title}", key_type, mode)
    yield _hybrid_server(settings)


def _server(settings: Settings, name: str, key_type: str, mode: str) -> Result:
    cpu: dict[str, list[float]] = {}
    # A TLS 1.3 client gets its ticket only if it reads, so it fetches a file to resume.
    options = ["-new"] if mode == "full" else ["-reuse", "-www", f"/{FILE}"]

    def measure(side: str) -> float:
        identity = settings.pki.server(key_type)
        with running_server(side, identity, "-WWW", cwd=settings.directory) as (process, port):
            _load(port, options, 0.3)
            before = cpu_seconds(process.pid)
            count, seconds = _load(port, options, settings.seconds)
            cpu.setdefault(side, []).append((cpu_seconds(process.pid) - before) / count * 1e6)
            return count / seconds

    medians = take_turns(settings, measure)
    return compare(name, "handshakes/s", medians, {"server_cpu_us_per_handshake": _medians(cpu)})


def _medians(values: dict[str, list[float]]) -> dict[str, float]:
    return {side: sorted(taken)[len(taken) // 2] for side, taken in values.items()}


def _load(port: int, options: list[str], seconds: float) -> tuple[int, float]:
    """Run the load for so long; return the connections made and the seconds it took."""
    whole = max(1, round(seconds))
    argv = [OPENSSL, "s_time", "-connect", f"127.0.0.1:{port}", "-time", str(whole), *options]
    start = time.perf_counter()
    clients = [Process(on_cpu(1, argv)) for _ in range(LOADS)]
    count = 0
    for client in clients:
        with client:
            client.wait(limit=whole + 30)
            # The last figure is the one for the whole run.
            said = re.findall(r"^(\d+) connections in \d+ real seconds", client.text, re.MULTILINE)
            if not said:
                raise RuntimeError(f"s_time has failed:\n{client.text}")
            count += int(said[-1])
    return count, time.perf_counter() - start


def _hybrid_server(settings: Settings) -> Result:
    """X25519MLKEM768, with our client as the load, beside X25519 under the same load."""
    rates = {}
    cpu = {}
    for group in ("X25519", "X25519MLKEM768"):
        with running_server("handglass", settings.pki.server("p256"), "-WWW") as (process, port):
            before = cpu_seconds(process.pid)
            count, seconds = our_client_load(settings, port, group)
            cpu[group] = (cpu_seconds(process.pid) - before) / count * 1e6
            rates[group] = count / seconds
    return Result(
        "server, full: ECDSA P-256, X25519MLKEM768",
        "handshakes/s",
        rates["X25519MLKEM768"],
        None,
        detail={"with_x25519_under_the_same_load": rates["X25519"], "server_cpu_us_per_handshake": cpu},
    )


def our_client_load(settings: Settings, port: int, group: str = "X25519") -> tuple[int, float]:
    """Run two of our clients on the other CPU; return the connections made and the seconds it took."""
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "bench.client_load",
        str(port),
        str(settings.seconds),
        group,
    ]
    clients = [Process(on_cpu(1, argv), env=ENVIRONMENT, cwd=Path(__file__).parent.parent) for _ in range(2)]
    count, longest = 0, 0.0
    for client in clients:
        with client:
            match = client.wait_for(r"^(\d+) connections in ([\d.]+) s", limit=settings.seconds + 30)
            count += int(match[1])
            longest = max(longest, float(match[2]))
    return count, longest


def clients(settings: Settings) -> Iterator[Result]:
    """Full handshakes of the clients, against the same `openssl s_server`."""
    for title, key_type in KINDS.items():
        yield _client(settings, f"client, full: {title}", key_type)


def _client(settings: Settings, name: str, key_type: str) -> Result:
    cpu: dict[str, list[float]] = {}
    with running_server("openssl", settings.pki.server(key_type), "-WWW") as (_, port):

        def measure(side: str) -> float:
            whole = str(max(1, round(settings.seconds)))
            if side == "openssl":
                argv: list[str | Path] = [
                    OPENSSL,
                    "s_time",
                    "-connect",
                    f"127.0.0.1:{port}",
                    "-new",
                    "-time",
                    whole,
                ]
                pattern = r"^(\d+) connections in (\d+) real seconds"
            else:
                argv = [sys.executable, "-m", "bench.client_load", str(port), whole, "X25519"]
                pattern = r"^(\d+) connections in ([\d.]+) s"
            start = time.perf_counter()
            before = _cpu_of_ended_children()
            with Process(on_cpu(1, argv), env=ENVIRONMENT, cwd=Path(__file__).parent.parent) as process:
                match = process.wait_for(pattern, limit=settings.seconds + 30)
                process.wait()
                # s_time counts whole seconds; its start takes a hundredth of one.
                seconds = time.perf_counter() - start if side == "openssl" else float(match[2])
            cpu.setdefault(side, []).append((_cpu_of_ended_children() - before) / int(match[1]) * 1e6)
            return int(match[1]) / seconds

        medians = take_turns(settings, measure)
    return compare(name, "handshakes/s", medians, {"client_cpu_us_per_handshake": _medians(cpu)})


def _cpu_of_ended_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
