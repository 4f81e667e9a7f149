"""The options of s_client, and which of them do not go together."""

from __future__ import annotations

from .chain import ChainChecks
from .ciphers import Algorithms, ClientAlgorithms
from .client_status import ClientStatus
from .connect import Connect
from .dane import Dane
from .extensions import ClientExtensions, Extensions, Heartbeat
from .identity import ClientIdentity, ExtraIdentities, IdentityForms
from .io import ClientInput
from .misc import Configuration, General, Obsolete, Randomness
from .output import ClientOutput, MessageFile, Output
from .parser import ConflictError, usage_error
from .protocol import ClientProtocol, ProtocolDetails, Versions, check_versions
from .raw_keys import RawKeys
from .revocation import RevocationLists, VerifyOutput
from .session import ClientSession
from .starttls import StartTls
from .stores import Stores
from .transparency import Transparency
from .verify import ClientVerify, Judging, PeerName, Trust, Verify

FRAGMENT_LENGTHS = (512, 1024, 2048, 4096)


class SClientOptions(
    General,
    Obsolete,
    Randomness,
    Configuration,
    Connect,
    StartTls,
    Versions,
    ProtocolDetails,
    ClientProtocol,
    Algorithms,
    ClientAlgorithms,
    ClientExtensions,
    Extensions,
    Heartbeat,
    ClientIdentity,
    IdentityForms,
    ExtraIdentities,
    Trust,
    Stores,
    ClientVerify,
    Verify,
    PeerName,
    Judging,
    RevocationLists,
    VerifyOutput,
    ChainChecks,
    ClientStatus,
    Dane,
    Transparency,
    RawKeys,
    ClientSession,
    ClientInput,
    ClientOutput,
    Output,
    MessageFile,
    program="s_client",
    usage="[options] [host:port]",
    summary="Connect to a TLS server, show everything about the connection, and talk to the server",
):
    """The parsed command line of s_client."""

    def check(self) -> None:
        """Look at options that exclude or need each other.

        Raises UsageError with the text to print.
        """
        check_versions(self)
        if self.target is not None and self.connect is not None:
            raise usage_error(type(self), "cannot provide both -connect option and target parameter")
        self._check_way()
        if self.maxfraglen is not None and self.maxfraglen not in FRAGMENT_LENGTHS:
            raise usage_error(type(self), f"Max Fragment Len {self.maxfraglen} is out of permitted values")
        self._check_dane()
        if self.servername is not None and self.noservername:
            raise usage_error(type(self), "Can't use -servername and -noservername together")

    def _check_dane(self) -> None:
        """Look at what DANE needs."""
        if self.dane_tlsa_domain is not None and self.noservername:
            raise usage_error(type(self), "Can't use -dane_tlsa_domain and -noservername together")
        if self.dane_lookup:
            self._check_dane_lookup()
        elif self.dns_server is not None:
            raise usage_error(type(self), "-dns_server needs -dane_lookup")
        elif self.dane_tlsa_domain is not None and not self.dane_tlsa_rrdata:
            raise ConflictError(
                "s_client: DANE TLSA authentication requires at least one -dane_tlsa_rrdata option."
            )
        if self.dane_tlsa_rrdata and self.dane_tlsa_domain is None:
            raise ConflictError("s_client: DANE TLSA authentication requires the -dane_tlsa_domain option.")

    def _check_dane_lookup(self) -> None:
        if self.dane_tlsa_rrdata:
            raise usage_error(type(self), "Give records with -dane_tlsa_rrdata or look them up, not both")
        if self.noservername:
            raise usage_error(type(self), "Can't use -dane_lookup and -noservername together")
        if self.unix is not None:
            raise usage_error(type(self), "-dane_lookup needs a port, which a Unix-domain socket has not")

    def _check_way(self) -> None:
        """Look at how the server is to be reached."""
        rows = type(self)
        internet = (rows.connect, rows.host, rows.port, rows.only_ipv4, rows.only_ipv6, rows.target)
        order = [row for row, _ in self.given if row is rows.unix or row in internet]
        if rows.unix in order and len(set(order)) > 1:
            families = "unix and internet" if order[0] is rows.unix else "internet and unix"
            raise ConflictError(f"s_client: Intermixed protocol flags ({families} domains)")
        if self.proxy is not None and self.connect is None and self.target is None:
            raise usage_error(rows, "-proxy requires use of -connect or target parameter")
        if self.proxy_pass is not None and self.proxy_user is None:
            raise ConflictError("Error: Must specify proxy_user with proxy_pass")
        proxies = (self.proxy, self.socks, self.socks4)
        chosen = sum(1 for proxy in proxies if proxy is not None)
        if chosen > 1:
            raise usage_error(rows, "Give only one of -proxy, -socks and -socks4")
        if self.unix is not None and (chosen or self.proxy_env):
            raise usage_error(rows, "A Unix-domain socket cannot be reached through a proxy")
