"""DANE options: certificates named in the DNS (RFC 6698, RFC 7671)."""

from __future__ import annotations

from .table import Options, flag, text, texts

CHAIN = "certificate verification"


class Dane(Options, title="DANE options"):
    """What s_client does about TLSA records."""

    dane_tlsa_domain = text(
        "dane_tlsa_domain", "domain", "TLSA base domain; also the server name to ask for", where=CHAIN
    )
    dane_tlsa_rrdata = texts(
        "dane_tlsa_rrdata", "record", 'TLSA record as "usage selector matching-type hex"', where=CHAIN
    )
    dane_ee_no_namechecks = flag(
        "dane_ee_no_namechecks", "Compare no names where usage 3 matches", where=CHAIN
    )
    dane_lookup = flag(
        "dane_lookup",
        "Look the TLSA records up in the DNS; only answers validated by DNSSEC count",
        where=CHAIN,
        ours=True,
    )
    dns_server = text(
        "dns_server",
        "address[:port]",
        "Validating resolver for -dane_lookup, in place of the system's",
        where=CHAIN,
        ours=True,
    )
