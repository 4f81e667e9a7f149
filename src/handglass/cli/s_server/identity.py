"""The certificates of -cert, -dcert and -xcert: their files, pass phrases and chains, and which one a client gets.

Chains are completed when the certificates are read, from -chainCAfile and its kin or else from the trusted ones; so
what is sent is known before anybody connects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from handglass.cli.options.s_server import SServerOptions
from handglass.cli.own_certificates.extra_certificates import load_extra
from handglass.cli.own_certificates.extra_choice import server_choice
from handglass.cli.own_certificates.identity import SECOND_KIND, SERVER, IdentityFiles, load_identity
from handglass.cli.own_certificates.own_chain import built_chain, completed_chain
from handglass.cli.own_certificates.passphrase import PassphraseSources
from handglass.cli.verification.stores import form_of
from handglass.crypto.identity import Identity
from handglass.handshake.certificates import schemes_for_certificate
from handglass.handshake.config import ServerConfig
from handglass.handshake.state import ClientHelloView
from handglass.records import dataclass, field
from handglass.verify import TrustStore

Ask = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What -pass and -dpass gave."""

    own: bytes | None = field(default=None, repr=False)
    second_kind: bytes | None = field(default=None, repr=False)


def read_secrets(options: SServerOptions) -> Secrets:
    """Read the pass phrases; two options that name the same source get a line each. Raises PassphraseError."""
    with PassphraseSources() as sources:
        own = sources.get(options.passphrase) if options.passphrase is not None else None
        return Secrets(own, sources.get(options.dpass) if options.dpass is not None else None)


@dataclass(frozen=True, slots=True)
class Chains:
    """How a server's own chains are made. `now`: seconds since 1970; `build`: -build_chain."""

    store: TrustStore
    now: int
    build: bool = False

    def complete(self, identity: Identity) -> Identity:
        """Return an identity with the chain that is to be sent. Raises LoadError."""
        return (built_chain if self.build else completed_chain)(identity, self.store, self.now)


def load_default(
    certificate: str, options: SServerOptions, secrets: Secrets, chains: Chains, ask: Ask | None
) -> tuple[Identity, ...]:
    """Return the identities of -xcert, of the certificate file and of -dcert. Raises LoadError."""
    files = IdentityFiles(
        certificate,
        options.key,
        options.cert_chain,
        form_of(options.certform),
        form_of(options.keyform),
        secrets.own,
    )
    found = [chains.complete(load_identity(files, SERVER, ask))]
    if options.dcert is not None:
        files = IdentityFiles(
            options.dcert,
            options.dkey,
            options.dcert_chain,
            form_of(options.dcertform),
            form_of(options.dkeyform),
            secrets.second_kind,
        )
        found.append(chains.complete(load_identity(files, SECOND_KIND, ask)))
    return (*load_extra(options.given, chains.store, chains.now, ask), *found)


class CheckedSets:
    """The `choose_identity` of a server with sets of -xcert: those that do not suit a client are left out, and told."""

    def __init__(self, config: ServerConfig, sets: Sequence[Identity], name_flags: int) -> None:
        self._config = config
        self._sets = sets
        self._name_flags = name_flags

    def __call__(self, hello: ClientHelloView, identities: tuple[Identity, ...]) -> Sequence[Identity]:
        """Return what is left of these, in the order in which a client prefers their signatures."""
        sets = [each for each in identities if each in self._sets]
        valid = server_choice(self._config, sets, hello, sys.stderr, self._name_flags)
        return as_client_prefers(
            hello, tuple(each for each in identities if each not in sets or each in valid)
        )


def as_client_prefers(hello: ClientHelloView, identities: tuple[Identity, ...]) -> Sequence[Identity]:
    """Return the identities in the order in which a client prefers their signatures; a `choose_identity`."""
    wanted = hello.signature_schemes

    def place(identity: Identity) -> int:
        able = schemes_for_certificate(identity.certificate)
        return next((number for number, scheme in enumerate(wanted) if scheme in able), len(wanted))

    return sorted(identities, key=place)
