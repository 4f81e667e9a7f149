"""-ct: timestamps from all three places, judged and printed as OpenSSL's s_client does, and what is said besides."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from handglass.cli.own_certificates.identity import LoadError
from handglass.cli.verification.transparency import Logs, Timestamps, load_logs
from handglass.handshake.state import PeerChain
from handglass.verify.certificate import Certificate
from handglass.verify.codes import VerifyCode
from handglass.verify.result import VerifyResult
from support.peers import OpenSSLServer, needs
from support.pki import Authority, Identity, write_identity
from support.s_client import normal, ours, theirs
from support.timestamps import (
    ThrowawayLog,
    certificate_entry,
    embed,
    in_ocsp,
    listed,
    precertificate_entry,
)

pytestmark = needs("openssl")

NOW = int(time.time() * 1000) - 60_000
LATER = NOW + 3_600_000
OUR_LINE = re.compile(r"^SCT verification: (.*)\n", re.MULTILINE)
CONTEXTS = 0x1180  # ClientHello, ServerHello of TLS 1.2, Certificate of TLS 1.3 (SSL_CTX_add_custom_ext(3))


class Lab:
    """An authority, a log, and one key that certificates are issued for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = Authority.make_root("timestamp root", ec.generate_private_key(ec.SECP256R1()))
        self.middle = self.root.intermediate("timestamp authority", ec.generate_private_key(ec.SECP256R1()))
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.log, self.other = ThrowawayLog("Log of the lab"), ThrowawayLog("Another log")
        self.logs = self.log.write_list(directory / "logs.cnf")
        self.plain = self.middle.leaf("leaf", self.key, names=("server.test",))
        self.trust = self.identity("plain", self.plain).root

    def identity(self, name: str, certificate: x509.Certificate) -> Identity:
        """Write a certificate with its key and its issuers."""
        return write_identity(self.directory / name, "p256", certificate, self.key, self.middle)

    def embedded(self, name: str) -> Identity:
        """Issue a certificate with timestamps in it: "good", "bad", "future", "unknown", or several ("good bad")."""
        entry = precertificate_entry(self.plain, self.middle.certificate)
        stamps = [self.stamp(kind, entry) for kind in name.split()]
        return self.identity(name.replace(" ", "-"), embed(self.plain, self.middle, *stamps))

    def stamp(self, kind: str, entry: bytes) -> bytes:
        """Make a timestamp of a kind."""
        log = self.other if kind == "unknown" else self.log
        key = self.other.key if kind == "bad" else None
        return log.stamp(entry, LATER if kind == "future" else NOW, key=key)

    def serverinfo(self, kinds: str) -> Path:
        """Write what s_server is to send as the TLS extension."""
        body = listed(*(self.stamp(kind, certificate_entry(self.plain)) for kind in kinds.split()))
        data = CONTEXTS.to_bytes(4, "big") + (18).to_bytes(2, "big") + len(body).to_bytes(2, "big") + body
        name = "SERVERINFOV2 FOR SCT"
        path = self.directory / f"serverinfo-{kinds.replace(' ', '-')}.pem"
        path.write_text(f"-----BEGIN {name}-----\n{base64.b64encode(data).decode()}\n-----END {name}-----\n")
        return path

    def stapled(self, *kinds: str) -> Path:
        """Write an OCSP response with timestamps in it."""
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.plain,
            issuer=self.middle.certificate,
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=self.plain.not_valid_before_utc,
            next_update=self.plain.not_valid_after_utc,
            revocation_time=None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, self.middle.certificate)
        assert isinstance(self.middle.key, ec.EllipticCurvePrivateKey)
        response = builder.sign(self.middle.key, hashes.SHA256()).public_bytes(Encoding.DER)
        entry = certificate_entry(self.plain)
        path = self.directory / "response.der"
        path.write_bytes(in_ocsp(response, *(self.stamp(kind, entry) for kind in kinds)))
        return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One laboratory for all tests."""
    return Lab(tmp_path_factory.mktemp("timestamps"))


def block(report: str) -> str:
    """The timestamps' part of a report."""
    start = report.index("SCTs present (")
    return report[start : report.index("SSL handshake has read")]


def compared(port: int, *options: str | Path) -> tuple[list[str], str]:
    """Run both programs, find their blocks equal but for our lines; return those, and our whole report."""
    found, expected = (normal(client(port, *options).stdout) for client in (ours, theirs))
    assert OUR_LINE.sub("", block(found)) == block(expected)
    return OUR_LINE.findall(found), found


