"""Is a certificate revoked: choosing CRLs, judging them, looking into them (RFC 5280 §6.3).

For each certificate the best CRL is chosen by a score (right issuer, right scope, valid now, no critical
extension that is not understood); if it covers only some reasons for revocation, another one is sought for
the rest. Indirect CRLs, CRLs for some reasons and issuers that are not on the path need `extended_crl`; the
path of such an issuer is verified like any other and must end at the same anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from handglass.crypto.certificate_signature import CertificateSignatureError, check_signature
from handglass.records import dataclass

from .build import is_issuer
from .certificate import Certificate
from .codes import VerifyCode
from .context import Context
from .crl import REMOVE_FROM_CRL, Crl
from .extensions import CRL_SIGN
from .general_names import ALL_REASONS, DistributionPoint
from .names import Name
from .strength import crl_suite_b_problem, key_with_parameters

__all__ = ["check_revocation"]

Run = Callable[[Context], bool]

NO_CRITICAL, IN_SCOPE, TIME, ISSUER_NAME = 0x100, 0x080, 0x040, 0x020
ISSUER_CERTIFICATE, SAME_PATH, KEY_ID, DELTA_TIME = 0x018, 0x008, 0x004, 0x002
VALID = NO_CRITICAL | IN_SCOPE | TIME
MAX_CRLS = 10000  # CRLs of one certificate that are looked at
MAX_CRL_ISSUERS = 16  # issuers of CRLs that a certificate may name


def check_revocation(context: Context, run: Run) -> None:
    """Report certificates that are revoked, or whose state cannot be told. Raises Stopped.

    `run` verifies another context, that of a CRL issuer.
    """
    params = context.params
    if not params.crl_check and not params.crl_check_all:
        return
    if not params.crl_check_all and context.parent is not None:
        return
    last = len(context.chain) - 1 if params.crl_check_all else 0
    for depth in range(last + 1):
        context.depth = depth
        if not context.chain[depth].facts.proxy:
            _Check(context, depth, run).check()


@dataclass(slots=True)
class _Choice:
    """The best CRL so far: its delta, issuer, score, and the reasons covered with it."""

    crl: Crl | None = None
    delta: Crl | None = None
    issuer: Certificate | None = None
    score: int = 0
    reasons: int = 0


class _Check:
    """The state of one certificate."""

    def __init__(self, context: Context, depth: int, run: Run) -> None:
        self.context = context
        self.depth = depth
        self.certificate = context.chain[depth]
        self.run = run
        self.extended = context.params.extended_crl
        self.choice = _Choice()

    def check(self) -> None:
        covered = 0
        while covered != ALL_REASONS:
            self.choice = self._choose(covered)
            crl = self.choice.crl
            if crl is None:
                self._problem(VerifyCode.UNABLE_TO_GET_CRL)
                return
            self._judge(crl)
            delta = self.choice.delta
            if delta is not None:
                self._judge(delta)
            if delta is None or not self._look_up(delta):
                self._look_up(crl)
            if self.choice.reasons == covered:
                self._problem(VerifyCode.UNABLE_TO_GET_CRL)
                return
            covered = self.choice.reasons

    def _problem(self, code: VerifyCode, detail: str = "") -> None:
        self.context.problem(code, self.depth, self.certificate, detail)

    # --- choosing ---------------------------------------------------------------------------------

    def _choose(self, covered: int) -> _Choice:
        choice = _Choice(reasons=covered)
        if not self._improve(choice, self.context.crls):
            self._improve(choice, self.context.store.crls(self._crl_issuers(), self.certificate))
        return choice

    def _crl_issuers(self) -> list[Name]:
        """Give whose CRLs may tell about the certificate: its issuer's and those of the issuers that it names."""
        issuers = {self.certificate.issuer: None}
        if self.extended:
            for point in self.certificate.facts.distribution_points:
                issuers |= {name.name: None for name in point.issuer or () if name.name is not None}
        return list(issuers)[:MAX_CRL_ISSUERS]

    def _improve(self, choice: _Choice, crls: Iterable[Crl]) -> bool:
        """Take the best of `crls` if it is no worse than the choice; whether the choice is good enough."""
        crls = list(crls)[:MAX_CRLS]
        best: _Choice | None = None
        score_to_beat = choice.score
        for crl in crls:
            score, issuer, reasons = self._score(crl, choice.reasons)
            if score == 0 or score < score_to_beat:
                continue
            if best is not None and score == score_to_beat and not _is_newer(crl, best.crl):
                continue
            best = _Choice(crl, None, issuer, score, reasons)
            score_to_beat = score
        if best is not None and best.crl is not None:
            choice.crl, choice.issuer, choice.score, choice.reasons = (
                best.crl,
                best.issuer,
                best.score,
                best.reasons,
            )
            choice.delta = self._delta(choice, best.crl, crls)
        return choice.score >= VALID

    def _score(self, crl: Crl, covered: int) -> tuple[int, Certificate | None, int]:
        """Say how well a CRL suits (0: not at all), who issued it, and which reasons are then covered."""
        unsuited = 0, None, covered
        if not crl.usable or crl.base_number is not None:
            return unsuited
        point = crl.point
        if point is not None:
            special = point.indirect or point.reasons is not None
            no_news = point.reasons is not None and not crl.reasons & ~covered
            if not point.consistent or (special and not self.extended) or no_news:
                return unsuited
        score = 0
        if crl.issuer == self.certificate.issuer:
            score |= ISSUER_NAME
        elif point is None or not point.indirect:
            return unsuited
        if not crl.unhandled_critical:
            score |= NO_CRITICAL
        if _is_current(crl, self.context.time):
            score |= TIME
        issuer, bits = self._issuer(crl, bool(score & ISSUER_NAME))
        if issuer is None:
            return unsuited
        score |= bits
        reasons = self._scope(crl, bool(score & ISSUER_NAME))
        if reasons is not None:
            if not reasons & ~covered:
                return unsuited
            covered |= reasons
            score |= IN_SCOPE
        return score, issuer, covered

    def _issuer(self, crl: Crl, same_name: bool) -> tuple[Certificate | None, int]:
        """Find the certificate of the CRL's issuer.

        The next of the path, one above it, or an untrusted one.
        """
        chain = self.context.chain
        at = min(self.depth + 1, len(chain) - 1)
        if same_name and chain[at].facts.matches(crl.authority_key_id):
            return chain[at], KEY_ID | ISSUER_CERTIFICATE
        for candidate in chain[at + 1 :]:
            if candidate.subject == crl.issuer and candidate.facts.matches(crl.authority_key_id):
                return candidate, KEY_ID | SAME_PATH
        if self.extended:
            for candidate in self.context.untrusted:
                if candidate.subject == crl.issuer and candidate.facts.matches(crl.authority_key_id):
                    return candidate, KEY_ID
        return None, 0

    def _scope(self, crl: Crl, same_name: bool) -> int | None:
        """Say for which reasons the CRL covers the certificate (RFC 5280 §6.3.3 (b)); None if not at all."""
        point = crl.point
        facts = self.certificate.facts
        if point is not None and (point.only_attribute or (point.only_user if facts.ca else point.only_ca)):
            return None
        for place in facts.distribution_points:
            if place.issuer is None:
                named = same_name
            else:
                named = any(name.name == crl.issuer for name in place.issuer if name.name is not None)
            if named and (point is None or _same_place(place, point.point)):
                return crl.reasons & place.reasons
        whole = point is None or point.point is None
        return crl.reasons if whole and same_name else None

    def _delta(self, choice: _Choice, base: Crl, crls: Iterable[Crl]) -> Crl | None:
        """Give the delta CRL that goes with a base (RFC 5280 §5.2.4)."""
        if not self.context.params.use_deltas or not (self.certificate.facts.freshest_crl or base.freshest):
            return None
        for crl in crls:
            if crl.usable and _is_delta_of(crl, base):
                if _is_current(crl, self.context.time):
                    choice.score |= DELTA_TIME
                return crl
        return None

    # --- judging ----------------------------------------------------------------------------------

    def _judge(self, crl: Crl) -> None:
        """Report what is wrong with a CRL: scope, issuer, times, signature."""
        context, choice = self.context, self.choice
        issuer = choice.issuer
        if issuer is None:
            issuer = context.chain[min(self.depth + 1, len(context.chain) - 1)]
            if issuer is context.chain[-1] and not is_issuer(issuer, issuer):
                self._problem(VerifyCode.UNABLE_TO_GET_CRL_ISSUER)
        if crl.base_number is None:
            if not issuer.facts.allows(CRL_SIGN):
                self._problem(VerifyCode.KEYUSAGE_NO_CRL_SIGN)
            if not choice.score & IN_SCOPE:
                self._problem(VerifyCode.DIFFERENT_CRL_SCOPE)
            if not crl.consistent:
                self._problem(VerifyCode.INVALID_EXTENSION, "; ".join(crl.problems))
            if not choice.score & SAME_PATH and not self._issuer_is_trusted(issuer):
                self._problem(VerifyCode.CRL_PATH_VALIDATION_ERROR)
        if not choice.score & TIME:
            self._report_times(crl)
        if not issuer.public_key.usable:
            self._problem(VerifyCode.UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)
            return
        code = crl_suite_b_problem(crl, issuer, context.params.suite_b)
        if code != VerifyCode.OK:
            self._problem(code)
        detail = _signature_problem(crl, self._key_of(issuer))
        if detail:
            self._problem(VerifyCode.CRL_SIGNATURE_FAILURE, detail)

    def _key_of(self, issuer: Certificate) -> bytes:
        chain = self.context.chain
        return key_with_parameters(chain, chain.index(issuer)) if issuer in chain else issuer.spki

    def _issuer_is_trusted(self, issuer: Certificate) -> bool:
        """Verify the path of a CRL issuer that is not on this path; it must end at the same anchor."""
        context = self.context
        if context.parent is not None:
            # Within such a path only the issuer itself, whose path this is, may tell of itself.
            return issuer == context.leaf
        inner = Context(
            issuer,
            context.untrusted,
            context.store,
            context.params,
            context.time,
            decide=context.decide,
            crls=context.crls,
            trusted=context.trusted,
            parent=context,
        )
        return self.run(inner) and inner.error == VerifyCode.OK and inner.chain[-1] == context.chain[-1]

    def _report_times(self, crl: Crl) -> None:
        time = self.context.time
        if time is None:
            return
        start = crl.this_update.seconds
        if start is None:
            self._problem(VerifyCode.ERROR_IN_CRL_LAST_UPDATE_FIELD)
        elif start > time:
            self._problem(VerifyCode.CRL_NOT_YET_VALID, f"from {crl.this_update.text}")
        if crl.next_update is None:
            return
        end = crl.next_update.seconds
        if end is None:
            self._problem(VerifyCode.ERROR_IN_CRL_NEXT_UPDATE_FIELD)
        elif end <= time and not self.choice.score & DELTA_TIME:
            self._problem(VerifyCode.CRL_HAS_EXPIRED, f"until {crl.next_update.text}")

    def _look_up(self, crl: Crl) -> bool:
        """Report the certificate if it stands in a CRL; True where it was taken off again (removeFromCRL)."""
        if crl.unhandled_critical and not self.context.params.ignore_critical:
            self._problem(VerifyCode.UNHANDLED_CRITICAL_CRL_EXTENSION, ", ".join(crl.unhandled_critical))
        entry = crl.find(self.certificate.serial, self.certificate.issuer)
        if entry is None:
            return False
        if entry.reason == REMOVE_FROM_CRL:
            return True
        self._problem(VerifyCode.CERT_REVOKED, _REASONS.get(entry.reason, "") if entry.reason else "")
        return False


