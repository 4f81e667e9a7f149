"""Name constraints, policies, proxy certificates, explicit curves, auxiliary trust: what takes a chain to show."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from handglass.records import replace
from handglass.verify import Purpose, VerifyParams

from . import build
from .build import DAY, NOW, Built
from .openssl import Scene
from .scenes import AT_NOW, OTHER_POLICY, POLICY, STRICT, THIRD_POLICY, layers, make, put, scene

SMTP_UTF8 = "1.3.6.1.5.5.7.8.9"
CN = build.name("C=XX", "O=Lab", "CN=host.example.test")


def _leaf(subject: bytes, *names: bytes, constraints: bytes, at: int = 1, length: int = 3) -> list[Built]:
    chain = layers(length)
    chain[-1].subject = subject
    chain[-1].extensions.pop("san")
    if names:
        chain[-1].extensions["san"] = build.alternative_names(*names)
    chain[at].extensions["nc"] = constraints
    return make(chain)


def name_constraints() -> Iterator[tuple[str, Scene]]:
    lab = build.name("C=XX", "O=Lab")
    international = build.other(SMTP_UTF8, build.encode(0x0C, "büro@münchen.test".encode()))
    subjects: dict[str, tuple[bytes, tuple[bytes, ...]]] = {
        "common name": (CN, ()),
        "host": (CN, (build.dns("host.example.test"),)),
        "other host": (CN, (build.dns("host.other.test"),)),
        "two hosts": (CN, (build.dns("host.example.test"), build.dns("host.other.test"))),
        "no subject": (build.name(), (build.dns("host.example.test"),)),
        "mail": (CN, (build.email("me@example.test"),)),
        "mail below": (CN, (build.email("me@sub.example.test"),)),
        "mail without at": (CN, (build.email("example.test"),)),
        "mail in subject": (build.name("C=XX", "O=Lab", "emailAddress=me@example.test"), ()),
        "mail in subject as utf8": (
            build.seq(
                build.set_of(build.attribute("O", "Lab")),
                build.set_of(build.attribute("emailAddress", "me@example.test", build.UTF8)),
            ),
            (),
        ),
        "uri": (CN, (build.uri("https://host.example.test/path"),)),
        "uri with port": (CN, (build.uri("https://host.example.test:8080/path"),)),
        "uri without host": (CN, (build.uri("urn:x:y"),)),
        "uri empty host": (CN, (build.uri("https:///path"),)),
        "ipv4": (CN, (build.ip(bytes((10, 1, 2, 3))),)),
        "ipv6": (CN, (build.ip(bytes.fromhex("20010db8" + "00" * 11 + "01")),)),
        "bad ip": (CN, (build.ip(b"123"),)),
        "directory": (CN, (build.directory(build.name("C=XX", "O=Lab", "OU=x")),)),
        "other name": (CN, (build.other("1.2.3.4", build.encode(0x0C, b"x")),)),
        "registered id": (CN, (build.context(8, b"\x2a\x03", constructed=False),)),
        "international mail": (CN, (international,)),
        "common name like no host": (build.name("CN=Some One"), ()),
        "common name with hyphen": (build.name("CN=-a.example.test"), ()),
        "common name upper": (build.name("CN=HOST.EXAMPLE.TEST"), ()),
    }
    bases: dict[str, bytes] = {
        "host": build.dns("example.test"),
        "host below": build.dns(".example.test"),
        "any host": build.dns(""),
        "upper host": build.dns("EXAMPLE.test"),
        "mail host": build.email("example.test"),
        "mail below": build.email(".example.test"),
        "mailbox": build.email("me@example.test"),
        "mail at": build.email("@example.test"),
        "international": build.email("xn--mnchen-3ya.test"),
        "uri host": build.uri("host.example.test"),
        "uri below": build.uri(".example.test"),
        "net": build.ip(bytes((10, 0, 0, 0, 255, 0, 0, 0))),
        "net6": build.ip(bytes.fromhex("20010db8" + "00" * 12 + "ffffffff" + "00" * 12)),
        "bad net": build.ip(b"12345"),
        "lab": build.directory(lab),
        "lab in other case": build.directory(build.name("C=xx", "O= LAB ")),
        "elsewhere": build.directory(build.name("C=YY")),
        "other name": build.other("1.2.3.4", build.encode(0x0C, b"x")),
        "registered id": build.context(8, b"\x2a\x03", constructed=False),
        "minimum": build.dns("example.test") + build.context(0, b"\x01", constructed=False),
        "minimum 0": build.dns("example.test") + build.context(0, b"\x00", constructed=False),
        "maximum": build.dns("example.test") + build.context(1, b"\x05", constructed=False),
    }
    for (who, (subject, names)), (what, base) in itertools.product(subjects.items(), bases.items()):
        for kind in ("permitted", "excluded"):
            constraints = build.name_constraints(**{kind: [base]})
            yield f"{who}, {kind} {what}", scene(_leaf(subject, *names, constraints=constraints))
    both = build.name_constraints([build.dns("test"), build.directory(lab)], [build.dns("example.test")])
    for at in (0, 1, 2):
        for who, (subject, names) in subjects.items():
            built = _leaf(subject, *names, constraints=both, at=at, length=4)
            yield f"{who}, both at {3 - at}", scene(built)
    chain = layers(4)
    chain[2].subject = chain[1].subject
    chain[2].key = chain[1].key
    chain[2].extensions["ski"] = chain[1].extensions["ski"]
    chain[0].extensions["nc"] = build.name_constraints(excluded=[build.directory(chain[1].subject)])
    yield "self-issued", scene(make(chain))


def policies() -> Iterator[tuple[str, Scene]]:
    wanted = [
        VerifyParams(time=NOW, **options)
        for options in (
            {"policy_check": True},
            {"policies": (POLICY,)},
            {"explicit_policy": True},
            {"policies": (POLICY,), "explicit_policy": True},
            {"policies": (OTHER_POLICY,), "explicit_policy": True},
            {"policies": (POLICY, OTHER_POLICY), "explicit_policy": True},
            {"policies": (build.ANY_POLICY,), "explicit_policy": True},
            {"policies": (POLICY,), "explicit_policy": True, "inhibit_any": True},
            {"policies": (POLICY,), "explicit_policy": True, "inhibit_map": True},
            {"policies": (THIRD_POLICY,), "explicit_policy": True},
        )
    ]
    one = build.policies(POLICY)
    anything = build.policies(build.ANY_POLICY)
    second = build.policies(OTHER_POLICY)
    both = build.policies(POLICY, OTHER_POLICY)
    mixed = build.policies(POLICY, build.ANY_POLICY)
    options: dict[str, list[bytes]] = {
        "none": [],
        "one": [one],
        "any": [anything],
        "second": [second],
        "both": [both],
        "mixed": [mixed],
        "mapped": [one, build.policy_mappings((POLICY, OTHER_POLICY))],
        "mapped twice": [one, build.policy_mappings((POLICY, OTHER_POLICY), (POLICY, THIRD_POLICY))],
        "any mapped": [anything, build.policy_mappings((POLICY, OTHER_POLICY))],
        "explicit 0": [one, build.policy_constraints(0)],
        "explicit 1": [build.policy_constraints(1)],
        "mapping inhibited": [one, build.policy_constraints(None, 0)],
        "any inhibited": [anything, build.inhibit_any(0)],
        "any inhibited later": [anything, build.inhibit_any(1)],
    }
    for first, last in itertools.product(options, ("none", "one", "any", "second", "both")):
        chain = layers(3)
        for index, label in ((1, first), (2, last)):
            for number, value in enumerate(options[label]):
                chain[index].extensions[f"p{number}"] = value
        built = make(chain)
        for number, params in enumerate(wanted):
            yield f"{first} over {last}, {number}", scene(built, params)
    longer = ("one", "any", "mixed", "mapped", "any mapped", "mapping inhibited", "any inhibited later")
    for combination in itertools.product(longer, longer, ("one", "second", "any")):
        chain = layers(4)
        for index, label in enumerate(combination, 1):
            for number, value in enumerate(options[label]):
                chain[index].extensions[f"p{number}"] = value
        built = make(chain)
        for number, params in enumerate(wanted[3:7]):
            yield f"{' over '.join(combination)}, {number}", scene(built, params)
    broken = {
        "twice": build.policies(POLICY, POLICY),
        "any twice": build.policies(build.ANY_POLICY, build.ANY_POLICY),
        "empty": build.extension("2.5.29.32", build.seq()),
        "malformed": build.extension("2.5.29.32", b"\x04\x00"),
    }
    more = {
        "mapping any": build.policy_mappings((build.ANY_POLICY, POLICY)),
        "mapping nothing": build.extension("2.5.29.33", build.seq(), True),
        "constraints empty": build.extension("2.5.29.36", build.seq(), True),
        "constraints negative": build.extension("2.5.29.36", build.seq(b"\x80\x01\xff"), True),
        "inhibit negative": build.extension("2.5.29.54", build.integer(-1), True),
    }
    for place in (1, 2):
        for label, value in {**broken, **more}.items():
            chain = layers(3)
            for layer in chain[1:]:
                layer.extensions["p"] = one
            slot = "p" if label in broken else "q"
            chain[place].extensions[slot] = value
            built = make(chain)
            for number, params in enumerate(wanted):
                yield f"{label} at {2 - place}, {number}", scene(built, params)
    own = build.certificate(build.name("CN=x"), build.ec_key("x"))
    yield "one certificate", Scene(own.der, (), [own.der], (), wanted[3])


def proxies() -> Iterator[tuple[str, Scene]]:
    allowed = replace(AT_NOW, allow_proxy_certs=True)

    def proxy(above: Built, label: str, *extensions: bytes, subject: bytes | None = None) -> Built:
        common = build.set_of(build.attribute("CN", label))
        base = build.name("C=XX", "O=Lab", "CN=leaf") if above.serial == 3 else above.subject
        inner = _content(base)
        key = build.ec_key(f"proxy {label}")
        return build.certificate(
            subject if subject is not None else build.encode(0x30, inner + common),
            key,
            above,
            [build.key_usage(build.DIGITAL_SIGNATURE), *extensions],
            serial=above.serial + 1,
        )

    built = make(layers(3))
    one = proxy(built[2], "1", build.proxy_info())
    two = proxy(one, "2", build.proxy_info())
    limited = proxy(built[2], "l", build.proxy_info(0))
    below_limited = proxy(limited, "2", build.proxy_info())
    cases: dict[str, list[Built]] = {
        "proxy": [*built, one],
        "two proxies": [*built, one, two],
        "limited": [*built, limited],
        "below limited": [*built, limited, below_limited],
        "with alternative name": [
            *built,
            proxy(built[2], "a", build.proxy_info(), build.alternative_names(build.dns("x.test"))),
        ],
        "proxy that is a ca": [*built, proxy(built[2], "c", build.proxy_info(), build.basic_constraints())],
        "wrong name": [
            *built,
            proxy(built[2], "w", build.proxy_info(), subject=build.name("C=XX", "O=Lab", "CN=x")),
        ],
        "name of two types": [
            *built,
            proxy(built[2], "w", build.proxy_info(), subject=build.name("C=XX", "O=Lab", "CN=leaf", "OU=x")),
        ],
        "short name": [*built, proxy(built[2], "w", build.proxy_info(), subject=build.name("CN=x"))],
        "malformed": [*built, proxy(built[2], "m", build.extension("1.3.6.1.5.5.7.1.14", b"\x04\x00", True))],
        "ordinary below proxy": [
            *built,
            one,
            build.certificate(build.name("CN=y"), build.ec_key("y"), one, [], serial=9),
        ],
        "proxy below ca": [*built[:2], proxy(built[1], "z", build.proxy_info())],
    }
    for label, chain in cases.items():
        for kind, params in (
            ("forbidden", AT_NOW),
            ("allowed", allowed),
            ("strict", replace(allowed, x509_strict=True)),
            ("client", replace(allowed, purpose=Purpose.SSL_CLIENT)),
            ("crl", replace(allowed, crl_check=True)),
        ):
            yield f"{label}, {kind}", scene(chain, params)
    chain_layers = layers(3)
    chain_layers[2].extensions["ku"] = build.key_usage(build.KEY_ENCIPHERMENT)
    encipherer = make(chain_layers)
    yield "issuer may not sign", scene([*encipherer, proxy(encipherer[2], "1", build.proxy_info())], allowed)


def _content(name: bytes) -> bytes:
    header = 2 if name[1] < 0x80 else 2 + (name[1] & 0x7F)
    return name[header:]


def explicit_curves() -> Iterator[tuple[str, Scene]]:
    p = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    generator = bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    parameters = build.seq(
        build.integer(1),
        build.seq(build.oid("1.2.840.10045.1.1"), build.integer(p)),
        build.seq(build.octets((p - 3).to_bytes(32, "big")), build.octets(b.to_bytes(32, "big"))),
        build.octets(generator),
        build.integer(order),
        build.integer(1),
    )
    for place in (0, 1, 2):
        chain = layers(3)
        point = chain[place].key.spki[-65:]
        spki = build.seq(build.seq(build.oid("1.2.840.10045.2.1"), parameters), build.bits(point))
        chain[place].options["spki"] = spki
        for kind, params in (("plain", AT_NOW), ("strict", STRICT)):
            yield f"explicit at {2 - place}, {kind}", scene(make(chain), params)


def times() -> Iterator[tuple[str, Scene]]:
    built = make(layers(3))
    for label, moment in {
        "now": NOW,
        "at the start": NOW - 100 * DAY,
        "before": NOW - 100 * DAY - 1,
        "at the end": NOW + 100 * DAY,
        "just before the end": NOW + 100 * DAY - 1,
        "after": NOW + 200 * DAY,
        "1960": -300000000,
        "2060": 2840140800,
    }.items():
        yield label, scene(built, VerifyParams(time=moment))
    yield "no check", scene(built, VerifyParams(time=NOW + 200 * DAY, no_check_time=True))
    chain = layers(3)
    put("x", build.extension("1.3.6.1.4.1.99999.77", b"\x05\x00", True))(chain[2])
    chain[1].options["end"] = NOW - DAY
    chain[0].options["damage"] = True
    everything = replace(
        STRICT,
        purpose=Purpose.SMIME_SIGN,
        hosts=("x.test",),
        auth_level=5,
        crl_check=True,
        explicit_policy=True,
    )
    yield "everything wrong", scene(make(chain), everything)
    yield "everything wrong, own signature", scene(make(chain), replace(everything, check_ss_sig=True))


def resources() -> Iterator[tuple[str, Scene]]:
    """RFC 3779: AS numbers and addresses in a chain of three."""
    number = build.integer

    def numbers(*items: bytes, rdi: bytes = b"") -> bytes:
        return build.extension("1.3.6.1.5.5.7.1.8", build.seq(build.context(0, build.seq(*items)), rdi), True)

    def span(low: int, high: int) -> bytes:
        return build.seq(number(low), number(high))

    inherit_numbers = build.extension("1.3.6.1.5.5.7.1.8", build.seq(build.context(0, b"\x05\x00")), True)

    def prefix(text: str, length: int) -> bytes:
        raw = bytes(map(int, text.split(".")))[: (length + 7) // 8]
        return build.bits(raw, -length % 8)

    def addresses(*items: bytes, family: bytes = b"\0\x01") -> bytes:
        return build.extension(
            "1.3.6.1.5.5.7.1.7", build.seq(build.seq(build.octets(family), build.seq(*items))), True
        )

    inherit_addresses = build.extension(
        "1.3.6.1.5.5.7.1.7", build.seq(build.seq(build.octets(b"\0\x01"), b"\x05\x00")), True
    )
    ten = addresses(prefix("10.0.0.0", 8))
    options: dict[str, bytes] = {
        "none": b"",
        "one number": numbers(number(5)),
        "two numbers": numbers(number(5), number(9)),
        "numbers": numbers(span(1, 100)),
        "far numbers": numbers(span(200, 300)),
        "numbers and domains": numbers(span(1, 100), rdi=build.context(1, build.seq(number(7)))),
        "unsorted numbers": numbers(number(9), number(5)),
        "neighbours": numbers(number(5), number(6)),
        "backward": numbers(span(9, 5)),
        "inherited numbers": inherit_numbers,
        "malformed numbers": build.extension("1.3.6.1.5.5.7.1.8", b"\x04\x00", True),
        "net": ten,
        "part of the net": addresses(prefix("10.1.0.0", 16)),
        "another net": addresses(prefix("192.168.0.0", 16)),
        "two nets": addresses(prefix("10.1.0.0", 16), prefix("10.3.0.0", 16)),
        "range": addresses(build.seq(prefix("10.1.0.0", 16), prefix("10.3.0.0", 16))),
        "range like a prefix": addresses(build.seq(prefix("10.2.0.0", 16), prefix("10.3.0.0", 16))),
        "unsorted nets": addresses(prefix("10.3.0.0", 16), prefix("10.1.0.0", 16)),
        "net 6": addresses(build.bits(b"\x20\x01"), family=b"\0\x02"),
        "inherited net": inherit_addresses,
        "malformed net": build.extension("1.3.6.1.5.5.7.1.7", b"\x04\x00", True),
    }
    for combination in itertools.product(options, repeat=2):
        for anchor in ("numbers", "net", "inherited net", "none"):
            chain = layers(3)
            for index, label in enumerate((anchor, *combination)):
                if options[label]:
                    chain[index].extensions["res"] = options[label]
            yield f"{anchor} over {' over '.join(combination)}", scene(make(chain))
