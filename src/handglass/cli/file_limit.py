"""How many files a process may have open: one for each connection."""

from __future__ import annotations

from contextlib import suppress


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: one per connection."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
