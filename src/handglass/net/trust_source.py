"""Lets the verification ask places of trust (`net.trust`) for certificates and CRLs by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from handglass.verify.certificate import Auxiliary, Certificate
from handglass.verify.crl import Crl
from handglass.verify.names import Name

if TYPE_CHECKING:
    from handglass.crypto.containers import CertificateEntry
    from handglass.net.trust import TrustStore


class TrustSource:
    """The `Source` of `verify.store` over the places that the command line or the system names."""

    def __init__(self, places: TrustStore) -> None:
        self._places = places

    def certificates(self, subject: Name) -> Iterator[Certificate]:
        """The certificates with this subject."""
        for entry in self._places.by_subject(subject.encoding):
            yield certificate_of(entry)

    def crls(self, issuer: Name) -> Iterator[Crl]:
        """The CRLs of this issuer."""
        for crl in self._places.crls_by_issuer(issuer.encoding):
            yield Crl(crl)


def certificate_of(entry: CertificateEntry) -> Certificate:
    """A certificate with what its "TRUSTED CERTIFICATE" says beside it."""
    if entry.trusted is None and entry.rejected is None:
        return Certificate(entry.certificate)
    trusted = None if entry.trusted is None else frozenset(entry.trusted)
    return Certificate(entry.certificate, Auxiliary(trusted, frozenset(entry.rejected or ())))
