"""What a verification tells: a run of events, and what stands at its end.

The events come in the order in which OpenSSL calls a verify callback (X509_STORE_CTX_set_verify_cb(3)):
problems where they are found, then, from the anchor down to the leaf, one event for each certificate that
was dealt with.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from handglass.records import dataclass

from .certificate import Certificate
from .codes import VerifyCode, alert_for, text_of
from .policy_facts import PolicyOutcome

__all__ = ["Decide", "Event", "Kind", "VerifyResult"]


class Kind(IntEnum):
    """What an event tells; the numbers are those that OpenSSL hands to its callback."""

    PROBLEM = 0
    CHECKED = 1
    POLICIES = 2


@dataclass(frozen=True, slots=True)
class Event:
    """One step.

    `code`: the problem; for another kind the last problem so far (outcomes stick); `depth`: 0 for the leaf;
    `certificate`: None where a problem is not that of one certificate; `detail`: what exactly is wrong, if
    there is more to say than the code does; `on_crl_path`: it is about the chain of a CRL's issuer.
    """

    kind: Kind
    code: VerifyCode
    depth: int
    certificate: Certificate | None
    detail: str = ""
    on_crl_path: bool = False

    @property
    def text(self) -> str:
        """OpenSSL's text for the code."""
        return text_of(self.code)

    @property
    def sentence(self) -> str:
        """OpenSSL's text, with the detail in brackets."""
        text = text_of(self.code)
        return f"{text} ({self.detail})" if self.detail else text

    @property
    def alert(self) -> int:
        """The number of the alert that tells the peer (RFC 8446 §6)."""
        return alert_for(self.code)


# Asked after each event whether to go on; False ends the verification.
Decide = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The outcome.

    `code`: the last problem, OK if there was none: s_client's "Verify return code"; `finished`: all checks
    were run (False if the caller ended it or an inner error did); `chain`: leaf first, as far as it was
    built; `untrusted`: how many certificates at its beginning come from the peer and not from the store;
    `peername`: the name in the certificate that matched one of the hosts; `policies`: None if policies were
    not processed; `failure`: what ended the run inside, if something did.
    """

    code: VerifyCode
    finished: bool
    events: tuple[Event, ...]
    chain: tuple[Certificate, ...]
    untrusted: int
    peername: str | None = None
    policies: PolicyOutcome | None = None
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything asked for was checked and nothing was wrong."""
        return self.finished and self.code == VerifyCode.OK and not self.problems

    @property
    def problems(self) -> tuple[Event, ...]:
        """All that is wrong, in order."""
        return tuple(event for event in self.events if event.kind is Kind.PROBLEM)

    @property
    def alert(self) -> int:
        """The number of the alert that tells the peer of the last problem (RFC 8446 §6)."""
        return alert_for(self.code)
