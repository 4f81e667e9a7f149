"""What can be typed to the program itself: letters, and words in braces (-adv)."""

from __future__ import annotations

import re

import pytest

from handglass.cli.options.s_client import SClientOptions
from handglass.cli.s_client.commands import WORDS, Command
from handglass.cli.s_client.keyboard import MAX_COMMAND, Braces, Commands, Keyboard
from handglass.cli.s_client.program import _keyboard
from support.peers import ADDRESS, GnuTLSServer, OpenSSLServer, needs
from support.pki import Pki
from support.processes import Process
from support.s_client import ENVIRONMENT, OURS, ours, said, start_ours

# The input, cut into data and commands ------------------------------------------------------------------------


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def send(self, data: bytes) -> None:
        self.heard.append(data)

    def command(self, command: Command) -> None:
        self.heard.append(command)

    def complain(self, sentence: str) -> None:
        self.heard.append(sentence)

    def input_ended(self) -> None:
        self.heard.append("end")


def split(*reads: bytes) -> list[object]:
    """What -adv makes of these reads and the end of the input; data joined, complaints shortened."""
    braces = Braces()
    pieces: list[bytes | Command | str] = []
    for read in reads:
        pieces += braces.split(read)
    pieces += braces.end()
    found: list[object] = []
    for piece in pieces:
        if isinstance(piece, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += piece
        elif isinstance(piece, str):
            found.append(piece.partition(" - ")[0])
        elif piece:
            found.append(piece)
    return found


HELP, QUIT, BOTH, OWN = Command.HELP, Command.QUIT, Command.UPDATE_BOTH_KEYS, Command.UPDATE_KEYS


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (b"plain\n", [b"plain\n"]),
        (b"{quit}\n", [QUIT]),
        (b"{quit}\r\n", [QUIT]),
        (b"{keyup}{keyup:req}{keyup:noreq}\n", [BOTH, BOTH, OWN]),
        (b"before{help}after\n", [b"before", HELP, b"after\n"]),
        (b"{help}after\n", [HELP, b"after\n"]),
        (b"before{help}\n", [b"before", HELP, b"\n"]),
        (b"x\n{help}\ny\n", [b"x\n", HELP, b"y\n"]),
        (b"{help}\n\n", [HELP, b"\n"]),
        (b"{reneg}{reconnect}{fin}", [Command.RENEGOTIATE, Command.RECONNECT, Command.FINISH_STREAM]),
        (b"a{{help}\n", [b"a{help}\n"]),
        (b"{{{help}\n", [b"{", HELP, b"\n"]),
        (b"{{{{}}\n", [b"{{}}\n"]),
        (b"a}b\n", [b"a}b\n"]),
        (b"\0\xff{help}\x80\n", [b"\0\xff", HELP, b"\x80\n"]),
        (b"a{bogus}\nc\n", [b"a", "this is no command: {bogus}", b"c\n"]),
        (b"{Help}\nc\n", ["this is no command: {Help}", b"c\n"]),
        (b"{help\n}c\n", ["this is no command: {help", b"}c\n"]),
        (b"a{help", [b"a", "this is no command: {help"]),
        (b"{" + b"x" * 65 + b"}", ["this is no command: {" + "x" * 64 + "…"]),
        (b"{\x1b[2J}\n", [r"this is no command: {\x1b[2J}"]),
    ],
)
def test_braces(typed: bytes, found: list[object]) -> None:
    """As one read and byte by byte."""
    assert split(typed) == found
    if b"\r" not in typed and len(typed) < MAX_COMMAND:
        assert split(*(typed[at : at + 1] for at in range(len(typed)))) == found


def test_data_with_doubled_braces_is_the_data() -> None:
    """Every byte value passes, cut anywhere."""
    data = bytes(range(256)) * 3
    typed = data.replace(b"{", b"{{")
    for step in (1, 7, 123, 1000):
        assert split(*(typed[at : at + step] for at in range(0, len(typed), step))) == [data]


@pytest.mark.parametrize(
    ("options", "commands"),
    [
        ([], Commands.BASIC),
        (["-nocommands"], Commands.NONE),
        (["-ign_eof"], Commands.NONE),
        (["-quiet"], Commands.NONE),
        (["-quiet", "-no_ign_eof"], Commands.BASIC),
        (["-adv"], Commands.ADVANCED),
        (["-adv", "-quiet"], Commands.ADVANCED),
        (["-adv", "-nocommands"], Commands.NONE),
        (["-nocommands", "-adv"], Commands.ADVANCED),
    ],
)
def test_which_commands(options: list[str], commands: Commands) -> None:
    keyboard = _keyboard(SClientOptions.parse(options))
    keyboard.descriptor = 0
    listener = Listener()
    keyboard.talk_to(listener)
    keyboard.take(b"Q\n")
    keyboard.take(b"{quit}\n")
    heard: dict[Commands, list[object]] = {
        Commands.NONE: [b"Q\n", b"{quit}\n"],
        Commands.BASIC: [QUIT, b"{quit}\n"],
        Commands.ADVANCED: [b"Q\n", QUIT],
    }
    assert listener.heard == heard[commands]


