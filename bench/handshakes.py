"""Handshakes per second: our server and OpenSSL's under the same load, our client and OpenSSL's likewise.

The load on a server comes from several `openssl s_time` at once on the other CPU. One alone would wait for the
server half of the time; several keep it busy, and they are the same for both servers. The rate is what a user
sees. Besides it stands the server's own CPU time per handshake, which does not depend on how fast the load is.

OpenSSL 3.0's programs have no X25519MLKEM768: there the load is our own client, and only our server is measured.
"""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Iterator

from bench.machinery import (
    ENVIRONMENT,
    PROGRAMS,
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
# A TLS 1.3 client gets its ticket only if it reads, so it fetches a file to resume.
MODES = {"full": ("-new",), "resumed": ("-reuse", "-www", f"/{FILE}")}


def servers(settings: Settings) -> Iterator[Result]:
    """Full and resumed handshakes of the servers."""
    (settings.directory / FILE).write_text("abc")
    for title, key_type in KINDS.items():
        for mode, options in MODES.items():
            yield _server(settings, f"server, {mode}: {title}", key_type, options)
    yield _hybrid_server(settings)


def _server(settings: Settings, name: str, key_type: str, options: tuple[str, ...]) -> Result:
    cpu: dict[str, list[float]] = {}

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


def _load(port: int, options: tuple[str, ...], seconds: float) -> tuple[int, float]:
    """Run the load for so long; return the connections made and the seconds it took."""
    start = time.perf_counter()
    clients = [_s_time("openssl", port, seconds, *options) for _ in range(LOADS)]
    count = 0
    for client in clients:
        with client:
            count += _made(client, seconds)[0]
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
    options = ["-new", "-groups", group, "-noservername"]
    clients = [_s_time("handglass", port, settings.seconds, *options) for _ in range(2)]
    count, longest = 0, 0.0
    for client in clients:
        with client:
            made, seconds = _made(client, settings.seconds)
            count += made
            longest = max(longest, seconds)
    return count, longest


def clients(settings: Settings) -> Iterator[Result]:
    """Full and resumed handshakes of the two s_time, against the same `openssl s_server`."""
    (settings.directory / FILE).write_text("abc")
    for title, key_type in KINDS.items():
        for mode, options in MODES.items():
            yield _client(settings, f"s_time, {mode}: {title}", key_type, options)


def _client(settings: Settings, name: str, key_type: str, options: tuple[str, ...]) -> Result:
    cpu: dict[str, list[float]] = {}
    identity = settings.pki.server(key_type)
    with running_server("openssl", identity, "-WWW", cwd=settings.directory) as (_, port):

        def measure(side: str) -> float:
            # OpenSSL's program sends no server name, and X25519 alone.
            alike = ("-groups", "X25519", "-noservername") if side == "handglass" else ()
            start = time.perf_counter()
            before = _cpu_of_ended_children()
            with _s_time(side, port, settings.seconds, *options, *alike) as process:
                count, seconds = _made(process, settings.seconds)
                used = _own_account(process.text)
            if side == "openssl":
                # It runs up to a second longer than told, and counts whole seconds; its start takes a hundredth.
                seconds = time.perf_counter() - start
                used = _cpu_of_ended_children() - before
            cpu.setdefault(side, []).append(used / count * 1e6)
            return count / seconds

        medians = take_turns(settings, measure)
    return compare(name, "handshakes/s", medians, {"client_cpu_us_per_handshake": _medians(cpu)})


def _s_time(side: str, port: int, seconds: float, *options: str) -> Process:
    """Start s_time of either side on CPU 1."""
    argv = [*PROGRAMS[side], "s_time", "-connect", f"127.0.0.1:{port}", "-time", str(_whole(seconds))]
    return Process(on_cpu(1, [*argv, *options]), env=ENVIRONMENT)


def _made(process: Process, seconds: float) -> tuple[int, float]:
    """The connections that an s_time has made, and the seconds it took by its own account; ours has decimals."""
    process.wait(limit=seconds + 30)
    made = re.search(r"^(\d+) connections in (\d+) real seconds", process.text, re.MULTILINE)
    if not made:
        raise RuntimeError(f"s_time has failed:\n{process.text}")
    exact = re.search(r" sessions: [\d,]+ connections in ([\d.]+) s,", process.text)
    return int(made[1]), float(exact[1] if exact else made[2])


def _own_account(said: str) -> float:
    """The CPU seconds that our s_time tells of, without those of Python's start; 0 for OpenSSL's."""
    return sum(map(float, re.findall(r"([\d.]+) s (?:user|system)\b", said)))


def _whole(seconds: float) -> int:
    return max(1, round(seconds))


def _cpu_of_ended_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
