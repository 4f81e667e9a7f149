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
    nocommands = flag("nocommands", "No command letters: every line goes to the server", where=TERMINAL)
    ignore_unexpected_eof = flag(
        "ignore_unexpected_eof", "Take a close without close_notify for an orderly end", where="connection"
    )
    nbio = flag("nbio", "Show where reading or writing has to wait", where="connection")


class ServerInput(Options, title="Input options"):
    """The server's terminal."""

    crlf = flag("crlf", "Send each LF of the input as CR LF", where=TERMINAL)
