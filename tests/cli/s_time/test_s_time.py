"""s_time beside `openssl s_time`, against `openssl s_server` and against ours."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from handglass.cli.options.parser import UsageError
from handglass.cli.options.s_time import STimeOptions
from handglass.cli.s_time.settings import StartError, read_settings
from handglass.handshake.config import ServerConfig
from handglass.net import blocking
from handglass.net.blocking import TLSStream
from handglass.net.dial import ListenTarget, open_listeners
from handglass.net.identities import load_identity
from support.peers import ADDRESS, OpenSSLServer, needs, program
from support.pki import Pki
from support.processes import Outcome, Process, closed_port, run
from support.s_client import ENVIRONMENT

OURS = (sys.executable, "-m", "handglass", "s_time")
BRIEFLY = ("-time", "30")
"""For runs that are interrupted as soon as they have shown what they should."""
PAGE = ("-www", "/")


def ours(port: int | None, *options: str | Path, env: Mapping[str, str] | None = None) -> Outcome:
    """Run our s_time to its end."""
    target = () if port is None else ("-connect", f"{ADDRESS}:{port}")
    return run([*OURS, *target, *options], env={**ENVIRONMENT, **(env or {})})


def start(port: int, *options: str | Path, env: Mapping[str, str] | None = None) -> Process:
    """Start our s_time."""
    return Process([*OURS, "-connect", f"{ADDRESS}:{port}", *options], env={**ENVIRONMENT, **(env or {})})


def interrupted(port: int, *options: str | Path, marks: str = r"\*{3}") -> Process:
    """Run ours until some connections have been made, then press Ctrl-C; the process has ended."""
    process = start(port, *options, *BRIEFLY)
    try:
        process.wait_for(marks)
        process.signal(signal.SIGINT)
        assert process.wait() == 130
    except BaseException:
        process.close()
        raise
    return process


def layout(data: bytes) -> str:
    """Replace what differs from run to run: numbers, and how many connections there were."""
    text = re.sub(r"([*r])\1+", r"\1...", data.decode())
    return re.sub(r"\d+", "N", re.sub(r"\d+\.\d\d", "N.NN", text))


def statistics(port: int) -> dict[str, int]:
    """What the status page of openssl s_server counts; the connection that asks is among it."""
    asking = [program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}", "-quiet", "-ign_eof"]
    page = run(asking, data=b"GET / HTTP/1.0\r\n\r\n").text
    return {what: int(number) for number, what in re.findall(r"^ *(\d+) (.+?)\s*$", page, re.MULTILINE)}


def counted(said: str) -> int:
    """How many connections the last summary tells of."""
    return int(re.findall(r"^(\d+) connections in \d+ real seconds", said, re.MULTILINE)[-1])


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """`openssl s_server -www`."""
    with OpenSSLServer(pki.server("p256"), "-www") as running:
        yield running


# What is printed -----------------------------------------------------------------------------------------


@needs("openssl")
@pytest.mark.parametrize("options", [("-tls1_2", *PAGE), ("-tls1_3", "-new")], ids=" ".join)
def test_standard_output_is_laid_out_as_openssl_does(pki: Pki, options: tuple[str, ...]) -> None:
    with OpenSSLServer(pki.server("p256"), "-www") as one, OpenSSLServer(pki.server("p256"), "-www") as other:
        theirs = Process(
            [program("openssl"), "s_time", "-connect", f"{ADDRESS}:{one.port}", "-time", "1", *options]
        )
        with theirs, start(other.port, "-time", "1", *options) as mine:
            assert theirs.wait() == mine.wait() == 0
            assert layout(mine.stdout) == layout(theirs.stdout)
            assert re.search(rb"\d bytes read per connection\n$", mine.stdout)
            for seconds in re.findall(r"connections in ([\d.]+) s,", mine.text):
                assert 1 <= float(seconds) < 5


@needs("openssl")
def test_the_table_tells_everything_else(server: OpenSSLServer) -> None:
    with interrupted(server.port, "-new", *PAGE) as process:
        said, everything = process.stderr.decode(), process.text
    number = counted(everything)
    assert re.search(
        rf"^New sessions: {number:,} connections in \d+\.\d\d s, [\d,.]+/s, 0 failed$", said, re.MULTILINE
    )
    lines = said.partition("  left unfinished")[0].splitlines()
    header, *rows = [line.split() for line in lines if line.startswith("  ")]
    assert header == ["full,", "ms", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"]
    assert [" ".join(row[:-7]) for row in rows[:-1]] == [
        "TCP connect",
        "TLS handshake",
        "first byte",
        "total",
    ]
    for row in rows[:-1]:
        p50, p90, p95, p99, p999, highest, mean = map(float, row[-7:])
        assert 0 < p50 <= p90 <= p95 <= p99 <= p999 <= highest
        assert 0 < mean <= highest
    assert re.match(r"CPU of this client: [\d.]+ s user, [\d.]+ s system, \d+% of one", " ".join(rows[-1]))
    size = int(re.findall(r"(\d+) bytes read per connection", everything)[-1])
    assert 2000 < size < 20_000


@needs("openssl")
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_line_of_progress_on_a_terminal_in_place_of_the_characters(server: OpenSSLServer) -> None:
    mine, theirs = pty.openpty()
    argv = [*OURS, "-connect", f"{ADDRESS}:{server.port}", "-new", *BRIEFLY]
    process = subprocess.Popen(argv, stdout=theirs, stderr=theirs, env={**os.environ, **ENVIRONMENT})
    os.close(theirs)
    said = b""
    try:
        while not re.search(rb"\r\d\.\d s: \d+ connections, [\d.,]+/s\x1b\[K", said):
            said += os.read(mine, 4096)
        process.send_signal(signal.SIGINT)
        while b"CPU of this client" not in said:
            said += os.read(mine, 4096)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
        os.close(mine)
    assert b"**" not in said
    assert b"\r\x1b[K\r\n\r\n" in said, "the line is cleared before the summary"


# Sessions ------------------------------------------------------------------------------------------------


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("page", [(), PAGE], ids=["handshake", "page"])
def test_reuse_resumes_every_session_and_the_server_says_so(
    pki: Pki, version: str, page: tuple[str, ...]
) -> None:
    with (
        OpenSSLServer(pki.server("p256"), "-www") as server,
        interrupted(server.port, "-reuse", version, "-parallel", "3", *page, marks="r{9}") as process,
    ):
        number = counted(process.text)
        assert re.search(
            rf"^Reused sessions: {number:,} .* {number:,} resumed \(100\.0%\)$", process.text, re.MULTILINE
        )
        hits = statistics(server.port)["session cache hits"]
        assert number <= hits <= number + 3, "up to three were under way when it was interrupted"


@needs("openssl")
def test_new_sessions_are_new(pki: Pki) -> None:
    with OpenSSLServer(pki.server("p256"), "-www") as server:
        with interrupted(server.port, "-new", *PAGE) as process:
            number = counted(process.text)
        counts = statistics(server.port)
    assert counts["session cache hits"] == 0
    assert (
        number + 2 <= counts["server accepts (SSL_accept())"] <= number + 3
    )  # the first one, ours, one unfinished


@needs("openssl")
def test_a_server_without_sessions(pki: Pki) -> None:
    with (
        OpenSSLServer(pki.server("p256"), "-www", "-num_tickets", "0") as server,
        interrupted(server.port, "-reuse", "-tls1_3") as process,
    ):
        assert (
            "s_time: the server gives nothing to resume by: these handshakes are full ones\n" in process.text
        )
        assert " 0 resumed (0.0%)" in process.text


# Options -------------------------------------------------------------------------------------------------


@contextmanager
def watched(pki: Pki) -> Iterator[tuple[int, list[tuple[str | None, bytes]]]]:
    """Serve pages; give the port, and the server name and request of each connection."""
    met: list[tuple[str | None, bytes]] = []

    def answer(stream: TLSStream) -> None:
        met.append((stream.negotiated.server_name, stream.read()))
        stream.write(b"HTTP/1.0 200 OK\r\n\r\n")

    identity = pki.server("p256")
    config = ServerConfig(identities=(load_identity(identity.chain, identity.key),))
    with blocking.start_server(answer, config=config, report=lambda _: None) as server:
        yield server.port, met


@pytest.mark.parametrize(
    ("options", "name", "host"),
    [
        ((), None, ADDRESS),
        (("-servername", "server.test", "-www", "/a?b=%20"), "server.test", "server.test"),
        (("-connect", "localhost:{}"), "localhost", "localhost"),
        (("-connect", "localhost:{}", "-noservername"), None, "localhost"),
    ],
    ids=str,
)
def test_what_the_server_is_asked_for(
    pki: Pki, options: tuple[str, ...], name: str | None, host: str
) -> None:
    with watched(pki) as (port, met):
        words = [option.format(port) for option in options]
        path = words[-1] if "-www" in words else "/"
        with interrupted(port, *PAGE, *words, marks=r"\*"):
            pass
    assert set(met) == {(name, f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())}


def test_starttls_goes_before_each_handshake(pki: Pki) -> None:
    identity = pki.server("p256")
    config = ServerConfig(identities=(load_identity(identity.chain, identity.key),))
    heard: list[bytes] = []

    def serve(sock: socket.socket) -> TLSStream:
        try:
            with sock.makefile("rb") as lines:
                for answer in (b"220 here", b"250-here\r\n250 STARTTLS"):
                    sock.sendall(answer + b"\r\n")
                    heard.append(lines.readline())
                sock.sendall(b"220 go ahead\r\n")
        except OSError:  # the one under way when it was interrupted
            sock.close()
            raise
        return blocking.serve_one(sock, config)

    listeners = open_listeners([ListenTarget(ADDRESS, "0")])
    with (
        blocking.Server(listeners, serve, lambda _: None, max_clients=9, report=lambda _: None) as server,
        interrupted(server.port, "-new", "-starttls", "smtp", "-name", "me.test") as process,
    ):
        assert re.search(r"^  STARTTLS( +\d+\.\d{3}){7}$", process.text, re.MULTILINE)
    assert set(heard) - {b""} == {b"EHLO me.test\r\n", b"STARTTLS\r\n"}


@needs("openssl")
@pytest.mark.parametrize(
    "options", [("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), ()], ids=["option", "variable"]
)
def test_the_cipher_string_comes_from_the_option_or_the_environment(
    pki: Pki, options: tuple[str, ...]
) -> None:
    variable = {"SSL_CIPHER": "AES256-SHA" if options else "ECDHE-ECDSA-AES128-GCM-SHA256"}
    with OpenSSLServer(pki.server("p256"), "-tls1_2") as server:
        process = start(server.port, "-new", *BRIEFLY, *options, env=variable)
        with process:
            process.wait_for(r"\*")
            process.signal(signal.SIGINT)
            assert process.wait() == 130
        server.wait_for("CIPHER is ECDHE-ECDSA-AES128-GCM-SHA256")


def test_a_bad_cipher_string_in_the_environment_is_an_error() -> None:
    outcome = ours(None, env={"SSL_CIPHER": "nonsense"})
    assert outcome.returncode == 1
    assert b"no cipher match" in outcome.stderr


@needs("openssl")
def test_bugs_pads_the_hello(pki: Pki) -> None:
    with (
        OpenSSLServer(pki.server("p256"), "-tlsextdebug") as server,
        interrupted(server.port, "-bugs", "-groups", "X25519", "-servername", "x" * 60, "-new", marks=r"\*"),
    ):
        server.wait_for(r'^TLS client extension "TLS padding"')


@needs("openssl")
def test_a_client_certificate(pki: Pki) -> None:
    own = pki.client("p256")
    asking = ("-Verify", "3", "-verify_return_error", "-CAfile", pki.roots)
    with OpenSSLServer(pki.server("p256"), *asking) as server:
        refused = ours(server.port, "-new", "-time", "1")
        assert refused.returncode == 1
        assert b"certificate_required" in refused.stderr
        options = ("-cert", own.certificate, "-key", own.key, "-cert_chain", own.intermediate)
        with interrupted(server.port, "-new", *options, marks=r"\*"):
            pass
        server.wait_for("^depth=0 .*CN = client p256")


@needs("openssl")
@pytest.mark.parametrize(
    ("trusting", "verdict"), [(True, "ok"), (False, "unable to get local issuer certificate")]
)
def test_verify_tells_the_first_verdict_and_counts_the_others(
    pki: Pki, server: OpenSSLServer, trusting: bool, verdict: str
) -> None:
    trust = pki.roots if trusting else pki.client("ed25519").certificate
    with interrupted(server.port, "-new", "-verify", "3", "-cafile", trust, "-nameopt", "RFC2253") as process:
        said = process.stderr.decode()
        assert said.startswith("s_time: verify depth is 3\n")
        assert said.count("depth=0 CN=server.test,OU=p256,O=Handglass Tests,C=XX") == 1
        assert said.count("verify error:num=20") == (not trusting)
        assert f"\n  verification: {verdict}: {counted(process.text):,}\n" in said


BAD_COMMANDS = [
    (("-tls1",), "s_time: -tls1: this engine does not speak TLS 1.0; it speaks TLS 1.2 and TLS 1.3"),
    (("-ssl3",), "s_time: -ssl3: this engine does not speak SSL 3.0; it speaks TLS 1.2 and TLS 1.3"),
    (("-tls1_2", "-tls1_3"), "Cannot supply multiple protocol flags"),
    (("-time", "0"), 's_time: Non-positive number "0" for option -time\ns_time: Use -help for summary.'),
    (
        ("-parallel", "0"),
        's_time: Non-positive number "0" for option -parallel\ns_time: Use -help for summary.',
    ),
    (("-www", "/a b"), "s_time: -www takes a path as it stands in a request: ASCII, and blanks as %20"),
    (("-www", "/" * 9000), "s_time: -www option is too long"),
    (("-key", "x.pem"), "s_time: -key is the key of a certificate: give that with -cert"),
    (("-CAfile", "/nowhere"), "s_time: cannot open /nowhere: No such file or directory"),
    (
        ("-servername", "a", "-noservername"),
        "s_time: Can't use -servername and -noservername together\ns_time: Use -help for summary.",
    ),
    (("-starttls", "smtp", "-name", "a b"), "s_time: the name holds spaces or control characters: 'a b'"),
    (("x",), 's_time: Extra argument "x"\ns_time: Use -help for summary.'),
]


@pytest.mark.parametrize(("options", "complaint"), BAD_COMMANDS, ids=lambda value: str(value)[:30])
def test_commands_that_cannot_be_followed(options: tuple[str, ...], complaint: str) -> None:
    with pytest.raises((UsageError, StartError)) as caught:
        read_settings(STimeOptions.parse(list(options)), {})
    assert str(caught.value) == complaint


@needs("openssl")
def test_every_option_of_openssl_is_there() -> None:
    """All of `openssl s_time -help` but providers, which the engine has nothing to do with."""
    known = set(re.findall(r"^ (-\S+)", run([*OURS, "-help"], env=ENVIRONMENT).text, re.MULTILINE))
    asked = run([program("openssl"), "s_time", "-help"]).text
    wanted = set(re.findall(r"^ (-\S+)", asked, re.MULTILINE))
    refused = {"-tls1", "-tls1_1"}
    providers = {"-provider-path", "-provider", "-propquery"}
    assert wanted - known == refused | providers


# Servers that fail ---------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with closed_port() as port:
        outcome = ours(port, "-new", "-time", "1")
    assert outcome.returncode == 1
    assert outcome.stdout == b"Collecting connection statistics for 1 seconds\n"
    assert (
        outcome.stderr.decode() == f"ERROR\ns_time: no connection to {ADDRESS}:{port}: Connection refused\n"
    )


@needs("openssl")
def test_nothing_in_common(server: OpenSSLServer) -> None:
    outcome = ours(server.port, "-time", "1", "-tls1_2", "-cipher", "AES128-SHA")
    assert outcome.returncode == 1
    error, line, *sentences = outcome.stderr.decode().splitlines()
    assert error == "ERROR"
    assert ":error:0A000410:SSL routines:" in line
    assert sentences[0] == "s_time: the peer ended the connection with the fatal alert handshake_failure (40)"


def test_a_server_that_says_nothing() -> None:
    with socket.create_server((ADDRESS, 0)) as silent:
        outcome = ours(silent.getsockname()[1], "-time", "1", "-handshake_timeout", "0.3")
    assert outcome.returncode == 1
    assert "not done within its time limit: 0.3 seconds" in outcome.text


@needs("openssl")
def test_a_server_that_goes_away(pki: Pki) -> None:
    with OpenSSLServer(pki.server("p256"), "-www") as server, start(server.port, "-new", *BRIEFLY) as process:
        process.wait_for(r"\*{3}")
        server.stop()
        assert process.wait() == 1
        said, number = process.stderr.decode(), counted(process.text)
    assert number >= 3
    refused = f"no connection to {ADDRESS}:{server.port}: Connection refused"
    assert re.search(rf"^  failed: \d+: {re.escape(refused)}$", said, re.MULTILINE)
    assert re.search(
        rf"^s_time: \d+ of \d+ connections failed; the last one: {re.escape(refused)}$", said, re.MULTILINE
    )
