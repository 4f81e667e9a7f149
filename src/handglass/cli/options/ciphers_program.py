"""The options of `handglass ciphers`, those of `openssl ciphers`."""

from __future__ import annotations

from .table import Options, flag, target_word, text

WHICH = "which suites"
REPORT = "report"


class CiphersOptions(
    Options,
    program="ciphers",
    title="Options",
    usage="[options] [cipher string]",
    summary="List the cipher suites that a cipher string chooses",
):
    """All of them."""

    help = flag("help", "Print this summary and end", where="program")
    v = flag(
        "v", "Show version, key exchange, authentication, encryption and MAC of each suite", where=REPORT
    )
    code_points = flag("V", "The same with the two bytes of its number", where=REPORT)
    stdname = flag("stdname", "The same with IANA's name in front", where=REPORT)
    convert = text(
        "convert", "name", "Print OpenSSL's name of the suite with this name of IANA's", where=REPORT
    )
    s = flag("s", "Leave out what the versions that are asked for do not have", where=WHICH)
    ssl3 = flag("ssl3", "With -s: suites of SSL 3.0", where=WHICH)
    tls1 = flag("tls1", "With -s: suites of TLS 1.0", where=WHICH)
    tls1_1 = flag("tls1_1", "With -s: suites of TLS 1.1", where=WHICH)
    tls1_2 = flag("tls1_2", "With -s: suites of TLS 1.2", where=WHICH)
    tls1_3 = flag("tls1_3", "With -s: suites of TLS 1.3", where=WHICH)
    ciphersuites = text("ciphersuites", "list", "Suites for TLS 1.3, separated by colons", where=WHICH)
    string = target_word("cipher", "Cipher string; what is offered by default if none is given", where=WHICH)
