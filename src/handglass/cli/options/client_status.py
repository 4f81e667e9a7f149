"""OCSP options of the client: the stapled status of the server's certificates (RFC 6960, RFC 6066 §8)."""

from __future__ import annotations

from .table import Options, flag

STAPLED = "status_request"
CHECK = "certificate verification"


class ClientStatus(Options, title="OCSP options"):
    """What the client asks for, and what it demands."""

    status = flag("status", "Ask for the certificate's status, verify and print it", where=STAPLED)
    status_all = flag(
        "status_all",
        "As -status, for every certificate of the chain: TLS 1.3, and TLS 1.2 with status_request_v2",
        where=STAPLED,
        ours=True,
        also={"status": True},
    )
    ocsp_check_leaf = flag(
        "ocsp_check_leaf",
        "Demand a good status of the leaf",
        where=CHECK,
        ours=True,
        also={"status": True},
    )
    ocsp_check_all = flag(
        "ocsp_check_all",
        "As -status_all, and demand a good status of every certificate below the root",
        where=CHECK,
        ours=True,
        also={"status": True, "status_all": True},
    )
