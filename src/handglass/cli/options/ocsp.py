"""OCSP options: the status of certificates (RFC 6960, RFC 6066 §8)."""

from __future__ import annotations

from .table import Options, flag, number, text

STAPLED = "status_request"


class ServerOcsp(Options, title="OCSP options"):
    """What s_server staples."""

    status = flag(
        "status", "Staple the certificate's status, which its responder is asked for", where=STAPLED
    )
    status_verbose = flag(
        "status_verbose", "As -status, and tell about it", where=STAPLED, also={"status": True}
    )
    status_timeout = number(
        "status_timeout",
        "seconds",
        "As -status, with this time limit for the responder (default 10)",
        where=STAPLED,
        also={"status": True},
    )
    status_url = text(
        "status_url",
        "url",
        "As -status; the responder for certificates that name none",
        where=STAPLED,
        also={"status": True},
    )
    status_file = text(
        "status_file",
        "file",
        "As -status; staple this response (DER). With -status_all one for each certificate",
        where=STAPLED,
        also={"status": True},
    )
    status_all = flag(
        "status_all",
        "As -status, for every certificate of the chain: TLS 1.3, and clients with status_request_v2",
        where=STAPLED,
        also={"status": True},
        ours=True,
    )
    proxy = text("proxy", "url", "HTTP proxy on the way to the responder", where=STAPLED)
    no_proxy = text("no_proxy", "hosts", "Hosts that are reached without that proxy", where=STAPLED)
