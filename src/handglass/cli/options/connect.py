"""Network options: where to connect, where to listen, and how long to wait."""

from __future__ import annotations

from .table import Options, flag, number, number_or, seconds, seconds_or, target_word, text


class Connect(Options, title="Network options"):
    """Where s_client connects to."""

    connect = text(
        "connect",
        "host:port",
        "Server to connect to, an IPv6 address in brackets; port 4433 if none is given",
        where="network",
    )
    host = text("host", "host", "Host to connect to; -connect says host and port in one", where="network")
    port = number(
        "port", "port", "Port to connect to; -connect says host and port in one", where="network", minimum=1
    )
    bind = text("bind", "host:port", "Local address, and port if given, to connect from", where="network")
    unix = text("unix", "path", "Connect to this Unix-domain socket", where="network")
    only_ipv4 = flag("4", "IPv4 only", where="network", also={"only_ipv6": False})
    only_ipv6 = flag("6", "IPv6 only", where="network", also={"only_ipv4": False})
    tfo = flag("tfo", "Send the first data with the SYN (TCP Fast Open)", where="network")
    proxy = text(
        "proxy", "host:port", "HTTP proxy to connect through, with or without http://", where="network"
    )
    proxy_user = text("proxy_user", "user", "User for the proxy, HTTP or SOCKS", where="network")
    proxy_pass = text(
        "proxy_pass", "source", "Password for the proxy: pass:, env:, file:, fd: or stdin", where="network"
    )
    socks = text(
        "socks",
        "host:port",
        "SOCKS5 proxy to connect through; the proxy looks names up",
        where="network",
        ours=True,
    )
    socks4 = text("socks4", "host:port", "SOCKS4a proxy to connect through", where="network", ours=True)
    proxy_env = flag(
        "proxy_env",
        "Take the proxy from https_proxy and no_proxy in the environment",
        where="network",
        ours=True,
    )
    connect_timeout = seconds_or(
        30.0,
        "connect_timeout",
        "Time limit for looking up and connecting, 0 for none",
        where="network",
    )
    handshake_timeout = seconds_or(
        30.0, "handshake_timeout", "Time limit for the handshake, 0 for none", where="handshake"
    )
    idle_timeout = seconds_or(
        0.0, "idle_timeout", "Time limit for silence of the server, 0 for none", where="connection"
    )
    run_timeout = seconds_or(0.0, "run_timeout", "Time limit for the whole run, 0 for none", where="program")
    target = target_word("host:port", "Server to connect to, as with -connect", where="network")


class Accept(Options, title="Network options"):
    """Where s_server listens."""

    port = number(
        "port",
        "port",
        "Port to listen on, on all addresses",
        where="network",
        minimum=1,
        also={"accept": None},
    )
    accept = text(
        "accept",
        "[host:]port",
        "Address and port to listen on, port 0 for a free one; port 4433 on all addresses if none is given",
        where="network",
        also={"port": None},
    )
    unix = text("unix", "path", "Listen on this Unix-domain socket", where="network")
    unlink = flag("unlink", "Remove the socket of -unix first if it is there", where="network")
    only_ipv4 = flag("4", "IPv4 only", where="network", also={"only_ipv6": False})
    only_ipv6 = flag("6", "IPv6 only", where="network", also={"only_ipv4": False})
    stateless = flag(
        "stateless", "Make clients repeat their hello with a cookie first (TLS 1.3)", where="handshake"
    )
    workers = number_or(
        1, "workers", "n", "Processes that share the port", where="program", minimum=1, ours=True
    )
    naccept = number("naccept", "n", "End after this many connections", where="network", minimum=1)
    handshake_timeout = seconds_or(
        60.0,
        "handshake_timeout",
        "Time limit for each client's handshake, 0 for none",
        where="handshake",
    )
    idle_timeout = seconds(
        "idle_timeout",
        "Time limit for an idle client, 0 for none; default: 60 between requests of HTTP, else none",
        where="connection",
    )
