"""Judges the peer's certificates during the handshake, and says on standard error what OpenSSL's programs say.

The verdict is kept: the reports take "Verification: OK" and "Verify return code" from it, and say nothing where there
is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from handglass.cli.verification.stapled import Demand, Stapled
from handglass.cli.verification.transparency import Logs, Timestamps
from handglass.handshake.state import PeerChain
from handglass.verify.certificate import Certificate
from handglass.verify.codes import VerifyCode
from handglass.verify.dane import DaneRecords
from handglass.verify.dane import Judge as DaneMatcher
from handglass.verify.nameopt import ONELINE, format_name
from handglass.verify.params import VerifyParams
from handglass.verify.path import verify_chain
from handglass.verify.policy_text import policy_lines
from handglass.verify.raw_key import verify_raw_key
from handglass.verify.refusal import refusal
from handglass.verify.result import Event, Kind, VerifyResult
from handglass.verify.store import TrustStore

MAX_CERTIFICATES = 100


class Judge:
    """A `verify_peer`: builds and checks the chain, prints the steps to `err`, keeps the `result`.

    `return_error`: a bad chain ends the handshake (-verify_return_error). `quiet`: only problems are printed.
    `dane`: the TLSA records that authenticate the peer. `stapled`: how much a stapled status counts, None if it is not
    looked at. `logs`: whose timestamps are looked for, None if none are. `fetch_issuers`: missing certificates are
    fetched from where others say (AIA); `tell` gets a sentence for each that cannot be had.
    """

    def __init__(
        self,
        store: TrustStore,
        params: VerifyParams,
        *,
        err: IO[str],
        return_error: bool = False,
        quiet: bool = False,
        name_flags: int = ONELINE,
        now: int,
        fetch_issuers: bool = False,
        tell: Callable[[str], None] = lambda _: None,
        stapled: Demand | None = None,
        logs: Logs | None = None,
        dane: DaneRecords | None = None,
    ) -> None:
        self._store = store
        self._params = params
        self._err = err
        self._return_error = return_error
        self._quiet = quiet
        self._name_flags = name_flags
        self._now = now
        self._fetch_issuers = fetch_issuers
        self._tell = tell
        self._demand = stapled
        self._logs = logs
        self._dane = dane
        self.matched: str | None = None
        """Which TLSA record the peer was authenticated by, as OpenSSL tells it."""
        self.stapled: Stapled | None = None
        """What was stapled, if that was asked for."""
        self.timestamps: Timestamps | None = None
        """The signed timestamps, if they were asked for."""
        self.result: VerifyResult | None = None

    def __call__(self, chain: PeerChain) -> None:
        """Judge a chain, or a raw public key. Raises PeerError if it is bad and that is to end the handshake."""
        self.result = result = self._judge_key(chain) if chain.public_key else self._judge_chain(chain)
        for event in result.events:
            self._print(event, result)
        error = refusal(result) if self._return_error else None
        if error is not None:
            raise error

    def _judge_key(self, chain: PeerChain) -> VerifyResult:
        dane = self._dane.judge() if self._dane is not None else None
        expected = dane is not None and dane.match_raw_key(chain.public_key)
        self._note_match(dane)
        return verify_raw_key(chain.public_key, self._params, expected=expected, decide=self._decide)

    def _judge_chain(self, chain: PeerChain) -> VerifyResult:
        certificates = [Certificate(data) for data in chain.certificates]
        if self._fetch_issuers:
            from handglass.net.pki_fetch import (  # noqa: PLC0415 - only who fetches needs it
                ISSUER_LIMITS,
                Fetcher,
                complete_chain,
            )

            fetcher = Fetcher(ISSUER_LIMITS, tell=self._tell)
            certificates = complete_chain(certificates, self._store, fetcher)
        leaf, *others = certificates
        dane = self._dane.judge() if self._dane is not None else None
        result = verify_chain(
            leaf, others, self._store, self._params, self._now, decide=self._decide, dane=dane
        )
        self._note_match(dane)
        if self._demand is not None:
            self.stapled = Stapled(chain, result, self._now)
            result = self.stapled.judged(result, self._demand)
        if self._logs is not None:
            vouched = dane is not None and dane.vouches
            self.timestamps = Timestamps(chain, result, self._logs, self._now, vouched=vouched)
            result = self.timestamps.judged(result)
        return result

    def _note_match(self, dane: DaneMatcher | None) -> None:
        if dane is not None and dane.matched is not None:
            self.matched = dane.matched.text

    def _decide(self, event: Event) -> bool:
        return event.kind is not Kind.PROBLEM or not self._return_error

    def _print(self, event: Event, result: VerifyResult) -> None:
        good = event.kind is not Kind.PROBLEM
        if self._quiet and good:
            self._write(self._detail(event))
            return
        subject = "<no cert>"
        if event.certificate is not None:
            subject = format_name(event.certificate.subject, self._name_flags)
        lines = [f"depth={event.depth} {subject}"]
        if not good:
            lines.append(f"verify error:num={int(event.code)}:{event.text}")
        known = self._detail(event)
        if not good and event.detail and not known:
            lines.append(f"verify detail:{event.detail}")
        lines += known
        if not self._quiet and _tells_policies(event):
            lines += policy_lines(result.policies)
        if good or not self._return_error:
            lines.append(f"verify return:{int(event.kind) if good else 1}")
            if self._quiet:
                lines.pop()
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        self._err.write("".join(line + "\n" for line in lines))
        self._err.flush()

    def _detail(self, event: Event) -> list[str]:
        """What OpenSSL adds for some problems, also on the lines after them."""
        certificate = event.certificate
        if certificate is None:
            return []
        if event.code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT:
            return [f"issuer= {format_name(certificate.issuer, self._name_flags)}"]
        if event.code in {VerifyCode.CERT_NOT_YET_VALID, VerifyCode.ERROR_IN_CERT_NOT_BEFORE_FIELD}:
            return [f"notBefore={certificate.not_before.text}"]
        if event.code in {VerifyCode.CERT_HAS_EXPIRED, VerifyCode.ERROR_IN_CERT_NOT_AFTER_FIELD}:
            return [f"notAfter={certificate.not_after.text}"]
        return []


def _tells_policies(event: Event) -> bool:
    """Whether OpenSSL's programs print the outcome of policy processing here."""
    if event.kind is Kind.POLICIES:
        return event.code == VerifyCode.OK
    return event.kind is Kind.PROBLEM and event.code == VerifyCode.NO_EXPLICIT_POLICY
