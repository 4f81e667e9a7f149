"""Raw public key options: keys in the place of certificates (RFC 7250)."""

from __future__ import annotations

from .table import Options, flag, texts


class RawKeys(Options, title="Raw public key options"):
    """On both sides."""

    enable_server_rpk = flag(
        "enable_server_rpk",
        "Let the server show a raw public key in place of a certificate",
        where="server_certificate_type",
    )
    enable_client_rpk = flag(
        "enable_client_rpk",
        "Let the client show a raw public key in place of a certificate",
        where="client_certificate_type",
    )
    expected_rpks = texts(
        "expected-rpks",
        "file",
        "Public keys of which the peer must have one, be it raw or in its certificate",
        where="certificate verification",
    )
