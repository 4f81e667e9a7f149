"""Every option of these groups is in -help and has a test that observes what it does; and the tests that were left."""

from __future__ import annotations

import ast
import re
import socket
from functools import cache
from pathlib import Path

import pytest

from handglass.cli.options.s_client import SClientOptions
from support.peers import ADDRESS, OpenSSLServer, needs
from support.pki import Pki
from support.plain_then_tls import plain_then_tls
from support.processes import closed_port
from support.s_client import certificate_options, ours, start_ours

GROUPS = ("General options", "Network options", "STARTTLS options", "Input options", "Output options")
VIEWS = {"debug", "tlsextdebug", "trace", "security_debug", "security_debug_verbose"}
"""These dissect messages and decisions, and have tests of their own."""

EVIDENCE = {
    # General
    "help": "test_options.py: test_help",
    "debug_broken_protocol": "test_options.py: test_debug_broken_protocol",
    "rand": "test_reach.py: test_random_files",
    "writerand": "test_reach.py: test_random_files",
    "ssl_config": "../protocol/test_ssl_config.py: test_a_client",
    # Network
    "connect": "test_options.py: test_targets",
    "host": "test_options.py: test_targets",
    "port": "test_options.py: test_targets",
    "bind": "test_reach.py: test_bind",
    "unix": "test_reach.py: test_unix",
    "4": "test_reach.py: test_one_family",
    "6": "test_reach.py: test_one_family",
    "tfo": "test_reach.py: test_fast_open",
    "proxy": "test_reach.py: test_what_an_http_proxy_hears",
    "proxy_user": "test_reach.py: test_the_users_password",
    "proxy_pass": "test_reach.py: test_the_users_password",
    "socks": "test_reach.py: test_through_real_socks_proxies",
    "socks4": "test_reach.py: test_through_real_socks_proxies",
    "proxy_env": "test_reach.py: test_through_a_real_http_proxy",
    "connect_timeout": "test_options.py: test_a_listener_that_takes_nobody",
    "handshake_timeout": "test_failures.py: test_silence_has_a_limit",
    "idle_timeout": "test_reach.py: test_idle",
    "run_timeout": "test_reach.py: test_the_whole_run",
    # STARTTLS
    "starttls": "test_reach.py: test_starttls",
    "name": "test_reach.py: test_name",
    "starttls_timeout": "test_reach.py: test_silence_ends",
    # Input
    "crlf": "test_data.py: test_crlf_over_many_reads",
    "ign_eof": "test_data.py: test_which_end_of_input_ends",
    "no_ign_eof": "test_data.py: test_which_end_of_input_ends",
    "nocommands": "test_reach.py: test_nocommands",
    "adv": "test_commands.py: test_advanced_commands",
    "no-interactive": "test_commands.py: test_no_interactive",
    "ignore_unexpected_eof": "test_reach.py: test_ignore_unexpected_eof",
    "nbio": "test_reach.py: test_nbio",
    "nbio_test": "test_data.py: test_a_reluctant_socket",
    # Output
    "showcerts": "test_report.py: test_tls13_is_the_same",
    "brief": "test_report.py: test_brief",
    "quiet": "test_report.py: test_quiet",
    "prexit": "test_reach.py: test_prexit",
    "keymatexport": "test_reach.py: test_keying_material",
    "keymatexportlen": "test_reach.py: test_keying_material",
    "msg": "test_report.py: test_msg_tls13",
    "state": "test_states.py: test_full_handshakes",
    "keylogfile": "test_terminal.py: test_key_log_is_the_servers",
    "msgfile": "test_options.py: test_message_file",
    # In other groups of the program, of the same kind
    "nameopt": "test_verification.py: test_the_same_as_openssl",
    "reconnect": "test_sessions.py: test_reconnect",
    "client_sigalgs": "test_options.py: test_schemes_to_sign_with",
    "heartbeat": "test_commands.py: test_heartbeats_with_gnutls",
}
"""Each option, and the test that observes what it does with a real peer."""


@cache
def functions(file: str) -> dict[str, str]:
    """The tests of a file, each with its source and that of its decorators."""
    source = (Path(__file__).parent / file).read_text()
    return {
        node.name: "\n".join(map(ast.unparse, (*node.decorator_list, node)))
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_option_has_its_test() -> None:
    rows = [row for title, rows in SClientOptions.by_title() if title in GROUPS for row in rows]
    names = {row.names[0] for row in rows} - VIEWS
    assert names <= EVIDENCE.keys()
    assert EVIDENCE.keys() <= {row.names[0] for row in SClientOptions.rows()}


@pytest.mark.parametrize("option", EVIDENCE)
def test_the_test_is_there_and_gives_the_option(option: str) -> None:
    file, _, name = EVIDENCE[option].partition(": ")
    found = functions(file)
    assert name in found
    source = found[name] if f"'-{option}'" in found[name] else (Path(__file__).parent / file).read_text()
    assert f"-{option}" in source


def test_help() -> None:
    """-help: every option with its argument and what it does, on standard output, and nothing else happens."""
    done = ours(None, "-help", "-connect", f"{ADDRESS}:1")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    for row in SClientOptions.rows():
        for name in row.names:
            argument = f" {row.metavar}" if row.metavar else ""
            assert re.search(rf"^ -{re.escape(name + argument)}(?: +\S|\n {{20,}}\S)", text, re.MULTILINE)


@pytest.mark.parametrize(
    "option", ["-serverpref", "-prioritize_chacha", "-named_curve", "-dhparam", "-no_resumption_on_reneg"]
)
def test_options_of_servers_are_not_listed(option: str) -> None:
    """OpenSSL's s_client lists them and fails; here they are unknown, in -help too."""
    done = ours(None, option, "x")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"s_client: Unknown option: {option}\n".encode())


