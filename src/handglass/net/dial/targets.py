"""Host and port as a user writes them, parsed into values that cannot be wrong any more.

The forms are OpenSSL's: ``host:port``, ``[IPv6]:port``, either part left out or given as ``*``. Beyond these
an IPv6 address without brackets is taken where it can mean one thing only. A number out of range is an error
here (OpenSSL cuts it to 16 bits); a service name is looked up when it is needed.
"""

from __future__ import annotations

import re
import socket

from handglass.net.dial.names import ascii_name
from handglass.net.errors import NetCode, NetError
from handglass.records import Frozen

SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]*")  # RFC 6335 §5.1, and what older tables hold
DEFAULT_HOST = "localhost"
DEFAULT_PORT = "4433"
ANY = ("", "*")
# For systems without /etc/services: the names that people write behind -connect.
WELL_KNOWN = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "nntp": 119,
    "imap": 143, "imap2": 143, "ldap": 389, "https": 443, "submissions": 465, "submission": 587, "ldaps": 636,
    "domain-s": 853, "ftps": 990, "imaps": 993, "pop3s": 995, "sieve": 4190, "xmpp-client": 5222,
    "xmpp-server": 5269, "postgresql": 5432, "amqps": 5671, "amqp": 5672, "mysql": 3306, "ircd": 6667,
}  # fmt: skip


class Target(Frozen):
    """Where to connect to. `host` and `port` as written, without brackets.

    `port` is a number or a service name.
    """

    host: str
    port: str

    @property
    def family(self) -> socket.AddressFamily | None:
        """The family of an IP address; None for a name."""
        return literal_family(self.host)

    @property
    def dns_name(self) -> str | None:
        """The name in ASCII without a trailing dot, as SNI and certificates have it.

        None for an IP address.
        """
        if self.family is not None:
            return None
        return ascii_name(self.host).removesuffix(".")

    @property
    def number(self) -> int:
        """The TCP port. Raises `NetError` (LOOKUP_FAILED) for a service that nobody knows."""
        return port_number(self.port)

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


class UnixTarget(Frozen):
    """A Unix-domain socket's path."""

    path: str

    def __str__(self) -> str:
        return self.path


class ListenTarget(Frozen):
    """Where to listen. `host` is None for all addresses; `port` may be 0: the system chooses."""

    host: str | None
    port: str

    def __str__(self) -> str:
        return f"{bracketed(self.host) if self.host else '*'}:{self.port}"


def parse_target(text: str, default_host: str = DEFAULT_HOST, default_port: str = DEFAULT_PORT) -> Target:
    """Parse -connect, -proxy, or the positional target; a word alone is a host.

    Raises `NetError`: TARGET_MALFORMED, NAME_MALFORMED.
    """
    host, port = split_host_port(text)
    target = Target(default_host if host in ANY else host, default_port if port in ANY else port)
    check_port(target.port, text, lowest=1)
    if target.family is None:
        ascii_name(target.host)
    return target


def parse_bind(text: str) -> Target:
    """Parse -bind: the local address, any of its ports by default. The host may be empty: any address."""
    host, port = split_host_port(text)
    check_port(port or "0", text, lowest=0)
    return Target("" if host in ANY else host, port or "0")


def parse_accept(text: str, default_port: str = DEFAULT_PORT) -> ListenTarget:
    """Parse -accept or -port: a word alone is a port. Raises `NetError` (TARGET_MALFORMED)."""
    if ":" not in text and not text.startswith("["):
        host, port = "", text
    else:
        host, port = split_host_port(text)
    port = default_port if port in ANY else port
    check_port(port, text, lowest=0)
    return ListenTarget(None if host in ANY else host, port)


def split_host_port(text: str) -> tuple[str, str]:
    """Split at the colon that separates host and port; a missing part is empty."""
    if any(c.isspace() or not c.isprintable() for c in text):
        raise malformed(text, "it holds spaces or control characters")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise malformed(text, "write an IPv6 address as [address]:port")
        if literal_family(host) != socket.AF_INET6:
            raise malformed(text, "what stands in brackets is no IPv6 address")
        return host, rest[1:]
    if text.count(":") > 1:
        return split_bare_ipv6(text)
    host, _, port = text.partition(":")
    return host, port


def split_bare_ipv6(text: str) -> tuple[str, str]:
    """Split an IPv6 address without brackets from its port, if only one reading makes sense."""
    host, _, port = text.rpartition(":")
    whole_is_address = literal_family(text) == socket.AF_INET6
    rest_is_address = literal_family(host) == socket.AF_INET6
    if whole_is_address and rest_is_address:
        raise malformed(text, f"it may mean [{text}] or [{host}]:{port}; write one of these")
    if whole_is_address:
        return text, ""
    if rest_is_address and port:
        return host, port
    raise malformed(text, "more than one colon, and no IPv6 address")


def port_number(text: str, transport: str = "tcp") -> int:
    """Return the number of a port or service. Raises `NetError` (LOOKUP_FAILED)."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return socket.getservbyname(text, transport)
    except (OSError, UnicodeError):
        if text in WELL_KNOWN:
            return WELL_KNOWN[text]
    reason = "Servname not supported for ai_socktype"  # the system's words, which OpenSSL's programs show
    raise NetError(NetCode.LOOKUP_FAILED, f"no service has the name {text!r}", 0, reason)


def check_host(text: str) -> None:
    """Refuse what is no host alone. Raises `NetError`: TARGET_MALFORMED, NAME_MALFORMED."""
    if literal_family(text) is None:
        if "[" in text or ":" in text:
            raise malformed(text, "a host stands here alone, without a port or brackets")
        ascii_name(text)


def check_port(text: str, whole: str, lowest: int) -> None:
    """Refuse a number that is no port; a name is looked up later."""
    if text.isascii() and text.isdigit():
        if len(text) > 5 or not lowest <= int(text) <= 65535:
            raise malformed(whole, f"a port is a number from {lowest} to 65535, or a service name")
    elif not SERVICE.fullmatch(text):
        raise malformed(whole, f"{text!r} is neither a port nor a service name")


def literal_family(host: str) -> socket.AddressFamily | None:
    """Return the family of an IP address, also in the old short forms of IPv4 (``127.1``).

    None for anything else.
    """
    if ":" in host:
        address, _, _scope = host.partition("%")
        return socket.AF_INET6 if parses(address) else None
    if not host[:1].isdigit():
        return None
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeError):
        return None
    return socket.AF_INET


def parses(address: str) -> bool:
    """Whether this is an IPv6 address."""
    try:
        socket.inet_pton(socket.AF_INET6, address)
    except (OSError, UnicodeError, ValueError):
        return False
    return True


def bracketed(host: str) -> str:
    """Return a host as it stands in front of a port."""
    return f"[{host}]" if ":" in host else host


def malformed(text: str, why: str) -> NetError:
    """Return the error for what cannot be read as host and port."""
    return NetError(NetCode.TARGET_MALFORMED, f"malformed or ambiguous address {text!r}: {why}")
