"""Other people's TLS programs as peers: OpenSSL, GnuTLS, NSS and curl, as servers and as clients.

A test says which programs it needs: `@needs("openssl")` on a test or `pytestmark = needs("gnutls-serv")` in
a module skips with the reason where one is absent; with HANDGLASS_REQUIRE_PEERS=1 it fails instead. A fixture
that finds out late calls `require`.

Servers are processes (`with OpenSSLServer(identity, "-rev") as server: ... server.port`), clients are
descriptions that run once per connection (`OpenSSLClient(trust=root).exchange(port, data)`). All of them
speak on loopback; options are those of the program, given as they are.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import glob
import os
import re
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest

from handglass.records import dataclass, field
from support.pki import Identity, Pki, once
from support.processes import DEFAULT_LIMIT, Outcome, Process, free_port, run

ADDRESS = "127.0.0.1"
NAME = "localhost"

_UNUSUAL_DIRECTORIES = (
    "/usr/lib/nss/unsupported-tools",
    "/usr/lib64/nss/unsupported-tools",
    "/usr/sbin",
    "/sbin",
    "/usr/lib/news/bin",
    *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True),  # noqa: PTH207 - strings are wanted
)


# Is it there, and which version?


def find_program(name: str) -> str | None:
    """Look for a program in PATH and where distributions hide NSS's test programs."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_UNUSUAL_DIRECTORIES))


def program(name: str) -> str:
    """Return the path of a program that the test has said it needs."""
    found = find_program(name)
    assert found, f"{name} is not installed; the test lacks needs({name!r})"
    return found


def needs(*programs: str) -> pytest.MarkDecorator:
    """Mark a test or module: skip it, or fail under HANDGLASS_REQUIRE_PEERS=1, where a program is absent."""
    return pytest.mark.peer(*programs)


def require(*programs: str) -> None:
    """Skip the running test, or fail it under HANDGLASS_REQUIRE_PEERS=1, if a program is absent."""
    absent = [name for name in programs if not find_program(name)]
    if absent:
        reason = f"not installed: {', '.join(absent)}"
        if peers_required():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def peers_required() -> bool:
    """Whether an absent peer is a failure: on the machine that runs everything."""
    return os.environ.get("HANDGLASS_REQUIRE_PEERS", "") not in ("", "0")


@cache
def openssl_version() -> tuple[int, ...]:
    """Return the version of the openssl program, (3, 0, 19) for instance."""
    return _version_in(run([program("openssl"), "version"]).text, r"OpenSSL (\d+\.\d+\.\d+)")


@cache
def gnutls_version() -> tuple[int, ...]:
    """Return the version of gnutls-cli."""
    return _version_in(run([program("gnutls-cli"), "--version"]).text, r"gnutls-cli (\d+\.\d+\.\d+)")


@cache
def curl_version() -> tuple[int, ...]:
    """Return the version of curl."""
    return _version_in(run([program("curl"), "--version"]).text, r"curl (\d+\.\d+\.\d+)")


@cache
def nss_version() -> tuple[int, ...]:
    """Return the version of the NSS library; its programs do not tell theirs."""
    name = ctypes.util.find_library("nss3")
    if not name:
        return ()
    library = ctypes.CDLL(name)
    library.NSS_GetVersion.restype = ctypes.c_char_p
    return _version_in(library.NSS_GetVersion().decode(), r"(\d+(?:\.\d+)+)")


