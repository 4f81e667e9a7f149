"""What the command line of s_time means: everything that is read and checked before a socket is opened."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from handglass.cli.options.s_time import STimeOptions
from handglass.cli.own_certificates.identity import CLIENT, IdentityFiles, LoadError, load_identity
from handglass.cli.own_certificates.own_chain import completed_chain
from handglass.cli.own_certificates.passphrase import PassphraseError, PassphraseSources
from handglass.cli.protocol.negotiation import SettingError, engine_settings
from handglass.cli.s_time.verifier import Verifier
from handglass.cli.verification.chain_parameters import BadParameterError, name_flags
from handglass.cli.verification.stores import trusted_places
from handglass.crypto.identity import Identity
from handglass.handshake.config import ClientConfig, accept_any_chain
from handglass.net.dial import DialOptions, Target, parse_target
from handglass.net.errors import NetError
from handglass.net.files import FileError
from handglass.net.trust import TrustError, open_trust
from handglass.records import dataclass
from handglass.verify import TrustStore
from handglass.verify.params import NAMED_SETS, VerifyParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handglass.net.starttls import Prelude


class StartError(ValueError):
    """The program cannot begin. The text is for standard error."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the run needs to know. `request` is empty if nothing is to be fetched."""

    target: Target
    dial: DialOptions
    config: ClientConfig
    request: bytes
    prelude: Prelude | None
    verifier: Verifier | None
    explanation: str | None
    """A sentence if the options seem to ask for more than is offered."""


def read_settings(options: STimeOptions, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check everything. Raises StartError."""
    if options.cipher is None and "SSL_CIPHER" in environment:
        options = options.with_value(STimeOptions.cipher, environment["SSL_CIPHER"])
    try:
        target = parse_target(options.connect or "localhost:4433")
        engine = engine_settings(options)
        store = _store(options, environment)
        verifier = _verifier(options, store, engine.security_level)
        config = ClientConfig(
            **engine.arguments,
            key_shares=engine.key_shares,
            server_name=_server_name(options, target),
            identities=_identities(options, store),
            pad_hello_to=512 if options.bugs else 0,
            verify_peer=accept_any_chain if verifier is None else verifier,
        )
        prelude = _prelude(options, target)
    except (SettingError, LoadError, PassphraseError) as error:
        raise StartError(str(error)) from error
    except (BadParameterError, TrustError, FileError, NetError) as error:
        raise StartError(f"s_time: {error}") from error
    limit = options.connect_timeout or None
    return Settings(
        target,
        DialOptions(lookup_seconds=limit, connect_seconds=limit),
        config,
        _request(options, config, target),
        prelude,
        verifier,
        engine.explanation,
    )


def _store(options: STimeOptions, environment: Mapping[str, str]) -> TrustStore:
    return TrustStore(sources=[open_trust(trusted_places(options), environment)])


def _verifier(options: STimeOptions, store: TrustStore, security_level: int) -> Verifier | None:
    if options.verify is None:
        return None
    own = VerifyParams(depth=options.verify, auth_level=security_level)
    params = NAMED_SETS["ssl_server"].overridden(own)
    return Verifier(store, params, name_flags(options.nameopt), sys.stderr, int(time.time()))


def _server_name(options: STimeOptions, target: Target) -> str | None:
    if options.noservername:
        return None
    if options.servername is None:
        return target.dns_name
    if not options.servername.isascii():
        raise StartError(f"-servername {options.servername}: give the name in its ASCII form (xn--…)")
    return options.servername


def _identities(options: STimeOptions, store: TrustStore) -> tuple[Identity, ...]:
    if options.cert is None:
        return ()
    secret = None
    with PassphraseSources() as sources:
        if options.passphrase is not None:
            secret = sources.get(options.passphrase)
    files = IdentityFiles(options.cert, options.key, options.cert_chain, passphrase=secret)
    return (completed_chain(load_identity(files, CLIENT), store, int(time.time())),)


def _prelude(options: STimeOptions, target: Target) -> Prelude | None:
    """What is said before TLS. Raises NetError."""
    if options.starttls is None:
        return None
    from handglass.net.starttls import Names, Prelude  # noqa: PLC0415 - few servers begin in plain text

    return Prelude(options.starttls, Names(target.dns_name or target.host, options.name))


def _request(options: STimeOptions, config: ClientConfig, target: Target) -> bytes:
    """The request of -www: HTTP/1.0, so that the end of the connection is the end of the answer (RFC 1945 §7.2.2)."""
    if options.www is None:
        return b""
    host = Target(config.server_name or target.host, target.port)
    return f"GET {options.www} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii")
