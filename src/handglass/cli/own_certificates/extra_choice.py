"""Which sets of -xcert may be shown to a peer, and OpenSSL's lines about each of them.

OpenSSL checks every set against what the peer has said, prints eleven lines on it, and leaves out those that are not
valid. What its words mean, and which of them decide, is SSL_check_chain(3) with its defaults: the signature on the
certificate itself and its curve must suit the peer; all else is only told.

Below TLS 1.3 the signatures on certificates are held against the list of signature algorithms (RFC 5246 §7.4.2,
§7.4.4); in TLS 1.3 what counts is whether the key can make a signature that both accept (RFC 8446 §4.4.2.2).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import IO

from handglass.crypto.certificate_schemes import schemes_covering
from handglass.crypto.containers import ContainerError
from handglass.crypto.identity import Identity
from handglass.handshake.certificates import first_able, leads_to, schemes_for_certificate
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.handshake.state import ClientHelloView, Negotiated
from handglass.records import dataclass
from handglass.registry import groups, signatures
from handglass.registry.code_points import (
    ClientCertificateType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.verify.certificate import Certificate
from handglass.verify.nameopt import ONELINE, format_name

TYPES = {
    "rsa": ClientCertificateType.RSA_SIGN,
    "dsa": ClientCertificateType.DSS_SIGN,
    "ec": ClientCertificateType.ECDSA_SIGN,
}
"""The kinds of keys that a CertificateRequest below TLS 1.3 names; others need no name."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What there is to suit: what the peer says, and `ours`, the schemes that we would sign with.

    `in_chains`: what it accepts in chains, where it says so; `groups`: those that EC keys must be of, None for any;
    `by_server`: it is a server that asks, by a CertificateRequest with `authorities` and `certificate_types`.
    """

    version: ProtocolVersion
    schemes: Sequence[SignatureScheme]
    ours: Collection[SignatureScheme]
    in_chains: Sequence[SignatureScheme] = ()
    groups: Collection[NamedGroup] | None = None
    by_server: bool = False
    authorities: Sequence[bytes] = ()
    certificate_types: Sequence[int] = ()

    @property
    def shared(self) -> frozenset[SignatureScheme]:
        """The schemes that both accept."""
        return frozenset(self.schemes).intersection(self.ours)

    @property
    def any_signature(self) -> bool:
        """Whether nothing was said of signatures: there are no lists of algorithms below TLS 1.2."""
        return self.version < ProtocolVersion.TLS1_2

    @property
    def tls13(self) -> bool:
        """Whether the rules of TLS 1.3 hold."""
        return self.version == ProtocolVersion.TLS1_3


@dataclass(frozen=True, slots=True)
class Check:
    """How one set suits the demands, in OpenSSL's words."""

    signs: bool
    leaf_signature: bool
    chain_signatures: bool
    leaf_parameters: bool
    chain_parameters: bool
    issuer_name: bool
    certificate_type: bool

    @property
    def valid(self) -> bool:
        """Whether it may be shown."""
        return self.leaf_signature and self.leaf_parameters

    def lines(self) -> list[str]:
        """Return the lines on it, without its number and its subject."""
        rows = (
            ("Overall Validity", self.valid),
            ("Sign with EE key", self.signs),
            ("EE signature", self.leaf_signature),
            ("CA signature", self.chain_signatures),
            ("EE key parameters", self.leaf_parameters),
            ("CA key parameters", self.chain_parameters),
            ("Explicitly sign with EE key", self.signs),
            ("Issuer Name", self.issuer_name),
            ("Certificate Type", self.certificate_type),
        )
        return [*(f"\t{name}: {'OK' if good else 'NOT OK'}" for name, good in rows), "\tSuite B: not tested"]


