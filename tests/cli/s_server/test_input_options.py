"""Standard input, its end, and how sockets are read: -ign_eof, -nbio, -nbio_test, -idle_timeout and their kin."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, QuietServer, ask, connect, on_a_terminal, serve, wait_until
from support.peers import ADDRESS, OpenSSLClient, needs
from support.pki import Pki
from support.processes import Process, free_port, run

GET = b"GET / HTTP/1.0\r\n\r\n"


# The end of the input.


def test_the_end_of_a_terminal_can_be_ignored(pki: Pki) -> None:
    with on_a_terminal(pki, "-ign_eof") as (server, keyboard):
        os.write(keyboard, b"\x04")
        with connect(server.port) as client:
            client.sendall(b"still there")
            server.wait_for("still there")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


@needs("openssl")
def test_the_end_of_a_pipe_can_be_made_to_count(pki: Pki) -> None:
    with serve(pki, "-no_ign_eof") as server:
        server.send(b"first and last words\n")
        server.end_input()
        outcome = OpenSSLClient().exchange(server.port, b"")
        assert outcome.returncode == 0
        assert "first and last words" in outcome.text
        assert server.wait() == 0
        assert "1 server accepts that finished" in server.text


def test_the_end_of_the_input_means_nothing_under_quiet(pki: Pki) -> None:
    with QuietServer(pki.server("p256"), free_port(), "-no_ign_eof") as server:
        server.end_input()
        for _ in range(2):
            with connect(server.port) as client:
                client.sendall(b"x")
        wait_until(server, 1, "xx")
        assert server.returncode is None


def test_a_reversing_server_can_be_told_to_go_on(pki: Pki) -> None:
    with serve(pki, "-rev", "-ign_eof") as server, connect(server.port) as client:
        client.sendall(b"CLOSE\n")
        assert client.recv(100) == b"ESOLC\n"


@pytest.mark.parametrize("way", ["pipe", "file"])
def test_much_input_goes_out_whole(pki: Pki, tmp_path: Path, way: str) -> None:
    data = os.urandom(1 << 16) * 200
    source = tmp_path / "data"
    source.write_bytes(data)
    identity, port = pki.server("p256"), free_port()
    words = [*PROGRAM, "s_server", "-accept", f"{ADDRESS}:{port}", "-quiet"]
    words += ["-cert", str(identity.certificate), "-key", str(identity.key)]
    script = (
        'data="$1"; shift; cat "$data" | "$@"' if way == "pipe" else 'data="$1"; shift; exec "$@" <"$data"'
    )
    with Process(["/bin/sh", "-c", script, "sh", source, *words]) as server:
        server.wait_until_listening(port)
        with connect(port) as client:
            found = bytearray()
            while len(found) < len(data):
                found += client.recv(1 << 16)
            assert found == data
            client.sendall(b"got it")
            server.wait_for("got it")


# How the other side's end is taken.


@pytest.mark.parametrize(("options", "word"), [((), "ERROR"), (("-ignore_unexpected_eof",), "DONE")])
def test_a_close_without_close_notify(pki: Pki, options: Sequence[str], word: str) -> None:
    with serve(pki, *options) as server:
        client = connect(server.port)
        server.wait_for("^CIPHER is")
        client.shutdown(socket.SHUT_RDWR)  # of the socket alone
        client.close()
        server.wait_for(f"^{word}\nshutting down SSL\nCONNECTION CLOSED$")
        assert ("unexpected eof" in server.text) == (word == "ERROR")


# How sockets are read and written.


@needs("openssl")
def test_waits_are_shown(pki: Pki) -> None:
    with (
        serve(pki, "-nbio") as server,
        OpenSSLClient(options=("-no_ign_eof",)).start(server.port) as client,
    ):
        server.wait_for("(?s)^DELAY\n-----BEGIN SSL SESSION.*^CIPHER is")
        server.wait_for("^Turned on non blocking io$")
        client.send(b"k\n")  # a KeyUpdate, which is no data
        server.wait_for("^Read BLOCK$")


def test_a_client_that_does_not_read_is_shown(pki: Pki) -> None:
    with serve(pki, "-nbio", "-rev") as server, connect(server.port) as client:
        line = b"x" * 4000 + b"\n"
        sender = threading.Thread(target=client.sendall, args=(line * 4000,))
        sender.start()
        server.wait_for("^Write BLOCK$")
        size = 0
        while size < 4000 * len(line):
            size += len(client.recv(1 << 16))
        sender.join()


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_few_bytes_at_a_time(pki: Pki, version: str) -> None:
    with serve(pki, "-nbio_test") as server, OpenSSLClient(options=(version,)).start(server.port) as client:
        server.wait_for("(?s)^DELAY\nDELAY\n.*^CIPHER is")
        client.send(b"hello, server\n")
        server.wait_for("^hello, server$")
        server.send(b"hello, client\n")
        client.wait_for("^hello, client$")


def test_whole_pages_in_pieces(pki: Pki) -> None:
    with serve(pki, "-nbio_test", "-www") as server:
        assert ask(server.port, GET).endswith(b"</body></html>\r\n\r\n")


# Silence.


@needs("openssl")
@pytest.mark.parametrize("options", [(), ("-rev",), ("-www",)])
def test_a_client_that_does_nothing_is_let_go(pki: Pki, options: Sequence[str]) -> None:
    with serve(pki, "-idle_timeout", "0.3", *options) as server:
        outcome = OpenSSLClient().exchange(server.port, b"")
        assert outcome.returncode == 0, outcome.text
        assert "unexpected eof" not in outcome.text
        server.wait_for(
            r"^s_server: 127\.0\.0\.1:\d+: the client did nothing for 0\.3 seconds and was let go"
        )


# What concerns the program itself.


def test_randomness(pki: Pki, tmp_path: Path) -> None:
    seed, kept = tmp_path / "seed", tmp_path / "kept"
    seed.write_bytes(bytes(100))
    found = []
    for _ in range(2):
        with serve(pki, "-rand", f"{seed}:{seed}", "-writerand", kept, "-naccept", "1", "-www") as server:
            assert ask(server.port, GET)
            assert server.wait() == 0
        found.append(kept.read_bytes())
    assert [len(each) for each in found] == [1024, 1024]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-rand", "none"), "Can't load none into RNG"),
        (("-context", "x" * 33), "Error setting session id context\ns_server: -context has 33 bytes"),
    ],
)
def test_what_cannot_begin_says_why(tmp_path: Path, options: Sequence[str], words: str) -> None:
    outcome = run([*PROGRAM, "s_server", "-accept", "127.0.0.1:0", "-throwaway_cert", *options], cwd=tmp_path)
    assert outcome.returncode == 1
    assert words in outcome.stderr.decode()
    assert not outcome.stdout


def test_randomness_that_cannot_be_written(pki: Pki, tmp_path: Path) -> None:
    with serve(pki, "-writerand", tmp_path / "none" / "x", "-naccept", "1", "-www") as server:
        assert ask(server.port, GET)
        assert server.wait() == 1
        server.wait_for("^s_server: Cannot write random bytes: ")


def test_an_option_that_means_nothing_is_taken(pki: Pki) -> None:
    with serve(pki, "-debug_broken_protocol", "-www") as server:
        assert b"New, TLSv1.3" in ask(server.port, GET)
