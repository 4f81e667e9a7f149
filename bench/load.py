"""One server process under many clients: latency beside idle connections, and memory over a million requests.

OpenSSL's s_server serves one client at a time and knows no keep-alive, so requests per second are compared with nginx
(one worker) and with Python's own `http.server` instead, under the same load.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import ROOT
from bench.machinery import (
    ENVIRONMENT,
    Result,
    Settings,
    cpu_seconds,
    many_files,
    memory_bytes,
    on_cpu,
    running_server,
)
from bench.memory import handshake
from support.processes import Process, free_port

FILE = "tiny.txt"
WIDTH = 50
"""Connections of the load of requests."""
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
NGINX_CONFIGURATION = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr crit; worker_rlimit_nofile 1024;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600; default_type text/plain;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols TLSv1.3; root {directory};
  }}
}}
"""
HTTP_SERVER = """
import http.server, ssl, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
"""


def load(settings: Settings) -> Iterator[Result]:
    """All measurements of this file."""
    (settings.directory / FILE).write_text("abc")
    yield _beside_idle_ones(settings)
    yield _peers(settings)
    yield _memory(settings, "kept", 2_000 if settings.quick else 1_000_000)
    yield _memory(settings, "new", 500 if settings.quick else 100_000)


# Handshakes beside idle connections ----------------------------------------------------------------------


def _beside_idle_ones(settings: Settings) -> Result:
    """The same active clients at two servers in turns: one has idle connections, the other none."""
    idle, active = (200, 20) if settings.quick else (10_000, 200)
    identity = settings.pki.server("p256")
    taken: dict[str, list[float]] = {"alone": [], "beside": []}
    with contextlib.ExitStack() as stack:
        stack.enter_context(many_files())
        servers = {
            kind: stack.enter_context(
                running_server("handglass", identity, "-WWW", "-quiet", cwd=settings.directory)
            )
            for kind in taken
        }
        process, port = servers["beside"]
        stack.enter_context(handshake(port))
        before = memory_bytes(process.pid)
        for _ in range(idle):
            stack.enter_context(handshake(port))
        each = (memory_bytes(process.pid) - before) / idle
        for _ in range(settings.turns):
            for kind, (_, where) in servers.items():
                taken[kind] += _handshake_times(where, active, settings.seconds)
    figures = {kind: _percentiles(times) for kind, times in taken.items()}
    return Result(
        f"load: handshake, {active} active, beside {idle} idle",
        "ms (median)",
        figures["beside"]["p50"],
        None,
        higher_is_better=False,
        detail={
            "beside": figures["beside"],
            "without_idle_ones": figures["alone"],
            "handshakes": {kind: len(times) for kind, times in taken.items()},
            "idle_kB_each": each / 1000,
        },
    )


def _handshake_times(port: int, clients: int, seconds: float) -> list[float]:
    with _bench_program("paced_clients", port, f"/{FILE}", clients, seconds) as client:
        client.wait(limit=seconds + 60)
        if client.returncode:
            raise RuntimeError(client.text)
        times: list[float] = json.loads(client.stdout)
        return times


def _percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    named = {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "worst": max(seconds)}
    return {name: value * 1000 for name, value in named.items()}


# Requests ------------------------------------------------------------------------------------------------


def _peers(settings: Settings) -> Result:
    """Small files over connections that are kept: ours, nginx, `http.server`, in turns."""
    count = 500 if settings.quick else 20_000
    rates: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    servers: dict[str, Callable[[Settings], contextlib.AbstractContextManager[tuple[Process, int]]]] = {
        "handglass": lambda settings: running_server(
            "handglass", settings.pki.server("p256"), "-WWW", "-quiet", cwd=settings.directory
        ),
        "http.server": _http_server,
    }
    if Path(NGINX).exists():
        servers["nginx"] = _nginx
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(start(settings)) for name, start in servers.items()}
        for _ in range(settings.turns):
            for name, (process, port) in running.items():
                before = cpu_seconds(process.pid)
                rates.setdefault(name, []).append(count / _requests("kept", port, count))
                cpu.setdefault(name, []).append((cpu_seconds(process.pid) - before) / count * 1e6)
    others = {f"{name}_per_s": statistics.median(rates[name]) for name in servers if name != "handglass"}
    return Result(
        "load: small files, kept connections",
        "requests/s",
        statistics.median(rates["handglass"]),
        None,
        detail={
            **others,
            "server_cpu_us_per_request": {name: statistics.median(each) for name, each in cpu.items()},
        },
    )


def _memory(settings: Settings, mode: str, count: int) -> Result:
    """The server's memory before the first request and after every tenth of them."""
    identity = settings.pki.server("p256")
    with running_server("handglass", identity, "-WWW", "-quiet", cwd=settings.directory) as (process, port):
        samples, seconds = [memory_bytes(process.pid)], 0.0
        for _ in range(10):
            seconds += _requests(mode, port, count // 10)
            samples.append(memory_bytes(process.pid))
    what = "requests" if mode == "kept" else "connections"
    return Result(
        f"load: memory after {count} {what}",
        "MB",
        samples[-1] / 1e6,
        None,
        higher_is_better=False,
        detail={
            "at the start and after each tenth": " ".join(f"{each / 1e6:.2f}" for each in samples),
            "growth_after_first_tenth_kB": (samples[-1] - samples[1]) / 1000,
            f"{what}_per_s": count / seconds,
        },
    )


def _requests(mode: str, port: int, count: int) -> float:
    """Have so many answered; the seconds that it took."""
    with _bench_program("http_load", mode, port, f"/{FILE}", WIDTH, count) as client:
        return float(client.wait_for(r"^\d+ answers in ([\d.]+) s", limit=1800)[1])


def _bench_program(name: str, *arguments: object) -> Process:
    argv: list[str | Path] = [sys.executable, "-m", f"bench.{name}", *(str(each) for each in arguments)]
    return Process(on_cpu(1, argv), env=ENVIRONMENT, cwd=ROOT)


@contextlib.contextmanager
def _nginx(settings: Settings) -> Iterator[tuple[Process, int]]:
    identity, port = settings.pki.server("p256"), free_port()
    path = settings.directory / "nginx.conf"
    path.write_text(
        NGINX_CONFIGURATION.format(
            directory=settings.directory, port=port, certificate=identity.certificate, key=identity.key
        )
    )
    with Process(on_cpu(0, [NGINX, "-c", path, "-p", settings.directory])) as process:
        process.wait_until_listening(port)
        yield process, port


@contextlib.contextmanager
def _http_server(settings: Settings) -> Iterator[tuple[Process, int]]:
    identity, port = settings.pki.server("p256"), free_port()
    argv: list[str | Path] = [
        sys.executable,
        "-c",
        HTTP_SERVER,
        str(port),
        identity.certificate,
        identity.key,
    ]
    with Process(on_cpu(0, argv), cwd=settings.directory) as process:
        process.wait_until_listening(port)
        yield process, port
