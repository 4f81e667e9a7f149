"""What the command line of s_client means: everything that is read and checked before a socket is opened."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import IO, Any

from handglass.cli.key_log import open_key_log
from handglass.cli.message_file import open_message_file
from handglass.cli.options.s_client import SClientOptions
from handglass.cli.own_certificates.identity import (
    CLIENT,
    IdentityFiles,
    LoadError,
    load_ca_names,
    load_identity,
)
from handglass.cli.own_certificates.own_chain import built_chain, completed_chain
from handglass.cli.own_certificates.passphrase import PassphraseError, PassphraseSources
from handglass.cli.protocol.negotiation import EngineSettings, SettingError, engine_settings, schemes_named
from handglass.cli.protocol.protocol_details import detail_arguments, within_limits
from handglass.cli.randomness import RandomnessError, mix
from handglass.cli.s_client.reach import Way, read_way
from handglass.cli.sessions import SessionFile, SessionFileError, read_session
from handglass.cli.verification.chain_parameters import BadParameterError, chain_parameters, name_flags
from handglass.cli.verification.dane import given_records
from handglass.cli.verification.raw_keys import certificate_types, expected_keys
from handglass.cli.verification.stores import Stores, form_of, open_stores
from handglass.cli.verification.transparency import Logs, load_logs
from handglass.crypto.identity import Identity
from handglass.handshake.config import ClientConfig
from handglass.handshake.session import Session
from handglass.net.errors import NetCode, NetError
from handglass.net.files import FileError, path_of, read_file
from handglass.net.trust import TrustError
from handglass.records import dataclass, field
from handglass.registry.code_points import SignatureScheme
from handglass.verify.dane import DaneRecords
from handglass.verify.nameopt import ONELINE
from handglass.verify.params import NAMED_SETS, VerifyParams

MAX_EARLY_DATA = 1 << 24


class StartError(ValueError):
    """The program cannot begin. The text is for standard error."""


@dataclass(slots=True)
class Settings:
    """Everything that a connection needs to know."""

    options: SClientOptions
    way: Way
    engine: EngineSettings
    config: ClientConfig
    stores: Stores
    params: VerifyParams
    early_data: bytes | None = field(default=None, repr=False)
    key_log: IO[str] | None = None
    message_file: IO[str] | None = None
    session_outcome: int | None = None
    """What the session of -sess_in says came of verifying the peer (X509_V_…)."""
    name_flags: int = ONELINE
    dane: DaneRecords | None = None
    logs: Logs | None = None
    """Whose timestamps are looked for; None if they are not asked for."""

    @property
    def extra_sets(self) -> tuple[Identity, ...]:
        """The certificates of -xcert, which come after that of -cert."""
        return self.config.identities[int(self.options.cert is not None) :]


def read_settings(options: SClientOptions, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check everything. Raises StartError."""
    try:
        surroundings = os.environ if environment is None else environment
        if options.ssl_config is not None:
            from handglass.cli.protocol.ssl_config import configured  # noqa: PLC0415 - rarely wanted

            options = configured(options, options.ssl_config, surroundings)
        mix(options.rand)
        way = read_way(options, surroundings)
        engine = within_limits(options, options, engine_settings(options))
        arguments = engine.arguments | detail_arguments("s_client", options) | _own_arguments(options, engine)
        arguments |= certificate_types(options)
        stores = open_stores(options, surroundings)
        params = _params(options, engine)
        flags = name_flags(options.nameopt)
        dane = _dane(options)
        logs = Logs(load_logs(options.ctlogfile, surroundings), options.ct_strict) if options.ct else None
        identities = _identities(options, stores)
        stored = _session(options.sess_in)
        session = session_of(stored) if stored is not None else None
        early_data = _early_data(options.early_data)
        key_log = open_key_log(options.keylogfile)
        message_file = open_message_file(options.msgfile)
        name = _server_name(options, way)
    except BadParameterError as error:
        raise StartError(f"s_client: {error}") from error
    except (SettingError, LoadError, PassphraseError, TrustError, FileError, RandomnessError) as error:
        raise StartError(str(error)) from error
    except NetError as error:
        if error.code == NetCode.NO_SUCH_PROTOCOL:
            raise StartError(f"s_client: {error.sentence}") from error
        raise StartError(f"{error.sentence}\nconnect:errno={error.errno}") from error
    config = ClientConfig(
        **arguments,
        key_shares=engine.key_shares,
        server_name=name,
        identities=identities,
        session=session,
        early_data=early_data is not None,
        post_handshake_auth=options.enable_pha,
    )
    outcome = stored.verify_result if stored is not None else None
    return Settings(
        options,
        way,
        engine,
        config,
        stores,
        params,
        early_data,
        key_log,
        message_file,
        outcome,
        name_flags=flags,
        dane=dane,
        logs=logs,
    )


