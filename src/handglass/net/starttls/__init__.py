"""STARTTLS: a dialogue per protocol (one file each), their table, and `start_tls`, which holds one."""

from handglass.net.starttls.negotiate import Negotiated, Prelude, start_tls
from handglass.net.starttls.spoken import Names, Spoken, StreamWrapper
from handglass.net.starttls.table import PLAIN_TLS, PROTOCOLS, StartTls, help_lines, protocol_named

__all__ = [
    "PLAIN_TLS",
    "PROTOCOLS",
    "Names",
    "Negotiated",
    "Prelude",
    "Spoken",
    "StartTls",
    "StreamWrapper",
    "help_lines",
    "protocol_named",
    "start_tls",
]
