"""TLSA options, log lists, and what stapled responses mean for a chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from handglass.cli.evidence import dane_records, judge_status, load_ct_logs, must_staple_problem
from handglass.cli.identity import LoadError
from handglass.crypto.throwaway import Authority
from handglass.verify import Certificate, VerifyCode
from handglass.verify.ocsp_judge import OcspOutcome

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
DIGEST = "ab" * 32


def test_tlsa_options() -> None:
    warnings: list[str] = []
    records = dane_records("x.test", [f"3 1 1 {DIGEST}", "3 1 z 00", "3 1 1 00"], warn=warnings.append)
    assert records is not None
    assert [str(record) for record in records.records] == [f"3 1 1 {DIGEST}"]
    assert warnings[0] == "warning: bad TLSA mtype field in: 3 1 z 00"
    assert warnings[1].startswith("warning: unusable TLSA rrdata: 3 1 1 00")
    assert dane_records(None, []) is None


@pytest.mark.parametrize(
    ("domain", "rrdata", "sentence"),
    [
        (None, ["3 1 1 00"], "requires the -dane_tlsa_domain option"),
        ("x.test", [], "requires at least one -dane_tlsa_rrdata option"),
        ("x.test", ["3 1 1 00"], "Failed to import any TLSA records"),
    ],
)
def test_tlsa_options_that_do_not_do(domain: str | None, rrdata: list[str], sentence: str) -> None:
    with pytest.raises(LoadError, match=sentence):
        dane_records(domain, rrdata)


def test_log_lists(tmp_path: Path) -> None:
    path = tmp_path / "logs.cnf"
    path.write_text("enabled_logs=a\n[a]\ndescription=A\nkey=AAAA\n")
    assert [log.description for log in load_ct_logs(str(path)).values()] == ["A"]
    assert [log.description for log in load_ct_logs(None, {"CTLOG_FILE": str(path)}).values()] == ["A"]
    with pytest.raises(LoadError, match=r"cannot open nofile: No such file or directory: log conf invalid$"):
        load_ct_logs("nofile")
    with pytest.raises(LoadError, match=r"log conf invalid \(name a list of logs with -ctlogfile\)"):
        load_ct_logs(None, {"CTLOG_FILE": str(tmp_path / "absent")})
    path.write_text("nothing")
    with pytest.raises(LoadError, match=r"logs\.cnf: log conf invalid: it has no line enabled_logs"):
        load_ct_logs(str(path))


def test_stapled_responses() -> None:
    root = Authority(NOW)
    chain = [Certificate(root.issue().certificate), Certificate(root.certificate)]
    verdicts, problems = judge_status(chain, [], SECONDS)
    assert [verdict.outcome for verdict in verdicts] == [OcspOutcome.NO_RESPONSE]
    assert [(each.code, each.depth) for each in problems] == [(VerifyCode.OCSP_VERIFY_NEEDED, 0)]
    longer = [chain[0], chain[1], chain[1]]
    assert len(judge_status(longer, [b"x"], SECONDS)[1]) == 1
    codes = [each.code for each in judge_status(longer, [b"x"], SECONDS, check_all=True)[1]]
    assert codes == [VerifyCode.OCSP_VERIFY_FAILED, VerifyCode.OCSP_VERIFY_NEEDED]


def test_certificates_that_must_be_stapled() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .serial_number(1)
        .public_key(key.public_key())
        .add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = [Certificate(certificate.public_bytes(Encoding.DER))]
    problem = must_staple_problem(chain, [None], asked=True)
    assert problem is not None
    assert "demands a stapled OCSP response" in problem.sentence
    assert must_staple_problem(chain, [], asked=False) is None
    assert must_staple_problem(chain, [b"a response"], asked=True) is None
    plain = [Certificate(Authority(NOW).certificate)]
    assert must_staple_problem(plain, [], asked=True) is None
