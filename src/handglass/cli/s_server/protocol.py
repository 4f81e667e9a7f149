"""How s_server speaks the protocol: what its own options say beyond those that both programs share."""

from __future__ import annotations

from typing import Any

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.groups import parse_groups
from handglass.cli.options.s_server import SServerOptions
from handglass.cli.own_certificates.identity import LoadError, load_dh_file
from handglass.cli.protocol.negotiation import (
    MIN_DH_BITS,
    EngineSettings,
    SettingError,
    engine_settings,
    supported_groups,
)
from handglass.cli.protocol.protocol_details import detail_arguments, within_limits
from handglass.cli.s_server.certificates import DEFAULT_CERTIFICATE
from handglass.crypto.containers import ContainerError, DhParameters, load_dh_parameters
from handglass.crypto.errors import BadPublic
from handglass.crypto.finite_field import check_group
from handglass.net.files import FileError, path_of, read_file
from handglass.records import replace
from handglass.registry import groups, suites
from handglass.registry.code_points import NamedGroup
from handglass.registry.security_levels import SECURITY_LEVELS

ANY_CURVE = "auto"


def read_engine(options: SServerOptions) -> EngineSettings:
    """Versions, suites, groups and schemes. Raises SettingError."""
    engine = within_limits(options, options, engine_settings(options))
    rows = SServerOptions
    word = options.named_curve
    if (
        word is not None
        and word != ANY_CURVE
        and options.last(rows.groups, rows.named_curve) is rows.named_curve
    ):
        curve = _named_curve(word, engine.security_level)
        engine = replace(engine, groups=(curve,), key_shares=None, group_tuples=())
    if options.no_dhe:
        kept = tuple(s for s in engine.suites if (f := suites.facts_of(s)) and f.key_exchange != "DHE")
        engine = replace(engine, suites=kept)
    return engine


def protocol_arguments(options: SServerOptions, engine: EngineSettings) -> dict[str, Any]:
    """Return keyword arguments for a `ServerConfig`. Raises SettingError and LoadError."""
    return {
        **engine.arguments,
        **detail_arguments("s_server", options),
        "group_tuples": engine.group_tuples,
        "prefer_own_suites": options.serverpref,
        "prioritize_chacha": options.prioritize_chacha,
        "allow_client_renegotiation": options.client_renegotiation,
        "dh_parameters": _dh_parameters(options, engine),
        "receive_max_early_data": options.recv_max_early_data,
        "anti_replay": not options.no_anti_replay,
        "heartbeats": options.heartbeat,
    }


def _named_curve(word: str, security_level: int) -> NamedGroup:
    try:
        chosen = parse_groups(word, supported_groups()).groups
        if len(chosen) > 1:
            raise ListError("passed invalid argument", "it takes one group; -groups takes several")
        facts = groups.facts_of(chosen[0])
        if facts is None or not SECURITY_LEVELS[security_level].allows_group(facts):
            raise ListError("passed invalid argument", f"security level {security_level} does not allow it")
    except ListError as error:
        raise SettingError(error.complaint("named_curve", word)) from error
    return chosen[0]


def _dh_parameters(options: SServerOptions, engine: EngineSettings) -> tuple[int, int] | None:
    """Prime and generator of -dhparam, or of the certificate's file if it holds any."""
    path = options.dhparam
    if options.no_dhe:
        return None
    found = (
        load_dh_file(path) if path is not None else _beside_certificate(options.cert or DEFAULT_CERTIFICATE)
    )
    if found is None:
        return None
    name = (
        f"-dhparam {path}" if path is not None else f"the parameters in {options.cert or DEFAULT_CERTIFICATE}"
    )
    bits, least = found.p.bit_length(), MIN_DH_BITS[engine.security_level]
    try:
        check_group(found.p, found.g)
    except BadPublic as error:
        raise LoadError(f"s_server: {name}: {error}") from error
    if bits < least:
        raise LoadError(
            f"s_server: {name}: dh key too small: a prime of {bits} bits, and security level "
            f"{engine.security_level} wants {least}; -cipher with @SECLEVEL= sets another level"
        )
    return found.p, found.g


def _beside_certificate(path: str) -> DhParameters | None:
    """The parameters in the file of a certificate, which is read for its own sake elsewhere."""
    try:
        return load_dh_parameters(read_file(path_of(path)))
    except (FileError, ContainerError):
        return None