def test_debug_broken_protocol(pki: Pki) -> None:
    """Taken, without an effect, as OpenSSL's manual has it."""
    with plain_then_tls(pki.server("p256")) as met:
        done = ours(met.port, "-debug_broken_protocol", "-brief", data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")


@pytest.mark.parametrize(
    "words",
    [
        ["-connect", "127.0.0.1:PORT"],
        ["-connect", "[::ffff:127.0.0.1]:PORT"],
        ["-host", "127.0.0.1", "-port", "PORT"],
        ["-connect", "192.0.2.1:PORT", "-host", "127.0.0.1"],
        ["-port", "PORT", "127.0.0.1:1"],
        ["127.0.0.1:PORT"],
        ["localhost:PORT"],
        ["-port", "PORT"],
    ],
    ids=" ".join,
)
def test_targets(pki: Pki, words: list[str]) -> None:
    """All the ways to say where; without a host it is localhost."""
    with plain_then_tls(pki.server("p256")) as met:
        options = [word.replace("PORT", str(met.port)) for word in words]
        done = ours(None, "-brief", *options, data=b"hello\n")
    assert (done.returncode, done.stdout) == (0, b"HELLO\n")


def test_targets_that_are_none() -> None:
    with closed_port() as port:
        refused = ours(None, "-connect", f"{ADDRESS}:{port}")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"connect:errno=111\n" in refused.stderr
    nameless = ours(None, "-connect", f"{ADDRESS}:no-such-service")
    assert nameless.returncode == 1
    assert b"connect:errno=0\n" in nameless.stderr
    both = ours(None, "-connect", f"{ADDRESS}:1", f"{ADDRESS}:2")
    assert both.stderr.startswith(b"s_client: cannot provide both -connect option and target parameter\n")


def test_a_listener_that_takes_nobody() -> None:
    """-connect_timeout, where the network would wait for minutes."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as other:
        listener.bind((ADDRESS, 0))
        listener.listen(0)
        for waiting in (one, other):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        done = ours(port, "-connect_timeout", "0.5")
    assert done.returncode == 1
    assert b"0.5" in done.stderr


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_message_file(pki: Pki, version: str, tmp_path: Path) -> None:
    """-msgfile: what -msg shows goes there and not to standard output; without -msg the file is made, empty."""
    file = tmp_path / "messages"
    with OpenSSLServer(pki.server("p256")) as server:
        file.write_text("what was there before\n")
        done = ours(server.port, version, "-msgfile", file, "-msg", "-reconnect")
        assert done.returncode == 0
        text = file.read_text()
        assert text.count(", ClientHello\n") == 6
        assert "before" not in text
        assert b">>>" not in done.stdout
        assert b"New, " in done.stdout
        empty = tmp_path / "empty"
        assert ours(server.port, version, "-msgfile", empty).returncode == 0
        assert empty.read_bytes() == b""
        ready = server.text.count("-----BEGIN SSL SESSION PARAMETERS-----")
        refused = ours(server.port, "-msgfile", tmp_path / "no" / "file", "-msg")
        assert (refused.returncode, refused.stdout) == (1, b"")
        sentence = f"cannot write {tmp_path}/no/file (-msgfile): No such file or directory\n"
        assert refused.stderr.decode() == sentence
        assert server.text.count("-----BEGIN SSL SESSION PARAMETERS-----") == ready


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_schemes_to_sign_with(pki: Pki, version: str) -> None:
    """-client_sigalgs: what our own certificate signs with; what we accept from the server is as before."""
    options = [
        version,
        *certificate_options(pki.client("rsa")),
        "-client_sigalgs",
        "RSA-PSS+SHA512:RSA+SHA384",
    ]
    root = pki.client("rsa").root
    with OpenSSLServer(pki.server("rsa"), "-Verify", "3", trust=root) as server:
        done = ours(server.port, *options)
        assert done.returncode == 0
        assert b"\nShared Requested Signature Algorithms: RSA-PSS+SHA512:RSA+SHA384\n" in done.stdout
        server.wait_for("^Peer signing digest: SHA512$")
        shown = re.findall(r"^Signature Algorithms: (.*)$", server.text, re.MULTILINE)[-1]
        assert len(shown.split(":")) > 2
        none = ours(server.port, version, *options[1:-1], "ed25519")
        assert none.returncode == 1
        assert b"Client certificate: the server asked for one, none was sent" in none.stdout
        unknown = ours(server.port, "-client_sigalgs", "nonsense")
        assert unknown.stderr.startswith(b"Call to SSL_CONF_cmd(-client_sigalgs, nonsense) failed")


def test_a_message_file_is_written_at_once(pki: Pki, tmp_path: Path) -> None:
    """Messages are there while the connection lasts."""
    file = tmp_path / "messages"
    with plain_then_tls(pki.server("p256")) as met, start_ours(met.port, "-msgfile", file, "-msg") as client:
        client.wait_for("Verify return code")
        assert ", ClientHello\n" in file.read_text()
        client.end_input()
        client.wait()
