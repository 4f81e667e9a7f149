"""What the command line of s_server means: everything that is read and checked before it listens."""

from __future__ import annotations

import socket
import time
from typing import IO, TYPE_CHECKING

from handglass.cli.key_log import open_key_log
from handglass.cli.message_file import open_message_file
from handglass.cli.options.s_server import SServerOptions
from handglass.cli.own_certificates.identity import LoadError
from handglass.cli.own_certificates.passphrase import PassphraseError
from handglass.cli.protocol.negotiation import EngineSettings, SettingError
from handglass.cli.randomness import RandomnessError, mix
from handglass.cli.s_server.certificates import Certificates, load_all, with_certificates
from handglass.cli.s_server.identity import Chains, Secrets, read_secrets
from handglass.cli.s_server.protocol import protocol_arguments, read_engine
from handglass.cli.s_server.sessions import RecordedSessions, make_sessions, session_arguments
from handglass.cli.s_server.verification import (
    Verifier,
    authentication,
    authorities,
    client_schemes,
    make_verifier,
)
from handglass.cli.verification.chain_parameters import BadParameterError
from handglass.cli.verification.raw_keys import certificate_types
from handglass.cli.verification.stores import Stores, open_stores
from handglass.handshake.config import ServerConfig
from handglass.net.dial.listen import Listener, ListenOptions, open_listeners
from handglass.net.dial.targets import ListenTarget, UnixTarget, parse_accept
from handglass.net.errors import NetError
from handglass.net.files import FileError
from handglass.net.trust import TrustError
from handglass.records import dataclass, field

if TYPE_CHECKING:
    from handglass.cli.s_server.screen import ServerScreen

DEFAULT_PORT = "4433"


class StartError(ValueError):
    """The program cannot begin. The text is for standard error."""


@dataclass(slots=True)
class Settings:
    """Everything that the server needs to know. `config` is for clients that name no other server."""

    options: SServerOptions
    engine: EngineSettings
    config: ServerConfig
    certificates: Certificates
    sessions: RecordedSessions
    verifier: Verifier
    stores: Stores
    key_log: IO[str] | None = None
    message_file: IO[str] | None = None
    """Where -msg goes instead of standard output: a descriptor."""
    secrets: Secrets = field(default=Secrets(), repr=False)

    def tell_with(self, screen: ServerScreen) -> None:
        """Let all that has something to say write there."""
        self.verifier.err = screen.err
        if self.sessions.external is not None:
            self.sessions.external.tell = screen.error

    @property
    def is_throwaway(self) -> bool:
        """Whether the default certificate was made for this run."""
        return self.options.cert is None and self.options.throwaway_cert


def read_settings(options: SServerOptions) -> Settings:
    """Read and check everything. Raises StartError."""
    try:
        if options.ssl_config is not None:
            from handglass.cli.protocol.ssl_config import configured  # noqa: PLC0415 - rarely wanted

            options = configured(options, options.ssl_config)
        mix(options.rand)
        engine = read_engine(options)
        arguments = protocol_arguments(options, engine)
        secrets = read_secrets(options)
        stores = open_stores(options)
        certificates = load_all(options, secrets, _chains(options, stores))
        names = authorities(options)
        verifier = make_verifier(options, engine, stores)
        schemes = client_schemes(options, engine)
        resumption = session_arguments(options)
        key_log = open_key_log(options.keylogfile)
        message_file = open_message_file(options.msgfile)
    except BadParameterError as error:
        raise StartError(f"s_server: {error}") from error
    except (SettingError, LoadError, PassphraseError, TrustError, FileError, RandomnessError) as error:
        raise StartError(str(error)) from error
    sessions = make_sessions(options)
    config = ServerConfig(
        **arguments,
        **certificate_types(options),
        client_authentication=authentication(options),
        client_signature_schemes=schemes,
        authorities=names,
        verify_peer=verifier,
        **resumption,
        sessions=sessions,
        send_cookie=options.stateless,
    )
    config = with_certificates(config, certificates, options)
    return Settings(
        options,
        engine,
        config,
        certificates,
        sessions,
        verifier,
        stores,
        key_log,
        message_file=message_file,
        secrets=secrets,
    )


def listen(options: SServerOptions) -> tuple[list[Listener], bool]:
    """Open the listening sockets; and whether the system chose a port, so that it must be told. Raises StartError."""
    family = (
        socket.AF_INET if options.only_ipv4 else socket.AF_INET6 if options.only_ipv6 else socket.AF_UNSPEC
    )
    try:
        targets = list(dict.fromkeys(_targets(options)))
        opened = open_listeners(
            targets, ListenOptions(family=family, unlink=options.unlink, reuse_port=options.workers > 1)
        )
    except NetError as error:
        raise StartError(f"s_server: {error.sentence}") from error
    return opened, any(isinstance(target, ListenTarget) and target.port == "0" for target in targets)


def listen_again(listeners: list[Listener]) -> list[Listener]:
    """More sockets on the same addresses and ports, for another process."""
    found = []
    for listener in listeners:
        host = str(listener.socket.getsockname()[0])
        dual = host == "::" and not listener.socket.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        target = ListenTarget(None if dual else host, str(listener.port))
        found += open_listeners([target], ListenOptions(reuse_port=True))
    return found


def _targets(options: SServerOptions) -> list[ListenTarget | UnixTarget]:
    """Where to listen: the last kind of -unix, -port and -accept counts, and -accept as often as it is given."""
    rows = SServerOptions
    row = options.last(rows.unix, rows.port, rows.accept)
    if row is rows.unix:
        return [UnixTarget(str(options.unix))]
    if row is rows.port:
        return [parse_accept(str(options.port))]
    return [parse_accept(text) for text in options.all(rows.accept) or (DEFAULT_PORT,)]


def reload_certificates(settings: Settings) -> None:
    """Read all certificates again; the settings change only if that succeeds. Raises StartError."""

    def refuse(name: str) -> bytes:
        raise LoadError(f"{name} needs a pass phrase: give it with -pass")

    try:
        chains = _chains(settings.options, settings.stores)
        found = load_all(settings.options, settings.secrets, chains, refuse, settings.certificates)
    except (LoadError, FileError) as error:
        raise StartError(str(error)) from error
    settings.certificates = found
    settings.config = with_certificates(settings.config, found, settings.options)


def _chains(options: SServerOptions, stores: Stores) -> Chains:
    return Chains(stores.own_store(), int(time.time()), options.build_chain)
