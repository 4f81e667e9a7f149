"""Under the name `openssl`: which commands are ours, and that all others reach OpenSSL's program unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from drop_in.programs import link_ours
from handglass.cli.dispatch import PROGRAMS
from handglass.cli.programs.drop_in import STANDS_IN, find_openssl
from support.peers import needs, program
from support.pki import Pki
from support.processes import run


@pytest.fixture
def openssl(tmp_path: Path) -> Path:
    """Give a link to our command that is named `openssl`."""
    return link_ours(tmp_path / "bin")


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_ours() -> None:
    assert {"s_client", "s_server", "verify"} <= STANDS_IN <= PROGRAMS.keys()
    assert "version" not in STANDS_IN


@pytest.mark.parametrize("name", sorted(STANDS_IN))
def test_help_is_where_openssl_prints_it(openssl: Path, name: str) -> None:
    found = run([openssl, name, "-help"])
    assert (found.returncode, found.stdout) == (0, b"")
    assert found.stderr == run([openssl.with_name("handglass"), name, "-help"]).stdout
    assert found.stderr.startswith(f"Usage: {name} ".encode())


@needs("openssl")
@pytest.mark.parametrize(
    "words",
    [
        ("version",),
        ("x509", "-noout", "-subject"),
        ("dgst", "-sha256", "-binary"),
        ("pkey", "-help"),
        ("x509", "-bogus"),
        ("bogus",),
        ("help",),
    ],
)
def test_the_rest_goes_on(openssl: Path, pki: Pki, words: tuple[str, ...]) -> None:
    """Words, input, outputs and exit status are those of OpenSSL's program."""
    data = pki.server("p256").certificate.read_bytes()
    theirs, ours = run([program("openssl"), *words], data=data), run([openssl, *words], data=data)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    assert len(ours.stderr) == len(theirs.stderr)  # the number of the thread stands in it


@pytest.mark.parametrize(("words", "what"), [(("version",), "'version'"), ((), "its prompt")])
def test_without_openssl(openssl: Path, words: tuple[str, ...], what: str) -> None:
    found = run([openssl, *words], env={"PATH": str(openssl.parent)})
    assert found.returncode == 1
    assert found.stderr.decode() == f"handglass: OpenSSL's own program, which {what} needs, is not in PATH\n"


def test_it_does_not_find_itself(openssl: Path, tmp_path: Path) -> None:
    """Not by another link, not in another installation, and nothing that cannot be run."""
    again = tmp_path / "again" / "openssl"
    again.parent.mkdir()
    again.symlink_to(openssl)
    other = tmp_path / "other" / "openssl"
    other.parent.mkdir()
    other.symlink_to(executable(tmp_path / "elsewhere" / "handglass"))
    (tmp_path / "directory" / "openssl").mkdir(parents=True)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "openssl").write_text("not a program")
    before = [
        openssl.parent,
        again.parent,
        other.parent,
        tmp_path / "directory",
        tmp_path / "text",
        tmp_path / "no",
    ]
    path = ":".join(map(str, before))
    assert find_openssl(path, str(openssl)) is None
    theirs = executable(tmp_path / "theirs" / "openssl")
    assert find_openssl(f"{path}:{theirs.parent}", str(openssl)) == str(theirs)


def test_a_copy_does_not_find_itself(tmp_path: Path) -> None:
    copy = executable(tmp_path / "copy" / "openssl")
    assert find_openssl(str(copy.parent), str(copy)) is None


def test_the_working_directory_is_an_empty_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "openssl")
    monkeypatch.chdir(tmp_path)
    assert find_openssl("", "/somewhere/handglass") == "./openssl"