def _version_in(text: str, pattern: str) -> tuple[int, ...]:
    match = re.search(pattern, text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


# OpenSSL.


class OpenSSLServer(Process):
    """`openssl s_server` on a port of its own choice.

    `options` decide what it does with data: -rev (echo reversed), -www (status page), -WWW (files below
    `cwd`); without any of them it prints what it receives, and `send` talks to the client. `command` starts
    another program with the same options.
    """

    def __init__(
        self,
        identity: Identity | None,
        *options: str | Path,
        trust: Path | None = None,
        cwd: Path | None = None,
        command: Sequence[str] = (),
    ) -> None:
        argv: list[str | Path] = [*(command or [program("openssl")]), "s_server", "-accept", f"{ADDRESS}:0"]
        if identity:
            argv += [
                "-cert",
                identity.certificate,
                "-key",
                identity.key,
                "-cert_chain",
                identity.intermediate,
            ]
        else:
            argv += ["-nocert"]
        if trust:
            argv += ["-CAfile", trust]
        super().__init__([*argv, *options], cwd=cwd)
        try:
            self.port = int(self.wait_for(r"^ACCEPT \S*:(\d+)$")[1])
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True)
class Client:
    """A client program and how it is to be run: with which certificate, trusting whom, with which options."""

    identity: Identity | None = None
    trust: Path | None = None
    name: str = NAME
    options: Sequence[str | Path] = ()
    env: dict[str, str] = field(default_factory=dict)

    programs: ClassVar[tuple[str, ...]]

    def argv(self, port: int) -> list[str | Path]:
        """Return the command line for a connection to this port."""
        raise NotImplementedError

    def exchange(self, port: int, data: bytes, *, limit: float = DEFAULT_LIMIT) -> Outcome:
        """Connect, send `data`, and go on until the server closes the connection."""
        return run(self.argv(port), data=data, limit=limit, env=self.env)

    def start(self, port: int) -> Process:
        """Connect and stay, with standard input in the test's hands."""
        return Process(self.argv(port), env=self.env)


@dataclass(frozen=True)
class OpenSSLClient(Client):
    """`openssl s_client`; end of input does not end it, the server's close does."""

    programs = ("openssl",)

    def argv(self, port: int) -> list[str | Path]:
        """Return the command line for a connection to this port."""
        argv: list[str | Path] = [program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}", "-ign_eof"]
        argv += ["-servername", self.name]
        if self.identity:
            argv += ["-cert", self.identity.certificate, "-key", self.identity.key]
            argv += ["-cert_chain", self.identity.intermediate]
        if self.trust:
            argv += ["-CAfile", self.trust, "-verify_return_error"]
        return [*argv, *self.options]


# GnuTLS.


class GnuTLSServer(Process):
    """`gnutls-serv`; --echo and --http are its two ways with data."""

    def __init__(
        self,
        identities: Identity | Sequence[Identity],
        *options: str | Path,
        trust: Path | None = None,
    ) -> None:
        self.port = free_port()
        argv: list[str | Path] = [program("gnutls-serv"), "--port", str(self.port)]
        for identity in [identities] if isinstance(identities, Identity) else identities:
            argv += ["--x509certfile", identity.chain, "--x509keyfile", identity.key]
        if trust:
            argv += ["--x509cafile", trust]
        # Its output is block-buffered in a file; line by line is what a test can wait for.
        super().__init__([*line_buffered(), *argv, *options], merged=True)
        _listening(self, self.port)


@dataclass(frozen=True)
class GnuTLSClient(Client):
    """`gnutls-cli`."""

    programs = ("gnutls-cli",)

    def argv(self, port: int) -> list[str | Path]:
        """Return the command line for a connection to this port."""
        argv: list[str | Path] = [program("gnutls-cli"), "--port", str(port), "--sni-hostname", self.name]
        if self.identity:
            argv += ["--x509certfile", self.identity.chain, "--x509keyfile", self.identity.key]
        if self.trust:
            argv += ["--x509cafile", self.trust, "--verify-hostname", self.name]
        else:
            argv += ["--insecure"]
        return [*argv, *self.options, ADDRESS]


# NSS.

NSS_KEY_TYPES = ("rsa", "rsa_pss", "p256", "p384", "p521")
"""What NSS 3.87 can import: no Ed25519, no Ed448, no ML-DSA."""


def shared_nss_database(pki: Pki, directory: Path) -> Path:
    """Return an NSS database with the identities of `NSS_KEY_TYPES`, nicknamed like them, and the roots.

    Made in `directory` now if it is not there; safe for several processes at once.
    """
    once(directory, lambda: _make_nss_database(pki, directory))
    return directory


