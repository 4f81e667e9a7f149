"""Programs on top of `openssl s_client` come to the same verdict with handglass in its place.

A part of what `python -m drop_in` compares, chosen to be quick and to lean on no luck: with TLS 1.3, what OpenSSL's
s_client says of tickets depends on whether they come before the end of its input.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drop_in.programs import (
    Job,
    Verdict,
    check_ssl_cert,
    link_ours,
    require_installed,
    rsync_ssl,
    scan_by_testssl,
    ssl_cert_check,
)
from drop_in.servers import Lab, serve, shared_lab
from support.peers import needs, program

pytestmark = needs("openssl")


@pytest.fixture(scope="module")
def lab(session_directory: Path) -> Lab:
    return shared_lab(session_directory / "drop-in")


def verdicts(
    run_it: Callable[[Job], Verdict], server: str, lab: Lab, directory: Path
) -> tuple[Verdict, Verdict]:
    """Let a program judge a server with OpenSSL's s_client and with ours."""
    with serve(server, lab) as port:
        theirs = run_it(Job(Path(program("openssl")), server, port, lab, directory))
        ours = run_it(Job(link_ours(directory / "bin"), server, port, lab, directory))
    return theirs, ours


@pytest.mark.parametrize(
    ("server", "options", "word"),
    [
        ("good", (), "SSL_CERT OK"),
        ("expired", (), "SSL_CERT CRITICAL"),
        ("wrong-host", (), "SSL_CERT CRITICAL"),
        ("weak-key", (), "SSL_CERT CRITICAL"),
        ("stapled", ("--require-ocsp-stapling",), "SSL_CERT OK"),
        ("good", ("--require-ocsp-stapling",), "SSL_CERT CRITICAL"),
    ],
)
def test_check_ssl_cert(server: str, options: tuple[str, ...], word: str, lab: Lab, tmp_path: Path) -> None:
    require_installed("check_ssl_cert")
    theirs, ours = verdicts(check_ssl_cert(*options), server, lab, tmp_path)
    assert ours == theirs
    assert word in "\n".join(theirs.lines)


@needs("postfix", "dovecot")
@pytest.mark.parametrize("server", ["smtp", "imap"])
def test_check_ssl_cert_behind_starttls(server: str, lab: Lab, tmp_path: Path) -> None:
    require_installed("check_ssl_cert")
    theirs, ours = verdicts(check_ssl_cert(), server, lab, tmp_path)
    assert ours == theirs
    assert theirs.status == 0


@needs("ssl-cert-check")
@pytest.mark.parametrize(("server", "status"), [("good", 0), ("expired", 2), ("self-signed", 0)])
def test_ssl_cert_check(server: str, status: int, lab: Lab, tmp_path: Path) -> None:
    theirs, ours = verdicts(ssl_cert_check, server, lab, tmp_path)
    assert ours == theirs
    assert theirs.status == status


@needs("rsync-ssl", "socat")
@pytest.mark.parametrize(("server", "status"), [("rsync", 0), ("rsync-wrong-host", 5), ("rsync-expired", 5)])
def test_rsync_ssl(server: str, status: int, lab: Lab, tmp_path: Path) -> None:
    theirs, ours = verdicts(rsync_ssl, server, lab, tmp_path)
    assert ours == theirs
    assert theirs.status == status


@needs("testssl")
def test_testssl(lab: Lab, tmp_path: Path) -> None:
    theirs, ours = verdicts(scan_by_testssl("--fast", "-p", "-S"), "tls12", lab, tmp_path)
    assert without_local_problems(ours) == without_local_problems(theirs)
    assert any("Chain of trust" in line and "Ok" in line for line in theirs.lines)


def without_local_problems(verdict: Verdict) -> tuple[str, ...]:
    """Leave out what testssl.sh says of its openssl: versions before TLS 1.2 and NPN are not there in ours."""
    return tuple(line for line in verdict.lines if "Local problem" not in line and "Oops" not in line)
