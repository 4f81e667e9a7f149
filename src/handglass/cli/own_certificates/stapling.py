"""A server's stapled OCSP responses: -status, -status_url, -status_timeout, -status_file, -status_all.

One `Stapler` for each certificate that gets a response (the leaf's; with -status_all every one that has an issuer). All
of them begin to ask when the server starts, so that as a rule no handshake waits. What is said on standard error are
OpenSSL's sentences, the commonplace ones only with -status_verbose.

Source: openssl-s_server(1); RFC 6066 §8, RFC 8446 §4.4.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from handglass.crypto.containers import describe
from handglass.crypto.identity import Identity
from handglass.net.errors import NetError
from handglass.net.files import FileError, path_of, read_file
from handglass.net.http_fetch import FetchOptions
from handglass.net.ocsp_fetch import Stapler, responder_url
from handglass.records import dataclass
from handglass.registry.errors import LocalError
from handglass.registry.reasons import INTERNAL_ERROR
from handglass.verify import Certificate, TrustStore
from handglass.verify.ocsp import MAX_RESPONSE, read_response
from handglass.verify.ocsp_text import response_text

DEFAULT_SECONDS = 10.0
MAX_CHAIN = 12


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """The options. `seconds`: -status_timeout; `files`: -status_file, the leaf's response first."""

    verbose: bool = False
    seconds: float | None = None
    url: str | None = None
    files: tuple[str, ...] = ()
    all_certificates: bool = False
    proxy: str | None = None
    no_proxy: str | None = None


class Stapling:
    """The responses of all certificates of a server. `tell` gets lines for standard error, from any thread."""

    def __init__(self, options: StatusOptions, store: TrustStore, tell: Callable[[str], None]) -> None:
        self._options = options
        self._store = store
        self._tell = tell
        self._staplers: dict[bytes, Stapler | None] = {}
        self._chains: dict[tuple[bytes, ...], list[Stapler | None]] = {}

    def prepare(self, identities: Iterable[Identity]) -> None:
        """Begin to ask about the certificates of identities, without waiting."""
        if not self._options.files:
            for identity in identities:
                for stapler in self._for(identity):
                    if stapler is not None:
                        stapler.start()

    def responses(self, identity: Identity) -> list[bytes | None]:
        """Return a response (DER) or None for each certificate of an identity that gets one, leaf first.

        Waits for a responder only before its first answer. Raises `LocalError` when a -status_file cannot be read.
        """
        self._say("callback called")
        if self._options.files:
            return [self._from_file(path) for path in self._options.files]
        found = [stapler.get() if stapler is not None else None for stapler in self._for(identity)]
        for response in found:
            if response is not None and self._options.verbose:
                text = response_text(read_response(response))
                self._tell(f"cert_status: ocsp response sent:\n{text.rstrip()}")
        return found

    @property
    def may_wait(self) -> bool:
        """Whether a response may still have to be waited for: some responder has not answered for the first time."""
        return any(
            stapler is not None and not stapler.has_answered for stapler in list(self._staplers.values())
        )

    def close(self) -> None:
        """End the threads."""
        for stapler in self._staplers.values():
            if stapler is not None:
                stapler.close()

    def _from_file(self, path: str) -> bytes:
        try:
            data = read_file(path_of(path), MAX_RESPONSE)
        except FileError as problem:
            self._tell(f"cert_status: Cannot open OCSP response file: {problem}")
            raise LocalError(INTERNAL_ERROR, f"Cannot open OCSP response file: {problem}") from None
        if read_response(data).status is None:
            self._tell(f"cert_status: Error reading OCSP response: {path} holds {describe(data)}")
            raise LocalError(INTERNAL_ERROR, f"Error reading OCSP response: {path} holds {describe(data)}")
        return data

    def _for(self, identity: Identity) -> list[Stapler | None]:
        """Return the stapler of each certificate that gets a response; None where it cannot be had."""
        found = self._chains.get(identity.certificates)
        if found is None:
            certificates = list(map(Certificate, identity.certificates[:MAX_CHAIN]))
            wanted = certificates[:] if self._options.all_certificates else certificates[:1]
            while len(wanted) > 1 and wanted[-1].facts.self_issued:
                wanted.pop()  # nobody but itself could tell of a root
            found = [self._stapler(each, certificates) for each in wanted]
            self._chains[identity.certificates] = found
        return found

    def _stapler(self, certificate: Certificate, sent: Sequence[Certificate]) -> Stapler | None:
        if certificate.der not in self._staplers:
            self._staplers[certificate.der] = self._make(certificate, sent)
        return self._staplers[certificate.der]

    def _make(self, certificate: Certificate, sent: Sequence[Certificate]) -> Stapler | None:
        try:
            url = responder_url(certificate, self._options.url)
        except NetError as problem:
            self._say(problem.sentence)
            return None
        self._say(f"AIA URL: {url}")
        candidates = [each for each in sent if each.subject == certificate.issuer and each is not certificate]
        candidates += self._store.certificates(certificate.issuer)
        identifier = certificate.facts.authority_key_id
        issuer = next((each for each in candidates if each.facts.matches(identifier)), None)
        if issuer is None:
            self._tell("cert_status: Can't retrieve issuer certificate.")
            return None
        seconds = self._options.seconds or DEFAULT_SECONDS
        fetching = FetchOptions(seconds, MAX_RESPONSE, 0, self._options.proxy, self._options.no_proxy)
        return Stapler(
            certificate, issuer, url, fetching, tell=lambda text: self._tell(f"cert_status: {text}")
        )

    def _say(self, text: str) -> None:
        """Tell what is told only with -status_verbose."""
        if self._options.verbose:
            self._tell(f"cert_status: {text}")
