"""Programs as one side of a combination: how each is told what to negotiate, and how its report is got.

A server serves many combinations (`ServerSetup` says which); the client is told to offer exactly what the
combination names. Client and server run at the same time: the test runs `ClientSide.connect` in a thread and
`ServerSide.attend` itself.

Two dialogues, because the programs want two: *lines* (the client sends a line, the server answers one, the client
leaves) and *http* (a request, an answer, the server leaves).
"""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from interop.combinations import Combination
from interop.facts import (
    Facts,
    from_curl,
    from_gnutls,
    from_nss,
    from_s_client,
    from_s_server,
    nss_hits,
)
from interop.vocabulary import GROUPS, TLS12_SUITES, TLS13, TLS13_SUITES
from support.peers import (
    ADDRESS,
    CurlClient,
    GnuTLSClient,
    GnuTLSServer,
    NSSClient,
    NSSServer,
    OpenSSLServer,
)
from support.pki import Identity, Pki
from support.processes import DEFAULT_LIMIT, Process, ProcessError

RETRY_FROM = ("X25519", "P-256")
"""A client that shall be asked for another key share offers the first of these that is not the wanted group."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where certificates lie."""

    pki: Pki
    nss: Path | None = None


@dataclass(frozen=True, slots=True)
class ServerSetup:
    """What a server process must be started with for a combination; the rest is up to the client."""

    certificate: str
    asks_client: bool
    only_group: str | None

    @classmethod
    def of(cls, combination: Combination) -> ServerSetup:
        """Return the set-up that serves this combination."""
        return cls(
            combination.certificate,
            combination.client is not None,
            combination.group if combination.retry else None,
        )


def groups_offered(combination: Combination) -> tuple[str, ...]:
    """Return the groups for the client, the one of its only key share first."""
    if not combination.retry:
        return combination.groups
    first = next(group for group in RETRY_FROM if group != combination.group)
    return (first, *combination.groups)


def http_request(token: str) -> bytes:
    """Make the request of the dialogue *http*."""
    return f"GET /{token} HTTP/1.0\r\n\r\n".encode()


def line_request(token: str) -> bytes:
    """Make the line of the dialogue *lines*; long enough for more than one record of the smaller sizes."""
    return (token + "." * 6000 + token[::-1] + "\n").encode()


def answer_to(request: bytes) -> bytes:
    """Answer in either dialogue, as a server does that is free to answer what it likes."""
    if request.startswith(b"GET /"):
        body = request.split()[1][::-1] + b"\n"
        return b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
    return request.rstrip(b"\n")[::-1] + b"\n"


class ServerSide(ABC):
    """A running server."""

    name: str
    port: int
    dialogue = "lines"

    @abstractmethod
    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Do the server's part of the combination until the client is `done`; return what the server said."""

    def expected(self, request: bytes) -> bytes:
        """What the client must receive."""
        return answer_to(request)

    @abstractmethod
    def close(self) -> None:
        """End it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ClientSide(ABC):
    """A client, started anew for each combination."""

    name: str
    dialogues: tuple[str, ...] = ("lines",)

    def __init__(self, places: Places) -> None:
        self.places = places

    @abstractmethod
    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the combination's connections with data both ways; return what the client said of each."""

    def identity(self, combination: Combination) -> Identity | None:
        """The certificate to show."""
        return self.places.pki.client(combination.client) if combination.client else None

    def trust(self, combination: Combination) -> Path:
        """The root of the server's certificate."""
        return self.places.pki.server(combination.certificate).root


def request_for(server: ServerSide, combination: Combination, connection: int) -> bytes:
    """Make a request that no other connection makes."""
    token = f"{combination} {connection}".replace(" ", "/")
    return http_request(token) if server.dialogue == "http" else line_request(token)


