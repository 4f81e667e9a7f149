"""How much of a request is kept, and the words of the answer when it is more."""

from __future__ import annotations

from handglass.records import dataclass


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Bytes of a request line, of all header lines, and of a body that is skipped; number of header lines."""

    line: int = 8 * 1024
    head: int = 32 * 1024
    fields: int = 100
    skipped_body: int = 1 << 20
