"""From the options of `ProtocolDetails` to the arguments of a configuration, for both programs."""

from __future__ import annotations

from typing import Any

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.versions import parse_protocol, select_versions, version_flags
from handglass.cli.negotiation import SUPPORTED_VERSIONS, EngineSettings, SettingError
from handglass.cli.options.protocol import ProtocolDetails, Versions
from handglass.records import replace
from handglass.registry.code_points import ProtocolVersion, PskKeyExchangeMode

FRAGMENTS = range(512, 16385)
MAX_PADDING = 16384


def within_limits(options: ProtocolDetails, flags: Versions, engine: EngineSettings) -> EngineSettings:
    """Apply -min_protocol and -max_protocol to the versions that flags have chosen. Raises SettingError."""
    if options.min_protocol is None and options.max_protocol is None:
        return engine
    lowest = _protocol("min_protocol", options.min_protocol)
    highest = _protocol("max_protocol", options.max_protocol)
    only, excluded = version_flags(flags)
    try:
        choice = select_versions(
            SUPPORTED_VERSIONS, only=only, excluded=excluded, minimum=lowest, maximum=highest
        )
    except ListError as error:
        raise SettingError(str(error)) from error
    return replace(engine, versions=choice.versions, explanation=choice.explanation)


def detail_arguments(program: str, options: ProtocolDetails) -> dict[str, Any]:
    """Return keyword arguments for a `Config`. Raises SettingError; `program` stands in the message."""
    if options.max_send_frag not in FRAGMENTS:
        raise SettingError(
            f"{program}: Max send fragment size {options.max_send_frag} is out of permitted range"
        )
    if options.record_padding > MAX_PADDING:
        raise SettingError(
            f"Call to SSL_CONF_cmd(-record_padding, {options.record_padding}) failed: at most {MAX_PADDING}"
        )
    modes = (PskKeyExchangeMode.PSK_DHE_KE,)
    return {
        "record_padding": options.record_padding if options.record_padding > 1 else 0,
        "max_send_fragment": options.max_send_frag,
        "middlebox_compatibility": not options.no_middlebox,
        "encrypt_then_mac": not options.no_etm,
        "psk_modes": (*modes, PskKeyExchangeMode.PSK_KE) if options.allow_no_dhe_kex else modes,
        "allow_renegotiation": not options.no_renegotiation,
        "allow_legacy_peer": options.legacy_renegotiation,
    }


def _protocol(name: str, word: str | None) -> ProtocolVersion | None:
    if word is None:
        return None
    try:
        return parse_protocol(word)
    except ListError as error:
        raise SettingError(error.complaint(name, word)) from error
