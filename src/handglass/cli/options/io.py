"""Input options: how standard input is treated."""

from __future__ import annotations

from .table import Options, flag

TERMINAL = "standard input"


class ClientInput(Options, title="Input options"):
    """The client's terminal."""

    crlf = flag("crlf", "Send each LF of the input as CR LF", where=TERMINAL)
    ign_eof = flag("ign_eof", "Stay connected when the input ends; no command letters", where=TERMINAL)
    no_ign_eof = flag(
        "no_ign_eof",
        "Disconnect when the input ends, also with an earlier -quiet",
        where=TERMINAL,
        also={"ign_eof": False},
    )
    nocommands = flag(
        "nocommands",
        "No commands: every line goes to the server",
        where=TERMINAL,
        also={"adv": False},
    )
    adv = flag(
        "adv",
        "Commands are words in braces, anywhere in the input; {help} lists them",
        where=TERMINAL,
        also={"nocommands": False},
    )
    no_interactive = flag(
        "no-interactive", "Do not read standard input, as if it were at its end", where=TERMINAL
    )
    ignore_unexpected_eof = flag(
        "ignore_unexpected_eof", "Take a close without close_notify for an orderly end", where="connection"
    )
    nbio = flag("nbio", "Show where reading or writing has to wait", where="connection")
    nbio_test = flag(
        "nbio_test",
        "Read and write a few bytes at a time, and at random none: a test of the program itself",
        where="connection",
    )


class ServerInput(Options, title="Input options"):
    """The server's terminal, and how sockets are read."""

    crlf = flag("crlf", "Send each LF of the input as CR LF", where=TERMINAL)
    ign_eof = flag(
        "ign_eof",
        "Go on when the input ends, on a terminal too; -rev's CLOSE is a line like others",
        where=TERMINAL,
        also={"no_ign_eof": False},
    )
    no_ign_eof = flag(
        "no_ign_eof",
        "End when the input ends, also in a pipe, once a client has got all of it; not with -quiet",
        where=TERMINAL,
        also={"ign_eof": False},
    )
    ignore_unexpected_eof = flag(
        "ignore_unexpected_eof", "Take a close without close_notify for an orderly end", where="connection"
    )
    nbio = flag("nbio", "Show where reading or writing has to wait for a client", where="connection")
    nbio_test = flag(
        "nbio_test",
        "Read and write a few bytes at a time, and at random none: a test of the program itself",
        where="connection",
    )
