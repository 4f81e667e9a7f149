"""TLSA records of every usage, selector and matching type, judged by real path validation."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from handglass.verify import Certificate, TrustStore, VerifyCode, VerifyParams, VerifyResult, verify_chain
from handglass.verify.dane import DaneRecords, Judge, TlsaError, TlsaRecord, parse_record, read_record

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "middle", "leaf")}


def make(name: str, issuer: str, *, ca: bool, days: int = 5) -> Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .not_valid_before(NOW - timedelta(days=20))
        .not_valid_after(NOW + timedelta(days=days))
        .serial_number(x509.random_serial_number())
        .public_key(KEYS[name].public_key())
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("server.test")]), False)
    return Certificate(builder.sign(KEYS[issuer], hashes.SHA256()).public_bytes(Encoding.DER))


ROOT, MIDDLE = make("root", "root", ca=True), make("middle", "root", ca=True)
LEAF, EXPIRED = make("leaf", "middle", ca=False), make("leaf", "middle", ca=False, days=-1)


def record(usage: int, selector: int, matching_type: int, certificate: Certificate) -> TlsaRecord:
    data = certificate.spki if selector else certificate.der
    if matching_type:
        data = hashlib.new({1: "sha256", 2: "sha512"}[matching_type], data).digest()
    return read_record(usage, selector, matching_type, data)


def verify(
    *records: TlsaRecord,
    leaf: Certificate = LEAF,
    sent: tuple[Certificate, ...] = (MIDDLE, ROOT),
    trusted: tuple[Certificate, ...] = (),
    host: str = "server.test",
    no_name_checks: bool = False,
) -> tuple[VerifyResult, Judge]:
    judge = DaneRecords(records, no_ee_name_checks=no_name_checks).judge()
    params = VerifyParams(hosts=(host,))
    return verify_chain(leaf, sent, TrustStore(trusted), params, SECONDS, dane=judge), judge


COMBINATIONS = [(selector, matching_type) for selector in (0, 1) for matching_type in (0, 1, 2)]


@pytest.mark.parametrize(("selector", "matching_type"), COMBINATIONS)
def test_every_usage_matches(selector: int, matching_type: int) -> None:
    for usage, certificate, depth, trusted in (
        (0, ROOT, 2, (ROOT,)),
        (0, MIDDLE, 1, (ROOT,)),
        (1, LEAF, 0, (ROOT,)),
        (2, ROOT, 2, ()),
        (2, MIDDLE, 1, ()),
        (3, LEAF, 0, ()),
    ):
        result, judge = verify(record(usage, selector, matching_type, certificate), trusted=trusted)
        assert (result.code, judge.matched_depth) == (VerifyCode.OK, depth), usage


@pytest.mark.parametrize(("selector", "matching_type"), COMBINATIONS)
def test_every_usage_fails_on_another_certificate(selector: int, matching_type: int) -> None:
    other = make("leaf", "middle", ca=False) if selector == 0 else make("middle", "root", ca=True)
    for usage, trusted in ((0, (ROOT,)), (1, (ROOT,)), (2, ()), (3, ())):
        wrong = record(usage, selector, matching_type, LEAF if usage in {0, 2} else other)
        result, judge = verify(wrong, trusted=trusted)
        assert VerifyCode.DANE_NO_MATCH in [event.code for event in result.problems], usage
        assert not result.ok
        assert judge.matched is None


def test_pkix_usages_need_the_chain_as_well() -> None:
    for usage, certificate in ((0, MIDDLE), (1, LEAF)):
        result, _ = verify(record(usage, 1, 1, certificate))
        assert not result.ok


def test_a_bare_key_anchors_a_chain_without_its_certificate() -> None:
    result, judge = verify(record(2, 1, 0, ROOT), sent=(MIDDLE,))
    assert result.code == VerifyCode.OK
    assert judge.matched is not None
    assert judge.matched.text.endswith("signed the certificate at depth 1")
    result, judge = verify(record(2, 0, 0, ROOT), sent=(MIDDLE,))
    assert result.code == VerifyCode.OK, "a whole certificate in a record completes the chain"


def test_names_and_times_with_usage_3() -> None:
    result, judge = verify(record(3, 1, 1, EXPIRED), leaf=EXPIRED)
    assert result.code == VerifyCode.OK, "usage 3 does not look at times (RFC 7671 §5.1)"
    assert judge.matched is not None
    tail = hashlib.sha256(EXPIRED.spki).hexdigest()[-24:]
    assert judge.matched.text == f"DANE TLSA 3 1 1 ...{tail} matched EE certificate at depth 0"
    assert verify(record(3, 1, 1, LEAF), host="other.test")[0].code == VerifyCode.HOSTNAME_MISMATCH
    assert verify(record(3, 1, 1, LEAF), host="other.test", no_name_checks=True)[0].code == VerifyCode.OK
    assert verify(record(2, 1, 1, MIDDLE), host="other.test", no_name_checks=True)[0].code != VerifyCode.OK


def test_a_store_certificate_is_no_anchor_by_usage_2() -> None:
    assert not verify(record(2, 0, 1, ROOT), sent=(MIDDLE,), trusted=(ROOT,))[0].ok


def test_only_the_strongest_digest_counts() -> None:
    wrong_strong = read_record(3, 1, 2, bytes(64))
    result, _ = verify(wrong_strong, record(3, 1, 1, LEAF))
    assert result.code == VerifyCode.DANE_NO_MATCH
    assert verify(wrong_strong, record(3, 1, 0, LEAF))[0].code == VerifyCode.OK, "whole keys always count"
    assert verify(wrong_strong, record(3, 0, 1, LEAF))[0].code == VerifyCode.OK, (
        "selectors stand for themselves"
    )


def test_records_of_several_usages() -> None:
    result, judge = verify(record(1, 1, 1, MIDDLE), record(3, 1, 1, LEAF), record(2, 1, 1, ROOT))
    assert result.code == VerifyCode.OK
    assert judge.matched_depth == 0


def test_a_match_is_forgotten_when_the_chain_is_cut() -> None:
    judge = DaneRecords([record(0, 1, 1, MIDDLE)]).judge()
    assert not judge.match(MIDDLE.der, 1, from_store=False)
    judge.forget(2)
    assert judge.matched_depth == 1
    judge.forget(1)
    assert judge.matched_depth is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x 1 1 00", "bad TLSA usage field in: x 1 1 00"),
        ("3 256 1 00", "bad TLSA selector field"),
        ("3 1", "bad TLSA mtype field"),
        ("3 1 1", "bad TLSA data field"),
        ("3 1 1 0g", "bad TLSA data field"),
        ("4 1 1 " + "00" * 32, "unusable TLSA rrdata: 4 1 1 .*usage 4 does not exist"),
        ("3 2 1 " + "00" * 32, "selector 2 does not exist"),
        ("3 1 3 " + "00" * 32, "matching type 3 does not exist"),
        ("3 1 1 00", "sha256 has 32 bytes, not 1"),
        ("3 1 2 " + "00" * 32, "sha512 has 64 bytes, not 32"),
        ("2 0 0 3000", "its data is no certificate"),
        ("2 1 0 3000", "its data is no public key"),
        ("2 1 0 30", "its data is no DER"),
        ("2 1 0 300000", "bytes follow the end of its data"),
    ],
)
def test_records_that_cannot_be_used(text: str, sentence: str) -> None:
    with pytest.raises(TlsaError, match=sentence):
        parse_record(text)


def test_records_in_words() -> None:
    digest = hashlib.sha256(LEAF.spki).hexdigest()
    spaced = f"3  1\t1 {digest[:20]} {digest[20:].upper()}"
    assert parse_record(spaced) == record(3, 1, 1, LEAF)
    assert str(parse_record(spaced)) == f"3 1 1 {digest}"
    assert not DaneRecords(())
