"""The option table: one row per option.

Parsing, help, man pages, completion and the documentation's table come from it. A program's options are a
class (`options.s_client.SClientOptions`), made of groups, one file each; a new option is one row in one of
those files.
"""

from .parser import ConflictError, HelpWanted, UsageError, parse
from .table import Option, Options

__all__ = ["ConflictError", "HelpWanted", "Option", "Options", "UsageError", "parse"]
