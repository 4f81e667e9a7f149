"""Data both ways, the command letters, and every way to end."""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handglass.cli.s_client.visit import ANSWER_SECONDS
from support.peers import ADDRESS, GnuTLSServer, OpenSSLServer, needs
from support.pki import Pki
from support.s_client import ENVIRONMENT, OURS, ours, said, start_ours

pytestmark = needs("openssl")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_binary_data_passes_unchanged(pki: Pki, version: str, tmp_path: Path) -> None:
    """A megabyte through a pipe, to the server and from it."""
    data = random.Random(4).randbytes(1 << 20)
    (tmp_path / "data").write_bytes(data)
    with OpenSSLServer(pki.server("p256"), "-WWW", cwd=tmp_path) as server:
        outcome = ours(server.port, version, "-quiet", data=b"GET /data HTTP/1.0\r\n\r\n")
        assert outcome.stdout.partition(b"\r\n\r\n")[2] == data
    with OpenSSLServer(pki.server("p256")) as server:
        outcome = ours(server.port, version, "-brief", data=data)
        assert outcome.returncode == 0
        server.wait_for("DONE$")
        assert data in server.stdout


@needs("gnutls-serv")
@pytest.mark.parametrize("size", [0, 1000, 70_000])
def test_end_of_input_waits_for_the_answer(pki: Pki, size: int) -> None:
    """What an echo server sends back is seen although the input has ended."""
    data = (b"x" * 999 + b"\n") * (size // 1000)
    with GnuTLSServer(pki.server("p256"), "--echo") as server:
        outcome = ours(server.port, "-quiet", "-no_ign_eof", data=data)
    assert outcome.returncode == 0
    assert outcome.stdout == data


def test_an_empty_line_asks_nothing(pki: Pki) -> None:
    """`echo |` ends as quickly as `</dev/null`; what is said may be answered, and that is waited for."""
    with OpenSSLServer(pki.server("p256")) as server:

        def seconds_to_leave(data: bytes) -> float:
            with start_ours(server.port, "-tls1_2") as client:
                client.wait_for("Verify return code")
                client.send(data)
                begun = time.monotonic()
                client.end_input()
                assert client.wait() == 0
                return time.monotonic() - begun

        assert seconds_to_leave(b"hello\n") >= ANSWER_SECONDS
        assert any(
            seconds_to_leave(b"\n") < ANSWER_SECONDS for _ in range(20)
        )  # the machine may be busy now and then


def test_the_outcome_of_a_renegotiation_is_waited_for(pki: Pki) -> None:
    """`echo R |` tells whether the server lets clients renegotiate; scanners go by the exit status."""
    with OpenSSLServer(pki.server("p256"), "-client_renegotiation") as server:
        allowed = said(ours(server.port, "-tls1_2", "-state", data=b"R\n"))
    with OpenSSLServer(pki.server("p256")) as server:
        refused = said(ours(server.port, "-tls1_2", "-state", data=b"R\n"))
    assert (allowed.status, allowed.stderr.count("read finished")) == (0, 2)
    assert (refused.status, refused.stderr.count("read finished")) == (1, 1)


def test_letters_need_a_line_of_their_own(pki: Pki) -> None:
    """`Quit` and a Q amid data are data; Q alone ends, with or without a newline; lower case is data."""
    with OpenSSLServer(pki.server("p256")) as server:
        for data in (b"Quit\n", b"abc\nQ\n", b"q\n"):
            mark = len(server.stdout)
            found = said(ours(server.port, "-tls1_2", "-brief", data=data))
            assert (found.status, found.stderr.splitlines()[-1]) == (0, "DONE")
            server.wait_for("^DONE", after=mark)
            assert data in server.stdout[mark:]
        for data in (b"Q", b"Q\n", b"Q\r\n"):
            mark = len(server.stdout)
            found = said(ours(server.port, "-brief", data=data))
            assert (found.status, found.stderr.splitlines()[-1]) == (0, "DONE")
            server.wait_for("^DONE", after=mark)
            assert b"Q" not in server.stdout[server.stdout.rfind(b"CIPHER is") + 60 :]


@pytest.mark.parametrize("options", [("-ign_eof",), ("-quiet",)])
def test_letters_are_off(pki: Pki, options: tuple[str, ...]) -> None:
    """-ign_eof and -quiet: no letters, and the end of input ends nothing; the server's close does."""
    with OpenSSLServer(pki.server("p256")) as server, start_ours(server.port, *options) as client:
        client.send(b"Q\n")
        server.wait_for("^Q$")
        client.end_input()
        server.send(b"still here\n")
        client.wait_for("still here")
        server.send(b"q\n")
        assert client.wait() in (0, 1)  # OpenSSL's server leaves without close_notify


def test_letters_of_the_wrong_version(pki: Pki) -> None:
    """R in TLS 1.3 and k in TLS 1.2 end with OpenSSL's error and a reason, and close in good order."""
    with OpenSSLServer(pki.server("p256")) as server:
        for version, letter, word in (
            ("-tls1_3", b"R\n", "TLS 1.3 has no renegotiation"),
            ("-tls1_2", b"k\n", "KeyUpdate exists only in TLS 1.3"),
        ):
            found = said(ours(server.port, version, "-brief", data=letter))
            assert found.status == 1
            assert "error:0A00010A:wrong ssl version:" in found.stderr
            assert word in found.stderr
        assert "unexpected eof" not in server.text


def test_crlf(pki: Pki) -> None:
    """-crlf sends CR LF for LF."""
    with OpenSSLServer(pki.server("p256")) as server:
        ours(server.port, "-crlf", "-brief", data=b"one\ntwo\n")
        server.wait_for("^DONE")
        assert b"one\r\ntwo\r\n" in server.stdout


def test_interrupt_says_goodbye(pki: Pki) -> None:
    """Ctrl-C: close_notify, no traceback, the status of an interrupted program."""
    with OpenSSLServer(pki.server("p256")) as server, start_ours(server.port) as client:
        client.wait_for("Verify return code")
        client.signal(signal.SIGINT)
        assert client.wait() == 130
        server.wait_for("^DONE")
        assert "Traceback" not in client.text
        assert "unexpected eof" not in server.text


def test_interrupt_during_the_handshake() -> None:
    """Ctrl-C while nothing answers."""
    with socket.create_server((ADDRESS, 0)) as listener, start_ours(listener.getsockname()[1]) as client:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            client.signal(signal.SIGINT)
            assert client.wait() == 130
            assert "Traceback" not in client.text


def test_broken_pipe_is_quiet(pki: Pki, tmp_path: Path) -> None:
    """A reader of standard output that leaves ends the program without a word."""
    (tmp_path / "data").write_bytes(bytes(4 << 20))
    with OpenSSLServer(pki.server("p256"), "-WWW", cwd=tmp_path) as server:
        process = subprocess.Popen(
            [*OURS, "-connect", f"{ADDRESS}:{server.port}", "-quiet", "-CAfile", str(pki.roots)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"GET /data HTTP/1.0\r\n\r\n")
        process.stdin.close()
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert process.wait(60) == 1
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


def test_a_full_pipe_that_does_not_block(pki: Pki, tmp_path: Path) -> None:
    """Programs such as rsync give their helper a standard output that refuses what it has no room for."""
    data = random.Random(5).randbytes(1 << 20)
    (tmp_path / "data").write_bytes(data)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with OpenSSLServer(pki.server("p256"), "-WWW", cwd=tmp_path) as server:
        process = subprocess.Popen(
            [*OURS, "-connect", f"{ADDRESS}:{server.port}", "-quiet", "-CAfile", str(pki.roots)],
            stdin=subprocess.PIPE,
            stdout=writer,
            env={**os.environ, **ENVIRONMENT},
        )
        os.close(writer)
        with process, os.fdopen(reader, "rb") as output:
            assert process.stdin
            process.stdin.write(b"GET /data HTTP/1.0\r\n\r\n")
            process.stdin.close()
            select.select([output], [], [], 20)  # it has begun to write, and a pipe holds far less than a MiB
            assert output.read().partition(b"\r\n\r\n")[2] == data
            assert process.wait(60) == 0


def test_closed_standard_streams(pki: Pki) -> None:
    """Standard input that is closed is at its end."""
    with OpenSSLServer(pki.server("p256")) as server:
        command = " ".join((sys.executable, "-m", "handglass", "s_client", "-brief"))
        done = subprocess.run(
            ["/bin/sh", "-c", f"{command} -connect {ADDRESS}:{server.port} <&-"],
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0
    assert done.stderr.endswith(b"DONE\n")


def test_orderly_close_by_the_server(pki: Pki) -> None:
    """The server's close_notify ends it with 0 and `closed`; a missing one is an error."""
    with OpenSSLServer(pki.server("p256"), "-rev") as server, start_ours(server.port) as client:
        client.send(b"olleh\n")
        client.wait_for("^hello")
        client.send(b"CLOSE\n")
        assert client.wait() == 0
        assert client.stdout.endswith(b"closed\n")
    with OpenSSLServer(pki.server("p256")) as server, start_ours(server.port) as client:
        client.wait_for("Verify return code")
        server.send(b"q\n")
        assert client.wait() == 1
        assert "unexpected eof while reading" in client.text


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_key_log_is_the_servers(pki: Pki, version: str, tmp_path: Path) -> None:
    """-keylogfile on both sides: the same secrets; appended, with one first line."""
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    with OpenSSLServer(pki.server("p256"), "-keylogfile", theirs) as server:
        for _ in range(2):
            ours(server.port, version, "-brief", "-keylogfile", mine)
            server.wait_for("^DONE")

    def secrets(path: Path) -> list[str]:
        return sorted(line for line in path.read_text().splitlines() if not line.startswith("#"))

    assert secrets(mine) == secrets(theirs)
    assert len(secrets(mine)) == (2 if version == "-tls1_2" else 10)
    assert mine.read_text().count("#") == 1
