"""The chain that we send: built and verified, or completed with what there is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handglass.cli.own_certificates.identity import LoadError
from handglass.cli.own_certificates.own_chain import built_chain, completed_chain
from handglass.crypto.throwaway import Authority, self_signed
from handglass.verify import Certificate, TrustStore

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ROOT = Authority(NOW, "Root")
STORE = TrustStore([Certificate(ROOT.certificate)])


def test_a_chain_is_built_with_its_root() -> None:
    identity = built_chain(ROOT.issue(), STORE, SECONDS)
    assert identity.chain == (ROOT.certificate,)
    assert completed_chain(ROOT.issue(), STORE, SECONDS).chain == (ROOT.certificate,)


def test_what_does_not_verify_is_an_error_only_if_asked_for() -> None:
    identity = ROOT.issue(["leaf.test"])
    with pytest.raises(
        LoadError, match="error building certificate chain: certificate verify failed: Verify error:unab"
    ):
        built_chain(identity, TrustStore(), SECONDS)
    assert completed_chain(identity, TrustStore(), SECONDS).chain == ()
    late = SECONDS + 10**8
    with pytest.raises(LoadError, match="certificate has expired"):
        built_chain(identity, STORE, late)
    assert completed_chain(identity, STORE, late).chain == (ROOT.certificate,)


def test_an_own_chain_is_checked_against_itself() -> None:
    identity = ROOT.issue(["leaf.test"])
    with_chain = built_chain(
        type(identity)(identity.certificate, identity.key, (ROOT.certificate,)), TrustStore(), SECONDS
    )
    assert with_chain.chain == (ROOT.certificate,)
    assert completed_chain(with_chain, TrustStore(), SECONDS) is with_chain
    stranger = self_signed(NOW).certificate
    with pytest.raises(LoadError, match="Verify error"):
        built_chain(type(identity)(identity.certificate, identity.key, (stranger,)), STORE, SECONDS)
