"""The command `handglass` as an installation makes it, for tests that need it in PATH."""

from __future__ import annotations

import sys
from pathlib import Path

import handglass

SCRIPT = """\
#!{python}
import sys
sys.path.insert(0, {source!r})
from handglass.__main__ import main
sys.exit(main())
"""


def make_command(directory: Path) -> Path:
    """Write the command into `directory`, which is made if need be; its path."""
    directory.mkdir(parents=True, exist_ok=True)
    command = directory / "handglass"
    command.write_text(SCRIPT.format(python=sys.executable, source=str(Path(handglass.__file__).parents[1])))
    command.chmod(0o755)
    return command
