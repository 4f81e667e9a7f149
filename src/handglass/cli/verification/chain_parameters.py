"""From the options of `options.chain` to `VerifyParams`."""

from __future__ import annotations

from typing import Any

from handglass.cli.options.chain import ChainChecks
from handglass.cli.options.table import Option
from handglass.cli.options.verify import PeerName
from handglass.records import replace
from handglass.verify import NAMED_SETS, Purpose, SuiteB, VerifyParams, objects, to_ascii

__all__ = ["BadParameterError", "chain_parameters", "name_flags"]

_FLAGS = (
    "ignore_critical",
    "crl_check",
    "crl_check_all",
    "policy_check",
    "explicit_policy",
    "inhibit_any",
    "inhibit_map",
    "policy_print",
    "x509_strict",
    "extended_crl",
    "use_deltas",
    "check_ss_sig",
    "partial_chain",
    "no_check_time",
    "allow_proxy_certs",
)


class BadParameterError(ValueError):
    """An option's argument that means nothing. The text is one sentence without a full stop."""


def chain_parameters(given: tuple[tuple[Option[Any], object], ...]) -> VerifyParams:
    """Give what the options ask for, in their order. Raises BadParameterError."""
    params = VerifyParams()
    for row, value in given:
        params = _applied(params, row, value)
    return params


def name_flags(options: tuple[str, ...]) -> int:
    """Give the flags of all `-nameopt` arguments, those of "oneline" without any. Raises BadParameterError."""
    from handglass.verify import nameopt  # noqa: PLC0415 - only for who prints names

    if not options:
        return nameopt.ONELINE
    flags = 0
    for option in options:
        applied = nameopt.apply_options(flags, option)
        if applied is None:
            raise BadParameterError(f"Invalid name option {option}")
        flags = applied
    return flags


def _applied(params: VerifyParams, row: Option[Any], value: object) -> VerifyParams:
    text = str(value)
    if row is ChainChecks.verify_name:
        if text not in NAMED_SETS:
            raise BadParameterError(f"Invalid verify name {text}")
        return params.overridden(NAMED_SETS[text])
    if row is ChainChecks.purpose:
        return replace(params, purpose=_purpose(text))
    if row is ChainChecks.policy:
        return replace(params, policies=(*params.policies, _policy(text)))
    if row is ChainChecks.verify_ip:
        return replace(params, ip=_address(text))
    if row is ChainChecks.verify_email:
        return replace(params, email=text)
    if row is PeerName.verify_hostname:
        return replace(params, hosts=(_host(text),))
    if isinstance(value, int) and row in _NUMBERS:
        # As in OpenSSL: a negative depth is no limit of its own.
        return (
            params
            if row is ChainChecks.verify_depth and value < 0
            else _changed(params, _NUMBERS[row], value)
        )
    if row in _SUITES:
        return replace(params, suite_b=_SUITES[row])
    if row.attribute in _FLAGS and row is getattr(ChainChecks, row.attribute):
        return _changed(params, row.attribute, True)
    return params


def _changed(params: VerifyParams, field: str, value: Any) -> VerifyParams:
    return replace(params, **{field: value})


def _purpose(text: str) -> Purpose:
    try:
        return Purpose(text)
    except ValueError:
        raise BadParameterError(f"Invalid purpose {text}") from None


def _policy(text: str) -> str:
    oid = objects.dotted(text)
    if oid is None:
        raise BadParameterError(f"Invalid Policy {text}")
    return oid


def _address(text: str) -> bytes:
    import ipaddress  # noqa: PLC0415 - slow to load, and only -verify_ip needs it

    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        raise BadParameterError(f"Invalid IP address {text}") from None


def _host(text: str) -> str:
    try:
        return to_ascii(text)
    except ValueError as problem:
        raise BadParameterError(f"Invalid host name {text}: {problem}") from None


_NUMBERS: dict[Option[Any], str] = {
    ChainChecks.verify_depth: "depth",
    ChainChecks.auth_level: "auth_level",
    ChainChecks.attime: "time",
}
_SUITES: dict[Option[Any], SuiteB] = {
    ChainChecks.suite_b_128_only: SuiteB.LEVEL_128_ONLY,
    ChainChecks.suite_b_128: SuiteB.LEVEL_128,
    ChainChecks.suite_b_192: SuiteB.LEVEL_192,
}
