"""What people have in scripts and notes: each pipeline prints and returns the same with either program."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from drop_in.programs import link_ours
from drop_in.servers import NAME, Lab, serve, shared_lab
from support.peers import ADDRESS, needs, program
from support.processes import Outcome, run

pytestmark = needs("openssl")

CONNECT = f"openssl s_client -connect localhost:$PORT -servername {NAME} -CAfile $CA"

TEST_CIPHERS = f"""
for cipher in AES256-GCM-SHA384 ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-GCM-SHA384; do
    echo -n "$cipher... "
    result=$(echo -n | {CONNECT} -tls1_2 -cipher "$cipher" 2>&1)
    if [[ "$result" =~ ":error:" ]]; then
        echo "NO ($(echo -n $result | cut -d: -f6))"
    elif [[ "$result" =~ "Cipher is ${{cipher}}" || "$result" =~ "Cipher    :" ]]; then
        echo YES
    else
        echo "UNKNOWN RESPONSE"
    fi
done
"""
"""The loop that every collection of notes has."""

RECIPES = {
    # What is in the certificate, until when is it good?
    "end date": (
        "good",
        f"echo | {CONNECT} 2>/dev/null | openssl x509 -noout -enddate -subject -issuer -serial",
    ),
    "end date of an expired one": (
        "expired",
        f"{CONNECT} </dev/null 2>/dev/null | openssl x509 -noout -checkend 0",
    ),
    "names": ("two-names", f"{CONNECT} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName"),
    "without a name": (
        "two-names",
        "openssl s_client -connect localhost:$PORT -noservername </dev/null 2>/dev/null | openssl x509 -noout -subject",
    ),
    "all certificates": ("good", f"{CONNECT} -showcerts </dev/null 2>/dev/null | awk '/BEGIN/,/END/'"),
    "chain in lines": ("good", f"{CONNECT} </dev/null 2>/dev/null | grep -E '^ *([0-9]+ s|i|a|v):'"),
    # Pinning
    "fingerprint": ("good", f"{CONNECT} </dev/null 2>/dev/null | openssl x509 -fingerprint -sha256 -noout"),
    "pinned key": (
        "good",
        f"{CONNECT} 2>/dev/null </dev/null | openssl x509 -pubkey -noout | openssl pkey -pubin -outform der"
        " | openssl dgst -sha256 -binary | openssl enc -base64",
    ),
    # Is it trusted?
    "verify return code": (
        "good",
        f"{CONNECT} </dev/null 2>/dev/null | grep -o 'Verify return code.*' | sort -u",
    ),
    "verify return code, expired": (
        "expired",
        f"{CONNECT} </dev/null 2>/dev/null | grep -o 'Verify return code.*' | sort -u",
    ),
    "verify error": ("self-signed", f"{CONNECT} </dev/null 2>&1 >/dev/null | grep '^verify error'"),
    "condition": (
        "wrong-host",
        f"if {CONNECT} -verify_return_error -verify_hostname {NAME} </dev/null >/dev/null 2>&1;"
        " then echo good; else echo bad; fi",
    ),
    "brief": ("good", f"{CONNECT} -brief </dev/null 2>&1"),
    "verify": (
        "good",
        "openssl verify -CAfile $CA -untrusted $LAB/good/intermediate.pem $LAB/good/certificate.pem",
    ),
    "stapling": ("stapled", f"{CONNECT} -status </dev/null 2>/dev/null | grep -A 17 'OCSP response:'"),
    "no stapling": (
        "good",
        f"{CONNECT} -status </dev/null 2>/dev/null | grep -A 17 'OCSP response:' | head -1",
    ),
    # What does the server speak?
    "versions": (
        "tls12",
        f"for v in tls1_2 tls1_3; do {CONNECT} -$v </dev/null >/dev/null 2>&1 && echo $v yes || echo $v no; done",
    ),
    "suites": ("many-suites", TEST_CIPHERS),
    "key exchange": ("good", f"{CONNECT} -groups P-384 </dev/null 2>/dev/null | grep 'Server Temp Key'"),
    "application protocol": ("alpn", f"{CONNECT} -alpn h2 </dev/null 2>/dev/null | grep ALPN"),
    "extensions": ("tls12", f"{CONNECT} -tlsextdebug </dev/null 2>/dev/null | grep 'TLS server extension'"),
    "names of authorities": (
        "client-wanted",
        f"{CONNECT} -tls1_2 </dev/null 2>/dev/null | sed -n '/^Acceptable/,/^Client Certificate Types/p'",
    ),
    "client certificate": (
        "client-needed",
        f"{CONNECT} -cert $LAB/client/certificate.pem -key $LAB/client/key.pem </dev/null 2>/dev/null"
        " | grep 'Cipher is'",
    ),
    # Sessions
    "resumption": (
        "tls12",
        f"{CONNECT} -sess_out $DIR/s </dev/null >/dev/null 2>&1;"
        f" {CONNECT} -sess_in $DIR/s </dev/null 2>/dev/null | grep ^Reused;"
        " openssl sess_id -in $DIR/s -noout -text | grep Protocol",
    ),
    "reconnect": ("tls12", f"{CONNECT} -reconnect </dev/null 2>/dev/null | grep -E '^(New|Reused|drop)'"),
    # Talking
    "request": ("files", f"printf 'GET /page.txt HTTP/1.0\\r\\n\\r\\n' | {CONNECT} -quiet 2>/dev/null"),
    "request, staying": (
        "files",
        f"printf 'GET /page.txt HTTP/1.0\\r\\n\\r\\n' | {CONNECT} -ign_eof 2>/dev/null | grep 'looked at'",
    ),
    "end at once": ("good", f"echo Q | {CONNECT} 2>&1 >/dev/null | tail -1"),
    "mail": ("smtp", f"printf 'EHLO me\\nQUIT\\n' | {CONNECT} -starttls smtp -crlf -quiet 2>/dev/null"),
    "mailbox": ("imap", f"printf 'a LOGOUT\\r\\n' | {CONNECT} -starttls imap -quiet 2>/dev/null"),
}
"""Name -> (server, command for the shell)."""

FOR_EXPECT = f"""
set timeout 20
spawn sh -c {{exec {CONNECT}}}
expect {{
    -re "Verify return code: 0 .ok.\\[^-\\]*---\\r\\n" {{}}
    default {{ puts "NO REPORT"; exit 3 }}
}}
send "GET /page.txt HTTP/1.0\\r\\n\\r\\n"
expect {{
    "looked at" {{}}
    default {{ puts "NO PAGE"; exit 4 }}
}}
expect eof
set ended [wait]
puts "\\nSTATUS [lindex $ended 3]"
"""


@pytest.fixture(scope="module")
def lab(session_directory: Path) -> Lab:
    return shared_lab(session_directory / "drop-in")


class Running:
    """Servers, each started when it is asked for first."""

    def __init__(self, lab: Lab, stack: ExitStack) -> None:
        self._lab = lab
        self._stack = stack
        self._ports: dict[str, int] = {}

    def port(self, server: str) -> int:
        if server not in self._ports:
            self._ports[server] = self._stack.enter_context(serve(server, self._lab))
        return self._ports[server]


@pytest.fixture(scope="module")
def running(lab: Lab) -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(lab, stack)


def shell(command: str, openssl: Path, port: int, lab: Lab, directory: Path) -> Outcome:
    """Run a pipeline with this `openssl` in front in PATH."""
    env = {
        "PATH": f"{openssl.parent}:{os.environ['PATH']}",
        "PORT": str(port),
        "CA": str(lab.root),
        "LAB": str(lab.directory),
        "DIR": str(directory),
    }
    return run(["bash", "-c", command], env=env, cwd=directory)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe(name: str, running: Running, lab: Lab, tmp_path: Path) -> None:
    server, command = RECIPES[name]
    port = running.port(server)
    theirs = shell(command, Path(program("openssl")), port, lab, tmp_path)
    ours = shell(command, link_ours(tmp_path / "bin"), port, lab, tmp_path)
    assert theirs.stdout, "a recipe that prints nothing shows nothing"
    assert (ours.stdout, ours.returncode) == (theirs.stdout, theirs.returncode)


def test_timeout(lab: Lab, tmp_path: Path) -> None:
    with socket.create_server((ADDRESS, 0)) as listener:  # accepts, and says nothing
        port = listener.getsockname()[1]
        command = f"timeout 1 {CONNECT} </dev/null >/dev/null 2>&1"
        for openssl in (Path(program("openssl")), link_ours(tmp_path / "bin")):
            assert shell(command, openssl, port, lab, tmp_path).returncode == 124


@needs("expect")
def test_expect(running: Running, lab: Lab, tmp_path: Path) -> None:
    script = tmp_path / "script.exp"
    script.write_text(FOR_EXPECT)
    for openssl in (Path(program("openssl")), link_ours(tmp_path / "bin")):
        said = shell(f"expect {script}", openssl, running.port("files"), lab, tmp_path)
        assert said.stdout.rstrip().endswith(b"STATUS 0"), said.text
