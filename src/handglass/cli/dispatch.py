"""From the first word to a program: which there are, where their options and their code live.

Nothing of a program is imported before its options are read: `-help` and a mistyped option cost no more than
Python's own start.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

from handglass.net.interrupts import interruptible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from .options import Options

# Program -> (module:class of its options, module whose `run(options) -> exit status` is the program).
PROGRAMS = {
    "s_client": ("handglass.cli.options.s_client:SClientOptions", "handglass.cli.s_client.program"),
    "s_server": ("handglass.cli.options.s_server:SServerOptions", "handglass.cli.s_server.program"),
    "s_time": ("handglass.cli.options.s_time:STimeOptions", "handglass.cli.s_time.program"),
    "verify": ("handglass.cli.options.verify_program:VerifyOptions", "handglass.cli.programs.verify_program"),
    "ciphers": (
        "handglass.cli.options.ciphers_program:CiphersOptions",
        "handglass.cli.programs.ciphers_program",
    ),
    "demo": ("handglass.cli.programs.demo:DemoOptions", "handglass.cli.programs.demo"),
    "version": ("handglass.cli.programs.version:VersionOptions", "handglass.cli.programs.version"),
    "completion": (
        "handglass.cli.programs.completion:CompletionOptions",
        "handglass.cli.programs.completion",
    ),
}

CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What the system says of a file, a disk or a terminal that takes no more."""


def dispatch(words: list[str], *, help_to: TextIO | None = None) -> int:
    """Run the program that `words` begins with and return its exit status.

    A program's help goes to standard output, or to `help_to`.
    """
    try:
        status = _dispatch(words, help_to or sys.stdout)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        return int(getattr(interrupt, "status", 130))
    except BrokenPipeError:
        # Whoever read our output has gone: point standard output elsewhere, so that Python's end is quiet.
        _discard_output()
        return 1
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        _discard_output()
        print(f"handglass: cannot write: {os.strerror(error.errno)}", file=sys.stderr)
        return 1
    return status


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def options_of(name: str) -> type[Options]:
    """Return the class of a program's options."""
    module, _, attribute = PROGRAMS[name][0].partition(":")
    found: type[Options] = getattr(import_module(module), attribute)
    return found


def _dispatch(words: list[str], help_to: TextIO) -> int:
    name = words[0] if words else "help"
    if name in {"help", "-help", "--help", "-h"}:
        return _help(words[1:])
    if name in {"-version", "--version"}:
        name = "version"
    if name not in PROGRAMS:
        print(f"Invalid command '{name}'; type \"handglass help\" for a list.", file=sys.stderr)
        return 1
    from .options import HelpWanted, UsageError  # noqa: PLC0415 - a wrong name needs none

    program = options_of(name)
    try:
        options: Any = program.parse(words[1:])
    except HelpWanted:
        return _print_help(program, help_to)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 1
    run = import_module(PROGRAMS[name][1]).run
    with interruptible():
        status: int = run(options)
    return status


def _help(words: list[str]) -> int:
    """Print the list of programs, or the options of the one that is named."""
    if words and words[0] in PROGRAMS:
        return _print_help(options_of(words[0]), sys.stdout)
    lines = ["Usage: handglass program [options]", "", "Programs:"]
    lines += [f" {name:<12}{options_of(name).summary}" for name in PROGRAMS]
    lines += [f" {'help':<12}Print this list, or with a program's name that program's options", ""]
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()
    return 0


def _print_help(program: type[Options], out: TextIO) -> int:
    from .options.help import help_text  # noqa: PLC0415 - rarely wanted

    try:
        width = os.get_terminal_size(out.fileno()).columns - 1
    except (OSError, ValueError):
        width = 100
    out.write(help_text(program, max(60, min(width, 120))))
    out.flush()
    return 0
