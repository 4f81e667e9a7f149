"""Signatures: published vectors, every scheme with every key, and what must not verify."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from handglass.crypto import BadSignature, Missing
from handglass.crypto.signatures import (
    PrivateKey,
    PublicKey,
    curve_of,
    key_type,
    schemes_for,
    sign,
    sign_legacy,
    verify,
    verify_legacy,
)
from handglass.registry.code_points import NamedGroup, SignatureScheme
from handglass.registry.signatures import FACTS

h = bytes.fromhex
S = SignatureScheme


@cache
def key(name: str) -> PrivateKey:
    """Make a key once for all tests of this file."""
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, int(name[3:]))
    if name == "dsa":
        return dsa.generate_private_key(1024)
    if name.startswith("mldsa"):
        return getattr(mldsa, f"MLDSA{name[5:]}PrivateKey").generate()  # type: ignore[no-any-return]  # by name
    if name == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if name == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(getattr(ec, name)())


KEYS = (
    "rsa2048",
    "SECP256R1",
    "SECP384R1",
    "SECP521R1",
    "BrainpoolP256R1",
    "BrainpoolP384R1",
    "BrainpoolP512R1",
    "ed25519",
    "ed448",
    "mldsa44",
    "mldsa65",
    "mldsa87",
    "dsa",
)


def public(name: str) -> PublicKey:
    return key(name).public_key()


@pytest.mark.parametrize("name", KEYS)
def test_every_scheme_of_every_key(name: str) -> None:
    own = {*schemes_for(key(name)), *schemes_for(key(name), curve_bound=False)}
    assert own
    if name.startswith("rsa"):
        own.update(schemes_for(key(name), key_type_named="rsa_pss"))
    for scheme in own:
        signature = sign(scheme, key(name), b"message")
        verify(scheme, public(name), b"message", signature)
        for wrong, data in (
            (signature, b"massage"),
            (signature[:-1], b"message"),
            (signature + b"\0", b"message"),
            (bytes((signature[0] ^ 0x80,)) + signature[1:], b"message"),
            (b"", b"message"),
        ):
            with pytest.raises(BadSignature):
                verify(scheme, public(name), data, wrong)
    assert schemes_for(public(name)) == schemes_for(key(name))


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_other_types_are_refused(name: str) -> None:
    kind = key_type(key(name))
    for facts in FACTS.values():
        if facts.key_type == kind or (kind == "rsa" and facts.key_type == "rsa_pss"):
            continue
        with pytest.raises(ValueError, match="cannot sign"):
            sign(facts.scheme, key(name), b"")
        with pytest.raises(BadSignature, match="cannot have signed"):
            verify(facts.scheme, public(name), b"", b"")


def test_schemes_are_bound_to_curves_in_tls13_only() -> None:
    """RFC 8446 §4.2.3 against RFC 8422 §5.1.3."""
    assert S.ECDSA_SECP256R1_SHA256 in schemes_for(key("SECP256R1"))
    assert S.ECDSA_SECP384R1_SHA384 not in schemes_for(key("SECP256R1"))
    assert S.ECDSA_SECP384R1_SHA384 in schemes_for(key("SECP256R1"), curve_bound=False)
    assert S.ECDSA_BRAINPOOLP256R1TLS13_SHA256 in schemes_for(key("BrainpoolP256R1"))
    assert S.ECDSA_SECP256R1_SHA256 not in schemes_for(key("BrainpoolP256R1"))
    assert S.ECDSA_SECP256R1_SHA256 in schemes_for(key("BrainpoolP256R1"), curve_bound=False)
    assert S.ECDSA_BRAINPOOLP256R1TLS13_SHA256 not in schemes_for(key("BrainpoolP256R1"), curve_bound=False)
    assert curve_of(public("BrainpoolP384R1")) == NamedGroup.BRAINPOOLP384R1
    assert curve_of(public("ed25519")) is None


def test_rsa_and_rsa_pss_keys_have_different_schemes() -> None:
    """RFC 8446 §4.2.3: rsae schemes are for rsaEncryption keys, pss schemes for RSASSA-PSS ones."""
    plain = schemes_for(key("rsa2048"))
    assert S.RSA_PSS_RSAE_SHA256 in plain
    assert S.RSA_PKCS1_SHA256 in plain
    assert S.RSA_PSS_PSS_SHA256 not in plain
    assert schemes_for(key("rsa2048"), key_type_named="rsa_pss") == (
        S.RSA_PSS_PSS_SHA256,
        S.RSA_PSS_PSS_SHA384,
        S.RSA_PSS_PSS_SHA512,
    )
    assert schemes_for(key("rsa2048"), key_type_named="rsa_pss", pss_hash="sha384") == (S.RSA_PSS_PSS_SHA384,)


def test_small_rsa_keys_leave_out_what_does_not_fit() -> None:
    schemes = schemes_for(key("rsa1024"))
    assert S.RSA_PSS_RSAE_SHA384 in schemes
    assert S.RSA_PSS_RSAE_SHA512 not in schemes  # 128 bytes < 64 + 64 + 2
    assert S.RSA_PKCS1_SHA512 in schemes
    for scheme in schemes:
        verify(scheme, public("rsa1024"), b"m", sign(scheme, key("rsa1024"), b"m"))
    with pytest.raises(ValueError, match=r".+"):
        sign(S.RSA_PSS_RSAE_SHA512, key("rsa1024"), b"m")


@pytest.mark.parametrize("name", ["rsa2048", "dsa", "SECP256R1", "SECP521R1"])
def test_before_tls12(name: str) -> None:
    signature = sign_legacy(key(name), b"message")
    verify_legacy(public(name), b"message", signature)
    for data, wrong in ((b"massage", signature), (b"message", signature[:-1]), (b"message", b"")):
        with pytest.raises(BadSignature):
            verify_legacy(public(name), data, wrong)
    if name == "rsa2048":  # no DigestInfo: it is not what TLS 1.2 signs
        with pytest.raises(BadSignature):
            verify(S.RSA_PKCS1_SHA1, public(name), b"message", signature)


def test_no_eddsa_before_tls12() -> None:
    with pytest.raises(ValueError, match=r"before TLS 1\.2"):
        sign_legacy(key("ed25519"), b"")
    with pytest.raises(BadSignature, match=r"before TLS 1\.2"):
        verify_legacy(public("ed25519"), b"", b"")


def test_keys_that_make_no_signatures() -> None:
    exchange = x25519.X25519PrivateKey.generate()
    assert key_type(exchange) == "x25519"
    assert schemes_for(exchange) == ()
    with pytest.raises(ValueError, match="cannot sign"):
        sign(S.ED25519, exchange, b"")


def test_unknown_schemes() -> None:
    with pytest.raises(Missing, match="UNKNOWN_0x7777"):
        sign(0x7777, key("ed25519"), b"")
    with pytest.raises(Missing, match="not supported"):
        verify(S(0x7777), public("ed25519"), b"", b"")


def test_ed25519_of_rfc8032() -> None:
    """RFC 8032 §7.1, TEST 2."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(
        h("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    expected = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert sign(S.ED25519, private, b"\x72").hex() == expected


def test_ed448_of_rfc8032() -> None:
    """RFC 8032 §7.4, "1 octet"."""
    private = ed448.Ed448PrivateKey.from_private_bytes(
        h(
            "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a"
            "fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e"
        )
    )
    expected = (
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f435"
        "2541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cb"
        "cee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f"
        "f3348ab21aa4adafd1d234441cf807c03a00"
    )
    assert sign(S.ED448, private, b"\x03").hex() == expected


def test_replayed_ecdsa_is_that_of_rfc6979() -> None:
    """RFC 6979 §A.2.5: P-256, SHA-256, message "sample"."""
    private = ec.derive_private_key(
        0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1()
    )
    expected = encode_dss_signature(
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    )
    assert sign(S.ECDSA_SECP256R1_SHA256, private, b"sample", Random(1).randbytes) == expected
    assert sign_legacy(private, b"x", Random(1).randbytes) == sign_legacy(private, b"x", Random(2).randbytes)


@pytest.mark.parametrize("size", [1024, 1025, 1031, 2048])
def test_replayed_pss_verifies_and_depends_on_the_source_alone(size: int) -> None:
    """Odd sizes too: the encoded message may be a byte shorter than the modulus (RFC 8017 §8.1.1)."""
    private = key(f"rsa{size}")
    for scheme in (S.RSA_PSS_RSAE_SHA256, S.RSA_PSS_PSS_SHA384):
        first = sign(scheme, private, b"message", Random(1).randbytes)
        assert first == sign(scheme, private, b"message", Random(1).randbytes)
        assert first != sign(scheme, private, b"message", Random(2).randbytes)
        verify(scheme, private.public_key(), b"message", first)
