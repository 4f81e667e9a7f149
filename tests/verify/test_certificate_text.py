"""Certificates and OCSP responses as text: line by line what `openssl` prints, and nothing that escapes."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from handglass.crypto.containers import load_certificates
from handglass.verify import Certificate, nameopt
from handglass.verify.certificate_text import certificate_text
from handglass.verify.ocsp import read_response
from handglass.verify.ocsp_text import response_text, status_block
from support.peers import needs, openssl_version, program
from support.pki import Pki
from support.processes import run

CONFIGURATION = """
[req]
distinguished_name=dn
[dn]
[all]
basicConstraints=critical,CA:TRUE,pathlen:3
keyUsage=critical,keyCertSign,cRLSign,digitalSignature
extendedKeyUsage=serverAuth,clientAuth,1.2.3.4
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid:always,issuer:always
subjectAltName=@alt
issuerAltName=DNS:i.test
authorityInfoAccess=OCSP;URI:http://o/,caIssuers;URI:http://c/
crlDistributionPoints=dps
freshestCRL=URI:http://f/
certificatePolicies=2.5.29.32.0,1.2.3.4,@pol
policyConstraints=requireExplicitPolicy:3,inhibitPolicyMapping:0
policyMappings=1.2.3.4:1.2.3.5
inhibitAnyPolicy=2
nameConstraints=@nc
tlsfeature=status_request,status_request_v2
noCheck=ignored
nsComment=hello
nsCertType=server,client
1.2.3.99=ASN1:UTF8String:unknown
[alt]
DNS=a.test
IP.1=1.2.3.4
IP.2=2001:db8::1
email=a@b.test
URI=http://x/
RID=1.2.3.4
dirName=dd
otherName=1.2.3.4;UTF8:some
[nc]
permitted;DNS=.x.test
permitted;IP.1=192.168.0.0/255.255.0.0
excluded;email=y.test
permitted;IP.2=2001:db8::/ffff:ffff::
[dd]
C=XX
CN=dir
[dps]
fullname=URI:http://c2/
CRLissuer=dirName:dd
[pol]
policyIdentifier=1.3.5.8
CPS.1=http://cps/
userNotice.1=@n
[n]
explicitText=UTF8:Explicit
organization=Org
noticeNumbers=1,2
"""
SUBJECT = "/C=XX/O=Lab \u00e9+OU=x/CN=all/emailAddress=a@b"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate with every extension that openssl can make."""
    directory = tmp_path_factory.mktemp("text")
    (directory / "all.cnf").write_text(CONFIGURATION)
    command = [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]
    command += [
        "-nodes",
        "-keyout",
        "all.key",
        "-config",
        "all.cnf",
        "-extensions",
        "all",
        "-utf8",
        "-subj",
        SUBJECT,
    ]
    run([*command, "-out", "all.pem"], cwd=directory).check()
    return directory / "all.pem"


def printed_by_openssl(path: Path) -> str:
    text = run([program("openssl"), "x509", "-in", path, "-noout", "-text"]).check().stdout.decode()
    # OpenSSL forgets a line feed between a full name and what follows it, and leaves spaces after RSASSA-PSS.
    text = text.replace("http://c2/    ", "http://c2/\n    ")
    return "\n".join(line if line.endswith(": ") else line.rstrip() for line in text.split("\n"))


def ours(path: Path) -> str:
    return certificate_text(Certificate(load_certificates(path.read_bytes())[0]), nameopt.ONELINE)


@needs("openssl")
def test_every_extension(everything: Path) -> None:
    assert printed_by_openssl(everything) == ours(everything)


@needs("openssl")
@pytest.mark.parametrize("key_type", ["rsa", "rsa_pss", "p256", "p384", "p521", "ed25519", "ed448"])
def test_every_kind_of_key(pki: Pki, key_type: str) -> None:
    identity = pki.server(key_type)
    for path in (identity.certificate, identity.intermediate, identity.root):
        assert ours(path) == printed_by_openssl(path)


