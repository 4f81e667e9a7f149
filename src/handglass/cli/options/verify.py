"""Verification options: whom to trust and what to do about a bad chain."""

from __future__ import annotations

from .table import Options, directory, flag, number, text

TRUST = "trusted certificates"
CHAIN = "certificate verification"


class Trust(Options, title="Verification options"):
    """The trusted certificates."""

    ca_file = text(
        "CAfile",
        "file",
        "Trusted certificates, in place of the system's; a server also names them to clients",
        where=TRUST,
    )
    ca_path = directory("CApath", "Directory of trusted certificates named by subject hash", where=TRUST)


class ClientVerify(Options, title="Verification options"):
    """What s_client demands."""

    verify = number(
        "verify",
        "depth",
        "Longest chain of CA certificates to accept; errors are shown",
        where=CHAIN,
        minimum=1,
    )


class ServerVerify(Options, title="Verification options"):
    """What s_server demands."""

    verify = number("verify", "depth", "Ask clients for a certificate; depth limits its chain", where=CHAIN)
    verify_required = number(
        "Verify", "depth", "Ask clients for a certificate and refuse those without one", where=CHAIN
    )


class Verify(Options, title="Verification options"):
    """On both sides."""

    verify_return_error = flag(
        "verify_return_error", "End the handshake at the first verification error", where=CHAIN
    )


class PeerName(Options, title="Verification options"):
    """Whom the certificate must name."""

    verify_hostname = text("verify_hostname", "name", "DNS name that the certificate must carry", where=CHAIN)


class Judging(Options, title="Verification options"):
    """What is kept and fetched while a chain is judged."""

    aia_fetch = flag("aia_fetch", "Fetch missing issuers from where certificates say", where=CHAIN, ours=True)
    presented_out = text(
        "presented_out", "file", "Write the chain that the peer sent, as PEM", where="report", ours=True
    )
    verified_out = text(
        "verified_out", "file", "Write the chain that was verified, as PEM", where="report", ours=True
    )
