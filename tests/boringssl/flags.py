"""The command line with which BoringSSL's runner starts a program: one set of flags for each connection.

A flag may count for the first connection alone (`-on-initial-…`), for those that resume (`-on-resume-…`) or for what
follows refused early data (`-on-retry-…`, which we have no second exchange for).
"""

from __future__ import annotations

from collections.abc import Sequence

from handglass.records import dataclass, field

SWITCHES = frozenset(
    {
        "server",
        "fallback-scsv",
        "require-any-client-certificate",
        "async",
        "no-tls13",
        "no-tls12",
        "no-tls11",
        "no-tls1",
        "no-ticket",
        "partial-write",
        "shim-writes-first",
        "decline-alpn",
        "expect-session-miss",
        "expect-extended-master-secret",
        "enable-ocsp-stapling",
        "shim-shuts-down",
        "enable-signed-cert-timestamps",
        "implicit-handshake",
        "handshake-never-done",
        "use-export-context",
        "expect-ticket-renewal",
        "expect-no-session",
        "expect-ticket-supports-early-data",
        "expect-accept-early-data",
        "expect-reject-early-data",
        "verify-fail",
        "expect-no-offer-early-data",
        "use-ticket-callback",
        "enable-early-data",
        "check-close-notify",
        "verify-peer",
        "expect-verify-result",
        "renegotiate-freely",
        "renegotiate-once",
        "renegotiate-ignore",
        "peek-then-read",
        "enable-grease",
        "expect-secure-renegotiation",
        "expect-no-secure-renegotiation",
        "expect-session-id",
        "expect-no-session-id",
        "no-op-extra-handshake",
        "handshake-twice",
        "use-custom-verify-callback",
        "server-preference",
        "key-update",
        "expect-hrr",
        "expect-no-hrr",
        "use-old-client-cert-callback",
        "use-exporter-between-reads",
        "use-early-callback",
        "install-ddos-callback",
        "write-different-record-sizes",
    }
)
WORDS = frozenset(
    {
        "key-file",
        "cert-file",
        "expect-server-name",
        "host-name",
        "advertise-alpn",
        "expect-alpn",
        "select-alpn",
        "expect-ocsp-response",
        "expect-signed-cert-timestamps",
        "ocsp-response",
        "signed-cert-timestamps",
        "cipher",
        "export-label",
        "export-context",
        "expect-certificate-types",
        "expect-advertised-alpn",
        "expect-peer-cert-file",
        "use-client-ca-list",
        "expect-client-ca-list",
        "expect-msg-callback",
        "expect-early-data-reason",
    }
)
NUMBERS = frozenset(
    {
        "port",
        "resume-count",
        "min-version",
        "max-version",
        "expect-version",
        "export-keying-material",
        "expect-total-renegotiations",
        "expect-peer-signature-algorithm",
        "expect-curve-id",
        "max-cert-list",
        "expect-cipher-aes",
        "expect-cipher-no-aes",
        "expect-cipher",
        "resumption-delay",
        "max-send-fragment",
        "read-size",
        "expect-ticket-age-skew",
    }
)
LISTS = frozenset({"signing-prefs", "verify-prefs", "curves", "expect-peer-verify-pref"})


class NotHereError(Exception):
    """The runner asks for something that we do not have."""


@dataclass(slots=True)
class Flags:
    """What was said for one connection."""

    words: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[int]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.words or name in self.lists

    def text(self, name: str, default: str = "") -> str:
        """The argument of a flag."""
        return self.words.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        """The argument of a flag, as a number."""
        return int(self.words.get(name, default))


def parse(argv: Sequence[str]) -> tuple[Flags, Flags]:
    """The flags of the first connection, and of those after it. Raises NotHereError for an unknown flag."""
    first, later = Flags(), Flags()
    words = iter(argv)
    for word in words:
        name = word.removeprefix("-").removeprefix("on-shim-")
        targets: tuple[Flags, ...] = (first, later)
        for prefix, those in (("on-initial-", (first,)), ("on-resume-", (later,)), ("on-retry-", ())):
            if name.startswith(prefix):
                name, targets = name.removeprefix(prefix), those
        if name not in SWITCHES | WORDS | NUMBERS | LISTS:
            raise NotHereError(f"the flag {word}")
        value = "" if name in SWITCHES else next(words)
        for flags in targets:
            if name in LISTS:
                flags.lists.setdefault(name, []).append(int(value))
            else:
                flags.words[name] = value
    return first, later