def test_keys_that_only_later_versions_know(pki: Pki) -> None:
    text = ours(pki.server("mldsa65").certificate)
    assert "Signature Algorithm: " in text
    assert "                pub:\n" in text


@needs("openssl")
def test_the_systems_own_certificates() -> None:
    paths = sorted(Path("/etc/ssl/certs").glob("*.0"))[:40]
    if not paths or openssl_version()[:2] != (3, 0):
        pytest.skip("no hashed directory of certificates, or another version of openssl")
    for path in paths:
        theirs = printed_by_openssl(path)
        # OpenSSL prints nothing for explicit texts in BMPString, and knows names of SET's extensions.
        if "Explicit Text: \n" not in theirs and "setCext" not in theirs:
            assert ours(path) == theirs, path


RESPONSES = [
    (["-cert", "leaf.pem"], "one certificate"),
    (["-cert", "leaf.pem", "-serial", "0x1002", "-serial", "0x99"], "good, revoked and unknown"),
    (["-sha256", "-cert", "leaf.pem", "-nonce"], "another hash and a nonce"),
]


@needs("openssl")
@pytest.mark.parametrize(("arguments", "what"), RESPONSES, ids=[what for _, what in RESPONSES])
@pytest.mark.parametrize("by_key", [False, True])
def test_ocsp_responses(tmp_path: Path, pki: Pki, arguments: list[str], what: str, by_key: bool) -> None:
    identity = pki.server("rsa")
    leaf = Certificate(load_certificates(identity.certificate.read_bytes())[0])
    (tmp_path / "leaf.pem").write_bytes(identity.certificate.read_bytes())
    (tmp_path / "ca.pem").write_bytes(identity.intermediate.read_bytes())
    serial = f"{leaf.serial:X}"
    serial = serial if len(serial) % 2 == 0 else "0" + serial
    (tmp_path / "index.txt").write_text(
        f"V\t300101000000Z\t\t{serial}\tunknown\t/CN=x\nR\t300101000000Z\t250101000000Z,superseded\t1002\tunknown\t/CN=y\n"
    )
    signer = [identity.certificate, identity.key]
    command = [program("openssl"), "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-issuer", "ca.pem"]
    command += ["-rsigner", str(signer[0]), "-rkey", str(signer[1]), "-ndays", "2", *arguments]
    command += ["-respout", "response.der", *(["-resp_key_id"] if by_key else [])]
    run(command, cwd=tmp_path).check()
    theirs = run(
        [program("openssl"), "ocsp", "-respin", "response.der", "-noverify", "-resp_text"], cwd=tmp_path
    )
    response = read_response((tmp_path / "response.der").read_bytes())
    assert response_text(response) == theirs.check().stdout.decode()
    assert status_block(response).startswith("OCSP response: \n" + "=" * 38 + "\nOCSP Response Data:\n")


def test_responses_without_content() -> None:
    assert status_block(None) == "OCSP response: no response sent\n"
    refusal = response_text(read_response(bytes.fromhex("30030a0106")))
    assert refusal == "OCSP Response Data:\n    OCSP Response Status: unauthorized (0x6)\n"
    assert "Problem: OCSP response:" in response_text(read_response(b"\x30\x80"))


def test_mutated_certificates_never_escape(everything: Path) -> None:
    dice = random.Random("text")
    original = load_certificates(everything.read_bytes())[0]
    begun = time.process_time()
    for _ in range(1500):
        data = bytearray(original)
        for _ in range(dice.randint(1, 4)):
            position = dice.randrange(len(data))
            match dice.randrange(3):
                case 0:
                    data[position] = dice.randrange(256)
                case 1:
                    del data[position : position + dice.randint(1, 9)]
                case _:
                    data[position:position] = dice.randbytes(dice.randint(1, 5))
        text = certificate_text(Certificate(bytes(data)))
        assert text.startswith("Certificate:\n")
        assert "\x1b" not in text
    assert time.process_time() - begun < 60
