"""Signed certificate timestamps from all three places, the two log lists, and garbage."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from handglass.crypto import der
from handglass.crypto.containers import load_certificates
from handglass.verify.certificate import Certificate
from handglass.verify.codes import VerifyCode
from handglass.verify.ct_logs import CtLog, CtLogError, read_logs
from handglass.verify.sct import (
    EMBEDDED,
    CtReport,
    SctSource,
    SctStatus,
    judge_timestamps,
    list_timestamps,
    read_list,
)
from handglass.verify.sct_text import report_text
from support.timestamps import ThrowawayLog, certificate_entry, in_ocsp, listed, precertificate_entry

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MILLISECONDS = int(NOW.timestamp() * 1000)
THROWAWAY = ThrowawayLog()
LOG = THROWAWAY.facts
LOGS = {LOG.log_id: LOG}
CA_KEY = ec.generate_private_key(ec.SECP256R1())
LEAF_KEY = ec.generate_private_key(ec.SECP256R1())


def make(*extensions: x509.ExtensionType, issuer: str = "ca", name: str = "leaf") -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .serial_number(77)
        .public_key((CA_KEY if name == "ca" else LEAF_KEY).public_key())
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(CA_KEY, hashes.SHA256())


SAN = x509.SubjectAlternativeName([x509.DNSName("leaf.test")])
ISSUER = Certificate(make(name="ca").public_bytes(Encoding.DER))


def timestamp(entry: bytes, time: int = MILLISECONDS - 5, extensions: bytes = b"") -> bytes:
    return THROWAWAY.stamp(entry, time, extensions=extensions)


def with_embedded(time: int = MILLISECONDS - 5) -> Certificate:
    """Make a certificate with a timestamp inside, between two other extensions."""
    plain = make(SAN, x509.OCSPNoCheck())
    entry = precertificate_entry(plain, make(name="ca"))
    value = der.encode(der.OCTET_STRING, listed(timestamp(entry, time)))
    inside = x509.UnrecognizedExtension(x509.ObjectIdentifier(EMBEDDED), value)
    return Certificate(make(SAN, inside, x509.OCSPNoCheck()).public_bytes(Encoding.DER))


def statuses(report: CtReport) -> list[SctStatus]:
    assert report.problems == ()
    return [verdict.status for verdict in report.verdicts]


def test_embedded_in_the_certificate() -> None:
    certificate = with_embedded()
    assert statuses(judge_timestamps(certificate, ISSUER, LOGS, MILLISECONDS)) == [SctStatus.VALID]
    assert statuses(judge_timestamps(certificate, None, LOGS, MILLISECONDS)) == [SctStatus.UNVERIFIED]
    assert statuses(judge_timestamps(certificate, ISSUER, {}, MILLISECONDS)) == [SctStatus.UNKNOWN_LOG]
    other = Certificate(make(name="other").public_bytes(Encoding.DER))
    assert statuses(judge_timestamps(certificate, other, LOGS, MILLISECONDS)) == [SctStatus.INVALID]
    future = judge_timestamps(with_embedded(time=MILLISECONDS + 9), ISSUER, LOGS, MILLISECONDS)
    assert (future.verdicts[0].status, future.verdicts[0].reason) == (
        SctStatus.INVALID,
        "it lies in the future",
    )
    assert statuses(judge_timestamps(with_embedded(time=MILLISECONDS + 9), ISSUER, LOGS, None)) == [
        SctStatus.VALID
    ]


def test_read_without_a_verdict() -> None:
    report = list_timestamps(with_embedded(), LOGS, extension=b"\0")
    assert [(each.status, each.log) for each in report.verdicts] == [(SctStatus.NOT_SET, LOG)]
    assert report.problems == ("timestamps of the TLS extension: cut short at byte 0",)
    assert report.code == VerifyCode.NO_VALID_SCTS


def test_in_the_tls_extension_and_in_ocsp() -> None:
    leaf = make(SAN)
    issuer = make(name="ca")
    good = timestamp(certificate_entry(leaf), extensions=b"xy")
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            leaf, issuer, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, NOW, NOW + timedelta(days=1), None, None
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    )
    response = builder.sign(CA_KEY, hashes.SHA256()).public_bytes(Encoding.DER)
    report = judge_timestamps(
        Certificate(leaf.public_bytes(Encoding.DER)),
        ISSUER,
        LOGS,
        MILLISECONDS,
        extension=listed(good, good[:-1] + b"x"),
    )
    assert [verdict.status for verdict in report.verdicts] == [SctStatus.INVALID, SctStatus.VALID]
    assert report.code == VerifyCode.OK
    stapled = in_ocsp(response, good, good)
    report = judge_timestamps(
        Certificate(leaf.public_bytes(Encoding.DER)),
        ISSUER,
        LOGS,
        MILLISECONDS,
        ocsp=stapled,
        extension=listed(good),
    )
    assert [verdict.timestamp.source for verdict in report.verdicts] == [
        SctSource.TLS_EXTENSION,
        SctSource.OCSP,
        SctSource.OCSP,
    ]
    assert statuses(report) == [SctStatus.VALID] * 3


def test_versions_and_algorithms_that_nobody_has() -> None:
    entry = certificate_entry(make(SAN))
    good = timestamp(entry)
    other_version = b"\1" + good[1:]
    position = good.index(b"\4\3")
    sha1 = good[:position] + b"\2\3" + good[position + 2 :]
    leaf = Certificate(make(SAN).public_bytes(Encoding.DER))
    report = judge_timestamps(leaf, ISSUER, LOGS, None, extension=listed(other_version, sha1))
    assert statuses(report) == [SctStatus.INVALID, SctStatus.UNKNOWN_VERSION]
    assert report.code == VerifyCode.NO_VALID_SCTS
    assert "Version   : unknown (0x1)" in report_text(report)


# test/certs/embeddedSCTs1.pem and embeddedSCTs1_issuer.pem of OpenSSL (Apache-2.0), which come from the tests
# of the Certificate Transparency project, with the public key of its test log.
VECTOR = """
-----BEGIN CERTIFICATE-----
MIIDWzCCAsSgAwIBAgIBBzANBgkqhkiG9w0BAQUFADBVMQswCQYDVQQGEwJHQjEk
MCIGA1UEChMbQ2VydGlmaWNhdGUgVHJhbnNwYXJlbmN5IENBMQ4wDAYDVQQIEwVX
YWxlczEQMA4GA1UEBxMHRXJ3IFdlbjAgFw0xMjA2MDEwMDAwMDBaGA8yMTIyMDYw
MTAwMDAwMFowUjELMAkGA1UEBhMCR0IxITAfBgNVBAoTGENlcnRpZmljYXRlIFRy
YW5zcGFyZW5jeTEOMAwGA1UECBMFV2FsZXMxEDAOBgNVBAcTB0VydyBXZW4wgZ8w
DQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAL7vmOfCaHeuOF91MloMHTKb7fGPqvTX
lr8EfrfhzhXJW6L4DuRYvX24b4pLJSGRp5vXAMOOnAOJtFzU3JoSCrIeDLQc0Oco
BaQQzZxb211JJ3JtrxcQ9gGHN36iWxoeOe7QuIEZ3BVNxo99qOMMrxWKM+bJUJ9K
BbAUCf9d2H61AgMBAAGjggE6MIIBNjAdBgNVHQ4EFgQUIDFUGvJcBf/YZYtoQ3lP
XpA297QwfQYDVR0jBHYwdIAUX52IDchz5lTU+A3Y5rDBJLRHw1WhWaRXMFUxCzAJ
BgNVBAYTAkdCMSQwIgYDVQQKExtDZXJ0aWZpY2F0ZSBUcmFuc3BhcmVuY3kgQ0Ex
DjAMBgNVBAgTBVdhbGVzMRAwDgYDVQQHEwdFcncgV2VuggEAMAkGA1UdEwQCMAAw
gYoGCisGAQQB1nkCBAIEfAR6AHgAdgDfHC7BFQCUUkepYWgyXdxceVno98bTiPwA
Lgu9P3TXZAAAAT3bJ9+TAAAEAwBHMEUCIQC4xdN1m4R0fdo8DiEa+ZByLbWTFHmT
+S7EmfEbICrGfAIgDd3R7jPcFUn5eZhFwurLECF7pVlme6s76gwA5JnjF6owDQYJ
KoZIhvcNAQEFBQADgYEAJZfiWhJWxF2L7houq4+qoT36ydZj6/pK4bfsQSpOwOy5
NohMmk0KQPz2cFcv4hnOQUMF7WDc9sznTwkGQ/YX01D5P6gaLk0gunDk4TLkOCmI
oee59fiu+S6Wh91VSOiLsGnxE61J26QBOs3YRkDWLJw3Sb8oQLJ06cvOjk8SuzI=
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIC0jCCAjugAwIBAgIBADANBgkqhkiG9w0BAQUFADBVMQswCQYDVQQGEwJHQjEk
MCIGA1UEChMbQ2VydGlmaWNhdGUgVHJhbnNwYXJlbmN5IENBMQ4wDAYDVQQIEwVX
YWxlczEQMA4GA1UEBxMHRXJ3IFdlbjAgFw0xMjA2MDEwMDAwMDBaGA8yMTIyMDYw
MTAwMDAwMFowVTELMAkGA1UEBhMCR0IxJDAiBgNVBAoTG0NlcnRpZmljYXRlIFRy
YW5zcGFyZW5jeSBDQTEOMAwGA1UECBMFV2FsZXMxEDAOBgNVBAcTB0VydyBXZW4w
gZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBANWKaFNiEKJxGZNud4MhGBwqQBPG
0HuMduuRV9PQ+0s7UW7Oy9HJjZHFL3Q/q2NdVQmc0Tq68xrlQUQkUadMeBbyJDz4
SM8oMczme6BKWiOBnzy6N+Yk2cO9spm4Od3+JjHSyzqE/HuytcUvz8FP/0BvXNRG
acuy98/fhvtqudGxAgMBAAGjga8wgawwHQYDVR0OBBYEFF+diA3Ic+ZU1PgN2Oaw
wSS0R8NVMH0GA1UdIwR2MHSAFF+diA3Ic+ZU1PgN2OawwSS0R8NVoVmkVzBVMQsw
CQYDVQQGEwJHQjEkMCIGA1UEChMbQ2VydGlmaWNhdGUgVHJhbnNwYXJlbmN5IENB
MQ4wDAYDVQQIEwVXYWxlczEQMA4GA1UEBxMHRXJ3IFdlboIBADAMBgNVHRMEBTAD
AQH/MA0GCSqGSIb3DQEBBQUAA4GBABU/yRBFzR/EjUgCnmXKnwmzbbl7FNbS+zia
VH81tKqO6rReC1I3EAiAj0nL13GVZ3+s86HjE1PEp/mZca545Auk3OgD9SCwL8J8
s4vjYJUVAC8sQmtO717T6sP5iurLXlofH80kgtDAx+ugi7DIlCnGysd+fGnHQd2d
8S14Ahqm
-----END CERTIFICATE-----
"""
VECTOR_LOG = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmXg8sUUzwBYaWrRb+V0IopzQ6o3U"
    "yEJ04r5ZrRXGdpYM8K+hB0pXrGRLI0eeWz+3skXrS0IO83AhA3GpRL6s6w=="
)


def test_a_certificate_of_the_certificate_transparency_project() -> None:
    leaf, issuer = map(Certificate, load_certificates(VECTOR.encode()))
    log = CtLog("https://github.com/google/certificate-transparency", base64.b64decode(VECTOR_LOG))
    report = judge_timestamps(leaf, issuer, {log.log_id: log}, MILLISECONDS)
    assert statuses(report) == [SctStatus.VALID]
    # The same timestamp as SCT_print(3) prints it (openssl x509 -text, OpenSSL 3.0), with s_client's lines
    # around it.
    assert report_text(report) == (
        "---\nSCTs present (1)\n---\nSCT validation status: valid\n"
        "Signed Certificate Timestamp:\n"
        "    Version   : v1 (0x0)\n"
        "    Log       : https://github.com/google/certificate-transparency\n"
        "    Log ID    : DF:1C:2E:C1:15:00:94:52:47:A9:61:68:32:5D:DC:5C:\n"
        "                79:59:E8:F7:C6:D3:88:FC:00:2E:0B:BD:3F:74:D7:64\n"
        "    Timestamp : Apr  5 17:04:16.275 2013 GMT\n"
        "    Extensions: none\n"
        "    Signature : ecdsa-with-SHA256\n"
        "                30:45:02:21:00:B8:C5:D3:75:9B:84:74:7D:DA:3C:0E:\n"
        "                21:1A:F9:90:72:2D:B5:93:14:79:93:F9:2E:C4:99:F1:\n"
        "                1B:20:2A:C6:7C:02:20:0D:DD:D1:EE:33:DC:15:49:F9:\n"
        "                79:98:45:C2:EA:CB:10:21:7B:A5:59:66:7B:AB:3B:EA:\n"
        "                0C:00:E4:99:E3:17:AA\n"
    )
    assert report_text(CtReport(())) == "---\nSCTs present (0)\n"


def test_openssls_log_list() -> None:
    text = f"# logs\nenabled_logs = one,two\n[one]\ndescription = First\nkey = {VECTOR_LOG}\n[two]\n"
    text += (
        f'description = "{LOG.description}"\nkey = {base64.b64encode(LOG.key).decode()}\n[three]\nkey = x\n'
    )
    logs = read_logs(text.encode())
    assert sorted(log.description for log in logs.values()) == ["First", "Test log"]
    assert logs[LOG.log_id].key == LOG.key


def test_json_log_list() -> None:
    key = base64.b64encode(LOG.key).decode()
    document = {
        "version": "1.0",
        "operators": [
            {
                "name": "Somebody",
                "logs": [{"description": "One", "key": key, "url": "https://log/", "state": {"usable": {}}}],
                "tiled_logs": [{"description": "Two", "key": VECTOR_LOG, "submission_url": "https://tiles/"}],
            }
        ],
    }
    logs = read_logs(json.dumps(document).encode())
    assert logs[LOG.log_id] == CtLog("One", LOG.key, "https://log/", "usable")
    assert {log.url for log in logs.values()} == {"https://log/", "https://tiles/"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no line enabled_logs"),
        ("enabled_logs=x", r"no section \[x\]"),
        ("enabled_logs=x\n[x]\nkey=AA==", "missing description"),
        ("enabled_logs=x\n[x]\ndescription=d", "missing key"),
        ("enabled_logs=x\n[x]\ndescription=d\nkey=*", "invalid key"),
        ("{", "not a JSON log list"),
        ("{}", "not a JSON log list"),
        ('{"operators": [{"logs": [{"key": 5}]}]}', "not a JSON log list"),
        ('{"operators": ' + "[" * 100_000, "nested too deeply|not a JSON"),
    ],
)
def test_log_lists_that_cannot_be_used(text: str, sentence: str) -> None:
    with pytest.raises(CtLogError, match=sentence):
        read_logs(text.encode())


def test_damaged_lists_are_told_and_mutations_never_escape() -> None:
    leaf = Certificate(make(SAN).public_bytes(Encoding.DER))
    good = listed(timestamp(certificate_entry(make(SAN))))
    report = judge_timestamps(leaf, ISSUER, LOGS, None, extension=good + b"x")
    assert report.problems == ("timestamps of the TLS extension: 1 bytes follow the list",)
    dice = random.Random("sct")
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            position = dice.randrange(len(data))
            data[position : position + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        report = judge_timestamps(leaf, ISSUER, LOGS, None, extension=bytes(data))
        report_text(report)
        assert bytes(data) == good or all(each.status is not SctStatus.VALID for each in report.verdicts)
    many = judge_timestamps(leaf, ISSUER, LOGS, None, extension=listed(*[b"\1"] * 20_000))
    assert len(many.verdicts) == 256
    assert read_list(b"\0\0", SctSource.OCSP) == []
