"""From a connected socket to the point where TLS may begin, and what to make of bytes that came too early.

A server has nothing to say between its go-ahead and our ClientHello. Bytes that are there nevertheless were
put in by the server's fault or by someone in between, to be taken for part of the protected conversation
(CVE-2011-0411): they are reported and thrown away. Only if they look like a TLS record (an alert that came
quickly) they are handed to the engine.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from handglass.net.dialogue import Dialogue, Finding, Observer, converse
from handglass.net.dialogue.driver import STEP_SECONDS
from handglass.net.errors import NetCode, NetError, shown
from handglass.net.starttls.spoken import Names, Spoken, StreamWrapper
from handglass.net.starttls.table import protocol_named
from handglass.records import dataclass, field

NAME_LIMIT = 255
TLS_CONTENT = range(0x14, 0x19)


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The server has said go ahead.

    `last_line`: the last plain line, as it came; `offered`: capabilities seen before TLS; `injected`: plain
    text that came after the go-ahead and was thrown away; `early`: TLS bytes that came already and belong to
    the engine; `wrapper`: what stands between engine and socket from here on, if anything.
    """

    protocol: str
    last_line: bytes
    offered: tuple[str, ...]
    findings: tuple[Finding, ...]
    injected: bytes = field(repr=False)
    early: bytes = field(repr=False)
    wrapper: StreamWrapper | None = field(repr=False)


def start_tls(
    sock: socket.socket,
    word: str,
    names: Names,
    *,
    step_seconds: float | None = STEP_SECONDS,
    initial: bytes = b"",
    observe: Observer | None = None,
    tell: Callable[[Finding], None] | None = None,
) -> Negotiated:
    """Hold the dialogue of protocol `word` over a connected socket.

    Arguments as for `converse`. Raises `NetError`: NO_SUCH_PROTOCOL, NAME_MALFORMED, REFUSED (as
    `RefusedError`), and those of `converse`.
    """
    prelude = Prelude(word, names)
    outcome = converse(
        sock,
        prelude.dialogue(),
        step_seconds=step_seconds,
        initial=initial,
        observe=observe,
        tell=tell,
    )
    return prelude.agreed(outcome.value, outcome.leftover, outcome.findings, tell)


class Prelude:
    """What protocol `word` says before TLS, for whoever drives the dialogue.

    Raises `NetError`: NO_SUCH_PROTOCOL, NAME_MALFORMED.
    """

    def __init__(self, word: str, names: Names) -> None:
        self._protocol = protocol_named(word)
        if self._protocol.takes_name:
            check_name(names.mail)
            check_name(names.domain)
        self._word = word
        self._names = names

    def dialogue(self) -> Dialogue[Spoken]:
        """Return the dialogue, for one connection."""
        return self._protocol.dialogue(self._names)

    def agreed(
        self,
        spoken: Spoken,
        leftover: bytes,
        findings: tuple[Finding, ...],
        tell: Callable[[Finding], None] | None = None,
    ) -> Negotiated:
        """Judge what the dialogue has left behind; `leftover`: bytes that came beyond its end."""
        tls = spoken.wrapper is not None or looks_like_tls(leftover)
        injected, early = (b"", leftover) if tls else (leftover, b"")
        if injected:
            finding = injection(self._word, injected)
            findings += (finding,)
            if tell is not None:
                tell(finding)
        return Negotiated(
            self._word, spoken.last_line, spoken.offered, findings, injected, early, spoken.wrapper
        )


def check_name(name: str) -> None:
    """Refuse a name that cannot stand in a line of a protocol.

    No spaces, no control characters, no more than 255 bytes.
    """
    if len(name.encode("utf-8", "surrogateescape")) > NAME_LIMIT:
        raise NetError(NetCode.NAME_MALFORMED, f"the name is longer than {NAME_LIMIT} bytes: {name[:40]!r}…")
    if not name.isprintable() or " " in name:
        raise NetError(NetCode.NAME_MALFORMED, f"the name holds spaces or control characters: {name!r}")


def looks_like_tls(data: bytes) -> bool:
    """Whether `data` begins as a TLS record does."""
    return len(data) >= 2 and data[0] in TLS_CONTENT and data[1] == 3


def injection(word: str, data: bytes) -> Finding:
    """Return the finding for plain text after the go-ahead."""
    sentence = (
        f"{len(data)} bytes of plain text came after the server's go-ahead ({word}) and before TLS; they "
        f"were thrown away: {shown(data, 80)}. The server, or someone in between, put them there "
        "(compare CVE-2011-0411)."
    )
    return Finding(NetCode.INJECTED, sentence)
