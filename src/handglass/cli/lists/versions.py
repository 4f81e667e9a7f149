"""Which versions to offer: from `-tls1_2`, `-no_tls1_1`, `-min_protocol` and the like to a list of versions.

A hello of TLS 1.2 and below names only the highest version, so a server may answer with any below it: the
versions under TLS 1.3 that are offered must not have a hole. OpenSSL resolves a hole by dropping all that is
above it, TLS 1.3 included. Here TLS 1.3, which is offered in an extension of its own (RFC 8446 §4.2.1), stays
as asked; below it the highest block without a hole is offered, and the choice says what was dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from handglass.cli.options.protocol import ONLY, WITHOUT, Versions
from handglass.records import dataclass
from handglass.registry.code_points import ProtocolVersion

from .errors import ListError

NAMES = {
    ProtocolVersion.SSL3: "SSL 3.0",
    ProtocolVersion.TLS1_0: "TLS 1.0",
    ProtocolVersion.TLS1_1: "TLS 1.1",
    ProtocolVersion.TLS1_2: "TLS 1.2",
    ProtocolVersion.TLS1_3: "TLS 1.3",
    ProtocolVersion.DTLS1_0: "DTLS 1.0",
    ProtocolVersion.DTLS1_2: "DTLS 1.2",
    ProtocolVersion.DTLS1_3: "DTLS 1.3",
}
# The words of -min_protocol and -max_protocol; None is no limit.
WORDS: dict[str, ProtocolVersion | None] = {
    "None": None,
    "SSLv3": ProtocolVersion.SSL3,
    "TLSv1": ProtocolVersion.TLS1_0,
    "TLSv1.1": ProtocolVersion.TLS1_1,
    "TLSv1.2": ProtocolVersion.TLS1_2,
    "TLSv1.3": ProtocolVersion.TLS1_3,
    "DTLSv1": ProtocolVersion.DTLS1_0,
    "DTLSv1.2": ProtocolVersion.DTLS1_2,
    "DTLSv1.3": ProtocolVersion.DTLS1_3,
}
# The versions that options are named after, alone or behind "no_".
FLAGS = {
    "ssl3": ProtocolVersion.SSL3,
    "tls1": ProtocolVersion.TLS1_0,
    "tls1_1": ProtocolVersion.TLS1_1,
    "tls1_2": ProtocolVersion.TLS1_2,
    "tls1_3": ProtocolVersion.TLS1_3,
}
STREAM = (
    ProtocolVersion.SSL3,
    ProtocolVersion.TLS1_0,
    ProtocolVersion.TLS1_1,
    ProtocolVersion.TLS1_2,
    ProtocolVersion.TLS1_3,
)
DATAGRAM = (ProtocolVersion.DTLS1_0, ProtocolVersion.DTLS1_2, ProtocolVersion.DTLS1_3)
NEWEST = (ProtocolVersion.TLS1_3, ProtocolVersion.DTLS1_3)


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """The versions to offer, highest first; and a sentence if the options seem to ask for more."""

    versions: tuple[ProtocolVersion, ...]
    explanation: str | None = None


def parse_protocol(word: str) -> ProtocolVersion | None:
    """Read the argument of `-min_protocol` or `-max_protocol`; None is no limit.

    Raises ListError.
    """
    if word not in WORDS:
        raise ListError("unsupported protocol", f"{word!r}; it must be one of {', '.join(WORDS)}")
    return WORDS[word]


def versions_asked_for(options: Versions, supported: Collection[ProtocolVersion]) -> VersionChoice:
    """Choose the versions that the options of a program ask for (`-tls1_2`, `-no_tls1_3` …).

    Raises ListError("no protocols available").
    """
    only, excluded = version_flags(options)
    return select_versions(supported, only=only, excluded=excluded)


def version_flags(options: Versions) -> tuple[ProtocolVersion | None, list[ProtocolVersion]]:
    """Return the one version that an option names, if one does, and those that options leave out."""
    named = options.last(*ONLY)
    only = FLAGS[named.names[0]] if named is not None else None
    return only, [FLAGS[row.names[0].removeprefix("no_")] for row in WITHOUT if options.has(row)]


def select_versions(
    supported: Collection[ProtocolVersion],
    *,
    only: ProtocolVersion | None = None,
    excluded: Iterable[ProtocolVersion] = (),
    minimum: ProtocolVersion | None = None,
    maximum: ProtocolVersion | None = None,
    datagram: bool = False,
) -> VersionChoice:
    """Choose the versions of TLS (or of DTLS) to offer or accept.

    supported: what the engine can do. only: the one version that an option names; it wins over the limits.
    Limits of the other family (TLS for DTLS) do not count. Raises ListError("no protocols available").
    """
    family = DATAGRAM if datagram else STREAM
    if only is not None:
        if only not in supported:
            raise ListError("no protocols available", f"{NAMES[only]} is not available")
        return VersionChoice((only,))
    low = family.index(minimum) if minimum in family else 0
    high = family.index(maximum) if maximum in family else len(family) - 1
    left_out = frozenset(excluded)
    inside = [version for version in family[low : high + 1] if version in supported]
    wanted = [version for version in inside if version not in left_out]
    if not wanted:
        raise ListError("no protocols available", "the options leave no version")
    newest = [version for version in wanted if version in NEWEST]
    older = [version for version in inside if version not in NEWEST]
    block = _highest_block(older, left_out)
    dropped = [version for version in wanted if version not in newest and version not in block]
    return VersionChoice((*newest, *reversed(block)), _explain(newest, block, dropped, left_out))


def _highest_block(
    versions: list[ProtocolVersion], left_out: frozenset[ProtocolVersion]
) -> list[ProtocolVersion]:
    """Return the highest run of versions (lowest first) without one that is left out."""
    block: list[ProtocolVersion] = []
    for version in reversed(versions):
        if version not in left_out:
            block.insert(0, version)
        elif block:
            break
    return block


def _explain(
    newest: list[ProtocolVersion],
    block: list[ProtocolVersion],
    dropped: list[ProtocolVersion],
    left_out: frozenset[ProtocolVersion],
) -> str | None:
    if not dropped:
        return None
    family = DATAGRAM if block[0] in DATAGRAM else STREAM
    between = family[family.index(dropped[-1]) : family.index(block[0])]
    holes = [version for version in between if version in left_out]
    return (
        f"Offering {_listed(newest + block[::-1])}, but not {_listed(dropped[::-1])}: "
        f"with {_listed(holes[::-1])} left out there would be a hole in the versions below TLS 1.3"
    )


def _listed(versions: Iterable[ProtocolVersion]) -> str:
    names = [NAMES[version] for version in versions]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
