"""Lets the verification ask places of trust (`net.trust`) for certificates and CRLs by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from handglass.verify.certificate import Auxiliary, Certificate
from handglass.verify.crl import Crl
from handglass.verify.names import Name
from handglass.verify.store import TrustStore

from .trust import TrustOptions, TrustPlaces, open_trust

if TYPE_CHECKING:
    from handglass.crypto.containers import CertificateEntry


class TrustSource:
    """The `Source` of `verify.store` over the places that the command line or the system names."""

    def __init__(self, places: TrustPlaces) -> None:
        self._places = places

    def certificates(self, subject: Name) -> Iterator[Certificate]:
        """The certificates with this subject."""
        for entry in self._places.by_subject(subject.encoding):
            yield certificate_of(entry)

    def crls(self, issuer: Name) -> Iterator[Crl]:
        """The CRLs of this issuer."""
        for crl in self._places.crls_by_issuer(issuer.encoding):
            yield Crl(crl)


def open_store(options: TrustOptions, environment: Mapping[str, str] | None = None) -> TrustStore:
    """Return the store for path building that looks certificates up where the options say; see `open_trust`."""
    return TrustStore(sources=[TrustSource(open_trust(options, environment))])


def certificate_of(entry: CertificateEntry) -> Certificate:
    """A certificate with what its "TRUSTED CERTIFICATE" says beside it."""
    if entry.trusted is None and entry.rejected is None:
        return Certificate(entry.certificate)
    trusted = None if entry.trusted is None else frozenset(entry.trusted)
    return Certificate(entry.certificate, Auxiliary(trusted, frozenset(entry.rejected or ())))
