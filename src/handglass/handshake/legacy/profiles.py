"""What differs between the versions below TLS 1.3: a record of facts and functions, chosen once.

The conversations ask the profile and never compare versions. TLS 1.2 is here; its predecessors are further rows.
"""

from __future__ import annotations

from collections.abc import Callable

from handglass.crypto import signatures
from handglass.crypto.signatures import PublicKey
from handglass.keys import prf
from handglass.record.protection import Protection
from handglass.record.suites import protection12
from handglass.records import dataclass
from handglass.registry.code_points import ProtocolVersion, SignatureScheme
from handglass.registry.suites import SuiteFacts


@dataclass(frozen=True, slots=True)
class Profile:
    """The facts of one version.

    `prf` names the pseudorandom function for `handglass.keys.prf`; `hash_of` gives the handshake hash of a suite;
    `names_scheme` is whether signatures name their scheme (digitally-signed, RFC 5246 §4.7).
    """

    version: ProtocolVersion
    prf: str
    hash_of: Callable[[SuiteFacts], str]
    names_scheme: bool
    verify: Callable[[SignatureScheme | None, PublicKey, bytes, bytes], None]
    protect: Callable[..., Protection]


def _verify_tls12(scheme: SignatureScheme | None, key: PublicKey, data: bytes, signature: bytes) -> None:
    assert scheme is not None  # noqa: S101 - TLS 1.2 names it; for the type checker
    signatures.verify(scheme, key, data, signature)


PROFILES: dict[ProtocolVersion, Profile] = {
    ProtocolVersion.TLS1_2: Profile(
        version=ProtocolVersion.TLS1_2,
        prf="tls12",
        hash_of=lambda facts: facts.prf_hash,
        names_scheme=True,
        verify=_verify_tls12,
        protect=protection12,
    ),
}
"""The versions that the legacy conversations can speak."""


def master_secret(
    profile: Profile,
    facts: SuiteFacts,
    premaster: bytes,
    *,
    randoms: tuple[bytes, bytes],
    session_hash: bytes | None,
) -> bytes:
    """The 48 bytes of RFC 5246 §8.1, or with the session hash those of RFC 7627 §4."""
    hash_name = profile.hash_of(facts)
    if session_hash is not None:
        return prf.extended_master_secret(profile.prf, hash_name, premaster, session_hash)
    return prf.master_secret(profile.prf, hash_name, premaster, *randoms)
