"""From negotiated suites and traffic secrets to record protection (RFC 8446 §7.3)."""

from __future__ import annotations

from handglass.record.protection import Protection
from handglass.record.suites import protection13
from handglass.registry import suites
from handglass.registry.code_points import CipherSuite
from handglass.registry.suites import SuiteFacts


def facts_of(suite: CipherSuite) -> SuiteFacts:
    """What there is to know of a suite that has been negotiated, and so is known."""
    facts = suites.facts_of(suite)
    assert facts is not None  # noqa: S101 - negotiation chose among known suites; for the type checker
    return facts


def protection(suite: CipherSuite, secret: bytes) -> Protection:
    """Record protection under a traffic secret."""
    return protection13(facts_of(suite), secret)