class ProcessServerSide(ServerSide):
    """A server whose facts are read from the output that a connection adds."""

    process: Process

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def _added(self, start: int, marker: str, count: int, done: Callable[[], bool]) -> list[str]:
        """Wait until `marker` stands `count` times in the output after `start`; return the parts before each."""
        deadline = time.monotonic() + DEFAULT_LIMIT
        grace: float | None = None
        while True:
            parts = self.process.stdout[start:].decode(errors="replace").split(marker)
            if len(parts) > count:
                return parts[:count]
            now = time.monotonic()
            if done() and grace is None:
                grace = now + 2
            if now > deadline or (grace and now > grace) or self.process.returncode is not None:
                raise ProcessError(
                    f"{self.name} tells of {len(parts) - 1}, not {count} connections:\n{parts}"
                )
            time.sleep(0.002)


# OpenSSL, and programs that take its options and print its text.


class CommandClient(ClientSide):
    """`PROGRAM s_client`, a new process for each connection."""

    def __init__(self, places: Places, command: Sequence[str], name: str) -> None:
        super().__init__(places)
        self.command = list(command)
        self.name = name

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make one connection, or one that saves its session and one that takes it."""
        with tempfile.TemporaryDirectory() as directory:
            session = Path(directory) / "session.pem"
            facts = []
            for number in range(combination.connections):
                argv = self._argv(server.port, combination)
                if combination.resumption:
                    argv += ["-sess_in" if number else "-sess_out", str(session)]
                facts.append(self._one(argv, server, request_for(server, combination, number)))
            return facts

    def _argv(self, port: int, combination: Combination) -> list[str]:
        argv = [*self.command, "s_client", "-connect", f"{ADDRESS}:{port}", "-servername", "localhost"]
        argv += ["-verify_return_error", "-CAfile", str(self.trust(combination))]
        argv += ["-groups", ":".join(groups_offered(combination))]
        if combination.version == TLS13:
            argv += ["-tls1_3", "-ciphersuites", combination.suite.name, "-cipher", "ALL:@SECLEVEL=0"]
        else:
            argv += ["-tls1_2", "-cipher", f"{combination.suite.name}:@SECLEVEL=0"]
        if combination.resumption == "session id":
            argv += ["-no_ticket"]
        if identity := self.identity(combination):
            argv += ["-cert", str(identity.certificate), "-key", str(identity.key)]
            argv += ["-cert_chain", str(identity.intermediate)]
        return argv

    def _one(self, argv: list[str], server: ServerSide, request: bytes) -> Facts:
        expected = server.expected(request).strip()
        with Process(argv) as process:
            process.send(request)
            wait_for_bytes(process, expected)
            process.end_input()
            status = process.wait()
            assert status == 0 or server.dialogue == "http", f"s_client ended with {status}:\n{process.text}"
            return from_s_client(process.text)


def wait_for_bytes(process: Process, expected: bytes, count: int = 1) -> None:
    """Wait until the process has printed something; its end before that is an error."""
    deadline = time.monotonic() + DEFAULT_LIMIT
    while process.stdout.count(expected) < count:
        ended = process.returncode is not None
        if (ended and process.stdout.count(expected) < count) or time.monotonic() > deadline:
            raise ProcessError(
                f"did not receive {expected[:80]!r}…:\n{' '.join(process.argv)}\n{process.text}"
            )
        time.sleep(0.002)


class CommandServer(ProcessServerSide):
    """`PROGRAM s_server` without -www or -rev: it prints what it knows and receives, and sends what we type."""

    def __init__(self, places: Places, setup: ServerSetup, command: Sequence[str], name: str) -> None:
        self.name = name
        options = [
            "-cipher",
            "ALL:@SECLEVEL=0",
            "-ciphersuites",
            ":".join(suite.name for suite in TLS13_SUITES),
        ]
        options += ["-groups", setup.only_group or ":".join(GROUPS)]
        if setup.asks_client:
            options += ["-Verify", "3", "-verify_return_error"]
        identity = places.pki.server(setup.certificate)
        process = OpenSSLServer(identity, *options, trust=places.pki.roots, command=command)
        self.process = process
        self.port = process.port

    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Answer each connection's request by hand, then read what was printed."""
        start = len(self.process.stdout)
        for number in range(combination.connections):
            self._answer(start, number, combination, done)
        return [from_s_server(part) for part in self._added(start, "\nDONE\n", combination.connections, done)]

    def _answer(self, start: int, number: int, combination: Combination, done: Callable[[], bool]) -> None:
        """Wait for the request of this connection, or for its end if the client wanted only a session."""
        lines, http = (
            make(f"{combination} {number}".replace(" ", "/")) for make in (line_request, http_request)
        )
        while True:
            added = self.process.stdout[start:]
            if lines in added or http in added:
                break
            if done() or added.count(b"\nDONE\n") > number:
                return
            time.sleep(0.002)
        self.process.send(answer_to(lines if lines in added else http))
        if http in added:
            time.sleep(0.05)  # what is read together with the answer would be sent as data
            self.process.send(b"q\n")


