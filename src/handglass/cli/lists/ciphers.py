"""OpenSSL's cipher strings: from a rule such as `HIGH:!aNULL:+AES128:@STRENGTH` to an ordered list of suites.

Every suite carries a set of tags per aspect (key exchange, authentication, cipher, MAC, strength …). A word
of the rule is a pattern over the aspects: an alias names some tags, a suite's own name all of its tags; words
joined with `+` intersect. The rules then move the suites that match about in one list, of which each is
active or not, in the way that openssl-ciphers(1) describes; every move keeps the order of what it moves. The
result is what is active.

As in OpenSSL a name that nobody knows is passed over: only an empty result is an error. What was passed over
is reported in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile

from handglass.records import dataclass
from handglass.registry.code_points import CipherSuite, ProtocolVersion
from handglass.registry.suites import SuiteFacts, by_iana_name, by_openssl_name, facts_of

from .cipher_aliases import ALIASES, VERSIONS, Pattern, tags_of
from .errors import ListError

DEFAULT = "ALL:!COMPLEMENTOFDEFAULT:!eNULL"
SEPARATORS = ": ;,"
WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=")
# RFC 6460 §3: the whole rule is one of these words, what follows it does not count.
SUITE_B = {
    "SUITEB128ONLY": ("128_only", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "SUITEB128C2": ("128", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    "SUITEB128": ("128", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
    "SUITEB192": ("192", "ECDHE-ECDSA-AES256-GCM-SHA384"),
}


@dataclass(frozen=True, slots=True)
class CipherChoice:
    """What a cipher string chooses.

    suites: best first. security_level: that of `@SECLEVEL=n`, or None. suite_b: "128", "128_only" or "192" if
    the string asks for Suite B. unknown: the words that name nothing and were passed over.
    """

    suites: tuple[CipherSuite, ...]
    security_level: int | None = None
    suite_b: str | None = None
    unknown: tuple[str, ...] = ()


def parse_ciphers(text: str, available: Iterable[CipherSuite]) -> CipherChoice:
    """Follow a cipher string (the argument of `-cipher`) over the suites that are available.

    Suites of TLS 1.3 among `available` are left out. Raises ListError ("no cipher match", "invalid command").
    """
    suite_b = None
    for word, (level, rule) in SUITE_B.items():
        if text.startswith(word):
            suite_b, text = level, rule
            break
    workshop = _Workshop(available)
    workshop.arrange()
    if text.startswith("DEFAULT"):
        workshop.follow(DEFAULT)
        text = text.removeprefix("DEFAULT")
    workshop.follow(text)
    suites = tuple(entry.suite for entry in workshop.entries if entry.active)
    unknown = tuple(workshop.unknown)
    if not suites:
        raise ListError("no cipher match", f"{', '.join(unknown)} names nothing" if unknown else "")
    return CipherChoice(suites, workshop.security_level, suite_b, unknown)


def parse_ciphersuites(text: str, available: Iterable[CipherSuite]) -> CipherChoice:
    """Read a list of suites of TLS 1.3 (the argument of `-ciphersuites`), best first; it may be empty.

    Names are IANA's. Raises ListError ("no cipher match") if no name is that of an available suite of TLS
    1.3.
    """
    known = {suite.name: suite for suite in available if _is_tls13(suite)}
    names = [name for part in text.split(":") if (name := part.strip())]
    unknown = tuple(name for name in names if name not in known)
    chosen = tuple(dict.fromkeys(known[name] for name in names if name in known))
    if text and not chosen:
        raise ListError(
            "no cipher match", f"{', '.join(unknown)}: no such suite of TLS 1.3" if unknown else ""
        )
    return CipherChoice(chosen, unknown=unknown)


def _is_tls13(suite: CipherSuite) -> bool:
    facts = facts_of(suite)
    return facts is not None and facts.min_version == ProtocolVersion.TLS1_3


def _older_name(word: str) -> str:
    """Return OpenSSL's present name of a suite, given the one it had (`EDH-RSA-DES-CBC3-SHA`), or ""."""
    facts = by_openssl_name(word)
    return facts.openssl_name if facts is not None else ""


class _Entry:
    """A suite in the list."""

    __slots__ = ("active", "name", "strength", "suite", "tags", "version")

    def __init__(self, facts: SuiteFacts) -> None:
        self.suite = facts.suite
        self.name = facts.openssl_name
        self.tags = tags_of(facts)
        self.strength = facts.strength_bits
        self.version = facts.min_version
        self.active = False


@dataclass(slots=True)
class _Search:
    """What a rule looks for: all that is given must match."""

    pattern: Pattern
    version: ProtocolVersion | None = None
    name: str | None = None
    strength: int | None = None

    def matches(self, entry: _Entry) -> bool:
        if self.strength is not None:
            return entry.strength == self.strength
        if self.name is not None and entry.name != self.name:
            return False
        if self.version is not None and entry.version != self.version:
            return False
        return all(not tags.isdisjoint(entry.tags[aspect]) for aspect, tags in self.pattern.items())


