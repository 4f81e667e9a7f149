"""What path building asks of DANE (RFC 6698, RFC 7671), without knowing its records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["DaneJudge"]


class DaneJudge(Protocol):
    """The TLSA records of a peer, and which certificate of its chain matched one.

    A judge serves one verification. `has_pkix`: there are records of usage 0 or 1; `has_dane`: of usage 2
    or 3; `has_anchors`: of usage 0 or 2; `skip_names`: no name check when usage 3 matched (RFC 7671 §5.1);
    `certificates`: whole certificates in records "0 0 0" and "2 0 0"; `bare_keys`: whole keys in records "2 1 0";
    `matched_depth`: where a record matched, None if none did.
    """

    has_pkix: bool
    has_dane: bool
    has_anchors: bool
    skip_names: bool
    certificates: Sequence[bytes]
    bare_keys: Sequence[bytes]
    matched_depth: int | None

    def match(self, certificate: bytes, depth: int, *, from_store: bool) -> bool:
        """Compare a certificate (DER) at a depth of the chain with the records.

        True when a record of usage 3 (at depth 0) or 2 (above) matches: then the peer is authenticated. A
        match of usage 0 or 1 is remembered in `matched_depth` and gives False: the chain must verify as
        well. Records of usage 2 do not count for a certificate `from_store`.
        """

    def matched_bare_key(self, depth: int, key: bytes) -> None:
        """Take note that a key of `bare_keys` signed the certificate at `depth`."""

    def forget(self, from_depth: int) -> None:
        """Drop a match at `from_depth` or above it: the chain was cut there."""
