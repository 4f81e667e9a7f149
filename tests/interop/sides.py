"""Programs as one side of a combination: how each is told what to negotiate, and how its report is got.

A server serves many combinations (`ServerSetup` says which); the client is told to offer exactly what the
combination names. Client and server run at the same time: the test runs `ClientSide.connect` in a thread and
`ServerSide.attend` itself.

Two dialogues, because the programs want two: *lines* (the client sends a line, the server answers one, the
client leaves) and *http* (a request, an answer, the server leaves).
"""

from __future__ import annotations

import itertools
import re
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from handglass.records import dataclass, replace
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
    program,
)
from support.pki import Identity, Pki
from support.processes import DEFAULT_LIMIT, Process, ProcessError, run

RETRY_FROM = ("X25519", "P-256")
"""A client that shall be asked for another key share offers the first of these that is not wanted."""


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
        return b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" + body  # without its length: the server closes
    return request.rstrip(b"\n")[::-1] + b"\n"


class ServerSide(ABC):
    """A running server."""

    name: str
    port: int
    dialogue = "lines"
    chooses_group = False
    """Whether it goes by its own order among the groups that the client offers."""

    @abstractmethod
    def mark(self) -> None:
        """Note that what the server says from now on belongs to the next combination."""

    @abstractmethod
    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Do the server's part of the combination until the client is `done`; return what the server said."""

    def expected(self, request: bytes) -> bytes:
        """Return what the client must receive."""
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
    dialogue = "lines"

    def __init__(self, places: Places) -> None:
        self.places = places

    @abstractmethod
    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the combination's connections with data both ways; return what the client said of each."""

    def request(self, server: ServerSide, combination: Combination) -> bytes:
        """Make a request that no other combination makes, in the dialogue that suits both."""
        token = str(combination).replace(" ", "/")
        return http_request(token) if "http" in (self.dialogue, server.dialogue) else line_request(token)

    def identity(self, combination: Combination) -> Identity | None:
        """Return the certificate to show."""
        return self.places.pki.client(combination.client) if combination.client else None

    def trust(self, combination: Combination) -> Path:
        """Return the root of the server's certificate."""
        return self.places.pki.server(combination.certificate).root


class ProcessServerSide(ServerSide):
    """A server whose facts are read from the output that a connection adds."""

    process: Process
    start = 0
    """Where the output of the combination begins."""

    def mark(self) -> None:
        """Count the output from here."""
        self.start = len(self.process.stdout)

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def _added(self, marker: str, count: int, done: Callable[[], bool]) -> list[str]:
        """Wait until `marker` stands `count` times in what was added; return the parts before each."""
        deadline = time.monotonic() + DEFAULT_LIMIT
        grace: float | None = None
        while True:
            parts = self.process.stdout[self.start :].decode(errors="replace").split(marker)
            if len(parts) > count:
                return parts[:count]
            now = time.monotonic()
            if done() and grace is None:
                grace = now + 10
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
                facts.append(self._one(argv, server, self.request(server, combination)))
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
            if server.dialogue == "lines":
                process.send(b"Q\n")  # the end of input would be waited out: an answer may still come
            assert process.wait() == 0, process.text
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
    """`PROGRAM s_server` without -www or -rev: prints what it knows and receives, sends what we type."""

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
        answered = 0
        for number in range(combination.connections):
            answered += self._answer(number, answered, combination, done)
        return [from_s_server(part) for part in self._added("\nDONE\n", combination.connections, done)]

    def _answer(self, number: int, answered: int, combination: Combination, done: Callable[[], bool]) -> bool:
        """Answer the request of this connection, unless it ends without one."""
        line = line_request(str(combination).replace(" ", "/"))
        while True:
            added = self.process.stdout[self.start :]
            asked = re.findall(rb"GET /\S+ HTTP/1\.0\r\n", added) + [line] * added.count(line)
            if len(asked) > answered:
                break
            if done() or added.count(b"\nDONE\n") > number:
                return False
            time.sleep(0.002)
        self.process.send(answer_to(asked[answered]))
        if asked[answered] != line:
            self.process.wait_until_read()  # or it would be sent as data
            self.process.send(b"q\n")  # the client waits for it
        return True


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
        request = self.request(server, combination)
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
        """Let it echo; the channel bindings come last of its facts."""
        return [
            from_gnutls(part) for part in self._added("- Channel bindings", combination.connections, done)
        ]

    def expected(self, request: bytes) -> bytes:
        """Return the same: it echoes."""
        return request


# NSS.


