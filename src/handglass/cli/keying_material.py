"""-keymatexport and -keymatexportlen, for both programs."""

from __future__ import annotations

import os

from handglass.cli.options.output import Output
from handglass.connection import Connection
from handglass.observe import report
from handglass.registry.errors import LocalError


def keying_material(options: Output, connection: Connection) -> str:
    """The block of the report on a connection whose handshake is done; "" if it is not wanted."""
    label, length = options.keymatexport, options.keymatexportlen
    if label is None:
        return ""
    try:
        material = connection.export_keying_material(os.fsencode(label), None, length)
    except (LocalError, ValueError):  # the label is not free, or there is not as much (RFC 5869 §2.3)
        return report.keying_material(label, length, None)
    return report.keying_material(label, length, material)