# GnuTLS.

_GNUTLS_REST = "+GROUP-ALL:+SIGN-ALL:+CTYPE-X509:+COMP-NULL"


class GnuTLSClientSide(ClientSide):
    """`gnutls-cli`; with --resume it makes both connections itself, and sends data on the second."""

    name = "gnutls-cli"

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the connections in one process."""
        version = "TLS1.3" if combination.version == TLS13 else "TLS1.2"
        groups = ":".join(f"+GROUP-{GROUPS[group].gnutls}" for group in groups_offered(combination))
        priority = (
            f"NONE:+VERS-{version}:{combination.suite.gnutls}:{groups}:+SIGN-ALL:+CTYPE-X509:+COMP-NULL"
        )
        options = ["--priority", priority, "--single-key-share"]
        if combination.resumption:
            options += ["--resume"] + (["--waitresumption"] if combination.version == TLS13 else [])
        if combination.resumption == "session id":
            options += ["--noticket"]
        client = GnuTLSClient(self.identity(combination), self.trust(combination), options=options)
        request = request_for(server, combination, combination.connections - 1)
        with client.start(server.port) as process:
            process.send(request)
            wait_for_bytes(process, server.expected(request).strip())
            process.end_input()
            assert process.wait() == 0, process.text
            parts = process.text.split("- Connecting again")
            return [from_gnutls(part) for part in parts]


class GnuTLSServerSide(ProcessServerSide):
    """`gnutls-serv --echo`."""

    name = "gnutls-serv"

    def __init__(self, places: Places, setup: ServerSetup) -> None:
        suites = ":".join(
            dict.fromkeys(":".join(s.gnutls for s in (*TLS12_SUITES, *TLS13_SUITES)).split(":"))
        )
        group = f"+GROUP-{GROUPS[setup.only_group].gnutls}" if setup.only_group else "+GROUP-ALL"
        priority = f"NONE:+VERS-TLS1.3:+VERS-TLS1.2:{suites}:{group}:+SIGN-ALL:+CTYPE-X509:+COMP-NULL"
        client = (
            ["--require-client-cert", "--verify-client-cert"]
            if setup.asks_client
            else ["--disable-client-cert"]
        )
        process = GnuTLSServer(
            places.pki.server(setup.certificate),
            *("--echo", "--priority", priority, *client),
            trust=places.pki.roots if setup.asks_client else None,
        )
        self.process = process
        self.port = process.port

    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Let it echo; the line that it has received comes after all its facts."""
        start = len(self.process.stdout)
        return [
            from_gnutls(part) for part in self._added(start, "received cmd: ", combination.connections, done)
        ]

    def expected(self, request: bytes) -> bytes:
        """It echoes."""
        return request


# NSS.