def test_what_is_typed_after_a_reconnection_is_for_the_next() -> None:
    """Nothing that was read already is lost between two connections, and the end is told to both."""
    keyboard = Keyboard(Commands.ADVANCED, crlf=True)
    keyboard.descriptor = 0

    class Leaving(Listener):
        def command(self, command: Command) -> None:
            super().command(command)
            keyboard.rest()

    first, second = Leaving(), Listener()
    keyboard.talk_to(first)
    keyboard.take(b"one{reconnect}two\n{help}")
    keyboard.take(b"three\n")
    keyboard.take(b"")
    assert first.heard == [b"one", Command.RECONNECT]
    keyboard.talk_to(second)
    assert second.heard == [b"two\r\n", HELP, b"three\r\n", "end"]


# With a server ------------------------------------------------------------------------------------------------


@needs("openssl")
def test_renegotiation(pki: Pki) -> None:
    """R and {reneg} in TLS 1.2: a second handshake, and the data after it arrives."""
    for options, command in (((), b"R\n"), (("-adv",), b"{reneg}\n")):
        with (
            OpenSSLServer(pki.server("p256"), "-client_renegotiation") as server,
            start_ours(server.port, "-tls1_2", "-state", *options) as client,
        ):
            client.wait_for("Verify return code")
            client.send(command)
            client.wait_for("RENEGOTIATING")
            client.wait_for(r"(?s)RENEGOTIATING.*SSLv3/TLS read finished|read finished(?s:.)*read finished")
            client.send(b"after\n")
            server.wait_for("^after$")
            client.end_input()
            assert client.wait() == 0


@needs("openssl")
@pytest.mark.parametrize(
    ("options", "command", "body"),
    [
        ((), b"k\n", "18 00 00 01 00"),
        ((), b"K\n", "18 00 00 01 01"),
        (("-adv",), b"{keyup}\n", "18 00 00 01 01"),
        (("-adv",), b"{keyup:req}\n", "18 00 00 01 01"),
        (("-adv",), b"{keyup:noreq}\n", "18 00 00 01 00"),
    ],
)
def test_key_update(pki: Pki, options: tuple[str, ...], command: bytes, body: str) -> None:
    """KeyUpdate with or without a request; the session goes on, and the server's own comes if it was asked for."""
    with (
        OpenSSLServer(pki.server("p256")) as server,
        start_ours(server.port, "-msg", *options) as client,
    ):
        client.wait_for("Verify return code")
        client.send(command)
        client.wait_for(rf"^>>> TLS 1\.3, Handshake \[length 0005\], KeyUpdate\n    {body}")
        assert "KEYUPDATE" in client.text
        client.send(b"after\n")
        server.wait_for("^after$")
        server.send(b"answer\n")
        client.wait_for("^answer$")
        assert ("<<< TLS 1.3, Handshake [length 0005], KeyUpdate" in client.text) == body.endswith("01")


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("options", "command"), [((), b"C\n"), (("-adv",), b"{reconnect}\n")])
def test_reconnection(pki: Pki, version: str, options: tuple[str, ...], command: bytes) -> None:
    """C and {reconnect}: the connection ends in good order, the next one resumes, data goes there."""
    with (
        OpenSSLServer(pki.server("p256")) as server,
        start_ours(server.port, version, *options) as client,
    ):
        client.wait_for("^New, ")
        client.send(b"first\n")
        server.wait_for("^first$")
        client.send(command)
        client.wait_for("^RECONNECTING$")
        client.wait_for("^Reused, ")
        server.wait_for("^Reused session-id")
        client.send(b"second\n")
        server.wait_for("^second$")
        client.end_input()
        assert client.wait() == 0
        assert len(re.findall(r"^CONNECTED\(", client.text, re.MULTILINE)) == 2
        server.wait_for(r"^first\n(?s:.)*^DONE\n(?s:.)*^second\n(?s:.)*^DONE\n")
        assert "unexpected eof" not in server.text


@needs("openssl")
def test_reconnection_to_a_server_that_has_gone(pki: Pki) -> None:
    """A reconnection that fails is told as any other that fails."""
    with OpenSSLServer(pki.server("p256"), "-naccept", "1") as server, start_ours(server.port) as client:
        client.wait_for("^New, ")
        client.send(b"C\n")
        assert client.wait() == 1
        # The kernel may still have taken the connection that the server does not.
        client.wait_for("errno=|unexpected eof")


