"""Times in certificates (RFC 5280 §4.1.2.5), strictly judged, leniently printed.

The two forms that RFC 5280 allows, in Zulu and with seconds, have a value; every other form has none, as in
OpenSSL, which then reports a format error in the field. Values are seconds since 1970 (no clock is read
here).
"""

from __future__ import annotations

import datetime
import re

from handglass.crypto import der
from handglass.records import dataclass

__all__ = ["Time"]

_EPOCH = datetime.datetime(1970, 1, 1)
_REST = rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?"
_ZONE = rb"(Z|[+-](?:0\d|1[0-2])[0-5]\d)"
_FORMS = {
    der.UTC_TIME: re.compile(rb"(\d\d)" + _REST + rb"()" + _ZONE),
    der.GENERALIZED_TIME: re.compile(rb"(\d{4})" + _REST + rb"(\.\d+)?" + _ZONE),
}
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
        """As OpenSSL prints it: "Nov 20 20:14:47 2026 GMT"; "Bad time value" for what is no time at all.

        Forms that certificates may not have, but ASN.1 knows (no seconds, fractions, offsets), are printed too.
        """
        if self.seconds is not None:
            return _printed(_EPOCH + datetime.timedelta(seconds=self.seconds))
        form = _FORMS.get(self.tag)
        found = form.fullmatch(self.raw) if form else None
        if found is None:
            return "Bad time value"
        year, month, day, hour, minute, second, fraction, zone = (part.decode() for part in found.groups(b""))
        if self.tag == der.UTC_TIME:
            year = ("19" if year >= "50" else "20") + year
        try:
            when = datetime.datetime(
                int(year), int(month), int(day), int(hour), int(minute), int(second or 0)
            )
            if zone != "Z":
                offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
                when += offset if zone[0] == "-" else -offset
        except (ValueError, OverflowError):
            return "Bad time value"
        return _printed(when, fraction)


def _printed(when: datetime.datetime, fraction: str = "") -> str:
    return f"{_MONTHS[when.month - 1]} {when.day:2d} {when:%H:%M:%S}{fraction} {when.year} GMT"


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
