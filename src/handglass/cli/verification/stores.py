"""The stores of a program: one to judge the peer by, one to complete one's own chain from.

The peer is judged by -verifyCAfile and its kin if one of them is given, else by -CAfile and its kin, else by the
system's default; one's own chain is completed likewise from -chainCAfile and its kin, -CAfile and its kin, or the
default. Revocation lists that are downloaded (-crl_download) belong to one verification, with limits of its own.

Sources: SSL_CTX_set1_verify_cert_store(3), openssl-verification-options(1), openssl-s_server(1).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from handglass.cli.own_certificates.identity import load_crl_file
from handglass.net.trust import TrustOptions, TrustPlaces, open_trust
from handglass.records import dataclass
from handglass.verify import Certificate, Crl, TrustStore

if TYPE_CHECKING:
    from handglass.cli.options.s_client import SClientOptions
    from handglass.cli.options.s_server import SServerOptions
    from handglass.cli.options.s_time import STimeOptions
    from handglass.cli.options.verify_program import VerifyOptions
    from handglass.crypto.containers import Form


@dataclass(frozen=True, slots=True)
class Stores:
    """The places that the options name, opened. `download`: whether -crl_download was given."""

    trusted: TrustPlaces
    peer: TrustPlaces
    own: TrustPlaces
    crls: Sequence[Crl] = ()
    download: bool = False

    def peer_store(self, tell: Callable[[str], None] = lambda _: None) -> TrustStore:
        """Return a store to judge by; with -crl_download it is for one verification, else for any number.

        `tell` gets a sentence for each list that cannot be downloaded.
        """
        if not self.download:
            return TrustStore(crls=self.crls, sources=[self.peer])
        from handglass.net.pki_fetch import (  # noqa: PLC0415 - only who fetches needs it
            CRL_LIMITS,
            Fetcher,
            crl_downloader,
        )

        fetch = crl_downloader(Fetcher(CRL_LIMITS, tell=tell))

        def lists(certificate: Certificate) -> list[Crl]:
            return [*self.crls, *fetch(certificate)]

        return TrustStore(sources=[self.peer], download=lists)

    def own_store(self) -> TrustStore:
        """Return a store to complete one's own chain from."""
        return TrustStore(sources=[self.own])

    def issuers(self) -> TrustStore:
        """Return a store to find the issuers of one's own certificates in."""
        return TrustStore(sources=[self.own, self.trusted])


def trusted_places(options: SClientOptions | SServerOptions | STimeOptions | VerifyOptions) -> TrustOptions:
    """Return what -CAfile and its kin name."""
    return TrustOptions(
        options.ca_file,
        options.ca_path,
        options.ca_store,
        options.no_ca_file,
        options.no_ca_path,
        options.no_ca_store,
    )


def open_stores(
    options: SClientOptions | SServerOptions, environment: Mapping[str, str] = os.environ
) -> Stores:
    """Open what the options name. Raises TrustError, LoadError."""
    common = open_trust(trusted_places(options), environment)
    peer = TrustOptions(options.verify_ca_file, options.verify_ca_path, options.verify_ca_store)
    own = TrustOptions(options.chain_ca_file, options.chain_ca_path, options.chain_ca_store)
    crls: list[bytes] = []
    for path in options.all(type(options).crl):
        crls += load_crl_file(path, form_of(options.crl_form))
    return Stores(
        trusted=common,
        peer=open_trust(peer) if peer.given else common,
        own=open_trust(own) if own.given else common,
        crls=[Crl(data) for data in crls],
        download=options.crl_download,
    )


def form_of(word: str | None) -> Form | None:
    """Return the format that -certform, -keyform, -CRLform and the like name; None: to be found out."""
    return cast("Form | None", word)
