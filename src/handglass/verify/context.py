"""The state of one verification, and how problems leave it.

All steps of a verification work on one `Context`. A problem goes out through `Context.problem`, which tells
the caller; if the caller wants to stop, `Stopped` unwinds the run. So a check reads as "if this is wrong,
report that", and goes on. The last code sticks, as OpenSSL's `ctx->error` does.
"""

from __future__ import annotations

from collections.abc import Sequence

from .certificate import Certificate
from .codes import VerifyCode
from .crl import Crl
from .dane_judge import DaneJudge
from .params import VerifyParams
from .policy_facts import PolicyOutcome
from .result import Decide, Event, Kind
from .store import TrustStore

__all__ = ["Context", "InnerFailure", "Stopped"]


class Stopped(Exception):  # noqa: N818 - it is no error: the caller has decided
    """The caller wants no more."""


class InnerFailure(Exception):  # noqa: N818 - its name says what OpenSSL does then: it gives up inside
    """The verification cannot go on for a reason that is not the chain's.

    `code` stands if there is none yet.
    """

    def __init__(self, code: VerifyCode = VerifyCode.UNSPECIFIED, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Context:
    """What a verification knows; `chain` begins with the leaf and grows upward.

    `untrusted_count`: how many certificates at the chain's beginning do not come from the store; `time`:
    seconds since 1970 against which times are checked, None for no check; `parent`: set while the path of a
    CRL's issuer is verified.
    """

    def __init__(
        self,
        leaf: Certificate,
        untrusted: Sequence[Certificate],
        store: TrustStore,
        params: VerifyParams,
        time: int | None,
        *,
        decide: Decide | None = None,
        crls: Sequence[Crl] = (),
        trusted: Sequence[Certificate] | None = None,
        dane: DaneJudge | None = None,
        parent: Context | None = None,
    ) -> None:
        self.leaf = leaf
        self.untrusted = untrusted
        self.store = store
        self.params = params
        self.time = time
        self.decide = decide
        self.crls = crls
        self.trusted = trusted
        self.dane = dane
        self.parent = parent
        self.chain = [leaf]
        self.untrusted_count = 1
        self.bare_key: bytes | None = (
            None  # a DANE record's public key that signed the chain's last certificate
        )
        self.anchored = False  # with DANE: the store's part of the chain is trusted
        self.error = VerifyCode.OK
        self.failure = ""
        self.depth = 0
        self.events: list[Event] = parent.events if parent is not None else []
        self.peername: str | None = None
        self.policies: PolicyOutcome | None = None

    def problem(
        self,
        code: VerifyCode,
        depth: int | None = None,
        certificate: Certificate | None = None,
        detail: str = "",
    ) -> None:
        """Report a problem.

        At `depth` (the current one by default), of the chain's certificate there by default.

        Raises Stopped if the caller wants to end.
        """
        if depth is not None:
            self.depth = depth
        if certificate is None and 0 <= self.depth < len(self.chain):
            certificate = self.chain[self.depth]
        self.error = code
        self._tell(Kind.PROBLEM, certificate, detail)

    def problem_without_certificate(self, code: VerifyCode, detail: str = "") -> None:
        """Report a problem that is not one certificate's. Raises Stopped."""
        self.error = code
        self._tell(Kind.PROBLEM, None, detail)

    def checked(self, depth: int, certificate: Certificate) -> None:
        """Tell that a certificate has been dealt with. Raises Stopped."""
        self.depth = depth
        self._tell(Kind.CHECKED, certificate)

    def policies_known(self) -> None:
        """Tell that the policies have been worked out. Raises Stopped."""
        self._tell(Kind.POLICIES, None)

    def certificates(self, subject_of: Certificate) -> Sequence[Certificate]:
        """Give the trusted certificates that bear the name of a certificate's issuer."""
        if self.trusted is not None:
            return [item for item in self.trusted if item.subject == subject_of.issuer]
        return self.store.certificates(subject_of.issuer)

    def exact_match(self, certificate: Certificate) -> Certificate | None:
        """Give the trusted certificate that is the same one."""
        candidates = (
            self.trusted if self.trusted is not None else self.store.certificates(certificate.subject)
        )
        return next((item for item in candidates if item == certificate), None)

    def _tell(self, kind: Kind, certificate: Certificate | None, detail: str = "") -> None:
        event = Event(kind, self.error, self.depth, certificate, detail, self.parent is not None)
        self.events.append(event)
        if self.decide is not None and not self.decide(event):
            raise Stopped
