"""Mutated certificates and CRLs: whatever comes in, nothing escapes and the time is bounded."""

from __future__ import annotations

import random
import time

import pytest

from handglass.records import replace
from handglass.verify import Certificate, Crl, Purpose, TrustStore, VerifyParams, VerifyResult, verify_chain
from verify.support import build, openssl, scenes, scenes_extensions, scenes_revocation
from verify.support.openssl import Scene

ROUNDS = 1500
EVERYTHING = VerifyParams(
    time=build.NOW,
    purpose=Purpose.SSL_SERVER,
    hosts=("server.test",),
    email="me@example.test",
    ip=bytes(4),
    auth_level=2,
    crl_check_all=True,
    extended_crl=True,
    use_deltas=True,
    policies=(scenes.POLICY,),
    explicit_policy=True,
    policy_print=True,
    x509_strict=True,
    check_ss_sig=True,
    allow_proxy_certs=True,
)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Change a few bytes: flip, set, cut, double, insert; lengths and tags are hit as often as the rest."""
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        at = draw.randrange(len(out)) if out else 0
        kind = draw.randrange(6)
        if kind == 0 and out:
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and out:
            out[at] = draw.choice((0, 1, 0x7F, 0x80, 0x84, 0xFF, 0x30, 0x31, 0x02))
        elif kind == 2:
            del out[at : at + draw.randrange(1, 9)]
        elif kind == 3:
            out[at:at] = out[at : at + draw.randrange(1, 60)]
        elif kind == 4:
            out[at:at] = draw.randbytes(draw.randrange(1, 6))
        else:
            del out[at + draw.randrange(1, 4) :]
    return bytes(out)


def verify(scene: Scene) -> VerifyResult:
    return verify_chain(
        Certificate(scene.leaf),
        [Certificate(der) for der in scene.untrusted],
        TrustStore([Certificate(der) for der in scene.anchors]),
        scene.params,
        0,
        crls=[Crl(der) for der in scene.crls],
    )


def rich() -> list[Scene]:
    """Chains with much in them: every kind of extension, proxies, indirect and delta CRLs."""
    layers = scenes.layers(4)
    layers[1].extensions["nc"] = build.name_constraints(
        [build.dns("test"), build.ip(bytes(8))], [build.email("x.test")]
    )
    layers[2].extensions["pol"] = build.policies(scenes.POLICY, build.ANY_POLICY)
    layers[2].extensions["map"] = build.policy_mappings((scenes.POLICY, scenes.OTHER_POLICY))
    layers[2].extensions["con"] = build.policy_constraints(1, 1)
    layers[3].extensions["cdp"] = build.distribution_points(
        build.distribution_point([build.uri("http://x/")], [1, 2], build.name("CN=x"))
    )
    layers[3].extensions["san"] = build.alternative_names(
        build.dns("server.test"),
        build.email("me@example.test"),
        build.ip(bytes(4)),
        build.directory(build.name("CN=x")),
        build.other("1.3.6.1.5.5.7.8.9", build.encode(0x0C, b"a@b")),
    )
    built = scenes.make(layers)
    crls = [
        build.crl(built[2], [build.revoked(7, build.reason(1)), build.revoked(8)]),
        build.crl(
            built[1], [], [build.crl_number(1), build.issuing_point([build.uri("http://x/")], reasons=[1])]
        ),
    ]
    found = [scenes.scene(built, EVERYTHING, crls=crls)]
    for generator in (
        scenes_extensions.proxies,
        scenes_revocation.indirect,
        scenes_revocation.deltas,
        scenes_extensions.resources,
    ):
        found += [
            replace(scene, params=EVERYTHING)
            for _, scene in list(generator())[:: 40 if generator is not scenes_extensions.proxies else 7]
        ]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_nothing_escapes(seed: int) -> None:
    draw = random.Random(seed)
    sources = rich()
    slowest = 0.0
    for _ in range(ROUNDS):
        scene = draw.choice(sources)
        which = draw.randrange(4)
        if which == 0:
            scene = replace(scene, leaf=mutated(scene.leaf, draw))
        elif which == 1:
            scene = replace(scene, untrusted=[mutated(der, draw) for der in scene.untrusted])
        elif which == 2:
            scene = replace(scene, anchors=[mutated(der, draw) for der in scene.anchors])
        else:
            scene = replace(scene, crls=[mutated(der, draw) for der in scene.crls])
        started = time.process_time()
        result = verify(scene)
        slowest = max(slowest, time.process_time() - started)
        for certificate in result.chain:
            text = f"{certificate.subject}{certificate.key_text}{certificate.validity_text}{certificate.problems}"
            assert text.isprintable() or text
    assert slowest < 2


def test_random_bytes() -> None:
    draw = random.Random(9)
    for size in range(400):
        data = draw.randbytes(size)
        for wrap in (
            data,
            build.seq(data),
            build.seq(build.seq(data), build.algorithm("1.2.3"), build.bits(data)),
        ):
            certificate = Certificate(wrap)
            assert not certificate.readable
            assert certificate.problems
            assert not Crl(wrap).usable
            assert not verify(Scene(wrap, [wrap], [wrap], [wrap], EVERYTHING)).ok


def test_nesting_does_not_exhaust_the_stack() -> None:
    for tag in (0x30, 0x31, 0xA0, 0xA4):
        data = b""
        for _ in range(20000):
            data = build.encode(tag, data)
        for value in (data, build.extension("2.5.29.17", data), build.extension("2.5.29.30", data)):
            leaf = build.certificate(build.name("CN=x"), build.ec_key("x"), None, [value])
            assert not verify(Scene(leaf.der, (), (), (), EVERYTHING)).ok


@pytest.mark.skipif(openssl.library() is None, reason="no libcrypto 3.0 is installed")
def test_what_openssl_rejects_we_do_not_accept() -> None:
    """A mutated chain that verifies for us verifies for OpenSSL as well."""
    draw = random.Random(13)
    plain = scenes.scene(scenes.make(scenes.layers(3)), scenes.SERVER)
    accepted = 0
    for _ in range(1500):
        position = draw.randrange(3)
        if position == 0:
            scene = replace(plain, leaf=mutated(plain.leaf, draw))
        elif position == 1:
            scene = replace(plain, untrusted=[mutated(der, draw) for der in plain.untrusted])
        else:
            scene = replace(plain, anchors=[mutated(der, draw) for der in plain.anchors])
        if not verify(scene).ok:
            continue
        accepted += 1
        outcome, error, _ = openssl.run_library(scene)
        assert (outcome, error) == (1, 0)
    assert accepted < 1500
