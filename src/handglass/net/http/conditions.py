"""Conditional requests (RFC 9110 §13) and ranges (§14), judged for one file."""

from __future__ import annotations

import os
import re

from handglass.net.http.request import Request
from handglass.net.http.response import http_date
from handglass.records import dataclass

RANGE = re.compile(r"bytes\s*=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*\Z", re.ASCII | re.IGNORECASE)
ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")|(\*)')
NOT_MODIFIED, FAILED, UNSATISFIABLE = 304, 412, 416


@dataclass(frozen=True, slots=True)
class Version:
    """What distinguishes one state of a file from another."""

    entity_tag: str
    modified: int

    @property
    def last_modified(self) -> str:
        """The Last-Modified field."""
        return http_date(self.modified)


def version_of(status: os.stat_result) -> Version:
    """Return a file's version.

    Inode, size and time in nanoseconds make a strong validator (RFC 9110 §8.8.1).
    """
    tag = f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'
    return Version(tag, int(status.st_mtime))


def precondition(request: Request, version: Version) -> int | None:
    """Return the status that ends the request early (412 or 304), in the order of RFC 9110 §13.2.2."""
    if request.values("if-match"):
        if not _names(request.value("if-match"), version, weak=False):
            return FAILED
    elif (since := _seconds(request.value("if-unmodified-since"))) is not None and version.modified > since:
        return FAILED
    if request.values("if-none-match"):
        if _names(request.value("if-none-match"), version, weak=True):
            return NOT_MODIFIED
    elif (since := _seconds(request.value("if-modified-since"))) is not None and version.modified <= since:
        return NOT_MODIFIED
    return None


def wanted_range(request: Request, size: int, version: Version) -> tuple[int, int] | int | None:
    """Return (first byte, number of bytes), 416, or None for the whole file.

    Several ranges at once, other units, and a range for another version of the file: the whole (RFC 9110
    §14.2).
    """
    text = request.value("range")
    condition = request.value("if-range")
    if (
        not text
        or request.method != "GET"
        or condition not in ("", version.entity_tag, version.last_modified)
    ):
        return None
    match = RANGE.match(text)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None  # not a valid range (§14.1.1): as if there were none
    return (start, end - start) if start < end else UNSATISFIABLE


def _names(text: str, version: Version, *, weak: bool) -> bool:
    """Whether a list of entity tags holds ours, or is ``*``."""
    for match in ENTITY_TAG.finditer(text):
        if match[2] is not None or (
            match[1] == version.entity_tag and (weak or not match[0].startswith("W/"))
        ):
            return True
    return False


def _seconds(text: str) -> float | None:
    """Return the time that a date field names; None for none, or for what is no date."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow to load, and rarely needed

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