class NSSClientSide(ClientSide):
    """`tstclnt` for one connection; `strsclnt`, which can resume but cannot be told groups, for two."""

    name = "tstclnt"
    dialogue = "http"

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the connections in one process."""
        return (self._twice if combination.resumption else self._once)(server, combination)

    def _once(self, server: ServerSide, combination: Combination) -> list[Facts]:
        groups = ",".join(GROUPS[group].nss or "" for group in groups_offered(combination))
        options = [*self._options(combination), "-c", combination.suite.nss, "-I", groups]
        client = NSSClient(self.identity(combination), options=options, database=self._database)
        request = self.request(server, combination)
        outcome = client.exchange(server.port, request).check()
        assert server.expected(request).strip() in outcome.stdout, outcome.text
        return [replace(from_nss(outcome.text), client=None)]

    def _twice(self, server: ServerSide, combination: Combination) -> list[Facts]:
        answer = server.expected(http_request("abc"))  # it asks for nothing else
        argv = [program("strsclnt"), "-4", "-D", "-v", "-u", "-q", "-d", f"sql:{self._database}"]
        argv += ["-c", "2", "-t", "1", "-a", "localhost", "-p", str(server.port)]
        argv += [*self._options(combination), "-C", combination.suite.nss]
        if identity := self.identity(combination):
            argv += ["-n", identity.name]
        text = run([*argv, ADDRESS]).text
        assert text.count(f"read {len(answer)} bytes total") == 2, text
        # Counted after the first connection and at the end, in two streams.
        hits = sorted(int(count) for count in re.findall(r"(\d+) cache hits", text))
        told = from_nss(text)
        return [replace(told, client=None, resumed=total > 0) for total in (hits[0], hits[-1])]

    @property
    def _database(self) -> Path:
        assert self.places.nss
        return self.places.nss

    @staticmethod
    def _options(combination: Combination) -> list[str]:
        version = "tls1.3" if combination.version == TLS13 else "tls1.2"
        return ["-V", f"{version}:{version}", "-J", _NSS_SCHEMES]


_NSS_SCHEMES = ",".join(
    # RSA-PSS keys are not among its defaults.
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
    chooses_group = True

    def __init__(self, places: Places, setup: ServerSetup) -> None:
        assert places.nss
        groups = [setup.only_group] if setup.only_group else [name for name in GROUPS if GROUPS[name].nss]
        options = ["-V", "tls1.2:tls1.3", "-G", "-I", ",".join(GROUPS[group].nss or "" for group in groups)]
        options += ["-c", "".join(suite.nss for suite in NSS_SUITES)]
        options += ["-r", "-r"] if setup.asks_client else []
        options += ["-J", _NSS_SCHEMES]
        process = NSSServer(places.nss, [places.pki.server(setup.certificate)], *options)
        self.process = process
        self.port = process.port
        self._hits = 0

    def attend(self, combination: Combination, done: Callable[[], bool]) -> list[Facts]:
        """Let it answer; what it tells of a connection comes in no fixed order."""
        count = combination.connections
        for marker in ("ticket parse failures", "issuer  DN: "):
            self._added(marker, count, done)
        told = self.process.stdout[self.start :].decode()
        facts = []
        for number in range(count):
            facts.append(from_nss(told, self._hits, number))
            self._hits = nss_hits(told, number)
        return facts

    def expected(self, request: bytes) -> bytes:
        """Return the request: it comes back as the body."""
        return request


NSS_SUITES = tuple(suite for suite in (*TLS13_SUITES, *TLS12_SUITES) if "CCM" not in suite.name)
"""NSS has no CCM; what else it lacks fails to be negotiated and is left out in the abilities."""


# curl.


class CurlClientSide(ClientSide):
    """`curl`; the same address twice makes two connections if the server closes, the second resumed."""

    name = "curl"
    dialogue = "http"

    def connect(self, server: ServerSide, combination: Combination) -> list[Facts]:
        """Make the connections in one process."""
        suite = combination.suite.name
        options = ["--http1.0", "--curves", ":".join(groups_offered(combination)), "--path-as-is"]
        if combination.version == TLS13:
            options += ["--tlsv1.3", "--tls13-ciphers", suite, "--ciphers", "ALL:@SECLEVEL=0"]
        else:
            options += ["--tlsv1.2", "--tls-max", "1.2", "--ciphers", f"{suite}:@SECLEVEL=0"]
        client = CurlClient(self.identity(combination), self.trust(combination), options=options)
        request = self.request(server, combination)
        argv = [str(part) for part in client.argv(server.port)]
        base = argv.pop().rstrip("/")
        argv += [base + request.split()[1].decode()] * combination.connections
        body = server.expected(request).split(b"\r\n\r\n", 1)[1]
        with Process(argv) as process:
            assert process.wait() == 0, process.text
            assert process.stdout == body * combination.connections
            parts = process.stderr.decode().split("* SSL connection using")
            return [
                from_curl(before + "SSL connection using" + after.partition("\n")[0])
                for before, after in itertools.pairwise(parts)
            ]