class NSSClientSide(ClientSide):
    """`tstclnt`, which makes both connections itself, one after the other, each until the server leaves."""

    name = "tstclnt"
    dialogues = ("http",)

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the connections in one process, with a request typed into each."""
        assert self.places.nss
        version = "tls1.3" if combination.version == TLS13 else "tls1.2"
        groups = ",".join(GROUPS[group].nss or "" for group in groups_offered(combination))
        options = ["-V", f"{version}:{version}", "-c", combination.suite.nss, "-I", groups]
        options += ["-L", str(combination.connections)]
        if "rsa_pss" in (combination.certificate, combination.client):
            options += ["-J", _NSS_SCHEMES]
        client = NSSClient(self.identity(combination), options=options, database=self.places.nss)
        with client.start(server.port) as process:
            ends = []
            for number in range(combination.connections):
                process.send(request := request_for(server, combination, number))
                wait_for_bytes(process, server.expected(request).strip())
                ends.append(len(process.stderr))
            assert process.wait() in (0, 1), process.text
            told = process.stderr
            parts = [told[: ends[0]].decode(), told[ends[0] :].decode()][: combination.connections]
            return [from_nss(part) for part in parts]


_NSS_SCHEMES = ",".join(
    [
        *(f"rsa_pss_pss_sha{bits}" for bits in (256, 384, 512)),
        *(f"rsa_pss_rsae_sha{bits}" for bits in (256, 384, 512)),
        *("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512"),
        *(f"rsa_pkcs1_sha{bits}" for bits in (256, 384, 512)),
    ]
)


class NSSServerSide(ProcessServerSide):
    """`selfserv`: answers a request with the request."""

    name = "selfserv"
    dialogue = "http"

    def __init__(self, places: Places, setup: ServerSetup) -> None:
        assert places.nss
        groups = [setup.only_group] if setup.only_group else [name for name in GROUPS if GROUPS[name].nss]
        options = ["-V", "tls1.2:tls1.3", "-G", "-I", ",".join(GROUPS[group].nss or "" for group in groups)]
        options += ["-c", "".join(suite.nss for suite in NSS_SUITES)]
        options += ["-r", "-r"] if setup.asks_client else []
        options += ["-J", _NSS_SCHEMES] if setup.certificate == "rsa_pss" else []
        process = NSSServer(places.nss, [places.pki.server(setup.certificate)], *options)
        self.process = process
        self.port = process.port
        self._hits = 0

    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Let it answer; its counters come last."""
        start = len(self.process.stdout)
        facts = []
        for part in self._added(start, "ticket parse failures", combination.connections, done):
            facts.append(from_nss(part, self._hits))
            self._hits = nss_hits(part)
        return facts

    def expected(self, request: bytes) -> bytes:
        """It sends the request back as the body."""
        return request


NSS_SUITES = tuple(suite for suite in (*TLS13_SUITES, *TLS12_SUITES) if "CCM" not in suite.name)
"""NSS has no CCM; what else it lacks fails to be negotiated and is left out in the abilities."""


# curl.


class CurlClientSide(ClientSide):
    """`curl`; the same address twice makes two connections when the server closes the first, the second resumed."""

    name = "curl"
    dialogues = ("http",)

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the connections in one process."""
        suite = combination.suite.name
        options = ["--http1.0", "--curves", ":".join(groups_offered(combination)), "--path-as-is"]
        if combination.version == TLS13:
            options += ["--tlsv1.3", "--tls13-ciphers", suite, "--ciphers", "ALL:@SECLEVEL=0"]
        else:
            options += ["--tlsv1.2", "--tls-max", "1.2", "--ciphers", f"{suite}:@SECLEVEL=0"]
        client = CurlClient(self.identity(combination), self.trust(combination), options=options)
        requests = [request_for(server, combination, number) for number in range(combination.connections)]
        argv = [str(part) for part in client.argv(server.port)]
        base = argv.pop().rstrip("/")
        with Process([*argv, *(base + request.split()[1].decode() for request in requests)]) as process:
            assert process.wait() == 0, process.text
            for request in requests:
                assert server.expected(request).split(b"\r\n\r\n", 1)[1] in process.stdout
            parts = process.stderr.decode().split("* SSL connection using")
            heads = ["", *parts[1:-1]]
            return [
                from_curl(head + "SSL connection using" + part)
                for head, part in zip(heads, parts[1:], strict=True)
            ]
