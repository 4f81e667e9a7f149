"""-brief, -keymatexport, -msgfile, and output that nobody reads: the server goes on."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, QuietServer, ask, connect, serve, wait_until
from support.peers import ADDRESS, OpenSSLClient, needs
from support.pki import Pki
from support.processes import Process, free_port, run

GET = b"GET / HTTP/1.0\r\n\r\n"
F_SETPIPE_SZ = 1031


# -brief.


class BriefServer(Process):
    """One that says nothing of where it listens: the port is chosen here."""

    def __init__(self, pki: Pki, program: list[str]) -> None:
        identity, self.port = pki.server("p256"), free_port()
        words: list[str | Path] = ["s_server", "-accept", f"{ADDRESS}:{self.port}", "-brief", "-verify", "3"]
        files: list[str | Path] = ["-CAfile", pki.roots, "-cert", identity.certificate, "-key", identity.key]
        super().__init__([*program, *words, *files])
        self.wait_until_listening(self.port)


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_the_brief_summary_is_that_of_openssl(pki: Pki, version: str) -> None:
    said = []
    for command in (["openssl"], PROGRAM):
        with BriefServer(pki, command) as server:
            peers = (OpenSSLClient(options=(version,)), OpenSSLClient(pki.client("rsa"), options=(version,)))
            for count, peer in enumerate(peers):
                with peer.start(server.port) as client:
                    client.send(b"hello\n")
                    server.wait_for(f"(?s)(^Supported groups: .*){{{count + 1}}}")
                    wait_until(server, count + 1, "^hello$")
            assert server.stdout.split() == [b"hello", b"hello"]
            said.append(
                re.sub(r"^(depth|verify|\w+:error|s_server:).*\n", "", server.stderr.decode(), flags=re.M)
            )
    theirs_said, ours_said = (
        [re.sub(r"(Signature Algorithms|Client cipher list): .*", r"\1", line) for line in each.splitlines()]
        for each in said
    )
    assert "Verification: OK" in theirs_said
    assert [line for line in ours_said if line != "ERROR"] == [
        line for line in theirs_said if line != "ERROR"
    ]


# -keymatexport.


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_both_sides_export_the_same(pki: Pki, version: str) -> None:
    options = ("-keymatexport", "EXPORTER-test", "-keymatexportlen", "16")
    block = r"Keying material exporter:\n    Label: 'EXPORTER-test'\n    Length: 16 bytes\n"
    block += r"    Keying material: (\w{32})\n"
    with (
        serve(pki, *options) as server,
        OpenSSLClient(options=(version, *options)).start(server.port) as client,
    ):
        assert (
            server.wait_for(r"^Secure Renegotiation IS supported\n" + block)[1] == client.wait_for(block)[1]
        )


@needs("openssl")
def test_more_than_can_be_exported(pki: Pki) -> None:
    with (
        serve(pki, "-tls1_3", "-keymatexport", "x", "-keymatexportlen", "65536") as server,
        OpenSSLClient().start(server.port),
    ):
        server.wait_for("^    Length: 65536 bytes\n    Error$")


# -msgfile.


def test_messages_in_a_file(pki: Pki, tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text("something old")
    with serve(pki, "-msg", "-msgfile", path) as server, connect(server.port):
        server.wait_for("^CIPHER is")
        assert "Handshake" not in server.text
        text = path.read_text()
        assert re.match(r"<<< TLS 1\.0, RecordHeader \[length 0005\]\n    16 03 01 ", text)
        assert "ClientHello" in text


def test_a_file_for_messages_that_nobody_wants_is_empty(pki: Pki, tmp_path: Path) -> None:
    path = tmp_path / "messages"
    with serve(pki, "-msgfile", path), path.open("rb") as file:
        assert not file.read()


def test_a_file_for_messages_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "none" / "x"
    words = ["s_server", "-accept", "127.0.0.1:0", "-throwaway_cert", "-msgfile", str(file)]
    outcome = run([*PROGRAM, *words])
    assert outcome.returncode == 1
    assert "-msgfile" in outcome.stderr.decode()
    assert not outcome.stdout


# Readers that do not read.


@contextmanager
def into_a_pipe(pki: Pki, path: Path, stream: int, *options: str) -> Iterator[tuple[Process, int, int]]:
    """The server with one of its outputs in a small pipe that is not read; (server, its port, our end)."""
    os.mkfifo(path)
    ours = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    identity, port = pki.server("p256"), free_port()
    words = [*PROGRAM, "s_server", "-accept", f"{ADDRESS}:{port}", *options]
    words += ["-cert", str(identity.certificate), "-key", str(identity.key)]
    script = f'pipe="$1"; shift; exec "$@" {stream}>"$pipe"'
    try:
        with Process(["/bin/sh", "-c", script, "sh", path, *words]) as server:
            server.wait_until_listening(port)
            fcntl.fcntl(ours, F_SETPIPE_SZ, 4096)
            os.set_blocking(ours, True)
            yield server, port, ours
    finally:
        os.close(ours)


def test_nobody_waits_for_a_reader_of_the_output(pki: Pki, tmp_path: Path) -> None:
    """One client sends more than the reader takes; others are served, it alone waits, and no byte is lost."""
    data = os.urandom(1 << 16) * 64
    with (
        into_a_pipe(pki, tmp_path / "pipe", 1, "-quiet") as (server, port, ours),
        connect(port) as talker,
        connect(port) as client,
    ):
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        for number in range(3):
            with connect(port):
                line = f"hello {number}\n".encode()
                server.send(line)
                assert talker.recv(100) == line
        fcntl.fcntl(ours, F_SETPIPE_SZ, 1 << 20)
        found = b""
        while len(found) < len(data):
            found += os.read(ours, 1 << 16)
        sender.join()
        assert found == data


def test_reports_that_nobody_reads_hold_nobody_up(pki: Pki, tmp_path: Path) -> None:
    with into_a_pipe(pki, tmp_path / "pipe", 1, "-msg", "-state") as (server, port, ours):
        for number in range(20):
            with connect(port) as client:
                server.send(f"{number}\n".encode())
                assert client.recv(100) == f"{number}\n".encode()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert os.read(ours, 1 << 16).startswith(
            b"Using default temp DH parameters\nACCEPT\n<<< TLS 1.0, RecordHeader"
        )


def test_who_says_few_words_is_heard_to_the_end(pki: Pki, tmp_path: Path) -> None:
    """While one client's data waits for the reader, others come, say something and go: none of them stays open."""
    data = os.urandom(1 << 16) * 64
    with into_a_pipe(pki, tmp_path / "pipe", 1, "-quiet") as (server, port, ours), connect(port) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        for number in range(20):
            with connect(port) as other:
                other.sendall(b"hello %02d" % number)
                other.unwrap()  # both sides have said that they close
        fcntl.fcntl(ours, F_SETPIPE_SZ, 1 << 20)
        found = b""
        while len(found) < len(data) + 20 * 8:
            found += os.read(ours, 1 << 16)
        sender.join()
        for number in range(20):
            assert b"hello %02d" % number in found
        assert server.returncode is None


def test_complaints_that_nobody_reads_hold_nobody_up(pki: Pki, tmp_path: Path) -> None:
    with into_a_pipe(pki, tmp_path / "pipe", 2, "-www") as (_, port, _):
        for _ in range(50):
            with socket.create_connection((ADDRESS, port)) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert client.recv(100)
        assert b"New, TLSv1.3" in ask(port, GET)


def test_a_reader_that_goes_away_ends_the_server_quietly(pki: Pki, tmp_path: Path) -> None:
    with into_a_pipe(pki, tmp_path / "pipe", 1) as (server, port, ours):
        os.dup2(os.open(os.devnull, os.O_RDONLY), ours)
        connect(port).close()
        assert server.wait() == 1
        assert "Traceback" not in server.text


# What goes with the rest.


def test_quiet_and_brief(pki: Pki) -> None:
    with QuietServer(pki.server("p256"), free_port(), "-brief") as server, connect(server.port):
        server.wait_for("^No peer certificate$")
        assert not server.stdout
