"""Whom to trust besides self-signed roots: "TRUSTED CERTIFICATE" settings and TLSA records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from handglass.records import replace
from handglass.verify import Purpose

from . import build
from .build import DAY, NOW, Built
from .openssl import Scene
from .scenes import AT_NOW, SERVER, layers, make


def trust_settings() -> Iterator[tuple[str, Scene]]:
    built = make(layers(3))
    root, one, leaf = (item.der for item in built)
    purposes: list[tuple[str, ...]] = [
        (),
        (build.SERVER,),
        (build.CLIENT,),
        (build.ANY_USAGE,),
        (build.SERVER, build.EMAIL_PROTECTION),
        ("1.3.6.1.4.1.99999.8",),
    ]
    for trusted in purposes:
        for rejected in purposes:
            for purpose in (None, *Purpose):
                for partial in (False, True):
                    params = replace(AT_NOW, purpose=purpose, partial_chain=partial)
                    for what, sent, anchors in (
                        ("root", [one], [root]),
                        ("intermediate", [], [one]),
                        ("leaf", [], [leaf]),
                    ):
                        label = f"{what} for {trusted} not {rejected}, {purpose}, {partial}"
                        yield label, Scene(leaf, sent, anchors, (), params, (trusted, rejected))


def dane() -> Iterator[tuple[str, Scene]]:
    """TLSA records of every usage, selector and matching type, for every certificate, with and without an anchor."""
    built = make(layers(4))
    labels = ("root", "one", "two", "leaf")
    shapes = [(0, 0), (0, 1), (1, 0), (1, 2)]

    def record(usage: int, selector: int, matching: int, item: Built) -> tuple[int, int, int, bytes]:
        data = item.key.spki if selector else item.der
        if matching:
            data = (hashlib.sha256 if matching == 1 else hashlib.sha512)(data).digest()
        return usage, selector, matching, data

    anchors = {
        "anchor": [built[0].der],
        "no anchor": [],
        "other anchor": [_stranger()],
        "middle": [built[1].der],
    }
    variants = {
        "": SERVER,
        "host": replace(SERVER, hosts=("server.test",)),
        "other host": replace(SERVER, hosts=("x.test",)),
        "late": replace(SERVER, time=NOW + 1000 * DAY),
        "partial": replace(SERVER, partial_chain=True),
        "depth 1": replace(SERVER, depth=1),
    }
    for usage in range(4):
        for selector, matching in shapes:
            for label, item in zip(labels, built, strict=True):
                one = record(usage, selector, matching, item)
                for where, trusted in anchors.items():
                    for kind, params in variants.items():
                        for sent, between in (("all", built[:-1]), ("middle", built[1:-1]), ("none", ())):
                            text = f"{usage} {selector} {matching} {label}, {where}, {kind}, sent {sent}"
                            untrusted = [each.der for each in reversed(between)]
                            yield text, Scene(built[-1].der, untrusted, trusted, (), params, tlsa=(one,))
    mixed = [
        (record(0, 0, 1, built[0]), record(3, 1, 1, built[3])),
        (record(1, 1, 1, built[3]), record(2, 0, 1, built[1])),
        (record(2, 1, 1, built[0]), record(2, 0, 1, built[0])),
        ((3, 1, 1, bytes(32)), record(3, 1, 2, built[3])),
        ((3, 1, 2, bytes(64)), record(3, 1, 1, built[3])),
        ((3, 1, 2, bytes(64)), record(3, 0, 1, built[3])),
        ((3, 1, 1, bytes(32)), record(3, 1, 0, built[3])),
        ((3, 1, 1, bytes(32)), record(1, 1, 1, built[3])),
        (record(0, 1, 1, built[1]), (1, 1, 1, bytes(32))),
        (record(2, 0, 0, built[0]), record(2, 1, 0, built[0])),
    ]
    for number, records in enumerate(mixed):
        for where, trusted in anchors.items():
            for kind, params in variants.items():
                untrusted = [each.der for each in reversed(built[1:-1])]
                yield (
                    f"mixed {number}, {where}, {kind}",
                    Scene(built[-1].der, untrusted, trusted, (), params, tlsa=records),
                )


def _stranger() -> bytes:
    return build.certificate(
        build.name("C=XX", "O=Lab", "CN=root"),
        build.ec_key("stranger"),
        None,
        [build.basic_constraints(), build.key_usage(build.CERT_SIGN)],
    ).der
