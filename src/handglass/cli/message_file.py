"""-msgfile: the file that messages are shown in instead of on standard output."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from handglass.cli.protocol.negotiation import SettingError


def open_message_file(path: str | None) -> IO[str] | None:
    """The file, made anew also if nothing will be shown in it. Raises SettingError."""
    if path is None:
        return None
    try:
        return Path(path).open("w", encoding="utf-8")
    except OSError as error:
        raise SettingError(f"cannot write {path} (-msgfile): {error.strerror}") from error
