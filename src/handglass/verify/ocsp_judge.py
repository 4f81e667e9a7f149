"""What an OCSP response is worth: who signed it, for which certificate, and for when (RFC 6960 §3.2, §4.2.2).

One verdict for each certificate, with every problem that was found and never "good" for something that was
not checked: a response that cannot be used says nothing about the certificate. `must_staple` tells what a
certificate promises about stapling (RFC 7633).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from handglass.crypto import der
from handglass.crypto.certificate_signature import CertificateSignatureError, check_signature
from handglass.records import dataclass

from .certificate import Certificate
from .codes import VerifyCode
from .extensions import DIGITAL_SIGNATURE, NON_REPUDIATION, TLS_FEATURE
from .ocsp import BasicResponse, OcspResponse, SingleResponse, read_response, response_status_text

__all__ = ["OcspOutcome", "OcspVerdict", "judge_chain", "judge_response", "must_staple"]

OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
LEEWAY = 300  # seconds that a responder's clock may differ from ours, as `openssl ocsp` allows
REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}


class OcspOutcome(Enum):
    """What is known about a certificate after its OCSP response was judged."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    INVALID = "the response cannot be used"
    NO_RESPONSE = "no response"


@dataclass(frozen=True, slots=True)
class OcspVerdict:
    """One certificate's verdict.

    `problems`: what makes the response unusable, in the order found; `single`: what the responder said, if it
    spoke of this certificate at all; `responder`: the certificate whose key signed; `notes`: what is odd and
    changes nothing.
    """

    outcome: OcspOutcome
    problems: tuple[str, ...] = ()
    single: SingleResponse | None = None
    responder: Certificate | None = None
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> VerifyCode:
        """OpenSSL's outcome for it."""
        return {
            OcspOutcome.GOOD: VerifyCode.OK,
            OcspOutcome.REVOKED: VerifyCode.CERT_REVOKED,
            OcspOutcome.UNKNOWN: VerifyCode.OCSP_CERT_UNKNOWN,
            OcspOutcome.INVALID: VerifyCode.OCSP_VERIFY_FAILED,
            OcspOutcome.NO_RESPONSE: VerifyCode.OCSP_VERIFY_NEEDED,
        }[self.outcome]

    @property
    def sentence(self) -> str:
        """The verdict in words: "revoked (keyCompromise) since Nov 20 22:00:51 2026 GMT"."""
        if self.outcome is OcspOutcome.INVALID:
            return "; ".join(self.problems)
        single = self.single
        if self.outcome is OcspOutcome.REVOKED and single is not None and single.revocation_time is not None:
            reason = f" ({REASONS.get(single.reason, single.reason)})" if single.reason is not None else ""
            return f"revoked{reason} since {single.revocation_time.text}"
        return str(self.outcome.value)


def judge_response(
    response: OcspResponse | bytes,
    certificate: Certificate,
    issuer: Certificate | None,
    now: int | None,
    *,
    nonce: bytes | None = None,
    trusted_responders: Sequence[Certificate] = (),
    leeway: int = LEEWAY,
) -> OcspVerdict:
    """Judge what a response says of a certificate that `issuer` issued.

    `now`: seconds since 1970, None to check no times; `nonce`: what was sent, None if nothing was;
    `trusted_responders`: responders that need no delegation (RFC 6960 §4.2.2.2, first case).
    """
    response = read_response(response) if isinstance(response, bytes) else response
    if response.status is None:
        return OcspVerdict(OcspOutcome.INVALID, response.problems)
    if response.status != 0:
        word = response_status_text(response.status)
        return OcspVerdict(OcspOutcome.INVALID, (f"the responder answered {word} ({response.status})",))
    if response.basic is None:
        kind = (
            f"its type {response.response_type} is not known"
            if response.response_type
            else "it holds nothing"
        )
        return OcspVerdict(
            OcspOutcome.INVALID, response.problems or (f"the response cannot be used: {kind}",)
        )
    if issuer is None:
        return OcspVerdict(OcspOutcome.INVALID, ("the issuer of the certificate is not known",))
    basic = response.basic
    problems: list[str] = []
    notes = list(response.problems)
    responder, found = _responder(basic, issuer, trusted_responders, now)
    problems += found
    if nonce is not None and basic.nonce != nonce:
        if basic.nonce is None:
            notes.append("the responder returned no nonce")
        else:
            problems.append("the nonce is not the one that was sent")
    single = next((each for each in basic.responses if each.cert_id.names(certificate, issuer)), None)
    if single is None:
        problems.append("it says nothing about this certificate")
    else:
        problems += _time_problems(single, now, leeway)
        if any(extension.critical for extension in (*single.extensions, *basic.extensions)):
            problems.append("it has a critical extension, and none is understood")
    if problems or single is None:
        return OcspVerdict(OcspOutcome.INVALID, tuple(problems), single, responder, tuple(notes))
    return OcspVerdict(OcspOutcome[single.status.name], (), single, responder, tuple(notes))


