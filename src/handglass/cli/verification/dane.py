"""The TLSA records that authenticate the server: those of the command line, or those that the DNS has.

Source: RFC 6698, RFC 7671; openssl-s_client(1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handglass.cli.own_certificates.identity import LoadError
from handglass.verify.dane import DaneRecords, TlsaError, TlsaRecord, parse_record


def given_records(
    rrdata: Sequence[str],
    keys: Sequence[TlsaRecord],
    *,
    no_name_checks: bool,
    warn: Callable[[str], object],
) -> DaneRecords:
    """Return the records of -dane_tlsa_rrdata that can be used. Raises `LoadError` if none can.

    `keys`: the records of -expected-rpks, which are added; `warn` gets a sentence for each record that is passed over.
    """
    records: list[TlsaRecord] = []
    for text in rrdata:
        try:
            records.append(parse_record(text))
        except TlsaError as problem:
            warn(f"warning: {problem}")
    if not records:
        raise LoadError("s_client: Failed to import any TLSA records.")
    return DaneRecords([*records, *keys], no_ee_name_checks=no_name_checks)
