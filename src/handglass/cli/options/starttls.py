"""STARTTLS options: what is said in plain text before TLS begins."""

from __future__ import annotations

from .table import Options, seconds_or, text, word

PROTOCOLS = (
    *("smtp", "pop3", "imap", "ftp", "xmpp", "xmpp-server", "telnet", "irc", "mysql", "postgres", "lmtp"),
    *("nntp", "sieve", "ldap", "mssql", "rdp", "amqp", "nats"),
)
# Words that are no protocols but have an answer.
ANSWERED = ("help", "mongodb", "redis")
PRELUDE = "before TLS"


class StartTls(Options, title="STARTTLS options"):
    """How s_client gets a server to begin TLS."""

    starttls = word(
        "starttls",
        "protocol",
        PROTOCOLS,
        "Begin with this protocol's own command for TLS; help lists them",
        where=PRELUDE,
        also_taken=ANSWERED,
    )
    name = text(
        ("name", "xmpphost"), "host", "Name to greet with (smtp, lmtp) or to ask for (xmpp)", where=PRELUDE
    )
    starttls_timeout = seconds_or(
        30.0, "starttls_timeout", "Time limit for each step before TLS, 0 for none", where=PRELUDE
    )
