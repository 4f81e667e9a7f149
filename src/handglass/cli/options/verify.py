"""Verification options: whom to trust, what to check besides, and what to do about a bad chain."""

from __future__ import annotations

from .table import Options, directory, flag, form, number, text

TRUST = "trusted certificates"
CHAIN = "certificate verification"
REVOKED = "revocation"
BUILD = "own certificate chain"


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


class Stores(Options, title="Verification options"):
    """More places of certificates: for both purposes, for the peer's chain alone, for one's own chain alone."""

    ca_store = text(
        "CAstore", "uri", "File or directory of trusted certificates, as a URI or path", where=TRUST
    )
    no_ca_file = flag("no-CAfile", "Leave the system's file of trusted certificates out", where=TRUST)
    no_ca_path = flag("no-CApath", "Leave the system's directory of trusted certificates out", where=TRUST)
    no_ca_store = flag("no-CAstore", "Leave the system's store of trusted certificates out", where=TRUST)
    verify_ca_file = text("verifyCAfile", "file", "Trusted certificates for the peer only", where=TRUST)
    verify_ca_path = directory(
        "verifyCApath", "Directory of trusted certificates for the peer only", where=TRUST
    )
    verify_ca_store = text(
        "verifyCAstore", "uri", "Store of trusted certificates for the peer only", where=TRUST
    )
    chain_ca_file = text("chainCAfile", "file", "Certificates to complete one's own chain with", where=BUILD)
    chain_ca_path = directory(
        "chainCApath", "Directory of certificates to complete one's own chain with", where=BUILD
    )
    chain_ca_store = text(
        "chainCAstore", "uri", "Store of certificates to complete one's own chain with", where=BUILD
    )


class Revocation(Options, title="Verification options"):
    """Where certificate revocation lists come from."""

    crl = text("CRL", "file", "CRLs to check against", where=REVOKED)
    crl_form = form("CRLform", "Format of -CRL; found out if not given", where=REVOKED)
    crl_download = flag(
        "crl_download", "Fetch CRLs from where certificates say, with -crl_check", where=REVOKED
    )


class Places(Trust, Stores, Revocation):
    """Everything that says where certificates and revocation lists are."""


class Judging(Options, title="Verification options"):
    """What is told, kept and fetched while a chain is judged."""

    verify_quiet = flag("verify_quiet", "Print no line for a certificate without an error", where="report")
    aia_fetch = flag("aia_fetch", "Fetch missing issuers from where certificates say", where=CHAIN, ours=True)
    presented_out = text(
        "presented_out", "file", "Write the chain that the peer sent, as PEM", where="report", ours=True
    )
    verified_out = text(
        "verified_out", "file", "Write the chain that was verified, as PEM", where="report", ours=True
    )
