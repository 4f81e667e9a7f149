"""Getting there: the socket, through a proxy if there is one, and what is said in plain text before TLS.

`read_way` makes of the command line a `Way`, which cannot be wrong any more; `go` goes it. The server name of
TLS is the target's also behind a proxy, and never an IP address.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from handglass.cli.options.s_client import SClientOptions
from handglass.cli.own_certificates.passphrase import PassphraseSources
from handglass.cli.screen import Screen
from handglass.handshake.wants import Direction
from handglass.net.dial import (
    ConnectError,
    Dialled,
    DialOptions,
    Target,
    UnixTarget,
    check_host,
    check_port,
    dial,
    parse_bind,
    parse_target,
)
from handglass.net.errors import NetCode, NetError, shown
from handglass.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handglass.net.dialogue import Finding
    from handglass.net.proxy import Proxy
    from handglass.net.starttls import StreamWrapper
    from handglass.observe.wire import WireDump

NO_HOST = "localhost"
"""The name of a server behind a Unix-domain socket, where a protocol wants one (XMPP)."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to get to `target`: by which socket, through which proxy, with which protocol's words before TLS."""

    target: Target | UnixTarget
    dial: DialOptions
    proxy: Proxy | None = None
    starttls: str | None = None
    name: str | None = None
    step_seconds: float | None = None

    @property
    def server_name(self) -> str | None:
        """The target's name for SNI; None for an IP address and for a Unix-domain socket."""
        return self.target.dns_name if isinstance(self.target, Target) else None

    @property
    def host(self) -> str:
        """The target's name or address."""
        if isinstance(self.target, UnixTarget):
            return NO_HOST
        return self.target.dns_name or self.target.host


@dataclass(frozen=True, slots=True)
class Reached:
    """TLS may begin on `socket`.

    `early`: TLS bytes that the server sent already; `wrapper`: what stands between TLS and the socket;
    `last_line`: the server's last plain line, for the report; seconds: to the connection, and from there to here;
    `wire`: what has shown the bytes so far, and goes on with those of TLS.
    """

    socket: socket.socket
    early: bytes = field(default=b"", repr=False)
    wrapper: StreamWrapper | None = field(default=None, repr=False)
    last_line: str = ""
    connect_seconds: float = 0.0
    prelude_seconds: float = 0.0
    wire: WireDump | None = field(default=None, repr=False)


def read_way(options: SClientOptions, environment: Mapping[str, str]) -> Way:
    """Read and check everything. Raises NetError, and PassphraseError for the proxy's password."""
    target = _target(options)
    if options.starttls is not None:
        from handglass.net.starttls import protocol_named  # noqa: PLC0415 - few connections begin in plain text

        protocol_named(options.starttls)
    limit = options.connect_timeout or None
    proxy = _proxy(options, target, environment)
    # A server that speaks first is not waited for by a SYN that waits for our first words (RFC 7413 §4.2).
    speaks_first = options.starttls is not None and proxy is None
    return Way(
        target,
        DialOptions(
            family=_family(options),
            bind=_bind(options),
            fast_open=options.tfo and not speaks_first,
            lookup_seconds=limit,
            connect_seconds=limit,
        ),
        proxy,
        options.starttls,
        options.name,
        options.starttls_timeout or None,
    )


def go(way: Way, screen: Screen, *, talkative: bool, wire: WireDump | None = None) -> Reached:
    """Connect, and say what has to be said before TLS, shown on `wire` too. Raises NetError."""
    began = time.monotonic()
    dialled = _dial(way)
    connected = time.monotonic()
    if talkative:
        screen.text(f"CONNECTED({dialled.socket.fileno():08X})\n")
        # On standard output: scripts look for "Connection refused" on the other to know that there is no connection.
        if len(dialled.attempts) > 1:
            screen.text("".join(f"Address tried: {attempt}\n" for attempt in dialled.attempts))
    try:
        reached = _speak(way, dialled.socket, screen, wire)
    except BaseException:
        dialled.socket.close()
        raise
    return Reached(
        dialled.socket,
        *reached,
        connect_seconds=connected - began,
        prelude_seconds=time.monotonic() - connected,
        wire=wire,
    )


def report_unreachable(screen: Screen, error: NetError) -> None:
    """OpenSSL's lines for scripts where there is a system's error, the sentence, each address that was tried."""
    if error.code not in BEFORE_CONNECTED:
        if error.errno:
            screen.error(f"read:errno={error.errno}")
        screen.error(f"s_client: {error.sentence}")
        return
    if error.errno:
        words = f"{0x80000000 + error.errno:08X}:system library:connect:{error.reason}:handglass:0:"
    else:
        words = f"10080002:BIO routines:lookup:system lib:handglass:0:{error.reason}"
    screen.error(f"{0:016X}:error:{words}")
    screen.error(f"connect:errno={error.errno}")
    screen.error(f"s_client: {error.sentence}")
    if isinstance(error, ConnectError) and len(error.attempts) > 1:
        for attempt in error.attempts:
            screen.error(f"s_client:   {attempt}")


