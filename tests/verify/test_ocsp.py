"""OCSP: what is read, what is judged, for every single fault; and against a real `openssl ocsp`."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from handglass.records import dataclass
from handglass.verify.certificate import Certificate
from handglass.verify.codes import VerifyCode
from handglass.verify.ocsp import (
    CertStatus,
    cert_id_for,
    encode_request,
    read_response,
)
from handglass.verify.ocsp_judge import OcspOutcome, judge_chain, judge_response, must_staple

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Holder:
    """A certificate, in both readings, and its key."""

    x509: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate(self) -> Certificate:
        return Certificate(self.x509.public_bytes(Encoding.DER))


@cache
def holder(
    name: str,
    issuer: str | None = None,
    *,
    purpose: x509.ObjectIdentifier | None = None,
    begin: int = -10,
    end: int = 10,
    features: tuple[x509.TLSFeatureType, ...] = (),
    usage: bool = True,
) -> Holder:
    """Make a certificate; days count from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = holder(issuer) if issuer else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)]))
        .not_valid_before(NOW + begin * DAY)
        .not_valid_after(NOW + end * DAY)
        .serial_number(1 + sum(name.encode()))
        .public_key(key.public_key())
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if features:
        builder = builder.add_extension(x509.TLSFeature(features), critical=False)
    if not usage:
        bits = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
        builder = builder.add_extension(bits, critical=True)
    return Holder(builder.sign(authority.key if authority else key, hashes.SHA256()), key)


def answer(
    signer: Holder,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    about: Holder | None = None,
    begin: timedelta = -timedelta(hours=1),
    end: timedelta | None = DAY,
    by_key: bool = False,
    enclose: bool = True,
    nonce: bytes | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Sign a response about the leaf."""
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=(about or holder("leaf", "ca")).x509,
        issuer=holder("ca").x509,
        algorithm=algorithm or hashes.SHA1(),
        cert_status=status,
        this_update=NOW + begin,
        next_update=None if end is None else NOW + end,
        revocation_time=NOW - 2 * DAY if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    encoding = ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME
    builder = builder.responder_id(encoding, signer.x509)
    if enclose:
        builder = builder.certificates([signer.x509])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def delegate(**options: object) -> Holder:
    options.setdefault("purpose", ExtendedKeyUsageOID.OCSP_SIGNING)
    return holder("responder", "ca", **options)


LEAF = holder("leaf", "ca").certificate
CA = holder("ca").certificate


@pytest.mark.parametrize("by_key", [False, True])
@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
def test_good_by_issuer_and_by_delegate(by_key: bool, algorithm: hashes.HashAlgorithm) -> None:
    for signer, enclose in ((holder("ca"), False), (holder("ca"), True), (delegate(), True)):
        data = answer(signer, by_key=by_key, enclose=enclose, algorithm=algorithm)
        verdict = judge_response(data, LEAF, CA, SECONDS)
        assert (verdict.outcome, verdict.code) == (OcspOutcome.GOOD, VerifyCode.OK)
        assert verdict.responder == signer.certificate


def test_revoked_and_unknown() -> None:
    verdict = judge_response(answer(delegate(), status=ocsp.OCSPCertStatus.REVOKED), LEAF, CA, SECONDS)
    assert verdict.code == VerifyCode.CERT_REVOKED
    assert verdict.sentence == "revoked (keyCompromise) since Nov 18 12:00:00 2026 GMT"
    verdict = judge_response(answer(delegate(), status=ocsp.OCSPCertStatus.UNKNOWN), LEAF, CA, SECONDS)
    assert (verdict.code, verdict.sentence) == (VerifyCode.OCSP_CERT_UNKNOWN, "unknown")


def rogue() -> Holder:
    """Make a responder whose certificate claims the authority's name and is signed by another key."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rogue")]))
        .issuer_name(holder("ca").x509.subject)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .serial_number(5)
        .public_key(key.public_key())
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .sign(stranger, hashes.SHA256())
    )
    return Holder(certificate, key)


def damaged_signature() -> bytes:
    data = bytearray(answer(holder("ca"), enclose=False))
    data[-1] ^= 1
    return bytes(data)


FAULTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "no delegation": (
        lambda: answer(delegate(purpose=ExtendedKeyUsageOID.SERVER_AUTH)),
        "not for OCSP signing",
    ),
    "no purpose at all": (lambda: answer(delegate(purpose=None)), "not for OCSP signing"),
    "key may not sign": (lambda: answer(delegate(usage=False)), "its key may not sign"),
    "expired responder": (lambda: answer(delegate(end=-1)), "the responder's certificate has expired"),
    "early responder": (lambda: answer(delegate(begin=1)), "the responder's certificate is valid only from"),
    "other authority": (
        lambda: answer(holder("responder", "other", purpose=ExtendedKeyUsageOID.OCSP_SIGNING)),
        "it was issued by another authority",
    ),
    "forged delegation": (lambda: answer(rogue()), "the signature does not match"),
    "no certificate": (lambda: answer(delegate(), enclose=False), "neither known nor in the response"),
    "damaged signature": (damaged_signature, "the signature of the response is wrong"),
    "other certificate": (
        lambda: answer(holder("ca"), about=holder("leaf2", "ca")),
        "nothing about this certif",
    ),
    "expired": (
        lambda: answer(holder("ca"), begin=-2 * DAY, end=-DAY),
        "it has expired: Nov 19 12:00:00 2026",
    ),
    "from the future": (lambda: answer(holder("ca"), begin=DAY, end=2 * DAY), "it is valid only from Nov 21"),
    "refusal": (
        lambda: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
            Encoding.DER
        ),
        "the responder answered trylater (3)",
    ),
    "garbage": (lambda: b"garbage", "OCSP response: "),
    "nothing": (lambda: b"", "OCSP response: "),
    "empty success": (lambda: bytes.fromhex("30030a0100"), "it holds nothing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_makes_a_response_worthless(fault: str) -> None:
    make, sentence = FAULTS[fault]
    verdict = judge_response(make(), LEAF, CA, SECONDS)
    assert verdict.outcome is OcspOutcome.INVALID
    assert verdict.code == VerifyCode.OCSP_VERIFY_FAILED
    assert sentence in verdict.sentence


def test_all_problems_are_told_at_once() -> None:
    data = answer(delegate(purpose=None, end=-1), begin=-3 * DAY, end=-DAY)
    assert len(judge_response(data, LEAF, CA, SECONDS).problems) == 3


def test_times_and_leeway() -> None:
    late = answer(holder("ca"), begin=-DAY, end=-timedelta(seconds=200))
    assert judge_response(late, LEAF, CA, SECONDS).outcome is OcspOutcome.GOOD
    assert judge_response(late, LEAF, CA, SECONDS, leeway=100).outcome is OcspOutcome.INVALID
    assert judge_response(late, LEAF, CA, SECONDS + 10**6).outcome is OcspOutcome.INVALID
    assert judge_response(late, LEAF, CA, None).outcome is OcspOutcome.GOOD
    assert judge_response(answer(holder("ca"), end=None), LEAF, CA, SECONDS).outcome is OcspOutcome.GOOD


def test_nonce() -> None:
    with_nonce = answer(holder("ca"), nonce=b"0123456789abcdef")
    basic = read_response(with_nonce).basic
    assert basic is not None
    assert basic.nonce == b"0123456789abcdef"
    for sent, outcome in ((b"0123456789abcdef", OcspOutcome.GOOD), (b"x" * 16, OcspOutcome.INVALID)):
        assert judge_response(with_nonce, LEAF, CA, SECONDS, nonce=sent).outcome is outcome
    without = judge_response(answer(holder("ca")), LEAF, CA, SECONDS, nonce=b"x" * 16)
    assert without.outcome is OcspOutcome.GOOD
    assert without.notes == ("the responder returned no nonce",)


def test_trusted_responder_needs_no_delegation() -> None:
    responder = holder("stranger")
    data = answer(responder)
    assert judge_response(data, LEAF, CA, SECONDS).outcome is OcspOutcome.INVALID
    verdict = judge_response(data, LEAF, CA, SECONDS, trusted_responders=[responder.certificate])
    assert verdict.outcome is OcspOutcome.GOOD


def test_a_chain_and_its_responses() -> None:
    chain = [LEAF, CA, holder("root").certificate]
    verdicts = judge_chain(chain, [answer(holder("ca"))], SECONDS)
    assert [verdict.outcome for verdict in verdicts] == [OcspOutcome.GOOD, OcspOutcome.NO_RESPONSE]
    assert judge_chain([LEAF], [answer(holder("ca"))], SECONDS) == []
    assert judge_response(answer(holder("ca")), LEAF, None, SECONDS).outcome is OcspOutcome.INVALID


def test_must_staple() -> None:
    stapling = holder("staple", "ca", features=(x509.TLSFeatureType.status_request,))
    assert must_staple(stapling.certificate) == {5}
    assert must_staple(LEAF) == frozenset()


def test_requests_are_what_the_library_reads() -> None:
    for digest in ("sha1", "sha256"):
        data = encode_request([cert_id_for(LEAF, CA, digest)], b"0123456789abcdef")
        request = ocsp.load_der_ocsp_request(data)
        assert request.serial_number == LEAF.serial
        assert request.hash_algorithm.name == digest
        nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value
        assert nonce.nonce == b"0123456789abcdef"
    built = ocsp.OCSPRequestBuilder().add_certificate(
        holder("leaf", "ca").x509, holder("ca").x509, hashes.SHA1()
    )
    assert encode_request([cert_id_for(LEAF, CA)]) == built.build().public_bytes(Encoding.DER)
    with pytest.raises(ValueError, match="is not known"):
        cert_id_for(LEAF, CA, "crc32")


def test_what_is_read() -> None:
    response = read_response(answer(delegate(), status=ocsp.OCSPCertStatus.REVOKED))
    assert (response.status, response.problems) == (0, ())
    assert response.basic is not None
    (single,) = response.basic.responses
    assert (single.status, single.reason, single.cert_id.digest) == (CertStatus.REVOKED, 1, "sha1")
    assert str(response.basic.responder_name) == "CN = responder"


def test_mutated_responses_never_escape() -> None:
    dice = random.Random("ocsp")
    original = answer(delegate(), status=ocsp.OCSPCertStatus.REVOKED, nonce=b"x" * 16)
    for _ in range(3000):
        data = bytearray(original)
        for _ in range(dice.randint(1, 3)):
            position = dice.randrange(len(data))
            match dice.randrange(4):
                case 0:
                    data[position] = dice.randrange(256)
                case 1:
                    data[position] ^= 1 << dice.randrange(8)
                case 2:
                    del data[position : position + dice.randint(1, 20)]
                case _:
                    data[position:position] = dice.randbytes(dice.randint(1, 5))
        verdict = judge_response(bytes(data), LEAF, CA, SECONDS)
        assert verdict.outcome in {OcspOutcome.INVALID, OcspOutcome.REVOKED}
        if verdict.outcome is OcspOutcome.REVOKED:
            # A change that leaves the verdict was made where no signature covers it.
            basic = read_response(bytes(data)).basic
            assert basic is not None
            assert basic.signed in original
