"""Getting there with the program itself: addresses, proxies, STARTTLS, time limits, and what it says on the way."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from handglass.cli.options import parse
from handglass.cli.options.s_client import SClientOptions
from handglass.cli.s_client.reach import go, read_way
from handglass.cli.screen import Screen
from handglass.net.starttls import PLAIN_TLS, PROTOCOLS
from net.real import daemons
from net.real.daemons import workshop
from net.scripts import HAPPY, LAST_LINES, NOT_OFFERED, REFUSALS, Heard, Said, Script
from support.peers import OpenSSLServer, needs
from support.pki import Identity, Pki
from support.plain_then_tls import plain_then_tls
from support.processes import closed_port, free_port
from support.s_client import normal, ours, start_ours

CONNECT = b"CONNECT server.test:443 HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n\r\n"
LAST_REFUSALS = {refusal[0]: refusal for refusal in REFUSALS}
"""One of each protocol; all are tested below the program."""
GRANTED = Said(b"HTTP/1.0 200 Connection established\r\n\r\n")


@pytest.fixture
def identity(pki: Pki) -> Identity:
    return pki.server("p256")


@pytest.fixture
def silent() -> Iterator[int]:
    """Give the port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def heard(script: Script) -> list[bytes]:
    """List what the client must have said."""
    return [line.data for line in script if isinstance(line, Heard)]


# Addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "host", "target"), [("-4", "127.0.0.1", "localhost"), ("-6", "::1", "[::1]")]
)
def test_one_family(identity: Identity, option: str, host: str, target: str) -> None:
    """-4 and -6: an address of the other family is refused."""
    with plain_then_tls(identity, host=host) as met:
        done = ours(None, option, "-brief", "-connect", f"{target}:{met.port}", data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")
    other = "[::1]:1" if option == "-4" else "127.0.0.1:1"
    refused = ours(None, option, "-connect", other)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert "Address family for hostname not supported" in refused.text
    assert "connect:errno=0" in refused.text


def test_bind(identity: Identity) -> None:
    """The server sees the address of -bind, and its port if one is given."""
    with plain_then_tls(identity) as met:
        assert ours(met.port, "-brief", "-bind", "127.0.0.3").returncode == 0
    assert met.peer.startswith("127.0.0.3:")
    port = free_port()
    with plain_then_tls(identity) as met:
        assert ours(met.port, "-brief", "-bind", f"127.0.0.1:{port}").returncode == 0
    assert met.peer == f"127.0.0.1:{port}"
    foreign = ours(1, "-bind", "192.0.2.1")
    assert foreign.returncode == 1
    assert "connect:errno=99" in foreign.text
    assert "the local address 192.0.2.1:0 cannot be used" in foreign.text


def test_each_attempt_is_told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Addresses that did not answer are told even if another did: on standard output, which no one greps."""
    with socket.create_server(("127.0.0.1", 0)) as alive:
        port = alive.getsockname()[1]

        def two(*_question: object) -> list[object]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
                for host in ("127.0.0.9", "127.0.0.1")
            ]

        monkeypatch.setattr(socket, "getaddrinfo", two)
        way = read_way(parse(SClientOptions, [f"server.test:{port}"]), {})
        go(way, Screen(), talkative=True).socket.close()
    out, err = capfd.readouterr()
    assert err == ""
    assert re.fullmatch(
        r"CONNECTED\([0-9A-F]{8}\)\n"
        rf"Address tried: 127\.0\.0\.9:{port} Connection refused \(\d+ ms\)\n"
        rf"Address tried: 127\.0\.0\.1:{port} connected \(\d+ ms\)\n",
        out,
    )


def test_unix(identity: Identity, tmp_path: Path) -> None:
    """-unix: no server name; with -bind a path of our own."""
    with plain_then_tls(identity, path=tmp_path / "s") as met:
        done = ours(None, "-brief", "-unix", tmp_path / "s", "-bind", tmp_path / "own", data=b"hello\n")
    assert (done.returncode, done.stdout, met.server_name) == (0, b"HELLO\n", None)
    assert (tmp_path / "own").is_socket()
    missing = ours(None, "-unix", tmp_path / "none")
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert "No such file or directory" in missing.text
    assert "connect:errno=2\n" in missing.text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ("-unix", "x", "-connect", "a:1"),
            "s_client: Intermixed protocol flags (unix and internet domains)",
        ),
        (("-4", "-unix", "x"), "s_client: Intermixed protocol flags (internet and unix domains)"),
        (("-proxy", "a:1"), "s_client: -proxy requires use of -connect or target parameter"),
        (("-proxy_pass", "pass:x", "a:1"), "Error: Must specify proxy_user with proxy_pass"),
        (("-proxy", "ftp://a:1", "b:2"), "'ftp' is no kind of proxy"),
        (("-starttls", "gopher", "a:1"), "s_client: Value must be one of:\n\tsmtp\n\tpop3\n"),
        (("-starttls", "redis", "a:1"), "s_client: Redis speaks TLS from the first byte"),
        (("-starttls", "mongodb", "a:1"), "s_client: MongoDB speaks TLS from the first byte"),
        (("-port", "70000"), "malformed or ambiguous address '-port 70000': a port is a number from 1 to"),
        (("-host", "[::1]"), "malformed or ambiguous address '[::1]': a host stands here alone"),
        (("-host", "a:1"), "malformed or ambiguous address 'a:1': a host stands here alone"),
        (("-rand", "nofile", "a:1"), "Can't load nofile into RNG"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_does_not_go_together(options: tuple[str, ...], complaint: str) -> None:
    """No socket is opened; standard output stays empty."""
    done = ours(None, *options)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(complaint)


def test_fast_open(identity: Identity) -> None:
    """-tfo asks for it where our words come first; where the server's do, it says that it cannot help."""
    for words, fast in [
        (["-tfo", "a:1"], True),
        (["a:1"], False),
        (["-tfo", "-starttls", "smtp", "a:1"], False),
        (["-tfo", "-starttls", "smtp", "-proxy", "p:1", "a:1"], True),
    ]:
        assert read_way(parse(SClientOptions, words), {}).dial.fast_open is fast
    with plain_then_tls(identity) as met:
        assert ours(met.port, "-tfo", "-brief", data=b"hello\n").stdout == b"HELLO\n"
    with plain_then_tls(identity, HAPPY["pop3"]) as met:
        done = ours(met.port, "-tfo", "-brief", "-starttls", "pop3", data=b"hello\n")
    assert done.stdout == b"HELLO\n"
    assert "s_client: -tfo has no effect with -starttls" in done.text


# Proxies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["127.0.0.1:PORT", "http://127.0.0.1:PORT"])
def test_what_an_http_proxy_hears(identity: Identity, written: str) -> None:
    """OpenSSL's request to the letter; the server name is the target's."""
    with plain_then_tls(identity, (Heard(CONNECT), GRANTED)) as met:
        proxy = written.replace("PORT", str(met.port))
        done = ours(None, "-brief", "-proxy", proxy, "-connect", "server.test:443", data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")
    assert met.plain == [CONNECT]
    assert met.server_name == "server.test"


@pytest.mark.parametrize(("source", "token"), [((), "Ym9iOg=="), (("-proxy_pass", "env:PW"), "Ym9iOnB3")])
def test_the_users_password(identity: Identity, source: tuple[str, ...], token: str) -> None:
    """-proxy_user and -proxy_pass; without a password an empty one."""
    request = CONNECT[:-2] + f"Proxy-Authorization: Basic {token}\r\n\r\n".encode()
    with plain_then_tls(identity, (Heard(request), GRANTED)) as met:
        options = (
            "-brief",
            "-proxy",
            f"127.0.0.1:{met.port}",
            "-proxy_user",
            "bob",
            *source,
            "server.test:443",
        )
        assert ours(None, *options, env={"PW": "pw"}).returncode == 0
    assert met.plain == [request]


def test_no_server_name_for_an_address_behind_a_proxy(identity: Identity) -> None:
    request = CONNECT.replace(b"server.test", b"192.0.2.7")
    with plain_then_tls(identity, (Heard(request), GRANTED)) as met:
        done = ours(None, "-proxy", f"127.0.0.1:{met.port}", "192.0.2.7:443")
    assert (done.returncode, met.plain, met.server_name) == (0, [request], None)


def test_a_refusal_of_the_proxy(identity: Identity) -> None:
    with plain_then_tls(
        identity, (Heard(CONNECT), Said(b"HTTP/1.1 403 Forbidden\r\n\r\n")), tls=False
    ) as met:
        done = ours(None, "-proxy", f"127.0.0.1:{met.port}", "server.test:443")
    assert (done.returncode, normal(done.stdout)) == (1, "CONNECTED(<n>)\n")
    assert done.stderr == b"s_client: HTTP CONNECT failed, reason= 403 Forbidden\n"


def test_a_proxy_that_is_not_there() -> None:
    done = ours(None, "-proxy", f"127.0.0.1:{free_port()}", "server.test:443")
    assert done.returncode == 1
    assert "Connection refused (the proxy on the way to server.test:443)\n" in done.text


def test_what_is_no_proxy(identity: Identity) -> None:
    """OpenSSL's program waits for ever."""
    with plain_then_tls(identity, (Said(b"SSH-2.0-x\r\n"),), tls=False) as met:
        done = ours(None, "-brief", "-proxy", f"127.0.0.1:{met.port}", "server.test:443")
    assert done.returncode == 1
    assert "this came instead of the proxy's answer to CONNECT: SSH-2" in done.text


@needs("tinyproxy")
def test_through_a_real_http_proxy(identity: Identity) -> None:
    """Through it, by the environment too, but only when asked; and its refusals."""
    with workshop(identity) as shop, daemons.tinyproxy(shop, user_and_password=("bob", "pw")) as port:
        bob = ("-proxy_user", "bob", "-proxy_pass", "pass:pw")
        for options, env in [
            (("-proxy", f"127.0.0.1:{port}", *bob), {}),
            (("-proxy", f"http://bob:pw@127.0.0.1:{port}"), {}),
            (("-proxy_env",), {"https_proxy": f"http://bob:pw@127.0.0.1:{port}", "no_proxy": ""}),
            (("-proxy_env", *bob), {"https_proxy": f"http://127.0.0.1:{port}", "no_proxy": ""}),
        ]:
            with plain_then_tls(identity) as met:
                done = ours(
                    None, *options, "-brief", "-connect", f"localhost:{met.port}", data=b"hello\n", env=env
                )
                assert (done.returncode, done.stdout) == (0, b"HELLO\n")
                assert met.server_name == "localhost"
        with plain_then_tls(identity, HAPPY["smtp"]) as met:
            smtp = ("-starttls", "smtp", "-proxy", f"127.0.0.1:{port}", *bob)
            assert ours(met.port, *smtp, "-brief", data=b"hello\n").stdout == b"HELLO\n"
        unknown = ours(1, "-proxy", f"127.0.0.1:{port}")
        assert unknown.returncode == 1
        assert "s_client: HTTP CONNECT failed, reason= 407 " in unknown.text
    with closed_port() as closed:
        nobody = {"https_proxy": f"http://127.0.0.1:{closed}"}
        with plain_then_tls(identity) as met:
            assert ours(met.port, "-brief", data=b"hello\n", env=nobody).stdout == b"HELLO\n"
        with plain_then_tls(identity) as met:
            exempt = {**nobody, "no_proxy": "127.0.0.1"}
            assert ours(met.port, "-brief", "-proxy_env", data=b"hello\n", env=exempt).stdout == b"HELLO\n"
        assert "connect:errno=111" in ours(1, "-proxy_env", env={**nobody, "no_proxy": ""}).text


@needs("danted", "microsocks", "openssl")
def test_through_real_socks_proxies(identity: Identity) -> None:
    with workshop(identity) as shop, daemons.danted(shop) as port:
        for option in ("-socks", "-socks4"):
            with plain_then_tls(identity) as met:
                done = ours(met.port, option, f"127.0.0.1:{port}", "-brief", data=b"hello\n")
            assert (done.returncode, done.stdout) == (0, b"HELLO\n")
        refused = ours(None, "-connect", "127.0.0.9:443", "-socks", f"127.0.0.1:{port}")
        assert refused.returncode == 1
        assert "not allowed by its rules" in refused.text
    with workshop(identity) as shop, daemons.microsocks(shop, user_and_password=("bob", "pw")) as port:
        with plain_then_tls(identity) as met:
            bob = ("-proxy_user", "bob", "-proxy_pass", "pass:pw")
            done = ours(met.port, "-socks", f"127.0.0.1:{port}", *bob, "-brief", data=b"hello\n")
        assert (done.returncode, done.stdout) == (0, b"HELLO\n")
        with OpenSSLServer(identity) as server:
            again = ours(server.port, "-socks", f"127.0.0.1:{port}", *bob, "-reconnect", "-tls1_2")
        assert again.stdout.count(b"CONNECTED(") == 6
        assert again.stdout.count(b"\nReused, TLSv1.2") == 5
        assert again.stderr.count(b"ready for TLS in ") == 6


# STARTTLS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", PROTOCOLS)
def test_starttls(identity: Identity, word: str) -> None:
    """Each protocol to its end: words in plain text, TLS, data; the last plain line after the report."""
    script = HAPPY[word]
    name = ("-name", "server.test") if word.startswith("xmpp") else ()
    with plain_then_tls(identity, script, packets=word == "mssql") as met:
        done = ours(met.port, "-starttls", word, *name, data=b"hello\n")
    assert (done.returncode, met.plain, met.data) == (0, heard(script), b"hello\n")
    assert b"\n---\nNew, TLSv1.3" in done.stdout
    assert b"HELLO\n" in done.stdout
    errors = done.stderr.decode().splitlines()
    last = LAST_LINES.get(word, b"").decode().strip()
    # The verification is told during the handshake, the line after it.
    assert [line for line in errors if not line.startswith(("depth=", "verify ", "Can't use"))] == [
        *([last] if last else []),
        "DONE",
    ]


def test_the_report_counts_tls_alone(identity: Identity) -> None:
    """What was said before TLS is no part of "SSL handshake has read … bytes and written … bytes"."""
    counted = []
    for script, options in ((HAPPY["smtp"], ("-starttls", "smtp")), ((), ())):
        with plain_then_tls(identity, script) as met:
            done = ours(met.port, "-tls1_2", "-noservername", *options)
        found = re.search(
            rb"^SSL handshake has read \d+ bytes and written (\d+) bytes", done.stdout, re.MULTILINE
        )
        assert found
        counted.append(found[1])
    assert counted[0] == counted[1]


def test_sql_server_with_tls12(identity: Identity) -> None:
    with plain_then_tls(identity, HAPPY["mssql"], packets=True) as met:
        done = ours(met.port, "-starttls", "mssql", "-tls1_2", "-brief", data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")


@pytest.mark.parametrize(
    ("word", "option", "greeting"),
    [
        ("smtp", "-name", b"EHLO me.test\r\n"),
        ("lmtp", "-name", b"LHLO me.test\r\n"),
        ("xmpp", "-xmpphost", b"to='me.test'"),
        ("xmpp-server", "-name", b"to='me.test'"),
    ],
)
def test_name(identity: Identity, word: str, option: str, greeting: bytes) -> None:
    renamed = tuple(
        Heard(line.data.replace(b"mail.example.com", b"me.test").replace(b"server.test", b"me.test"))
        if isinstance(line, Heard)
        else line
        for line in HAPPY[word]
    )
    with plain_then_tls(identity, renamed) as met:
        assert ours(met.port, "-brief", "-starttls", word, option, "me.test").returncode == 0
    assert any(greeting in said for said in met.plain)


@pytest.mark.parametrize(("word", "script", "words"), LAST_REFUSALS.values(), ids=LAST_REFUSALS)
def test_a_refusal_is_shown_in_the_servers_own_words(
    identity: Identity, word: str, script: Script, words: str
) -> None:
    name = ("-name", "server.test") if word.startswith("xmpp") else ()
    with plain_then_tls(identity, script, tls=False) as met:
        done = ours(met.port, "-starttls", word, *name)
    assert (done.returncode, normal(done.stdout)) == (1, "CONNECTED(<n>)\n")
    assert words in done.stderr.decode()
    assert done.stderr.startswith((b"s_client: ", b"Didn't find STARTTLS"))


def test_not_offered(identity: Identity) -> None:
    """OpenSSL's warning, and on it goes."""
    with plain_then_tls(identity, NOT_OFFERED["smtp"]) as met:
        done = ours(met.port, "-brief", "-starttls", "smtp", data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")
    assert done.stderr.startswith(b"Didn't find STARTTLS in server response, trying anyway...\n")


def test_an_injection_is_told_and_thrown_away(identity: Identity) -> None:
    *before, go = HAPPY["smtp"]
    assert isinstance(go, Said)
    with plain_then_tls(identity, (*before, Said(go.data + b"250 evil\r\n"))) as met:
        done = ours(met.port, "-brief", "-starttls", "smtp", data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")
    assert "s_client: 10 bytes of plain text came after the server's go-ahead (smtp)" in done.text


def test_the_servers_words_cannot_drive_the_terminal(identity: Identity) -> None:
    *before, _ = HAPPY["pop3"]
    with plain_then_tls(identity, (Said(b"+OK \x1b[2Jhello\r\n"), *before[1:], Said(b"+OK\r\n"))) as met:
        done = ours(met.port, "-brief", "-starttls", "pop3")
    assert done.returncode == 0
    assert rb"+OK \x1b[2Jhello" in done.stderr
    assert b"\x1b" not in done.stderr


def test_a_name_that_breaks_the_line(identity: Identity) -> None:
    with plain_then_tls(identity, tls=False) as met:
        done = ours(met.port, "-brief", "-starttls", "smtp", "-name", "a\r\nRCPT TO:<x>")
    assert done.returncode == 1
    assert done.stderr.startswith(b"s_client: the name holds spaces or control characters")


def test_help_lists_the_protocols() -> None:
    done = ours(None, "-starttls", "help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line.split()[0] for line in done.stdout.decode().splitlines()] == [*PROTOCOLS, *PLAIN_TLS]


# Time limits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-starttls", "smtp", "-starttls_timeout", "0.3"), "no answer within 0.3 seconds while waiting for"),
        (
            ("-proxy", "127.0.0.1:PORT", "-starttls_timeout", "0.3"),
            "waiting for the proxy's answer to CONNECT",
        ),
        (("-handshake_timeout", "0.3"), "the client still waits to read server hello"),
        (("-run_timeout", "0.6"), "the run was not done within 0.6 seconds (-run_timeout)"),
        (("-starttls", "imap", "-run_timeout", "0.6"), "the run was not done within 0.6 seconds"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_silence_ends(silent: int, options: tuple[str, ...], sentence: str) -> None:
    began = time.monotonic()
    done = ours(silent, *(word.replace("PORT", str(silent)) for word in options))
    assert time.monotonic() - began < 50
    assert done.returncode == 1
    assert sentence in done.text
    assert b"Traceback" not in done.stderr


def test_idle(identity: Identity) -> None:
    """The server's silence is over when it has lasted as long as that; what it says begins it anew."""
    with plain_then_tls(identity) as met, start_ours(met.port, "-brief", "-idle_timeout", "3") as client:
        client.wait_for("CONNECTION ESTABLISHED")
        for word in (b"a\n", b"b\n", b"c\n"):
            time.sleep(1.2)
            client.send(word)
        assert client.wait() == 1
        met.wait()
        assert client.stdout == b"A\nB\nC\n"
        assert "s_client: the server has said nothing for 3 seconds (-idle_timeout)" in client.text
    assert met.ended_by == "close_notify"


def test_the_whole_run(identity: Identity) -> None:
    """A connection that is in use ends too, with close_notify."""
    with plain_then_tls(identity) as met, start_ours(met.port, "-brief", "-run_timeout", "4") as client:
        client.wait_for("CONNECTION ESTABLISHED")
        assert client.wait() == 1
        met.wait()
        assert "s_client: the run was not done within 4 seconds (-run_timeout)" in client.text
    assert met.ended_by == "close_notify"


# Data, the report, randomness ----------------------------------------------------------------------------


def test_nocommands(identity: Identity) -> None:
    with plain_then_tls(identity) as met:
        done = ours(met.port, "-brief", "-nocommands", data=b"Q\n")
    assert (done.returncode, met.data) == (0, b"Q\n")


def test_ignore_unexpected_eof(identity: Identity) -> None:
    with plain_then_tls(identity, abrupt=True) as met:
        strict = ours(met.port, "-brief", "-ign_eof", data=b"hello\n")
    assert (strict.returncode, strict.stdout) == (1, b"HELLO\n")
    assert "error:0A000126:" in strict.text
    with plain_then_tls(identity, abrupt=True) as met:
        lenient = ours(met.port, "-brief", "-ign_eof", "-ignore_unexpected_eof", data=b"hello\n")
    assert (lenient.returncode, lenient.stdout) == (0, b"HELLO\n")
    assert "unexpected eof" not in lenient.text


def test_prexit(identity: Identity) -> None:
    """The whole report twice, the second with later byte counts; without a connection what there is to say."""
    with plain_then_tls(identity) as met:
        done = ours(met.port, "-prexit", data=b"hello\n")
    counts = re.findall(rb"SSL handshake has read (\d+) bytes and written (\d+) bytes", done.stdout)
    assert len(counts) == 2
    assert [int(count) for count in counts[0]] < [int(count) for count in counts[1]]
    assert done.stdout.count(b"Certificate chain\n") == 2
    with plain_then_tls(identity) as met:
        assert ours(met.port, "-prexit", "-brief").stdout == b""
    with closed_port() as port:
        refused = ours(port, "-prexit")
    assert (refused.returncode, refused.stdout.decode()) == (
        1,
        "---\nno peer certificate available\n---\n"
        "SSL handshake has read 0 bytes and written 0 bytes\n---\nNew, (NONE), Cipher is (NONE)\n---\n",
    )


def test_times(identity: Identity) -> None:
    """-prexit and -reconnect tell how long each part of a connection took."""
    with plain_then_tls(identity, HAPPY["pop3"]) as met:
        done = ours(met.port, "-prexit", "-starttls", "pop3")
    number = rb"\d+\.\d ms"
    pattern = rb"s_client: connected in %b, ready for TLS in %b, handshake done in %b\n" % ((number,) * 3)
    assert re.search(pattern, done.stderr)


def test_nbio(identity: Identity) -> None:
    """Where the socket had to be waited for, in OpenSSL's words; nothing with -brief."""
    with plain_then_tls(identity) as met:
        done = ours(met.port, "-nbio", data=b"hello\n")
    assert normal(done.stdout).startswith("CONNECTED(<n>)\nTurned on non blocking io\nwrite R BLOCK\n")
    assert b"\nread R BLOCK\n" in done.stdout
    with plain_then_tls(identity) as met:
        assert ours(met.port, "-nbio", "-brief", data=b"hello\n").stdout == b"HELLO\n"


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("length", [None, 16])
def test_keying_material(pki: Pki, version: str, length: int | None) -> None:
    """Both sides of a connection export the same."""
    more = () if length is None else ("-keymatexportlen", str(length))
    size = length or 20
    with OpenSSLServer(pki.server("p256"), "-keymatexport", "EXPERIMENTAL x", *more) as server:
        done = ours(server.port, version, "-keymatexport", "EXPERIMENTAL x", *more)
        pattern = (
            rf"Keying material exporter:\n    Label: 'EXPERIMENTAL x'\n    Length: {size} bytes\n"
            rf"    Keying material: ([0-9A-F]{{{2 * size}}})\n"
        )
        theirs = server.wait_for(pattern)
        found = re.search(pattern + "---\n", done.stdout.decode())
        assert found is not None
        assert found[1] == theirs[1]
        assert "Keying" not in ours(server.port, "-brief", "-keymatexport", "x").text


def test_material_that_cannot_be_had(identity: Identity) -> None:
    """More than HKDF gives (RFC 5869 §2.3: 255 times the hash)."""
    with plain_then_tls(identity) as met:
        done = ours(met.port, "-keymatexport", "x", "-keymatexportlen", "20000")
    assert done.returncode == 0
    assert "    Length: 20000 bytes\n    Error\n---\n" in done.text


def test_random_files(identity: Identity, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"seed")
    written = []
    for _ in range(2):
        with plain_then_tls(identity) as met:
            files = ("-rand", f"{tmp_path}/a:/dev/null", "-writerand", str(tmp_path / "out"))
            assert ours(met.port, "-brief", *files).returncode == 0
        written.append((tmp_path / "out").read_bytes())
        assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert [len(data) for data in written] == [1024, 1024]
    assert written[0] != written[1]
    with plain_then_tls(identity) as met:
        unwritable = ours(met.port, "-brief", "-writerand", str(tmp_path / "no" / "out"))
    assert unwritable.returncode == 1
    assert "No such file or directory" in unwritable.text
