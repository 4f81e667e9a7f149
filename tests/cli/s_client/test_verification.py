"""The options of verification and of identity, each beside OpenSSL's program with the same command line."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID

from support.peers import OpenSSLServer, needs, program
from support.pki import Authority, Identity, Pki, pem, write_identity
from support.processes import run
from support.s_client import ours, said, theirs
from support.web import ok, web_server

pytestmark = needs("openssl")

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
HOUR = datetime.timedelta(hours=1)
POLICY = "1.2.3.4"


@pytest.fixture(scope="module")
def server(pki: Pki) -> Iterator[OpenSSLServer]:
    """An s_server with an RSA certificate and its intermediate."""
    with OpenSSLServer(pki.server("rsa")) as process:
        yield process


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-nameopt", "RFC2253"), 0),
        (("-nameopt", "multiline"), 0),
        (("-nameopt", "compat"), 0),
        (("-nameopt", "oneline,-space_eq"), 0),
        (("-purpose", "sslclient"), 26),
        (("-purpose", "any"), 0),
        (("-verify_name", "ssl_client"), 26),
        (("-auth_level", "2"), 0),
        (("-auth_level", "3"), 67),
        (("-attime", "1000"), 9),
        (("-attime", "4000000000"), 10),
        (("-attime", "4000000000", "-no_check_time"), 10),
        (("-verify_ip", "127.0.0.1"), 0),
        (("-verify_ip", "127.0.0.2"), 64),
        (("-verify_email", "a@b.test"), 63),
        (("-verify_hostname", "server.test"), 0),
        (("-verify_depth", "0"), 20),
        (("-x509_strict",), 0),
        (("-check_ss_sig",), 0),
        (("-suiteB_128",), 57),
        (("-suiteB_128_only",), 57),
        (("-suiteB_192",), 57),
        (("-crl_check",), 3),
        (("-crl_check_all",), 3),
        (("-policy", POLICY, "-policy_print"), 0),
        (("-explicit_policy",), 43),
        (("-policy", POLICY, "-explicit_policy"), 43),
        (("-verify_quiet", "-auth_level", "3"), 67),
        (("-verify_quiet",), 0),
        (("-trusted_first", "-no_alt_chains", "-issuer_checks"), 0),
    ],
)
def test_the_same_as_openssl(server: OpenSSLServer, pki: Pki, options: tuple[str, ...], code: int) -> None:
    """Both outputs to the letter, the outcome in them."""
    line = ("-tls1_2", "-CAfile", str(pki.roots), *options)
    found = said(ours(server.port, *line))
    assert found == said(theirs(server.port, *line))
    assert f"Verify return code: {code} (" in found.stdout


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-CAstore", "{rsa}"), 0),
        (("-CAfile", "{ec}", "-verifyCAfile", "{rsa}"), 0),
        (("-CAfile", "{rsa}", "-verifyCAfile", "{ec}"), 20),
        (("-CAfile", "{ec}", "-verifyCAstore", "{rsa}"), 0),
        (("-CAfile", "{ec}", "-verifyCApath", "{hashed}"), 0),
        (("-CApath", "{hashed}"), 0),
        (("-CAfile", "{middle}"), 2),
        (("-CAfile", "{middle}", "-partial_chain"), 0),
        (("-CAfile", "{rsa}", "-chainCAfile", "{ec}"), 0),
    ],
)
def test_places_of_trust(
    server: OpenSSLServer, pki: Pki, tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    """Files, directories and stores, for everything and for the peer alone."""
    (tmp_path / "root.pem").write_bytes(pki.server("rsa").root.read_bytes())
    run([program("openssl"), "rehash", tmp_path]).check()
    places = {
        "rsa": pki.server("rsa").root,
        "ec": pki.server("p256").root,
        "middle": pki.server("rsa").intermediate,
        "hashed": tmp_path,
    }
    line = ("-tls1_2", *(word.format(**places) for word in options))
    found = said(ours(server.port, *line))
    assert found == said(theirs(server.port, *line))
    assert f"Verify return code: {code} (" in found.stdout


@pytest.mark.parametrize(
    ("switches", "code"),
    [((), 0), (("-no-CAfile",), 20), (("-no-CAfile", "-no-CApath", "-no-CAstore"), 20)],
)
def test_default_places_can_be_left_out(
    server: OpenSSLServer, pki: Pki, switches: tuple[str, ...], code: int
) -> None:
    """SSL_CERT_FILE counts unless a switch leaves it out."""
    environment = {"SSL_CERT_FILE": str(pki.roots), "SSL_CERT_DIR": "/nonexistent"}
    found = ours(server.port, *switches, env=environment)
    assert f"Verify return code: {code} (".encode() in found.stdout


def test_default_directory_can_be_left_out(server: OpenSSLServer, pki: Pki, tmp_path: Path) -> None:
    """SSL_CERT_DIR counts as directory and as store."""
    (tmp_path / "root.pem").write_bytes(pki.server("rsa").root.read_bytes())
    run([program("openssl"), "rehash", tmp_path]).check()
    environment = {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": str(tmp_path)}
    assert b"Verify return code: 0 (" in ours(server.port, env=environment).stdout
    found = ours(server.port, "-no-CApath", "-no-CAstore", env=environment)
    assert b"Verify return code: 20 (" in found.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("-purpose", "bogus"),
        ("-verify_name", "bogus"),
        ("-policy", "bo.gus"),
        ("-auth_level", "x"),
        ("-CRL", "nofile"),
        ("-verifyCAfile", "nofile"),
        ("-chainCAfile", "nofile"),
        ("-nameopt", "bogus"),
        ("-verify_ip", "1.2.3"),
        ("-cert", "nofile"),
        ("-xcert", "nofile"),
    ],
)
def test_what_cannot_be_used(options: tuple[str, ...]) -> None:
    """Said before anything is connected, in a sentence that names it."""
    found = ours(1, *options)
    assert found.returncode == 1
    assert found.stdout == b""
    assert found.stderr.count(b"\n") <= 2
    assert options[-1].encode() in found.stderr or options[0].encode() in found.stderr


class Lab:
    """An authority of its own, for lists, policies and critical extensions."""

    def __init__(self, directory: Path, url: str = "http://127.0.0.1:1/") -> None:
        self.directory = directory
        self.root = Authority.make_root("lab root", ec.generate_private_key(ec.SECP256R1()))
        self.middle = self.root.intermediate("lab intermediate", ec.generate_private_key(ec.SECP256R1()))
        self.url = url

    def leaf(self, *extra: tuple[x509.ExtensionType, bool]) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self.middle.leaf("leaf", key, names=("server.test",), extra=extra)
        return write_identity(self.directory / f"leaf-{leaf.serial_number}", "p256", leaf, key, self.middle)

    def crl(self, issuer: Authority, *revoked: Identity) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(NOW - HOUR)
            .next_update(NOW + HOUR)
        )
        for identity in revoked:
            serial = x509.load_pem_x509_certificate(identity.certificate.read_bytes()).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - HOUR).build()
            builder = builder.add_revoked_certificate(entry)
        assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def same(identity: Identity, *options: str | Path) -> str:
    """The standard output of both, which is the same."""
    with OpenSSLServer(identity, "-num_tickets", "0") as server:
        found = said(ours(server.port, *options))
        assert found == said(theirs(server.port, *options))
    return found.stdout


def test_revocation_lists(tmp_path: Path) -> None:
    """-CRL in DER, -CRLform, -crl_check, -crl_check_all; several lists in one file (OpenSSL reads one)."""
    lab = Lab(tmp_path)
    bad, good = lab.leaf(), lab.leaf()
    crl = tmp_path / "middle.crl"
    crl.write_bytes(lab.crl(lab.middle, bad))
    trust = ("-CAfile", good.root)
    assert "return code: 0 " in same(good, *trust, "-crl_check", "-CRL", crl)
    assert "return code: 23 " in same(bad, *trust, "-crl_check", "-CRL", crl, "-CRLform", "DER")
    assert "return code: 0 " in same(bad, *trust, "-CRL", crl)
    assert "return code: 3 " in same(good, *trust, "-crl_check_all", "-CRL", crl)
    both = tmp_path / "both.crl"
    lists = (x509.load_der_x509_crl(lab.crl(issuer)) for issuer in (lab.root, lab.middle))
    both.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in lists))
    with OpenSSLServer(good) as server:
        found = ours(server.port, *trust, "-crl_check_all", "-CRL", both)
        assert b"return code: 0 " in found.stdout
        found = ours(server.port, *trust, "-crl_check", "-CRL", crl, "-CRLform", "PEM")
        assert found.returncode == 1


def test_policies_and_critical_extensions(tmp_path: Path) -> None:
    """-ignore_critical; -policy with a leaf that has one."""
    lab = Lab(tmp_path)
    critical = lab.leaf((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.99"), b"\5\0"), True))
    trust = ("-CAfile", critical.root)
    assert "return code: 34 " in same(critical, *trust)
    assert "return code: 0 " in same(critical, *trust, "-ignore_critical")
    names = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(POLICY), None)])
    named = lab.leaf((names, False))
    options = ("-policy", POLICY, "-policy_print", "-inhibit_any", "-inhibit_map", "-policy_check")
    same(named, "-CAfile", named.intermediate, "-partial_chain", *options)
    same(
        named, "-CAfile", named.root, "-explicit_policy", "-extended_crl", "-use_deltas", "-allow_proxy_certs"
    )


def test_fetching(tmp_path: Path) -> None:
    """-crl_download and -aia_fetch ask where the certificates say, and only when they are given."""
    files: dict[bytes, bytes] = {}
    with web_server(lambda request: ok(files[request.split(b" ")[1]])) as site:
        lab = Lab(tmp_path)
        points = x509.CRLDistributionPoints(
            [
                x509.DistributionPoint(
                    [x509.UniformResourceIdentifier(site.url("/list.crl"))], None, None, None
                )
            ]
        )
        access = x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    AuthorityInformationAccessOID.CA_ISSUERS,
                    x509.UniformResourceIdentifier(site.url("/middle.cer")),
                )
            ]
        )
        leaf = lab.leaf((points, False), (access, False))
        files[b"/list.crl"] = lab.crl(lab.middle, leaf)
        files[b"/middle.cer"] = lab.middle.certificate.public_bytes(serialization.Encoding.DER)
        trust = ("-CAfile", leaf.root)
        with OpenSSLServer(leaf) as server:
            assert b"return code: 0 " in ours(server.port, *trust, "-crl_download").stdout
            assert site.paths == []
            found = ours(server.port, *trust, "-crl_download", "-crl_check")
            assert b"return code: 23 " in found.stdout
            assert "/list.crl" in site.paths
        leaf.intermediate.write_bytes(pem(lab.root.certificate))  # the chain lacks its middle
        with OpenSSLServer(leaf) as server:
            assert b"return code: 21 " in ours(server.port, *trust).stdout
            assert b"return code: 0 " in ours(server.port, *trust, "-aia_fetch").stdout
            files[b"/middle.cer"] = files[b"/list.crl"] = b"damaged"
            found = ours(server.port, *trust, "-aia_fetch")
            assert b"return code: 21 " in found.stdout
            assert f"s_client: cannot use {site.url('/middle.cer')}: ".encode() in found.stderr
        leaf.intermediate.write_bytes(pem(lab.middle.certificate))
        with OpenSSLServer(leaf) as server:
            found = ours(server.port, *trust, "-crl_download", "-crl_check")
            assert b"return code: 3 " in found.stdout
            assert f"s_client: cannot use {site.url('/list.crl')}: ".encode() in found.stderr


def test_chains_are_written(server: OpenSSLServer, pki: Pki, tmp_path: Path) -> None:
    """-presented_out and -verified_out."""
    presented, verified = tmp_path / "presented", tmp_path / "verified"
    options = ("-presented_out", presented, "-verified_out", verified)
    ours(server.port, *options)
    assert presented.read_text().count("BEGIN CERTIFICATE") == 2
    assert not verified.exists()
    ours(server.port, "-CAfile", pki.roots, *options)
    certificates = x509.load_pem_x509_certificates(verified.read_bytes())
    assert [each.subject.rfc4514_string().partition(",")[0] for each in certificates] == [
        "CN=server.test",
        "CN=rsa intermediate",
        "CN=rsa root",
    ]


# Our own certificate.


@pytest.fixture(scope="module")
def demanding(pki: Pki) -> Iterator[OpenSSLServer]:
    """A server that wants a client certificate and tells what came of it."""
    trust = pki.client("rsa").root
    options = ("-Verify", "5", "-verify_return_error", "-CAfile", trust, "-no_ticket", "-no_cache")
    with OpenSSLServer(pki.server("rsa"), *options) as process:
        yield process


def test_forms_of_identity(demanding: OpenSSLServer, pki: Pki, tmp_path: Path) -> None:
    """PEM, DER and PKCS#12, found out or given; a wrong -certform is an error."""
    identity = pki.client("rsa")
    certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
    der = tmp_path / "cert.der"
    der.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    bundle = tmp_path / "cert.p12"
    command: list[str | Path] = [
        program("openssl"),
        "pkcs12",
        "-export",
        "-in",
        identity.chain,
        "-inkey",
        identity.key,
    ]
    run([*command, "-out", bundle, "-passout", "pass:x"]).check()
    chain = ("-cert_chain", identity.intermediate, "-tls1_2", "-brief")
    key = ("-key", identity.key)
    assert ours(demanding.port, "-cert", der, *key, *chain).returncode == 0
    assert (
        ours(demanding.port, "-cert", der, "-certform", "DER", *key, "-keyform", "PEM", *chain).returncode
        == 0
    )
    assert ours(demanding.port, "-cert", bundle, "-pass", "pass:x", *chain).returncode == 0
    found = ours(demanding.port, "-cert", der, "-certform", "PEM", *key, *chain)
    assert found.returncode == 1
    assert b"Could not read client certificate from" in found.stderr
    found = ours(demanding.port, "-cert", identity.certificate, *key, "-keyform", "DER", *chain)
    assert b"Could not read client certificate private key from" in found.stderr


