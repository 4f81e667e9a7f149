"""What extensions allow along a chain.

CAs, path lengths, purposes, proxies, strictness (RFC 5280 §4.2, RFC 3820).
"""

from __future__ import annotations

from collections.abc import Iterator

from .build import Verdict, trust_of
from .certificate import Certificate
from .codes import VerifyCode
from .context import Context
from .extensions import (
    BASIC_CONSTRAINTS,
    CRL_SIGN,
    DIGITAL_SIGNATURE,
    KEY_CERT_SIGN,
    SUBJECT_ALT_NAME,
)
from .params import Purpose
from .purposes import ca_kind, fits_purpose

__all__ = ["check_extensions", "signing_problem"]


def check_extensions(context: Context) -> None:
    """Report what the extensions of the chain's certificates forbid, leaf first. Raises Stopped."""
    _Walk(context).run()


def signing_problem(issuer: Certificate, subject: Certificate) -> VerifyCode:
    """Say whether keyUsage lets the issuer sign: certificates, or a proxy certificate (RFC 3820 §3.1)."""
    if subject.facts.proxy:
        if not issuer.facts.allows(DIGITAL_SIGNATURE):
            return VerifyCode.KEYUSAGE_NO_DIGITAL_SIGNATURE
    elif not issuer.facts.allows(KEY_CERT_SIGN):
        return VerifyCode.KEYUSAGE_NO_CERTSIGN
    return VerifyCode.OK


class _Walk:
    """One pass from the leaf to the anchor; `ca` is whether the next one must be a CA (None: it may be)."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.params = context.params
        self.last = len(context.chain) - 1
        self.ca: bool | None = None
        self.path_length = 0
        self.proxy_path_length = 0
        on_crl_path = context.parent is not None
        self.proxies_allowed = self.params.allow_proxy_certs and not on_crl_path
        self.purpose = Purpose.CRL_SIGN if on_crl_path else self.params.purpose

    def run(self) -> None:
        for depth, certificate in enumerate(self.context.chain):
            for code, detail in self._problems(certificate, depth):
                self.context.problem(code, depth, certificate, detail)
            self._count(certificate, depth)

    def _problems(self, certificate: Certificate, depth: int) -> Iterator[tuple[VerifyCode, str]]:
        facts = certificate.facts
        if facts.unhandled_critical and not self.params.ignore_critical:
            yield VerifyCode.UNHANDLED_CRITICAL_EXTENSION, ", ".join(facts.unhandled_critical)
        if facts.proxy and not self.proxies_allowed:
            yield VerifyCode.PROXY_CERTIFICATES_NOT_ALLOWED, ""
        yield from self._ca_problems(certificate, depth)
        if self.last > 0:
            if not certificate.public_key.usable:
                yield VerifyCode.UNSPECIFIED, "its public key cannot be used"
            elif certificate.public_key.explicit:
                yield VerifyCode.EC_KEY_EXPLICIT_PARAMS, ""
            if self.params.x509_strict:
                for code in _strict_problems(certificate, is_last=depth == self.last):
                    yield code, ""
        if self.purpose is not None and not self._purpose_fits(certificate, depth):
            yield VerifyCode.INVALID_PURPOSE, f"for {self.purpose.title}"
        limit = facts.path_length
        if depth > 1 and limit is not None and self.path_length > limit + self.proxy_path_length:
            yield VerifyCode.PATH_LENGTH_EXCEEDED, f"{self.path_length} follow, {limit} are allowed"

    def _ca_problems(self, certificate: Certificate, depth: int) -> Iterator[tuple[VerifyCode, str]]:
        kind = ca_kind(certificate)
        if self.ca is None:
            if self.params.x509_strict and kind not in {0, 1}:
                yield VerifyCode.INVALID_CA, ""
        elif not self.ca:
            if kind != 0:
                yield VerifyCode.INVALID_NON_CA, ""
        elif kind == 0 or ((depth < self.last or self.params.x509_strict) and kind != 1):
            yield VerifyCode.INVALID_CA, ""

    def _purpose_fits(self, certificate: Certificate, depth: int) -> bool:
        """Whether the purpose is allowed; a store's auxiliary trust settings come before its extensions."""
        if self.purpose is None:
            return True
        if depth >= self.context.untrusted_count and self.purpose is self.params.purpose:
            verdict = trust_of(certificate, self.params.effective_trust, self_signed_counts=False)
            if verdict is not Verdict.UNTRUSTED:
                return verdict is Verdict.TRUSTED
        if certificate.facts.invalid:
            return not self.params.x509_strict
        return fits_purpose(certificate, self.purpose, must_be_ca=bool(self.ca))

    def _count(self, certificate: Certificate, depth: int) -> None:
        facts = certificate.facts
        if depth > 0 and not facts.self_issued:
            self.path_length += 1
        if not facts.proxy:
            self.ca = True
            return
        limit = facts.proxy_path_length
        if limit is not None:
            if self.proxy_path_length > limit:
                self.context.problem(VerifyCode.PROXY_PATH_LENGTH_EXCEEDED, depth, certificate)
            self.proxy_path_length = limit
        self.proxy_path_length += 1
        self.ca = False


