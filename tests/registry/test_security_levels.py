"""What the security levels allow."""

from __future__ import annotations

import subprocess

import pytest

from handglass.registry import groups, signatures
from handglass.registry.code_points import NamedGroup, ProtocolVersion, SignatureScheme
from handglass.registry.security_levels import (
    SECURITY_LEVELS,
    finite_field_security_bits,
    group_security_bits,
    key_security_bits,
)
from handglass.registry.suites import by_openssl_name
from support.peers import needs

V = ProtocolVersion


def suites_allowed(level: int) -> list[str]:
    """Ask openssl what is left of all suites with encryption and a certificate at a level."""
    rule = f"ALL:eNULL:!PSK:!SRP:@SECLEVEL={level}"
    command = ["openssl", "ciphers", "-s", "-ciphersuites", "", "--", rule]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":")


def all_suites() -> list[str]:
    command = ["openssl", "ciphers", "-ciphersuites", "", "ALL:eNULL:!PSK:!SRP"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":")


@needs("openssl")
@pytest.mark.parametrize("level", range(5))
def test_suites_as_openssl(level: int) -> None:
    ours = []
    for name in all_suites():
        facts = by_openssl_name(name)
        assert facts is not None
        allowed = SECURITY_LEVELS[level].allows_suite(facts)
        # A suite without any version left is none either.
        if allowed and SECURITY_LEVELS[level].allows_version(facts.max_version):
            ours.append(name)
    assert ours == suites_allowed(level)


def test_versions() -> None:
    assert SECURITY_LEVELS[0].allows_version(V.SSL3)
    assert not SECURITY_LEVELS[1].allows_version(V.TLS1_1)
    assert SECURITY_LEVELS[1].allows_version(V.TLS1_2)
    assert not SECURITY_LEVELS[1].allows_version(V.DTLS1_0)
    assert SECURITY_LEVELS[0].allows_version(V.DTLS1_0)
    assert SECURITY_LEVELS[5].allows_version(V.DTLS1_2)
    assert SECURITY_LEVELS[5].allows_version(V.DTLS1_3)


def test_keys() -> None:
    for level in SECURITY_LEVELS[1:]:
        assert level.allows_key("rsa", level.rsa_bits)
        assert not level.allows_key("rsa", level.rsa_bits * 3 // 4)
        assert level.allows_key("ec", level.ec_bits)
        assert not level.allows_key("ec", level.ec_bits - 2)
    assert SECURITY_LEVELS[3].allows_key("ed25519", 256)
    assert not SECURITY_LEVELS[4].allows_key("ed25519", 256)
    assert SECURITY_LEVELS[4].allows_key("ed448", 456)
    assert key_security_bits("mldsa65", 0) == 192


def test_digests() -> None:
    def allowed(scheme: SignatureScheme) -> int:
        facts = signatures.facts_of(scheme)
        assert facts is not None
        return max(level.level for level in SECURITY_LEVELS if level.allows_scheme(facts))

    assert allowed(SignatureScheme.RSA_PKCS1_SHA1) == 0
    assert allowed(SignatureScheme.RSA_PKCS1_SHA224) == 2
    assert allowed(SignatureScheme.RSA_PSS_RSAE_SHA256) == 3
    assert allowed(SignatureScheme.ECDSA_SECP384R1_SHA384) == 4
    assert allowed(SignatureScheme.RSA_PSS_PSS_SHA512) == 5
    assert allowed(SignatureScheme.ED25519) == 3


def test_groups() -> None:
    def bits(group: NamedGroup) -> int:
        facts = groups.facts_of(group)
        assert facts is not None
        return group_security_bits(facts)

    assert bits(NamedGroup.X25519) == 128
    assert bits(NamedGroup.X448) == 224
    assert bits(NamedGroup.SECP521R1) == 260
    assert bits(NamedGroup.FFDHE2048) == 112
    assert bits(NamedGroup.X25519MLKEM768) == 128
    assert bits(NamedGroup.MLKEM1024) == 256
    facts = groups.facts_of(NamedGroup.SECP224R1)
    assert facts is not None
    assert SECURITY_LEVELS[2].allows_group(facts)
    assert not SECURITY_LEVELS[3].allows_group(facts)


def test_finite_fields() -> None:
    """The table of NIST SP 800-57 part 1 r5 §5.6.1.1, and what lies between."""
    table = {1024: 80, 2048: 112, 3072: 128, 7680: 192, 15360: 256}
    for size, security in table.items():
        assert finite_field_security_bits(size) == security
    sizes = [finite_field_security_bits(bits) for bits in range(0, 16384, 64)]
    assert sizes[0] == 0
    assert all(security % 8 == 0 for security in sizes)
