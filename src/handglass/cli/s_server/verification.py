"""How s_server asks for client certificates and judges them.

Without -crl_download a judgement takes a moment and is made on the spot. With it a client's certificate says where
revocation lists are fetched, so the question is deferred and answered by a thread: the loop never waits.
"""

from __future__ import annotations

import sys
import time
from typing import IO

from handglass.cli.options.s_server import SServerOptions
from handglass.cli.own_certificates.identity import load_ca_names
from handglass.cli.protocol.negotiation import EngineSettings, schemes_named
from handglass.cli.verification.chain_parameters import chain_parameters, name_flags
from handglass.cli.verification.judge import Judge
from handglass.cli.verification.raw_keys import expected_keys
from handglass.cli.verification.stores import Stores
from handglass.handshake.config import ClientAuthentication
from handglass.handshake.state import PeerChain
from handglass.net.server import Server
from handglass.registry.code_points import SignatureScheme
from handglass.verify.dane import DaneRecords
from handglass.verify.params import NAMED_SETS, VerifyParams


class Verifier:
    """The `verify_peer` of all connections: a fresh judge each time, kept with the connection it is about."""

    def __init__(self, options: SServerOptions, stores: Stores, params: VerifyParams) -> None:
        keys = expected_keys(options)
        self._dane = DaneRecords(keys) if keys else None
        self._stores = stores
        self._store = stores.peer_store()
        self._params = params
        self._return_error = options.verify_return_error
        self._quiet = options.quiet or options.verify_quiet
        self.name_flags = name_flags(options.nameopt)
        self.server: Server | None = None
        self.err: IO[str] = sys.stderr

    @property
    def may_wait(self) -> bool:
        """Whether a judgement may have to wait for somebody else's server."""
        return self._stores.download

    def __call__(self, chain: PeerChain) -> None:
        """Judge a client's chain. Raises PeerError if it is bad and that is to end the handshake."""
        judge = Judge(
            self._stores.peer_store(self._complain) if self.may_wait else self._store,
            self._params,
            err=self.err,
            return_error=self._return_error,
            quiet=self._quiet,
            name_flags=self.name_flags,
            dane=self._dane,
            now=int(time.time()),
        )
        link = self.server.asking if self.server is not None else None
        try:
            judge(chain)
        finally:
            if link is not None:
                link.verdict = judge.result

    def _complain(self, words: str) -> None:
        self.err.write(f"s_server: {words}\n")


def make_verifier(options: SServerOptions, engine: EngineSettings, stores: Stores) -> Verifier:
    """Return what judges clients. Raises BadParameterError, and LoadError for the keys of -expected-rpks."""
    own = VerifyParams(depth=verify_depth(options), auth_level=engine.security_level)
    params = NAMED_SETS["ssl_client"].overridden(own).overridden(chain_parameters(options.given))
    return Verifier(options, stores, params)


def verify_depth(options: SServerOptions) -> int | None:
    """Return the depth of the last of -verify and -Verify."""
    row = options.last(SServerOptions.verify, SServerOptions.verify_required)
    if row is None:
        return None
    return options.verify if row is SServerOptions.verify else options.verify_required


def authentication(options: SServerOptions) -> ClientAuthentication:
    """Return whether clients are asked for a certificate."""
    if options.verify_required is not None:
        return ClientAuthentication.REQUIRE
    return ClientAuthentication.NONE if options.verify is None else ClientAuthentication.REQUEST


def authorities(options: SServerOptions) -> tuple[bytes, ...]:
    """Return the names (DER) of the authorities that clients are told of. Raises LoadError."""
    if options.ca_file is None:
        return ()
    names = load_ca_names(options.ca_file)
    return () if options.no_ca_names else tuple(names)


def client_schemes(options: SServerOptions, engine: EngineSettings) -> tuple[SignatureScheme, ...]:
    """Return the schemes of -client_sigalgs, none if they are those of -sigalgs. Raises SettingError."""
    if options.client_sigalgs is None:
        return ()
    return schemes_named("client_sigalgs", options.client_sigalgs, engine.security_level)