@pytest.mark.parametrize(
    ("kinds", "verdicts"),
    [
        ("good", ["valid"]),
        ("bad", ["invalid: the signature does not match"]),
        ("future", ["invalid: it lies in the future"]),
        ("unknown", ["unknown log"]),
        ("bad good unknown", ["unknown log", "valid", "invalid: the signature does not match"]),
    ],
)
def test_in_the_certificate(lab: Lab, kinds: str, verdicts: list[str]) -> None:
    """What is wrong is told, and changes the outcome only where a valid timestamp is demanded."""
    options = ("-ctlogfile", lab.logs, "-CAfile", lab.trust)
    with OpenSSLServer(lab.embedded(kinds), "-num_tickets", "0") as server:
        lines, report = compared(server.port, "-ct", *options)
        assert lines == [f"{i}, from the X509v3 extension: {text}" for i, text in enumerate(verdicts, 1)]
        assert "Verify return code: 0 (ok)" in report
        strict = ours(server.port, "-ct_strict", *options, "-verify_return_error")
    assert strict.returncode == (0 if "valid" in verdicts else 1)
    if "valid" not in verdicts:
        assert (
            b"verify error:num=71:Certificate Transparency required, but no valid SCTs found\n"
            in strict.stderr
        )
        assert b"Verify return code: 71 (" in strict.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_in_the_tls_extension_and_the_certificate(lab: Lab, version: str) -> None:
    """In OpenSSL's order: first those of the extension."""
    options = (version, "-ct", "-ctlogfile", lab.logs, "-CAfile", lab.trust)
    server_options = (version, "-serverinfo", lab.serverinfo("good bad"), "-num_tickets", "0")
    with OpenSSLServer(lab.identity("plain", lab.plain), *server_options) as server:
        lines, _ = compared(server.port, *options)
    assert lines == [
        "1, from the TLS extension: invalid: the signature does not match",
        "2, from the TLS extension: valid",
    ]
    with OpenSSLServer(lab.embedded("good"), *server_options) as server:
        lines, _ = compared(server.port, *options)
    assert [line.partition(", ")[2].partition(":")[0] for line in lines] == [
        "from the TLS extension",
        "from the TLS extension",
        "from the X509v3 extension",
    ]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_in_the_ocsp_response(lab: Lab, version: str) -> None:
    """-ct asks for the status too; only -status prints it."""
    options = (version, "-ct", "-ctlogfile", lab.logs, "-CAfile", lab.trust)
    with OpenSSLServer(
        lab.identity("plain", lab.plain),
        "-status_file",
        lab.stapled("good", "future"),
        "-num_tickets",
        "0",
    ) as server:
        lines, report = compared(server.port, *options)
        assert "OCSP response" not in report.replace("from the OCSP response", "")
        _, report = compared(server.port, *options, "-status")
    assert lines == [
        "1, from the OCSP response: invalid: it lies in the future",
        "2, from the OCSP response: valid",
    ]
    assert "OCSP Response Status: successful" in report


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[OpenSSLServer]:
    """An s_server whose certificate has a good timestamp, and which shows the extensions of hellos."""
    with OpenSSLServer(lab.embedded("good"), "-num_tickets", "0", "-tlsextdebug") as process:
        yield process


def test_chains_that_were_not_verified(lab: Lab, server: OpenSSLServer) -> None:
    """No timestamp counts for them, and the reason is told."""
    given = ("-ct", "-ctlogfile", lab.logs)
    lines, report = compared(server.port, *given)
    assert lines == ["1, from the X509v3 extension: not set", "not done: the chain was not verified"]
    assert "Verify return code: 20 (" in report
    leaf = lab.directory / "good" / "certificate.pem"
    digest = hashes.Hash(hashes.SHA256())
    digest.update(x509.load_pem_x509_certificate(leaf.read_bytes()).public_bytes(Encoding.DER))
    dane = ("-dane_tlsa_domain", "server.test", "-dane_tlsa_rrdata", f"3 0 1 {digest.finalize().hex()}")
    lines, report = compared(server.port, *given, *dane)
    assert "a TLSA record vouches for the server" in lines[-1]
    assert "Verify return code: 0 (ok)" in report
    strict = ours(server.port, "-ct_strict", *given, *dane)
    assert b"Verify return code: 71 (" in strict.stdout
    assert b"verify detail:a TLSA record vouches" in strict.stderr


