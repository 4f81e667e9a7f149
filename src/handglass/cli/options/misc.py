"""General options: those that concern the program itself."""

from __future__ import annotations

from .table import Options, flag


class General(Options, title="General options"):
    """What every program has."""

    help = flag("help", "Print this summary and end", where="program")
