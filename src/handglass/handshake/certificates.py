"""Which certificate to show, and the key of the one that the peer showed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import lru_cache

from handglass.crypto.certificate_schemes import schemes_covering
from handglass.crypto.containers import ContainerError, public_key_info_of_certificate, subject_and_issuer
from handglass.crypto.identity import Identity
from handglass.crypto.private_keys import load_public_key, read_public_key_info
from handglass.crypto.signatures import PublicKey, schemes_for
from handglass.handshake.config import ClientConfig, Config
from handglass.handshake.state import CertificateRequestFacts, ClientState, Negotiated
from handglass.handshake.wants import Conversation, ask
from handglass.registry import reasons
from handglass.registry.code_points import SignatureScheme
from handglass.registry.errors import PeerError


def strict_enough(config: Config, identity: Identity, accepted: Collection[SignatureScheme]) -> bool:
    """Whether the peer accepts every signature of the chain, where that is demanded (RFC 8446 §4.4.2.2)."""
    if not config.strict_chains:
        return True
    try:
        needed = [schemes_covering(certificate) for certificate in identity.certificates]
    except ContainerError:
        return False
    return all(schemes is None or not schemes.isdisjoint(accepted) for schemes in needed)


def choose_client_identity(
    me: ClientState, schemes: Sequence[SignatureScheme], authorities: Sequence[bytes]
) -> Conversation[Identity | None]:
    """The certificate to answer a request with: the configured choice, or the first that can sign as asked.

    Of those that can, one whose chain leads to a named authority goes first (RFC 8446 §4.2.4); with none such the
    server may still know better than its list.
    """
    config, request = me.config, me.negotiated.certificate_request
    if config.choose_identity is not None:
        return (yield from ask("client certificate", config.choose_identity, schemes, authorities))
    assert request is not None  # noqa: S101 - who is asked has read a request; for the type checker
    return first_able(config, config.identities, request)


def first_able(
    config: ClientConfig, identities: Sequence[Identity], request: CertificateRequestFacts
) -> Identity | None:
    """The first of these that can answer a request, one whose chain leads to a named authority before others."""
    schemes, authorities = request.signature_schemes, request.authorities
    in_chains = request.certificate_signature_schemes or schemes
    common = set(config.client_signature_schemes or config.signature_schemes).intersection(schemes)
    able = [
        identity
        for identity in identities
        if not common.isdisjoint(schemes_for_certificate(identity.certificate))
        and strict_enough(config, identity, in_chains)
    ]
    if len(able) > 1 and authorities:
        named = [identity for identity in able if leads_to(identity, authorities)]
        able = named or able
    return able[0] if able else None


def leads_to(identity: Identity, authorities: Sequence[bytes]) -> bool:
    """Whether a certificate of the chain was issued by one of these names (DER)."""
    for certificate in identity.certificates:
        with suppress(ContainerError):
            if subject_and_issuer(certificate)[1] in authorities:
                return True
    return False


def shown_raw_key(identity: Identity) -> bytes:
    """The SubjectPublicKeyInfo (DER) of a certificate of ours, to be shown in its place (RFC 7250 §3)."""
    return public_key_info_of_certificate(identity.certificate).raw


def peer_key(facts: Negotiated) -> PublicKey:
    """The key of the peer's certificate, or its raw public key.

    Raises:
        PeerError: bad_certificate for what is no certificate, unsupported_certificate for a key of no use here.
    """
    return _peer_key(facts)[0]


def peer_key_for(facts: Negotiated, scheme: SignatureScheme, *, curve_bound: bool) -> PublicKey:
    """The same, if it can make signatures of this scheme. Raises PeerError if not; `curve_bound` as below."""
    key, spki = _peer_key(facts)
    if scheme not in schemes_for_key(spki, curve_bound=curve_bound):
        raise PeerError(reasons.SIGNATURE_KEY_MISMATCH, f"the key of the peer cannot make {scheme.name}")
    return key


def _peer_key(facts: Negotiated) -> tuple[PublicKey, bytes]:
    try:
        spki = facts.peer_public_key or public_key_info_of_certificate(facts.peer_certificates[0]).raw
    except ContainerError as error:
        raise PeerError(reasons.BAD_CERTIFICATE, str(error)) from error
    try:
        return load_public_key(spki), spki
    except ContainerError as error:
        raise PeerError(reasons.UNSUPPORTED_CERTIFICATE, str(error)) from error


@lru_cache(maxsize=256)
def schemes_for_certificate(certificate: bytes, *, curve_bound: bool = True) -> frozenset[SignatureScheme]:
    """The schemes that the key of a certificate (DER) can sign with; none if it cannot be read."""
    try:
        return schemes_for_key(public_key_info_of_certificate(certificate).raw, curve_bound=curve_bound)
    except ContainerError:
        return frozenset()


@lru_cache(maxsize=256)
def schemes_for_key(spki: bytes, *, curve_bound: bool = True) -> frozenset[SignatureScheme]:
    """The schemes that a key (SubjectPublicKeyInfo in DER) can sign with; none if it cannot be read.

    `curve_bound`: an ECDSA scheme demands its curve, as in TLS 1.3 (RFC 8446 §4.2.3), and not as in TLS 1.2.
    """
    try:
        info = read_public_key_info(spki)
        key = load_public_key(spki)
    except ContainerError:
        return frozenset()
    return frozenset(
        schemes_for(key, key_type_named=info.key_type, pss_hash=info.pss_hash, curve_bound=curve_bound)
    )
