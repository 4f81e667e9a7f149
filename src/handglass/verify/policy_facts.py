"""What a certificate says about policies, and what comes out (RFC 5280 §4.2.1.4, .5, .11 and .14)."""

from __future__ import annotations

from handglass.crypto import der
from handglass.records import dataclass, replace

from .certificate import Certificate
from .extensions import (
    CERTIFICATE_POLICIES,
    INHIBIT_ANY_POLICY,
    POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
)

__all__ = ["ANY_POLICY", "Policy", "PolicyFacts", "PolicyOutcome", "by_encoding", "read"]

ANY_POLICY = "2.5.29.32.0"
MAX_SKIP = 1 << 30


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy in a tree.

    `qualifiers`: the DER of its PolicyQualifiers, None without any; `expected`: what it is mapped to;
    `mapped`: it stands in a mapping itself; `mapped_any`: it stands there through anyPolicy.
    """

    oid: str
    critical: bool = False
    qualifiers: bytes | None = None
    expected: tuple[str, ...] = ()
    mapped: bool = False
    mapped_any: bool = False

    @property
    def is_mapping(self) -> bool:
        """Whether it is mapped at all."""
        return self.mapped or self.mapped_any


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """One certificate's policies: `policies` None without the extension; the counts None where not said."""

    policies: tuple[Policy, ...] | None = None
    any: Policy | None = None
    require_explicit: int | None = None
    inhibit_mapping: int | None = None
    inhibit_any: int | None = None
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """The result.

    Whether a policy is required, the authority's set, the user's set (None where there is none).
    """

    explicit_required: bool
    authority: tuple[Policy, ...] | None
    user: tuple[Policy, ...] | None


def by_encoding(oid: str) -> tuple[int, bytes]:
    """Order identifiers as OpenSSL does: by length, then by bytes."""
    encoded = der.encode_oid(oid)
    return len(encoded), encoded


def read(certificate: Certificate) -> PolicyFacts:
    """Read all extensions about policies; what is malformed or contradictory gives `invalid`."""
    facts = PolicyFacts()
    try:
        facts = _read_constraints(certificate, facts)
        value = _value(certificate, CERTIFICATE_POLICIES)
        if value is None:
            return facts
        critical = certificate.facts.is_critical(CERTIFICATE_POLICIES)
        policies, any_policy = _read_policies(value, critical)
        if not policies and any_policy is None:
            return facts
        policies = _mapped(certificate, policies, any_policy)
        inhibit = _value(certificate, INHIBIT_ANY_POLICY)
        return replace(
            facts,
            policies=tuple(policies),
            any=any_policy,
            inhibit_any=None if inhibit is None else _count(inhibit, der.INTEGER),
        )
    except (der.DerError, ValueError, IndexError):
        return replace(facts, invalid=True)


def _value(certificate: Certificate, oid: str) -> der.Element | None:
    found = [extension for extension in certificate.extensions if extension.oid == oid]
    if len(found) > 1:
        raise der.DerError(f"the extension {oid} stands twice")
    return der.parse(found[0].value) if found else None


def _count(element: der.Element, tag: int) -> int:
    value = der.strict_integer(element, tag)
    if value < 0:
        raise der.DerError("a negative count of certificates")
    return min(value, MAX_SKIP)


def _read_constraints(certificate: Certificate, facts: PolicyFacts) -> PolicyFacts:
    value = _value(certificate, POLICY_CONSTRAINTS)
    if value is None:
        return facts
    what = "policy constraints"
    fields = der.optional_fields(value.expect(der.SEQUENCE, what).children(), (0x80, 0x81), what)
    if not fields:
        raise der.DerError("policy constraints that say nothing")
    counts = {tag: _count(field, tag) for tag, field in fields.items()}
    return replace(facts, require_explicit=counts.get(0x80), inhibit_mapping=counts.get(0x81))


def _read_policies(value: der.Element, critical: bool) -> tuple[list[Policy], Policy | None]:
    named: dict[str, Policy] = {}
    for item in value.expect(der.SEQUENCE, "certificate policies").children():
        fields = item.expect(der.SEQUENCE, "policy").children()
        oid = der.decode_oid(fields[0].expect(der.OID, "policy").content)
        qualifiers = fields[1].expect(der.SEQUENCE, "qualifiers").encoding if len(fields) > 1 else None
        if oid in named:
            raise der.DerError(f"the policy {oid} stands twice")
        named[oid] = Policy(oid, critical, qualifiers)
    any_policy = named.pop(ANY_POLICY, None)
    return sorted(named.values(), key=lambda policy: by_encoding(policy.oid)), any_policy


def _mapped(certificate: Certificate, policies: list[Policy], any_policy: Policy | None) -> list[Policy]:
    value = _value(certificate, POLICY_MAPPINGS)
    if value is None:
        return policies
    pairs = value.expect(der.SEQUENCE, "policy mappings").children()
    if not pairs:
        raise der.DerError("policy mappings without a mapping")
    named = {policy.oid: policy for policy in policies}
    for pair in pairs:
        issuer, subject = map(der.object_identifier, pair.expect(der.SEQUENCE, "mapping").children())
        if ANY_POLICY in {issuer, subject}:
            raise der.DerError("a mapping of anyPolicy")  # RFC 5280 §4.2.1.5
        known = named.get(issuer)
        if known is None:
            if any_policy is None:
                continue
            known = Policy(issuer, any_policy.critical, any_policy.qualifiers, mapped_any=True)
        elif not known.mapped_any:
            known = replace(known, mapped=True)
        named[issuer] = replace(known, expected=(*known.expected, subject))
    return list(named.values())
