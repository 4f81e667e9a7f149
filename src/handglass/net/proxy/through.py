"""Which proxy, and the way through it.

A proxy is written as for OpenSSL (``host:port``, a scheme is accepted) or as a URL with the scheme http,
socks4, socks4a, socks5 or socks5h, with user and password in front of an @ if need be. Names are always
looked up by the proxy. The environment's https_proxy is read when it is asked for, not otherwise.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from handglass.net.dial.names import ascii_name
from handglass.net.dial.targets import Target, parse_target
from handglass.net.dialogue import Dialogue, Observer, converse
from handglass.net.dialogue.driver import STEP_SECONDS
from handglass.net.errors import NetCode, NetError
from handglass.net.proxy.credentials import Credentials
from handglass.net.proxy.http_connect import http_connect
from handglass.records import dataclass, field

HTTP, SOCKS4, SOCKS5 = "http", "socks4", "socks5"
SCHEMES = {
    "http": (HTTP, "80"),
    "socks4": (SOCKS4, "1080"),
    "socks4a": (SOCKS4, "1080"),
    "socks5": (SOCKS5, "1080"),
    "socks5h": (SOCKS5, "1080"),
    "socks": (SOCKS5, "1080"),
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its kind (http, socks4, socks5), where it is, and who we are to it."""

    kind: str
    target: Target
    credentials: Credentials | None = field(default=None, repr=False)


def parse_proxy(text: str, credentials: Credentials | None = None) -> Proxy:
    """Parse -proxy. `credentials` (from -proxy_user and -proxy_pass) win over those in a URL.

    Raises `NetError`: TARGET_MALFORMED, NAME_MALFORMED.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = HTTP, text
    if scheme.lower() == "https":
        sentence = "a proxy that is itself reached over TLS (https://) is not supported; try http://"
        raise NetError(NetCode.TARGET_MALFORMED, sentence)
    if scheme.lower() not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise NetError(NetCode.TARGET_MALFORMED, f"{scheme[:40]!r} is no kind of proxy; there are: {known}")
    kind, default_port = SCHEMES[scheme.lower()]
    authority = rest.partition("/")[0] if separator else rest
    user_info, _, host_port = authority.rpartition("@")
    target = parse_target(host_port, default_port=default_port)
    return Proxy(kind, target, credentials or _from_user_info(user_info))


def proxy_from_environment(environment: Mapping[str, str], target: Target) -> Proxy | None:
    """Return the proxy that https_proxy or all_proxy names for `target`, unless no_proxy exempts it."""
    variables = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    text = next((environment[name] for name in variables if environment.get(name)), "")
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if not text or _is_exempt(target.host, exempt):
        return None
    return parse_proxy(text)


def go_through(
    sock: socket.socket,
    proxy: Proxy,
    target: Target,
    *,
    step_seconds: float | None = STEP_SECONDS,
    observe: Observer | None = None,
) -> bytes:
    """Ask the proxy at the other end of `sock` for `target`; what follows on `sock` is the target's.

    Returns what the target has said already. Raises `NetError`: REFUSED (as `RefusedError`) with the proxy's
    own words, and those of `converse`.
    """
    outcome = converse(sock, dialogue_with(proxy, target), step_seconds=step_seconds, observe=observe)
    return outcome.leftover


def dialogue_with(proxy: Proxy, target: Target) -> Dialogue[None]:
    """Return the dialogue that asks `proxy` for `target`."""
    host = target.host if target.family is not None else ascii_name(target.host)
    start: Callable[[str, int, Credentials | None], Dialogue[None]] = http_connect
    if proxy.kind == SOCKS4:
        from handglass.net.proxy.socks4 import socks4a as start  # noqa: PLC0415 - one kind is needed at a time
    elif proxy.kind == SOCKS5:
        from handglass.net.proxy.socks5 import socks5 as start  # noqa: PLC0415 - the same
    return start(host, target.number, proxy.credentials)


def _from_user_info(text: str) -> Credentials | None:
    if not text:
        return None
    from urllib.parse import unquote  # noqa: PLC0415 - slow to load, and rarely needed

    user, _, password = text.partition(":")
    return Credentials(unquote(user), unquote(password))


def _is_exempt(host: str, exempt: str) -> bool:
    """Whether a comma-separated no_proxy names the host, a domain that it is in, or everything."""
    name = host.lower().removesuffix(".")
    for entry in exempt.lower().replace(" ", ",").split(","):
        domain = entry.strip("[]").lstrip(".").removesuffix(".")
        if entry == "*" or (domain and (name == domain or name.endswith(f".{domain}"))):
            return True
    return False
