"""`handglass demo`: a server, a client, a handshake that succeeds and two that fail, each with its command line.

Everything happens on loopback, with certificates that are made for it, in a directory that is removed at the
end. The programs run as a user would run them, and every wait has its limit.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import handglass
from handglass.cli.options.table import Options, flag, text
from handglass.crypto.containers import certificates_to_pem
from handglass.crypto.throwaway import Authority, key_to_pem

SECONDS = 10.0
"""The limit of each step."""
PATIENCE = 1.0
"""Seconds that the server gets to print what it has to say at the end."""
REQUEST = "GET / HTTP/1.0\r\nAccept: application/json\r\n\r\n"
ALL_WELL = ("Verify return code: 0 (ok)", "HTTP/1.0 200 ok", '"protocol": "TLSv1.3"')
WRONG_AUTHORITY = ("unable to get local issuer certificate",)
WRONG_VERSION = ("protocol_version",)


class DemoOptions(
    Options,
    program="demo",
    title="Options",
    summary="Show a server and a client at work, and two handshakes that fail",
):
    """The options of `handglass demo`."""

    help = flag("help", "Print this summary and end", where="program")
    files = text(
        "files",
        "directory",
        "Write the demonstration's certificates and keys there, and do nothing else",
        where="program",
    )
    full = flag("full", "Print everything, with certificates and tickets uncut", where="report")


class DemoError(Exception):
    """The demonstration did not go as it should; the text says how."""


def run(options: DemoOptions) -> int:
    """Play all of it; 0 if everything came out as it should."""
    try:
        if options.files is not None:
            make_files(Path(options.files))
            return 0
        with tempfile.TemporaryDirectory(prefix="handglass-demo-") as directory:
            play(Stage(Path(directory), full=options.full))
    except (DemoError, OSError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print("\nThat is all: one handshake succeeded, two failed as they should.")
    return 0


def play(stage: Stage) -> None:
    """The acts, in their order. Raises DemoError."""
    stage.tell(
        "A throwaway authority and a certificate for localhost: ca.pem, server.pem, server-key.pem.",
        "And a second authority, which has signed nothing of this: other-ca.pem.",
    )
    make_files(stage.directory)
    stage.tell("A TLS 1.3 server that answers with a page about the connection.")
    server = "s_server -accept 127.0.0.1:0 -cert server.pem -key server-key.pem -tls1_3 -www"
    with stage.server(server) as port:
        stage.tell("A client that trusts the authority asks for the page, as JSON.")
        target = f"s_client -connect localhost:{port}"
        good = f"{target} -CAfile ca.pem -verify_hostname localhost -verify_return_error -ign_eof"
        stage.client(good, REQUEST, status=0, expected=ALL_WELL)
        stage.tell("The same, but trusting the other authority: the client ends the handshake.")
        wrong = f"{target} -CAfile other-ca.pem -verify_return_error"
        stage.client(wrong, status=1, expected=WRONG_AUTHORITY)
        stage.tell("A client that speaks nothing newer than TLS 1.2: the server ends the handshake.")
        stage.client(f"{target} -CAfile ca.pem -tls1_2", status=1, expected=WRONG_VERSION)
        stage.tell("What the server had to say to all this:")
        stage.show(stage.said_by_server(until="we have TLS1_3"))


def make_files(directory: Path) -> None:
    """Write the authorities' files, the server's and a client's. Raises FileExistsError: nothing is overwritten."""
    now = datetime.now(UTC)
    authority, other = Authority(now), Authority(now, "Another Throwaway CA")
    server, client = authority.issue(), authority.issue(["client"], client=True)
    for name, content in (
        ("ca.pem", certificates_to_pem([authority.certificate])),
        ("other-ca.pem", certificates_to_pem([other.certificate])),
        ("server.pem", certificates_to_pem(server.certificates)),
        ("server-key.pem", key_to_pem(server)),
        ("client.pem", certificates_to_pem(client.certificates)),
        ("client-key.pem", key_to_pem(client)),
    ):
        path = directory / name
        path.touch(0o600 if "key" in name else 0o666, exist_ok=False)
        path.write_text(content)