def _is_current(crl: Crl, time: int | None) -> bool:
    if time is None:
        return True
    start = crl.this_update.seconds
    if start is None or start > time:
        return False
    if crl.next_update is None:
        return True
    end = crl.next_update.seconds
    return end is not None and end > time


def _is_newer(crl: Crl, other: Crl | None) -> bool:
    if other is None or crl.this_update.seconds is None or other.this_update.seconds is None:
        return False
    return crl.this_update.seconds > other.this_update.seconds


def _is_delta_of(crl: Crl, base: Crl) -> bool:
    if crl.base_number is None or crl.number is None or base.number is None or crl.issuer != base.issuer:
        return False
    if crl.base_number > base.number or crl.number <= base.number:
        return False
    return all(_value(crl, oid) == _value(base, oid) for oid in ("2.5.29.35", "2.5.29.28"))


def _value(crl: Crl, oid: str) -> bytes | None:
    return next((item.value for item in crl.extensions if item.oid == oid), None)


def _same_place(place: DistributionPoint, other: DistributionPoint | None) -> bool:
    """Whether two distribution point names have one name in common; one that is absent fits all."""
    unnamed = place.names is None and place.relative is None
    if other is None or unnamed:
        return True
    if place.directory is not None and other.directory is not None:
        return place.directory == other.directory
    relative = place.directory or other.directory
    if relative is not None:
        return any(
            name.name == relative for name in place.names or other.names or () if name.name is not None
        )
    return any(
        one.name == two.name if one.name is not None else one.kind == two.kind and one.value == two.value
        for one in place.names or ()
        for two in other.names or ()
    )


def _signature_problem(crl: Crl, key: bytes) -> str:
    algorithm = crl.signature_algorithm
    try:
        check_signature(algorithm.oid, algorithm.parameters, key, crl.tbs, crl.signature)
    except CertificateSignatureError as problem:
        return str(problem)
    return ""


_REASONS = {
    1: "key compromise",
    2: "CA compromise",
    3: "affiliation changed",
    4: "superseded",
    5: "cessation of operation",
    6: "certificate hold",
    9: "privilege withdrawn",
    10: "AA compromise",
}
