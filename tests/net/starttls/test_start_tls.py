"""`start_tls` over a socket: time limits, early bytes, resets, what is shown and what is not."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from types import SimpleNamespace

import pytest

from handglass.net.dialogue import Finding
from handglass.net.errors import NetCode, NetError
from handglass.net.starttls import PROTOCOLS, Names, start_tls
from net.scripts import HAPPY, LAST_LINES, NOT_OFFERED, Said, Script, served

NAMES = Names("server.test")
ALERT = bytes.fromhex("15030300020228")


def with_more(script: Script, more: bytes) -> Script:
    *before, last = script
    assert isinstance(last, Said)
    return (*before, Said(last.data + more))


@pytest.mark.parametrize("word", PROTOCOLS)
def test_over_a_socket(word: str) -> None:
    with served(*HAPPY[word], hold=5) as sock:
        sock.settimeout(7)
        negotiated = start_tls(sock, word, NAMES, step_seconds=5)
        assert sock.gettimeout() == 7
    assert negotiated.last_line == LAST_LINES.get(word, b"")
    assert negotiated.injected == b""
    assert negotiated.early == b""
    assert (negotiated.wrapper is not None) == (word == "mssql")


@pytest.mark.parametrize(
    "word", [word for word in PROTOCOLS if isinstance(HAPPY[word][-1], Said) and word != "mssql"]
)
def test_text_after_the_go_ahead_is_reported_and_dropped(word: str) -> None:
    """CVE-2011-0411: not one byte of it may count as said under TLS."""
    told: list[Finding] = []
    with served(*with_more(HAPPY[word], b"250 evil\r\n"), hold=5) as sock:
        negotiated = start_tls(sock, word, NAMES, step_seconds=5, tell=told.append)
    assert negotiated.injected == b"250 evil\r\n"
    assert negotiated.early == b""
    assert [finding.code for finding in negotiated.findings] == [NetCode.INJECTED]
    assert "10 bytes of plain text" in negotiated.findings[0].sentence
    assert "250 evil" in negotiated.findings[0].sentence
    assert tuple(told) == negotiated.findings


def test_text_that_follows_in_a_segment_of_its_own_is_noticed() -> None:
    with served(*HAPPY["smtp"], Said(b"250 evil\r\n"), hold=5) as sock:

        def wait_for_more(_way: str, data: bytes) -> None:
            if data == b"220 go\r\n":
                select.select([sock], [], [], 5)

        negotiated = start_tls(sock, "smtp", NAMES, step_seconds=5, observe=wait_for_more)
    assert negotiated.injected == b"250 evil\r\n"


def test_tls_bytes_that_came_already_go_to_the_engine() -> None:
    with served(*with_more(HAPPY["postgres"], ALERT), hold=5) as sock:
        negotiated = start_tls(sock, "postgres", NAMES, step_seconds=5)
    assert negotiated.early == ALERT
    assert negotiated.injected == b""
    assert negotiated.findings == ()


@pytest.mark.parametrize("word", ["smtp", "postgres", "ldap", "xmpp", "telnet"])
def test_silence_ends_with_the_time_limit(word: str) -> None:
    with served(hold=60) as sock:
        began = time.monotonic()
        with pytest.raises(NetError, match=r"no answer within 0\.1 seconds while waiting for the ") as caught:
            start_tls(sock, word, NAMES, step_seconds=0.1)
        assert time.monotonic() - began < 30
        assert caught.value.code == NetCode.STEP_TIMEOUT


def test_a_dribble_gains_no_time() -> None:
    """Return a peer that sends a byte, or a whole line, now and then is stopped by the limit of the step."""
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def dribble() -> None:
        while not stop.wait(0.02):
            try:
                theirs.sendall(b"220-hello\r\n")
            except OSError:
                return

    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        began = time.monotonic()
        with pytest.raises(NetError) as caught:
            start_tls(ours, "smtp", NAMES, step_seconds=0.3)
        assert caught.value.code == NetCode.STEP_TIMEOUT
        assert time.monotonic() - began < 30
    finally:
        stop.set()
        thread.join()
        ours.close()
        theirs.close()


def test_each_step_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several steps of 80 seconds are no breach of a limit of 100 seconds per step."""
    ours, theirs = socket.socketpair()
    now = [0.0]
    monkeypatch.setattr("handglass.net.dialogue.driver.time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow() -> None:
        for line in HAPPY["smtp"]:
            if isinstance(line, Said):
                now[0] += 80
                theirs.sendall(line.data)
            else:
                theirs.recv(4096)

    thread = threading.Thread(target=slow)
    thread.start()
    assert start_tls(ours, "smtp", NAMES, step_seconds=100).last_line == b"250 OK\r\n"
    thread.join()
    assert now[0] > 200
    ours.close()
    theirs.close()


def test_a_closed_connection_shows_what_came() -> None:
    with (
        served(Said(b"220 incompl")) as sock,
        pytest.raises(
            NetError, match="closed while waiting for the server's greeting, after: 220 incompl"
        ) as e,
    ):
        start_tls(sock, "smtp", NAMES, step_seconds=5)
    assert e.value.code == NetCode.PEER_CLOSED


def test_a_reset_keeps_its_errno() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        with sock, pytest.raises(NetError, match="Connection reset by peer") as caught:
            start_tls(sock, "smtp", NAMES, step_seconds=5)
    assert caught.value.code == NetCode.PEER_RESET
    assert caught.value.errno == 104


def test_what_was_found_before_a_refusal_is_told() -> None:
    told: list[Finding] = []
    script = (*NOT_OFFERED["smtp"][:4], Said(b"454 no\r\n"))
    with served(*script) as sock, pytest.raises(NetError, match="454 no"):
        start_tls(sock, "smtp", NAMES, step_seconds=5, tell=told.append)
    assert [finding.code for finding in told] == [NetCode.NOT_OFFERED]


def test_the_observer_sees_both_directions() -> None:
    seen: list[tuple[str, bytes]] = []
    with served(*HAPPY["pop3"]) as sock:
        start_tls(sock, "pop3", NAMES, step_seconds=5, observe=lambda way, data: seen.append((way, data)))
    assert seen == [
        ("received", b"+OK <1.2@pop.test>\r\n"),
        ("sent", b"STLS\r\n"),
        ("received", b"+OK begin\r\n"),
    ]


def test_bytes_from_before_are_read_first() -> None:
    """Return a proxy may hand over the greeting together with its own answer."""
    greeting, *rest = HAPPY["pop3"]
    assert isinstance(greeting, Said)
    with served(*rest) as sock:
        negotiated = start_tls(sock, "pop3", NAMES, step_seconds=5, initial=greeting.data)
    assert negotiated.last_line == greeting.data


@pytest.mark.parametrize("name", ["a b", "a\r\nRCPT TO:<x>", "a\x00", "x" * 256, "a\u2028b"])
def test_a_name_cannot_break_out_of_its_line(name: str) -> None:
    with served() as sock, pytest.raises(NetError) as caught:
        start_tls(sock, "smtp", Names("server.test", name), step_seconds=5)
    assert caught.value.code == NetCode.NAME_MALFORMED


def test_a_servers_words_cannot_drive_the_terminal() -> None:
    with served(Said(b"554 \x1b[2J\x07\xff evil\r\n")) as sock, pytest.raises(NetError) as caught:
        start_tls(sock, "smtp", NAMES, step_seconds=5)
    assert r"554 \x1b[2J\x07\xff evil" in caught.value.sentence
