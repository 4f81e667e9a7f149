"""From the options of `ProtocolDetails` to the arguments of a configuration, for both programs."""

from __future__ import annotations

from typing import Any

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.versions import parse_protocol, select_versions, version_flags
from handglass.cli.options.protocol import ProtocolDetails, Versions
from handglass.cli.protocol.negotiation import SUPPORTED_VERSIONS, EngineSettings, SettingError
from handglass.records import replace
from handglass.registry.code_points import ProtocolVersion, PskKeyExchangeMode

FRAGMENTS = range(512, 16385)
PIPELINES = range(1, 33)
MAX_PADDING = 16384
READ_SIZE = 1 << 18


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
    if options.record_padding > MAX_PADDING:
        raise SettingError(
            f"Call to SSL_CONF_cmd(-record_padding, {options.record_padding}) failed: at most {MAX_PADDING}"
        )
    modes = (PskKeyExchangeMode.PSK_DHE_KE,)
    return {
        "record_padding": options.record_padding if options.record_padding > 1 else 0,
        "max_send_fragment": _fragment_size(program, options),
        "middlebox_compatibility": not options.no_middlebox,
        "encrypt_then_mac": not options.no_etm,
        "psk_modes": (*modes, PskKeyExchangeMode.PSK_KE) if options.allow_no_dhe_kex else modes,
        "strict_chains": options.strict,
        "allow_renegotiation": not options.no_renegotiation,
        "allow_legacy_peer": options.legacy_renegotiation,
    }


def read_size(options: ProtocolDetails) -> int:
    """How many bytes are read from the socket at once."""
    return READ_SIZE if options.read_buf is None else min(options.read_buf, READ_SIZE)


def _fragment_size(program: str, options: ProtocolDetails) -> int:
    """How much data goes into a record: pipelines, if there are several, get it in smaller pieces."""
    most, split = options.max_send_frag, options.split_send_frag
    if most not in FRAGMENTS:
        raise SettingError(f"{program}: Max send fragment size {most} is out of permitted range")
    if split is not None and not 0 < split <= most:
        raise SettingError(f"{program}: Split send fragment size {split} is out of permitted range")
    if options.max_pipelines not in PIPELINES:
        raise SettingError(f"{program}: Max pipelines {options.max_pipelines} is out of permitted range")
    return most if split is None or options.max_pipelines == 1 else split


def _protocol(name: str, word: str | None) -> ProtocolVersion | None:
    if word is None:
        return None
    try:
        return parse_protocol(word)
    except ListError as error:
        raise SettingError(error.complaint(name, word)) from error
