"""Certificates by name, and reading them again."""

from __future__ import annotations

import hashlib
import shutil
import signal
import ssl
from pathlib import Path

import pytest

from cli.s_server.serving import PROGRAM, connect
from support.peers import needs
from support.pki import Identity, Pki
from support.processes import Process, run

pytestmark = needs("openssl")


@pytest.fixture
def directory(pki: Pki, tmp_path: Path) -> Path:
    """`server.test`, `localhost` … in P-384; a throwaway for `other.test` in one file; a CA without key."""
    found = tmp_path / "certificates"
    found.mkdir()
    shutil.copy(pki.server("p384").chain, found / "a.crt")
    shutil.copy(pki.server("p384").key, found / "a.key")
    make(found / "b.pem", "other.test")
    shutil.copy(pki.server("rsa").root, found / "ca.pem")
    return found


def make(path: Path, name: str) -> None:
    """A self-signed certificate and its key in one file."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += [
        "-keyout",
        str(path) + ".tmp",
        "-subj",
        f"/CN={name}",
        "-addext",
        f"subjectAltName=DNS:{name}",
    ]
    certificate = run(command).check().stdout
    path.write_bytes(certificate + Path(str(path) + ".tmp").read_bytes())


def served(port: int, name: str | None) -> str:
    """The fingerprint of the certificate that a name gets."""
    with connect(port, name=name) as client:
        certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return hashlib.sha256(certificate).hexdigest()


def fingerprint(path: Path) -> str:
    text = path.read_text()
    start = text.index("-----BEGIN CERTIFICATE")
    end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[start:end])).hexdigest()


def start(*options: str | Path) -> Process:
    return Process([*PROGRAM, "s_server", "-accept", "127.0.0.1:0", "-www", *map(str, options)])


def files(identity: Identity) -> list[str | Path]:
    return ["-cert", identity.certificate, "-key", identity.key]


def test_by_name(pki: Pki, directory: Path) -> None:
    mine = pki.server("p256")
    with start("-cert_dir", directory, *files(mine)) as server:
        port = int(server.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        assert served(port, "other.test") == fingerprint(directory / "b.pem")
        assert served(port, "OTHER.test") == fingerprint(directory / "b.pem")
        assert served(port, "server.test") == fingerprint(mine.certificate)  # -cert bears the name itself
        assert served(port, "unknown.test") == fingerprint(mine.certificate)
        assert served(port, None) == fingerprint(mine.certificate)


def test_the_first_of_the_directory_is_the_default(directory: Path) -> None:
    with start("-cert_dir", directory) as server:
        port = int(server.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        assert served(port, None) == fingerprint(directory / "a.crt")
        assert served(port, "a.wild.test") == fingerprint(directory / "a.crt")
        assert served(port, "other.test") == fingerprint(directory / "b.pem")


def test_a_hang_up_reads_them_again(directory: Path) -> None:
    with start("-cert_dir", directory) as server:
        port = int(server.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        old = served(port, "other.test")
        make(directory / "b.pem", "other.test")
        make(directory / "c.pem", "new.test")
        assert served(port, "other.test") == old
        server.signal(signal.SIGHUP)
        server.wait_for("^s_server: the certificates were read again$")
        assert served(port, "other.test") == fingerprint(directory / "b.pem") != old
        assert served(port, "new.test") == fingerprint(directory / "c.pem")


def test_a_damaged_file_changes_nothing(directory: Path) -> None:
    with start("-cert_dir", directory) as server:
        port = int(server.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        old = served(port, "other.test")
        (directory / "c.pem").write_bytes((directory / "b.pem").read_bytes().replace(b"M", b"N"))
        server.signal(signal.SIGHUP)
        server.wait_for("^s_server: the certificates stay as they were$")
        assert served(port, "other.test") == old


def test_a_directory_without_certificates(tmp_path: Path) -> None:
    outcome = run([*PROGRAM, "s_server", "-accept", "127.0.0.1:0", "-cert_dir", tmp_path])
    assert outcome.returncode == 1
    assert f"there is no certificate with its key in {tmp_path}" in outcome.text
