"""-keylogfile: the file that both programs append their secrets to."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from handglass.cli.protocol.negotiation import SettingError
from handglass.observe.keylog import FIRST_LINE


def open_key_log(path: str | None) -> IO[str] | None:
    """The key log, opened to append; a new file begins with a comment. Raises SettingError."""
    if path is None:
        return None
    try:
        file = Path(path).open("a", encoding="ascii")  # noqa: SIM115 - it stays open as long as the program
        if file.tell() == 0:
            file.write(FIRST_LINE)
            file.flush()
    except OSError as error:
        raise SettingError(f"Error writing keylog file {path}: {error.strerror}") from error
    return file
