"""TLSA records from the DNS (RFC 6698 §3, RFC 7671 §6, §7): only what DNSSEC has validated counts.

We do not validate ourselves. The resolver does, and says so with the AD bit (RFC 6840 §5.7, §5.8); that is
worth as much as the way to it, so a resolver on this machine, or one that the user names, should be asked.
Records without the bit are kept apart, as text, so that nobody can take them for records; an answer that the
resolver could not validate (SERVFAIL) is an error, not an absence of records.

dnspython does the DNS; it is imported when a lookup is made. It passes over a response in which any digest has the
wrong length, so that such records end in an error of ours.
"""

from __future__ import annotations

import re
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from handglass.records import dataclass
from handglass.verify.dane import MAX_RECORDS, TlsaError, TlsaRecord, read_record

from .dial.targets import bracketed
from .errors import NetCode, NetError, shown, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.rdatatype import RdataType
    from dns.resolver import Resolver

DEFAULT_TIMEOUT = 10.0
HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")
"""What the target of an alias must look like to be asked for by name (RFC 1123 §2.1, and underscores)."""


@dataclass(frozen=True, slots=True)
class TlsaAnswer:
    """What the DNS says of the records at `name`, which are those of the host `base`.

    `records` can be used; without any, `validated` is the proof that there are none or that none is of use. A sentence
    tells of each record that was validated and is of no use (`unusable`); `unproven` are records that nobody validated.
    `resolver` was asked; `nearby`: it is on this machine.
    """

    name: str
    base: str
    records: tuple[TlsaRecord, ...]
    validated: bool
    unusable: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    resolver: str = ""
    nearby: bool = False


