"""Runs the same s_client command with OpenSSL's program and with ours, and makes their outputs comparable."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from handglass.records import dataclass
from support.peers import ADDRESS, line_buffered, program
from support.pki import Identity
from support.processes import DEFAULT_LIMIT, Outcome, Process, run

SOURCE = Path(__file__).parents[2] / "src"
OURS = (sys.executable, "-m", "handglass", "s_client")
ENVIRONMENT = {"PYTHONPATH": str(SOURCE)}
ERROR_LINE = re.compile(r"^[0-9A-F]{16}:error:([0-9A-F]{8}):[^:]*:[^:]*:([^:]*):[^:]*:\d+:", re.MULTILINE)


def ours(
    port: int | None,
    *options: str | Path,
    data: bytes = b"",
    env: Mapping[str, str] | None = None,
    limit: float = DEFAULT_LIMIT,
) -> Outcome:
    """Run our s_client to its end against a port on loopback (None: the options say where)."""
    return run([*OURS, *_target(port), *options], data=data, env={**ENVIRONMENT, **(env or {})}, limit=limit)


def theirs(port: int | None, *options: str | Path, data: bytes = b"") -> Outcome:
    """Run OpenSSL's s_client likewise."""
    return run([program("openssl"), "s_client", *_target(port), *options], data=data)


def start_ours(port: int, *options: str | Path, merged: bool = False) -> Process:
    """Start our s_client, with standard input in the test's hands."""
    return Process([*OURS, *_target(port), *options], env=ENVIRONMENT, merged=merged)


def start_theirs(port: int, *options: str | Path, merged: bool = False) -> Process:
    """Start OpenSSL's s_client likewise; what it says comes line by line."""
    return Process(
        [*line_buffered(), program("openssl"), "s_client", *_target(port), *options], merged=merged
    )


def certificate_options(identity: Identity) -> list[str | Path]:
    """Give the options of a client with this certificate."""
    return ["-cert", identity.certificate, "-key", identity.key, "-cert_chain", identity.intermediate]


def _target(port: int | None) -> Sequence[str]:
    return () if port is None else ("-connect", f"{ADDRESS}:{port}")


@dataclass(frozen=True, slots=True)
class Said:
    """What a program said, without what differs from run to run."""

    status: int
    stdout: str
    stderr: str

    @property
    def blocks(self) -> list[str]:
        """The blocks of the report."""
        return self.stdout.split("---\n")


def said(outcome: Outcome | Process) -> Said:
    """Normalise what a program that has ended has said."""
    status = outcome.returncode
    assert status is not None
    return Said(status, normal(outcome.stdout), normal(outcome.stderr))


def normal(data: bytes) -> str:
    """Replace certificates, hexadecimal dumps, secrets, times and byte counts; shorten error lines."""
    text = data.decode("utf-8", "replace")
    text = re.sub(r"-----BEGIN CERT.*?-----END CERTIFICATE-----", "<certificate>", text, flags=re.DOTALL)
    text = re.sub(r"(?: {4}[0-9a-f]{4} - .*\n)+", "<dump>\n", text)
    text = re.sub(r"(Session-ID|Master-Key|Resumption PSK): [0-9A-F]+", r"\1: <hex>", text)
    text = re.sub(r"Start Time: \d+", "Start Time: <time>", text)
    text = re.sub(r"read \d+ bytes and written \d+ bytes", "read <n> bytes and written <n> bytes", text)
    text = re.sub(r"CONNECTED\([0-9A-F]{8}\)", "CONNECTED(<n>)", text)
    text = re.sub(r"^verify detail:.*\n", "", text, flags=re.MULTILINE)  # ours alone
    text = text.replace("read R BLOCK\n", "")  # an accident of OpenSSL's read loop
    return ERROR_LINE.sub(r"error:\1:\2:", text)


def without_advice(text: str) -> str:
    """Leave out our sentences for people."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("s_client: "))
