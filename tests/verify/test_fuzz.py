"""Bytes that are no certificates, and chains with a little damage beside OpenSSL. `tests/fuzz` has much more of it."""

from __future__ import annotations

import random

import pytest

from fuzz.documents import EVERYTHING
from fuzz.mutate_der import mutate_der
from handglass.records import replace
from handglass.verify import Certificate, Crl, TrustStore, VerifyResult, verify_chain
from verify.support import build, openssl, scenes
from verify.support.openssl import Scene


def verify(scene: Scene) -> VerifyResult:
    return verify_chain(
        Certificate(scene.leaf),
        [Certificate(der) for der in scene.untrusted],
        TrustStore([Certificate(der) for der in scene.anchors]),
        scene.params,
        0,
        crls=[Crl(der) for der in scene.crls],
    )


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
    others = [plain.leaf, *plain.untrusted, *plain.anchors]
    accepted = 0
    for _ in range(4000):
        position = draw.randrange(3)
        if position == 0:
            scene = replace(plain, leaf=mutate_der(draw, plain.leaf, others))
        elif position == 1:
            scene = replace(plain, untrusted=[mutate_der(draw, der, others) for der in plain.untrusted])
        else:
            scene = replace(plain, anchors=[mutate_der(draw, der, others) for der in plain.anchors])
        if not verify(scene).ok or not all(map(openssl.readable, scene.anchors)):
            continue  # what OpenSSL does not read, it does not trust: docs/verify-differences.md, "Files"
        accepted += 1
        outcome, error, _ = openssl.run_library(scene)
        assert (outcome, error) == (1, 0)
    assert 20 < accepted < 4000
