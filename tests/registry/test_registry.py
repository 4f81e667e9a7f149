"""Code points and the tables that say what they mean, and both against the installed OpenSSL."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess

import pytest

from handglass.registry import code_points, groups, reasons, signatures, suites
from handglass.registry.code_points import (
    AlertDescription,
    AlertLevel,
    CipherSuite,
    CodePoint,
    ExtensionType,
    HandshakeType,
    NamedGroup,
    ProtocolVersion,
    PskKeyExchangeMode,
    SignatureScheme,
)
from handglass.registry.errors import AlertReceived, LocalError, PeerError, TLSError
from support.peers import needs

REGISTRIES = [
    value
    for value in vars(code_points).values()
    if isinstance(value, type) and issubclass(value, CodePoint) and value is not CodePoint
]


def test_all_registries_are_exported() -> None:
    assert {cls.__name__ for cls in REGISTRIES} | {"CodePoint"} == set(code_points.__all__)


@pytest.mark.parametrize("registry", REGISTRIES)
def test_members(registry: type[CodePoint]) -> None:
    assert len(registry) > 0
    for member in registry:
        assert registry(member.value) is member
        assert registry[member.name] is member
        assert registry.points[member.value] is member
        assert isinstance(member, registry)
        assert isinstance(member, int)
        assert member.is_known
        assert member in registry
        assert 0 <= member < 1 << 8 * registry.size
        assert str(member) == member.name
        assert pickle.loads(pickle.dumps(member)) is member
        assert copy.deepcopy(member) is member


@pytest.mark.parametrize("registry", REGISTRIES)
def test_unknown_values_survive(registry: type[CodePoint]) -> None:
    unknown = next(n for n in range((1 << 8 * registry.size) - 1, 0, -1) if n not in registry.points)
    value = registry(unknown)
    assert value == unknown
    assert value == registry(unknown)
    assert hash(value) == hash(unknown)
    assert not value.is_known
    assert value.name in {f"{kind}_0x{unknown:0{2 * registry.size}X}" for kind in ("UNKNOWN", "GREASE")}
    assert pickle.loads(pickle.dumps(value)) == value
    assert unknown not in registry.points, "a peer must not be able to fill our memory"
    for wrong in (-1, 1 << 8 * registry.size):
        with pytest.raises(ValueError, match="is not a valid"):
            registry(wrong)


def test_shapes() -> None:
    suite = CipherSuite.TLS_AES_128_GCM_SHA256
    assert repr(suite) == "<CipherSuite.TLS_AES_128_GCM_SHA256: 4865>"
    assert f"{suite} {suite:04X} {suite:d}" == "TLS_AES_128_GCM_SHA256 1301 4865"
    assert str(ExtensionType(0xFEED)) == "UNKNOWN_0xFEED"
    alias: ExtensionType = ExtensionType["ALPN"]
    assert alias is ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION
    assert str(alias) == "APPLICATION_LAYER_PROTOCOL_NEGOTIATION"
    with pytest.raises(AttributeError):
        suite.name = "other"  # type: ignore[misc] # that is the test


def test_grease() -> None:
    """RFC 8701 §2."""
    values = [n for n in range(1 << 16) if CipherSuite(n).is_grease]
    assert values == [0x0A0A + 0x1010 * step for step in range(16)]
    assert str(NamedGroup(0x2A2A)) == "GREASE_0x2A2A"
    assert [n for n in range(256) if PskKeyExchangeMode(n).is_grease] == [
        0x0B,
        0x2A,
        0x49,
        0x68,
        0x87,
        0xA6,
        0xC5,
        0xE4,
    ]
    assert not any(HandshakeType(n).is_grease for n in range(256))


def test_numbers_that_everybody_knows() -> None:
    assert (ProtocolVersion.TLS1_3, ProtocolVersion.DTLS1_2) == (0x0304, 0xFEFD)
    assert (HandshakeType.CLIENT_HELLO, HandshakeType.MESSAGE_HASH) == (1, 254)
    assert (AlertDescription.DECODE_ERROR, AlertDescription.NO_APPLICATION_PROTOCOL) == (50, 120)
    assert (ExtensionType.KEY_SHARE, ExtensionType.RENEGOTIATION_INFO) == (51, 0xFF01)
    assert (NamedGroup.X25519, NamedGroup.X25519MLKEM768, NamedGroup.FFDHE2048) == (29, 0x11EC, 0x100)
    assert (SignatureScheme.ED25519, SignatureScheme.MLDSA44) == (0x0807, 0x0904)


def test_suites_of_special_kinds() -> None:
    facts = suites.FACTS[CipherSuite.TLS_RSA_EXPORT_WITH_RC4_40_MD5]
    assert facts.openssl_name == "EXP-RC4-MD5"
    assert (facts.key_exchange, facts.cipher, facts.mac, facts.strength_bits) == ("RSA", "RC4_40", "MD5", 40)
    assert (facts.export, facts.export_key_bits, facts.max_version) == (True, 512, ProtocolVersion.TLS1_0)
    facts = suites.FACTS[CipherSuite.TLS_SHA256_SHA256]
    assert (facts.cipher, facts.mac, facts.strength_bits) == ("SHA256_SHA256", "AEAD", 0)
    assert facts.min_version == facts.max_version == ProtocolVersion.TLS1_3
    facts = suites.FACTS[CipherSuite.TLS_DH_anon_WITH_AES_128_GCM_SHA256]
    assert (facts.key_exchange, facts.authentication) == ("DHE", "NULL")
    assert suites.facts_of(CipherSuite.TLS_FALLBACK_SCSV) is None
    assert suites.facts_of(0x0A0A) is None


def test_suites_are_complete() -> None:
    assert len(suites.FACTS) == sum(not suite.name.endswith("_SCSV") for suite in CipherSuite) > 360
    for facts in suites.FACTS.values():
        assert facts.min_version <= facts.max_version
        assert suites.by_iana_name(facts.iana_name) is facts
        assert suites.by_openssl_name(facts.openssl_name) is facts
    assert suites.by_iana_name("TLS_NO_SUCH") is None
    assert suites.by_openssl_name("NO-SUCH") is None
    old = suites.by_openssl_name("EDH-RSA-DES-CBC3-SHA")
    assert old is suites.by_openssl_name("DHE-RSA-DES-CBC3-SHA")
    assert old is not None


@needs("openssl")
def test_suites_against_openssl() -> None:
    listing = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    kx = {
        "ECDH": "ECDHE",
        "DH": "DHE",
        "any": "ANY",
        "RSAPSK": "RSA_PSK",
        "DHEPSK": "DHE_PSK",
        "ECDHEPSK": "ECDHE_PSK",
    }
    versions = {"SSLv3": "SSL3", "TLSv1": "TLS1_0", "TLSv1.2": "TLS1_2", "TLSv1.3": "TLS1_3"}
    row = re.compile(
        r"\s*0x(..),0x(..) - (\S+)\s+- (\S+)\s+(\S+)\s+Kx=(\S+)\s+Au=(\S+)\s+Enc=(\S+)\s+Mac=(\S+)"
    )
    count = 0
    for line in listing.splitlines():
        match = row.match(line)
        assert match is not None, line
        high, low, iana, name, version, exchange, authentication, cipher, mac = match.groups()
        facts = suites.FACTS[int(high + low, 16)]
        bits = re.search(r"\((\d+)\)", cipher)
        assert facts.iana_name == iana
        assert facts.openssl_name == name
        assert facts.min_version.name == versions[version], name
        assert facts.key_exchange == kx.get(exchange, exchange), name
        assert facts.authentication == {"None": "NULL", "any": "ANY"}.get(authentication, authentication)
        assert facts.strength_bits == (int(bits[1]) if bits else 0), name
        assert facts.mac == mac, name
        count += 1
    assert count > 20


def test_groups() -> None:
    x25519 = groups.by_name("X25519")
    assert x25519 is groups.facts_of(NamedGroup.X25519)
    assert x25519 is not None
    assert (x25519.openssl_name, x25519.temp_key) == ("x25519", "X25519, 253 bits")
    for name in ("P-256", "prime256v1", "secp256r1", "SECP256R1"):
        facts = groups.by_name(name)
        assert facts is not None
        assert facts.group == NamedGroup.SECP256R1
        assert facts.temp_key == "ECDH, prime256v1, 256 bits"
    assert groups.by_name("nonsense") is None
    assert groups.facts_of(0x2A2A) is None
    for number, facts in groups.FACTS.items():
        assert number == facts.group
        assert facts.tls12_allowed or facts.tls13_allowed
        assert facts.kind in {"ecdh", "xdh", "ffdh", "kem", "hybrid"}
        assert groups.by_name(facts.openssl_name) is facts


def test_groups_of_tls13() -> None:
    """RFC 8446 §4.2.7, RFC 8734, and the hybrids; nothing else."""
    allowed = {facts.group.name for facts in groups.FACTS.values() if facts.tls13_allowed}
    assert allowed == {
        "X25519",
        "X448",
        "SECP256R1",
        "SECP384R1",
        "SECP521R1",
        "BRAINPOOLP256R1TLS13",
        "BRAINPOOLP384R1TLS13",
        "BRAINPOOLP512R1TLS13",
        "CURVESM2",
        "FFDHE2048",
        "FFDHE3072",
        "FFDHE4096",
        "FFDHE6144",
        "FFDHE8192",
        "MLKEM512",
        "MLKEM768",
        "MLKEM1024",
        "X25519MLKEM768",
        "SECP256R1MLKEM768",
        "SECP384R1MLKEM1024",
        "CURVESM2MLKEM768",
    }


def test_signature_schemes() -> None:
    for name in ("RSA-PSS+SHA256", "PSS+SHA256", "rsa_pss_rsae_sha256"):
        facts = signatures.by_name(name)
        assert facts is not None
        assert facts.scheme == SignatureScheme.RSA_PSS_RSAE_SHA256
    facts = signatures.by_name("ecdsa_brainpoolP256r1tls13_sha256")
    assert facts is not None
    assert (facts.tls13_allowed, facts.tls12_allowed) == (True, False)
    assert signatures.by_name("RSA+SHA3") is None
    for number, facts in signatures.FACTS.items():
        assert number == facts.scheme
        assert facts.tls12_allowed or facts.tls13_allowed
        by_name = signatures.by_name(facts.openssl_name)
        assert by_name is not None
        if facts.key_type != "rsa_pss":
            assert by_name is facts
        if facts.tls13_allowed:  # RFC 8446 §4.4.3
            assert facts.padding != "pkcs1"
            assert facts.hash not in {"sha1", "md5", "sha224"}


def test_reasons() -> None:
    table = reasons.all_reasons()
    assert len(table) > 120
    for name, reason in table.items():
        assert reason.name == name
        assert isinstance(reason.alert, AlertDescription)
        assert reason.alert.is_known
        assert reason.sentence[0].isupper()
        assert not reason.sentence.endswith(".")
        assert re.fullmatch(r"RFC \d+ §[A-Z0-9]+(\.\d+)*", reason.reference), name
    sentences = [reason.sentence for reason in table.values() if "LEGACY" not in reason.name]
    assert len(sentences) == len(set(sentences))


def test_errors() -> None:
    error = PeerError(reasons.BAD_FINISHED, "after 3 messages")
    assert isinstance(error, TLSError)
    assert error.alert == AlertDescription.DECRYPT_ERROR
    assert str(error).endswith("have different keys: after 3 messages (RFC 8446 §4.4.4)")
    assert str(LocalError(reasons.INTERNAL_ERROR)) == "Something went wrong on our side (RFC 8446 §6.2)"
    received = AlertReceived(AlertLevel.FATAL, AlertDescription.UNKNOWN_CA)
    assert str(received) == "the peer ended the connection with the fatal alert unknown_ca (48)"
    assert pickle.loads(pickle.dumps(error)).reason == error.reason
