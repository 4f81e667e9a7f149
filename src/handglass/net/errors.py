"""What can go wrong between us and a peer before TLS begins, as one family of errors.

Each error carries a sentence for a person, a stable code for a program, and the errno where the system gave
one (OpenSSL's programs print it as ``connect:errno=111``). Nothing here is a TLS failure: those have reasons
of their own.
"""

from __future__ import annotations

from enum import StrEnum

SHOWN_LIMIT = 200


class NetCode(StrEnum):
    """A stable word for each way to fail before TLS begins."""

    TARGET_MALFORMED = "target-malformed"
    NAME_MALFORMED = "name-malformed"
    LOOKUP_FAILED = "lookup-failed"
    LOOKUP_TIMEOUT = "lookup-timeout"
    BIND_FAILED = "bind-failed"
    CONNECT_FAILED = "connect-failed"
    CONNECT_TIMEOUT = "connect-timeout"
    LISTEN_FAILED = "listen-failed"
    STEP_TIMEOUT = "step-timeout"
    PEER_CLOSED = "peer-closed"
    PEER_RESET = "peer-reset"
    ANSWER_TOO_LONG = "answer-too-long"
    ANSWER_MALFORMED = "answer-malformed"
    REFUSED = "refused"
    NOT_OFFERED = "not-offered"
    INJECTED = "injected"
    NO_SUCH_PROTOCOL = "no-such-protocol"
    FILE_CHANGED = "file-changed"


class NetError(Exception):
    """Something failed before TLS began.

    `code` is stable, `sentence` is for a person, `errno` is 0 where the system gave none, `reason` are the
    system's own words where it gave some ("Connection refused", "Name or service not known").
    """

    def __init__(self, code: NetCode, sentence: str, errno: int = 0, reason: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.errno = errno
        self.reason = reason


def span(seconds: float) -> str:
    """Return a time limit in words: "1 second", "0.5 seconds"."""
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def shown(data: bytes, limit: int = SHOWN_LIMIT) -> str:
    """Return a peer's own words, made safe for a terminal.

    Control characters escaped, cut at `limit` bytes.
    """
    text = data[:limit].decode("utf-8", "backslashreplace").strip()
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return safe if len(data) <= limit else safe + "…"
