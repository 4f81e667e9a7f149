"""The command `handglass` itself: which program runs, and how little it loads for that."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handglass import __version__
from handglass.__main__ import main
from handglass.cli.dispatch import PROGRAMS, options_of
from handglass.crypto.throwaway import Authority
from handglass.handshake.config import ServerConfig
from handglass.net.blocking import TLSStream, start_server

SOURCE = Path(__file__).parent.parent.parent / "src"
HEAVY = {"asyncio", "ssl", "cryptography", "socket", "dataclasses", "inspect", "typing", "re", "argparse"}

NOT_FOR_A_CONNECT = {
    *("asyncio", "ssl", "dataclasses", "inspect", "argparse", "json", "logging", "rich", "dns"),
    "cryptography.x509",
    "handglass.connection.server",
    "handglass.handshake.legacy.client",
    "handglass.handshake.legacy.server",
    "handglass.handshake.server",
    "handglass.handshake.tls13.server",
    "handglass.verify.constraints",
    "handglass.verify.ocsp",
    "handglass.verify.policy",
    "handglass.verify.resources",
    "handglass.verify.revocation",
    "handglass.verify.sct",
}
"""What a client of TLS 1.3 with a plain chain has no use for."""


def run(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = (
        [sys.executable, "-S", "-c", code, *words] if code else [sys.executable, "-m", "handglass", *words]
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@pytest.mark.parametrize("words", ["version", "s_client -help", "s_client -connect 127.0.0.1:1"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_file_is_no_obstacle(words: str, closed: str) -> None:
    """It is read as empty, and written to in vain."""
    done = _in_a_shell(f"{words} {closed}")
    assert done.returncode == (1 if "-connect" in words else 0)
    assert "Traceback" not in done.stderr


def test_no_socket_takes_the_place_of_a_closed_standard_error() -> None:
    """Complaints would go to the peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = _in_a_shell(f"s_client -connect 127.0.0.1:{port} -handshake_timeout 0.1 2>&-")
    assert "CONNECTED(00000003)" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("words", ["version", "s_client -help"])
def test_output_that_cannot_be_written(words: str) -> None:
    done = _in_a_shell(f"{words} >/dev/full")
    assert (done.returncode, done.stderr) == (1, "handglass: cannot write: No space left on device\n")


def _in_a_shell(words: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", "-c", f'exec "$0" -m handglass {words}', sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, env=environment)


@pytest.mark.parametrize("words", [[], ["help"], ["-help"], ["--help"]])
def test_the_list_of_programs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in PROGRAMS:
        assert f"\n {name}" in out


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_is_on_standard_output(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "-help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"Usage: {name} [options]")
    for row in (row for row in options_of(name).rows() if not row.hidden):
        assert f" -{row.names[0]}" in out
    assert main(["help", name]) == 0
    assert capsys.readouterr().out == out


def test_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["s_client", "-xyzzy"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "s_client: Unknown option: -xyzzy\ns_client: Use -help for summary.\n"


def test_an_unknown_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["s_cleint"]) == 1
    assert capsys.readouterr().err.startswith("Invalid command 's_cleint'; type ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"Handglass {__version__} (Python {sys.version_info[0]}.")
    assert ", cryptography " in line
    assert ", OpenSSL " in line
    assert main(["version", "-a"]) == 0
    everything = capsys.readouterr().out
    assert everything.startswith(line)
    assert "platform: " in everything
    assert "brotli: " in everything


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from handglass.__main__ import main; main(['s_client', '-help']);"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = run(code=code)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


def read_to_end(stream: TLSStream) -> None:
    stream.read_all()


def test_a_plain_connect_loads_one_side_of_one_version() -> None:
    code = (
        "import sys; from handglass.__main__ import main;"
        "status = main(['s_client', '-connect', sys.argv[1]]);"
        f"print('loaded', status, sorted({NOT_FOR_A_CONNECT!r} & set(sys.modules)))"
    )
    config = ServerConfig(identities=(Authority(datetime.now(UTC)).issue(),))
    with start_server(read_to_end, config=config) as server:
        done = run(
            f"127.0.0.1:{server.port}",
            code=code.replace("import sys;", f"import sys; sys.path = {sys.path!r};"),
        )
    assert "TLSv1.3" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded 0 []"


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    command = [sys.executable, "-m", "handglass", "s_client", "-help"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    os.close(write)
    assert done.stderr == ""
