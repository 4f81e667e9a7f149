"""How s_server begins, ends, and bears clients that stall, vanish or talk nonsense."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, QuietServer, ask, connect, serve, wait_until
from support.peers import ADDRESS, OpenSSLClient, needs, program
from support.pki import Pki
from support.processes import DEFAULT_LIMIT, Process, free_port, run

GET = b"GET / HTTP/1.0\r\n\r\n"


# Beginning.


def test_without_a_certificate_it_says_what_to_do(tmp_path: Path) -> None:
    outcome = run([*PROGRAM, "s_server", "-accept", "127.0.0.1:0"], cwd=tmp_path)
    assert outcome.returncode == 1
    assert outcome.text.count("\n") <= 4
    assert (
        "Could not open file or uri for loading server certificate private key from server.pem"
        in outcome.text
    )
    assert "-throwaway_cert" in outcome.text


def test_server_pem_in_the_current_directory_is_served(pki: Pki, tmp_path: Path) -> None:
    identity = pki.server("rsa")
    (tmp_path / "server.pem").write_bytes(identity.certificate.read_bytes() + identity.key.read_bytes())
    with Process([*PROGRAM, "s_server", "-accept", "127.0.0.1:0"], cwd=tmp_path) as server:
        server.wait_for("^ACCEPT 127.0.0.1:")


def test_a_throwaway_certificate(tmp_path: Path) -> None:
    command = [*PROGRAM, "s_server", "-accept", "127.0.0.1:0", "-throwaway_cert", "-www"]
    with Process(command, cwd=tmp_path) as server:
        port = int(server.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        told = server.wait_for("^SHA256 Fingerprint=(\\S+)$")[1].replace(":", "").lower()
        with connect(port) as client:
            import hashlib  # noqa: PLC0415 - here alone

            certificate = client.getpeercert(binary_form=True)
            assert certificate is not None
            assert hashlib.sha256(certificate).hexdigest() == told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("-cert", "none"),
            "Could not open file or uri for loading server certificate private key from none",
        ),
        (("-cipher", "NONSENSE", "-throwaway_cert"), "NONSENSE"),
        (("-accept", "x:y:z", "-throwaway_cert"), "x:y:z"),
        (("-CAfile", "none", "-throwaway_cert"), "none"),
        (("-throwaway_cert", "-servername", "a"), "server2.pem"),
    ],
)
def test_what_cannot_begin_says_why(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    outcome = run([*PROGRAM, "s_server", "-accept", "127.0.0.1:0", *options], cwd=tmp_path)
    assert outcome.returncode == 1
    assert words in outcome.stderr.decode()
    assert "Traceback" not in outcome.text
    assert not outcome.stdout


def test_a_port_in_use_is_an_error(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        outcome = run([*PROGRAM, "s_server", "-accept", f"127.0.0.1:{server.port}", "-throwaway_cert"])
        assert outcome.returncode == 1
        assert outcome.stderr.decode() == (
            f"s_server: cannot listen at 127.0.0.1:{server.port}: Address already in use\n"
        )
        assert ask(server.port, GET)


# Ending.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_totals(pki: Pki, number: signal.Signals) -> None:
    with serve(pki) as server, connect(server.port) as client:
        server.wait_for("^CIPHER is")
        server.signal(number)
        assert client.recv(10) == b""
        client.close()
        assert server.wait() == 0
        assert re.search(
            "DONE\n.*CONNECTION CLOSED\n   0 items in the session cache\n", server.text, re.DOTALL
        )


def test_what_is_under_way_is_finished_first(pki: Pki, tmp_path: Path) -> None:
    content = bytes(30_000_000)
    (tmp_path / "big").write_bytes(content)
    with serve(pki, "-WWW", cwd=tmp_path) as server, connect(server.port) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        received = len(client.recv(1 << 14))
        server.signal(signal.SIGTERM)
        while piece := client.recv(1 << 16):
            received += len(piece)
        assert received > len(content)
        assert server.wait() == 0


def test_the_limit_of_connections(pki: Pki) -> None:
    with serve(pki, "-naccept", "2", "-www") as server:
        assert ask(server.port, GET)
        assert server.returncode is None
        assert ask(server.port, GET)
        assert server.wait() == 0
        assert "   2 server accepts that finished" in server.text


# Observation.


def test_observation(pki: Pki, tmp_path: Path) -> None:
    log = tmp_path / "keys"
    with serve(pki, "-msg", "-state", "-keylogfile", log) as server, connect(server.port):
        server.wait_for(r"^<<< TLS 1\.\d, Handshake \[length \w+\], ClientHello$")
        server.wait_for("^SSL_accept:SSLv3/TLS read client hello$")
        server.wait_for("^CIPHER is")
        labels = [line.split()[0] for line in log.read_text().splitlines() if line[0] != "#"]
        assert "SERVER_TRAFFIC_SECRET_0" in labels


# Bad clients.


def test_a_silent_client_is_dropped_in_time(pki: Pki) -> None:
    with serve(pki, "-handshake_timeout", "0.3", "-www") as server:
        with socket.create_connection((ADDRESS, server.port)) as silent:
            silent.settimeout(DEFAULT_LIMIT)
            while silent.recv(100):
                pass
        server.wait_for(
            r"^s_server: 127\.0\.0\.1:\d+: .*0\.3 seconds in which the server waited to read client hello"
        )
        assert ask(server.port, GET)


def test_nobody_waits_for_a_thousand_silent_clients(pki: Pki) -> None:
    with serve(pki, "-www", "-naccept", "1001") as server:
        silent = [socket.create_connection((ADDRESS, server.port)) for _ in range(1000)]
        try:
            assert b"New, TLSv1.3" in ask(server.port, GET)
            assert server.text.count("ERROR") == 0
        finally:
            for each in silent:
                each.close()
        assert server.wait() == 0


@needs("curl")
def test_a_stopped_client_stops_nobody_else(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(50_000_000))
    (tmp_path / "small").write_bytes(b"small")
    with serve(pki, "-WWW", cwd=tmp_path) as server:
        url = f"https://{ADDRESS}:{server.port}/big"
        with Process(
            [program("curl"), "-sk", "--noproxy", "*", "--limit-rate", "1M", "-o", "/dev/null", url]
        ) as slow:
            server.wait_for("^FILE:big$")
            slow.signal(signal.SIGSTOP)
            try:
                for _ in range(5):
                    assert ask(server.port, b"GET /small HTTP/1.0\r\n\r\n").endswith(b"small")
                assert _resident(server.pid) < 200_000_000
            finally:
                slow.signal(signal.SIGCONT)


def test_a_client_that_only_sends_is_bounded(pki: Pki) -> None:
    """It asks for lines to be reversed and never reads: neither does the server read on, nor keep it all."""
    with QuietServer(pki.server("p256"), free_port(), "-rev") as server, connect(server.port) as client:
        before = _resident(server.pid)
        client.settimeout(1)
        lines = (b"x" * 1000 + b"\n") * 200_000
        with pytest.raises(TimeoutError):
            client.sendall(lines)
        assert _resident(server.pid) - before < 40_000_000
        with connect(server.port) as other:
            other.sendall(b"abc\n")
            assert other.recv(10) == b"cba\n"


def test_rubbish_in_every_amount(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        for size in (1, 4, 5, 6, 100, 20_000):
            with socket.create_connection((ADDRESS, server.port)) as client:
                client.sendall(b"\x16\x03\x01" + b"\xff" * size)
                client.shutdown(socket.SHUT_WR)
                client.settimeout(DEFAULT_LIMIT)
                try:
                    while client.recv(1000):
                        pass
                except ConnectionResetError:
                    pass
        assert ask(server.port, GET)
        assert "Traceback" not in server.text
        assert "internal error" not in server.text


@needs("openssl")
def test_a_storm_of_connections_that_are_cut(pki: Pki) -> None:
    with serve(pki, "-www", "-num_tickets", "1") as server:
        run([program("openssl"), "s_time", "-connect", f"{ADDRESS}:{server.port}", "-new", "-time", "1"])
        assert ask(server.port, GET)
        assert "Traceback" not in server.text


def test_every_connection_is_let_go(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        before = _descriptors(server.pid)
        for _ in range(20):
            assert ask(server.port, GET)
        deadline = time.monotonic() + DEFAULT_LIMIT
        while _descriptors(server.pid) > before:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@needs("openssl")
def test_two_interactive_clients_are_both_greeted(pki: Pki) -> None:
    with serve(pki) as server:
        client = OpenSSLClient()
        with client.start(server.port), client.start(server.port), client.start(server.port):
            wait_until(server, 3, "^CIPHER is")


def _resident(pid: int) -> int:
    """Bytes of memory in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
