"""-status: the stapled response as OpenSSL prints it, what we find when we check it, and what is demanded of it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from cli.s_client.setups.parts import longer, responding
from support.chain_server import Serving, chain_server, served
from support.peers import OpenSSLServer, needs
from support.pki import Authority, Identity, write_identity
from support.s_client import ours, said, theirs

pytestmark = needs("openssl")

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0, tzinfo=None)
HOUR = datetime.timedelta(hours=1)
STATUSES = {
    "good": ocsp.OCSPCertStatus.GOOD,
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}


class Lab:
    """An authority that answers for its leaf, and one that has no business to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = Authority.make_root("status root", ec.generate_private_key(ec.SECP256R1()))
        self.middle = self.root.intermediate("status authority", ec.generate_private_key(ec.SECP256R1()))
        self.stranger = Authority.make_root("stranger", ec.generate_private_key(ec.SECP256R1()))

    def leaf(self, *, must_staple: bool = False) -> Identity:
        """Issue a leaf."""
        key = ec.generate_private_key(ec.SECP256R1())
        extra = [(x509.TLSFeature([x509.TLSFeatureType.status_request]), False)] if must_staple else []
        self.certificate = self.middle.leaf("leaf", key, names=("server.test",), extra=extra)
        return write_identity(self.directory / "leaf", "p256", self.certificate, key, self.middle)

    def response(self, status: str, signer: Authority, *, age: datetime.timedelta = HOUR) -> Path:
        """Write a response about the leaf; it was made `age` ago and holds for two hours."""
        revoked = status == "revoked"
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.certificate,
            issuer=self.middle.certificate,
            algorithm=hashes.SHA256(),
            cert_status=STATUSES[status],
            this_update=NOW - age,
            next_update=NOW - age + 2 * HOUR,
            revocation_time=NOW - 2 * HOUR if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, signer.certificate)
        assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
        response = builder.sign(signer.key, hashes.SHA256())
        path = self.directory / f"{status}.der"
        path.write_bytes(response.public_bytes(serialization.Encoding.DER))
        return path


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("status", "sentence", "code"),
    [("good", "good", 0), ("revoked", "revoked (keyCompromise) since ", 23), ("unknown", "unknown", 75)],
)
def test_responses(tmp_path: Path, version: str, status: str, sentence: str, code: int) -> None:
    """OpenSSL's block, our verdict below it; with -ocsp_check_leaf it decides."""
    lab = Lab(tmp_path)
    leaf = lab.leaf()
    options = (version, "-status", "-CAfile", leaf.root)
    path = lab.response(status, lab.middle)
    with OpenSSLServer(leaf, "-status_file", path, "-num_tickets", "0") as server:
        expected, found = (said(client(server.port, *options)) for client in (theirs, ours))
        line = next(each for each in found.stdout.splitlines() if each.startswith("OCSP verification: "))
        assert line.startswith(f"OCSP verification: depth=0 {sentence}")
        assert found.stdout.replace(line + "\n", "") == expected.stdout
        assert "OCSP Response Status: successful (0x0)" in found.stdout
        assert "Verify return code: 0 (ok)" in found.stdout
        checked = said(ours(server.port, *options, "-ocsp_check_leaf"))
        assert f"Verify return code: {code} (" in checked.stdout
        ended = said(ours(server.port, *options, "-ocsp_check_leaf", "-verify_return_error"))
        assert ended.status == (1 if code else 0)
        assert ours(server.port, "-brief", *options).stdout == b""


def test_responses_that_prove_nothing(tmp_path: Path) -> None:
    """A stranger's signature and an old response are not believed."""
    lab = Lab(tmp_path)
    leaf = lab.leaf()
    options = ("-status", "-ocsp_check_leaf", "-CAfile", leaf.root)
    for path in (
        lab.response("good", lab.stranger),
        lab.response("good", lab.middle, age=datetime.timedelta(days=3)),
    ):
        with OpenSSLServer(leaf, "-status_file", path) as server:
            found = said(ours(server.port, *options))
        assert "Verify return code: 74 (OCSP verification failed)" in found.stdout
        assert "OCSP verification: depth=0 " in found.stdout
        assert "depth=0 good" not in found.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_each_response_is_about_its_certificate(tmp_path: Path, version: str) -> None:
    """A server sends its intermediates in the wrong order, and the responses with them."""
    chain = longer()()
    sent = {"leaf": "middle", "upper": "root", "middle": "upper"}
    (tmp_path / "root.pem").write_text(chain["root"].pem)
    for revoked in ("none", *sent):
        responses = [
            responding("REVOKED" if each == revoked else "GOOD", by, each, by)(chain)
            for each, by in sent.items()
        ]
        identity = served([chain[each].der for each in sent], chain["leaf"].key.private, responses)
        told = told_by(identity, version, "-CAfile", tmp_path / "root.pem", "-ocsp_check_all")
        for depth, each in enumerate(("leaf", "middle", "upper")):
            outcome = "revoked" if each == revoked else "good"
            assert f"OCSP verification: depth={depth} {outcome}" in told
        assert f"Verify return code: {0 if revoked == 'none' else 23} (" in told


def told_by(serving: Serving, *options: str | Path) -> str:
    """Give what our client says of a server."""
    with chain_server(lambda _: serving) as server:
        return ours(server.port, *options).text


def test_no_response(tmp_path: Path) -> None:
    """Said as OpenSSL says it; a certificate that demands one is told; the checks miss it."""
    lab = Lab(tmp_path)
    leaf = lab.leaf(must_staple=True)
    options = ("-CAfile", leaf.root)
    with OpenSSLServer(leaf) as server:
        found = said(ours(server.port, *options, "-status"))
        assert "OCSP response: no response sent\n" in found.stdout
        assert "the certificate demands a response (must-staple), and none was sent" in found.stdout
        assert "Verify return code: 0 (ok)" in found.stdout
        found = said(ours(server.port, *options, "-ocsp_check_all"))
        assert "Verify return code: 73 (OCSP verification needed)" in found.stdout
        assert b"OCSP" not in ours(server.port, *options).stdout
