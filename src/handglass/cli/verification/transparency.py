"""The signed timestamps of a server's certificate: read, verified against the known logs, told, demanded if asked for.

As with OpenSSL's s_client, timestamps are verified only for a chain that was verified and has an issuer, and not where
a TLSA record of usage 2 or 3 vouches for the server (RFC 7671 §5): then their status stays "not set", and here a line
says why. -ct by itself changes no outcome; -ct_strict makes a problem of it if no timestamp was found valid.

Source: RFC 6962 §3; openssl-s_client(1), CTLOG_STORE_load_default_file(3), SSL_CTX_set_ct_validation_callback(3).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from handglass.cli.own_certificates.identity import LoadError
from handglass.net.files import FileError, path_of, read_file
from handglass.net.trust import LAYOUTS
from handglass.records import dataclass, replace
from handglass.verify.certificate import Certificate
from handglass.verify.codes import VerifyCode
from handglass.verify.result import Event, Kind, VerifyResult

if TYPE_CHECKING:
    from handglass.handshake.state import PeerChain
    from handglass.verify.ct_logs import CtLog
    from handglass.verify.sct import CtReport, TimestampVerdict


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs that are known, by their ids, and whether a valid timestamp of one of them is `demanded`."""

    by_id: Mapping[bytes, CtLog]
    demanded: bool = False


def load_logs(path: str | None, environment: Mapping[str, str] | None = None) -> dict[bytes, CtLog]:
    """Return the logs of -ctlogfile, or of OpenSSL's default list. Raises `LoadError`.

    The default is the environment's CTLOG_FILE, else ct_log_list.cnf in OpenSSL's directory.
    """
    from handglass.verify.ct_logs import CtLogError, read_logs  # noqa: PLC0415 - only for who asks about timestamps

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


class Timestamps:
    """The timestamps of one server and the verdicts on them.

    `result`: what came of the chain; `now`: seconds since 1970; `vouched`: a TLSA record stands for the server.
    """

    def __init__(
        self, chain: PeerChain, result: VerifyResult, logs: Logs, now: int, *, vouched: bool = False
    ) -> None:
        from handglass.verify.sct import judge_timestamps, list_timestamps  # noqa: PLC0415 - see load_logs

        self._demanded = logs.demanded
        self._leaf = leaf = Certificate(chain.certificates[0])
        response = next(iter(chain.ocsp_responses), None)
        self._why_not = _reason_not_to(result, vouched=vouched)
        self._report: CtReport
        if self._why_not:
            self._report = list_timestamps(leaf, logs.by_id, extension=chain.scts, ocsp=response)
        else:
            issuer, milliseconds = result.chain[1], now * 1000
            self._report = judge_timestamps(
                leaf, issuer, logs.by_id, milliseconds, extension=chain.scts, ocsp=response
            )

    def judged(self, result: VerifyResult) -> VerifyResult:
        """Return the outcome of a verification, with the lack of a valid timestamp added if one is demanded."""
        code = self._report.code
        if not self._demanded or code == VerifyCode.OK or not result.ok:
            return result
        event = Event(Kind.PROBLEM, code, 0, self._leaf, self._why_not)
        return replace(result, code=code, events=(*result.events, event))

    def text(self) -> str:
        """Return OpenSSL's block, then where each timestamp came from and what is wrong with it."""
        from handglass.verify.sct_text import report_text  # noqa: PLC0415 - see load_logs

        lines = [f"{number}, {_told(verdict)}" for number, verdict in enumerate(self._report.verdicts, 1)]
        lines += self._report.problems
        if lines and self._why_not:
            lines.append(f"not done: {self._why_not}")
        return report_text(self._report) + "".join(f"SCT verification: {line}\n" for line in lines)


def _reason_not_to(result: VerifyResult, *, vouched: bool) -> str:
    """Say why timestamps of this chain are not verified; empty where they are."""
    if not result.ok:
        return "the chain was not verified"
    if vouched:
        return "a TLSA record vouches for the server, which needs no public log then"
    if len(result.chain) < 2:
        return "the certificate is trusted itself, so that there is no issuer to verify with"
    return ""


def _told(verdict: TimestampVerdict) -> str:
    """Say where a timestamp came from, and what came of it."""
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"from the {verdict.timestamp.source.value}: {verdict.status.value}{reason}"
