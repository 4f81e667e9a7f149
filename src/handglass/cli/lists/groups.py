"""Lists of key exchange groups: names between colons, best first, with the signs that OpenSSL 3.5 added.

`*X25519` sends a key share for this group (none marked: for the first that TLS 1.3 can use), `?name` passes
over a name that is not available, `-name` takes a group out again, and `/` cuts the list into tuples: groups
of one tuple are equally good, and a server takes one for which it already holds a key share.
"""

from __future__ import annotations

from collections.abc import Iterable

from handglass.records import dataclass
from handglass.registry.code_points import NamedGroup
from handglass.registry.groups import by_name, facts_of

from .elements import split
from .errors import ListError


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """What a list of groups chooses.

    groups: best first. key_shares: those that a client sends a key share for. tuples: the same groups, by
    preference.
    """

    groups: tuple[NamedGroup, ...]
    key_shares: tuple[NamedGroup, ...]
    tuples: tuple[tuple[NamedGroup, ...], ...]


def parse_groups(
    text: str, available: Iterable[NamedGroup], default: Iterable[NamedGroup] = ()
) -> GroupChoice:
    """Read the argument of `-groups` or `-curves`; the word DEFAULT stands for the groups of `default`.

    Raises ListError for names that are unknown, not available or given twice.
    """
    known = frozenset(available)
    tuples: list[list[NamedGroup]] = []
    shares: list[NamedGroup] = []
    for part in split(text, "/"):
        tuples.append([])
        for element in split(part):
            _apply(element, known, tuples, shares, list(default))
    groups = tuple(group for members in tuples for group in members)
    if not groups:
        raise ListError("passed invalid argument", "no group is left")
    return GroupChoice(
        groups,
        tuple(group for group in groups if group in shares) or _first_share(groups),
        tuple(tuple(members) for members in tuples if members),
    )


def _apply(
    element: str,
    known: frozenset[NamedGroup],
    tuples: list[list[NamedGroup]],
    shares: list[NamedGroup],
    default: list[NamedGroup],
) -> None:
    name = element.lstrip("?*-")
    signs = element[: len(element) - len(name)]
    present = [group for members in tuples for group in members]
    if name == "DEFAULT" and "-" not in signs and default:
        tuples[-1] += [group for group in default if group in known and group not in present]
        return
    facts = by_name(name)
    if facts is None or facts.group not in known:
        if "?" in signs or "-" in signs:
            return
        why = "is not available" if facts is not None else "is no group"
        raise ListError("passed invalid argument", f"group '{name}' cannot be set, it {why}")
    if "-" in signs:
        for members in tuples:
            members[:] = [group for group in members if group != facts.group]
        return
    if facts.group in present:
        raise ListError("passed invalid argument", f"group '{name}' stands there twice")
    tuples[-1].append(facts.group)
    if "*" in signs:
        shares.append(facts.group)


def _first_share(groups: tuple[NamedGroup, ...]) -> tuple[NamedGroup, ...]:
    for group in groups:
        facts = facts_of(group)
        if facts is not None and facts.tls13_allowed:
            return (group,)
    return ()