class _Workshop:
    """The list while rules are applied to it."""

    def __init__(self, available: Iterable[CipherSuite]) -> None:
        facts = (facts_of(suite) for suite in sorted(set(available), reverse=True))
        self.entries = [
            _Entry(fact) for fact in facts if fact is not None and fact.min_version != ProtocolVersion.TLS1_3
        ]
        self.names = {entry.suite.name: entry for entry in self.entries}
        self.names.update({entry.name: entry for entry in self.entries})
        self.security_level: int | None = None
        self.unknown: list[str] = []

    def arrange(self) -> None:
        """Bring the list into OpenSSL's order of preference, all inactive.

        Forward secrecy with AEAD before forward secrecy, before other AEAD, before the rest; within each: TLS
        1.2 before older suites, strong before weak, ECDHE before DHE, ECDSA before RSA, GCM before ChaCha20,
        AES before the rest. The steps begin with what weighs least.
        """
        self.add(_Search({"exchange": frozenset({"ECDHE"}), "authentication": frozenset({"ECDSA"})}))
        self.add(_Search({"exchange": frozenset({"ECDHE"})}))
        self.delete(_Search({"exchange": frozenset({"ECDHE"})}))
        self.add(_Search({"cipher": ALIASES["AESGCM"]["cipher"]}))
        self.add(_Search({"cipher": frozenset({"CHACHA20"})}))
        self.add(_Search({"cipher": ALIASES["AES"]["cipher"] - ALIASES["AESGCM"]["cipher"]}))
        self.add(_Search({}))
        self.order(_Search({"mac": frozenset({"MD5"})}))
        self.order(_Search({"authentication": frozenset({"NULL"})}))
        self.order(_Search({"exchange": frozenset({"RSA"})}))
        self.order(_Search({"exchange": frozenset({"PSK"})}))
        self.order(_Search({"cipher": frozenset({"RC4"})}))
        self.sort_by_strength()
        ephemeral = frozenset({"DHE", "ECDHE"})
        self.bump(_Search({}, version=ProtocolVersion.TLS1_2))
        self.bump(_Search({"mac": frozenset({"AEAD"})}))
        self.bump(_Search({"exchange": ephemeral}))
        self.bump(_Search({"exchange": ephemeral, "mac": frozenset({"AEAD"})}))
        self.delete(_Search({}))

    def follow(self, text: str) -> None:
        """Apply a whole rule string."""
        at = 0
        while at < len(text):
            if text[at] in SEPARATORS:
                at += 1
                continue
            end = at
            while end < len(text) and text[end] not in SEPARATORS:
                end += 1
            # `ALL@STRENGTH` needs no separator: a command begins wherever a word ends.
            at += self._apply_one(text[at:end])

    def _apply_one(self, text: str) -> int:
        """Apply the rule at the beginning of `text`, which holds no separator; return its length."""
        operator = text[0] if text[0] in "-+!@" else ""
        if operator == "@":
            self._special("".join(takewhile(WORD.__contains__, text[1:])))
            return len(text)
        actions: dict[str, Callable[[_Search], None]] = {
            "": self.add,
            "-": self.delete,
            "+": self.order,
            "!": self.kill,
        }
        at = len(operator)
        search: _Search | None = _Search({})
        while True:
            start = at
            while at < len(text) and text[at] in WORD:
                at += 1
            if at == start:
                raise ListError("invalid command", f'"{text}"')
            if search is not None:
                search = self._narrow(search, text[start:at])
            if search is None:
                return len(text)
            if text[at : at + 1] != "+":
                break
            at += 1
        actions[operator](search)
        return at

    def _narrow(self, search: _Search, word: str) -> _Search | None:
        """Add one more word to what is searched; None if nothing can match."""
        version, name = search.version, search.name
        entry = self.names.get(word) or self.names.get(_older_name(word))
        if entry is not None:
            pattern: Mapping[str, frozenset[str]] = {key: tags for key, tags in entry.tags.items() if tags}
            name = entry.name
        elif word in VERSIONS:
            if version not in {None, VERSIONS[word]}:
                return None
            pattern, version = {}, VERSIONS[word]
        elif word in ALIASES:
            pattern = ALIASES[word]
        else:
            if by_openssl_name(word) is None and by_iana_name(word) is None:
                self.unknown.append(word)
            return None
        joined = dict(search.pattern)
        for aspect, tags in pattern.items():
            joined[aspect] = joined[aspect] & tags if aspect in joined else tags
            if not joined[aspect]:
                return None
        return _Search(joined, version, name)

    def _special(self, word: str) -> None:
        if word == "STRENGTH":
            self.sort_by_strength()
        elif word.startswith("SECLEVEL=") and word[9:] in {"0", "1", "2", "3", "4", "5"}:
            self.security_level = int(word[9:])
        else:
            raise ListError("invalid command", f'"@{word}"')

    def add(self, search: _Search) -> None:
        """Make what matches active, at the end."""
        found = self._take(lambda entry: not entry.active and search.matches(entry))
        for entry in found:
            entry.active = True
        self.entries += found

    def delete(self, search: _Search) -> None:
        """Make what matches inactive; it goes to the front, the best place should it be added again."""
        found = self._take(lambda entry: entry.active and search.matches(entry))
        for entry in found:
            entry.active = False
        self.entries[:0] = found

    def order(self, search: _Search) -> None:
        """Move what matches to the end."""
        found = self._take(lambda entry: entry.active and search.matches(entry))
        self.entries += found

    def bump(self, search: _Search) -> None:
        """Move what matches to the front."""
        found = self._take(lambda entry: entry.active and search.matches(entry))
        self.entries[:0] = found

    def kill(self, search: _Search) -> None:
        """Remove what matches for good."""
        self._take(search.matches)

    def sort_by_strength(self) -> None:
        """Sort by the length of the key, longest first."""
        for strength in sorted({entry.strength for entry in self.entries if entry.active}, reverse=True):
            self.order(_Search({}, strength=strength))

    def _take(self, wanted: Callable[[_Entry], bool]) -> list[_Entry]:
        found: list[_Entry] = []
        rest: list[_Entry] = []
        for entry in self.entries:
            (found if wanted(entry) else rest).append(entry)
        self.entries = rest
        return found
