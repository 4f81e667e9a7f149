"""The demonstration: it shows what it should, leaves nothing behind, and notices when something is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import handglass
from handglass.cli.programs import demo
from handglass.cli.programs.demo import DemoOptions, shortened

LIMIT = 60.0


def play(*options: str, directory: Path) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(handglass.__file__).parent.parent),
        "TMPDIR": str(directory),
    }
    done = subprocess.run(
        [sys.executable, "-m", "handglass", "demo", *options],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_it_shows_everything_and_leaves_nothing(tmp_path: Path) -> None:
    text = play(directory=tmp_path)
    for words in (
        "$ handglass s_server -accept 127.0.0.1:0 -cert server.pem",
        "$ printf 'GET / HTTP/1.0\\r\\nAccept: application/json\\r\\n\\r\\n' | handglass s_client -connect",
        " 0 s:CN = localhost",
        "   i:CN = Handglass Throwaway CA",
        "Verification: OK",
        "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384",
        "Verify return code: 0 (ok)",
        "HTTP/1.0 200 ok",
        '"group": "X25519MLKEM768"',
        "[exit status 0]",
        "error 20 at depth 0: unable to get local issuer certificate",
        "the peer ended the connection with the fatal alert protocol_version (70)",
        "[exit status 1]",
        "the peer ended the connection with the fatal alert unknown_ca (48)",
        "the client offers at most TLS1_2, we have TLS1_3",
        "one handshake succeeded, two failed as they should",
    ):
        assert words in text
    assert len(re.findall(r"-----BEGIN CERTIFICATE-----\n +\[\d+ lines\]\n +-----END CERT", text)) == 2
    assert list(tmp_path.iterdir()) == []


def test_uncut(tmp_path: Path) -> None:
    text = play("-full", directory=tmp_path)
    assert "lines]" not in text
    assert "TLS session ticket:" in text


def test_files_to_play_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = DemoOptions.parse(["-files", str(tmp_path)])
    assert demo.run(options) == 0
    names = {"ca.pem", "other-ca.pem", "server.pem", "server-key.pem", "client.pem", "client-key.pem"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "server-key.pem").stat().st_mode & 0o777 == 0o600
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert demo.run(options) == 1
    assert "File exists" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_cut() -> None:
    text = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\r\nrest\n"
    cut = "-----BEGIN CERTIFICATE-----\n[2 lines]\n-----END CERTIFICATE-----\nrest\n"
    assert shortened(text) == cut


def test_a_surprise_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ALL_WELL", ("no such words",))
    assert demo.run(DemoOptions.parse([])) == 1
    assert "demo: the client did not say 'no such words'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("echo sorry; exit 3", "demo: the server did not start: sorry"),
        ("exec sleep 60", "demo: the server did not listen within 2 seconds"),
        (
            "case $* in *s_server*) echo ACCEPT x:1;; esac; exec sleep 60",
            "demo: the client did not end within 2 seconds",
        ),
        (
            "case $* in *s_server*) echo ACCEPT x:1; exec sleep 60;; esac",
            "demo: the client did not say 'Verify return code: 0 (ok)'",
        ),
    ],
)
def test_nothing_hangs(
    program: str, sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "SECONDS", 2.0 if "within" in sentence else LIMIT)
    # The shell starts at once, however busy the machine is.
    monkeypatch.setattr(
        demo.Stage, "_words", lambda _, command: ["sh", "-c", program, "sh", *command.split()]
    )
    began = time.monotonic()
    assert demo.run(DemoOptions.parse([])) == 1
    assert time.monotonic() - began < LIMIT / 2
    assert sentence in capsys.readouterr().err
