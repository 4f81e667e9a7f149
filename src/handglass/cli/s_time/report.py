"""What s_time says: OpenSSL's lines for scripts on standard output, and the table for people on standard error.

So whoever takes the last line of the output, or all of it, finds there what OpenSSL's program has there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handglass.net.load.latencies import Latencies
from handglass.net.load.tally import Step, Tally
from handglass.registry.code_points import ProtocolVersion
from handglass.verify.codes import VerifyCode, text_of

PERCENTS = (50, 90, 95, 99, 99.9)
WIDTH = 9
BUSY = 0.9
"""Share of one CPU from which on the client may be what limits the rate."""
REUSE_HEADING = "\n\nNow timing with session id reuse.\n"
STARTING = "starting\n"


def heading(seconds: int) -> str:
    """The line before new sessions are timed."""
    return f"Collecting connection statistics for {seconds} seconds\n"


def mark(version: ProtocolVersion | None, *, resumed: bool) -> str:
    """The character for one connection."""
    if resumed:
        return "r"
    return {ProtocolVersion.TLS1_0: "t", ProtocolVersion.SSL3: "3"}.get(
        version or ProtocolVersion.TLS1_3, "*"
    )


def summary(tally: Tally) -> str:
    """OpenSSL's two lines. "User" seconds are CPU time in user mode; the real seconds are rounded."""
    number = tally.connections
    rate = number / tally.user if tally.user else 0.0
    each = tally.bytes_read // number if number else 0
    return (
        f"\n\n{number} connections in {tally.user:.2f}s; {rate:.2f} connections/user sec, "
        f"bytes read {tally.bytes_read}\n"
        f"{number} connections in {round(tally.seconds)} real seconds, {each} bytes read per connection\n"
    )


def table(tally: Tally, outcomes: Mapping[VerifyCode, int], *, reusing: bool) -> str:
    """The table of one run; `outcomes` of judging the server's chain, if that was done."""
    lines = ["", _title(tally, reusing=reusing)]
    for resumed, kind in ((False, "full"), (True, "resumed")):
        if tally.latencies[resumed]:
            lines += _percentiles(f"{kind}, ms", tally.latencies[resumed])
    lines.append(_cpu(tally))
    for code, number in sorted(outcomes.items()):
        lines.append(f"  verification: {text_of(code)}: {number:,}")
    by_number = sorted(tally.failures.items(), key=lambda item: -item[1])
    lines += [f"  failed: {number:,}: {reason}" for reason, number in by_number]
    if tally.abandoned:
        lines.append(f"  left unfinished: {tally.abandoned:,}")
    return "\n".join(lines)


def failed_sentence(tally: Tally) -> str:
    """How many connections failed, and with what words the last one did."""
    of_all = f"{tally.failed:,} of {tally.failed + tally.connections:,} connections failed"
    return f"{of_all}; the last one: {tally.last_error}"


def progress(tally: Tally, elapsed: float) -> str:
    """The line while it runs."""
    failed = f", {tally.failed:,} failed" if tally.failed else ""
    rate = tally.connections / elapsed if elapsed else 0.0
    return f"{elapsed:.1f} s: {tally.connections:,} connections, {rate:,.1f}/s{failed}"


def _title(tally: Tally, *, reusing: bool) -> str:
    number = tally.connections
    rate = number / tally.seconds if tally.seconds else 0.0
    words = [
        f"{'Reused' if reusing else 'New'} sessions: {number:,} connections in {tally.seconds:.2f} s",
        f"{rate:,.1f}/s",
        f"{tally.failed:,} failed",
    ]
    if reusing:
        words.append(f"{tally.resumed:,} resumed ({tally.resumed / number if number else 0:.1%})")
    return ", ".join(words)


def _percentiles(title: str, latencies: Mapping[Step, Latencies]) -> Iterator[str]:
    columns = [f"p{percent:g}" for percent in PERCENTS] + ["max", "mean"]
    yield f"  {title:<14}" + "".join(f"{column:>{WIDTH}}" for column in columns)
    for step in Step:
        if step in latencies:
            found = latencies[step]
            values = [*found.percentiles(PERCENTS), found.longest, found.mean]
            yield f"  {step:<14}" + "".join(f"{value * 1000:>{WIDTH}.3f}" for value in values)


def _cpu(tally: Tally) -> str:
    share = (tally.user + tally.system) / tally.seconds if tally.seconds else 0.0
    note = "; it may be what limits the rate" if share >= BUSY else ""
    return f"  CPU of this client: {tally.user:.2f} s user, {tally.system:.2f} s system, {share:.0%} of one{note}"
