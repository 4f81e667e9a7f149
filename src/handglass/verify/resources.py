"""IP addresses and AS numbers that certificates delegate (RFC 3779): each must lie within its issuer's.

"Inherit" stands for whatever the issuer has; an anchor cannot inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .certificate import Certificate
from .codes import VerifyCode
from .context import Context
from .resource_blocks import Blocks, Range

__all__ = ["check_resources"]

Ranges = tuple[Range, ...] | None


def check_resources(context: Context) -> None:
    """Report resources that an issuer does not have: AS numbers first, then addresses. Raises Stopped."""
    _walk(context, lambda certificate: certificate.facts.as_numbers, both_kinds=True)
    _walk(context, lambda certificate: certificate.facts.addresses, both_kinds=False)


def _walk(context: Context, blocks_of: Callable[[Certificate], Blocks | None], *, both_kinds: bool) -> None:
    """Hold each certificate's resources against those of the one above it, from the leaf upward.

    `both_kinds`: what comes in above the leaf counts as well, and the anchor may inherit nothing at all.
    """
    chain = context.chain
    lowest = blocks_of(chain[0])
    if lowest is None:
        return
    if not lowest.canonical:
        context.problem(VerifyCode.INVALID_EXTENSION, 0)
    wanted = dict(lowest.families)
    for depth, certificate in enumerate(chain[1:], 1):
        blocks = blocks_of(certificate)
        if blocks is not None and not blocks.canonical:
            context.problem(VerifyCode.INVALID_EXTENSION, depth)
        for _ in range(_climb(wanted, blocks, one_is_enough=blocks is None or not both_kinds)):
            context.problem(VerifyCode.UNNESTED_RESOURCE, depth)
        if both_kinds and blocks is not None:
            for family, ranges in blocks.families.items():
                if ranges is not None:
                    wanted.setdefault(family, ranges)
    highest = blocks_of(chain[-1])
    for family, ranges in (highest.families if highest else {}).items():
        if ranges is None and (both_kinds or family in wanted):
            context.problem(VerifyCode.UNNESTED_RESOURCE, len(chain) - 1)


def _climb(wanted: dict[bytes, Ranges], above: Blocks | None, *, one_is_enough: bool) -> int:
    """Replace what is wanted by what the certificate above has; count what that one lacks."""
    missing = 0
    for family, ranges in list(wanted.items()):
        if above is None or family not in above.families:
            if ranges is None:
                continue
            missing += 1
            if one_is_enough:
                break
            del wanted[family]
            continue
        offered = above.families[family]
        if offered is None:
            continue
        if ranges is None or _contains(offered, ranges):
            wanted[family] = offered
        else:
            missing += 1
    return missing


def _contains(parent: Sequence[Range], child: Sequence[Range]) -> bool:
    """Whether every range of the child lies in one of the parent's; both are sorted."""
    at = 0
    for low, high in child:
        while at < len(parent) and parent[at][1] < high:
            at += 1
        if at == len(parent) or parent[at][0] > low:
            return False
    return True
