"""What the server answers."""

from __future__ import annotations

from .table import Options, flag

ANSWER = "answer to the client"


class Answers(Options, title="Answer options"):
    """The server's applications; the last of -www, -WWW and -HTTP counts."""

    www = flag(
        "www",
        "Answer GET with a page about the connection",
        where=ANSWER,
        also={"www_files": False, "http": False},
    )
    www_files = flag(
        "WWW",
        "Answer GET with files below the current directory",
        where=ANSWER,
        also={"www": False, "http": False},
    )
    http = flag(
        "HTTP",
        "As -WWW, but the files hold the whole HTTP answer",
        where=ANSWER,
        also={"www": False, "www_files": False},
    )
    rev = flag("rev", "Answer each line reversed; CLOSE ends the connection", where=ANSWER)
    http_server_binmode = flag(
        "http_server_binmode", "Send served files as they are; always so, kept for scripts", where=ANSWER
    )
    sendfile = flag(
        "sendfile",
        "Warn that the kernel does not encrypt served files: this program always does",
        where=ANSWER,
    )
