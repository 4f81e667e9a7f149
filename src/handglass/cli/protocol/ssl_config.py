"""-ssl_config: settings from openssl.cnf, as if they stood before the command line.

Strategy: each command of a configuration section says what an option of ours says, so it becomes that option, and what
is checked and done for options is checked and done for it. The command line comes after it and wins. A command that we
do not know, or have no option for, is an error: a setting that was asked for and is not there would be worse.

Sources: config(5), "SSL Configuration"; SSL_CONF_cmd(3), "SUPPORTED CONFIGURATION FILE COMMANDS".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.versions import DATAGRAM, FLAGS, WORDS, parse_protocol
from handglass.cli.options.table import Option, Options
from handglass.cli.options.values import BadValueError
from handglass.cli.protocol.negotiation import SettingError
from handglass.cli.protocol.openssl_conf import DEFAULT, Configuration, ConfigurationError, read_configuration
from handglass.net.trust import LAYOUTS

O = TypeVar("O", bound=Options)  # noqa: E741 - the options of either program
Setting = tuple[str, str | None]
"""An option's name and its value; None for an option without one."""
Command = Callable[[str, str], Iterator[Setting]]
"""Of (the program, the command's value): the options that say the same."""

VERIFY_DEPTH = "100"
"""OpenSSL's own limit on the length of a chain, where a section says nothing of it."""


def configured(options: O, name: str, environment: Mapping[str, str] = os.environ) -> O:
    """Return the options with the settings of this name before them. Raises SettingError."""
    try:
        commands = _section(name, environment)
        settings = [_row(options, each) for each in _all_settings(options.program, commands)]
    except (ConfigurationError, _CommandError) as error:
        raise SettingError(f'Error using configuration "{name}"\n{options.program}: {error}') from error
    return options.after(_without_replaced(options, settings))