def _own_arguments(options: SClientOptions, engine: EngineSettings) -> dict[str, Any]:
    """What only a client's configuration has, or has for another reason than a server's.

    Raises LoadError, SettingError.
    """
    signs_with: tuple[SignatureScheme, ...] = ()
    if options.client_sigalgs is not None:
        signs_with = schemes_named("client_sigalgs", options.client_sigalgs, engine.security_level)
    return {
        "client_signature_schemes": signs_with,
        "heartbeats": options.heartbeat,
        "fallback": options.fallback_scsv,
        "pad_hello_to": 512 if options.bugs else 0,
        "allow_legacy_peer": options.legacy_server_connect or options.legacy_renegotiation,
        "max_fragment_length": options.maxfraglen,
        "authorities": tuple(load_ca_names(options.request_ca_file)) if options.request_ca_file else (),
        "tickets": not options.no_ticket,
        "request_status": options.status or options.ct,
        "request_all_statuses": options.status_all,
        "request_scts": options.ct,
    }


def _server_name(options: SClientOptions, way: Way) -> str | None:
    if options.noservername:
        return None
    if options.servername is not None:
        if not options.servername.isascii():
            raise StartError(f"-servername {options.servername}: give the name in its ASCII form (xn--…)")
        return options.servername
    if options.dane_tlsa_domain is not None:
        return options.dane_tlsa_domain.removesuffix(".")
    return way.server_name


def _params(options: SClientOptions, engine: EngineSettings) -> VerifyParams:
    hosts = () if options.dane_tlsa_domain is None else (options.dane_tlsa_domain.removesuffix("."),)
    own = VerifyParams(depth=options.verify, auth_level=engine.security_level, hosts=hosts)
    return NAMED_SETS["ssl_server"].overridden(own).overridden(chain_parameters(options.given))


def _dane(options: SClientOptions) -> DaneRecords | None:
    """The TLSA records of the command line, and those that its public keys amount to. Raises LoadError."""
    keys = expected_keys(options)
    if not options.dane_tlsa_rrdata:
        return DaneRecords(keys) if keys else None
    return given_records(
        options.dane_tlsa_rrdata,
        keys,
        no_name_checks=options.dane_ee_no_namechecks,
        warn=lambda sentence: sys.stderr.write(f"s_client: {sentence}\n"),
    )


def _identities(options: SClientOptions, stores: Stores) -> tuple[Identity, ...]:
    """Our certificates, the one of -cert first, with their chains as far as they can be had."""
    if options.cert is None and options.xcert is None:
        return ()
    from handglass.cli.own_certificates.extra_certificates import load_extra  # noqa: PLC0415 - few have certificates

    store, now = stores.own_store(), int(time.time())
    found = []
    if options.cert is not None:
        complete = built_chain if options.build_chain else completed_chain
        found.append(complete(_identity(options, options.cert), store, now))
    return (*found, *load_extra(options.given, store, now))


def _identity(options: SClientOptions, certificate: str) -> Identity:
    secret = None
    with PassphraseSources() as sources:
        if options.passphrase is not None:
            secret = sources.get(options.passphrase)
    files = IdentityFiles(
        certificate,
        options.key,
        options.cert_chain,
        form_of(options.certform),
        form_of(options.keyform),
        passphrase=secret,
    )
    return load_identity(files, CLIENT)


def _session(path: str | None) -> SessionFile | None:
    if path is None:
        return None
    try:
        return read_session(read_file(path_of(path)))
    except FileError as error:
        raise StartError(f"Can't open session file {path}\n{error}") from error
    except SessionFileError as error:
        raise StartError(f"Can't open session file {path}\n{path}: {error}") from error


def session_of(stored: SessionFile) -> Session:
    """A session file's contents as the engine wants them."""
    return Session(
        version=stored.version,
        suite=stored.suite,
        secret=stored.secret,
        ticket=stored.ticket or b"",
        # With a ticket the id is only its hash, to be shown.
        session_id=b"" if stored.ticket else stored.session_id,
        created=float(stored.start_time),
        lifetime=stored.ticket_lifetime or stored.timeout,
        age_add=stored.ticket_age_add,
        max_early_data=stored.max_early_data,
        alpn=stored.alpn,
        server_name=stored.hostname,
        extended_master_secret=stored.extended_master_secret,
        peer_certificates=(stored.certificate,) if stored.certificate else (),
        group=stored.group,
    )


def _early_data(path: str | None) -> bytes | None:
    if path is None:
        return None
    return read_file(path_of(path), MAX_EARLY_DATA)


def complain(error: StartError) -> int:
    """Say why the program cannot begin; its exit status."""
    sys.stderr.write(f"{error}\n")
    return 1
