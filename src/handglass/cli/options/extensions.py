"""Extension options: what the hello carries beside versions and algorithms."""

from __future__ import annotations

from .table import Options, flag, number, text


class Extensions(Options, title="Extension options"):
    """On both sides."""

    alpn = text(
        "alpn", "protocols", "Application protocols, best first, separated by commas", where="ALPN extension"
    )


class Heartbeat(Options, title="Extension options"):
    """RFC 6520."""

    heartbeat = flag(
        "heartbeat",
        "Let the peer send heartbeats, and ask to be let (RFC 6520)",
        where="heartbeat",
        ours=True,
    )


class ClientExtensions(Options, title="Extension options"):
    """Of the client."""

    servername = text(
        "servername", "name", "Server name to ask for (SNI), sent as it is", where="ClientHello: server_name"
    )
    noservername = flag("noservername", "Send no server name", where="ClientHello: server_name")
    enable_pha = flag(
        "enable_pha",
        "Let the server ask for a certificate later (TLS 1.3)",
        where="ClientHello: post_handshake_auth",
    )
    maxfraglen = number(
        "maxfraglen",
        "n",
        "Ask for records of at most 512, 1024, 2048 or 4096 bytes",
        where="max_fragment_length",
    )
    request_ca_file = text(
        "requestCAfile",
        "file",
        "Name the certificates of this file as acceptable authorities",
        where="certificate_authorities",
    )


class ServerExtensions(Options, title="Extension options"):
    """Of the server."""

    servername = text("servername", "name", "Name for which -cert2 is served", where="choice of certificate")
    servername_fatal = flag(
        "servername_fatal",
        "Refuse clients that ask for another name than that of -servername and those in -cert_dir",
        where="choice of certificate",
    )
    no_ca_names = flag("no_ca_names", "Name no acceptable authorities to clients", where="CertificateRequest")
