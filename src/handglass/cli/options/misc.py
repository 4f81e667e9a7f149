"""General options: those that concern the program itself."""

from __future__ import annotations

from .table import Options, flag, text, texts


class General(Options, title="General options"):
    """What every program has."""

    help = flag("help", "Print this summary and end", where="program")


class Configuration(Options, title="General options"):
    """What OpenSSL's configuration adds to the command line."""

    ssl_config = text(
        "ssl_config",
        "section",
        "Begin with the settings of this name among the ssl_conf of openssl.cnf",
        where="all settings of the protocol",
    )


class Obsolete(Options, title="General options"):
    """What OpenSSL's programs list and pass over."""

    debug_broken_protocol = flag("debug_broken_protocol", "Nothing; kept for old scripts", where="program")


class Randomness(Options, title="General options"):
    """What goes into the randomness, and what comes of it."""

    rand = texts(
        "rand", "files", "Mix these files, separated by colons, into the randomness", where="randomness"
    )
    writerand = text("writerand", "file", "Write random bytes to this file at the end", where="randomness")
