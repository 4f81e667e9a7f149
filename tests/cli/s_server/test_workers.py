"""Several processes on one port."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, ask, serve
from support.peers import ADDRESS, needs
from support.pki import Pki
from support.processes import DEFAULT_LIMIT, run

GET = b"GET / HTTP/1.0\r\n\r\n"


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def test_the_totals_are_those_of_all(pki: Pki) -> None:
    with serve(pki, "-www", "-workers", "3") as server:
        workers = children(server.pid)
        assert len(workers) == 2
        for _ in range(24):
            assert b"New, TLSv1.3" in ask(server.port, GET)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert "  24 server accepts that finished" in server.stdout.decode()
        assert all(gone(pid) for pid in workers)


@needs("openssl")
def test_what_one_begins_another_resumes(pki: Pki, tmp_path: Path) -> None:
    session = tmp_path / "session.pem"
    with serve(pki, "-www", "-workers", "4") as server:
        command = ["openssl", "s_client", "-connect", f"{ADDRESS}:{server.port}", "-ign_eof"]
        run([*command, "-sess_out", session], data=GET)
        for _ in range(12):
            assert "Reused, TLSv1.3" in run([*command, "-sess_in", session], data=GET).text


def test_workers_do_not_outlive_the_first_process(pki: Pki) -> None:
    with serve(pki, "-www", "-workers", "2") as server:
        (worker,) = children(server.pid)
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + DEFAULT_LIMIT
        while not gone(worker):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "-workers needs"),
        (("-www", "-unix", "u"), "with -unix"),
        (("-www", "-naccept", "1"), "with -naccept"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, ...], words: str) -> None:
    outcome = run([*PROGRAM, "s_server", "-workers", "2", "-throwaway_cert", *options])
    assert outcome.returncode == 1
    assert re.search(words, outcome.text)
