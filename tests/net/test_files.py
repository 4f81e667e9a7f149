"""Files read whole, with one sentence where that cannot be done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from handglass.net.files import FileError, read_file, require_directory


def test_reads_files_and_pipes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"data")
    assert read_file(path) == b"data"
    reading, writing = os.pipe()
    os.write(writing, b"piped")
    os.close(writing)
    assert read_file(f"/dev/fd/{reading}") == b"piped"
    os.close(reading)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("absent", "cannot open {}: No such file or directory"), (".", "cannot open {}: Is a directory")],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, sentence: str) -> None:
    path = tmp_path / name
    with pytest.raises(FileError) as caught:
        read_file(path)
    assert str(caught.value) == sentence.format(path)


def test_limit_and_odd_names(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * 11)
    with pytest.raises(FileError, match="has more than"):
        read_file(path, limit=10)
    with pytest.raises(FileError, match="cannot open a\0b: embedded null"):
        read_file("a\0b")


def test_directories(tmp_path: Path) -> None:
    assert require_directory(tmp_path) == tmp_path
    with pytest.raises(FileError, match="No such file"):
        require_directory(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="Not a directory: "):
        require_directory(tmp_path / "file")