BEFORE_CONNECTED = {
    NetCode.LOOKUP_FAILED,
    NetCode.LOOKUP_TIMEOUT,
    NetCode.BIND_FAILED,
    NetCode.CONNECT_FAILED,
    NetCode.CONNECT_TIMEOUT,
}


def list_protocols(screen: Screen) -> int:
    """`-starttls help`: the protocols; the exit status."""
    from handglass.net.starttls import help_lines  # noqa: PLC0415 - as above

    screen.text("".join(line + "\n" for line in help_lines()))
    return 0


# Reading -------------------------------------------------------------------------------------------------


def _target(options: SClientOptions) -> Target | UnixTarget:
    """Whom to connect to: -unix; or -connect or the last word, with -host and -port in place of its parts."""
    if options.unix is not None:
        return UnixTarget(options.unix)
    target = parse_target(options.connect or options.target or "localhost:4433")
    if options.host is not None:
        check_host(options.host)
        target = Target(options.host, target.port)
    if options.port is not None:
        check_port(str(options.port), f"-port {options.port}", lowest=1)
        target = Target(target.host, str(options.port))
    return target


def _family(options: SClientOptions) -> int:
    if options.only_ipv4:
        return socket.AF_INET
    return socket.AF_INET6 if options.only_ipv6 else socket.AF_UNSPEC


def _bind(options: SClientOptions) -> Target | None:
    if options.bind is None:
        return None
    # For a Unix-domain socket it is a path, in which a colon means nothing.
    return Target(options.bind, "0") if options.unix is not None else parse_bind(options.bind)


def _proxy(
    options: SClientOptions, target: Target | UnixTarget, environment: Mapping[str, str]
) -> Proxy | None:
    """The proxy of -proxy, -socks, -socks4 or, if asked, the environment, with the user of -proxy_user."""
    if not options.proxy_env and (options.proxy, options.socks, options.socks4) == (None, None, None):
        return None
    from handglass.net.proxy import (  # noqa: PLC0415 - few connections need one
        Credentials,
        Proxy,
        parse_proxy,
        proxy_from_environment,
    )

    credentials = None
    if options.proxy_user is not None:
        password = ""
        if options.proxy_pass is not None:
            with PassphraseSources() as sources:
                password = os.fsdecode(sources.get(options.proxy_pass))
        credentials = Credentials(options.proxy_user, password)
    if options.proxy is not None:
        return parse_proxy(options.proxy, credentials)
    if options.socks is not None:
        return parse_proxy(_with_scheme("socks5", options.socks), credentials)
    if options.socks4 is not None:
        return parse_proxy(_with_scheme("socks4a", options.socks4), credentials)
    if not options.proxy_env or isinstance(target, UnixTarget):
        return None
    found = proxy_from_environment(environment, target)
    if found is None or credentials is None:
        return found
    return Proxy(found.kind, found.target, credentials)


def _with_scheme(scheme: str, text: str) -> str:
    return text if "://" in text else f"{scheme}://{text}"


# Going ---------------------------------------------------------------------------------------------------


def _dial(way: Way) -> Dialled:
    if way.proxy is None:
        return dial(way.target, way.dial)
    try:
        return dial(way.proxy.target, way.dial)
    except NetError as error:
        error.sentence += f" (the proxy on the way to {way.target})"
        raise


def _speak(
    way: Way, sock: socket.socket, screen: Screen, wire: WireDump | None
) -> tuple[bytes, StreamWrapper | None, str]:
    """Ask the proxy, then the server: (early bytes, wrapper, last line)."""

    def observe(doing: str, data: bytes) -> None:
        if wire is not None:
            wire.wire(Direction.WRITE if doing == "sent" else Direction.READ, data)

    early = b""
    if way.proxy is not None and isinstance(way.target, Target):
        from handglass.net.proxy import go_through  # noqa: PLC0415 - as above

        early = go_through(sock, way.proxy, way.target, step_seconds=way.step_seconds, observe=observe)
    if way.starttls is None:
        return early, None, ""
    from handglass.net.starttls import Names, start_tls  # noqa: PLC0415 - as above

    negotiated = start_tls(
        sock,
        way.starttls,
        Names(way.host, way.name),
        step_seconds=way.step_seconds,
        initial=early,
        observe=observe,
        tell=lambda finding: tell(screen, finding),
    )
    line = negotiated.last_line
    return negotiated.early, negotiated.wrapper, shown(line, max(len(line), 1))


def tell(screen: Screen, finding: Finding) -> None:
    """Tell what was found on the way; in OpenSSL's very words where they are its."""
    prefix = "" if finding.code == NetCode.NOT_OFFERED else "s_client: "
    screen.error(f"{prefix}{finding.sentence}")
