"""Where a certificate says that more can be had: its issuer, its OCSP responder, its revocation lists.

Sources: RFC 5280 §4.2.2.1 (authority information access), §4.2.1.13 (CRL distribution points), §4.2.1.15
(freshest CRL).
"""

from __future__ import annotations

from handglass.crypto import der

from .certificate import Certificate
from .extensions import FRESHEST_CRL, Extension
from .general_names import URI, DistributionPoint, GeneralName

__all__ = ["access_urls", "crl_urls", "delta_crl_urls", "issuer_urls", "ocsp_urls"]

AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"
OCSP = "1.3.6.1.5.5.7.48.1"
CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
MAX_URLS = 16


def ocsp_urls(certificate: Certificate) -> list[str]:
    """Return the addresses of OCSP responders that a certificate names."""
    return access_urls(certificate, OCSP)


def issuer_urls(certificate: Certificate) -> list[str]:
    """Return the addresses where the issuer's certificate can be had."""
    return access_urls(certificate, CA_ISSUERS)


def access_urls(certificate: Certificate, method: str) -> list[str]:
    """Return the URLs for one access method (dotted identifier); none if the extension is malformed."""
    extension = certificate.extension(AUTHORITY_INFORMATION_ACCESS)
    urls: list[str] = []
    try:
        for item in der.parse(extension.value).children() if extension else ():
            kind, location = item.children()
            name = GeneralName.read(location)
            if der.decode_oid(kind.content) == method and name.kind == URI:
                urls.append(name.value.decode("ascii", "backslashreplace"))
    except (der.DerError, ValueError):
        return []
    return urls[:MAX_URLS]


def crl_urls(certificate: Certificate) -> list[str]:
    """Return the addresses of the revocation lists that cover a certificate."""
    return _point_urls(certificate.facts.distribution_points)


def delta_crl_urls(extensions: tuple[Extension, ...]) -> list[str]:
    """Return the addresses of delta lists, from the extensions of a certificate or of a complete list."""
    extension = next((each for each in extensions if each.oid == FRESHEST_CRL), None)
    if extension is None:
        return []
    try:
        return _point_urls(DistributionPoint.read_list(der.parse(extension.value)))
    except (der.DerError, ValueError, IndexError):
        return []


def _point_urls(points: tuple[DistributionPoint, ...]) -> list[str]:
    return [
        name.value.decode("ascii", "backslashreplace")
        for point in points
        for name in point.names or ()
        if name.kind == URI
    ][:MAX_URLS]
