"""Where s_server listens, and the smaller options."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, QuietServer, connect, serve
from support.peers import ADDRESS, OpenSSLClient, needs
from support.pki import Pki
from support.processes import Process, free_port, run

THROWAWAY = [*PROGRAM, "s_server", "-throwaway_cert"]


@needs("openssl")
def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with Process([*THROWAWAY, "-unix", str(path)]) as server:
        server.wait_for(f"^ACCEPT localhost:{path}$")
        with Process(["openssl", "s_client", "-unix", str(path)]) as client:
            client.wait_for("^New, TLSv1.3")
        second = run([*THROWAWAY, "-unix", str(path)])
        assert second.returncode == 1
        assert f"cannot listen at {path}: Address already in use" in second.text
        assert path.exists()
        server.send(b"Q\n")
        assert server.wait() == 0
    assert not path.exists()


def test_a_unix_socket_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with Process([*THROWAWAY, "-unix", str(path), "-unlink"]) as server:
        server.wait_for("^ACCEPT")


@pytest.mark.parametrize(("option", "name"), [("-4", r"0\.0\.0\.0"), ("-6", r"\[::\]")])
def test_one_family(option: str, name: str) -> None:
    with Process([*THROWAWAY, "-accept", "0", option]) as server:
        port = int(server.wait_for(f"^ACCEPT {name}:(\\d+)$")[1])
        address = ("127.0.0.1", "::1") if option == "-4" else ("::1", "127.0.0.1")
        socket.create_connection((address[0], port)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address[1], port))


@pytest.mark.parametrize("option", ["-port", "-accept"])
def test_a_port_that_cannot_be(option: str) -> None:
    done = run([*THROWAWAY, option, "70000"])
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == (
        b"s_server: malformed or ambiguous address '70000': "
        b"a port is a number from 0 to 65535, or a service name\n"
    )


def test_both_families_by_default() -> None:
    with Process([*THROWAWAY, "-accept", "0", "-www"]) as server:
        port = int(server.wait_for(r"^ACCEPT \[::\]:(\d+)$")[1])
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port)).close()


def test_several_addresses() -> None:
    with Process([*THROWAWAY, "-accept", "127.0.0.1:0", "-accept", "[::1]:0", "-www"]) as server:
        four = int(server.wait_for(r"^ACCEPT 127\.0\.0\.1:(\d+)$")[1])
        six = int(server.wait_for(r"^ACCEPT \[::1\]:(\d+)$")[1])
        socket.create_connection(("127.0.0.1", four)).close()
        socket.create_connection(("::1", six)).close()


def test_the_last_kind_of_place_counts(tmp_path: Path) -> None:
    port = free_port()
    with Process([*THROWAWAY, "-unix", str(tmp_path / "u"), "-accept", "1", "-port", str(port)]) as server:
        server.wait_for("^ACCEPT$")
        socket.create_connection((ADDRESS, port)).close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-sendfile",), "Can't use -sendfile without -WWW or -HTTP"),
        (("-unix", "u", "-4"), "Can't use unix sockets and -4 or -6 together"),
        (("-accept", "127.0.0.1:0", "-6"), "Address family for hostname not supported"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, ...], words: str) -> None:
    outcome = run([*THROWAWAY, *options])
    assert outcome.returncode == 1
    assert words in outcome.stderr.decode()


def test_sendfile_says_that_the_kernel_does_not_help(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00\r\n\xff")
    with serve(pki, "-WWW", "-sendfile", "-http_server_binmode", cwd=tmp_path) as server:
        server.wait_for("^Warning: sendfile requested but KTLS is not available$")
        with connect(server.port) as client:
            client.sendall(b"GET /file HTTP/1.0\r\n\r\n")
            answer = b""
            while piece := client.recv(1000):
                answer += piece
        assert answer.endswith(b"\r\n\r\n\x00\r\n\xff")


@needs("openssl")
def test_line_ends(pki: Pki) -> None:
    with serve(pki, "-crlf") as server, OpenSSLClient().start(server.port) as client:
        server.wait_for("^CIPHER is")
        server.send(b"one\ntwo\n")
        client.wait_for("two")
        assert b"one\r\ntwo\r\n" in client.stdout


@needs("openssl")
def test_every_client_repeats_its_hello(pki: Pki) -> None:
    with serve(pki, "-stateless") as server, OpenSSLClient(options=("-msg",)).start(server.port) as client:
        server.wait_for("^CIPHER is")
        client.wait_for("^---\nPost-Handshake New Session Ticket")
        assert client.text.count(", ClientHello") == 2


def test_quiet_prints_nothing_of_its_own(pki: Pki) -> None:
    with QuietServer(pki.server("p256"), free_port()) as server:
        for _ in range(3):
            connect(server.port).close()
        assert not server.text.strip()
