"""One server process under many clients: memory, files that run out, clients that stand still."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import ROOT
from bench.http_load import connect, read_answer, round_of, trusting_context
from bench.machinery import ENVIRONMENT, cpu_seconds, memory_bytes

from cli.s_server.serving import ask, serve
from support.peers import ADDRESS, OpenSSLServer
from support.pki import Pki
from support.processes import DEFAULT_LIMIT, Process

REQUEST = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n"
MANY_SECONDS = 4 * DEFAULT_LIMIT


@pytest.fixture
def server(pki: Pki, tmp_path: Path) -> Iterator[OpenSSLServer]:
    (tmp_path / "small").write_bytes(b"small")
    (tmp_path / "big").write_bytes(bytes(50_000_000))
    with serve(pki, "-WWW", "-num_tickets", "1", cwd=tmp_path) as server:
        yield server


@pytest.fixture
def clients() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def load(port: int, mode: str, width: int, count: int) -> None:
    """Have so many requests answered by way of a process of its own."""
    argv = [sys.executable, "-m", "bench.http_load", mode, str(port), "/small", str(width), str(count)]
    with Process(argv, env=ENVIRONMENT, cwd=ROOT) as client:
        client.wait_for(f"^{count} answers", limit=MANY_SECONDS)


def greeted(clients: contextlib.ExitStack, port: int, count: int) -> list[ssl.SSLSocket]:
    return [clients.enter_context(each) for each in connect(trusting_context(), port, count)]


def test_memory_does_not_grow_with_what_was_served(server: OpenSSLServer) -> None:
    load(server.port, "new", 20, 100)
    load(server.port, "kept", 20, 200)
    before = memory_bytes(server.pid)
    load(server.port, "new", 20, 400)
    load(server.port, "kept", 20, 1500)
    assert memory_bytes(server.pid) - before < 1_500_000, (
        "a quarter of what 400 connections would leave behind"
    )


def test_idle_connections_are_small_and_in_nobodys_way(
    server: OpenSSLServer, clients: contextlib.ExitStack
) -> None:
    greeted(clients, server.port, 10)
    before = memory_bytes(server.pid)
    idle = greeted(clients, server.port, 300)
    assert (memory_bytes(server.pid) - before) / 300 < 30_000
    load(server.port, "new", 20, 100)
    round_of(idle, REQUEST)  # they are still there, all of them


def test_half_of_the_clients_stand_still(server: OpenSSLServer, clients: contextlib.ExitStack) -> None:
    """A process with a connection in every phase is stopped by its pid; to the others it makes no difference."""
    script = f"""
import socket, sys, time
from bench.http_load import connect, trusting_context
port, context = {server.port}, trusting_context()
kept = [socket.create_connection(("{ADDRESS}", port)) for _ in range(10)]
for half in (socket.create_connection(("{ADDRESS}", port)) for _ in range(10)):
    half.sendall(bytes.fromhex("1603010200010001fc0303"))
    kept.append(half)
kept += connect(context, port, 10)
for asking in connect(context, port, 10):
    asking.sendall(b"GET /big HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" + b"GET /sm")
    asking.recv(1)
    kept.append(asking)
print("ready", flush=True)
time.sleep(600)
"""
    with Process([sys.executable, "-c", script], env=ENVIRONMENT, cwd=ROOT) as others:
        others.wait_for("^ready", limit=MANY_SECONDS)
        active = greeted(clients, server.port, 40)
        others.signal(signal.SIGSTOP)
        try:
            for _ in range(5):
                round_of(active, REQUEST)
            load(server.port, "new", 20, 100)
            assert memory_bytes(server.pid) < 150_000_000
        finally:
            others.signal(signal.SIGCONT)
    assert ask(server.port, b"GET /small HTTP/1.0\r\n\r\n").endswith(b"small")
    assert "internal error" not in server.text


def test_no_more_files_may_be_open(server: OpenSSLServer, clients: contextlib.ExitStack) -> None:
    """Half of them are clients then; the others wait, at no cost, until somebody leaves."""
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (80, 80))
    inside = greeted(clients, server.port, 40)
    waiting = [clients.enter_context(socket.create_connection((ADDRESS, server.port))) for _ in range(30)]
    server.wait_for(
        "no room for more than these 40 connections .*80 open files, see ulimit -n.*the others wait"
    )
    before = cpu_seconds(server.pid)
    waiting[0].settimeout(1.0)
    with pytest.raises(TimeoutError):
        trusting_context().wrap_socket(waiting[0])
    assert cpu_seconds(server.pid) - before < 0.3
    round_of(inside, REQUEST)  # there is room for their files
    for each in inside:
        each.close()
    for raw in waiting[1:]:
        raw.settimeout(DEFAULT_LIMIT)
        client = clients.enter_context(trusting_context().wrap_socket(raw))
        client.sendall(REQUEST)
        assert read_answer(client) == b"small"
    assert server.text.count("no room") == 1


def test_the_limit_of_open_files_is_raised_at_the_start(pki: Pki) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 256), hard))
    try:
        with serve(pki, "-www") as server:
            assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
