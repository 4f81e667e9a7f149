"""The status that a server stapled to its certificates: judged, told, and counted among the problems if that is asked.

OpenSSL's s_client prints a stapled response and believes it unseen. Here its signature, its responder, its times and
the certificate that it is about are checked, and what came of it stands below it. Only -ocsp_check_leaf and
-ocsp_check_all make it part of the verification, so that "Verify return code" means without them what it means there.

Source: RFC 6960 §3.2, RFC 6066 §8, RFC 8446 §4.4.2.1, RFC 7633 (must-staple).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from handglass.handshake.state import PeerChain
from handglass.records import replace
from handglass.registry.code_points import ExtensionType
from handglass.verify.certificate import Certificate
from handglass.verify.result import Event, Kind, VerifyResult


class Demand(Enum):
    """How much a stapled status counts."""

    NOTHING = 0
    LEAF = 1
    ALL = 2


class Stapled:
    """The responses of one server and the verdicts on them, leaf first. `now`: seconds since 1970."""

    def __init__(self, chain: PeerChain, result: VerifyResult, now: int) -> None:
        from handglass.verify.ocsp_judge import (  # noqa: PLC0415 - only for who asks about the status
            OcspOutcome,
            OcspVerdict,
            judge_chain,
        )

        sent = [Certificate(data) for data in chain.certificates]
        self._built: Sequence[Certificate] = result.chain if len(result.chain) > 1 else sent
        self._responses = chain.ocsp_responses
        self._leaf = sent[0]
        stapled = dict(zip(chain.certificates, chain.ocsp_responses, strict=False))
        self._verdicts = judge_chain(self._built, [stapled.get(each.der) for each in self._built], now)
        if not self._verdicts:  # nobody is known who could speak for the leaf
            self._verdicts = [OcspVerdict(OcspOutcome.NO_RESPONSE)]

    def judged(self, result: VerifyResult, demand: Demand) -> VerifyResult:
        """Return the outcome of a verification with what the demand finds wrong added to it."""
        from handglass.verify.ocsp_judge import OcspOutcome  # noqa: PLC0415 - see above

        count = {Demand.NOTHING: 0, Demand.LEAF: 1, Demand.ALL: len(self._verdicts)}[demand]
        for depth, verdict in enumerate(self._verdicts[:count]):
            if verdict.outcome is OcspOutcome.GOOD:
                continue
            event = Event(Kind.PROBLEM, verdict.code, depth, self._built[depth], verdict.sentence)
            result = replace(result, code=verdict.code, events=(*result.events, event))
        return result

    def text(self) -> str:
        """Return the leaf's response as OpenSSL prints it, then our verdict on every response."""
        from handglass.verify.ocsp import read_response  # noqa: PLC0415 - see above
        from handglass.verify.ocsp_judge import OcspOutcome, must_staple  # noqa: PLC0415 - see above
        from handglass.verify.ocsp_text import status_block  # noqa: PLC0415 - see above

        response = next(iter(self._responses), None)
        lines = [status_block(None if response is None else read_response(response)).rstrip("\n")]
        for depth, verdict in enumerate(self._verdicts):
            if verdict.outcome is not OcspOutcome.NO_RESPONSE:
                lines.append(f"OCSP verification: depth={depth} {verdict.sentence}")
                lines += [f"OCSP verification: depth={depth} {note}" for note in verdict.notes]
        if response is None and ExtensionType.STATUS_REQUEST in must_staple(self._leaf):
            lines.append(
                "OCSP verification: the certificate demands a response (must-staple), and none was sent"
            )
        return "\n".join(lines) + "\n"
