"""Output options: what is shown, and where."""

from __future__ import annotations

from .table import Options, flag, number_or, text

REPORT = "report"
OBSERVATION = "observation"


class ClientOutput(Options, title="Output options"):
    """The client's report."""

    showcerts = flag("showcerts", "Print every certificate that the server sent as PEM", where=REPORT)
    brief = flag("brief", "A short summary instead of the report", where=REPORT)
    quiet = flag(
        "quiet", "No report; also -ign_eof and no command letters", where=REPORT, also={"ign_eof": True}
    )
    prexit = flag(
        "prexit", "Print the report once more at the end, also if no connection stood", where=REPORT
    )


class ServerOutput(Options, title="Output options"):
    """The server's report."""

    quiet = flag("quiet", "No report, only application data; no command letters", where=REPORT)
    brief = flag(
        "brief",
        "As -quiet, with a short summary of each connection on standard error",
        where=REPORT,
        also={"quiet": True},
    )


class MessageFile(Options, title="Output options"):
    """Where messages are shown."""

    msgfile = text("msgfile", "file", "Write what -msg shows to this file instead", where=OBSERVATION)


class Output(Options, title="Output options"):
    """On both sides."""

    keymatexport = text(
        "keymatexport", "label", "Print keying material exported with this label (RFC 5705)", where=REPORT
    )
    keymatexportlen = number_or(
        20, "keymatexportlen", "n", "Bytes of keying material to export", where=REPORT, minimum=1
    )
    msg = flag("msg", "Show each protocol message in hexadecimal", where=OBSERVATION)
    debug = flag("debug", "Show in hexadecimal all that is read and written", where=OBSERVATION)
    tlsextdebug = flag(
        "tlsextdebug", "Show each extension that the peer sends in hexadecimal", where=OBSERVATION
    )
    state = flag("state", "Show the handshake's states and the alerts", where=OBSERVATION)
    keylogfile = text(
        "keylogfile",
        "file",
        "Append the connection's secrets to this file (NSS key log)",
        where=OBSERVATION,
    )