def judge_chain(
    chain: Sequence[Certificate],
    responses: Sequence[bytes | None],
    now: int | None,
    *,
    trusted_responders: Sequence[Certificate] = (),
) -> list[OcspVerdict]:
    """Judge one stapled response for each certificate of a chain that was built, leaf first.

    The anchor at the end has no issuer to speak for it and gets no verdict. A missing response, or one too
    few, is `NO_RESPONSE`.
    """
    verdicts = []
    for depth, (certificate, issuer) in enumerate(pairwise(chain)):
        data = responses[depth] if depth < len(responses) else None
        if data is None:
            verdicts.append(OcspVerdict(OcspOutcome.NO_RESPONSE))
            continue
        verdicts.append(judge_response(data, certificate, issuer, now, trusted_responders=trusted_responders))
    return verdicts


def must_staple(certificate: Certificate) -> frozenset[int]:
    """Return the TLS extensions that a certificate demands: 5 is status_request (RFC 7633 §4.1).

    A malformed extension demands nothing.
    """
    extension = certificate.extension(TLS_FEATURE)
    if extension is None:
        return frozenset()
    try:
        features = der.parse(extension.value).expect(der.SEQUENCE, "TLS feature").children()
        return frozenset(der.integer(each.expect(der.INTEGER, "feature").content) for each in features)
    except der.DerError:
        return frozenset()


def _responder(
    basic: BasicResponse, issuer: Certificate, trusted: Sequence[Certificate], now: int | None
) -> tuple[Certificate | None, list[str]]:
    """Find who signed and whether it may (§4.2.2.2): the issuer, its delegate, or one that we trust."""
    named = [each for each in (issuer, *trusted, *basic.certificates) if basic.is_by(each)]
    if not named:
        return None, ["the certificate of the responder is neither known nor in the response"]
    reason = ""
    for candidate in named:
        try:
            _check(basic, candidate)
        except CertificateSignatureError as problem:
            reason = str(problem)
            continue
        if candidate.spki == issuer.spki and candidate.subject == issuer.subject:
            return candidate, []
        if candidate in trusted:
            return candidate, _validity_problems(candidate, now)
        return candidate, _delegation_problems(candidate, issuer, now)
    return None, [f"the signature of the response is wrong: {reason}"]


def _check(basic: BasicResponse, signer: Certificate) -> None:
    algorithm = basic.signature_algorithm
    check_signature(algorithm.oid, algorithm.parameters, signer.spki, basic.signed, basic.signature)


def _delegation_problems(signer: Certificate, issuer: Certificate, now: int | None) -> list[str]:
    """Say why a responder's certificate gives it no authority to speak for the issuer."""
    problems = []
    algorithm = signer.signature_algorithm
    try:
        if signer.issuer != issuer.subject:
            raise CertificateSignatureError("it was issued by another authority")
        check_signature(algorithm.oid, algorithm.parameters, issuer.spki, signer.tbs, signer.signature)
    except CertificateSignatureError as problem:
        problems.append(f"the responder has no authority: {problem}")
    purposes = signer.facts.extended_key_usage
    if purposes is None or OCSP_SIGNING not in purposes:
        problems.append("the responder has no authority: its certificate is not for OCSP signing")
    if not signer.facts.allows(DIGITAL_SIGNATURE, NON_REPUDIATION):
        problems.append("the responder has no authority: its key may not sign")
    return problems + _validity_problems(signer, now)


def _validity_problems(signer: Certificate, now: int | None) -> list[str]:
    if now is None:
        return []
    before, after = signer.not_before.seconds, signer.not_after.seconds
    if before is None or after is None:
        return ["the validity of the responder's certificate cannot be read"]
    if now < before:
        return [f"the responder's certificate is valid only from {signer.not_before.text}"]
    if now > after:
        return [f"the responder's certificate has expired: {signer.not_after.text}"]
    return []


def _time_problems(single: SingleResponse, now: int | None, leeway: int) -> list[str]:
    """Say why a response is not for now (§4.2.2.1)."""
    begin = single.this_update.seconds
    end = single.next_update.seconds if single.next_update is not None else None
    if begin is None or (single.next_update is not None and end is None):
        return ["the times of the response cannot be read"]
    problems = []
    if end is not None and end < begin:
        problems.append("its next update comes before this update")
    if now is None:
        return problems
    if begin > now + leeway:
        problems.append(f"it is valid only from {single.this_update.text}")
    if single.next_update is not None and end is not None and end < now - leeway:
        problems.append(f"it has expired: {single.next_update.text}")
    return problems
