"""The chain that we send ourselves: built from -chainCAfile and its kin, on demand or because -build_chain says so.

-build_chain wants a chain that verifies, and says so before anything connects. Without it, and without a
chain of its own, a certificate goes out with whatever issuers the chain stores have (the root among them), as
OpenSSL sends it; that they are missing or expired is then the peer's to find.

Source: SSL_CTX_build_cert_chain(3), SSL_CTX_add1_chain_cert(3), SSL_CTX_set_mode(3) (SSL_MODE_NO_AUTO_CHAIN).
"""

from __future__ import annotations

from handglass.cli.own_certificates.identity import LoadError
from handglass.crypto.identity import Identity
from handglass.records import replace
from handglass.verify import Certificate, TrustStore, VerifyParams, VerifyResult, verify_chain


def built_chain(identity: Identity, store: TrustStore, now: int) -> Identity:
    """Return the identity with a verified chain, root included (-build_chain). Raises `LoadError`.

    `now`: seconds since 1970. An identity that brings its own chain must find its anchor in that (OpenSSL
    then checks the chain against itself).
    """
    own = [Certificate(each) for each in identity.chain]
    result = _build(identity, TrustStore(own) if own else store, now)
    if not result.ok:
        first = result.problems[0] if result.problems else None
        where = f" at depth {first.depth}" if first is not None else ""
        what = first.sentence if first is not None else "it could not be built"
        raise LoadError(
            f"error building certificate chain: certificate verify failed: Verify error:{what}{where} "
            f"({identity.label or 'certificate'})"
        )
    return replace(identity, chain=tuple(each.der for each in result.chain[1:]))


def completed_chain(identity: Identity, store: TrustStore, now: int) -> Identity:
    """Return the identity with the issuers that a store has for it, if it brings none; nothing need verify."""
    if identity.chain:
        return identity
    return replace(identity, chain=tuple(each.der for each in _build(identity, store, now).chain[1:]))


def _build(identity: Identity, store: TrustStore, now: int) -> VerifyResult:
    return verify_chain(Certificate(identity.certificate), [], store, VerifyParams(), now)
