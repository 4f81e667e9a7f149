"""Hundreds of things to verify.

Each single fault at each place of chains of several lengths, and combinations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from handglass.records import dataclass, field, replace
from handglass.verify import Purpose, SuiteB, VerifyParams

from . import build
from .build import DAY, NOW, Built, Key
from .openssl import Scene

AT_NOW = VerifyParams(time=NOW)
SERVER = VerifyParams(time=NOW, purpose=Purpose.SSL_SERVER)
STRICT = VerifyParams(time=NOW, x509_strict=True)
NAMES = ("root", "one", "two", "three", "leaf")
POLICY = "1.3.6.1.4.1.99999.1"
OTHER_POLICY = "1.3.6.1.4.1.99999.2"
THIRD_POLICY = "1.3.6.1.4.1.99999.3"
UNKNOWN = build.extension("1.3.6.1.4.1.99999.77", b"\x05\x00", True)


@dataclass()
class Layer:
    """One certificate to be: its extensions by a name, so that a fault can replace one.

    The builder's arguments.
    """

    subject: bytes
    key: Key
    extensions: dict[str, bytes]
    options: dict[str, Any] = field(default_factory=dict)


def layers(length: int, keys: Sequence[Key] | None = None) -> list[Layer]:
    """Give a right chain: a root, `length` - 2 intermediates, a leaf."""
    found: list[Layer] = []
    for index in range(length):
        last = index == length - 1
        label = "leaf" if last else NAMES[index]
        key = keys[index] if keys else build.ec_key(label)
        above = found[-1].key if found else key
        extensions = {
            "bc": build.basic_constraints(),
            "ku": build.key_usage(build.CERT_SIGN, build.CRL_SIGN),
            "ski": build.subject_key_id(key.identifier),
            "aki": build.authority_key_id(above.identifier),
        }
        if last:
            extensions["ku"] = build.key_usage(build.DIGITAL_SIGNATURE)
            extensions["eku"] = build.extended_key_usage(build.SERVER)
            extensions["san"] = build.alternative_names(build.dns("server.test"))
            del extensions["bc"]
        found.append(
            Layer(build.name("C=XX", "O=Lab", f"CN={label}"), key, extensions, {"serial": index + 1})
        )
    return found


def make(chain: Sequence[Layer]) -> list[Built]:
    """Build them, root first."""
    built: list[Built] = []
    for layer in chain:
        above = built[-1] if built else None
        extensions = list(layer.extensions.values())
        built.append(build.certificate(layer.subject, layer.key, above, extensions, **layer.options))
    return built


def scene(built: Sequence[Built], params: VerifyParams = AT_NOW, **changes: Any) -> Scene:
    """Leaf last, root first; the root is the anchor, the rest was sent."""
    standard = Scene(built[-1].der, [item.der for item in built[1:-1]], [built[0].der], (), params)
    return replace(standard, **changes)


# --- single faults, for any place -----------------------------------------------------------------

Fault = Callable[[Layer], None]


def option(**options: Any) -> Fault:
    return lambda layer: layer.options.update(options)


def put(slot: str, value: bytes) -> Fault:
    return lambda layer: layer.extensions.update({slot: value})


def drop(*slots: str) -> Fault:
    def fault(layer: Layer) -> None:
        for slot in slots:
            layer.extensions.pop(slot, None)

    return fault


def all_of(*faults: Fault) -> Fault:
    def fault(layer: Layer) -> None:
        for each in faults:
            each(layer)

    return fault


def with_key(key: Callable[[], Key]) -> Fault:
    def fault(layer: Layer) -> None:
        layer.key = key()

    return fault


def all_extensions_dropped(layer: Layer) -> None:
    layer.extensions.clear()


def repeated(layer: Layer) -> None:
    layer.extensions["again"] = layer.extensions["ku"]


FAULTS: dict[str, Fault] = {
    "none": option(),
    "expired": option(end=NOW - DAY),
    "just expired": option(end=NOW),
    "starts now": option(start=NOW),
    "not yet valid": option(start=NOW + DAY),
    "both times wrong": option(start=NOW + DAY, end=NOW - DAY),
    "bad signature": option(damage=True),
    "algorithms differ": option(inner=build.algorithm(build.SHA1_ECDSA)),
    "algorithm unknown": option(outer=build.algorithm("1.3.6.1.4.1.99999.5")),
    "algorithm of another key": option(outer=build.algorithm(build.SHA256_RSA, null=True)),
    "sha1": option(outer=build.algorithm(build.SHA1_ECDSA)),
    "time without seconds": option(
        validity=build.seq(build.encode(0x17, b"2001010000Z"), build.time(NOW + DAY))
    ),
    "time with offset": option(
        validity=build.seq(build.time(NOW - DAY), build.encode(0x17, b"300101000000+0100"))
    ),
    "time with fraction": option(
        validity=build.seq(build.time(NOW - DAY), build.encode(0x18, b"20300101000000.5Z"))
    ),
    "both times malformed": option(
        validity=build.seq(build.encode(0x17, b"2001010000Z"), build.encode(0x17, b"3001010000Z"))
    ),
    "no basic constraints": drop("bc"),
    "not a ca": put("bc", build.basic_constraints(False)),
    "ca": put("bc", build.basic_constraints(True)),
    "path length 0": put("bc", build.basic_constraints(True, 0)),
    "path length 1": put("bc", build.basic_constraints(True, 1)),
    "path length of no ca": put("bc", build.basic_constraints(False, 3)),
    "negative path length": put("bc", build.basic_constraints(True, -1)),
    "constraints not critical": put("bc", build.basic_constraints(critical=False)),
    "malformed constraints": put("bc", build.extension("2.5.29.19", b"\x02\x01\x05", True)),
    "no key usage": drop("ku"),
    "no constraints, no usage": drop("bc", "ku"),
    "usage without signing": put("ku", build.key_usage(build.CRL_SIGN)),
    "usage certificates": put("ku", build.key_usage(build.CERT_SIGN)),
    "usage encipherment": put("ku", build.key_usage(build.KEY_ENCIPHERMENT)),
    "usage agreement": put("ku", build.key_usage(build.KEY_AGREEMENT)),
    "empty usage": put("ku", build.key_usage()),
    "malformed usage": put("ku", build.extension("2.5.29.15", b"\x04\x01\x05", True)),
    "extension twice": repeated,
    "usage client": put("eku", build.extended_key_usage(build.CLIENT)),
    "usage server": put("eku", build.extended_key_usage(build.SERVER)),
    "usage any": put("eku", build.extended_key_usage(build.ANY_USAGE)),
    "usage gated": put("eku", build.extended_key_usage("2.16.840.1.113730.4.1")),
    "usage mail": put("eku", build.extended_key_usage(build.EMAIL_PROTECTION)),
    "usage unknown": put("eku", build.extended_key_usage("1.3.6.1.4.1.99999.9")),
    "empty extended usage": put("eku", build.extended_key_usage()),
    "usage time stamping": put("eku", build.extended_key_usage(build.TIME_STAMPING, critical=True)),
    "netscape server": put("ns", build.netscape_type(0x40)),
    "netscape client": put("ns", build.netscape_type(0x80)),
    "netscape ssl ca": all_of(drop("bc", "ku"), put("ns", build.netscape_type(0x04))),
    "netscape mail ca": all_of(drop("bc", "ku"), put("ns", build.netscape_type(0x02))),
    "unknown critical": put("x", UNKNOWN),
    "key id critical": put("ski", build.subject_key_id(b"12345", True)),
    "authority id critical": put("aki", build.authority_key_id(b"12345", critical=True)),
    "no key id": drop("ski"),
    "no authority id": drop("aki"),
    "no ids": drop("ski", "aki"),
    "wrong authority id": put("aki", build.authority_key_id(b"wrong")),
    "wrong authority serial": put(
        "aki", build.authority_key_id(None, build.directory(build.name("CN=x")), 9)
    ),
    "authority by issuer": put(
        "aki", build.authority_key_id(None, build.directory(build.name("C=XX", "O=Lab", "CN=root")), 1)
    ),
    "malformed authority id": put("aki", build.extension("2.5.29.35", b"\x04\x00")),
    "version 1": option(version=1),
    "version 1, no extensions": all_of(all_extensions_dropped, option(version=1)),
    "version 2": option(version=2),
    "no extensions": all_extensions_dropped,
    "negative serial": option(raw_serial=build.integer(-5)),
    "long serial": option(raw_serial=build.integer(1 << 200)),
    "empty alternative names": put("san", build.alternative_names()),
    "malformed alternative names": put("san", build.extension("2.5.29.17", b"\x30\x02\x9f\x00")),
    "policy twice": put("pol", build.policies(POLICY, POLICY)),
    "point without name": put("cdp", build.distribution_points(build.distribution_point(reasons=[1]))),
    "weak rsa": with_key(lambda: build.rsa_key(1024)),
    "rsa": with_key(lambda: build.rsa_key(2048)),
    "ed25519": with_key(lambda: build.ed25519_key("x")),
    "p384": with_key(lambda: build.ec_key("p384", ec.SECP384R1)),
    "p521": with_key(lambda: build.ec_key("p521", ec.SECP521R1)),
    "brainpool": with_key(lambda: build.ec_key("bp", ec.BrainpoolP256R1)),
    "key unreadable": option(
        spki=build.seq(build.algorithm("1.2.840.113549.1.1.1", null=True), build.bits(b"xx"))
    ),
    "key of unknown kind": option(spki=build.seq(build.algorithm("1.3.6.1.4.1.99999.6"), build.bits(b"xx"))),
    "point not on the curve": option(
        spki=build.seq(
            build.seq(build.oid("1.2.840.10045.2.1"), build.oid("1.2.840.10045.3.1.7")),
            build.bits(b"\x04" + b"\x11" * 64),
        )
    ),
    "issuer name in other case": lambda layer: layer.options.update(
        issuer_name=build.name("C=XX", "O=lab", "CN=  ROOT ")
    ),
}


def with_fault(length: int, place: int, fault: Fault) -> list[Built]:
    chain = layers(length)
    fault(chain[place])
    for above, layer in zip([chain[0], *chain], chain, strict=False):
        if "aki" in layer.extensions and layer.key is not build.ec_key("nobody"):
            expected = build.authority_key_id(build.ec_key(_label(chain, above)).identifier)
            if layer.extensions["aki"] == expected and layer is not chain[place]:
                layer.extensions["aki"] = build.authority_key_id(above.key.identifier)
    if "ski" in chain[place].extensions and chain[place].key is not build.ec_key(_label(chain, chain[place])):
        chain[place].extensions["ski"] = build.subject_key_id(chain[place].key.identifier)
        if place == 0:
            chain[0].extensions["aki"] = build.authority_key_id(chain[0].key.identifier)
    return make(chain)


def _label(chain: Sequence[Layer], layer: Layer) -> str:
    index = next(at for at, item in enumerate(chain) if item is layer)
    return "leaf" if index == len(chain) - 1 else NAMES[index]


def single_faults() -> Iterator[tuple[str, Scene]]:
    """Each fault at each place of chains of 2 to 4 certificates, for three sets of parameters."""
    for length in (2, 3, 4):
        for place in range(length):
            for label, fault in FAULTS.items():
                built = with_fault(length, place, fault)
                for kind, params in (("plain", AT_NOW), ("server", SERVER), ("strict", STRICT)):
                    yield f"{label} at {length - 1 - place} of {length}, {kind}", scene(built, params)


# --- building -------------------------------------------------------------------------------------


def building(*, library_only: bool = False) -> Iterator[tuple[str, Scene]]:
    built = make(layers(4))
    root, one, two, leaf = (item.der for item in built)
    stranger = build.certificate(
        build.name("C=XX", "O=Lab", "CN=root"),
        build.ec_key("stranger"),
        None,
        [build.basic_constraints(), build.key_usage(build.CERT_SIGN)],
    ).der
    expired_one = build.certificate(
        built[1].subject,
        built[1].key,
        built[0],
        build.ca_extensions(built[1].key, built[0].key),
        end=NOW - DAY,
        serial=77,
    ).der
    older_one = build.certificate(
        built[1].subject,
        built[1].key,
        built[0],
        build.ca_extensions(built[1].key, built[0].key),
        end=NOW - 2 * DAY,
        serial=78,
    ).der
    cross_root = build.certificate(
        build.name("CN=old root"), build.ec_key("old"), None, build.ca_extensions(build.ec_key("old"))
    )
    cross = build.certificate(
        built[0].subject,
        built[0].key,
        cross_root,
        build.ca_extensions(built[0].key, cross_root.key),
        serial=99,
    ).der
    own = build.certificate(
        build.name("CN=self"), build.ec_key("self"), None, [build.alternative_names(build.dns("self.test"))]
    ).der
    own_ca = build.certificate(
        build.name("CN=self ca"), build.ec_key("selfca"), None, build.ca_extensions(build.ec_key("selfca"))
    ).der
    cases: dict[str, tuple[bytes, list[bytes], list[bytes]]] = {
        "complete": (leaf, [one, two], [root]),
        "reversed": (leaf, [two, one], [root]),
        "root sent too": (leaf, [root, two, one], [root]),
        "no anchor": (leaf, [one, two], []),
        "no anchor, root sent": (leaf, [one, two, root], []),
        "missing one": (leaf, [two], [root]),
        "missing two": (leaf, [one], [root]),
        "nothing sent": (leaf, [], [root]),
        "nothing at all": (leaf, [], []),
        "intermediate is the anchor": (leaf, [two], [one]),
        "issuer is the anchor": (leaf, [], [two]),
        "leaf is the anchor": (leaf, [], [leaf]),
        "all are anchors": (leaf, [], [root, one, two]),
        "leaf and root anchors": (leaf, [], [leaf, root]),
        "another root of that name": (leaf, [one, two], [stranger]),
        "both roots": (leaf, [one, two], [stranger, root]),
        "root sent, other trusted": (leaf, [one, two, root], [stranger]),
        "an expired one too": (leaf, [expired_one, one, two], [root]),
        "only expired ones": (leaf, [older_one, expired_one, two], [root]),
        "expired in store": (leaf, [two], [older_one, expired_one, root]),
        "cross": (leaf, [one, two, cross], [cross_root.der]),
        "cross and root": (leaf, [one, two, cross], [root]),
        "cross, both trusted": (leaf, [one, two, cross], [root, cross_root.der]),
        "self-signed": (own, [], []),
        "self-signed trusted": (own, [], [own]),
        "self-signed sent twice": (own, [own], []),
        "self-signed ca": (own_ca, [], []),
        "self-signed ca trusted": (own_ca, [], [own_ca]),
        "root verified": (root, [], [root]),
        "intermediate verified": (one, [], [root]),
        "duplicates": (leaf, [leaf, two, two, one, one], [root]),
    }
    variants = {
        "": AT_NOW,
        ", server": SERVER,
        ", partial": replace(AT_NOW, partial_chain=True),
        ", partial server": replace(SERVER, partial_chain=True),
        ", check_ss_sig": replace(AT_NOW, check_ss_sig=True),
        ", strict": STRICT,
        **{f", depth {depth}": replace(AT_NOW, depth=depth) for depth in (0, 1, 2, 3)},
    }
    if library_only:
        untrusted_first = replace(AT_NOW, trusted_first=False)
        variants = {
            ", untrusted first": untrusted_first,
            ", untrusted first, partial": replace(untrusted_first, partial_chain=True),
            ", no alternatives": replace(untrusted_first, no_alt_chains=True),
            **{
                f", untrusted first, depth {depth}": replace(untrusted_first, depth=depth)
                for depth in (0, 1, 2)
            },
        }
    for label, (subject, sent, anchors) in cases.items():
        for suffix, params in variants.items():
            yield f"{label}{suffix}", Scene(subject, sent, anchors, (), params)


def alternatives() -> Iterator[tuple[str, Scene]]:
    """The same without `trusted_first`, which no program can switch off."""
    yield from building(library_only=True)


# --- purposes, names, strength --------------------------------------------------------------------

LEAF_KINDS = (
    "none",
    "usage client",
    "usage server",
    "usage any",
    "usage gated",
    "usage mail",
    "usage unknown",
    "empty extended usage",
    "usage time stamping",
    "no key usage",
    "usage encipherment",
    "usage agreement",
    "usage certificates",
    "netscape server",
    "netscape client",
    "netscape mail ca",
    "netscape ssl ca",
    "no constraints, no usage",
)


def purposes() -> Iterator[tuple[str, Scene]]:
    for place in (2, 1):
        for label in LEAF_KINDS:
            built = with_fault(3, place, FAULTS[label])
            for purpose in Purpose:
                params = replace(AT_NOW, purpose=purpose)
                yield f"{label} at {2 - place} for {purpose.value}", scene(built, params)


def names() -> Iterator[tuple[str, Scene]]:
    def leaf(subject: bytes, *alternatives: bytes) -> list[Built]:
        chain = layers(3)
        chain[-1].subject = subject
        chain[-1].extensions.pop("san")
        if alternatives:
            chain[-1].extensions["san"] = build.alternative_names(*alternatives)
        return make(chain)

    cn = build.name("C=XX", "CN=www.example.test", "emailAddress=Me@Example.test")
    leaves = {
        "common name": leaf(cn),
        "wildcard common name": leaf(build.name("CN=*.example.test")),
        "dns": leaf(cn, build.dns("www.example.test"), build.dns("*.wild.test"), build.dns("f*.part.test")),
        "partial": leaf(cn, build.dns("*b.part.test"), build.dns("a*b.mid.test"), build.dns("*.test")),
        "idna": leaf(
            cn,
            build.dns("xn--*.idn.test"),
            build.dns("*.idn.test"),
            build.dns("f*.idn2.test"),
            build.dns("x*.idn3.test"),
            build.dns("*a.idn4.test"),
        ),
        "odd": leaf(cn, build.dns("a_b.example.test"), build.dns(".dot.test"), build.dns("end.test.")),
        "nul": leaf(cn, build.dns("www.evil.test\0.example.test")),
        "mail": leaf(cn, build.email("Me@Example.test"), build.email('"a@b"@c.test')),
        "address": leaf(cn, build.ip(bytes((127, 0, 0, 1))), build.ip(bytes(15) + b"\x01")),
        "two common names": leaf(build.name("CN=a.test", "CN=b.test")),
        "bmp": leaf(build.seq(build.set_of(build.attribute("CN", "bmp.test", build.BMP)))),
        "no names": leaf(build.name("O=Lab")),
        "empty dns": leaf(cn, build.dns("")),
        "other": leaf(
            cn,
            build.other("1.3.6.1.5.5.7.8.9", build.encode(0x0C, "mé@example.test".encode())),
        ),
    }
    hosts = (
        "www.example.test",
        "WWW.EXAMPLE.TEST",
        "example.test",
        "a.wild.test",
        "a.b.wild.test",
        "wild.test",
        "foo.part.test",
        "ab.part.test",
        "axb.mid.test",
        "x.test",
        "xn--a.idn.test",
        "fxn--a.idn2.test",
        "xn--a.idn3.test",
        "xn--a.idn4.test",
        "xna.idn4.test",
        "a_b.example.test",
        ".example.test",
        ".test",
        ".dot.test",
        "end.test",
        "end.test.",
        "www.evil.test",
        "a.test",
        "b.test",
        "bmp.test",
        "*.wild.test",
        "127.0.0.1",
    )
    for label, built in leaves.items():
        for host in hosts:
            yield f"{label}, host {host}", scene(built, replace(SERVER, hosts=(host,)))
        for address in (
            "Me@Example.test",
            "me@example.test",
            "Me@EXAMPLE.TEST",
            '"a@b"@C.test',
            "mé@example.test",
        ):
            yield f"{label}, mail {address}", scene(built, replace(AT_NOW, email=address))
        for raw in (bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2)), bytes(15) + b"\x01"):
            yield f"{label}, ip {raw.hex()}", scene(built, replace(AT_NOW, ip=raw))
    yield "two hosts", scene(leaves["dns"], replace(AT_NOW, hosts=("nowhere.test", "q.wild.test")))
    yield (
        "all wrong",
        scene(
            leaves["dns"],
            replace(SERVER, hosts=("a.test",), email="a@b", ip=b"1234", purpose=Purpose.SMIME_SIGN),
        ),
    )


def strength() -> Iterator[tuple[str, Scene]]:
    for fault in (
        "none",
        "sha1",
        "weak rsa",
        "rsa",
        "ed25519",
        "p384",
        "p521",
        "brainpool",
        "key unreadable",
    ):
        for place in (0, 1, 2):
            built = with_fault(3, place, FAULTS[fault])
            for level in range(7):
                yield (
                    f"{fault} at {2 - place}, level {level}",
                    scene(built, replace(AT_NOW, auth_level=level)),
                )
            for suite in SuiteB:
                yield (
                    f"{fault} at {2 - place}, suite B {suite.value}",
                    scene(built, replace(AT_NOW, suite_b=suite)),
                )
    p384 = [build.ec_key(f"384-{index}", ec.SECP384R1) for index in range(3)]
    p256 = [build.ec_key(f"256-{index}") for index in range(3)]
    for mask in range(8):
        keys = [(p384 if mask >> index & 1 else p256)[index] for index in range(3)]
        built = make(layers(3, keys))
        for suite in SuiteB:
            yield f"curves {mask:03b}, suite B {suite.value}", scene(built, replace(AT_NOW, suite_b=suite))
    chain = layers(3, p384)
    chain[1].options["version"] = 1
    yield "version 1, suite B", scene(make(chain), replace(AT_NOW, suite_b=SuiteB.LEVEL_192))
    untrusted = scene(with_fault(3, 2, FAULTS["weak rsa"]), replace(AT_NOW, auth_level=2), anchors=())
    yield "weak and untrusted", untrusted
