"""The options of s_server, and which of them do not go together."""

from __future__ import annotations

from .chain import ChainChecks
from .ciphers import Algorithms, ServerAlgorithms
from .connect import Accept
from .extensions import Extensions, Heartbeat, ServerExtensions
from .http import Answers
from .identity import ExtraIdentities, IdentityForms, ServerIdentity
from .io import ServerInput
from .misc import Configuration, General, Obsolete, Randomness
from .ocsp import ServerOcsp
from .output import MessageFile, Output, ServerOutput
from .parser import ConflictError
from .protocol import ProtocolDetails, ServerProtocol, Versions, check_versions
from .raw_keys import RawKeys
from .revocation import RevocationLists, VerifyOutput
from .session import ServerSession
from .stores import Stores
from .verify import PeerName, ServerVerify, Trust, Verify


class SServerOptions(
    General,
    Obsolete,
    Randomness,
    Configuration,
    Accept,
    Versions,
    ProtocolDetails,
    ServerProtocol,
    Algorithms,
    ServerAlgorithms,
    ServerExtensions,
    Extensions,
    Heartbeat,
    ServerIdentity,
    IdentityForms,
    ExtraIdentities,
    Trust,
    Stores,
    ServerVerify,
    Verify,
    VerifyOutput,
    PeerName,
    ChainChecks,
    RevocationLists,
    ServerOcsp,
    RawKeys,
    ServerSession,
    Answers,
    ServerInput,
    ServerOutput,
    MessageFile,
    Output,
    program="s_server",
    summary="Serve TLS to any number of clients and show everything about their connections",
):
    """The parsed command line of s_server."""

    def check(self) -> None:
        """Look at options that exclude or need each other.

        Raises UsageError with the text to print.
        """
        check_versions(self)
        if self.max_early_data < 0:
            raise ConflictError("Invalid value for max_early_data")
        if self.sendfile and not (self.www_files or self.http):
            raise ConflictError("Can't use -sendfile without -WWW or -HTTP")
        if self.unix is not None and (self.only_ipv4 or self.only_ipv6):
            raise ConflictError("Can't use unix sockets and -4 or -6 together")
        if self.workers > 1:
            self._check_workers()
        if self.early_data and (self.www or self.www_files or self.http or self.rev):
            raise ConflictError("Can't use -early_data in combination with -www, -WWW, -HTTP, or -rev")

    def _check_workers(self) -> None:
        if not (self.www or self.www_files or self.http or self.rev):
            raise ConflictError(
                "-workers needs one of -www, -WWW, -HTTP or -rev: one keyboard cannot serve several"
            )
        if self.unix is not None:
            raise ConflictError("Can't use -workers with -unix: processes cannot share its path")
        if self.naccept is not None:
            raise ConflictError("Can't use -workers with -naccept: each process counts for itself")
