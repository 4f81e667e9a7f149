"""What is combined with what: each peer's abilities, and a small set that holds every pair of values.

The full product would be some hundred thousand connections. `cover` takes of it, in a fixed shuffled order,
what brings pairs (suite with group, group with certificate, certificate with client's certificate, …) that
were not seen yet.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence

from handglass.records import dataclass
from interop.vocabulary import CURVE_OF_KEY, ECDSA_KEYS, TLS12, TLS13, Suite


@dataclass(frozen=True, slots=True)
class Combination:
    """One set of things to be negotiated, and how often to connect."""

    suite: Suite
    group: str | None
    """None where the suite's key exchange negotiates no group."""
    certificate: str
    """Key type of the server's certificate."""
    client: str | None
    """Key type of the client's certificate; None: none is asked for."""
    resumption: str | None
    """None, "ticket" or "session id": the second connection resumes the first."""
    retry: bool
    """The client's first key share is for another group: HelloRetryRequest (RFC 8446 §4.1.4)."""

    @property
    def version(self) -> str:
        """The version to be negotiated."""
        return self.suite.version

    @property
    def connections(self) -> int:
        """How many connections it takes."""
        return 2 if self.resumption else 1

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that the client offers: the wanted one, then those of ECDSA certificates (TLS 1.2)."""
        wanted = (self.group,) if self.group else ("X25519",)
        if self.version == TLS13:
            return wanted
        curves = [CURVE_OF_KEY[key] for key in (self.certificate, self.client) if key in CURVE_OF_KEY]
        return tuple(dict.fromkeys((*wanted, *curves)))

    def __str__(self) -> str:
        parts = [self.version, self.suite.name, self.group or "", self.certificate]
        parts += [
            f"client-{self.client}" if self.client else "",
            self.resumption or "",
            "retry" if self.retry else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a peer knows of the things that we test."""

    suites: Sequence[Suite]
    groups: Sequence[str]
    """For TLS 1.3."""
    groups12: Sequence[str]
    """For ECDHE in TLS 1.2."""
    certificates: Sequence[str]
    clients: Sequence[str] = ()
    resumptions12: Sequence[str] = ("ticket",)
    resumptions13: Sequence[str] = ("ticket",)
    retry: bool = False
    resumes_with: str | None = None
    """The only group that a client uses when it resumes, if it cannot be told."""

    def combinations(self) -> list[Combination]:
        """Every pair of values, each version by itself."""
        return [*cover(self._all13(), 1), *cover(self._all12(), 2)]

    def _all13(self) -> Iterable[Combination]:
        suites = [suite for suite in self.suites if suite.version == TLS13]
        clients = (None, *self.clients)
        resumptions = (None, *self.resumptions13)
        retries = (False, True) if self.retry else (False,)
        for values in itertools.product(
            suites, self.groups, self.certificates, clients, resumptions, retries
        ):
            combination = Combination(*values)
            if self._possible(combination):
                yield combination

    def _all12(self) -> Iterable[Combination]:
        suites = [suite for suite in self.suites if suite.version == TLS12]
        for suite in suites:
            groups = self.groups12 if suite.has_group else (None,)
            certificates = [key for key in self.certificates if _fits(suite, key)]
            clients = (None, *self.clients)
            resumptions = (None, *self.resumptions12)
            for values in itertools.product((suite,), groups, certificates, clients, resumptions):
                combination = Combination(*values, retry=False)
                if self._possible(combination):
                    yield combination

    def _possible(self, combination: Combination) -> bool:
        if not (combination.resumption and self.resumes_with and combination.group):
            return True
        return combination.group == self.resumes_with and not combination.retry


def _fits(suite: Suite, key_type: str) -> bool:
    """Whether a certificate with this key can be used with this TLS 1.2 suite."""
    if suite.key_exchange == "ECDHE-ECDSA":
        return key_type in ECDSA_KEYS
    if suite.key_exchange == "RSA":
        return key_type == "rsa"
    return key_type in ("rsa", "rsa_pss")


def cover(candidates: Iterable[Combination], seed: int) -> list[Combination]:
    """Choose candidates until every pair of values that occurs in one of them is in a chosen one."""
    shuffled = list(candidates)
    random.Random(seed).shuffle(shuffled)
    pairs = [_pairs(candidate) for candidate in shuffled]
    seen: set[object] = set()
    chosen = []
    # Those with much news first: a third fewer are needed in the end.
    for least in (8, 5, 3, 2, 1):
        for index, candidate in enumerate(shuffled):
            if len(pairs[index] - seen) >= least:
                seen |= pairs[index]
                chosen.append(candidate)
    return sorted(chosen, key=lambda each: (each.certificate, str(each.client), str(each)))


_FIELDS = list(Combination.__match_args__)


def _pairs(candidate: Combination) -> frozenset[object]:
    values = [(name, getattr(candidate, name)) for name in _FIELDS]
    values = [(name, value.code if isinstance(value, Suite) else value) for name, value in values]
    return frozenset(itertools.combinations(values, 2))
