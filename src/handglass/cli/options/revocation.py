"""Revocation lists, and what is shown of a verification."""

from __future__ import annotations

from .table import Options, flag, form, text, texts

REVOKED = "revocation"
REPORT = "report"


class RevocationLists(Options, title="Verification options"):
    """Where revocation lists come from; -crl_check and its kin say whether they count."""

    crl = text("CRL", "file", "Revocation lists, all that the file holds", where=REVOKED)
    crl_form = form("CRLform", "Format of -CRL; found out if not given", where=REVOKED)
    crl_download = flag("crl_download", "Fetch revocation lists from where certificates say", where=REVOKED)


class VerifyOutput(Options, title="Verification options"):
    """What is printed about the peer's chain."""

    verify_quiet = flag("verify_quiet", "Print only what is wrong with a chain", where=REPORT)
    nameopt = texts("nameopt", "options", "How names are printed", where=REPORT)
