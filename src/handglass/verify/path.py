"""Certificate path validation (RFC 5280 §6), with OpenSSL's outcomes in OpenSSL's order.

`verify_chain` builds a chain and judges it. It goes on after each problem, so that the result holds all
that is wrong; a caller that wants to stop at the first says so through `decide`. The steps, in the order in
which OpenSSL reports: strength of the leaf's key, building, extensions and purposes, strength of the rest,
names, revocation, Suite B,
"""

from __future__ import annotations

from collections.abc import Sequence

from handglass.crypto.certificate_signature import CertificateSignatureError, check_signature

from . import identity, strength
from .build import build_chain, is_issuer
from .certificate import Certificate
from .codes import VerifyCode
from .context import Context, InnerFailure, Stopped
from .crl import Crl
from .dane_judge import DaneJudge
from .issuing import check_extensions, signing_problem
from .params import NAMED_SETS, VerifyParams
from .result import Decide, VerifyResult
from .store import TrustStore
from .validity import check_validity

__all__ = ["verify_chain"]


def verify_chain(
    leaf: Certificate,
    untrusted: Sequence[Certificate],
    store: TrustStore,
    params: VerifyParams,
    now: int,
    *,
    decide: Decide | None = None,
    crls: Sequence[Crl] = (),
    trusted: Sequence[Certificate] | None = None,
    dane: DaneJudge | None = None,
) -> VerifyResult:
    """Build a chain from `leaf` to an anchor in `store` and judge it by `params`.

    `untrusted`: what the peer sent besides, in any order; `now`: seconds since 1970; `decide`: asked after
    each event whether to go on; `crls`: looked at before those of the store; `trusted`: if given, the only
    anchors, in place of the store's (openssl-verify(1) -trusted); `dane`: TLSA records to match. Never
    raises for any content.
    """
    params = params.completed(NAMED_SETS["default"])
    time = params.time
    if time is None and not params.no_check_time:
        time = now
    context = Context(
        leaf, untrusted, store, params, time, decide=decide, crls=crls, trusted=trusted, dane=dane
    )
    finished = run(context)
    return VerifyResult(
        context.error,
        finished,
        tuple(context.events),
        tuple(context.chain),
        context.untrusted_count,
        context.peername,
        context.policies,
        context.failure,
    )


def run(context: Context) -> bool:
    """Go through all the steps; False when the caller or an inner failure ended them."""
    try:
        strength.check_leaf_key(context)
        if context.dane is not None and _ended_by_dane(context, context.dane):
            return True
        build_chain(context)
        check_extensions(context)
        strength.check_levels(context)
        identity.check_names(context)
        _check_keys(context)
        _check_revocation(context)
        strength.check_suite_b(context)
        _check_signatures(context)
        _check_what_is_rare(context)
    except Stopped:
        return False
    except InnerFailure as failure:
        context.failure = failure.detail
        if context.error == VerifyCode.OK:
            context.error = failure.code
        return False
    return True


def _check_revocation(context: Context) -> None:
    if context.params.crl_check or context.params.crl_check_all:
        from . import revocation  # noqa: PLC0415 - most verifications ask for no list

        revocation.check_revocation(context, run)


def _check_what_is_rare(context: Context) -> None:
    """Check name constraints, resources and policies, each loaded when something in the chain calls for it."""
    facts = [certificate.facts for certificate in context.chain]
    if any(each.proxy or each.name_constraints is not None for each in facts):
        from . import constraints  # noqa: PLC0415 - see above

        constraints.check_name_constraints(context)
    if any(each.as_numbers is not None or each.addresses is not None for each in facts):
        from . import resources  # noqa: PLC0415 - see above

        resources.check_resources(context)
    if context.params.checks_policies and context.parent is None:
        from . import policy  # noqa: PLC0415 - see above

        policy.check_policies(context)


def _ended_by_dane(context: Context, dane: DaneJudge) -> bool:
    """Match the leaf with the TLSA records (RFC 7671 §5.1); True when that settles everything."""
    leaf = context.leaf
    matched = dane.match(leaf.der, 0, from_store=False)
    if not matched and (dane.has_anchors or dane.matched_depth is not None):
        return False
    _check_keys(context)
    strength.check_suite_b(context, leaf_alone=True)
    if not matched:
        context.problem(VerifyCode.DANE_NO_MATCH, 0, leaf)
        return True
    if not dane.skip_names:
        identity.check_names(context)
    context.checked(0, leaf)
    return True


def _check_keys(context: Context) -> None:
    """Give up where the leaf's key, or the first with parameters of its own, is unusable."""
    for certificate in context.chain:
        key = certificate.public_key
        if not key.usable:
            raise InnerFailure(detail="a public key in the chain cannot be used")
        if not key.lacks_parameters:
            return
    raise InnerFailure(detail="no key in the chain has parameters")


def _check_signatures(context: Context) -> None:
    """Check signatures and times from the anchor down to the leaf, and tell of each certificate."""
    chain = context.chain
    depth = len(chain) - 1
    subject = chain[depth]
    issuer: Certificate | None = subject
    if context.bare_key is not None:
        issuer = None
    elif not is_issuer(subject, subject) and not context.params.partial_chain:
        # The anchor is not self-issued, and nobody has allowed partial chains: its own times do not count.
        if depth > 0:
            depth -= 1
            subject = chain[depth]
        else:
            context.problem(VerifyCode.UNABLE_TO_VERIFY_LEAF_SIGNATURE, 0, subject)
    context.depth = depth
    while True:
        if issuer is not None and (issuer is not subject or _wants_own_signature(context, issuer)):
            _check_signature(context, subject, issuer, depth)
        check_validity(context, subject, depth)
        context.checked(depth, subject)
        depth -= 1
        if depth < 0:
            return
        issuer, subject = subject, chain[depth]


def _wants_own_signature(context: Context, anchor: Certificate) -> bool:
    return context.params.check_ss_sig and anchor.facts.self_signed


def _check_signature(context: Context, subject: Certificate, issuer: Certificate, depth: int) -> None:
    own = issuer is subject
    issuer_depth = depth if own else depth + 1
    if not own or issuer.facts.ca:
        problem = signing_problem(issuer, subject)
        if problem != VerifyCode.OK:
            context.problem(problem, issuer_depth, issuer)
    if not issuer.public_key.usable:
        context.problem(VerifyCode.UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, issuer_depth, issuer)
        return
    algorithm = subject.signature_algorithm
    if algorithm != subject.inner_algorithm:
        detail = "the signature algorithm differs inside and outside the signed part"
        context.problem(VerifyCode.CERT_SIGNATURE_FAILURE, depth, subject, detail)
        return
    try:
        key = strength.key_with_parameters(context.chain, issuer_depth)
        check_signature(algorithm.oid, algorithm.parameters, key, subject.tbs, subject.signature)
    except CertificateSignatureError as problem:
        context.problem(VerifyCode.CERT_SIGNATURE_FAILURE, depth, subject, str(problem))
