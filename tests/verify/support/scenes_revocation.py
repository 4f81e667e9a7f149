"""CRLs of all kinds: missing, expired, of others, for some reasons, indirect, delta."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handglass.records import replace
from handglass.verify import SuiteB

from . import build
from .build import DAY, NOW, Built
from .openssl import Scene
from .scenes import AT_NOW, layers, make, scene

POINT = build.uri("http://crl.test/a.crl")
OTHER_POINT = build.uri("http://crl.test/b.crl")
CHECK = replace(AT_NOW, crl_check=True)
ALL = replace(AT_NOW, crl_check_all=True)
EXTENDED = replace(CHECK, extended_crl=True)
DELTAS = replace(CHECK, extended_crl=True, use_deltas=True)
STEM = (("leaf", CHECK), ("all", ALL), ("extended", EXTENDED), ("deltas", DELTAS))


def _chain(*points: bytes, freshest: bool = False, ca_points: Sequence[bytes] = ()) -> list[Built]:
    chain = layers(3)
    if points:
        chain[2].extensions["cdp"] = build.distribution_points(*points)
    if freshest:
        chain[2].extensions["fresh"] = build.freshest(build.distribution_point([POINT]))
    if ca_points:
        chain[1].extensions["cdp"] = build.distribution_points(*ca_points)
    return make(chain)


def simple() -> Iterator[tuple[str, Scene]]:
    built = _chain()
    root, one, leaf = built
    good = build.crl(one)
    of_root = build.crl(root)
    entry = build.revoked(leaf.serial)
    stranger = build.certificate(one.subject, build.ec_key("stranger"))
    later = build.crl(one, start=NOW - DAY)
    cases: dict[str, list[bytes]] = {
        "none": [],
        "good": [good],
        "both": [good, of_root],
        "root's only": [of_root],
        "revoked": [build.crl(one, [entry]), of_root],
        "revoked with reason": [build.crl(one, [build.revoked(leaf.serial, build.reason(1))])],
        "revoked, removed": [build.crl(one, [build.revoked(leaf.serial, build.reason(8))])],
        "another revoked": [build.crl(one, [build.revoked(4711)])],
        "ca revoked": [good, build.crl(root, [build.revoked(one.serial)])],
        "root revoked": [good, build.crl(root, [build.revoked(root.serial)])],
        "expired": [build.crl(one, end=NOW - DAY), of_root],
        "not yet valid": [build.crl(one, start=NOW + DAY), of_root],
        "no next update": [build.crl(one, end=None), of_root],
        "damaged": [build.crl(one, damage=True), of_root],
        "damaged and revoked": [build.crl(one, [entry], damage=True)],
        "of a stranger": [build.crl(stranger)],
        "of a stranger without key id": [build.crl(stranger, key_id=False)],
        "no key id": [build.crl(one, key_id=False), of_root],
        "no number": [build.crl(one, extensions=[])],
        "unknown critical": [build.crl(one, extensions=[build.extension("1.2.3.4", b"\x05\x00", True)])],
        "unknown critical entry": [
            build.crl(one, [build.revoked(99, build.extension("1.2.3.4", b"\x05\x00", True))])
        ],
        "newer revokes": [good, build.crl(one, [entry], start=NOW - DAY)],
        "older revokes": [build.crl(one, [entry]), later],
        "expired one and good": [build.crl(one, [entry], end=NOW - DAY), good],
        "same entry twice": [build.crl(one, [entry, build.revoked(leaf.serial, build.reason(8))])],
    }
    for label, crls in cases.items():
        for kind, params in STEM:
            yield f"{label}, {kind}", scene(built, params, crls=crls)
        yield f"{label}, critical ignored", scene(built, replace(CHECK, ignore_critical=True), crls=crls)
        yield f"{label}, not asked", scene(built, AT_NOW, crls=crls)
    yield "crl of suite b", scene(built, replace(CHECK, suite_b=SuiteB.LEVEL_128), crls=[good])
    no_sign = layers(3)
    no_sign[1].extensions["ku"] = build.key_usage(build.CERT_SIGN)
    weak = make(no_sign)
    yield "no crl sign", scene(weak, CHECK, crls=[build.crl(weak[1])])
    yield (
        "partial",
        scene(built, replace(ALL, partial_chain=True), anchors=[one.der], untrusted=[], crls=[good, of_root]),
    )
    yield "issuer only", scene(built, ALL, anchors=[one.der], untrusted=[], crls=[good])


def scopes() -> Iterator[tuple[str, Scene]]:
    plain = _chain()
    pointed = _chain(build.distribution_point([POINT]))
    by_reason = _chain(
        build.distribution_point([POINT], reasons=[1, 2]),
        build.distribution_point([OTHER_POINT], reasons=range(3, 9)),
    )
    relative = _chain(build.seq(build.context(0, build.context(1, build.attribute("CN", "part")))))
    for who, built in (
        ("plain", plain),
        ("pointed", pointed),
        ("by reason", by_reason),
        ("relative", relative),
    ):
        one, leaf = built[1], built[2]
        entry = build.revoked(leaf.serial)
        part_name = build.name("C=XX", "O=Lab", "CN=one", build.set_of(build.attribute("CN", "part")))
        points = {
            "whole": [],
            "user": [build.issuing_point(user=True)],
            "ca": [build.issuing_point(ca=True)],
            "attribute": [build.issuing_point(attribute_only=True)],
            "user and ca": [build.issuing_point(user=True, ca=True)],
            "point": [build.issuing_point([POINT])],
            "other point": [build.issuing_point([OTHER_POINT])],
            "two points": [build.issuing_point([OTHER_POINT, POINT])],
            "directory point": [build.issuing_point([build.directory(part_name)])],
            "relative point": [
                build.extension(
                    "2.5.29.28",
                    build.seq(build.context(0, build.context(1, build.attribute("CN", "part")))),
                    True,
                )
            ],
            "reasons": [build.issuing_point(reasons=[1, 2])],
            "reasons at point": [build.issuing_point([POINT], reasons=[1, 2])],
            "malformed": [build.extension("2.5.29.28", b"\x04\x00", True)],
        }
        for label, extensions in points.items():
            for entries in ([], [entry]):
                crls = [build.crl(one, entries, [build.crl_number(1), *extensions])]
                for kind, params in STEM:
                    suffix = "revoked, " if entries else ""
                    yield f"{who}, {label}, {suffix}{kind}", scene(built, params, crls=crls)
        rest = [1, 2], list(range(3, 9))
        parts = [
            build.crl(one, [], [build.crl_number(1), build.issuing_point([POINT], reasons=rest[0])]),
            build.crl(one, [], [build.crl_number(2), build.issuing_point([OTHER_POINT], reasons=rest[1])]),
        ]
        revoking = build.crl(
            one, [entry], [build.crl_number(2), build.issuing_point([OTHER_POINT], reasons=rest[1])]
        )
        for kind, params in STEM:
            yield f"{who}, both parts, {kind}", scene(built, params, crls=parts)
            yield f"{who}, second part revokes, {kind}", scene(built, params, crls=[parts[0], revoking])
            yield f"{who}, one part, {kind}", scene(built, params, crls=parts[:1])


def indirect() -> Iterator[tuple[str, Scene]]:
    plain = layers(3)
    key = build.ec_key("crl signer")
    base = make(plain)
    root, one = base[0], base[1]
    signer = build.certificate(
        build.name("C=XX", "O=Lab", "CN=crl signer"),
        key,
        root,
        [
            build.key_usage(build.CRL_SIGN),
            build.subject_key_id(key.identifier),
            build.authority_key_id(root.key.identifier),
        ],
        serial=50,
    )
    bad_signer = build.certificate(
        signer.subject, key, root, [build.key_usage(build.DIGITAL_SIGNATURE)], serial=51
    )
    expired_signer = build.certificate(
        signer.subject, key, root, [build.key_usage(build.CRL_SIGN)], serial=52, end=NOW - DAY
    )
    lost = build.certificate(
        signer.subject,
        key,
        None,
        [build.key_usage(build.CRL_SIGN)],
        issuer_name=build.name("CN=nobody"),
        serial=53,
    )
    plain[2].extensions["cdp"] = build.distribution_points(
        build.distribution_point([POINT], issuer=signer.subject)
    )
    pointed = make(plain)
    leaf = pointed[2]
    point = build.issuing_point([POINT], indirect=True)
    named = build.certificate_issuer(one.subject)
    contents: dict[str, list[bytes]] = {
        "empty": [],
        "revoked": [build.revoked(leaf.serial, named)],
        "revoked of another issuer": [build.revoked(leaf.serial, build.certificate_issuer(root.subject))],
        "issuer sticks": [build.revoked(77, named), build.revoked(leaf.serial)],
        "issuer changes": [
            build.revoked(77, named),
            build.revoked(78, build.certificate_issuer(root.subject)),
            build.revoked(leaf.serial),
        ],
        "no issuer": [build.revoked(leaf.serial)],
    }
    for who, built in (("named", pointed), ("unnamed", base)):
        for label, entries in contents.items():
            for by, holder in (
                ("signer", signer),
                ("signer without usage", bad_signer),
                ("expired signer", expired_signer),
                ("lost signer", lost),
            ):
                crls = [build.crl(holder, entries, [build.crl_number(1), point])]
                sent = [built[1].der, holder.der]
                for kind, params in STEM:
                    yield f"{who}, {label}, {by}, {kind}", scene(built, params, crls=crls, untrusted=sent)
    # the CA's CRLs signed with another key of its own
    second_key = build.ec_key("second key")
    second = build.certificate(
        one.subject,
        second_key,
        root,
        [build.key_usage(build.CRL_SIGN), build.subject_key_id(second_key.identifier)],
        serial=60,
    )
    for kind, params in STEM:
        crls = [build.crl(second)]
        yield f"second key, {kind}", scene(base, params, crls=crls, untrusted=[one.der, second.der])
        yield f"second key, not sent, {kind}", scene(base, params, crls=crls)


def deltas() -> Iterator[tuple[str, Scene]]:
    for who, built in (("freshest", _chain(freshest=True)), ("plain", _chain())):
        one, leaf = built[1], built[2]
        entry = build.revoked(leaf.serial)
        removed = build.revoked(leaf.serial, build.reason(8))

        def base(
            entries: Sequence[bytes] = (), number: int = 1, end: int = NOW + DAY, by: Built = one
        ) -> bytes:
            return build.crl(by, entries, [build.crl_number(number)], end=end)

        def delta(
            entries: Sequence[bytes] = (), number: int = 2, of: int = 1, end: int = NOW + DAY, by: Built = one
        ) -> bytes:
            extensions = [build.crl_number(number), build.delta_indicator(of)]
            return build.crl(by, entries, extensions, end=end)

        cases: dict[str, list[bytes]] = {
            "revoked in delta": [base(), delta([entry])],
            "delta first": [delta([entry]), base()],
            "removed in delta": [base([entry]), delta([removed])],
            "nothing new": [base(), delta()],
            "revoked in base": [base([entry]), delta()],
            "delta too old": [base(number=5), delta([entry], number=4)],
            "delta of a newer base": [base(number=1), delta([entry], number=9, of=5)],
            "expired base": [base(end=NOW - DAY), delta()],
            "expired delta": [base(), delta([entry], end=NOW - DAY)],
            "damaged delta": [
                base(),
                build.crl(one, [], [build.crl_number(2), build.delta_indicator(1)], damage=True),
            ],
        }
        for label, crls in cases.items():
            for kind, params in STEM:
                yield f"{who}, {label}, {kind}", scene(built, params, crls=crls)