def _make_nss_database(pki: Pki, database: Path) -> None:
    location = f"sql:{database}"
    run([program("certutil"), "-N", "-d", location, "--empty-password"]).check()
    identities = [kind(key_type) for key_type in NSS_KEY_TYPES for kind in (pki.server, pki.client)]
    for identity in identities:
        bundle = database / f"{identity.name}.p12"
        bundle.write_bytes(_pkcs12(identity))
        run([program("pk12util"), "-i", bundle, "-d", location, "-W", "x", "-K", ""]).check()
    for identity in (pki.server("rsa"), pki.server("p256")):
        nickname = f"root-{identity.key_type}"
        run(
            [program("certutil"), "-A", "-d", location, "-n", nickname, "-t", "CT,,", "-i", identity.root]
        ).check()


def _pkcs12(identity: Identity) -> bytes:
    """Pack the identity by openssl: it alone of our tools keeps an RSA-PSS key what it is."""
    command: list[str | Path] = [program("openssl"), "pkcs12", "-export", "-name", identity.name]
    command += ["-in", identity.chain, "-inkey", identity.key, "-passout", "pass:x"]
    return run(command).check().stdout


class NSSServer(Process):
    """`selfserv`: answers an HTTP request with the request itself. `identities` are nicknames, RSA first."""

    def __init__(self, database: Path, identities: Sequence[Identity], *options: str | Path) -> None:
        self.port = free_port()
        argv: list[str | Path] = [
            program("selfserv"),
            "-d",
            f"sql:{database}",
            "-p",
            str(self.port),
            "-v",
            "-u",
            *("-t", "1"),  # one thread: what it says of connections does not mix
        ]
        for identity in identities:
            argv += ["-e" if identity.key_type.startswith("p") else "-n", identity.name]
        super().__init__([*line_buffered(), *argv, *options], merged=True)
        _listening(self, self.port)


@dataclass(frozen=True)
class NSSClient(Client):
    """`tstclnt`; trusts the roots of its database. It reads a file: at the end of a pipe it would spin."""

    programs = ("tstclnt",)
    database: Path = Path()

    def argv(self, port: int) -> list[str | Path]:
        """Return the command line for a connection to this port."""
        argv: list[str | Path] = [program("tstclnt"), "-4", "-h", ADDRESS, "-a", self.name, "-p", str(port)]
        argv += ["-d", f"sql:{self.database}", "-v", "-u", "-G"]
        if self.identity:
            argv += ["-n", self.identity.name]
        return [*argv, *self.options]

    def exchange(self, port: int, data: bytes, *, limit: float = DEFAULT_LIMIT) -> Outcome:
        """Connect, send `data`, and go on until the server closes the connection."""
        request = self.database / f"request-{os.getpid()}-{hash(data) & 0xFFFFFFFF:x}"
        request.write_bytes(data)
        return run([*self.argv(port), "-A", request], limit=limit, env=self.env)


# curl.


@dataclass(frozen=True)
class CurlClient(Client):
    """`curl`: an HTTP request for /; `data` is not used."""

    programs = ("curl",)

    def argv(self, port: int) -> list[str | Path]:
        """Return the command line for a connection to this port."""
        argv: list[str | Path] = [program("curl"), "--silent", "--show-error", "--verbose", "--noproxy", "*"]
        argv += ["--max-time", str(int(DEFAULT_LIMIT)), "--resolve", f"{self.name}:{port}:{ADDRESS}"]
        if self.identity:
            argv += ["--cert", self.identity.chain, "--key", self.identity.key]
        argv += ["--cacert", self.trust] if self.trust else ["--insecure"]
        return [*argv, *self.options, f"https://{self.name}:{port}/"]


def line_buffered() -> list[str]:
    """What goes before a command whose output into a file is to come line by line."""
    stdbuf = shutil.which("stdbuf")
    return [stdbuf, "-oL"] if stdbuf else []


def _listening(server: Process, port: int) -> None:
    try:
        server.wait_until_listening(port)
    except BaseException:
        server.close()
        raise
