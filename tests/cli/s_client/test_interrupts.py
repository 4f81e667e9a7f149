"""Ctrl-C and SIGTERM at any moment: the status says so, nothing else is said, and the server hears close_notify."""

from __future__ import annotations

import os
import platform
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import IO

import pytest

from handglass.crypto.throwaway import Authority
from handglass.handshake.config import ServerConfig
from handglass.net import interrupts
from handglass.net.blocking import TLSStream, start_server
from handglass.net.interrupts import Interrupted, held, interrupt, interruptible
from handglass.registry import reasons
from handglass.registry.errors import PeerError
from support.peers import ADDRESS
from support.processes import DEFAULT_LIMIT, Process
from support.s_client import ENVIRONMENT, OURS, start_ours

SERVER = ServerConfig(identities=(Authority(datetime.now(UTC)).issue(),))
FILLING = 3
"""Connections that fill the queue of a listener whose backlog is 0: one is there at once, the others wait."""
SYN_SENT = "02"
WRITE_CALL = {"x86_64": "1", "aarch64": "64"}
"""The number of Linux's `write`."""
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
MARKED = "import sys; from handglass.__main__ import main; print('.', end='', flush=True); sys.exit(main())"
"""A start that tells when Python itself is done and the program begins."""


@contextmanager
def watching(queue: Queue[str]) -> Iterator[int]:
    """A server that tells how each of its connections ended; its port."""

    def read(stream: TLSStream) -> None:
        try:
            for _ in stream:
                pass
        finally:
            queue.put("close_notify" if stream.connection.error is None else str(stream.connection.error))

    def report(error: Exception) -> None:
        if isinstance(error, PeerError) and error.reason is reasons.HANDSHAKE_CALLED_OFF:
            queue.put("close_notify")
        elif isinstance(error, PeerError) and "read client hello" in str(error):
            queue.put("nothing")
        else:
            queue.put(repr(error))

    with start_server(read, config=SERVER, verify=False, report=report) as server:
        yield server.port


@contextmanager
def started(*options: str, code: str = MARKED) -> Iterator[subprocess.Popen[bytes]]:
    """A client that has just begun, its streams in our hands."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, "s_client", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT},
    )
    try:
        assert process.stdout
        assert process.stdout.read(1) == b"."
        yield process
    finally:
        process.kill()
        process.communicate()


def swallow(stream: IO[bytes]) -> None:
    while os.read(stream.fileno(), 1 << 16):
        pass


def type_on(stream: IO[bytes]) -> None:
    with suppress(OSError):
        while os.write(stream.fileno(), b"abc\n" * 1000):
            pass


@contextmanager
def busy(client: subprocess.Popen[bytes]) -> Iterator[None]:
    """Type and read all the time, until it has ended: only then may its streams be closed."""
    assert client.stdin
    assert client.stdout
    threads = [
        threading.Thread(target=swallow, args=(client.stdout,)),
        threading.Thread(target=type_on, args=(client.stdin,)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        client.kill()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("seed", range(12))
def test_at_any_moment(seed: int) -> None:
    """One signal or several, wherever the program is: loading, connecting, shaking hands, moving data."""
    chance = random.Random(seed)
    number = chance.choice([signal.SIGINT, signal.SIGTERM])
    options = chance.choice([("-brief",), ("-msg",), ("-tls1_2",), ("-quiet",)])
    ends: Queue[str] = Queue()
    with (
        watching(ends) as port,
        started("-connect", f"{ADDRESS}:{port}", *options) as client,
        busy(client),
    ):
        assert client.stderr
        time.sleep(0.001 + chance.random() * 0.4)
        for _ in range(chance.randint(1, 3)):
            client.send_signal(number)
            time.sleep(chance.random() * 0.005)
        assert client.wait(DEFAULT_LIMIT) == STATUS[number]
        said = client.stderr.read().decode()
        assert "Traceback" not in said
        assert "Exception ignored" not in said
    while not ends.empty():
        assert ends.get() in {"close_notify", "nothing"}


@pytest.mark.parametrize("number", STATUS)
def test_in_a_conversation(number: signal.Signals) -> None:
    """Each of the signals that end a program, while data may go both ways."""
    ends: Queue[str] = Queue()
    with watching(ends) as port, start_ours(port) as client:
        client.wait_for("Verify return code")
        client.signal(number)
        assert client.wait() == STATUS[number]
        assert ends.get(timeout=DEFAULT_LIMIT) == "close_notify"
        assert "Traceback" not in client.text


def test_a_last_report() -> None:
    """-prexit reports also when the run is broken off."""
    ends: Queue[str] = Queue()
    with watching(ends) as port, start_ours(port, "-prexit") as client:
        client.wait_for("Verify return code")
        client.signal(signal.SIGINT)
        assert client.wait() == STATUS[signal.SIGINT]
        assert ends.get(timeout=DEFAULT_LIMIT) == "close_notify"
        assert client.stdout.count(b"\nNew, TLSv1.3, Cipher is ") == 2


def test_while_looking_up() -> None:
    """The name server does not answer."""
    code = (
        "import socket, sys, time; from handglass.__main__ import main;"
        "socket.getaddrinfo = lambda *_, **__: (print('.', end='', flush=True), time.sleep(60));"
        "sys.exit(main())"
    )
    with started("-connect", "server.test:1", code=code) as client:  # the mark comes from the look-up
        client.send_signal(signal.SIGINT)
        assert client.wait(20) == STATUS[signal.SIGINT]


def full_listener() -> tuple[int, ExitStack]:
    """A port where the next connection waits for ever, because the queue is full; and what keeps it so."""
    stack = ExitStack()
    listener = stack.enter_context(socket.socket())
    listener.bind((ADDRESS, 0))
    listener.listen(0)
    for _ in range(FILLING):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
    return listener.getsockname()[1], stack


def is_connecting(port: int) -> bool:
    """Whether one more SYN to this port than those that fill its queue waits, by the kernel's table."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(fields[2].endswith(f":{port:04X}") and fields[3] == SYN_SENT for fields in lines) == FILLING


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs the kernel's table of connections")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_connecting(number: signal.Signals) -> None:
    """The server does not accept the connection."""
    port, stack = full_listener()
    with stack, started("-connect", f"{ADDRESS}:{port}") as client:
        while not is_connecting(port):
            assert client.poll() is None
            time.sleep(0.002)
        client.send_signal(number)
        assert client.wait(DEFAULT_LIMIT) == STATUS[number]


