"""Pass phrase sources, one by one and shared, and the prompt."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handglass.cli.own_certificates.passphrase import PassphraseError, PassphraseSources, prompt


@pytest.fixture
def sources() -> Iterator[PassphraseSources]:
    with PassphraseSources() as each:
        yield each


class Input:
    """Standard input made of bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_pass_and_environment(sources: PassphraseSources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDGLASS_SECRET", "two words")
    assert sources.get("pass:a:b") == b"a:b"
    assert sources.get("pass:") == b""
    assert sources.get("env:HANDGLASS_SECRET") == b"two words"
    with pytest.raises(PassphraseError, match=r"No environment variable HANDGLASS_ABSENT"):
        sources.get("env:HANDGLASS_ABSENT")


def test_a_file_named_twice_is_read_line_by_line(sources: PassphraseSources, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"one\r\ntwo\n")
    assert [sources.get(f"file:{path}"), sources.get(f"file:{path}")] == [b"one", b"two"]
    with pytest.raises(PassphraseError, match="there is no line left"):
        sources.get(f"file:{path}")
    with pytest.raises(PassphraseError, match="No such file"):
        sources.get(f"file:{path}.absent")


def test_descriptors(sources: PassphraseSources) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\n")
    os.close(writing)
    assert [sources.get(f"fd:{reading}"), sources.get(f"fd:{reading}")] == [b"one", b"two"]
    os.close(reading)
    with pytest.raises(PassphraseError, match="Bad file descriptor"):
        sources.get(f"fd:{os.dup2(0, 99) or 99}9")
    os.close(99)
    with pytest.raises(PassphraseError, match="is not a file descriptor"):
        sources.get("fd:x")


def test_standard_input(sources: PassphraseSources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(b"one\ntwo"))
    assert [sources.get("stdin"), sources.get("stdin")] == [b"one", b"two"]


@pytest.mark.parametrize("source", ["secret", "", "pass", "PASS:x", "http:x"])
def test_unknown_sources_are_not_echoed(sources: PassphraseSources, source: str) -> None:
    with pytest.raises(PassphraseError, match=r"^Invalid password argument") as caught:
        sources.get(source)
    assert "secret" not in str(caught.value)
    assert ":x" not in str(caught.value)


def test_prompt_without_a_terminal() -> None:
    script = "from handglass.cli.own_certificates.passphrase import prompt; print(prompt('key.pem'))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=b"secret\n",
        capture_output=True,
        start_new_session=True,
        env=environment,
        check=True,
        timeout=60,
    )
    assert done.stdout == b"b'secret'\n"
    assert done.stderr == b"Enter pass phrase for key.pem:\n"


def test_prompt_with_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("builtins.open", no_terminal)
    monkeypatch.setattr(sys, "stdin", Input(b""))
    with pytest.raises(PassphraseError, match=r"no pass phrase was entered"):
        prompt("key.pem")
