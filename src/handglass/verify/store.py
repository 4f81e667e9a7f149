"""Where anchors and CRLs come from: OpenSSL's X509_STORE.

A store holds certificates and CRLs in memory, found by name. Sources that are slow or large (hashed
directories, URIs) are asked lazily, through the `Source` protocol, when memory has no certificate of the
wanted name; what they give is kept. Nothing here reads a file: `net/` brings the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .certificate import Certificate
from .crl import Crl
from .names import Name

__all__ = ["Source", "TrustStore"]


class Source(Protocol):
    """A place that can be asked for certificates and CRLs by name."""

    def certificates(self, subject: Name) -> Iterable[Certificate]:
        """Give the certificates of that subject."""

    def crls(self, issuer: Name) -> Iterable[Crl]:
        """Give the CRLs of that issuer."""


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
                for certificate in source.certificates(subject):
                    if certificate.subject == subject:
                        self.add_certificate(certificate)
                if subject in self._certificates:
                    break
        return self._certificates.get(subject, ())

    def crls(self, issuer: Name, certificate: Certificate) -> Sequence[Crl]:
        """Give the CRLs of an issuer that may tell about `certificate`."""
        if self.download is not None:
            return tuple(self.download(certificate))
        for source in self.sources:
            for crl in source.crls(issuer):
                self.add_crl(crl)
        return self._crls.get(issuer, ())

    def all_certificates(self) -> list[Certificate]:
        """Give every certificate in memory (for the CA names of a CertificateRequest)."""
        return [certificate for group in self._certificates.values() for certificate in group]
