"""Certificate Transparency options: signed timestamps of certificates (RFC 6962)."""

from __future__ import annotations

from .table import Options, flag, text

ASKED = "ClientHello: signed_certificate_timestamp, status_request"


class Transparency(Options, title="Certificate Transparency options"):
    """What s_client does about timestamps."""

    ct = flag("ct", "Ask for signed certificate timestamps, verify and print them", where=ASKED)
    noct = flag(
        "noct",
        "Take back -ct and -ct_strict; the last of the three counts",
        where=ASKED,
        also={"ct": False, "ct_strict": False},
    )
    ct_strict = flag(
        "ct_strict",
        "As -ct, and demand a timestamp that is valid",
        where="certificate verification",
        ours=True,
        also={"ct": True},
    )
    ctlogfile = text(
        "ctlogfile",
        "file",
        "Logs to know, as OpenSSL's ct_log_list.cnf or as a JSON log list",
        where="certificate verification",
    )
