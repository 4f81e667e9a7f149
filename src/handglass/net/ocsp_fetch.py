"""Asking an OCSP responder, and a server's stapled response kept fresh in the background.

`ask_responder` asks once. `Stapler` holds the response for one certificate: the first caller waits for it
(with a limit), later ones get it at once, and a thread asks again when half of its time is over, so that no
handshake waits for a responder twice. What fails is told and tried again later; a response that is still
valid stays in use meanwhile.

Sources: RFC 6960 app. A.1; RFC 5019 §4 (when to ask again); RFC 8446 §4.4.2.1.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from handglass.records import replace
from handglass.verify.access import ocsp_urls
from handglass.verify.certificate import Certificate
from handglass.verify.ocsp import (
    MAX_RESPONSE,
    OcspResponse,
    cert_id_for,
    encode_request,
    read_response,
    response_status_text,
)
from handglass.verify.ocsp_judge import OcspOutcome, judge_response

from .errors import NetCode, NetError
from .http_fetch import FetchOptions, fetch

MIN_INTERVAL = 1.0  # seconds between two questions, however short-lived the responses are
MAX_INTERVAL = 12 * 3600.0  # a response without an end is renewed this often
FIRST_RETRY = 15.0  # after a failure; doubled up to MAX_RETRY
MAX_RETRY = 3600.0


class StaplingError(NetError):
    """No response can be stapled. The sentence says why."""


def ask_responder(
    certificate: Certificate,
    issuer: Certificate,
    url: str,
    options: FetchOptions = FetchOptions(size=MAX_RESPONSE),
    *,
    nonce: bytes | None = None,
) -> OcspResponse:
    """Ask about one certificate and return whatever answer came. Raises `NetError`."""
    request = encode_request([cert_id_for(certificate, issuer)], nonce)
    data = fetch(
        url,
        replace(options, size=min(options.size, MAX_RESPONSE)),
        body=request,
        content_type="application/ocsp-request",
    )
    response = read_response(data)
    if response.status is None:
        raise NetError(NetCode.ANSWER_MALFORMED, f"{url}: no OCSP response: {'; '.join(response.problems)}")
    return response


def responder_url(certificate: Certificate, default: str | None = None) -> str:
    """Return the certificate's responder, else the default one (-status_url); `StaplingError`."""
    named = [url for url in ocsp_urls(certificate) if url.startswith("http://")]
    url = named[0] if named else default
    if url is None:
        raise StaplingError(NetCode.NOT_OFFERED, "no AIA and no default responder URL")
    return url


class Stapler:
    """The OCSP response for one of our certificates, kept fresh by a thread that starts at the first wish.

    `tell` gets sentences about what happens (-status_verbose); it is called from either thread.
    """

    def __init__(
        self,
        certificate: Certificate,
        issuer: Certificate,
        url: str,
        options: FetchOptions = FetchOptions(),
        *,
        tell: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
        retry: float = FIRST_RETRY,
    ) -> None:
        self.url = url
        self._certificate = certificate
        self._issuer = issuer
        self._options = options
        self._tell = tell or (lambda _: None)
        self._clock = clock
        self._retry = self._first_retry = retry
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._response: bytes | None = None
        self._expires = 0.0

    def start(self) -> None:
        """Begin to ask in the background; further calls do nothing."""
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="ocsp-stapling", daemon=True)
                self._thread.start()

    def current(self) -> bytes | None:
        """Return the response (DER) if there is a valid one now; never waits."""
        self.start()
        with self._lock:
            return self._response if self._clock() < self._expires else None

    def get(self, seconds: float | None = None) -> bytes | None:
        """Return the response, waiting for the first answer; by default as long as that may take."""
        self.start()
        self._answered.wait(self._options.seconds + 1 if seconds is None else seconds)
        return self.current()

    @property
    def has_answered(self) -> bool:
        """Whether the first question is over, so that `get` does not wait any more."""
        return self._answered.is_set()

    def close(self) -> None:
        """End the thread; a question under way is left to run out by itself."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            wait = self._refresh()
            self._answered.set()
            self._ended.wait(wait)

    def _refresh(self) -> float:
        """Ask once; return the seconds until it should be done again."""
        try:
            response = ask_responder(self._certificate, self._issuer, self.url, self._options)
            ends, wait = self._accept(response)
        except NetError as problem:
            self._tell(f"error querying responder: {problem}")
            wait, self._retry = self._retry, min(2 * self._retry, MAX_RETRY)
            return wait
        with self._lock:
            self._response, self._expires = response.raw, ends
        self._retry = self._first_retry
        return wait

    def _accept(self, response: OcspResponse) -> tuple[float, float]:
        """Return until when a response is good, and when to ask again; `NetError` for one to throw away."""
        if response.status != 0:
            word = response_status_text(response.status or 0)
            raise StaplingError(NetCode.REFUSED, f"{self.url} answered {word}")
        now = self._clock()
        verdict = judge_response(response, self._certificate, self._issuer, int(now))
        if verdict.outcome is OcspOutcome.INVALID or verdict.single is None:
            raise StaplingError(NetCode.ANSWER_MALFORMED, f"{self.url}: {verdict.sentence}")
        if verdict.outcome is not OcspOutcome.GOOD:
            self._tell(f"the responder says that our certificate is {verdict.sentence}")
        end = verdict.single.next_update.seconds if verdict.single.next_update is not None else None
        if end is None:
            return now + MAX_INTERVAL, MAX_INTERVAL
        if end <= now:
            raise StaplingError(NetCode.ANSWER_MALFORMED, f"{self.url}: its response has expired")
        return float(end), min(max((end - now) / 2, MIN_INTERVAL), MAX_INTERVAL)
