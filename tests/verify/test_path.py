"""`verify_chain` itself: what the result holds, who may stop it, stores, trust settings, DANE, limits."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from handglass.crypto.containers import CertificateEntry
from handglass.records import dataclass, field, replace
from handglass.verify import (
    Certificate,
    Crl,
    Event,
    HostFlags,
    Kind,
    Purpose,
    Trust,
    TrustStore,
    VerifyCode,
    VerifyParams,
    VerifyResult,
    alert_for,
    from_entry,
    text_of,
    to_ascii,
    verify_chain,
)
from verify.support import build, scenes
from verify.support.build import NOW, Built

PARAMS = VerifyParams(purpose=Purpose.SSL_SERVER)


def chain() -> list[Certificate]:
    return [Certificate(item.der) for item in scenes.make(scenes.layers(3))]


def verify(params: VerifyParams = PARAMS, store: TrustStore | None = None, now: int = NOW) -> VerifyResult:
    root, one, leaf = chain()
    return verify_chain(leaf, [one], store or TrustStore([root]), params, now)


def test_a_good_chain() -> None:
    result = verify(replace(PARAMS, hosts=("server.test",)))
    assert result.ok
    assert result.finished
    assert result.code == VerifyCode.OK
    assert result.peername == "server.test"
    assert result.untrusted == 2
    assert [str(item.subject)[-4:] for item in result.chain] == ["leaf", " one", "root"]
    assert [(event.kind, event.depth) for event in result.events] == [(Kind.CHECKED, at) for at in (2, 1, 0)]


def test_all_problems_are_kept_and_the_last_is_the_code() -> None:
    params = replace(PARAMS, hosts=("x.test",), email="me@x.test", auth_level=4)
    result = verify(params, now=NOW + 1000 * build.DAY)
    codes = [int(event.code) for event in result.problems]
    assert codes[0] == VerifyCode.EE_KEY_TOO_SMALL
    assert codes[-3:] == [10, 10, 10]
    assert result.code == VerifyCode.CERT_HAS_EXPIRED
    assert not result.ok
    assert result.alert == 45
    assert {62, 63, 67, 68} <= set(codes)


def test_the_caller_may_stop() -> None:
    seen: list[Event] = []

    def decide(event: Event) -> bool:
        seen.append(event)
        return event.kind is not Kind.PROBLEM

    root, one, leaf = chain()
    params = replace(PARAMS, hosts=("x.test",))
    result = verify_chain(leaf, [one], TrustStore([root]), params, NOW + 1000 * build.DAY, decide=decide)
    assert [event.code for event in seen] == [VerifyCode.HOSTNAME_MISMATCH]
    assert not result.finished
    assert not result.ok
    assert result.problems == tuple(seen)
    assert result.problems[0].sentence.startswith("hostname mismatch (x.test is not in it; it names ")


def test_a_name_that_is_missing_is_told_with_those_that_are_there() -> None:
    def detail(params: VerifyParams, *names: bytes) -> str:
        layers = scenes.layers(3)
        layers[-1].extensions["san"] = build.alternative_names(*names)
        root, one, leaf = (Certificate(item.der) for item in scenes.make(layers))
        result = verify_chain(leaf, [one], TrustStore([root]), params, NOW)
        return result.problems[0].detail

    host = replace(PARAMS, hosts=("x.test",))
    assert detail(host, build.dns("a.test"), build.dns("*.b.test"), build.email("me@a.test")) == (
        "x.test is not in it; it names DNS:a.test, DNS:*.b.test"
    )
    assert detail(host, *(build.dns(f"{at}.test") for at in range(9))).endswith("DNS:5.test and 3 more")
    assert detail(host, build.dns("\x1b[31m" + "a" * 5000)).endswith("names DNS:\\x1B[31m" + "a" * 88 + "…")
    address = replace(PARAMS, ip=bytes([10, 0, 0, 1]))
    assert detail(address, build.ip(bytes([10, 0, 0, 2]))) == (
        "IP Address:10.0.0.1 is not in it; it names IP Address:10.0.0.2"
    )
    assert detail(replace(PARAMS, email="me@x.test"), build.dns("a.test")) == (
        "me@x.test is not in it; it names none of this kind"
    )


def test_time_is_the_callers_unless_given() -> None:
    late = NOW + 1000 * build.DAY
    assert not verify(now=late).ok
    assert verify(replace(PARAMS, time=NOW), now=late).ok
    assert verify(replace(PARAMS, no_check_time=True), now=late).ok
    assert not verify(replace(PARAMS, no_check_time=True, time=late)).ok


def test_codes_have_texts_and_alerts() -> None:
    assert text_of(20) == "unable to get local issuer certificate"
    assert text_of(1234) == "error number 1234"
    assert len({code.value for code in VerifyCode}) == 96
    expected = {
        20: 48, 2: 48, 18: 48, 3: 48, 22: 48, 10: 45, 9: 42, 62: 42, 63: 42, 64: 42, 65: 42, 66: 42,
        34: 46, 43: 46, 57: 46, 89: 46, 40: 46, 23: 44, 26: 43, 7: 51, 0: 46, 999: 46,
    }  # fmt: skip
    assert {code: alert_for(code) for code in expected} == expected


# --- parameters ---------------------------------------------------------------------------------------------------


def test_named_sets_fill_and_override() -> None:
    own = VerifyParams(purpose=Purpose.SSL_CLIENT, depth=3)
    other = VerifyParams(purpose=Purpose.SSL_SERVER, trust=Trust.SSL_SERVER)
    assert own.overridden(other) == VerifyParams(purpose=Purpose.SSL_SERVER, trust=Trust.SSL_SERVER, depth=3)
    assert own.completed(other) == VerifyParams(purpose=Purpose.SSL_CLIENT, trust=Trust.SSL_SERVER, depth=3)


def test_international_host_names() -> None:
    assert to_ascii("server.test") == "server.test"
    assert to_ascii("münchen.test") == "xn--mnchen-3ya.test"
    with pytest.raises(ValueError):  # noqa: PT011 - the codec's own error
        to_ascii("é" * 100 + ".test")


# --- stores -------------------------------------------------------------------------------------------------------


@dataclass()
class Place:
    entries: list[CertificateEntry] = field(default_factory=list)
    lists: list[bytes] = field(default_factory=list)
    asked: int = 0

    def by_subject(self, name: bytes) -> Sequence[CertificateEntry]:
        del name
        self.asked += 1
        return self.entries

    def crls_by_issuer(self, name: bytes) -> Sequence[bytes]:
        del name
        return self.lists


def test_sources_are_asked_when_needed_and_once() -> None:
    root, one, leaf = chain()
    place = Place([CertificateEntry(root.der), CertificateEntry(leaf.der)])
    store = TrustStore(sources=[place])
    assert verify_chain(leaf, [one], store, PARAMS, NOW).ok
    asked = place.asked
    assert verify_chain(leaf, [one], store, PARAMS, NOW).ok
    assert place.asked - asked < asked
    assert store.certificates(leaf.subject) == [leaf]
    full = TrustStore([root], sources=[place])
    before = place.asked
    assert full.certificates(root.subject) == [root]
    assert place.asked == before


def test_crls_of_sources_and_downloads() -> None:
    built = scenes.make(scenes.layers(3))
    root, one, leaf = (Certificate(item.der) for item in built)
    good = build.crl(built[1])
    bad = build.crl(built[1], [build.revoked(built[2].serial)])
    params = replace(PARAMS, crl_check=True)
    assert verify_chain(leaf, [one], TrustStore([root]), params, NOW).code == VerifyCode.UNABLE_TO_GET_CRL
    assert verify_chain(leaf, [one], TrustStore([root], [Crl(good)]), params, NOW).ok
    assert verify_chain(leaf, [one], TrustStore([root], sources=[Place([], [good])]), params, NOW).ok
    asked: list[Certificate] = []

    def download(certificate: Certificate) -> list[Crl]:
        asked.append(certificate)
        return [Crl(bad)]

    result = verify_chain(leaf, [one], TrustStore([root], [Crl(good)], download=download), params, NOW)
    assert result.code == VerifyCode.CERT_REVOKED
    assert asked == [leaf]


def entry(built: Built, trusted: tuple[str, ...] | None, rejected: tuple[str, ...] | None) -> Certificate:
    return from_entry(CertificateEntry(built.der, trusted, rejected))


@pytest.mark.parametrize(
    ("trusted", "rejected", "code"),
    [
        (None, None, 0),
        ((build.SERVER,), (), 0),
        ((build.ANY_USAGE,), (), 0),
        ((build.CLIENT,), (), 28),
        (None, (build.SERVER,), 28),
        (None, (build.ANY_USAGE,), 28),
        (None, (build.CLIENT,), 0),
        ((build.SERVER,), (build.SERVER,), 28),
    ],
)
def test_trust_settings_of_an_anchor(
    trusted: tuple[str, ...] | None, rejected: tuple[str, ...] | None, code: int
) -> None:
    root, one, leaf = scenes.make(scenes.layers(3))
    store = TrustStore([entry(root, trusted, rejected)])
    result = verify_chain(Certificate(leaf.der), [Certificate(one.der)], store, PARAMS, NOW)
    assert (result.problems[0].code if result.problems else 0) == code


def test_an_intermediate_that_is_trusted_by_its_settings() -> None:
    _, one, leaf = scenes.make(scenes.layers(3))
    store = TrustStore([entry(one, (build.SERVER,), ())])
    assert verify_chain(Certificate(leaf.der), [], store, PARAMS, NOW).ok


# --- chains without trusted_first ---------------------------------------------------------------------------------


def test_alternative_chains() -> None:
    built = scenes.make(scenes.layers(3))
    root, one, leaf = (Certificate(item.der) for item in built)
    old_key = build.ec_key("old root")
    old = build.certificate(build.name("CN=old root"), old_key, None, build.ca_extensions(old_key))
    cross = Certificate(
        build.certificate(
            built[0].subject, built[0].key, old, build.ca_extensions(built[0].key, old_key), serial=99
        ).der
    )
    params = replace(PARAMS, trusted_first=False)
    sent = [one, cross, Certificate(old.der)]
    assert verify_chain(leaf, sent, TrustStore([root]), PARAMS, NOW).ok
    found = verify_chain(leaf, sent, TrustStore([root]), params, NOW)
    assert found.ok
    assert found.chain == (leaf, one, root)
    without = verify_chain(leaf, sent, TrustStore([root]), replace(params, no_alt_chains=True), NOW)
    assert without.code == VerifyCode.SELF_SIGNED_CERT_IN_CHAIN


# --- DANE ---------------------------------------------------------------------------------------------------------


@dataclass()
class Judge:
    """Records that match by the certificate itself: usage -> certificates."""

    usages: dict[int, list[bytes]]
    skip_names: bool = False
    certificates: Sequence[bytes] = ()
    bare_keys: Sequence[bytes] = ()
    matched_depth: int | None = None

    def __post_init__(self) -> None:
        self.has_pkix = bool({0, 1} & set(self.usages))
        self.has_dane = bool({2, 3} & set(self.usages))
        self.has_anchors = bool({0, 2} & set(self.usages))

    def match(self, certificate: bytes, depth: int, *, from_store: bool) -> bool:
        strong, weak = (3, 1) if depth == 0 else (2, 0)
        if certificate in self.usages.get(strong, ()) and not (from_store and depth):
            self.matched_depth = depth
            return True
        if certificate in self.usages.get(weak, ()) and self.matched_depth is None:
            self.matched_depth = depth
        return False

    def matched_bare_key(self, depth: int, key: bytes) -> None:
        del key
        self.matched_depth = depth

    def forget(self, from_depth: int) -> None:
        if self.matched_depth is not None and self.matched_depth >= from_depth:
            self.matched_depth = None


@pytest.mark.parametrize(
    ("usage", "which", "trusted", "code"),
    [
        (3, "leaf", False, 0),
        (3, "root", False, 65),
        (2, "one", False, 0),
        (2, "root", False, 65),
        (1, "leaf", True, 0),
        (1, "leaf", False, 20),
        (1, "root", True, 65),
        (0, "root", True, 0),
        (0, "one", True, 0),
        (0, "one", False, 20),
        (0, "leaf", True, 65),
    ],
)
def test_dane(usage: int, which: str, trusted: bool, code: int) -> None:
    root, one, leaf = chain()
    by_name = {"root": root, "one": one, "leaf": leaf}
    judge = Judge({usage: [by_name[which].der]})
    store = TrustStore([root] if trusted else [])
    result = verify_chain(leaf, [one], store, PARAMS, NOW, dane=judge)
    assert (int(result.problems[0].code) if result.problems else 0) == code, result.problems


def test_dane_names_and_bare_keys() -> None:
    root, one, leaf = chain()
    params = replace(PARAMS, hosts=("x.test",))
    judge = Judge({3: [leaf.der]})
    assert verify_chain(leaf, [], TrustStore(), params, NOW, dane=judge).code == VerifyCode.HOSTNAME_MISMATCH
    judge = Judge({3: [leaf.der]}, skip_names=True)
    assert verify_chain(leaf, [], TrustStore(), params, NOW, dane=judge).ok
    judge = Judge({2: []}, bare_keys=[root.spki])
    result = verify_chain(leaf, [one], TrustStore(), PARAMS, NOW, dane=judge)
    assert result.ok
    assert result.chain == (leaf, one)
    judge = Judge({2: [root.der]}, certificates=[root.der])
    assert verify_chain(leaf, [one], TrustStore(), PARAMS, NOW, dane=judge).ok


# --- limits -------------------------------------------------------------------------------------------------------


def test_a_store_that_goes_round_in_circles_ends() -> None:
    one, two = build.ec_key("circle 1"), build.ec_key("circle 2")
    names = build.name("CN=circle 1"), build.name("CN=circle 2")
    extensions = [build.basic_constraints(), build.key_usage(build.CERT_SIGN)]
    first = build.certificate(names[0], one, None, extensions, issuer_name=names[1], issuer_key=two)
    second = build.certificate(names[1], two, None, extensions, issuer_name=names[0], issuer_key=one)
    store = TrustStore([Certificate(first.der), Certificate(second.der)])
    started = time.process_time()
    result = verify_chain(Certificate(first.der), [], store, VerifyParams(depth=1 << 30), NOW)
    assert result.problems[0].code == VerifyCode.CERT_CHAIN_TOO_LONG
    assert time.process_time() - started < 5


def test_many_candidates_of_one_name() -> None:
    """Thousands of certificates that could all be issuers cost time in proportion to their number."""
    key = build.ec_key("many")
    name = build.name("CN=many")
    extensions = [build.basic_constraints(), build.key_usage(build.CERT_SIGN)]
    many = [
        Certificate(build.certificate(name, key, None, extensions, issuer_name=name, serial=number).der)
        for number in range(600)
    ]
    started = time.process_time()
    result = verify_chain(many[0], many[1:], TrustStore(), replace(PARAMS, no_check_time=True), NOW)
    assert not result.ok
    assert time.process_time() - started < 10


def test_name_constraints_that_explode() -> None:
    names = [build.dns(f"h{number}.test") for number in range(1500)]
    constraints = build.name_constraints(excluded=[build.dns(f"x{number}.test") for number in range(1500)])
    layers = scenes.layers(3)
    layers[1].extensions["nc"] = constraints
    layers[2].extensions["san"] = build.alternative_names(*names)
    root, one, leaf = (Certificate(item.der) for item in scenes.make(layers))
    started = time.process_time()
    result = verify_chain(leaf, [one], TrustStore([root]), PARAMS, NOW)
    assert VerifyCode.UNSPECIFIED in {event.code for event in result.problems}
    assert time.process_time() - started < 5


def test_many_certificates_with_many_names() -> None:
    """Each pair stays below the limit of one comparison, all of them together do not."""
    layers = scenes.layers(5)
    for layer in layers[1:]:
        layer.extensions["nc"] = build.name_constraints(
            excluded=[build.dns(f"x{number}") for number in range(900)]
        )
        layer.extensions["san"] = build.alternative_names(*(build.dns(f"h{number}") for number in range(900)))
    *above, leaf = (Certificate(item.der) for item in scenes.make(layers))
    started = time.process_time()
    result = verify_chain(leaf, above[1:], TrustStore([above[0]]), VerifyParams(), NOW)
    assert result.problems[-1].detail == "too many names and constraints"
    assert time.process_time() - started < 8


def test_a_policy_tree_that_explodes() -> None:
    """The tree of CVE-2023-0464: every level maps every policy to two."""
    policies = [f"1.3.6.1.4.1.99999.{number}" for number in range(40)]
    layers = scenes.layers(5)
    for layer in layers[1:]:
        layer.extensions["pol"] = build.policies(*policies)
        pairs = [(one, two) for one in policies for two in policies]
        layer.extensions["map"] = build.policy_mappings(*pairs)
    *above, leaf = (Certificate(item.der) for item in scenes.make(layers))
    started = time.process_time()
    params = VerifyParams(policy_check=True)
    result = verify_chain(leaf, above[1:], TrustStore([above[0]]), params, NOW)
    assert result.code == VerifyCode.OUT_OF_MEM
    assert not result.finished
    assert "more than 1000 nodes" in result.failure
    assert time.process_time() - started < 5


# --- host flags ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "flags", "matches"),
    [
        ("a.wild.test", HostFlags(0), True),
        ("a.wild.test", HostFlags.NO_WILDCARDS, False),
        ("a.b.wild.test", HostFlags.MULTI_LABEL_WILDCARDS, True),
        ("foo.part.test", HostFlags(0), True),
        ("foo.part.test", HostFlags.NO_PARTIAL_WILDCARDS, False),
        ("common.test", HostFlags(0), False),
        ("common.test", HostFlags.ALWAYS_CHECK_SUBJECT, True),
        (".sub.test", HostFlags(0), True),
        (".sub.test", HostFlags.SINGLE_LABEL_SUBDOMAINS, False),
        (".one.sub.test", HostFlags.SINGLE_LABEL_SUBDOMAINS, True),
    ],
)
def test_host_flags(host: str, flags: HostFlags, matches: bool) -> None:
    alternatives = build.alternative_names(
        build.dns("*.wild.test"), build.dns("f*.part.test"), build.dns("two.one.sub.test")
    )
    leaf = Certificate(
        build.certificate(build.name("CN=common.test"), build.ec_key("x"), None, [alternatives]).der
    )
    params = VerifyParams(hosts=(host,), host_flags=flags)
    result = verify_chain(leaf, [], TrustStore([leaf]), params, NOW)
    assert (VerifyCode.HOSTNAME_MISMATCH not in {event.code for event in result.problems}) == matches


def test_the_common_name_never_counts_if_so_asked() -> None:
    leaf = Certificate(build.certificate(build.name("CN=common.test"), build.ec_key("x")).der)
    for flags, code in ((HostFlags(0), 0), (HostFlags.NEVER_CHECK_SUBJECT, 62)):
        params = VerifyParams(hosts=("common.test",), host_flags=flags)
        assert verify_chain(leaf, [], TrustStore([leaf]), params, NOW).code == code
