"""Certificates with damage inside, in chains whose signatures are right, beside the installed library.

Damage to a finished certificate breaks its signature, which hides how the rest is read. Here the damage is done before
signing. Whatever OpenSSL finds malformed must be malformed for us; the other way round we may be stricter
(docs/verify-differences.md).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from fuzz.mutate_der import mutate_der
from handglass.crypto import der
from handglass.records import replace
from handglass.verify import Certificate, Crl, TrustStore, VerifyResult, verify_chain
from support.tally import note
from verify.support import build, openssl, scenes
from verify.support.openssl import Scene, Step

INPUTS = 1500
PARAMETERS = (
    scenes.AT_NOW,
    scenes.SERVER,
    scenes.STRICT,
    replace(scenes.SERVER, policies=(scenes.POLICY,), explicit_policy=True, hosts=("server.test",)),
    replace(scenes.SERVER, crl_check_all=True, extended_crl=True),
)


def rich() -> list[scenes.Layer]:
    """Give a right chain with every extension that is looked at."""
    layers = scenes.layers(3)
    for above, layer in zip([layers[0], *layers], layers, strict=False):
        layer.extensions["pol"] = build.policies(scenes.POLICY)
        layer.extensions["san"] = build.alternative_names(
            build.dns("server.test"),
            build.email("me@example.test"),
            build.ip(bytes(4)),
            build.directory(build.name("CN=x")),
            build.uri("http://a.test/"),
        )
        layer.extensions["cdp"] = build.distribution_points(
            build.distribution_point([build.uri("http://x/")]),
            build.distribution_point([build.uri("http://y/")], [1, 2], build.name("CN=x")),
        )
        layer.extensions["eku"] = build.extended_key_usage(build.SERVER, build.CLIENT)
        layer.extensions["ns"] = build.netscape_type(0xC7)
        if layer is layers[-1]:
            continue
        layer.extensions["bc"] = build.basic_constraints(True, 5)
        issuer = build.directory(layers[0].subject)
        layer.extensions["aki"] = build.authority_key_id(above.key.identifier, issuer, 1)
        layer.extensions["nc"] = build.name_constraints(
            [
                build.dns("test"),
                build.email("example.test"),
                build.ip(bytes(8)),
                build.directory(build.name("C=XX")),
                build.directory(build.name("CN=x")),
            ],
            [build.uri("b.test")],
        )
        layer.extensions["map"] = build.policy_mappings((scenes.OTHER_POLICY, scenes.THIRD_POLICY))
        layer.extensions["con"] = build.policy_constraints(3, 3)
        layer.extensions["any"] = build.inhibit_any(4)
    return layers


def damaged(source: random.Random) -> Scene:
    """Give that chain with damage inside one extension of one certificate."""
    layers = rich()
    layer = source.choice(layers)
    slot = source.choice(list(layer.extensions))
    identifier, *critical, value = der.parse(layer.extensions[slot]).children()
    layer.extensions[slot] = build.extension(
        der.object_identifier(identifier),
        mutate_der(source, value.content, list(layer.extensions.values())),
        bool(critical),
    )
    built = scenes.make(layers)
    lists = [build.crl(built[1]), build.crl(built[0])]
    return scenes.scene(built, source.choice(PARAMETERS), crls=lists)


def verify(scene: Scene) -> VerifyResult:
    """Let ours judge."""
    return verify_chain(
        Certificate(scene.leaf),
        [Certificate(each) for each in scene.untrusted],
        TrustStore([Certificate(each) for each in scene.anchors]),
        scene.params,
        0,
        crls=[Crl(each) for each in scene.crls],
    )


def test_the_undamaged_chain_is_good() -> None:
    """Or the test below would prove nothing."""
    for params in PARAMETERS:
        built = scenes.make(rich())
        assert verify(scenes.scene(built, params, crls=[build.crl(built[1]), build.crl(built[0])])).ok


@pytest.mark.skipif(openssl.library() is None, reason="no libcrypto 3.0 is installed")
def test_what_openssl_finds_malformed_is_malformed(record_property: Callable[[str, object], None]) -> None:
    """The same problems, or more of them because we found an extension malformed."""
    stricter = compare(map(damaged, sources()))
    note(record_property, "extensions damaged before signing", "the same as OpenSSL", INPUTS - len(stricter))
    note(record_property, "extensions damaged before signing", "stricter than OpenSSL", len(stricter))


@pytest.mark.skipif(openssl.library() is None, reason="no libcrypto 3.0 is installed")
def test_what_openssl_does_not_read_is_not_good(record_property: Callable[[str, object], None]) -> None:
    """Damage anywhere in the signed part; most of it makes OpenSSL refuse the certificate as a whole."""
    unread: list[Scene] = []
    compared: list[Scene] = []
    for source in sources():
        scene, certificate = damaged_anywhere(source)
        (compared if openssl.readable(certificate) else unread).append(scene)
    assert not any(verify(scene).ok for scene in unread)
    assert len(unread) > INPUTS // 3
    stricter = compare(compared)
    subject = "certificates damaged before signing"
    note(record_property, subject, "not read by OpenSSL, not good for us", len(unread))
    note(record_property, subject, "the same as OpenSSL", len(compared) - len(stricter))
    note(record_property, subject, "stricter than OpenSSL", len(stricter))


def damaged_anywhere(source: random.Random) -> tuple[Scene, bytes]:
    """Give a right chain in which one certificate was damaged before it was signed, and that certificate."""
    built = scenes.make(scenes.layers(3))
    place = source.randrange(3)
    signer = built[max(place - 1, 0)].key
    signed, algorithm, _ = der.parse(built[place].der).children()
    changed = mutate_der(source, signed.encoding, [built[place].der])
    signature = build.bits(signer.sign(changed, signer.algorithm))
    built[place] = replace(built[place], der=build.seq(changed, algorithm.encoding, signature))
    return scenes.scene(built, source.choice(PARAMETERS[:3])), built[place].der


def sources() -> Iterator[random.Random]:
    """Give the same randomness in every run, one source for each input."""
    return map(random.Random, range(INPUTS))


def compare(inputs: Iterable[Scene]) -> list[Scene]:
    """Give those for which our problems are not the library's; there we must have found something malformed."""
    stricter = []
    for scene in inputs:
        outcome, error, steps = openssl.run_library(scene)
        result = verify(scene)
        ours = [Step(event.kind, event.code, event.depth, event.on_crl_path) for event in result.events]
        if (ours, result.code, result.finished) == (steps, error, outcome > 0):
            continue
        read = [Certificate(each) for each in (scene.leaf, *scene.untrusted, *scene.anchors)]
        assert any(each.problems for each in read), f"OpenSSL {steps}, ours {ours}: {scene}"
        assert not result.ok, f"OpenSSL ends with {error}: {scene}"
        stricter.append(scene)
    assert len(stricter) < INPUTS // 100, stricter
    return stricter
