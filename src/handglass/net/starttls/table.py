"""The protocols that -starttls knows: one row each. A protocol's dialogue is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from handglass.net.dialogue import Dialogue
from handglass.net.errors import NetCode, NetError
from handglass.net.starttls.spoken import Names, Spoken
from handglass.records import dataclass


@dataclass(frozen=True, slots=True)
class StartTls:
    """One protocol: word for -starttls, port, what it is, where it is specified, whether -name takes part."""

    word: str
    port: int
    title: str
    reference: str
    function: str
    takes_name: bool = False

    def dialogue(self, names: Names) -> Dialogue[Spoken]:
        """Return the client's side of the dialogue."""
        module, _, function = self.function.partition(":")
        start = cast(
            "Callable[[Names], Dialogue[Spoken]]",
            getattr(import_module(f"handglass.net.starttls.{module}"), function),
        )
        return start(names)


PROTOCOLS = {
    row.word: row
    for row in (
        StartTls("smtp", 25, "mail submission and transfer", "RFC 3207", "smtp:smtp", takes_name=True),
        StartTls("pop3", 110, "mailbox access, POP3", "RFC 2595 §4", "pop3:pop3"),
        StartTls("imap", 143, "mailbox access, IMAP", "RFC 9051 §6.2.1", "imap:imap"),
        StartTls("ftp", 21, "file transfer, control connection", "RFC 4217", "ftp:ftp"),
        StartTls("xmpp", 5222, "XMPP, client to server", "RFC 6120 §5", "xmpp:xmpp", takes_name=True),
        StartTls(
            "xmpp-server", 5269, "XMPP, server to server", "RFC 6120 §5", "xmpp:xmpp_server", takes_name=True
        ),
        StartTls("telnet", 23, "Telnet", "draft-altman-telnet-starttls", "telnet:telnet"),
        StartTls("irc", 6667, "Internet Relay Chat", 'IRCv3 "tls"', "irc:irc"),
        StartTls("mysql", 3306, "MySQL and MariaDB", "MySQL Client/Server Protocol", "mysql:mysql"),
        StartTls("postgres", 5432, "PostgreSQL", "Frontend/Backend Protocol", "postgres:postgres"),
        StartTls("lmtp", 24, "local mail delivery", "RFC 2033, RFC 3207", "smtp:lmtp", takes_name=True),
        StartTls("nntp", 119, "network news", "RFC 4642", "nntp:nntp"),
        StartTls("sieve", 4190, "ManageSieve", "RFC 5804", "sieve:sieve"),
        StartTls("ldap", 389, "directory access", "RFC 4511 §4.14", "ldap:ldap"),
        StartTls("mssql", 1433, "Microsoft SQL Server", "[MS-TDS]", "mssql:mssql"),
        StartTls("rdp", 3389, "Remote Desktop", "[MS-RDPBCGR]", "rdp:rdp"),
        StartTls("amqp", 5672, "AMQP 1.0", "OASIS AMQP 1.0 §5.2", "amqp:amqp"),
        StartTls("nats", 4222, "NATS", "NATS Client Protocol", "nats:nats"),
    )
}
PLAIN_TLS = {
    "mongodb": "MongoDB",
    "redis": "Redis",
}


def protocol_named(word: str) -> StartTls:
    """Return the row of a word.

    Raises `NetError` (NO_SUCH_PROTOCOL), for protocols that begin with TLS saying so.
    """
    if word in PROTOCOLS:
        return PROTOCOLS[word]
    if word in PLAIN_TLS:
        raise NetError(
            NetCode.NO_SUCH_PROTOCOL,
            f"{PLAIN_TLS[word]} speaks TLS from the first byte: leave -starttls {word} out",
        )
    raise NetError(NetCode.NO_SUCH_PROTOCOL, f"Value must be one of: {', '.join(PROTOCOLS)}")


def help_lines() -> list[str]:
    """Return what ``-starttls help`` lists: a line per protocol, then those that need no -starttls."""
    rows = [
        f"{row.word:<12} port {row.port:<5} {row.title} ({row.reference})"
        + ("; takes -name" if row.takes_name else "")
        for row in PROTOCOLS.values()
    ]
    return rows + [
        f"{word:<12} {title} speaks TLS from the first byte: no -starttls"
        for word, title in PLAIN_TLS.items()
    ]
