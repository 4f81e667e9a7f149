"""Timestamps as OpenSSL prints them (SCT_print(3)), for s_client -ct and inside certificates."""

from __future__ import annotations

import datetime

from .sct import CtReport, Timestamp, TimestampVerdict

__all__ = ["report_text", "timestamp_text"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ALGORITHMS = {(4, 3): "ecdsa-with-SHA256", (4, 1): "sha256WithRSAEncryption"}


def report_text(report: CtReport) -> str:
    """Return the block of s_client: "SCTs present (1)" and each timestamp with its validation status."""
    lines = [f"---\nSCTs present ({len(report.verdicts)})\n"]
    if report.verdicts:
        lines.append("---\n")
        lines.append("\n---\n".join(map(_verdict_text, report.verdicts)))
        lines.append("\n")
    return "".join(lines)


def _verdict_text(verdict: TimestampVerdict) -> str:
    name = verdict.log.description if verdict.log else None
    return f"SCT validation status: {verdict.status.value}\n{timestamp_text(verdict.timestamp, name)}"


def timestamp_text(timestamp: Timestamp, log_name: str | None = None, indent: int = 0) -> str:
    """Return one timestamp, without a line feed at its end."""
    margin = " " * (indent + 4)
    lines = [" " * indent + "Signed Certificate Timestamp:"]
    if timestamp.version != 0:
        lines.append(f"{margin}Version   : unknown (0x{timestamp.version:x})")
        lines.append(hexadecimal(timestamp.raw, indent + 16))
        return "\n".join(lines)
    lines.append(f"{margin}Version   : v1 (0x0)")
    if log_name is not None:
        lines.append(f"{margin}Log       : {log_name}")
    lines.append(f"{margin}Log ID    : {hexadecimal(timestamp.log_id, indent + 16).lstrip()}")
    lines.append(f"{margin}Timestamp : {_time(timestamp.time)}")
    extensions = hexadecimal(timestamp.extensions, indent + 16).lstrip() if timestamp.extensions else "none"
    lines.append(f"{margin}Extensions: {extensions}")
    pair = (timestamp.hash_algorithm, timestamp.signature_algorithm)
    name = _ALGORITHMS.get(pair) or f"{pair[0]:02X}{pair[1]:02X}"
    lines.append(f"{margin}Signature : {name}")
    lines.append(hexadecimal(timestamp.signature, indent + 16))
    return "\n".join(lines)


def hexadecimal(data: bytes, indent: int, per_line: int = 16) -> str:
    """Return bytes in upper case with colons between, so many to a line."""
    rows = [data[at : at + per_line].hex(":").upper() for at in range(0, len(data), per_line)]
    return (":\n").join(" " * indent + row for row in rows)


def _time(milliseconds: int) -> str:
    """Return a timestamp's time: "Apr  5 17:04:16.275 2013 GMT"."""
    seconds, rest = divmod(milliseconds, 1000)
    try:
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return f"{milliseconds} ms since 1970"
    return f"{_MONTHS[when.month - 1]} {when.day:2d} {when:%H:%M:%S}.{rest:03d} {when.year} GMT"
