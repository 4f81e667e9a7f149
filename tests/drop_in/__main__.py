"""The whole comparison, for a person: `PYTHONPATH=src:tests python -m drop_in [job or server …]`.

Runs every program against every server with OpenSSL's program and with ours, and prints where the verdicts differ.
What it found stands in docs/drop-in.md.
"""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from drop_in.programs import (
    Job,
    Verdict,
    check_ssl_cert,
    link_ours,
    rsync_ssl,
    scan_by_testssl,
    ssl_cert_check,
)
from drop_in.servers import MAIL, RSYNC, S_SERVERS, Lab, serve, shared_lab
from support.peers import program

SHOW = "DROP_IN_SHOW" in os.environ
LOOKED_AT = tuple(name for name in S_SERVERS if name != "files")  # that one is for the pipelines
EVERYWHERE = (*LOOKED_AT, *MAIL)
QUICK = ("--fast", "-p", "-P", "-S", "-h")  # protocols, preferences, defaults, headers
JOBS: dict[str, tuple[Callable[[Job], Verdict], tuple[str, ...]]] = {
    "testssl": (scan_by_testssl(), ("good", "server-prefers", "old-versions", "smtp")),
    "testssl-quick": (scan_by_testssl(*QUICK), EVERYWHERE),
    "testssl-quick-native": (scan_by_testssl("--ssl-native", *QUICK), EVERYWHERE),
    "check_ssl_cert": (check_ssl_cert(), EVERYWHERE),
    "check_ssl_cert-stapling": (check_ssl_cert("--require-ocsp-stapling"), ("good", "stapled", "smtp")),
    "check_ssl_cert-client": (
        check_ssl_cert("--require-client-cert"),
        ("good", "client-wanted", "client-needed"),
    ),
    "check_ssl_cert-tls1_2": (check_ssl_cert("--tls1_2"), ("good", "tls12", "tls13")),
    "check_ssl_cert-tls1_3": (check_ssl_cert("--tls1_3"), ("good", "tls12", "tls13")),
    "check_ssl_cert-rsa": (check_ssl_cert("--rsa"), ("good", "many-suites")),
    "check_ssl_cert-ecdsa": (check_ssl_cert("--ecdsa"), ("good", "many-suites")),
    "check_ssl_cert-no-tls1": (check_ssl_cert("--require-no-tls1"), ("good", "old-versions")),
    "check_ssl_cert-h2": (check_ssl_cert("-P", "h2"), ("good", "alpn")),
    "check_ssl_cert-terse": (check_ssl_cert("--long-output", "all"), ("good", "many-suites")),
    "ssl-cert-check": (ssl_cert_check, LOOKED_AT),
    "rsync-ssl": (rsync_ssl, tuple(RSYNC)),
}
"""Name -> (how it is run, the servers that it is run against)."""


def main(words: list[str]) -> int:
    """Compare, and print; 0 if all verdicts are equal."""
    same = different = 0
    with tempfile.TemporaryDirectory() as place:
        lab = shared_lab(Path(place, "lab"))
        link = link_ours(Path(place, "bin"))
        for name, (run_it, servers) in JOBS.items():
            for server in servers:
                if words and name not in words and server not in words and f"{name}:{server}" not in words:
                    continue
                if compare(name, run_it, server, lab, link):
                    same += 1
                else:
                    different += 1
    print(f"{same} equal, {different} different")
    return different > 0


def compare(name: str, run_it: Callable[[Job], Verdict], server: str, lab: Lab, link: Path) -> bool:
    """Run one program against one server twice, and print the difference."""
    verdicts, times = [], []
    with serve(server, lab) as port, tempfile.TemporaryDirectory() as scratch:
        for openssl in (Path(program("openssl")), link):
            began = time.monotonic()
            verdicts.append(run_it(Job(openssl, server, port, lab, Path(scratch))))
            times.append(f"{time.monotonic() - began:.1f}s")
    theirs, ours = verdicts
    print(f"{name} {server}: {'equal' if theirs == ours else 'DIFFERENT'} ({' '.join(times)})", flush=True)
    if SHOW:
        print("\n".join(_lines(ours)))
    print(
        "\n".join(
            difflib.unified_diff(_lines(theirs), _lines(ours), "openssl", "handglass", n=0, lineterm="")
        )
    )
    return theirs == ours


def _lines(verdict: Verdict) -> list[str]:
    return [*verdict.lines, f"exit status {verdict.status}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
