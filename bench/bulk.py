"""Bulk data, each way, through the programs: a file from -WWW to a pipe, and standard input to the server's output."""

from __future__ import annotations

import os
import subprocess
import time

from bench.material import Material
from bench.measure import HANDGLASS, OPENSSL, Result, environment, free_port, in_turn, running

SUITES = {"AES-128-GCM": "TLS_AES_128_GCM_SHA256", "ChaCha20-Poly1305": "TLS_CHACHA20_POLY1305_SHA256"}


def transfers(material: Material, *, quick: bool) -> list[Result]:
    """MiB per second of wall time: our client from our server, and OpenSSL's from OpenSSL's."""
    size, rounds = (128, 1) if quick else (1024, 3)
    material.large_file(size)
    results = []
    for label, suite in SUITES.items():
        ours, theirs = in_turn(
            lambda: download(material, HANDGLASS, suite, size),  # noqa: B023
            lambda: download(material, [OPENSSL], suite, size),  # noqa: B023
            rounds,
        )
        results.append(Result(f"download of {size} MiB, {label}", "MiB/s", ours, theirs))
        ours, theirs = in_turn(
            lambda: upload(material, HANDGLASS, suite, size),  # noqa: B023
            lambda: upload(material, [OPENSSL], suite, size),  # noqa: B023
            rounds,
        )
        results.append(Result(f"upload of {size} MiB, {label}", "MiB/s", ours, theirs))
    return results


def download(material: Material, program: list[str], suite: str, mebibytes: int) -> float:
    """A file from s_server -WWW through s_client into a pipe."""
    certificate = str(material.certificate("p256"))
    port = free_port()
    server = [*program, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-WWW", "-quiet"]
    client = [*program, "s_client", "-connect", f"127.0.0.1:{port}", "-ciphersuites", suite, "-quiet"]
    with running(server, port, material.directory):
        began = time.perf_counter()
        with subprocess.Popen(
            client,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        ) as process:
            if process.stdin is not None:
                process.stdin.write(b"GET /large.bin HTTP/1.0\r\n\r\n")
                process.stdin.flush()
            got = drain(process)
        seconds = time.perf_counter() - began
    return got / (1 << 20) / seconds if got >= mebibytes << 20 else 0.0


def drain(process: subprocess.Popen[bytes]) -> int:
    """Read to the end; how many bytes that was."""
    got = 0
    while process.stdout is not None and (data := os.read(process.stdout.fileno(), 1 << 20)):
        got += len(data)
    return got


def upload(material: Material, program: list[str], suite: str, mebibytes: int) -> float:
    """A file from the standard input of s_client to the standard output of s_server."""
    certificate = str(material.certificate("p256"))
    port = free_port()
    server = [
        *program,
        "s_server",
        "-accept",
        f"127.0.0.1:{port}",
        "-cert",
        certificate,
        "-quiet",
        "-naccept",
        "1",
    ]
    client = [*program, "s_client", "-connect", f"127.0.0.1:{port}", "-ciphersuites", suite]
    path = material.large_file(mebibytes)
    with subprocess.Popen(
        server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    ) as process:
        time.sleep(1.0)
        began = time.perf_counter()
        with (
            path.open("rb") as file,
            subprocess.Popen(
                [*client, "-quiet", "-no_ign_eof"],
                stdin=file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
            ),
        ):
            got = drain(process)
        seconds = time.perf_counter() - began
        process.kill()
    return got / (1 << 20) / seconds if got >= mebibytes << 20 else 0.0
