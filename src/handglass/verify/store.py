"""Where anchors and CRLs come from: OpenSSL's X509_STORE.

A store holds certificates and CRLs in memory, found by name. Sources that are slow or large (hashed
directories, URIs) are asked lazily, through the `Source` protocol, when memory has no certificate of the
wanted name; what they give is kept. Nothing here reads a file: `net/` brings the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from .certificate import Auxiliary, Certificate
from .crl import Crl
from .names import Name

if TYPE_CHECKING:
    from handglass.crypto.containers import (
        CertificateEntry,
    )  # it brings key formats along, which nobody needs here

__all__ = ["Source", "TrustStore", "from_entry"]


class Source(Protocol):
    """A place that can be asked for certificates and CRLs by name; `handglass.net.trust.TrustStore` is one."""

    def by_subject(self, name: bytes) -> Sequence[CertificateEntry]:
        """Give the certificates whose subject equals a name (DER)."""

    def crls_by_issuer(self, name: bytes) -> Sequence[bytes]:
        """Give the CRLs (DER) whose issuer equals a name (DER)."""


class TrustStore:
    """Trusted certificates and CRLs; `sources` are asked in their order.

    `download`, if given, replaces all CRLs of the store: it is asked for the CRLs of one certificate
    (`-crl_download`).
    """

    def __init__(
        self,
        certificates: Iterable[Certificate] = (),
        crls: Iterable[Crl] = (),
        sources: Sequence[Source] = (),
        download: Callable[[Certificate], Iterable[Crl]] | None = None,
    ) -> None:
        self.sources = list(sources)
        self.download = download
        self._certificates: dict[Name, list[Certificate]] = {}
        self._crls: dict[Name, list[Crl]] = {}
        for certificate in certificates:
            self.add_certificate(certificate)
        for crl in crls:
            self.add_crl(crl)

    def add_certificate(self, certificate: Certificate) -> None:
        """Trust a certificate; one that is there already is not added again."""
        known = self._certificates.setdefault(certificate.subject, [])
        if certificate not in known:
            known.append(certificate)

    def add_crl(self, crl: Crl) -> None:
        """Keep a CRL; one that is there already is not added again."""
        known = self._crls.setdefault(crl.issuer, [])
        if crl not in known:
            known.append(crl)

    def certificates(self, subject: Name) -> Sequence[Certificate]:
        """Give the trusted certificates of a subject, in the order in which they came."""
        if subject not in self._certificates:
            for source in self.sources:
                for entry in source.by_subject(subject.encoding):
                    certificate = from_entry(entry)
                    if certificate.subject == subject:
                        self.add_certificate(certificate)
                if subject in self._certificates:
                    break
        return self._certificates.get(subject, ())

    def crls(self, issuers: Iterable[Name], certificate: Certificate) -> Sequence[Crl]:
        """Give the CRLs of these issuers, which may tell about `certificate`."""
        if self.download is not None:
            return tuple(self.download(certificate))
        found: list[Crl] = []
        for issuer in issuers:
            for source in self.sources:
                for data in source.crls_by_issuer(issuer.encoding):
                    self.add_crl(Crl(data))
            found += self._crls.get(issuer, ())
        return found

    def all_certificates(self) -> list[Certificate]:
        """Give every certificate in memory (for the CA names of a CertificateRequest)."""
        return [certificate for group in self._certificates.values() for certificate in group]


def from_entry(entry: CertificateEntry) -> Certificate:
    """Make a certificate of what a file holds, with what "TRUSTED CERTIFICATE" says beside it."""
    if entry.trusted is None and entry.rejected is None:
        return Certificate(entry.certificate)
    trust = frozenset(entry.trusted) if entry.trusted else None
    return Certificate(entry.certificate, Auxiliary(trust, frozenset(entry.rejected or ())))
