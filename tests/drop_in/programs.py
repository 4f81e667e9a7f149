"""Programs that are built on top of `openssl s_client`, how each is run, and what of its words is its verdict."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from drop_in.servers import MAIL, NAME, Lab
from handglass.records import dataclass
from support.command import make_command
from support.peers import ADDRESS, program, require
from support.processes import run
from support.s_client import normal, without_advice

PLUGINS = "/usr/lib/nagios/plugins"
LIMIT = 900.0


def link_ours(directory: Path) -> Path:
    """Make what a user makes: the command `handglass`, and a link to it that is named `openssl`; the link."""
    command = make_command(directory)
    link = directory / "openssl"
    link.unlink(missing_ok=True)
    link.symlink_to(command)
    return link


@dataclass(frozen=True)
class Verdict:
    """What a program said in the end, without what differs from run to run, and its exit status."""

    status: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """A program to run: with which openssl, against which server at which port."""

    openssl: Path
    server: str
    port: int
    lab: Lab
    scratch: Path


def scan_by_testssl(*checks: str) -> Callable[[Job], Verdict]:
    """Make the run of testssl.sh with these checks, all of them if none is named."""

    def run_it(job: Job) -> Verdict:
        starttls = ["-t", job.server] if job.server in MAIL else []
        quiet = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", ADDRESS]
        argv: list[str | Path] = ["testssl", *quiet, "--add-ca", job.lab.root, "--openssl", job.openssl]
        # It gives up at the third s_client that prints nothing, and an unknown version is such a one.
        return _run(job, [*argv, *checks, *starttls, f"{NAME}:{job.port}"], {"MAX_OSSL_FAIL": "99"})

    return run_it


def check_ssl_cert(*options: str) -> Callable[[Job], Verdict]:
    """Make the run of check_ssl_cert, the monitoring plugin, with these options beside the usual ones."""

    def run_it(job: Job) -> Verdict:
        protocol = ["-P", job.server] if job.server in MAIL else []
        target: list[str | Path] = ["-H", NAME, "--resolve", ADDRESS, "-p", str(job.port), "-r", job.lab.root]
        argv: list[str | Path] = [
            f"{PLUGINS}/check_ssl_cert",
            "--openssl",
            job.openssl,
            "--ignore-sct",
            "--no-perf",
            *target,
        ]
        return _run(job, [*argv, "--temp", job.scratch, *protocol, *options])

    return run_it


def ssl_cert_check(job: Job) -> Verdict:
    """Run ssl-cert-check; it makes itself a PATH of the system's directories, so a copy gets ours in front."""
    original = Path(program("ssl-cert-check")).read_text()
    ours_first = original.replace("\nPATH=", f"\nPATH={job.openssl.parent}:", 1)
    assert ours_first != original
    script = job.scratch / "ssl-cert-check"
    script.write_text(ours_first)
    return _run(job, ["bash", script, "-s", "localhost", "-p", str(job.port), "-b", "-i", "-n"])


def rsync_ssl(job: Job) -> Verdict:
    """Run rsync-ssl: a tunnel for data both ways; the verdict holds what was copied."""
    target = job.scratch / "copy"
    shutil.rmtree(target, ignore_errors=True)
    env = {
        "RSYNC_SSL_TYPE": "openssl",
        "RSYNC_SSL_OPENSSL": str(job.openssl),
        "RSYNC_SSL_CA_CERT": str(job.lab.root),
        "RSYNC_SSL_PORT": str(job.port),
    }
    verdict = _run(job, ["rsync-ssl", "-r", "localhost::files", f"{target}/"], env)
    copied = sorted(f"{path.name} {path.stat().st_size}" for path in target.rglob("*") if path.is_file())
    return Verdict(verdict.status, (*verdict.lines, *copied))


def require_installed(plugin: str) -> None:
    """Skip or fail a test whose monitoring plugin is not there: such are in no directory of PATH."""
    if not Path(PLUGINS, plugin).exists():
        require(plugin)


def _run(job: Job, argv: Sequence[str | Path], env: dict[str, str] | None = None) -> Verdict:
    command = [program(str(argv[0])) if "/" not in str(argv[0]) else argv[0], *argv[1:]]
    outcome = run(command, env={"HOME": str(job.scratch), **(env or {})}, limit=LIMIT, cwd=job.scratch)
    text = without_advice(normal(outcome.stdout + outcome.stderr))  # some hand on what s_client says
    lines = tuple(line.rstrip() for line in _steady(text, job).splitlines() if line.strip())
    return Verdict(outcome.returncode, lines)


def _steady(text: str, job: Job) -> str:
    """Leave out what says when and with which program."""
    text = re.sub(r"[0-9A-F]{16}:error:(\w{8}):[^:]*:[^:]*:([^:]*):[^:]*:\d+:", r"error:\1:\2:", text)
    text = re.sub(r"\x1b\[[0-9;]*[mK]|\r", "", text)
    text = text.replace(str(job.openssl), "openssl")
    text = re.sub(r"^ (Start|Done) \d{4}-.*?-->>", r" \1 -->>", text, flags=re.MULTILINE)
    return re.sub(r"checked on .*|\d+ seconds? ago|in \d+(\.\d+)? seconds", "", text)