@needs("openssl")
def test_advanced_commands(pki: Pki) -> None:
    """Data around commands arrives unchanged; {help} tells; what cannot be done is told, and the session goes on."""
    typed = b"a{{b{help}c\n{fin}\n{reneg}\n{bogus} d\ne{quit}f\n"
    with OpenSSLServer(pki.server("p256")) as server:
        found = said(ours(server.port, "-adv", "-brief", data=typed))
        server.wait_for("^eDONE$")
        assert b"\na{bc\ne" in server.stdout
        assert b"f\n" not in server.stdout.partition(b"a{bc\n")[2].partition(b"DONE")[0]
    lines = found.stderr.splitlines()
    assert found.status == 0
    assert lines[-1] == "DONE"
    for word in WORDS:
        assert any(line.startswith(f"  {{{word.decode()}}} ") for line in lines)
    for sentence in (
        "{fin} finishes a stream of QUIC",
        "TLS 1.3 has no renegotiation",
        "no command: {bogus} d",
    ):
        assert any(sentence in line for line in lines)


@needs("openssl")
def test_words_in_braces_are_data_without_adv(pki: Pki) -> None:
    with OpenSSLServer(pki.server("p256")) as server:
        ours(server.port, "-brief", data=b"{quit}\n")
        server.wait_for("^DONE")
        assert b"{quit}\n" in server.stdout


@needs("openssl")
def test_no_interactive(pki: Pki) -> None:
    """-no-interactive: connects, reports, ends, and leaves standard input alone."""
    with (
        OpenSSLServer(pki.server("p256")) as server,
        start_ours(server.port, "-no-interactive", "-brief") as client,
    ):
        assert client.wait() == 0
        assert client.stderr.endswith(b"DONE\n")


# Heartbeats (RFC 6520) ----------------------------------------------------------------------------------------


@needs("gnutls-serv")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_heartbeats_with_gnutls(pki: Pki, version: str) -> None:
    """B is answered, and GnuTLS's own request is answered by us; data goes on."""
    with (
        GnuTLSServer(pki.server("p256"), "--echo", "--heartbeat") as server,
        start_ours(server.port, version, "-heartbeat", "-brief", "-msg") as client,
    ):
        client.wait_for("ESTABLISHED")
        client.send(b"B\n")
        client.wait_for("^s_client: the server has answered the heartbeat$")
        assert "HEARTBEATING" in client.text
        client.send(b"**HEARTBEAT**\n")
        client.wait_for("Successfully executed command")
        client.send(b"B\n")
        client.wait_for(r"(answered the heartbeat(?s:.)*){2}")
        titles = re.findall(
            r"^(...) TLS 1\.[23], Heartbeat \[length \w+\], (\w+)$", client.text, re.MULTILINE
        )
        asked, answered = (">>>", "HeartbeatRequest"), ("<<<", "HeartbeatResponse")
        their_own = [("<<<", "HeartbeatRequest"), (">>>", "HeartbeatResponse")]
        assert titles == [asked, answered, *their_own, asked, answered]
        client.send(b"data\n")
        client.wait_for("^data$")
        client.end_input()
        assert client.wait() == 0


@needs("openssl")
def test_a_heartbeat_that_was_not_agreed_on(pki: Pki) -> None:
    """One clear sentence, and the session goes on."""
    with OpenSSLServer(pki.server("p256")) as server:
        for options, hint in (((), "; -heartbeat asks for it"), (("-heartbeat",), "")):
            with start_ours(server.port, "-brief", *options) as client:
                client.wait_for("ESTABLISHED")
                client.send(b"B\n")
                client.wait_for(rf"^s_client: The peer has not agreed to heartbeats \(RFC 6520 §2\){hint}$")
                client.send(b"still here\n")
                server.wait_for("^still here$")
                client.end_input()
                assert client.wait() == 0


def test_heartbeats_of_both_programs() -> None:
    """B on either side."""
    command = [*OURS[:-1], "s_server", "-accept", f"{ADDRESS}:0", "-throwaway_cert", "-heartbeat"]
    with Process(command, env=ENVIRONMENT) as server:
        port = int(server.wait_for(r"^ACCEPT \S*:(\d+)$")[1])
        with start_ours(port, "-heartbeat", "-adv") as client:
            client.wait_for("Verify return code")
            client.send(b"{heartbeat}\n")
            client.wait_for("^s_client: the server has answered the heartbeat$")
            server.wait_for("CIPHER is")
            server.send(b"B\n")
            server.wait_for("^The client has answered the heartbeat$")
            client.send(b"{quit}\n")
            assert client.wait() == 0
