"""Proxies: HTTP CONNECT, SOCKS 4A and SOCKS 5, one file each, and `go_through`, which asks one."""

from handglass.net.proxy.credentials import Credentials
from handglass.net.proxy.through import (
    Proxy,
    dialogue_with,
    go_through,
    parse_proxy,
    proxy_from_environment,
)

__all__ = [
    "Credentials",
    "Proxy",
    "dialogue_with",
    "go_through",
    "parse_proxy",
    "proxy_from_environment",
]
