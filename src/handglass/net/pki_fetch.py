"""Fetching what a chain lacks: issuers' certificates (AIA) and revocation lists.

Both are off unless asked for, because they let a peer choose where we connect to. Both have their own limits
of time, size and number, which hold for a whole verification: a chain cannot send us on a journey.

Sources: RFC 5280 §4.2.2.1, §4.2.1.13, §5.2.6; RFC 4325; RFC 5652 §5.1 for bundles of issuers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from handglass.crypto.containers import ContainerError, load_certificates, load_crls
from handglass.records import dataclass, field, replace
from handglass.verify import Certificate, Crl, TrustStore
from handglass.verify.access import crl_urls, delta_crl_urls, issuer_urls

from .errors import NetError, shown
from .http_fetch import FetchOptions, fetch

ISSUER_LIMITS = FetchOptions(seconds=5.0, size=256 << 10)
CRL_LIMITS = FetchOptions(seconds=10.0, size=64 << 20)
MAX_FETCHES = 8
MAX_CHAIN = 12
MAX_WORDS = 500  # bytes of one sentence: URLs come from certificates and redirections


@dataclass()
class Fetcher:
    """The downloads of one verification: the limits of `options.seconds` and `fetches` hold for all together.

    `tell` gets a sentence for each place that did not give what was asked for.
    """

    options: FetchOptions
    fetches: int = MAX_FETCHES
    tell: Callable[[str], None] = field(default=lambda _: None, repr=False)

    def __post_init__(self) -> None:
        self._deadline: float | None = None
        self._known: dict[str, bytes | None] = {}

    def get(self, url: str) -> bytes | None:
        """Return what is behind a URL, None if it cannot be had; each URL is asked once."""
        if url in self._known:
            return self._known[url]
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self.options.seconds
        self._known[url] = None
        if self.fetches <= 0 or now >= self._deadline:
            self.tell(f"{url} was not fetched: the limit of time or number is reached")
            return None
        self.fetches -= 1
        try:
            self._known[url] = fetch(url, replace(self.options, seconds=self._deadline - now))
        except NetError as problem:
            self.tell(f"cannot fetch: {shown(str(problem).encode(), MAX_WORDS)}")
        return self._known[url]

    def take(self, url: str, read: Callable[[bytes], list[bytes]]) -> list[bytes]:
        """Return what `read` finds behind a URL; nothing if that cannot be had or read."""
        data = self.get(url)
        if data is None:
            return []
        try:
            return read(data)
        except ContainerError as problem:
            self.tell(f"cannot use {shown(url.encode(), MAX_WORDS)}: {problem}")
            return []


def complete_chain(
    certificates: Sequence[Certificate], store: TrustStore, fetcher: Fetcher | None = None
) -> list[Certificate]:
    """Return a chain with the issuers that it lacks, fetched from where its certificates say (AIA).

    `certificates`: as the peer sent them, leaf first. Fetching ends at an issuer that the store has, at a
    self-signed certificate, and at the limits. The result is only material for path building: nothing of it
    is verified.
    """
    fetching = fetcher or Fetcher(ISSUER_LIMITS)
    known = list(certificates)
    top = known[0] if known else None
    seen: set[bytes] = set()
    while top is not None and len(known) < MAX_CHAIN and top.der not in seen:
        seen.add(top.der)
        if top.facts.self_issued or store.certificates(top.issuer):
            break
        issuer = _issuer_among(known, top)
        if issuer is None:
            found = [
                Certificate(data)
                for url in issuer_urls(top)
                for data in fetching.take(url, load_certificates)
            ]
            issuer = _issuer_among(found, top)
            if issuer is not None:
                known.append(issuer)
            elif found:
                fetching.tell(f"none of the fetched certificates is that of {top.issuer}")
        top = issuer
    return known


def _issuer_among(candidates: Iterable[Certificate], certificate: Certificate) -> Certificate | None:
    return next(
        (
            each
            for each in candidates
            if each.subject == certificate.issuer and each.facts.matches(certificate.facts.authority_key_id)
        ),
        None,
    )


def crl_downloader(fetcher: Fetcher | None = None) -> Callable[[Certificate], list[Crl]]:
    """Return a function for `TrustStore.download` (-crl_download): a certificate's lists and their deltas."""
    fetching = fetcher or Fetcher(CRL_LIMITS)

    def lists(urls: Iterable[str]) -> list[Crl]:
        return [Crl(data) for url in urls for data in fetching.take(url, load_crls)]

    def download(certificate: Certificate) -> list[Crl]:
        complete = lists(crl_urls(certificate))
        places = delta_crl_urls(certificate.extensions)
        for crl in complete:
            places += delta_crl_urls(crl.extensions)
        return complete + lists(dict.fromkeys(places))

    return download
