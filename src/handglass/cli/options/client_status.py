"""OCSP options of the client: the stapled status of the server's certificates (RFC 6960, RFC 6066 §8)."""

from __future__ import annotations

from .table import Options, flag

STAPLED = "status_request"
CHECK = "certificate verification"


class ClientStatus(Options, title="OCSP options"):
    """What the client asks for, and what it demands."""

    status = flag("status", "Ask for the certificate's status, verify and print it", where=STAPLED)
    ocsp_check_leaf = flag(
        "ocsp_check_leaf",
        "Demand a good status of the leaf",
        where=CHECK,
        ours=True,
        also={"status": True},
    )
    ocsp_check_all = flag(
        "ocsp_check_all",
        "Demand a good status of every certificate below the root (TLS 1.3)",
        where=CHECK,
        ours=True,
        also={"status": True},
    )
