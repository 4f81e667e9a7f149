"""Protocol options: which versions are offered or accepted."""

from __future__ import annotations

from .parser import ConflictError
from .table import Options, flag

VERSIONS = "ClientHello: supported_versions"


class Versions(Options, title="Protocol options"):
    """The versions, by naming one or by leaving some out."""

    tls1_2 = flag("tls1_2", "TLS 1.2 and nothing else", where=VERSIONS)
    tls1_3 = flag("tls1_3", "TLS 1.3 and nothing else", where=VERSIONS)
    no_ssl3 = flag("no_ssl3", "Leave SSL 3.0 out", where=VERSIONS)
    no_tls1 = flag("no_tls1", "Leave TLS 1.0 out", where=VERSIONS)
    no_tls1_1 = flag("no_tls1_1", "Leave TLS 1.1 out", where=VERSIONS)
    no_tls1_2 = flag("no_tls1_2", "Leave TLS 1.2 out", where=VERSIONS)
    no_tls1_3 = flag("no_tls1_3", "Leave TLS 1.3 out", where=VERSIONS)


# Each row that names one protocol, and each that takes one out.
ONLY = (Versions.tls1_2, Versions.tls1_3)
WITHOUT = (Versions.no_ssl3, Versions.no_tls1, Versions.no_tls1_1, Versions.no_tls1_2, Versions.no_tls1_3)


def check_versions(options: Options) -> None:
    """Refuse two single versions, and a single version with exclusions.

    Raises ConflictError.
    """
    named = [row for row, _ in options.given if row in ONLY]
    if len(named) > 1:
        raise ConflictError("Cannot supply multiple protocol flags")
    if named and options.has(*WITHOUT):
        raise ConflictError("Cannot supply both a protocol flag and '-no_<prot>'")
