"""Building a chain from the leaf towards an anchor (RFC 4158 in spirit, OpenSSL's choices in fact).

The chain grows one issuer at a time. Trusted issuers are preferred, from the top of what the peer sent;
without `trusted_first` the peer's certificates come first and, if they lead nowhere, shorter beginnings of
its chain are tried ("alternative chains"). Once a trusted certificate stands in the chain only trusted ones
may follow. There is no backtracking among candidates: of several issuers that fit, the first that is valid
now is taken, else the one that expired last. So the work is bounded by the chain's length times the number
of certificates offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from handglass.crypto.certificate_signature import CertificateSignatureError, check_signature

from .certificate import Certificate
from .codes import VerifyCode, text_of
from .context import Context, InnerFailure
from .extensions import fits_signature
from .params import DEFAULT_DEPTH, MAX_DEPTH, Trust
from .validity import is_valid_now

__all__ = ["Verdict", "build_chain", "check_trust", "is_issuer", "trust_of"]

MAX_UNTRUSTED = 4096  # certificates from the peer that are looked at


class Verdict(Enum):
    """What trust settings say of a certificate."""

    TRUSTED = "trusted"
    REJECTED = "rejected"
    UNTRUSTED = "nothing said"


def build_chain(context: Context) -> None:
    """Extend `context.chain` to an anchor, or report why there is none. Raises Stopped, InnerFailure."""
    _Builder(context).run()


def is_issuer(issuer: Certificate, subject: Certificate) -> bool:
    """Whether one certificate can have issued another: names, key identifiers, kind of key.

    Not the signature.
    """
    return (
        issuer.subject == subject.issuer
        and not issuer.facts.invalid
        and not subject.facts.invalid
        and issuer.facts.matches(subject.facts.authority_key_id)
        and fits_signature(subject, issuer)
    )


def trust_of(certificate: Certificate, trust: Trust, *, self_signed_counts: bool = True) -> Verdict:
    """Say whether a store's certificate is trusted: by its auxiliary settings, else as self-signed."""
    auxiliary = certificate.auxiliary
    if auxiliary is not None and trust is not Trust.COMPATIBLE:
        meant = {trust.value, Trust.ANY.value}
        if auxiliary.reject & meant:
            return Verdict.REJECTED
        if auxiliary.trust is not None:
            return Verdict.TRUSTED if auxiliary.trust & meant else Verdict.REJECTED
    facts = certificate.facts
    if self_signed_counts and not facts.invalid and facts.self_signed:
        return Verdict.TRUSTED
    return Verdict.UNTRUSTED


def check_trust(context: Context, untrusted: int) -> Verdict:
    """Judge the chain's certificates from position `untrusted` upward, which come from the store."""
    chain, trust = context.chain, context.params.effective_trust
    dane = context.dane
    if (
        dane is not None
        and dane.has_anchors
        and 0 < untrusted < len(chain)
        and _dane_match(context, untrusted)
    ):
        return Verdict.TRUSTED
    for depth in range(untrusted, len(chain)):
        verdict = trust_of(chain[depth], trust)
        if verdict is Verdict.TRUSTED:
            return _trusted(context)
        if verdict is Verdict.REJECTED:
            context.problem(VerifyCode.CERT_REJECTED, depth)
            return Verdict.UNTRUSTED
    if untrusted < len(chain):
        return _trusted(context) if context.params.partial_chain else Verdict.UNTRUSTED
    if not context.params.partial_chain:
        return Verdict.UNTRUSTED
    match = context.exact_match(chain[0])
    if match is None:
        return Verdict.UNTRUSTED
    if trust_of(match, trust) is Verdict.REJECTED:
        context.problem(VerifyCode.CERT_REJECTED, 0)
        return Verdict.UNTRUSTED
    chain[0] = match
    context.untrusted_count = 0
    return _trusted(context)


def _trusted(context: Context) -> Verdict:
    """PKIX trusts the chain; with DANE a record has to match besides."""
    dane = context.dane
    if dane is None:
        return Verdict.TRUSTED
    context.anchored = True
    return Verdict.TRUSTED if dane.matched_depth is not None else Verdict.UNTRUSTED