def test_before_tls() -> None:
    """The mail server says nothing."""
    with (
        socket.create_server((ADDRESS, 0)) as listener,
        start_ours(listener.getsockname()[1], "-starttls", "smtp") as client,
    ):
        connection, _ = listener.accept()
        with connection:
            client.signal(signal.SIGINT)
            assert client.wait() == STATUS[signal.SIGINT]
            assert "Traceback" not in client.text


def is_asleep_writing(pid: int) -> bool:
    """Whether the program waits in the system call `write`, as far as the system tells."""
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return True
    return call[:2] == [WRITE_CALL.get(platform.machine(), call[0]), "0x1"]


@pytest.mark.parametrize("options", [("-quiet",), ("-msg",), ("-debug", "-state"), ("-prexit",)])
def test_while_nobody_reads_our_output(options: tuple[str, ...]) -> None:
    """A reader of standard output that has stopped reading holds up data, not the end."""
    gone = threading.Event()

    def pour(stream: TLSStream) -> None:
        while not gone.is_set():
            stream.write(bytes(1 << 16))

    with (
        start_server(pour, config=SERVER, verify=False, timeout=5, report=lambda _: None) as server,
        started("-connect", f"{ADDRESS}:{server.port}", *options) as client,
    ):
        assert client.stdout
        client.stdout.read(1)
        while not is_asleep_writing(client.pid):
            assert client.poll() is None
            time.sleep(0.002)
        client.send_signal(signal.SIGTERM)
        assert client.wait(DEFAULT_LIMIT) == STATUS[signal.SIGTERM]
        gone.set()


def test_ignored_signals_stay_ignored() -> None:
    """What nohup has switched off stays off."""
    ends: Queue[str] = Queue()
    with watching(ends) as port:
        command = [*OURS, "-connect", f"{ADDRESS}:{port}"]
        script = "trap '' HUP; exec \"$@\""
        with Process(["/bin/sh", "-c", script, "sh", *command], env=ENVIRONMENT) as client:
            client.wait_for("Verify return code")
            client.signal(signal.SIGHUP)
            client.send(b"Q\n")
            assert client.wait() == 0
        assert ends.get(timeout=DEFAULT_LIMIT) == "close_notify"


def test_other_programs_end_with_the_same_status(tmp_path: Path) -> None:
    """Not only s_client: verify, which here waits for standard input."""
    fifo = tmp_path / "certificate"
    os.mkfifo(fifo)
    command = [sys.executable, "-c", MARKED, "verify", str(fifo)]
    environment = {**os.environ, **ENVIRONMENT}
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process,
        fifo.open("wb"),
    ):  # opens as soon as the program reads it
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=DEFAULT_LIMIT)
    assert process.returncode == STATUS[signal.SIGINT]
    assert b"Traceback" not in said


# The module itself -----------------------------------------------------------------------------------------


def test_an_interruption_waits_until_it_may() -> None:
    """Noted while held, raised by the next wait, once."""
    with held():
        interrupt(Interrupted(signal.SIGINT))
        with pytest.raises(Interrupted) as caught, interruptible():
            pytest.fail("the wait began")
        assert caught.value.status == 130
        with interruptible():
            pass


def test_raising_closes_the_door() -> None:
    """A second signal does not break off what the first one makes the program do."""
    with held():
        with pytest.raises(Interrupted, match="2"), interruptible():
            interrupt(Interrupted(2))
        interrupt(Interrupted(15))
        with pytest.raises(Interrupted, match="15"), interruptible():
            pytest.fail("the wait began")


def test_leaving_a_held_stretch_raises_what_was_noted() -> None:
    def hold() -> None:
        with interruptible():
            with held():
                interrupt(Interrupted(2))
            pytest.fail("went on")

    with pytest.raises(Interrupted):
        hold()


def test_another_error_keeps_the_door_as_it_was() -> None:
    with held():
        with pytest.raises(ValueError, match="other"), interruptible():
            raise ValueError("other")
        interrupt(Interrupted(2))
        with pytest.raises(Interrupted), interruptible():
            pytest.fail("the wait began")


def test_the_first_of_several_counts() -> None:
    with held():
        interrupt(Interrupted(2))
        interrupt(Interrupted(15))
        with pytest.raises(Interrupted, match="2"), interruptible():
            pytest.fail("the wait began")


def test_nothing_is_installed_by_using_it() -> None:
    """Only a process that is ours changes its signals."""
    before = signal.getsignal(signal.SIGINT)
    interrupts.ignore()
    assert signal.getsignal(signal.SIGINT) is before
