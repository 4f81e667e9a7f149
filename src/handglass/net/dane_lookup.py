"""TLSA records from the DNS (RFC 6698 §3, RFC 7671 §6): only what DNSSEC has validated counts.

We do not validate ourselves. The resolver does, and says so with the AD bit (RFC 6840 §5.7, §5.8); that is
worth as much as the way to it, so a resolver on this machine, or one that the user names, should be asked. An
answer without the bit is never used, and one that the resolver could not validate (SERVFAIL) is an error, not
an absence of records.

dnspython does the DNS; it is imported when a lookup is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.records import dataclass
from handglass.verify.dane import MAX_RECORDS, TlsaError, TlsaRecord, read_record

from .errors import NetCode, NetError

if TYPE_CHECKING:
    from dns.resolver import Resolver

DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class TlsaAnswer:
    """What the DNS says: usable records, whether the answer was validated, and why records were left out.

    No records and `validated` is the proof that there are none; `name` is the name that was asked for.
    """

    name: str
    records: tuple[TlsaRecord, ...]
    validated: bool
    unusable: tuple[str, ...] = ()


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
    `timeout`: seconds for the whole lookup. Raises `NetError` when there is no answer, when dnspython is not
    installed, and when records came that no one has validated.
    """
    try:
        import dns.exception  # noqa: PLC0415 (lazy: an optional package)
        import dns.flags  # noqa: PLC0415 (lazy)
        import dns.rdatatype  # noqa: PLC0415 (lazy)
        import dns.resolver  # noqa: PLC0415 (lazy)
    except ImportError:
        sentence = "looking up TLSA records needs dnspython: install handglass[dns]"
        raise NetError(NetCode.LOOKUP_FAILED, sentence) from None
    name = f"_{port}._{protocol}.{host.rstrip('.')}."
    asking = _resolver(resolver, timeout)
    try:
        answer = asking.resolve(name, dns.rdatatype.TLSA, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN as problem:
        responses = problem.kwargs.get("responses", {}).values()
        validated = bool(responses) and all(response.flags & dns.flags.AD for response in responses)
        return TlsaAnswer(name, (), validated)
    except dns.resolver.LifetimeTimeout:
        sentence = f"the resolver gave no answer about {name} within {timeout:g} seconds"
        raise NetError(NetCode.LOOKUP_TIMEOUT, sentence) from None
    except dns.resolver.NoNameservers as problem:
        sentence = f"the resolver cannot answer about {name} (perhaps DNSSEC validation failed): {problem}"
        raise NetError(NetCode.LOOKUP_FAILED, sentence) from None
    except (dns.exception.DNSException, OSError, ValueError) as problem:
        raise NetError(NetCode.LOOKUP_FAILED, f"cannot look up {name}: {problem}") from None
    validated = bool(answer.response.flags & dns.flags.AD)
    rows = list(answer.rrset or ())
    if rows and not validated:
        sentence = f"the TLSA records at {name} are not validated by DNSSEC (no AD bit), so they do not count"
        raise NetError(NetCode.LOOKUP_FAILED, sentence)
    records: list[TlsaRecord] = []
    unusable: list[str] = []
    for row in rows[:MAX_RECORDS]:
        try:
            records.append(read_record(row.usage, row.selector, row.mtype, row.cert))
        except TlsaError as problem:
            unusable.append(str(problem))
    return TlsaAnswer(name, tuple(records), validated, tuple(unusable))


def _resolver(address: str | None, timeout: float) -> Resolver:
    """Return a resolver that asks for validation (RFC 6840 §5.7) and waits `timeout` seconds at most."""
    import dns.flags  # noqa: PLC0415 (lazy)
    import dns.resolver  # noqa: PLC0415 (lazy)

    try:
        asking = dns.resolver.Resolver(configure=address is None)
        if address is not None:
            host, port = _split(address)
            asking.nameservers = [host]
            asking.port = port
    except (dns.resolver.NoResolverConfiguration, ValueError) as problem:
        raise NetError(NetCode.LOOKUP_FAILED, f"no resolver can be asked: {problem}") from None
    asking.lifetime = timeout
    asking.timeout = min(timeout, 5.0)
    asking.cache = None
    asking.use_edns(0, dns.flags.DO, 1232)
    asking.flags = dns.flags.RD | dns.flags.AD
    return asking


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":")
    elif not colon or ":" in host:
        return address, 53
    if not (port.isascii() and port.isdigit()) and port:
        raise ValueError(f"{address!r} is no address of a resolver")
    return host, int(port or 53)