def test_a_certificate_that_is_trusted_itself(lab: Lab) -> None:
    """Without an issuer there is nothing to verify an embedded timestamp with."""
    path = lab.embedded("good").certificate
    leaf = x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    chain = PeerChain((leaf,), is_server=True)
    alone = VerifyResult(VerifyCode.OK, True, (), (Certificate(leaf),), 0)
    logs = Logs(load_logs(str(lab.logs)), demanded=True)
    found = Timestamps(chain, alone, logs, NOW // 1000)
    assert "SCT validation status: not set\n" in found.text()
    assert "there is no issuer to verify with" in found.text()
    assert found.judged(alone).code == VerifyCode.NO_VALID_SCTS


def test_no_timestamps(lab: Lab, server: OpenSSLServer) -> None:
    """None shown; nothing at all of timestamps where they were not asked for, or the session is resumed."""
    given = ("-ctlogfile", lab.logs, "-CAfile", lab.trust)
    with OpenSSLServer(lab.identity("plain", lab.plain)) as other:
        lines, report = compared(other.port, "-ct", *given)
        assert (lines, block(report)) == ([], "SCTs present (0)\n---\n")
        strict = ours(other.port, "-ct_strict", *given)
        assert b"Verify return code: 71 (" in strict.stdout
        session = lab.directory / "session.pem"
        ours(other.port, "-ct", *given, "-sess_out", session)
        resumed = ours(other.port, "-ct", *given, "-sess_in", session)
        assert b"Reused, " in resumed.stdout
        assert b"SCTs present" not in resumed.stdout
    assert b"SCT" not in ours(server.port, *given).stdout


@pytest.mark.parametrize(
    ("switches", "asked"),
    [
        (("-ct",), True),
        (("-ct_strict",), True),
        (("-noct", "-ct"), True),
        (("-ct", "-noct"), False),
        (("-ct_strict", "-noct"), False),
        ((), False),
    ],
)
def test_what_the_hello_asks_for(
    lab: Lab, server: OpenSSLServer, switches: Sequence[str], asked: bool
) -> None:
    """status_request and signed_certificate_timestamp, or neither; the last switch counts."""
    for client in (ours, theirs) if "-ct_strict" not in switches else (ours,):
        before = len(server.stdout)
        client(server.port, *switches, "-ctlogfile", lab.logs, "-tls1_3")
        server.wait_for(r"ACCEPT|CONNECTION CLOSED|shutting down", after=before)
        hello = server.stdout[before:].decode()
        assert ('"status request" (id=5), len=5' in hello) is asked
        assert ('"signed certificate timestamps" (id=18), len=0' in hello) is asked


def test_log_lists(lab: Lab, server: OpenSSLServer, tmp_path: Path) -> None:
    """The file given, that of the environment, or OpenSSL's own; none is needed after -noct."""
    found = ours(server.port, "-ct", "-CAfile", lab.trust, env={"CTLOG_FILE": str(lab.logs)})
    assert b"SCT validation status: valid\n" in found.stdout
    absent = ours(1, "-ct", "-ctlogfile", tmp_path / "absent")
    assert absent.returncode == 1
    assert b"absent: No such file or directory: log conf invalid\n" in absent.stderr
    (tmp_path / "empty.cnf").write_text("enabled_logs =\n")
    lines, _ = compared(server.port, "-ct", "-ctlogfile", tmp_path / "empty.cnf", "-CAfile", lab.trust)
    assert lines == ["1, from the X509v3 extension: unknown log"]
    unused = ours(server.port, "-ctlogfile", tmp_path / "absent", "-CAfile", lab.trust)
    assert b"s_client: -ctlogfile has no effect without -ct\n" in unused.stderr


def test_log_lists_that_cannot_be_read(tmp_path: Path) -> None:
    """Each failure is one sentence that names the file."""
    with pytest.raises(LoadError, match=r"log conf invalid \(name a list of logs with -ctlogfile\)"):
        load_logs(None, {"CTLOG_FILE": str(tmp_path / "absent")})
    path = tmp_path / "logs.cnf"
    path.write_text("nothing")
    with pytest.raises(LoadError, match=r"logs\.cnf: log conf invalid: it has no line enabled_logs"):
        load_logs(str(path))
