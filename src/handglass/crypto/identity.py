"""An identity: what an end shows and signs with, ready for the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.records import dataclass, field

from .container_errors import ContainerError
from .containers import key_matches, public_key_info_of_certificate
from .private_keys import key_type_of

if TYPE_CHECKING:
    from .private_keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate (DER), the private key to it, and the issuers' certificates to send after it.

    `key_type` is the certificate's view ("rsa_pss" rather than "rsa" for an id-RSASSA-PSS key, which decides
    the signature schemes: RFC 8446 §4.2.3); `pss_hash` the only hash that such a key allows, or None. `label`
    says for people where it came from.
    """

    certificate: bytes
    key: PrivateKey = field(repr=False)
    chain: tuple[bytes, ...] = ()
    key_type: str = ""
    pss_hash: str | None = None
    label: str = ""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """All certificates as they are sent: its own first."""
        return (self.certificate, *self.chain)


def make_identity(
    certificate: bytes, key: PrivateKey, chain: tuple[bytes, ...] = (), label: str = ""
) -> Identity:
    """Return the identity of a certificate (DER) and its key; `ContainerError` if they do not match."""
    if not key_matches(key, certificate):
        info = public_key_info_of_certificate(certificate)
        mine, theirs = key_type_of(key), info.key_type.replace("rsa_pss", "rsa")
        reason = f" (one is {mine}, the other {theirs})" if mine != theirs else ""
        raise ContainerError(f"Private key does not match the certificate public key{reason}")
    info = public_key_info_of_certificate(certificate)
    return Identity(certificate, key, chain, info.key_type, info.pss_hash, label)