def test_the_chain_is_completed(demanding: OpenSSLServer, pki: Pki) -> None:
    """-chainCAfile, -chainCAstore and -CAfile supply what -cert_chain does not; -build_chain insists."""
    identity = pki.client("rsa")
    bare = ("-cert", identity.certificate, "-key", identity.key, "-tls1_2", "-brief")
    assert ours(demanding.port, *bare).returncode == 1
    for option in ("-chainCAfile", "-chainCAstore", "-CAfile"):
        assert ours(demanding.port, *bare, option, identity.intermediate).returncode == 0
    found = ours(demanding.port, *bare, "-build_chain", "-chainCAfile", identity.intermediate)
    assert found.returncode == 1
    assert b"error building certificate chain" in found.stderr
    assert ours(demanding.port, *bare, "-build_chain", "-chainCAfile", identity.root).returncode == 1


def test_further_sets(demanding: OpenSSLServer, pki: Pki) -> None:
    """-xcert and its kin: the set that the server can take is chosen."""
    wrong, right = pki.client("p256"), pki.client("rsa")
    sets: list[str | Path] = [
        "-xcert",
        wrong.certificate,
        "-xkey",
        wrong.key,
        "-xcert",
        right.certificate,
        "-xkey",
        right.key,
    ]
    more: list[str | Path] = [
        "-xchain",
        right.intermediate,
        "-xcertform",
        "PEM",
        "-xkeyform",
        "PEM",
        "-tls1_2",
        "-brief",
    ]
    assert ours(demanding.port, *sets[:4], *more[4:]).returncode == 1
    assert ours(demanding.port, *sets[4:], *more).returncode == 0
    assert (
        ours(demanding.port, *sets, *more).returncode == 0
    )  # chosen by the authorities that the server names
    found = ours(demanding.port, "-xcert", right.certificate, "-xkey", wrong.key)
    assert b"key values mismatch" in found.stderr
