"""Cold start: the time that a whole process takes for -help, and for connect, print and exit."""

from __future__ import annotations

from bench.material import Material
from bench.measure import HANDGLASS, OPENSSL, Result, free_port, in_turn, run_cpu, running


def cold(material: Material, *, quick: bool) -> list[Result]:
    """Milliseconds of CPU time per run."""
    rounds = 5 if quick else 15
    certificate = str(material.certificate("p256"))
    port = free_port()
    server = [OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-quiet", "-www"]
    connect = ["s_client", "-connect", f"127.0.0.1:{port}"]
    results = []
    with running(server, port):
        for name, words in (
            ("s_client -help", ["s_client", "-help"]),
            ("connect, print, exit, default trust", connect),
            (
                "connect, print, exit, -CAfile",
                [*connect, "-CAfile", str(material.ca)],
            ),
        ):
            run_cpu([*HANDGLASS, *words])
            ours, theirs = in_turn(
                lambda: run_cpu([*HANDGLASS, *words])[0] * 1000,  # noqa: B023
                lambda: run_cpu([OPENSSL, *words])[0] * 1000,  # noqa: B023
                rounds,
            )
            results.append(Result(f"cold start, {name}", "ms of CPU", ours, theirs, more_is_better=False))
    return results
