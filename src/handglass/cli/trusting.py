"""From the options of trust to stores: for the peer's chain, and for one's own.

Both default to -CAfile, -CApath and -CAstore, or else the system's places; -verifyCA… and -chainCA… replace them for
one of the two purposes.

Source: openssl-s_client(1), SSL_CTX_set1_verify_cert_store(3).
"""

from __future__ import annotations

from collections.abc import Mapping

from handglass.cli.identity import form_of, load_crl_file
from handglass.cli.options.verify import Places
from handglass.net.trust import TrustOptions, open_trust
from handglass.verify.crl import Crl
from handglass.verify.store import TrustStore


def peer_store(options: Places, environment: Mapping[str, str]) -> TrustStore:
    """Whom we trust when we judge a peer, with the CRLs. Raises TrustError, LoadError."""
    own = TrustOptions(options.verify_ca_file, options.verify_ca_path, options.verify_ca_store)
    places = open_trust(own if own.given else _common(options), environment)
    download = None
    if options.crl_download:
        from handglass.net.pki_fetch import crl_downloader  # noqa: PLC0415 - only who fetches needs it

        download = crl_downloader()
    lists = load_crl_file(options.crl, form_of(options.crl_form)) if options.crl is not None else []
    return TrustStore(crls=map(Crl, lists), sources=[places], download=download)


def chain_store(options: Places, environment: Mapping[str, str]) -> TrustStore:
    """Where the issuers of our own certificate are looked for. Raises TrustError."""
    own = TrustOptions(options.chain_ca_file, options.chain_ca_path, options.chain_ca_store)
    return TrustStore(sources=[open_trust(own if own.given else _common(options), environment)])


def _common(options: Places) -> TrustOptions:
    return TrustOptions(
        options.ca_file,
        options.ca_path,
        options.ca_store,
        options.no_ca_file,
        options.no_ca_path,
        options.no_ca_store,
    )
