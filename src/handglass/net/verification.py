"""The judgement that `blocking` and `aio` use unless they are told otherwise: the system's trust, and the name.

A `Verification` is a value: it can serve any number of connections, one after the other or at once, and keeps
the anchors that it has looked up. What came out for one connection stands on that connection's stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING

from handglass.handshake.config import accept_any_chain
from handglass.net.dial.names import ascii_name
from handglass.net.trust import TrustOptions, open_trust
from handglass.records import dataclass, field, replace
from handglass.verify.certificate import Certificate
from handglass.verify.params import NAMED_SETS, VerifyParams
from handglass.verify.path import verify_chain
from handglass.verify.raw_key import verify_raw_key
from handglass.verify.refusal import refusal
from handglass.verify.store import TrustStore

if TYPE_CHECKING:
    from handglass.handshake.config import ClientConfig, ServerConfig
    from handglass.handshake.state import PeerChain
    from handglass.verify.result import VerifyResult


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How a peer's certificate chain is judged.

    `anchors`: certificates (DER) to trust, and nothing else; without them `trust` names files and directories,
    by default the system's. `params`: everything else that can be asked for (purpose, names, depth, CRLs);
    what it leaves unset is filled in from the connection: the purpose from the role, the name from the host.
    `expected_keys`: raw public keys (SubjectPublicKeyInfo in DER) to believe where a peer shows one (RFC 7250).
    `required`: a chain with a problem ends the handshake; if not, the problems are only kept for whoever asks.
    `clock` gives seconds since the epoch.
    """

    trust: TrustOptions = field(default_factory=TrustOptions)
    anchors: Sequence[bytes] = field(default=(), repr=False)
    params: VerifyParams = field(default_factory=VerifyParams)
    expected_keys: Sequence[bytes] = field(default=(), repr=False)
    required: bool = True
    clock: Callable[[], float] = time.time

    def for_host(self, host: str) -> Verification:
        """The same with the name or address that the certificate must bear; as it is if `params` name one.

        Raises:
            NetError: the name is malformed.
        """
        params = self.params
        if params.hosts or params.ip is not None or params.email is not None:
            return self
        address = packed_address(host)
        named = (
            replace(params, ip=address)
            if address is not None
            else replace(params, hosts=(ascii_name(host).removesuffix("."),))
        )
        other = replace(self, params=named)
        other.__dict__["store"] = self.store  # what has been looked up serves both
        return other

    def judge(self, chain: PeerChain) -> VerifyResult:
        """Build and check the chain, or judge a raw public key. Never raises for what a peer sent.

        Raises:
            TrustError: a file or directory of `trust` cannot be used.
        """
        if chain.public_key:
            expected = chain.public_key in self.expected_keys
            return verify_raw_key(chain.public_key, self.params, expected=expected)
        leaf, *others = (Certificate(data) for data in chain.certificates)
        defaults = NAMED_SETS["ssl_server" if chain.is_server else "ssl_client"]
        params = self.params.completed(defaults)
        return verify_chain(leaf, others, self.store, params, int(self.clock()))

    def __call__(self, chain: PeerChain) -> None:
        """Judge a chain as the `verify_peer` of a configuration does. Raises PeerError if it is refused."""
        self.check(self.judge(chain))

    def check(self, result: VerifyResult) -> None:
        """Raise PeerError if the handshake must end with this outcome."""
        error = refusal(result) if self.required else None
        if error is not None:
            raise error

    @cached_property
    def store(self) -> TrustStore:
        """Whom we trust. Raises TrustError if a named place cannot be used."""
        if self.anchors:
            return TrustStore(Certificate(anchor) for anchor in self.anchors)
        return TrustStore(sources=[open_trust(self.trust)])


Verify = bool | Verification
"""What `verify=` takes: True is `Verification()`, False judges nothing."""


class Verdict:
    """The `verify_peer` of one connection: judges, and keeps the `result` (None until, and unless, it was asked)."""

    def __init__(self, verification: Verification) -> None:
        self._verification = verification
        self.result: VerifyResult | None = None

    def __call__(self, chain: PeerChain) -> None:
        """Judge a chain and keep what came out. Raises PeerError if it is refused."""
        self.result = self._verification.judge(chain)
        self._verification.check(self.result)


def verdict_for(config: ClientConfig | ServerConfig, verify: Verify, host: str | None) -> Verdict | None:
    """The judge of one connection; None if the configuration has a `verify_peer` of its own or nobody judges.

    Raises:
        ValueError: `verify` is a Verification and the configuration judges too: who is to be believed?
    """
    own = config.verify_peer is not accept_any_chain
    if isinstance(verify, Verification):
        if own:
            raise ValueError("both the configuration's verify_peer and `verify` judge the peer: give one")
        verification = verify
    elif own or not verify:
        return None
    else:
        verification = Verification()
    return Verdict(verification if host is None else verification.for_host(host))


def packed_address(host: str) -> bytes | None:
    """The 4 or 16 bytes of an IP address, with or without a zone (RFC 4007 §11); None for a name."""
    try:
        return ip_address(host.partition("%")[0]).packed
    except ValueError:
        return None
