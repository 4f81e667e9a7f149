"""Bulk transfer through both programs, to a client whose output is a pipe and from a client whose input is a file.

Both ends belong to the same side (ours, OpenSSL's); the mixed pairs, which tell the slower end, are in the detail.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from bench.machinery import (
    ENVIRONMENT,
    PROGRAMS,
    SIDES,
    Result,
    Settings,
    compare,
    on_cpu,
    running_server,
    server_argv,
    take_turns,
)
from support.processes import free_port, is_listening

SUITES = {
    "AES-128-GCM": "TLS_AES_128_GCM_SHA256",
    "ChaCha20-Poly1305": "TLS_CHACHA20_POLY1305_SHA256",
}
FILE = "bulk.bin"
LIMIT = 300.0
"""Seconds that a transfer may take."""

Transfer = Callable[[Settings, str, str, str], float]


def bulk(settings: Settings) -> Iterator[Result]:
    """Megabytes (10^6) per second, download and upload."""
    path = settings.directory / FILE
    with path.open("wb") as file:
        file.truncate(settings.bulk_bytes)
    for title, suite in SUITES.items():
        yield _compared(settings, f"bulk download: {title}", suite, download)
        yield _compared(settings, f"bulk upload: {title}", suite, upload)
    path.unlink()


def _compared(settings: Settings, name: str, suite: str, transfer: Transfer) -> Result:
    def measure(side: str) -> float:
        return settings.bulk_bytes / transfer(settings, side, side, suite) / 1e6

    mixed: dict[str, object] = {
        f"{client} client, {server} server": settings.bulk_bytes
        / transfer(settings, server, client, suite)
        / 1e6
        for client, server in (SIDES, SIDES[::-1])
    }
    return compare(name, "MB/s", take_turns(settings, measure), mixed)


def download(settings: Settings, server: str, client: str, suite: str) -> float:
    """Return the seconds that it takes a client to get a file from `s_server -WWW` into a pipe."""
    identity = settings.pki.server("p256")
    with running_server(server, identity, "-WWW", "-ciphersuites", suite, cwd=settings.directory) as (
        _,
        port,
    ):
        argv = [*PROGRAMS[client], "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"]
        start = time.perf_counter()
        with _running(on_cpu(1, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            os.write(_descriptor(process.stdin), f"GET /{FILE} HTTP/1.0\r\n\r\n".encode())
            _count(_descriptor(process.stdout), settings.bulk_bytes)
            return time.perf_counter() - start


def upload(settings: Settings, server: str, client: str, suite: str) -> float:
    """Return the seconds until `s_server -quiet` has put a client's input into a pipe."""
    port = free_port()
    server_command = server_argv(server, settings.pki.server("p256"), port, "-quiet", "-ciphersuites", suite)
    with _running(on_cpu(0, server_command), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as receiving:
        deadline = time.monotonic() + LIMIT
        while not is_listening(port) and time.monotonic() < deadline:
            time.sleep(0.01)
        argv = [*PROGRAMS[client], "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"]
        with (settings.directory / FILE).open("rb") as file:
            start = time.perf_counter()
            with _running(on_cpu(1, argv), stdin=file, stdout=subprocess.DEVNULL):
                _count(_descriptor(receiving.stdout), settings.bulk_bytes)
                return time.perf_counter() - start


@contextlib.contextmanager
def _running(
    argv: Sequence[str | Path], stdin: int | IO[bytes], stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [str(part) for part in argv],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _descriptor(stream: IO[bytes] | None) -> int:
    if stream is None:
        raise RuntimeError("not a pipe")
    return stream.fileno()


def _count(descriptor: int, wanted: int) -> None:
    """Read until so many bytes have come."""
    buffer = bytearray(1 << 20)
    count = 0
    deadline = time.monotonic() + LIMIT
    while count < wanted:
        size = os.readv(descriptor, [buffer])
        if not size or time.monotonic() > deadline:
            raise RuntimeError(f"{count} of {wanted} bytes have come")
        count += size
