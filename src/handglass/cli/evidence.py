"""What the client is told beside the chain: TLSA records, logs of timestamps, stapled responses.

Reads -dane_tlsa_domain, -dane_tlsa_rrdata and -dane_ee_no_namechecks, -ctlogfile, and turns stapled responses into
problems for -ocsp_check_leaf and -ocsp_check_all. The sentences begin as OpenSSL's do.

Source: openssl-s_client(1), openssl-verification-options(1); RFC 7633 §4 for certificates that must be stapled.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from handglass.net.files import FileError, path_of, read_file
from handglass.net.trust import LAYOUTS
from handglass.records import dataclass
from handglass.verify import Certificate, VerifyCode
from handglass.verify.ct_logs import CtLog, CtLogError, read_logs
from handglass.verify.dane import DaneRecords, TlsaError, TlsaRecord, parse_record
from handglass.verify.ocsp_judge import OcspOutcome, OcspVerdict, judge_chain, must_staple

from .identity import LoadError

STATUS_REQUEST = 5  # the number of the TLS extension (RFC 6066 §1.1)


def dane_records(
    domain: str | None,
    rrdata: Sequence[str],
    *,
    no_name_checks: bool = False,
    warn: Callable[[str], object] = lambda _: None,
) -> DaneRecords | None:
    """Return the records of -dane_tlsa_rrdata, None where DANE is not asked for. Raises `LoadError`.

    `warn` gets a sentence for each record that is passed over.
    """
    if domain is None:
        if rrdata:
            raise LoadError("DANE TLSA authentication requires the -dane_tlsa_domain option.")
        return None
    if not rrdata:
        raise LoadError("DANE TLSA authentication requires at least one -dane_tlsa_rrdata option.")
    records: list[TlsaRecord] = []
    for text in rrdata:
        try:
            records.append(parse_record(text))
        except TlsaError as problem:
            warn(f"warning: {problem}")
    if not records:
        raise LoadError("Failed to import any TLSA records.")
    return DaneRecords(records, no_ee_name_checks=no_name_checks)


def load_ct_logs(path: str | None, environment: Mapping[str, str] | None = None) -> dict[bytes, CtLog]:
    """Return the logs of -ctlogfile, or of OpenSSL's default list. Raises `LoadError`.

    The default is the environment's CTLOG_FILE, else ct_log_list.cnf in OpenSSL's directory.
    """
    variables = os.environ if environment is None else environment
    layout = next((each for each in LAYOUTS if Path(each).is_dir()), LAYOUTS[0])
    name = path or variables.get("CTLOG_FILE") or f"{layout}/ct_log_list.cnf"
    try:
        return read_logs(read_file(path_of(name)))
    except FileError as problem:
        hint = "" if path else " (name a list of logs with -ctlogfile)"
        raise LoadError(f"{problem}: log conf invalid{hint}") from None
    except CtLogError as problem:
        raise LoadError(f"{name}: {problem}") from None


@dataclass(frozen=True, slots=True)
class StatusProblem:
    """A certificate of the chain whose stapled response is missing, worthless or bad news."""

    code: VerifyCode
    depth: int
    certificate: Certificate
    sentence: str


def judge_status(
    chain: Sequence[Certificate],
    responses: Sequence[bytes | None],
    now: int | None,
    *,
    check_all: bool = False,
) -> tuple[list[OcspVerdict], list[StatusProblem]]:
    """Judge the stapled responses of a chain that was built (leaf first): -ocsp_check_leaf, -ocsp_check_all.

    Returns the verdict for each certificate below the anchor, and what is wrong with those that are to be checked.
    """
    verdicts = judge_chain(chain, responses, now)
    checked = verdicts if check_all else verdicts[:1]
    problems = [
        StatusProblem(verdict.code, depth, chain[depth], verdict.sentence)
        for depth, verdict in enumerate(checked)
        if verdict.outcome is not OcspOutcome.GOOD
    ]
    return verdicts, problems


def must_staple_problem(
    chain: Sequence[Certificate], responses: Sequence[bytes | None], *, asked: bool
) -> StatusProblem | None:
    """Return the problem of a server that owes a stapled response and sent none (RFC 7633 §4.2.3.1), else None.

    `asked`: whether our ClientHello had status_request; a server owes nothing to a client that did not ask.
    """
    if not asked or not chain or STATUS_REQUEST not in must_staple(chain[0]):
        return None
    if responses and responses[0] is not None:
        return None
    sentence = "the certificate demands a stapled OCSP response (RFC 7633), and none was sent"
    return StatusProblem(VerifyCode.OCSP_VERIFY_NEEDED, 0, chain[0], sentence)
