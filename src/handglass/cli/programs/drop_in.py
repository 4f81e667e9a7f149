"""In the place of `openssl`: what handglass does when it is started under that name.

A link named `openssl` to the command `handglass`, in front in PATH or given to a program as its openssl, is all that
scripts need. The programs that exist here stand in for OpenSSL's; every other command goes on to OpenSSL's own program.
"""

from __future__ import annotations

import os
import sys

from handglass.cli.dispatch import dispatch

NAME = "openssl"
STANDS_IN = frozenset({"ciphers", "s_client", "s_server", "s_time", "verify"})
"""The commands of `openssl` that are ours here."""


def run(words: list[str]) -> int:
    """Run `openssl` with these words; the exit status, unless OpenSSL's own program takes over."""
    if words and words[0] in STANDS_IN:
        # OpenSSL prints its help on standard error, where scripts look for it.
        return dispatch(words, help_to=sys.stderr)
    program = find_openssl(os.environ.get("PATH", os.defpath), sys.argv[0])
    if program is not None:
        os.execv(program, [program, *words])
    wanted = f"'{words[0]}'" if words else "its prompt"
    print(f"handglass: OpenSSL's own program, which {wanted} needs, is not in PATH", file=sys.stderr)
    return 1


def find_openssl(path: str, ourselves: str) -> str | None:
    """Return OpenSSL's own program: the first in `path` (as PATH) that is not handglass under its other name."""
    own = os.path.realpath(ourselves)
    for directory in path.split(os.pathsep):
        candidate = f"{directory or os.curdir}/{NAME}"
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):  # noqa: PTH112 - pathlib is slow to load
            real = os.path.realpath(candidate)
            if real != own and not real.endswith("/handglass"):
                return candidate
    return None
