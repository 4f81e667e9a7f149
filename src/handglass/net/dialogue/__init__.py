"""Plain-text conversations before TLS: what they yield, the machine that runs them, and a blocking driver.

A dialogue is a generator that reads like its RFC: it yields what it says and what it waits for, and returns
what was agreed. It knows no socket and no clock. `Exchange` runs one over bytes; `converse` runs one over a
socket.
"""

from handglass.net.dialogue.driver import Observer, Outcome, converse
from handglass.net.dialogue.exchange import Exchange
from handglass.net.dialogue.steps import (
    Dialogue,
    Finding,
    Note,
    ReadExactly,
    ReadLine,
    ReadMatch,
    RefusedError,
    Send,
    Step,
    malformed,
    too_long,
)

__all__ = [
    "Dialogue",
    "Exchange",
    "Finding",
    "Note",
    "Observer",
    "Outcome",
    "ReadExactly",
    "ReadLine",
    "ReadMatch",
    "RefusedError",
    "Send",
    "Step",
    "converse",
    "malformed",
    "too_long",
]
