"""-verify: every chain is judged; the first verdict is printed, the others are counted.

Thousands of handshakes meet the same chain, so its problems are worth telling once.
"""

from __future__ import annotations

from typing import IO

from handglass.cli.verification.judge import Judge
from handglass.handshake.state import PeerChain
from handglass.verify import Certificate, TrustStore, VerifyParams, verify_chain
from handglass.verify.codes import VerifyCode


class Verifier:
    """A `verify_peer` for many handshakes. None fails because of it."""

    def __init__(
        self, store: TrustStore, params: VerifyParams, name_flags: int, err: IO[str], now: int
    ) -> None:
        self._store = store
        self._params = params
        self._now = now
        self._first: Judge | None = Judge(store, params, err=err, name_flags=name_flags, now=now)
        self._outcomes: dict[VerifyCode, int] = {}

    def __call__(self, chain: PeerChain) -> None:
        """Judge a chain."""
        if self._first is not None:
            judge, self._first = self._first, None
            judge(chain)
            return
        leaf, *others = [Certificate(data) for data in chain.certificates]
        result = verify_chain(leaf, others, self._store, self._params, self._now)
        self._outcomes[result.code] = self._outcomes.get(result.code, 0) + 1

    def take_outcomes(self) -> dict[VerifyCode, int]:
        """The verdicts so far, with how often each came, and begin to count anew."""
        outcomes, self._outcomes = self._outcomes, {}
        return outcomes