def find_tlsa(
    host: str,
    port: int,
    protocol: str = "tcp",
    *,
    resolver: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> TlsaAnswer:
    """Return the TLSA records for a host: where its name is an alias, those of the alias's target go first.

    As RFC 7671 §7 has it, the target counts only if all the way to it was validated, and the host's own records are
    asked for if the target has none. Parameters and errors as in `look_up_tlsa`.
    """
    lookup = Lookup(resolver, timeout)
    own = host.rstrip(".")
    target = lookup.target(own)
    if target is not None:
        answer = lookup.tlsa(target, port, protocol)
        if answer.records or answer.unusable:
            return answer
    return lookup.tlsa(own, port, protocol)


def look_up_tlsa(
    host: str,
    port: int,
    protocol: str = "tcp",
    *,
    resolver: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> TlsaAnswer:
    """Return the TLSA records at _port._protocol.host.

    `resolver`: "address" or "address:port" or "[address]:port" of a validating resolver, else the system's;
    `timeout`: seconds for the whole lookup. Raises `NetError` when there is no answer, and when dnspython is not
    installed.
    """
    return Lookup(resolver, timeout).tlsa(host.rstrip("."), port, protocol)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to one question: the rows, whether they (or their absence) were validated, the end of aliases."""

    rows: Sequence[object]
    validated: bool
    canonical: str


class Lookup:
    """Questions to one resolver, with one limit of time for all of them. Raises `NetError` if nobody can be asked."""

    def __init__(self, resolver: str | None, timeout: float) -> None:
        self._resolver = _resolver(resolver)
        self._timeout = timeout
        self._ends = time.monotonic() + timeout

    def tlsa(self, host: str, port: int, protocol: str) -> TlsaAnswer:
        """Return the TLSA records of a host, of which only validated ones count."""
        from dns.rdatatype import RdataType  # noqa: PLC0415 (lazy: an optional package)

        name = f"_{port}._{protocol}.{host}."
        answer = self._ask(name, RdataType.TLSA)
        records: list[TlsaRecord] = []
        unusable: list[str] = []
        for row in answer.rows[:MAX_RECORDS] if answer.validated else ():
            try:
                records.append(read_record(row.usage, row.selector, row.mtype, row.cert))  # type: ignore[attr-defined]  # by RdataType
            except TlsaError as problem:
                unusable.append(str(problem))
        unproven = () if answer.validated else tuple(map(str, answer.rows[:MAX_RECORDS]))
        return TlsaAnswer(
            name,
            host,
            tuple(records),
            answer.validated,
            tuple(unusable),
            unproven,
            self._asked,
            self._nearby,
        )

    def target(self, host: str) -> str | None:
        """Return what a host's name is an alias of; None if it is none, or if that was not validated."""
        from dns.rdatatype import RdataType  # noqa: PLC0415 (lazy: an optional package)

        answer = self._ask(host + ".", RdataType.A)
        if not answer.validated or answer.canonical.lower() == host.lower():
            return None
        if not HOST_NAME.fullmatch(answer.canonical):
            shown = ascii(answer.canonical[:80])
            raise NetError(NetCode.NAME_MALFORMED, f"{host} is an alias of {shown}, which is no host name")
        return answer.canonical

    def _ask(self, name: str, kind: RdataType) -> Answer:
        import dns.exception  # noqa: PLC0415 (lazy)
        import dns.flags  # noqa: PLC0415 (lazy)
        import dns.resolver  # noqa: PLC0415 (lazy)

        left = max(self._ends - time.monotonic(), 0.001)
        try:
            answer = self._resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=left)
        except dns.resolver.NXDOMAIN as problem:
            responses = problem.kwargs.get("responses", {}).values()
            validated = bool(responses) and all(response.flags & dns.flags.AD for response in responses)
            return Answer((), validated, problem.canonical_name.to_text(omit_final_dot=True))
        except dns.resolver.LifetimeTimeout:
            sentence = (
                f"the resolver gave no answer that can be used about {name} within {span(self._timeout)}"
            )
            raise NetError(NetCode.LOOKUP_TIMEOUT, sentence) from None
        except dns.resolver.NoNameservers as problem:
            sentence = f"the resolver cannot answer about {name} (perhaps DNSSEC validation failed): {_words(problem)}"
            raise NetError(NetCode.LOOKUP_FAILED, sentence) from None
        except (dns.exception.DNSException, OSError, ValueError) as problem:
            raise NetError(NetCode.LOOKUP_FAILED, f"cannot look up {name}: {_words(problem)}") from None
        validated = bool(answer.response.flags & dns.flags.AD)
        canonical = answer.canonical_name.to_text(omit_final_dot=True)
        return Answer(sorted(answer.rrset or (), key=str), validated, canonical)

    @property
    def _asked(self) -> str:
        port = self._resolver.port
        addresses = map(str, self._resolver.nameservers)
        return ", ".join(each if port == 53 else f"{bracketed(each)}:{port}" for each in addresses)

    @property
    def _nearby(self) -> bool:
        return all(ip_address(str(each).partition("%")[0]).is_loopback for each in self._resolver.nameservers)


def _words(problem: Exception) -> str:
    """Return what dnspython says, which may quote the answer, in one line."""
    return shown(" ".join(str(problem).split()).encode("utf-8", "backslashreplace"), 400)


def _resolver(address: str | None) -> Resolver:
    """Return a resolver that asks for validation (RFC 6840 §5.7)."""
    try:
        import dns.flags  # noqa: PLC0415 (lazy: an optional package)
        import dns.resolver  # noqa: PLC0415 (lazy)
    except ImportError:
        sentence = "looking up TLSA records needs dnspython: install handglass[dns]"
        raise NetError(NetCode.LOOKUP_FAILED, sentence) from None
    try:
        asking = dns.resolver.Resolver(configure=address is None)
        if address is not None:
            host, port = _split(address)
            ip_address(host.partition("%")[0])
            asking.nameservers = [host]
            asking.port = port
    except (dns.resolver.NoResolverConfiguration, ValueError) as problem:
        raise NetError(NetCode.LOOKUP_FAILED, f"no resolver can be asked: {problem}") from None
    asking.timeout = 5.0
    asking.cache = None
    asking.use_edns(0, dns.flags.DO, 1232)
    asking.flags = dns.flags.RD | dns.flags.AD
    return asking


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if address.startswith("["):
        host, bracket, rest = address[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{address!r} is no address of a resolver")
        port = rest[1:]
    elif not colon or ":" in host:
        return address, 53
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536) and port:
        raise ValueError(f"{address!r} is no address of a resolver")
    return host, int(port or 53)
