"""Several processes on one port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, ask, connect, read_all, serve
from handglass.cli.s_server.workers import Worker
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


def test_a_worker_that_is_killed_takes_nobody_with_it(pki: Pki) -> None:
    with serve(pki, "-www", "-workers", "3") as server:
        victim, other = children(server.pid)
        os.kill(victim, signal.SIGKILL)
        server.wait_for(f"^s_server: worker {victim} was ended by SIGKILL; the others go on$")
        assert children(server.pid) == [other]
        for _ in range(12):
            assert b"New, TLSv1.3" in ask(server.port, GET)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert "  12 server accepts that finished" in server.stdout.decode()
        assert "the counts of a worker that was ended are missing here" in server.text
        assert server.text.count("was ended by") == 1


def test_a_worker_that_does_not_end_is_ended() -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(["sleep", "60"], pass_fds=[writing]) as process:
        os.close(writing)
        worker = Worker(process.pid, reading)
        worker.join(time.monotonic())
        assert gone(process.pid)
        assert worker.totals is None


def test_what_any_process_has_under_way_is_finished(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(6_000_000))
    with serve(pki, "-WWW", "-workers", "3", cwd=tmp_path) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(server.port)) for _ in range(4)]
        for client in clients:
            client.sendall(b"GET /big HTTP/1.0\r\n\r\n")
            assert client.recv(1) == b"H"
        server.signal(signal.SIGTERM)
        for client in clients:
            assert len(read_all(client).partition(b"\r\n\r\n")[2]) == 6_000_000
        assert server.wait() == 0
        assert "  4 server accepts that finished" in server.stdout.decode()


def test_new_certificates_reach_every_process(pki: Pki, tmp_path: Path) -> None:
    old, new = pki.server("p256"), pki.server("rsa")
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_bytes(old.certificate.read_bytes())
    key.write_bytes(old.key.read_bytes())
    with serve(pki, "-www", "-workers", "3", "-cert", certificate, "-key", key) as server:
        assert served(server.port) == {_der(old.certificate)}
        certificate.write_bytes(new.certificate.read_bytes())
        key.write_bytes(new.key.read_bytes())
        server.signal(signal.SIGHUP)
        server.wait_for("^s_server: the certificates were read again$")
        deadline = time.monotonic() + DEFAULT_LIMIT
        while served(server.port) != {_der(new.certificate)}:
            assert time.monotonic() < deadline
        assert server.text.count("were read again") == 1


def served(port: int) -> set[bytes | None]:
    """The certificates that sixteen connections see: of three processes, each has some of them."""
    found = set()
    for _ in range(16):
        with connect(port) as client:
            found.add(client.getpeercert(binary_form=True))
    return found


def _der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text())
