"""The options of s_client, and which of them do not go together."""

from __future__ import annotations

from .chain import ChainChecks
from .ciphers import Algorithms
from .connect import Connect
from .extensions import ClientExtensions, Extensions
from .identity import ClientIdentity, ExtraIdentities, IdentityForms
from .io import ClientInput
from .misc import General
from .output import ClientOutput, Output
from .parser import usage_error
from .protocol import ClientProtocol, ProtocolDetails, Versions, check_versions
from .revocation import RevocationLists, VerifyOutput
from .session import ClientSession
from .stores import Stores
from .verify import ClientVerify, Judging, PeerName, Trust, Verify

FRAGMENT_LENGTHS = (512, 1024, 2048, 4096)


class SClientOptions(
    General,
    Connect,
    Versions,
    ProtocolDetails,
    ClientProtocol,
    Algorithms,
    ClientExtensions,
    Extensions,
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
    ClientSession,
    ClientInput,
    ClientOutput,
    Output,
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
        if self.maxfraglen is not None and self.maxfraglen not in FRAGMENT_LENGTHS:
            raise usage_error(type(self), f"Max Fragment Len {self.maxfraglen} is out of permitted values")
        if self.servername is not None and self.noservername:
            raise usage_error(type(self), "Can't use -servername and -noservername together")