def _dane_match(context: Context, depth: int) -> bool:
    """Whether the certificate at `depth` is an anchor by a record of usage 2.

    Then all above the leaf may be.
    """
    dane = context.dane
    if dane is None or not dane.has_anchors or depth == 0:
        return False
    from_store = depth >= context.untrusted_count
    if not dane.match(context.chain[depth].der, depth, from_store=from_store):
        return False
    context.untrusted_count = depth - 1
    return True


class _Builder:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.chain = context.chain
        params, dane = context.params, context.dane
        depth = DEFAULT_DEPTH if params.depth is None else params.depth
        self.limit = min(depth, MAX_DEPTH) + 1  # one more than allowed, so that "too long" can be told
        offered = [Certificate(data) for data in dane.certificates] if dane is not None else []
        self.offered = list(dict.fromkeys([*offered, *context.untrusted[:MAX_UNTRUSTED]]))
        self.may_trust = dane is None or dane.has_pkix or not dane.has_dane
        self.use_offered = True
        self.use_trusted = self.may_trust and params.trusted_first
        self.may_cut = self.may_trust and not params.trusted_first and not params.no_alt_chains
        self.cutting = False  # trying shorter beginnings of the peer's chain
        self.cut_at = 0

    def run(self) -> None:
        context = self.context
        verdict = Verdict.UNTRUSTED
        while verdict is Verdict.UNTRUSTED and (self.use_offered or self.use_trusted):
            context.depth = len(self.chain) - 1
            if self.use_trusted:
                verdict, again = self._extend_trusted()
                if verdict is not Verdict.UNTRUSTED:
                    break
                if again:
                    continue
                if not self.use_offered and not self._cut():
                    break
            if self.use_offered:
                verdict = self._extend_offered()
        if len(self.chain) <= self.limit:
            if verdict is Verdict.UNTRUSTED:
                verdict = self._bare_keys()
            if verdict is Verdict.UNTRUSTED and len(self.chain) == context.untrusted_count:
                verdict = check_trust(context, len(self.chain))
        if verdict is Verdict.UNTRUSTED:
            self._report()

    def _extend_trusted(self) -> tuple[Verdict, bool]:
        """Look in the store for the issuer of the last certificate.

        (verdict, whether to look for the next one).
        """
        context, chain = self.context, self.chain
        at = self.cut_at if self.cutting else len(chain)
        current = chain[at - 1]
        issuer = None
        if len(chain) <= self.limit:
            issuer = self._best(context.certificates(current), current, fresh=False)
        if issuer is None:
            return Verdict.UNTRUSTED, False
        self_signed = _self_signed(current)
        if self.cutting:
            self.cutting = False
            del chain[at:]
            context.untrusted_count = at
            if context.dane is not None:
                context.dane.forget(at)
        count = len(chain)
        if not self_signed:
            chain.append(issuer)
            self_signed = _self_signed(issuer)
        elif issuer != current:
            return Verdict.UNTRUSTED, False  # it only looks like the anchor: same name, other key
        else:
            count -= 1
            context.untrusted_count = count
            chain[count] = issuer
        self.use_offered = False
        verdict = check_trust(context, count)
        return verdict, not self_signed

    def _cut(self) -> bool:
        """Whether there is a shorter beginning of the peer's chain to try."""
        if self.cutting:
            self.cut_at -= 1
            if self.cut_at > 0:
                return True
        if not self.may_cut or self.cutting or self.context.untrusted_count < 2:
            return False
        self.cutting = True
        self.cut_at = self.context.untrusted_count - 1
        return True

    def _extend_offered(self) -> Verdict:
        """Look among the peer's certificates for the issuer of the last one."""
        context, chain = self.context, self.chain
        current = chain[-1]
        issuer = None
        if len(chain) <= self.limit and not _looks_self_signed(current):
            issuer = self._best(self.offered, current, fresh=True)
        if issuer is None:
            self.use_offered = False
            self.use_trusted = self.use_trusted or self.may_trust
            return Verdict.UNTRUSTED
        self.offered.remove(issuer)
        chain.append(issuer)
        context.untrusted_count += 1
        return Verdict.TRUSTED if _dane_match(context, len(chain) - 1) else Verdict.UNTRUSTED

    def _best(
        self, candidates: Iterable[Certificate], subject: Certificate, *, fresh: bool
    ) -> Certificate | None:
        """Give the first issuer that is valid now, else the one that expires last.

        `fresh`: not yet in the chain.
        """
        best = None
        repeats_allowed = not fresh or (len(self.chain) == 1 and subject.facts.self_issued)
        for candidate in candidates:
            if not is_issuer(candidate, subject) or (not repeats_allowed and candidate in self.chain):
                continue
            if is_valid_now(candidate, self.context.time):
                return candidate
            if best is None or (candidate.not_after.seconds or 0) > (best.not_after.seconds or 0):
                best = candidate
        return best

    def _bare_keys(self) -> Verdict:
        """Try the keys of "2 1 0" records on the last certificate that the peer sent."""
        context = self.context
        dane = context.dane
        if dane is None:
            return Verdict.UNTRUSTED
        top = self.chain[context.untrusted_count - 1]
        for key in dane.bare_keys:
            algorithm = top.signature_algorithm
            try:
                check_signature(algorithm.oid, algorithm.parameters, key, top.tbs, top.signature)
            except CertificateSignatureError:
                continue
            del self.chain[context.untrusted_count :]
            context.bare_key = key
            dane.matched_bare_key(context.untrusted_count - 1, key)
            return Verdict.TRUSTED
        return Verdict.UNTRUSTED

    def _report(self) -> None:
        """Say why there is no trusted chain; an earlier problem stands for it, as in OpenSSL."""
        context, last = self.context, len(self.chain) - 1
        code = self._reason()
        if context.error in _TIME_PROBLEMS:
            raise InnerFailure(context.error)
        if context.error != VerifyCode.OK:
            context.problem(context.error, last, detail=f"and no trusted chain: {text_of(code)}")
            return
        if len(self.chain) > self.limit:
            context.problem(VerifyCode.CERT_CHAIN_TOO_LONG, last)
        dane = context.dane
        if dane is not None and (not dane.has_pkix or context.anchored):
            context.problem(VerifyCode.DANE_NO_MATCH, last)
        wanted = "" if code in _SELF_SIGNED else f"no certificate of {self.chain[-1].issuer}"
        context.problem(code, last, detail=wanted)

    def _reason(self) -> VerifyCode:
        top = self.chain[-1]
        if _looks_self_signed(top):
            alone = len(self.chain) == 1
            return VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT if alone else VerifyCode.SELF_SIGNED_CERT_IN_CHAIN
        if self.context.untrusted_count < len(self.chain):
            return VerifyCode.UNABLE_TO_GET_ISSUER_CERT
        return VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY


def _looks_self_signed(certificate: Certificate) -> bool:
    """Whether it is self-signed; a certificate that cannot be judged is not."""
    facts = certificate.facts
    return certificate.public_key.usable and not facts.invalid and facts.self_signed


def _self_signed(certificate: Certificate) -> bool:
    """Whether it is self-signed.

    Raises InnerFailure for a certificate whose key or extensions are unreadable.
    """
    if not certificate.public_key.usable or certificate.facts.invalid:
        raise InnerFailure(detail="a certificate in the chain has no usable key or has malformed extensions")
    return certificate.facts.self_signed


_SELF_SIGNED = {VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT, VerifyCode.SELF_SIGNED_CERT_IN_CHAIN}
_TIME_PROBLEMS = {
    VerifyCode.ERROR_IN_CERT_NOT_BEFORE_FIELD,
    VerifyCode.CERT_NOT_YET_VALID,
    VerifyCode.ERROR_IN_CERT_NOT_AFTER_FIELD,
    VerifyCode.CERT_HAS_EXPIRED,
}