class Stage:
    """Where it happens: starts programs in `directory`, and prints their command lines and what they print."""

    def __init__(self, directory: Path, *, full: bool) -> None:
        self.directory = directory
        self._full = full
        self._act = 0
        self._seen = 0
        self._output = directory / "server.txt"
        package = str(Path(handglass.__file__).parent.parent)
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}

    def tell(self, *lines: str) -> None:
        """Begin the next act."""
        self._act += 1
        gap = "\n" if self._act > 1 else ""
        print(f"{gap}{self._act}. " + "\n   ".join(lines) + "\n", flush=True)

    def show(self, words: str) -> None:
        """Print what a program printed, without what nobody reads in a demonstration."""
        shown = words if self._full else shortened(words)
        print("\n".join(f"   {line}".rstrip() for line in shown.splitlines()), flush=True)

    @contextmanager
    def server(self, command: str) -> Iterator[int]:
        """Start a server, give the port that it listens at, and end it. Raises DemoError."""
        print(f"   $ handglass {command} &", flush=True)
        with self._output.open("wb") as output:
            process = subprocess.Popen(
                self._words(command),
                cwd=self.directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            port = self._port(process)
            self.show(self.said_by_server())
            yield port
        finally:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def client(self, command: str, data: str = "", *, status: int, expected: tuple[str, ...]) -> None:
        """Run a client to its end. Raises DemoError if it ends or speaks otherwise than expected."""
        source = f"printf {shlex.quote(data.encode('unicode_escape').decode())} | " if data else ""
        print(f"   $ {source}handglass {command}{'' if data else ' </dev/null'}", flush=True)
        try:
            done = subprocess.run(
                self._words(command),
                cwd=self.directory,
                env=self._environment,
                input=data.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            self.show((error.stdout or b"").decode(errors="replace"))
            raise DemoError(f"the client did not end within {SECONDS:g} seconds") from None
        text = done.stdout.decode(errors="replace")
        self.show(text)
        print(f"   [exit status {done.returncode}]", flush=True)
        if done.returncode != status:
            raise DemoError(f"the client ended with {done.returncode}, and {status} was expected")
        for sentence in expected:
            if sentence not in text:
                raise DemoError(f"the client did not say {sentence!r}")

    def said_by_server(self, until: str = "") -> str:
        """What the server has printed since this was last asked; it has a moment to come to a certain word."""
        deadline = time.monotonic() + PATIENCE
        while until not in (text := self._printed()) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._seen, seen = len(text), self._seen
        return text[seen:]

    def _printed(self) -> str:
        return self._output.read_text(errors="replace")

    def _words(self, command: str) -> list[str]:
        return [sys.executable, "-m", "handglass", *shlex.split(command)]

    def _port(self, process: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            if match := re.search(r"^ACCEPT .*:(\d+)$", self._printed(), re.MULTILINE):
                return int(match[1])
            if ended:
                raise DemoError(f"the server did not start: {self._printed()}")
            time.sleep(0.02)
        raise DemoError(f"the server did not listen within {SECONDS:g} seconds")


# Shortening ------------------------------------------------------------------------------------------------

LONG = (
    re.compile(r"(?<=-----BEGIN CERTIFICATE-----\n).*?(?=-----END)", re.DOTALL),
    re.compile(r"(?<=Post-Handshake New Session Ticket arrived:\n).*?(?=^---$)", re.DOTALL | re.MULTILINE),
    re.compile(r'(?<=^  "weak": ).*', re.DOTALL | re.MULTILINE),
)
"""What stands here is cut: certificates, tickets, and the page behind its first two paragraphs."""


def shortened(text: str) -> str:
    """The text with long passages cut, and a note in their place of how long they were."""
    text = text.replace("\r\n", "\n")
    for passage in LONG:
        text = passage.sub(lambda cut: f"[{cut[0].count(chr(10)) or 1} lines]\n", text)
    return text
