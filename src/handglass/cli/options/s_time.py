"""The options of s_time, and which of them do not go together."""

from __future__ import annotations

from .ciphers import Algorithms
from .extensions import Extensions
from .identity import ClientIdentity
from .misc import General
from .parser import ConflictError, UsageError, usage_error
from .protocol import VERSIONS, Versions, check_versions
from .starttls import StartTls
from .table import Option, Options, directory, flag, number, number_or, seconds_or, text, texts
from .verify import CHAIN, TRUST

MAX_PATH = 8092
"""Characters that -www takes, as many as OpenSSL's program."""


class Timing(Options, title="Timing options"):
    """What is measured."""

    connect = text(
        "connect",
        "host:port",
        "Server to connect to, an IPv6 address in brackets; localhost:4433 if none is given",
        where="network",
    )
    new = flag("new", "Time new sessions only", where="sessions", also={"reuse": False})
    reuse = flag("reuse", "Time reused sessions only", where="sessions", also={"new": False})
    time = number_or(30, "time", "seconds", "How long to collect, for each kind", where="run", minimum=1)
    www = text("www", "path", "Fetch this page over each connection", where="connection")
    parallel = number_or(
        1, "parallel", "n", "Connections under way at once", where="run", minimum=1, ours=True
    )


class Limits(Options, title="Timing options"):
    """How long one connection may take."""

    connect_timeout = seconds_or(
        30.0, "connect_timeout", "Time limit for looking up and connecting, 0 for none", where="network"
    )
    handshake_timeout = seconds_or(
        30.0, "handshake_timeout", "Time limit for each handshake, 0 for none", where="handshake"
    )
    answer_timeout = seconds_or(
        30.0, "answer_timeout", "Time limit for the whole page of -www, 0 for none", where="connection"
    )


class ServerName(Options, title="Extension options"):
    """Whose certificate is asked for."""

    servername = text(
        "servername",
        "name",
        "Server name to ask for (SNI), sent as it is",
        where="ClientHello: server_name",
        ours=True,
    )
    noservername = flag("noservername", "Send no server name", where="ClientHello: server_name", ours=True)


def _gone(name: str, version: str) -> Option[bool]:
    """Make the row of a version that the engine does not have: read, so that a sentence can say so."""
    return Option(
        name, None, f"{version} and nothing else", convert=None, default=False, where=VERSIONS, hidden=True
    )


class MissingVersions(Options, title="Protocol options"):
    """The versions of OpenSSL's program that are not there."""

    ssl3 = _gone("ssl3", "SSL 3.0")
    tls1 = _gone("tls1", "TLS 1.0")
    tls1_1 = _gone("tls1_1", "TLS 1.1")


class Bugs(Options, title="Protocol options"):
    """For old servers."""

    bugs = flag("bugs", "Pad a hello of 256 to 511 bytes to 512, as old servers need", where="padding")


class TrustedPlaces(Options, title="Verification options"):
    """Whether the server's chain is judged, and by which trusted certificates."""

    verify = number(
        "verify",
        "depth",
        "Judge the server's chain in each handshake, and how long it may be; errors are shown and counted",
        where=CHAIN,
        minimum=1,
    )
    nameopt = texts("nameopt", "options", "How names of certificates are printed", where="report")
    ca_file = text(
        ("CAfile", "cafile"), "file", "Trusted certificates, in place of the system's", where=TRUST
    )
    ca_path = directory("CApath", "Directory of trusted certificates named by subject hash", where=TRUST)
    ca_store = text(
        "CAstore", "uri", "File or directory of trusted certificates, as URI or path", where=TRUST
    )
    no_ca_file = flag("no-CAfile", "Without the system's file of trusted certificates", where=TRUST)
    no_ca_path = flag("no-CApath", "Without the system's directory of trusted certificates", where=TRUST)
    no_ca_store = flag("no-CAstore", "Without the system's store of trusted certificates", where=TRUST)


class STimeOptions(
    General,
    Timing,
    Limits,
    StartTls,
    Versions,
    MissingVersions,
    Bugs,
    Algorithms,
    ServerName,
    Extensions,
    ClientIdentity,
    TrustedPlaces,
    program="s_time",
    summary="Time the connections that a TLS server makes, new and resumed",
):
    """The parsed command line of s_time."""

    def check(self) -> None:
        """Look at options that exclude or need each other.

        Raises UsageError with the text to print.
        """
        rows = type(self)
        missing = self.last(rows.ssl3, rows.tls1, rows.tls1_1)
        if missing is not None:
            version = missing.help.removesuffix(" and nothing else")
            raise UsageError(
                f"s_time: -{missing.names[0]}: this engine does not speak {version}; it speaks TLS 1.2 and TLS 1.3"
            )
        check_versions(self)
        if self.servername is not None and self.noservername:
            raise usage_error(rows, "Can't use -servername and -noservername together")
        if self.key is not None and self.cert is None:
            raise ConflictError("s_time: -key is the key of a certificate: give that with -cert")
        if self.www is not None:
            self._check_path(self.www)

    def _check_path(self, path: str) -> None:
        if len(path) > MAX_PATH:
            raise ConflictError("s_time: -www option is too long")
        if not path or not path.isascii() or not path.isprintable() or " " in path:
            raise ConflictError(
                "s_time: -www takes a path as it stands in a request: ASCII, and blanks as %20"
            )
