"""Strength of keys and signatures: authentication levels (`-auth_level`) and Suite B (RFC 6460)."""

from __future__ import annotations

from collections.abc import Sequence

from handglass.crypto import der

from .certificate import Certificate
from .codes import VerifyCode
from .context import Context
from .crl import Crl
from .params import SuiteB, VerifyParams

__all__ = [
    "check_leaf_key",
    "check_levels",
    "check_suite_b",
    "crl_suite_b_problem",
    "key_with_parameters",
    "wanted_bits",
]

_BITS = (80, 112, 128, 192, 256)  # security bits of levels 1 to 5 (SSL_CTX_set_security_level(3))


def check_leaf_key(context: Context) -> None:
    """Report a leaf key below the level, before anything else is done. Raises Stopped."""
    if not _key_is_strong(context, context.leaf):
        context.problem(VerifyCode.EE_KEY_TOO_SMALL, 0, context.leaf, _key_detail(context.leaf))


def check_levels(context: Context) -> None:
    """Report weak keys of issuers, and weak digests below the anchor. Raises Stopped."""
    last = len(context.chain) - 1
    for depth, certificate in enumerate(context.chain):
        if depth > 0 and not _key_is_strong(context, certificate):
            context.problem(VerifyCode.CA_KEY_TOO_SMALL, depth, certificate, _key_detail(certificate))
        if depth < last and not _signature_is_strong(context, certificate):
            detail = certificate.signature_algorithm.name
            context.problem(VerifyCode.CA_MD_TOO_WEAK, depth, certificate, detail)


def key_with_parameters(chain: Sequence[Certificate], depth: int) -> bytes:
    """Give a certificate's key.

    A DSA key without parameters inherits them from its issuer (RFC 3279 §2.3.2).
    """
    certificate = chain[depth]
    if not certificate.public_key.lacks_parameters:
        return certificate.spki
    donor = next((item for item in chain[depth + 1 :] if not item.public_key.lacks_parameters), None)
    if donor is None or donor.public_key.kind != certificate.public_key.kind:
        return certificate.spki
    try:
        algorithm = der.parse(donor.spki).children()[0].encoding
        return der.encode(der.SEQUENCE, algorithm + der.parse(certificate.spki).children()[1].encoding)
    except (der.DerError, IndexError):
        return certificate.spki


def wanted_bits(params: VerifyParams) -> int:
    """Give the security bits that keys and digests must have at least."""
    level = params.auth_level
    return 0 if level is None or level <= 0 else _BITS[min(level, len(_BITS)) - 1]


def _key_is_strong(context: Context, certificate: Certificate) -> bool:
    wanted = wanted_bits(context.params)
    key = certificate.public_key
    return not wanted or (key.usable and key.security_bits >= wanted)


def _key_detail(certificate: Certificate) -> str:
    return f"{certificate.public_key.text}, {certificate.public_key.security_bits} bits of security"


def _signature_is_strong(context: Context, certificate: Certificate) -> bool:
    wanted = wanted_bits(context.params)
    facts = certificate.signature_algorithm.signature
    return not wanted or (facts is not None and facts.bits >= wanted)


# --- Suite B --------------------------------------------------------------------------------------


def check_suite_b(context: Context, *, leaf_alone: bool = False) -> None:
    """Report the first thing that Suite B forbids. Raises Stopped."""
    level = context.params.suite_b
    if level is None:
        return
    rules = _Rules(level)
    if leaf_alone:
        code = rules.problem(context.leaf, None)
        if code != VerifyCode.OK:
            context.problem(code, 0, context.leaf)
        return
    found = _suite_b_problem(rules, context.chain)
    if found is not None:
        context.problem(found[0], found[1])


def crl_suite_b_problem(crl: Crl, issuer: Certificate, level: SuiteB | None) -> VerifyCode:
    """Say what Suite B has against a CRL's signature."""
    if level is None:
        return VerifyCode.OK
    return _Rules(level).problem(issuer, crl.signature_algorithm.oid)


class _Rules:
    """What is still allowed on the way up: once a P-384 key was seen, P-256 may not sign it."""

    def __init__(self, level: SuiteB) -> None:
        self.p256 = level is not SuiteB.LEVEL_192
        self.p384 = level is not SuiteB.LEVEL_128_ONLY
        self.at_start = self.p256

    def problem(self, signer: Certificate, signature: str | None) -> VerifyCode:
        key = signer.public_key
        if not key.usable or key.kind != "ec":
            return VerifyCode.SUITE_B_INVALID_ALGORITHM
        if key.curve == "secp384r1":
            if signature is not None and signature != _ECDSA_SHA384:
                return VerifyCode.SUITE_B_INVALID_SIGNATURE_ALGORITHM
            if not self.p384:
                return VerifyCode.SUITE_B_LOS_NOT_ALLOWED
            self.p256 = False
        elif key.curve == "prime256v1":
            if signature is not None and signature != _ECDSA_SHA256:
                return VerifyCode.SUITE_B_INVALID_SIGNATURE_ALGORITHM
            if not self.p256:
                return VerifyCode.SUITE_B_LOS_NOT_ALLOWED
        else:
            return VerifyCode.SUITE_B_INVALID_CURVE
        return VerifyCode.OK


def _suite_b_problem(rules: _Rules, chain: Sequence[Certificate]) -> tuple[VerifyCode, int] | None:
    leaf = chain[0]
    if leaf.version != 3:
        return VerifyCode.SUITE_B_INVALID_VERSION, 0
    code = rules.problem(leaf, None)
    if code != VerifyCode.OK:
        return code, 0
    below = leaf
    for depth, certificate in enumerate(chain[1:], 1):
        if certificate.version != 3:
            return VerifyCode.SUITE_B_INVALID_VERSION, depth
        code = rules.problem(certificate, below.signature_algorithm.oid)
        if code != VerifyCode.OK:
            return _blamed(rules, code, depth)
        below = certificate
    code = rules.problem(below, below.signature_algorithm.oid)
    return None if code == VerifyCode.OK else _blamed(rules, code, len(chain))


def _blamed(rules: _Rules, code: VerifyCode, depth: int) -> tuple[VerifyCode, int]:
    """Give a wrong signature or level is the signed certificate's fault, not its signer's."""
    if code in {VerifyCode.SUITE_B_INVALID_SIGNATURE_ALGORITHM, VerifyCode.SUITE_B_LOS_NOT_ALLOWED}:
        depth -= 1
    if code == VerifyCode.SUITE_B_LOS_NOT_ALLOWED and rules.p256 != rules.at_start:
        code = VerifyCode.SUITE_B_CANNOT_SIGN_P_384_WITH_P_256
    return code, depth


_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_ECDSA_SHA384 = "1.2.840.10045.4.3.3"
