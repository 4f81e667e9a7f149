"""Times in certificates (RFC 5280 §4.1.2.5), strictly judged, leniently printed.

The two forms that RFC 5280 allows, in Zulu and with seconds, have a value; every other form has none, as in
OpenSSL, which then reports a format error in the field. Values are seconds since 1970 (no clock is read
here).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from . import der

__all__ = ["Time"]

_EPOCH = datetime.datetime(1970, 1, 1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Time:
    """A UTCTime or GeneralizedTime as it stands in the certificate.

    `seconds` is None where the form is not the one that RFC 5280 prescribes.
    """

    tag: int
    raw: bytes
    seconds: int | None

    @classmethod
    def read(cls, element: der.Element) -> Time:
        """Give a time of any quality; what is wrong shows as `seconds` None."""
        raw = element.content
        return cls(element.tag, raw, _seconds(element.tag, raw))

    @property
    def text(self) -> str:
        """As OpenSSL prints it: "Nov 20 20:14:47 2026 GMT"; "Bad time value" for what has no value."""
        if self.seconds is None:
            return "Bad time value"
        when = _EPOCH + datetime.timedelta(seconds=self.seconds)
        return f"{_MONTHS[when.month - 1]} {when.day:2d} {when:%H:%M:%S} {when.year} GMT"


def _seconds(tag: int, raw: bytes) -> int | None:
    if tag == der.UTC_TIME and len(raw) == 13:
        century = b"19" if raw[:2] >= b"50" else b"20"
        raw = century + raw
    elif tag != der.GENERALIZED_TIME or len(raw) != 15:
        return None
    if raw[-1:] != b"Z" or not raw[:-1].isdigit():
        return None
    month, day, hour, minute, second = (int(raw[at : at + 2]) for at in (4, 6, 8, 10, 12))
    try:
        when = datetime.datetime(int(raw[:4]), month, day, hour, minute, second)
        return int((when - _EPOCH).total_seconds())
    except ValueError:
        return None