def _section(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The commands under this name: openssl_conf -> ssl_conf -> name. Raises ConfigurationError."""
    path = environment.get("OPENSSL_CONF") or _default_path()
    found = read_configuration(path, environment)
    start = found.value(DEFAULT, "openssl_conf")
    if start is None:
        raise ConfigurationError(f"{path}: the value openssl_conf is missing, which leads to the settings")
    listed = _follow(found, path, start, "ssl_conf")
    return _named(found, path, _follow(found, path, listed, name))


def _follow(found: Configuration, path: str, section: str, name: str) -> str:
    value = _named(found, path, section).get(name)
    if value is None:
        raise ConfigurationError(f"{path}: the section [{section}] names no {name}")
    return value


def _named(found: Configuration, path: str, section: str) -> dict[str, str]:
    values = found.section(section)
    if values is None:
        raise ConfigurationError(f"{path}: there is no section [{section}]")
    return values


def _default_path() -> str:
    """Where the OpenSSL of this system keeps its configuration."""
    places = [f"{layout}/openssl.cnf" for layout in LAYOUTS]
    return next((place for place in places if os.path.exists(place)), places[0])  # noqa: PTH110 - a string is wanted


def _without_replaced(
    options: Options, settings: list[tuple[Option[Any], object]]
) -> list[tuple[Option[Any], object]]:
    """The settings that still count: a certificate on the command line takes the place of all that are configured."""
    given = {row.names[0] for row, _ in options.given if row.names}
    certificates = CERTIFICATE_OPTIONS if "cert" in given else ()
    return [(row, value) for row, value in settings if row.names[0] not in certificates]


# From commands to options ------------------------------------------------------------------------------------


class _CommandError(ValueError):
    """A command cannot be followed."""


def _all_settings(program: str, commands: Mapping[str, str]) -> Iterator[Setting]:
    """The options that a section stands for. What stands before a dot tells commands of one name apart."""
    files: dict[str, dict[str, str]] = {}
    for command, value in commands.items():
        prefix, dot, name = command.partition(".")
        name = name if dot else prefix
        if name.lower() in {"certificate", "privatekey"}:
            files.setdefault(prefix if dot else "", {})[name.lower()] = value
        else:
            yield from _settings(program, name, value)
    yield from _certificates(files)


def _settings(program: str, name: str, value: str) -> Iterator[Setting]:
    known = COMMANDS.get(name.lower())
    if known is None:
        raise _CommandError(f"{name} is no command of SSL_CONF_cmd(3) that is known here")
    try:
        yield from known(program, value)
    except (_CommandError, ListError) as error:
        raise _CommandError(f"{name} = {value}: {error}") from None


def _certificates(files: Mapping[str, Mapping[str, str]]) -> Iterator[Setting]:
    """The certificates and keys that belong together by their prefix: the first set, then further ones."""
    names = CERTIFICATE_OPTIONS[:3]
    for found in files.values():
        certificate, chain, key = names
        if "certificate" in found:
            yield certificate, found["certificate"]
            yield chain, found["certificate"]  # the file may hold the whole chain
        if "privatekey" in found:
            yield key, found["privatekey"]
        names = CERTIFICATE_OPTIONS[3:]


def _row(options: Options, setting: Setting) -> tuple[Option[Any], object]:
    """The row of an option, and its value as the row reads it."""
    name, word = setting
    row = next((row for row in options.rows() if name in row.names), None)
    if row is None:
        raise _CommandError(f"{options.program} has no -{name}, which this section asks for")
    if word is None or row.convert is None:
        return row, True
    try:
        return row, row.convert(name, word)
    except BadValueError as error:
        raise _CommandError(f"-{name}, which this section asks for: {error}") from None


def _option(name: str) -> Command:
    """A command whose value is that of an option."""

    def settings(_program: str, value: str) -> Iterator[Setting]:
        yield name, value

    return settings


def _limit(name: str) -> Command:
    """MinProtocol or MaxProtocol. A limit on DTLS is none for us."""

    def settings(_program: str, value: str) -> Iterator[Setting]:
        word = next((word for word in WORDS if word.lower() == value.lower()), value)
        if parse_protocol(word) not in DATAGRAM:
            yield name, word

    return settings


def _protocols(_program: str, value: str) -> Iterator[Setting]:
    """Protocol: versions to take out, or to put back in, one after the other."""
    names = {
        word.lower(): f"no_{flag}"
        for flag, version in FLAGS.items()
        for word, v in WORDS.items()
        if v == version
    }
    datagram = {word.lower() for word, version in WORDS.items() if version in DATAGRAM}
    left_out: dict[str, None] = {}
    for word, is_on in _flags(value):
        wanted = list(names.values()) if word == "all" else [names[word]] if word in names else []
        if not wanted and word not in datagram | {"sslv2"}:
            raise _CommandError(f"{word} is no protocol")
        for name in wanted:
            if is_on:
                left_out.pop(name, None)
            else:
                left_out[name] = None
    for name in left_out:
        yield name, None


def _options(_program: str, value: str) -> Iterator[Setting]:
    """Options: flags that are set or cleared."""
    for word, is_on in _flags(value):
        if word not in OPTION_FLAGS:
            raise _CommandError(f"there is no flag {word}")
        when_set, when_cleared = OPTION_FLAGS[word]
        name = when_set if is_on else when_cleared
        if name == CANNOT:
            raise _CommandError(f"{word} cannot be {'set' if is_on else 'cleared'} here")
        if name is not None:
            yield name, None


def _verify_mode(program: str, value: str) -> Iterator[Setting]:
    """VerifyMode: what becomes of the peer's certificate."""
    modes = VERIFY_MODES[program]
    for word, is_on in _flags(value):
        if word not in modes:
            raise _CommandError(f"{program} has no mode {word}; there is {' and '.join(modes)}")
        if is_on:
            yield modes[word]


def _curve(_program: str, value: str) -> Iterator[Setting]:
    if value.lower() in {"auto", "+automatic", "automatic"}:
        return
    yield "named_curve", value


def _flags(value: str) -> Iterator[tuple[str, bool]]:
    """The words of a list separated by commas, in small letters, and whether each is wanted."""
    for part in value.split(","):
        word = part.strip()
        if word:
            yield word.lstrip("+-").lower(), not word.startswith("-")


CERTIFICATE_OPTIONS = ("cert", "cert_chain", "key", "xcert", "xchain", "xkey")

VERIFY_MODES: dict[str, dict[str, Setting]] = {
    "s_client": {"peer": ("verify_return_error", None)},
    "s_server": {"request": ("verify", VERIFY_DEPTH), "require": ("Verify", VERIFY_DEPTH)},
}

COMMANDS: dict[str, Command] = {
    "cipherstring": _option("cipher"),
    "ciphersuites": _option("ciphersuites"),
    "chaincafile": _option("chainCAfile"),
    "chaincapath": _option("chainCApath"),
    "chaincastore": _option("chainCAstore"),
    "verifycafile": _option("verifyCAfile"),
    "verifycapath": _option("verifyCApath"),
    "verifycastore": _option("verifyCAstore"),
    "requestcafile": _option("requestCAfile"),
    "clientcafile": _option("requestCAfile"),
    "serverinfofile": _option("serverinfo"),
    "dhparameters": _option("dhparam"),
    "recordpadding": _option("record_padding"),
    "numtickets": _option("num_tickets"),
    "signaturealgorithms": _option("sigalgs"),
    "clientsignaturealgorithms": _option("client_sigalgs"),
    "groups": _option("groups"),
    "curves": _option("groups"),
    "ecdhparameters": _curve,
    "minprotocol": _limit("min_protocol"),
    "maxprotocol": _limit("max_protocol"),
    "protocol": _protocols,
    "options": _options,
    "verifymode": _verify_mode,
}
"""Each command, in small letters, and what it stands for."""

CANNOT = "-"
OPTION_FLAGS: dict[str, tuple[str | None, str | None]] = {
    "sessionticket": (None, "no_ticket"),
    "compression": ("comp", "no_comp"),
    "emptyfragments": (None, None),
    "bugs": ("bugs", None),
    "dhsingle": (None, None),
    "ecdhsingle": (None, None),
    "serverpreference": ("serverpref", None),
    "prioritizechacha": ("prioritize_chacha", None),
    "noresumptiononrenegotiation": ("no_resumption_on_reneg", None),
    "norenegotiation": ("no_renegotiation", None),
    "clientrenegotiation": ("client_renegotiation", None),
    "unsafelegacyrenegotiation": ("legacy_renegotiation", None),
    "unsafelegacyserverconnect": ("legacy_server_connect", "no_legacy_server_connect"),
    "encryptthenmac": (None, "no_etm"),
    "extendedmastersecret": (None, "no_ems"),
    "allownodhekex": ("allow_no_dhe_kex", None),
    "prefernodhekex": ("prefer_no_dhe_kex", None),
    "middleboxcompat": (None, "no_middlebox"),
    "antireplay": ("anti_replay", "no_anti_replay"),
    "canames": (None, "no_ca_names"),
    "strictcertcheck": ("strict", None),
    "txcertificatecompression": (None, "no_tx_cert_comp"),
    "rxcertificatecompression": (None, "no_rx_cert_comp"),
    "ignoreunexpectedeof": ("ignore_unexpected_eof", None),
    "ktls": (CANNOT, None),
    "ktlstxzerocopysendfile": (CANNOT, None),
}
"""Each flag of Options, in small letters, with the options that set and that clear it.

None: it is so anyway. Keys are always fresh (DHSingle, ECDHSingle), and empty fragments are for a version that has no
IV in its records (TLS 1.0).
"""
