"""`handglass version`: what runs here, as `openssl version` says it."""

from __future__ import annotations

import sys

from handglass import __version__
from handglass.cli.options.table import Options, flag

REPORT = "report"


class VersionOptions(
    Options,
    program="version",
    title="Options",
    summary="Print the versions of Handglass and of what it stands on",
):
    """The options of `handglass version`."""

    help = flag("help", "Print this summary and end", where="program")
    everything = flag("a", "Show all data", where=REPORT)
    version = flag("v", "Show the versions of Handglass and of its libraries (default)", where=REPORT)
    platform = flag("p", "Show the platform", where=REPORT)
    optional = flag("o", "Show which optional libraries are installed", where=REPORT)
    directory = flag("d", "Show where the package is installed", where=REPORT)


OPTIONAL = (
    ("brotli", "certificate compression"),
    ("zstandard", "certificate compression"),
    ("dnspython", "TLSA look-ups"),
    ("idna", "international host names"),
)


def run(options: VersionOptions) -> int:
    """Print what was asked for and return the exit status."""
    everything = options.everything
    lines = []
    if everything or options.version or not options.given:
        lines.append(_versions())
    if everything or options.platform:
        import platform  # noqa: PLC0415 - only for those who ask

        lines.append(f"platform: {platform.platform()}")
    if everything or options.optional:
        lines += [f"{name}: {_installed(name)} ({purpose})" for name, purpose in OPTIONAL]
    if everything or options.directory:
        lines.append(f'directory: "{__file__.rpartition("/cli/")[0]}"')
    print("\n".join(lines))
    return 0


def _versions() -> str:
    from handglass.crypto.library import versions  # noqa: PLC0415 - `-help` need not load it

    library, openssl = versions()
    python = ".".join(map(str, sys.version_info[:3]))
    return f"Handglass {__version__} (Python {python}, cryptography {library}, {openssl})"


def _installed(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - heavy

    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
