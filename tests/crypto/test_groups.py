"""Key exchange: published vectors, every group both ways, and everything that must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from handglass.crypto import BadPublic, Entropy, Missing
from handglass.crypto.capabilities import missing
from handglass.crypto.finite_field import ffdhe_prime
from handglass.crypto.groups import generate, respond, share_size, supported
from handglass.registry.code_points import NamedGroup

h = bytes.fromhex


def from_bytes(*pieces: bytes) -> Entropy:
    """Give these pieces one after another, each for the size that is asked for."""
    rest: Iterator[bytes] = iter(pieces)

    def take(count: int) -> bytes:
        piece = next(rest)
        assert len(piece) == count
        return piece

    return take


# group: one side's private and public value, the other's, and the shared secret
VECTORS = {
    NamedGroup.X25519: (  # RFC 7748 §6.1
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    ),
    NamedGroup.X448: (  # RFC 7748 §6.2
        "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d"
        "d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
        "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c"
        "22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
        "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d"
        "6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
        "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430"
        "27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
        "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b"
        "b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d",
    ),
    NamedGroup.SECP256R1: (  # RFC 5903 §8.1
        "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
        "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
        "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
        "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
        "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
        "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    ),
    NamedGroup.BRAINPOOLP256R1: (  # RFC 7027 §A.1
        "81db1ee100150ff2ea338d708271be38300cb54241d79950f77b063039804f1d",
        "0444106e913f92bc02a1705d9953a8414db95e1aaa49e81d9e85f929a8e3100be5"
        "8ab4846f11caccb73ce49cbdd120f5a900a69fd32c272223f789ef10eb089bdc",
        "55e40bc41e37e3e2ad25c3c6654511ffa8474a91a0032087593852d3e7d76bd3",
        "048d2d688c6cf93e1160ad04cc4429117dc2c41825e1e9fca0addd34e6f1b39f7b"
        "990c57520812be512641e47034832106bc7d3e8dd0e4c7f1136d7006547cec6a",
        "89afc39d41d3b327814b80940b042590f96556ec91e6ae7939bce31f3a18bf2b",
    ),
}


@pytest.mark.parametrize("group", VECTORS, ids=lambda group: group.name)
def test_vectors(group: NamedGroup) -> None:
    private, public, other_private, other_public, shared = (h(part) for part in VECTORS[group])
    share = generate(group, from_bytes(private))
    assert share.public == public
    assert share.exchange(other_public) == shared
    assert respond(group, public, from_bytes(other_private)) == (other_public, shared)


@pytest.mark.parametrize("group", supported(), ids=lambda group: group.name)
def test_both_sides_agree(group: NamedGroup) -> None:
    if (problem := missing(group.name)) is not None:
        pytest.skip(problem)
    share = generate(group)
    answer, secret = respond(group, share.public)
    assert share.exchange(answer) == secret
    assert share.exchange(memoryview(answer)) == secret
    assert len(share.public) == share_size(group)
    assert len(answer) == share_size(group, answer=True)
    assert generate(group).public != share.public


@pytest.mark.parametrize("group", supported(), ids=lambda group: group.name)
def test_a_run_can_be_replayed(group: NamedGroup) -> None:
    first, second = (generate(group, Random(7).randbytes) for _ in range(2))
    assert first.public == second.public
    answer, secret = respond(group, first.public, Random(8).randbytes)
    assert second.exchange(answer) == secret
    if "MLKEM" not in group.name:  # the library draws an encapsulation's randomness itself
        assert respond(group, first.public, Random(8).randbytes) == (answer, secret)


@pytest.mark.parametrize("group", supported(), ids=lambda group: group.name)
def test_every_wrong_length_is_refused(group: NamedGroup) -> None:
    share = generate(group)
    answer, _ = respond(group, share.public)
    for length in {0, 1, len(answer) // 2, len(answer) - 1}:
        with pytest.raises(BadPublic):
            share.exchange(answer[:length])
    with pytest.raises(BadPublic):
        share.exchange(answer + b"\0")
    for length in {0, 1, len(share.public) // 2, len(share.public) - 1}:
        with pytest.raises(BadPublic):
            respond(group, share.public[:length])
    with pytest.raises(BadPublic):
        respond(group, share.public + b"\0")


def test_no_secret_in_repr() -> None:
    share = generate(NamedGroup.X25519, lambda count: b"\x5a" * count)
    assert "5a5a" not in repr(share)
    assert "ZZ" not in repr(share)
    assert "exchange" not in repr(share)


# The points of small order on Curve25519 and its twist, with the non-canonical encodings that come
# down to them: RFC 7748 §7 tells to refuse what they lead to; the list is that of Wycheproof's
# x25519_test ("LowOrderPublic", "ZeroSharedSecret") and of https://cr.yp.to/ecdh.html.
X25519_LOW_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
    "00" * 31 + "80",
    "01" + "00" * 30 + "80",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "ec" + "ff" * 31,
    "ed" + "ff" * 31,
    "ee" + "ff" * 31,
]
X448_LOW_ORDER = [
    "00" * 56,
    "01" + "00" * 55,
    "fe" + "ff" * 27 + "fe" + "ff" * 27,
    "ff" * 28 + "fe" + "ff" * 27,
    "00" * 28 + "ff" * 28,
]


@pytest.mark.parametrize("point", X25519_LOW_ORDER)
def test_x25519_low_order_points_are_refused(point: str) -> None:
    with pytest.raises(BadPublic, match="all zero"):
        generate(NamedGroup.X25519).exchange(h(point))
    with pytest.raises(BadPublic, match="all zero"):
        respond(NamedGroup.X25519, h(point))
    hybrid = generate(NamedGroup.X25519MLKEM768)
    answer, _ = respond(NamedGroup.X25519MLKEM768, hybrid.public)
    with pytest.raises(BadPublic, match="all zero"):
        hybrid.exchange(answer[:-32] + h(point))


@pytest.mark.parametrize("point", X448_LOW_ORDER)
def test_x448_low_order_points_are_refused(point: str) -> None:
    with pytest.raises(BadPublic, match="all zero"):
        respond(NamedGroup.X448, h(point))


def refused(group: NamedGroup, point: bytes) -> bool:
    try:
        respond(group, point)
    except BadPublic:
        return True
    return False


CURVES = [
    group for group in supported() if group.name.startswith(("SECP", "BRAINPOOL")) and "ML" not in group.name
]


@pytest.mark.parametrize("group", CURVES, ids=lambda group: group.name)
def test_invalid_points_are_refused(group: NamedGroup) -> None:
    good = generate(group).public
    half = (len(good) - 1) // 2
    x, y = good[1 : 1 + half], good[1 + half :]
    off_curve = good[:-1] + bytes((good[-1] ^ 1,))
    bad = {
        "off the curve": off_curve,
        "coordinates swapped": b"\4" + y + x,
        "the origin": b"\4" + bytes(2 * half),
        "beyond the field": b"\4" + b"\xff" * (2 * half),
        "compressed": bytes((2 + (y[-1] & 1),)) + x,
        "hybrid form": bytes((6 + (y[-1] & 1),)) + x + y,
        "form 0": b"\0" + x + y,
        "infinity": b"\0",
    }
    for name, point in bad.items():
        assert refused(group, point), name


@pytest.mark.parametrize("bits", [2048, 3072])
def test_ffdhe_out_of_range_is_refused(bits: int) -> None:
    group, prime = NamedGroup[f"FFDHE{bits}"], ffdhe_prime(bits)
    for value in (0, 1, prime - 1, prime, prime + 1, 2**bits - 1):
        encoded = value.to_bytes(bits // 8, "big")
        with pytest.raises(BadPublic, match="out of range"):
            respond(group, encoded)
        with pytest.raises(BadPublic, match="out of range"):
            generate(group, Random(1).randbytes).exchange(encoded)
    respond(group, (2).to_bytes(bits // 8, "big"))


@pytest.mark.parametrize("group", [NamedGroup.MLKEM768, NamedGroup.MLKEM1024], ids=lambda group: group.name)
def test_mlkem_key_with_an_unreduced_coefficient_is_refused(group: NamedGroup) -> None:
    """FIPS 203 §7.2, the modulus check."""
    share = generate(group).public
    with pytest.raises(BadPublic, match="not valid"):
        respond(group, b"\xff\xff\xff" + share[3:])


def test_mlkem_rejects_implicitly() -> None:
    """FIPS 203 §6.3: a wrong ciphertext gives another secret, not an error."""
    share = generate(NamedGroup.MLKEM768)
    answer, secret = respond(NamedGroup.MLKEM768, share.public)
    assert share.exchange(bytes((answer[0] ^ 1,)) + answer[1:]) != secret


@pytest.mark.parametrize(
    ("group", "first", "second"),
    [
        (NamedGroup.X25519MLKEM768, NamedGroup.MLKEM768, NamedGroup.X25519),
        (NamedGroup.SECP256R1MLKEM768, NamedGroup.SECP256R1, NamedGroup.MLKEM768),
        (NamedGroup.SECP384R1MLKEM1024, NamedGroup.SECP384R1, NamedGroup.MLKEM1024),
    ],
)
def test_hybrids_are_their_parts_in_order(group: NamedGroup, first: NamedGroup, second: NamedGroup) -> None:
    """draft-ietf-tls-ecdhe-mlkem §3: shares, answers and secrets are concatenated in the same order."""
    hybrid = generate(group, Random(3).randbytes)
    random = Random(3)
    left, right = generate(first, random.randbytes), generate(second, random.randbytes)
    assert hybrid.public == left.public + right.public
    answer, secret = respond(group, hybrid.public)
    cut = share_size(first, answer=True)
    assert secret == left.exchange(answer[:cut]) + right.exchange(answer[cut:])


def test_unsupported_groups() -> None:
    for group in (NamedGroup.SECT571R1, NamedGroup(0x4A4A)):
        with pytest.raises(Missing, match=group.name):
            generate(group)
        with pytest.raises(Missing, match=group.name):
            respond(group, b"")


def test_a_source_that_gives_no_scalar() -> None:
    with pytest.raises(ValueError, match="no scalar"):
        generate(NamedGroup.SECP256R1, bytes)
