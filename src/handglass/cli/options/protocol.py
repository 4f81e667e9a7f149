"""Protocol options: which versions are offered or accepted."""

from __future__ import annotations

from .parser import ConflictError
from .table import Options, flag, number, number_or, text

VERSIONS = "ClientHello: supported_versions"
RECORDS = "record layer"
RENEGOTIATION = "renegotiation"


class Versions(Options, title="Protocol options"):
    """The versions, by naming one or by leaving some out."""

    tls1_2 = flag("tls1_2", "TLS 1.2 and nothing else", where=VERSIONS)
    tls1_3 = flag("tls1_3", "TLS 1.3 and nothing else", where=VERSIONS)
    no_ssl3 = flag("no_ssl3", "Leave SSL 3.0 out", where=VERSIONS)
    no_tls1 = flag("no_tls1", "Leave TLS 1.0 out", where=VERSIONS)
    no_tls1_1 = flag("no_tls1_1", "Leave TLS 1.1 out", where=VERSIONS)
    no_tls1_2 = flag("no_tls1_2", "Leave TLS 1.2 out", where=VERSIONS)
    no_tls1_3 = flag("no_tls1_3", "Leave TLS 1.3 out", where=VERSIONS)


class ProtocolDetails(Options, title="Protocol options"):
    """Limits of version, and how the protocol is spoken."""

    min_protocol = text("min_protocol", "version", "Lowest version: TLSv1.2, TLSv1.3, None", where=VERSIONS)
    max_protocol = text("max_protocol", "version", "Highest version: TLSv1.2, TLSv1.3, None", where=VERSIONS)
    record_padding = number_or(
        0,
        "record_padding",
        "n",
        "Pad records of TLS 1.3 to a multiple of this size",
        where=RECORDS,
        minimum=0,
    )
    max_send_frag = number_or(
        16384,
        "max_send_frag",
        "n",
        "Most bytes of data in a record, 512 to 16384",
        where=RECORDS,
        minimum=0,
    )
    split_send_frag = number(
        "split_send_frag",
        "n",
        "Most bytes of data in a record when -max_pipelines allows more than one",
        where=RECORDS,
        minimum=0,
    )
    max_pipelines = number_or(
        1,
        "max_pipelines",
        "n",
        "Cut what is sent for this many pipelines, 1 to 32: more than one heeds -split_send_frag",
        where=RECORDS,
        minimum=0,
    )
    read_buf = number(
        "read_buf", "n", "Read at most so many bytes from the socket at once", where="socket", minimum=1
    )
    no_middlebox = flag(
        "no_middlebox",
        "Without TLS 1.3's disguise as TLS 1.2 for middleboxes",
        where="legacy_session_id, ChangeCipherSpec",
    )
    no_etm = flag("no_etm", "Without encrypt-then-MAC", where="encrypt_then_mac")
    no_comp = flag("no_comp", "Without compression, which there never is", where="compression_methods")
    allow_no_dhe_kex = flag(
        "allow_no_dhe_kex", "Also resume without a fresh key exchange", where="psk_key_exchange_modes"
    )
    strict = flag(
        "strict",
        "Show only certificates whose chains are signed as the peer accepts",
        where="Certificate",
    )
    no_renegotiation = flag("no_renegotiation", "Refuse renegotiation", where=RENEGOTIATION)
    legacy_renegotiation = flag(
        "legacy_renegotiation", "Allow peers and handshakes without RFC 5746: dangerous", where=RENEGOTIATION
    )


class ClientProtocol(Options, title="Protocol options"):
    """What only a client can say or allow."""

    fallback_scsv = flag("fallback_scsv", "Say that this is a fallback (RFC 7507)", where="cipher_suites")
    bugs = flag("bugs", "Pad a hello of 256 to 511 bytes to 512, as old servers need", where="padding")
    legacy_server_connect = flag(
        "legacy_server_connect",
        "Connect to servers without RFC 5746",
        where=RENEGOTIATION,
        also={"no_legacy_server_connect": False},
    )
    no_legacy_server_connect = flag(
        "no_legacy_server_connect",
        "Do not, which is the default",
        where=RENEGOTIATION,
        also={"legacy_server_connect": False},
    )


class ServerProtocol(Options, title="Protocol options"):
    """What only a server can allow."""

    client_renegotiation = flag(
        "client_renegotiation", "Let clients begin a renegotiation", where=RENEGOTIATION
    )


# Each row that names one protocol, and each that takes one out.
ONLY = (Versions.tls1_2, Versions.tls1_3)
WITHOUT = (Versions.no_ssl3, Versions.no_tls1, Versions.no_tls1_1, Versions.no_tls1_2, Versions.no_tls1_3)


def check_versions(options: Options) -> None:
    """Refuse two single versions, and a single version with exclusions.

    Raises ConflictError.
    """
    named = [row for row, _ in options.given if row in ONLY]
    if len(named) > 1:
        raise ConflictError("Cannot supply multiple protocol flags")
    if named and options.has(*WITHOUT):
        raise ConflictError("Cannot supply both a protocol flag and '-no_<prot>'")