def _strict_problems(certificate: Certificate, *, is_last: bool) -> Iterator[VerifyCode]:
    """Find what RFC 5280 demands and many certificates do not do (`-x509_strict`)."""
    yield from _strict_constraints(certificate)
    yield from _strict_names(certificate)
    facts = certificate.facts
    if certificate.signature_algorithm != certificate.inner_algorithm:
        yield VerifyCode.SIGNATURE_ALGORITHM_INCONSISTENCY
    # Critical key identifiers (codes 90, 91) are unhandled critical extensions already, in OpenSSL too.
    if certificate.version < 3:
        if certificate.extensions:
            yield VerifyCode.EXTENSIONS_REQUIRE_VERSION_3
        return
    if not is_last and (facts.authority_key_id is None or facts.authority_key_id.key_id is None):
        yield VerifyCode.MISSING_AUTHORITY_KEY_IDENTIFIER
    if facts.ca and facts.subject_key_id is None:
        yield VerifyCode.MISSING_SUBJECT_KEY_IDENTIFIER


def _strict_constraints(certificate: Certificate) -> Iterator[VerifyCode]:
    """RFC 5280 §4.2.1.9 and §4.2.1.3."""
    facts = certificate.facts
    signs = bool((facts.key_usage or 0) & KEY_CERT_SIGN)
    if facts.path_length is not None:
        if not facts.ca:
            yield VerifyCode.PATHLEN_INVALID_FOR_NON_CA
        if not signs:
            yield VerifyCode.PATHLEN_WITHOUT_KU_KEY_CERT_SIGN
    if not facts.ca:
        if signs:
            yield VerifyCode.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA
        return
    if not facts.is_critical(BASIC_CONSTRAINTS):
        yield VerifyCode.CA_BCONS_NOT_CRITICAL
    if facts.key_usage is None:
        yield VerifyCode.CA_CERT_MISSING_KEY_USAGE


def _strict_names(certificate: Certificate) -> Iterator[VerifyCode]:
    """RFC 5280 §4.1.2.4, §4.1.2.6 and §4.2.1.6."""
    facts = certificate.facts
    alternatives = facts.alternative_names
    if not len(certificate.issuer):
        yield VerifyCode.ISSUER_NAME_EMPTY
    if not len(certificate.subject):
        if facts.ca or (facts.key_usage or 0) & CRL_SIGN or alternatives is None:
            yield VerifyCode.SUBJECT_NAME_EMPTY
        if alternatives is not None and not facts.is_critical(SUBJECT_ALT_NAME):
            yield VerifyCode.EMPTY_SUBJECT_SAN_NOT_CRITICAL
    if alternatives is not None and not alternatives:
        yield VerifyCode.EMPTY_SUBJECT_ALT_NAME