def client_choice(
    config: ClientConfig, sets: Sequence[Identity], agreed: Negotiated, err: IO[str], name_flags: int
) -> Identity | None:
    """Choose what a client answers a CertificateRequest with, sets that are not valid left out. Writes to `err`."""
    request = agreed.certificate_request
    assert request is not None  # noqa: S101 - the request is what is answered; for the type checker
    demands = Demands(
        agreed.version or ProtocolVersion.TLS1_3,
        request.signature_schemes,
        config.client_signature_schemes or config.signature_schemes,
        request.certificate_signature_schemes,
        config.groups,
        by_server=True,
        authorities=request.authorities,
        certificate_types=request.certificate_types,
    )
    valid = valid_sets(sets, demands, err, name_flags)
    return first_able(
        config, [each for each in config.identities if each not in sets or each in valid], request
    )


def server_choice(
    config: ServerConfig, sets: Sequence[Identity], hello: ClientHelloView, err: IO[str], name_flags: int
) -> list[Identity]:
    """Return the sets that may be shown to a client that said hello. Writes to `err`."""
    tls13 = ProtocolVersion.TLS1_3 in config.versions and ProtocolVersion.TLS1_3 in hello.versions
    version = ProtocolVersion.TLS1_3 if tls13 else min(hello.hello.legacy_version, ProtocolVersion.TLS1_2)
    demands = Demands(
        ProtocolVersion(version),
        hello.signature_schemes,
        config.signature_schemes,
        hello.certificate_signature_schemes,
        hello.groups or None,
    )
    return valid_sets(sets, demands, err, name_flags)


def valid_sets(
    sets: Sequence[Identity], demands: Demands, err: IO[str], name_flags: int = ONELINE
) -> list[Identity]:
    """Return the sets that may be shown, in their order; what is found of each goes to `err`."""
    found = []
    for number, identity in enumerate(sets, 1):
        result = check(identity, demands)
        subject = format_name(Certificate(identity.certificate).subject, name_flags)
        lines = [f"Checking cert chain {number}:", f"Subject: {subject}", *result.lines()]
        err.write("".join(line + "\n" for line in lines))
        if result.valid:
            found.append(identity)
    err.flush()
    return found


def check(identity: Identity, demands: Demands) -> Check:
    """Hold one set against the demands."""
    shared = demands.shared
    in_chains = frozenset(demands.in_chains) if demands.tls13 and demands.in_chains else shared
    return Check(
        signs=demands.any_signature or any(_is_for(scheme, identity, demands) for scheme in shared),
        leaf_signature=demands.any_signature or _leaf_is_accepted(identity, demands),
        chain_signatures=demands.any_signature or all(_accepted(each, in_chains) for each in identity.chain),
        leaf_parameters=_suits(identity.certificate, demands),
        chain_parameters=demands.by_server or all(_suits(each, demands) for each in identity.chain),
        issuer_name=not demands.authorities or leads_to(identity, demands.authorities),
        certificate_type=(
            not demands.by_server
            or identity.key_type not in TYPES
            or TYPES[identity.key_type] in demands.certificate_types
        ),
    )


def _is_for(scheme: SignatureScheme, identity: Identity, demands: Demands) -> bool:
    """Whether a scheme is one for this kind of key."""
    facts = signatures.facts_of(scheme)
    if facts is None or (demands.tls13 and facts.padding == "pkcs1"):
        return False
    return facts.key_type == identity.key_type


def _leaf_is_accepted(identity: Identity, demands: Demands) -> bool:
    """In TLS 1.3 its key must make a signature that both accept; below, the one on the certificate must be accepted."""
    shared = demands.shared
    if not demands.tls13:
        return _accepted(identity.certificate, shared)
    able = shared.intersection(schemes_for_certificate(identity.certificate))
    return any((facts := signatures.facts_of(scheme)) and facts.tls13_allowed for scheme in able)


def _accepted(certificate: bytes, schemes: frozenset[SignatureScheme]) -> bool:
    """Whether the signature on a certificate is covered by these schemes."""
    try:
        covering = schemes_covering(certificate)
    except ContainerError:
        return False
    return covering is None or not covering.isdisjoint(schemes)


def _suits(certificate: bytes, demands: Demands) -> bool:
    """Whether the curve of a certificate's key, if it has one, is among the groups."""
    key = Certificate(certificate).public_key
    if key.kind != "ec" or demands.groups is None:
        return True
    known = groups.by_name(key.curve or "")
    return known is not None and known.group in demands.groups
