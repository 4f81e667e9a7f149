"""Rows about what limits a chain or stands beside it: name constraints, policies, TLSA records, proxy certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from cli.s_client.setups.parts import (
    EXPIRED,
    FAR_AHEAD,
    GOOD,
    PAST,
    Chain,
    Setup,
    plain,
    row,
)
from verify.support import build
from verify.support.scenes import OTHER_POLICY, POLICY, all_of, put


def name_constraints() -> Iterator[Setup]:
    lab = build.directory(build.name("C=XX", "O=Lab"))
    kinds = {
        "DNS": (build.dns("server.test"), build.dns("test"), build.dns("example")),
        "address": (
            build.ip(bytes((10, 1, 2, 3))),
            build.ip(bytes((10, 0, 0, 0, 255, 0, 0, 0))),
            build.ip(bytes((11, 0, 0, 0, 255, 0, 0, 0))),
        ),
        "mail": (build.email("me@mail.test"), build.email("mail.test"), build.email("other.test")),
        "URI": (build.uri("https://a.site.test/"), build.uri(".site.test"), build.uri(".other.test")),
        "directory": (
            build.directory(build.name("C=XX", "O=Lab", "OU=x")),
            lab,
            build.directory(build.name("C=YY")),
        ),
    }
    for kind, (name, fitting, other) in kinds.items():
        yield row(f"{kind} permitted", 0, under(name, [fitting]))
        yield row(f"{kind} not permitted", 47, under(name, [other]))
        yield row(f"{kind} excluded", 48, under(name, [], [fitting]))
        yield row(f"{kind} not excluded", 0, under(name, [], [other]))
    minimum = build.dns("test") + build.context(0, b"\1", constructed=False)
    yield row("constraint with a minimum", 49, under(build.dns("server.test"), [minimum]))
    yield row("malformed constraint", 53, under(build.ip(bytes(4)), [build.ip(b"12345")]))
    other = build.other("1.2.3.4", b"\x0c\1x")
    yield row("constraint of a kind nobody knows", 51, under(other, [other]))


def under(
    name: bytes, permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()
) -> Callable[[], Chain]:
    """Give a chain whose leaf has this name and whose intermediate constrains names."""
    constraints = put("nc", build.name_constraints(permitted, excluded))
    return plain(middle=constraints, leaf=put("san", build.alternative_names(name)))


def policies() -> Iterator[Setup]:
    one, anything = put("pol", build.policies(POLICY)), put("pol", build.policies(build.ANY_POLICY))
    both = plain(middle=one, leaf=one)
    any_above = plain(middle=anything, leaf=one)
    mapping = put("map", build.policy_mappings((OTHER_POLICY, POLICY)))
    mapped = plain(middle=all_of(put("pol", build.policies(OTHER_POLICY)), mapping), leaf=one)
    explicit = ("-explicit_policy",)
    yield row("policy wanted and there", 0, both, "-policy", POLICY, *explicit)
    yield row("policy not there", 43, both, "-policy", OTHER_POLICY, *explicit)
    yield row("policy not there, not demanded", 0, both, "-policy", OTHER_POLICY)
    yield row("no policies", 43, GOOD, "-policy", POLICY, *explicit)
    yield row("no policies, not demanded", 0, GOOD, "-policy", POLICY, "-policy_check")
    yield row("anyPolicy above", 0, any_above, "-policy", POLICY, *explicit)
    yield row("anyPolicy above, inhibited", 43, any_above, "-policy", POLICY, *explicit, "-inhibit_any")
    yield row("mapped policy", 0, mapped, "-policy", OTHER_POLICY, *explicit)
    yield row("mapped policy, inhibited", 43, mapped, "-policy", OTHER_POLICY, *explicit, "-inhibit_map")
    yield row("mapped policy under its own name", 43, mapped, "-policy", POLICY, *explicit)
    yield row(
        "demanded by the intermediate",
        43,
        plain(middle=put("con", build.policy_constraints(0))),
        "-policy_check",
    )
    yield row(
        "a policy twice",
        42,
        plain(middle=one, leaf=put("pol", build.policies(POLICY, POLICY))),
        "-policy_check",
    )


def tlsa(usage: int, selector: int, matching: int, who: str) -> Callable[[Chain], str]:
    """Give the record of a certificate, which the chain tells."""

    def made(chain: Chain) -> str:
        data = chain[who].key.spki if selector else chain[who].der
        if matching:
            data = hashlib.new("sha256" if matching == 1 else "sha512", data).digest()
        return f"{usage} {selector} {matching} {data.hex()}"

    return made


def dane() -> Iterator[Setup]:
    domain = ("-dane_tlsa_domain", "server.test", "-dane_tlsa_rrdata")
    for selector in (0, 1):
        for matching in (0, 1, 2):
            kind = f"{selector} {matching}"
            yield row(f"TLSA 0 {kind}", 0, GOOD, *domain, tlsa(0, selector, matching, "middle"))
            yield row(f"TLSA 1 {kind}", 0, GOOD, *domain, tlsa(1, selector, matching, "leaf"))
            yield row(f"TLSA 2 {kind}", 0, GOOD, *domain, tlsa(2, selector, matching, "middle"), trusted=[])
            yield row(
                f"TLSA 3 {kind}",
                0,
                GOOD,
                *domain,
                tlsa(3, selector, matching, "leaf"),
                trusted=[],
                sent=["leaf"],
            )
    for usage, other, code in ((0, "leaf", 19), (1, "middle", 65), (2, "leaf", 20), (3, "middle", 65)):
        yield row(f"TLSA {usage} of another certificate", code, GOOD, *domain, tlsa(usage, 1, 1, other))
    for usage, who in ((0, "middle"), (1, "leaf")):
        yield row(f"TLSA {usage} without trust", 20, GOOD, *domain, tlsa(usage, 1, 1, who), trusted=[])
    yield row(
        "TLSA 2 of a root that is sent",
        0,
        GOOD,
        *domain,
        tlsa(2, 0, 1, "root"),
        trusted=[],
        sent=["leaf", "middle", "root"],
    )
    yield row("TLSA 2 of a key that is not sent", 0, GOOD, *domain, tlsa(2, 1, 0, "root"), trusted=[])
    yield row("TLSA 3, expired", 0, plain(leaf=EXPIRED), *domain, tlsa(3, 1, 1, "leaf"), trusted=[])
    yield row("TLSA 2, expired", 10, plain(leaf=EXPIRED), *domain, tlsa(2, 1, 1, "middle"), trusted=[])
    elsewhere = ("-dane_tlsa_domain", "other.test", "-dane_tlsa_rrdata")
    yield row("TLSA 3, another name", 62, GOOD, *elsewhere, tlsa(3, 1, 1, "leaf"))
    yield row(
        "TLSA 3, names not checked", 0, GOOD, *elsewhere, tlsa(3, 1, 1, "leaf"), "-dane_ee_no_namechecks"
    )
    yield row(
        "TLSA 2, names checked all the same",
        62,
        GOOD,
        *elsewhere,
        tlsa(2, 1, 1, "middle"),
        "-dane_ee_no_namechecks",
    )
    two = (*domain, tlsa(3, 1, 1, "middle"), "-dane_tlsa_rrdata", tlsa(3, 1, 1, "leaf"))
    yield row("two TLSA records, the second one fits", 0, GOOD, *two)


def proxies() -> Iterator[Setup]:
    def chain(*extensions: bytes) -> Callable[[], Chain]:
        def made() -> Chain:
            found = dict(GOOD())
            holder = build.name("C=XX", "O=Lab", "CN=leaf", build.set_of(build.attribute("CN", "proxy")))
            usage = build.key_usage(build.DIGITAL_SIGNATURE)
            found["proxy"] = build.certificate(
                holder, build.ec_key("proxy"), found["leaf"], [usage, *extensions], start=PAST, end=FAR_AHEAD
            )
            return found

        return made

    sent = ["proxy", "leaf", "middle"]
    proxy = chain(build.proxy_info())
    yield row("proxy certificate", 40, proxy, sent=sent)
    yield row("proxy certificate, allowed", 0, proxy, "-allow_proxy_certs", sent=sent)
    named = chain(build.proxy_info(), build.alternative_names(build.dns("x.test")))
    yield row("proxy certificate with names", 21, named, "-allow_proxy_certs", sent=sent)
