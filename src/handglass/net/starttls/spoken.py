"""What the STARTTLS dialogues of all protocols share: their input, their result, and the words that recur."""

from __future__ import annotations

from typing import Protocol

from handglass.net.dialogue import Finding, Note
from handglass.net.errors import NetCode
from handglass.records import dataclass, field

DEFAULT_MAIL_NAME = "mail.example.com"


class StreamWrapper(Protocol):
    """A layer between TLS and the socket, for protocols that carry TLS records in packets of their own.

    Both methods take and return bytes of any length; a packet cut in two is kept until its rest comes.
    """

    def outgoing(self, data: bytes) -> bytes:
        """Return what goes to the socket for TLS bytes `data`."""
        ...

    def incoming(self, data: bytes) -> bytes:
        """Return the TLS bytes in what came from the socket. Raises `NetError` (ANSWER_MALFORMED)."""
        ...

    def handshake_done(self) -> None:
        """TLS is established: from now on TLS bytes go out as they are."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """Who we talk to and who we say we are: `host` of the target, `name` as given with -name or -xmpphost."""

    host: str
    name: str | None = None

    @property
    def mail(self) -> str:
        """The name for EHLO and LHLO."""
        return self.name or DEFAULT_MAIL_NAME

    @property
    def domain(self) -> str:
        """The name that the client wants to talk to (XMPP's `to`)."""
        return self.name or self.host


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a dialogue leaves behind.

    `last_line` is the last plain-text line before the go-ahead, as it came (s_client shows it after its
    report); `offered` are the capabilities that the server listed before TLS.
    """

    last_line: bytes = b""
    offered: tuple[str, ...] = ()
    wrapper: StreamWrapper | None = field(default=None, repr=False)


def not_offered() -> Note:
    """Say that the server did not list STARTTLS and that we ask nevertheless, in OpenSSL's words."""
    return Note(Finding(NetCode.NOT_OFFERED, "Didn't find STARTTLS in server response, trying anyway..."))
