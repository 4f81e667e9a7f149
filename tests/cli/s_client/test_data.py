"""Data through the program: every byte, megabytes, both ways at once, slow readers and those that leave; terminals."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from handglass.connection import ServerConnection
from handglass.crypto.throwaway import Authority
from handglass.handshake.config import ServerConfig
from handglass.handshake.events import DataReceived, Event
from handglass.handshake.sessions import MemorySessions
from handglass.net.blocking import TLSStream, start_server
from handglass.registry.code_points import ProtocolVersion
from support.peers import ADDRESS
from support.pki import Pki
from support.processes import Outcome, run
from support.s_client import ENVIRONMENT, OURS, ours, start_ours

LIMIT = 60.0
EVERY_BYTE = bytes(range(256))
IDENTITY = Authority(datetime.now(UTC)).issue()


def config(*versions: ProtocolVersion) -> ServerConfig:
    sessions = MemorySessions(time.time)
    if versions:
        return ServerConfig(identities=(IDENTITY,), sessions=sessions, versions=versions)
    return ServerConfig(identities=(IDENTITY,), sessions=sessions)


def echo(stream: TLSStream) -> None:
    for piece in stream:
        stream.write(piece)


@contextmanager
def echoing(*versions: ProtocolVersion) -> Iterator[int]:
    """A server that says again what it hears; its port."""
    with start_server(echo, config=config(*versions), verify=False, timeout=LIMIT) as server:
        yield server.port


@pytest.mark.parametrize("version", [ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3])
def test_megabytes_both_ways_at_once_and_a_slow_reader(version: ProtocolVersion) -> None:
    """Four megabytes of all byte values there and back, while the reader lets long pauses go by."""
    data = EVERY_BYTE * (4 << 12)
    with echoing(version) as port:
        command = [*OURS, "-connect", f"{ADDRESS}:{port}", "-quiet", "-no_ign_eof", "-nocommands"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ENVIRONMENT},
        )
        with process:
            assert process.stdin
            assert process.stdout
            threading.Thread(target=feed, args=(process.stdin, data), daemon=True).start()
            found = bytearray()
            while piece := os.read(process.stdout.fileno(), 1 << 17):
                found += piece
                if len(found) < 1 << 19:
                    time.sleep(0.4)  # longer than the client waits for a further piece of an answer
        assert process.returncode == 0
    assert bytes(found) == data


def feed(stream: IO[bytes], data: bytes) -> None:
    """Write all of it, and close."""
    with stream:
        stream.write(data)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_reluctant_socket(version: str) -> None:
    """-nbio_test: a few bytes at a time, many waits told as with -nbio, and nothing is lost or out of order."""
    data = EVERY_BYTE * 100
    with echoing() as port:
        outcome = ours(port, version, "-nbio_test", data=data)
        assert outcome.returncode == 0
        for line in (b"write W BLOCK\n", b"write R BLOCK\n", b"read R BLOCK\n"):
            assert outcome.stdout.count(line) > 5
        brief = ours(port, version, "-nbio_test", "-brief", data=data)
        assert (brief.returncode, brief.stdout) == (0, data)


@pytest.mark.parametrize("options", [("-quiet",), ("-brief",), ("-msg",), ()])
def test_a_reader_that_leaves(options: tuple[str, ...]) -> None:
    """`| head -1`: whatever is written then, the program ends without a word and with status 1."""

    def pour(stream: TLSStream) -> None:
        while True:
            stream.write(EVERY_BYTE * 256)

    with start_server(pour, config=config(), verify=False, timeout=5, report=lambda _: None) as server:
        command = [*OURS, "-connect", f"{ADDRESS}:{server.port}", "-ign_eof", "-CAfile", os.devnull, *options]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
        )
        with process:
            assert process.stdout
            assert process.stderr
            process.stdout.read(10)
            process.stdout.close()
            said = process.stderr.read().decode()
        assert process.returncode == 1
    assert "Traceback" not in said
    assert "Broken" not in said


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        ((), True),
        (("-ign_eof",), False),
        (("-quiet",), False),
        (("-no_ign_eof", "-quiet"), False),
        (("-quiet", "-no_ign_eof"), True),
        (("-ign_eof", "-no_ign_eof"), True),
        (("-no_ign_eof", "-ign_eof"), False),
    ],
)
def test_which_end_of_input_ends(options: tuple[str, ...], *, ends: bool) -> None:
    """Of -ign_eof, -quiet and -no_ign_eof the last one counts."""
    heard = threading.Event()
    go_on = threading.Event()

    def talk(stream: TLSStream) -> None:
        stream.read()
        heard.set()
        if not ends:
            go_on.wait(LIMIT)
            stream.write(b"still here")
            return
        assert stream.read() == b""

    with (
        start_server(talk, config=config(), verify=False, timeout=LIMIT) as server,
        start_ours(server.port, *options) as client,
    ):
        client.send(b"hello")
        assert heard.wait(LIMIT)
        client.end_input()
        go_on.set()
        assert client.wait() == 0
        assert (b"still here" in client.stdout) == (not ends)
        assert (b"DONE" in client.stderr) == ends


def test_crlf_over_many_reads() -> None:
    """-crlf: each LF becomes CR LF, a CR LF in the input too, as with OpenSSL."""
    with echoing() as port, start_ours(port, "-crlf", "-brief") as client:
        client.wait_for("ESTABLISHED")
        for piece in (b"a", b"b\n", b"\n", b"c\r\n"):
            client.send(piece)
            client.wait_for(re.escape(piece[:1].decode()) if piece != b"\n" else "\n")
        client.end_input()
        assert client.wait() == 0
        assert client.stdout == b"ab\r\n\r\nc\r\r\n"


PATIENCE = (
    "import sys; from handglass.__main__ import main; from handglass.cli.s_client import visit; "
    "visit.ANSWER_SECONDS, visit.QUIET_SECONDS, visit.LINGER_SECONDS = map(float, sys.argv.pop(1).split()); main()"
)
"""The program with other ideas of how long it waits at the end of its input."""


def patiently(seconds: str, port: int, *options: str, data: bytes) -> Outcome:
    """Run it with these limits: for a first answer, for more of it, for the last bytes to leave."""
    command = [sys.executable, "-c", PATIENCE, seconds, "s_client", "-connect", f"{ADDRESS}:{port}", *options]
    return run(command, data=data, env=ENVIRONMENT)


def test_a_ticket_is_no_answer() -> None:
    """The server's tickets come only after the question, and the answer long after them."""

    def think(listener: socket.socket) -> None:
        tls, heard = ServerConnection(config()), list[Event]()
        with listener.accept()[0] as sock:
            while not tls.is_established:
                sock.sendall(tls.data_to_send())
                heard += tls.receive(sock.recv(1 << 16))
            while not any(isinstance(event, DataReceived) for event in heard):
                heard += tls.receive(sock.recv(1 << 16))
            sock.sendall(tls.data_to_send())
            time.sleep(1)
            tls.send(b"answer")
            tls.close()
            sock.sendall(tls.data_to_send())
            while sock.recv(1 << 16):
                pass

    with socket.create_server((ADDRESS, 0)) as listener:
        thread = threading.Thread(target=think, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        outcome = patiently(f"{LIMIT} 0.1 2", port, "-brief", data=b"question")
        thread.join()
    assert (outcome.returncode, outcome.stdout) == (0, b"answer")


def test_no_answer_is_waited_for_before_all_is_asked() -> None:
    """The end of input comes long before the last of it has left."""
    heard = bytearray()

    def hear(stream: TLSStream) -> None:
        for piece in stream:
            heard.extend(piece)

    data = EVERY_BYTE * 100
    with start_server(hear, config=config(), verify=False, timeout=LIMIT) as server:
        assert patiently("0.01 0.01 0.01", server.port, "-brief", "-nbio_test", data=data).returncode == 0
    assert heard == data


# On a terminal ------------------------------------------------------------------------------------------------


ON_A_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
"""Makes standard input the terminal that Ctrl-C and a hang-up come from, then starts the real program."""


class Terminal:
    """Our s_client on a pseudo-terminal of its own, all of whose output is kept."""

    def __init__(self, *options: str) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, *OURS[1:], *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, **ENVIRONMENT},
        )
        os.close(theirs)
        self.text = ""

    def enter(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, pattern: str) -> None:
        """Read until the output matches."""
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.text, re.MULTILINE):
            assert self._read(deadline - time.monotonic()), f"ended before {pattern!r}:\n{self.text}"

    def wait(self) -> int:
        """Read to the end; the exit status."""
        deadline = time.monotonic() + LIMIT
        while self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(LIMIT)

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self._ours)
        self._ours = -1

    def end(self) -> int:
        """The exit status, without a terminal."""
        return self._process.wait(LIMIT)

    def _read(self, seconds: float) -> bool:
        """Whether there was more to come."""
        ready, _, _ = select.select([self._ours], [], [], max(seconds, 0))
        assert ready, f"nothing more in time:\n{self.text}"
        try:
            piece = os.read(self._ours, 1 << 16)
        except OSError as error:  # how Linux says that nobody holds the other side
            if error.errno != errno.EIO:
                raise
            return False
        self.text += piece.decode().replace("\r\n", "\n")
        return bool(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._ours >= 0:
            self.hang_up()


terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")


@contextmanager
def at_a_terminal(*options: str) -> Iterator[Terminal]:
    with echoing() as port, Terminal("-connect", f"{ADDRESS}:{port}", *options) as client:
        client.wait_for("Verify return code|ESTABLISHED")
        yield client


@terminal
def test_terminal_talks_and_quits() -> None:
    """What is typed comes back (once from the terminal itself, once from the server); Q ends."""
    with at_a_terminal() as client:
        client.enter("hello\n")
        client.wait_for(r"^hello\n(.*\n)*hello$")
        client.enter("Q\n")
        assert client.wait() == 0
        assert client.text.endswith("Q\nDONE\n")


@terminal
def test_terminal_end_of_input() -> None:
    """Ctrl-D on an empty line is the end of input; after part of a line it only sends that part."""
    with at_a_terminal("-brief") as client:
        client.enter("part\x04")
        client.wait_for("partpart")
        client.enter("\x04")
        assert client.wait() == 0
        assert client.text.endswith("DONE\n")


@terminal
def test_terminal_interrupt() -> None:
    """Ctrl-C."""
    with at_a_terminal("-brief") as client:
        client.enter("\x03")
        assert client.wait() == 130
        assert client.text.endswith("^C")


@terminal
def test_terminal_interrupt_of_a_prompt(pki: Pki, tmp_path: Path) -> None:
    """Ctrl-C where a pass phrase is asked for: nothing was echoed, and the terminal is as it was."""
    client = pki.client("p256")
    locked = tmp_path / "locked.pem"
    key = load_pem_private_key(client.key.read_bytes(), None)
    locked.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    with Terminal(
        "-connect", f"{ADDRESS}:1", "-cert", str(client.certificate), "-key", str(locked)
    ) as at_prompt:
        at_prompt.wait_for("Enter pass phrase for .*:")
        at_prompt.enter("secr\x03")
        assert at_prompt.wait() == 130
        assert "secr" not in at_prompt.text.partition("Enter")[2]
        assert "Traceback" not in at_prompt.text


@terminal
def test_terminal_hang_up() -> None:
    """The terminal goes away: the program ends, with the status of that signal."""
    with at_a_terminal("-brief") as client:
        client.hang_up()
        assert client.end() == 129


@terminal
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_terminal_reconnects(version: str) -> None:
    """C, and -reconnect with the times of each connection, on a terminal."""
    with at_a_terminal(version) as client:
        client.enter("C\n")
        client.wait_for("^RECONNECTING$")
        client.wait_for("^Reused, ")
        client.enter("again\n")
        client.wait_for(r"^again\n(.*\n)*again$")
        client.enter("Q\n")
        assert client.wait() == 0
    with at_a_terminal(version, "-reconnect") as client:
        client.wait_for("(?s)(drop connection and then reconnect.*){5}^Reused, ")
        client.enter("Q\n")
        assert client.wait() == 0
        assert client.text.count("\ns_client: connected in ") == 6


@terminal
def test_terminal_last_report() -> None:
    """-prexit prints the report, and once more at the end."""
    with at_a_terminal("-prexit") as client:
        client.enter("Q\n")
        assert client.wait() == 0
        assert client.text.count("\nNew, TLSv1.3, Cipher is ") == 2
        assert client.text.count("\ns_client: connected in ") == 1


@terminal
def test_terminal_advanced_commands() -> None:
    """-adv on a terminal: a line of commands alone is not sent."""
    with at_a_terminal("-adv", "-brief") as client:
        client.enter("{keyup}\n")
        client.wait_for("^KEYUPDATE$")
        client.enter("one{help}two\n")
        client.wait_for("^one.*two$")
        client.enter("{quit}\n")
        assert client.wait() == 0
        assert client.text.count("{keyup}\n") == 1
