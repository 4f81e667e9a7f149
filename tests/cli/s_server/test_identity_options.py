"""Which certificates s_server sends, option by option, beside OpenSSL's s_server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.s_server.client_chains import hash_directory
from cli.s_server.serving import PROGRAM
from support.peers import ADDRESS, needs, program
from support.pki import Pki
from support.processes import Process, run

pytestmark = needs("openssl")
Words = Sequence[str | Path]


@contextmanager
def serving(command: Words, *options: str | Path) -> Iterator[int]:
    """Start a server with nothing but these options; gives its port."""
    argv = [*(command or [program("openssl")]), "s_server", "-accept", f"{ADDRESS}:0", *options]
    with Process(argv) as server:
        yield int(server.wait_for(r"^ACCEPT \S*:(\d+)$")[1])


def sent(port: int, *options: str) -> list[str]:
    """Return the certificates that OpenSSL's client gets, as PEM."""
    command: Words = [program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}", "-showcerts", *options]
    said = run(command, data=b"Q\n").text.partition("Server certificate")[0]
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", said, re.DOTALL)


def both_send(options: Words, client: Sequence[str] = ()) -> list[str]:
    """Return what our server sends, having seen that OpenSSL's sends the same."""
    with serving(PROGRAM, *options) as ours, serving([], *options) as theirs:
        found = sent(ours, *client)
        assert found == sent(theirs, *client)
    return found


def both_refuse(options: Words, complaint: str) -> None:
    """See that neither starts with these options, and that both complain alike."""
    for command in (PROGRAM, [program("openssl")]):
        outcome = run([*command, "s_server", "-accept", f"{ADDRESS}:0", *options])
        assert outcome.returncode == 1
        assert complaint in outcome.text
        assert "Traceback" not in outcome.text


def pems(*paths: Path) -> list[str]:
    """Return the certificates of PEM files."""
    return [path.read_text() for path in paths]


def to_der(source: Path, target: Path, kind: str) -> Path:
    """Convert a certificate or a key."""
    run([program("openssl"), kind, "-in", source, "-outform", "DER", "-out", target])
    assert target.stat().st_size
    return target


def test_forms(pki: Pki, tmp_path: Path) -> None:
    rsa = pki.server("rsa")
    certificate = to_der(rsa.certificate, tmp_path / "c.der", "x509")
    key = to_der(rsa.key, tmp_path / "k.der", "pkey")
    options: Words = ["-cert", certificate, "-key", key]
    for forms in ([], ["-certform", "DER"], ["-certform", "der", "-keyform", "D"]):
        assert both_send([*options, *forms]) == pems(rsa.certificate)
    both_refuse(
        ["-cert", rsa.certificate, "-key", rsa.key, "-certform", "DER"],
        "Could not read server certificate from",
    )
    both_refuse([*options, "-certform", "X"], 'Invalid format "X" for option -certform')


def test_a_pkcs12_file_by_its_name(pki: Pki, tmp_path: Path) -> None:
    """OpenSSL reads the file, but refuses the word for its format."""
    rsa, path = pki.server("rsa"), tmp_path / "both.p12"
    command: Words = [program("openssl"), "pkcs12", "-export", "-in", rsa.certificate, "-inkey", rsa.key]
    run([*command, "-out", path, "-passout", "pass:secret"])
    with serving(PROGRAM, "-cert", path, "-certform", "P12", "-pass", "pass:secret") as port:
        assert sent(port) == pems(rsa.certificate)


def test_dcert(pki: Pki, tmp_path: Path) -> None:
    rsa, p256 = pki.server("rsa"), pki.server("p256")
    first: Words = ["-cert", rsa.certificate, "-key", rsa.key]
    second: Words = ["-dcert", p256.certificate, "-dkey", p256.key, "-dcert_chain", p256.intermediate]
    for version in ("-tls1_2", "-tls1_3"):
        wants_ecdsa = (version, "-sigalgs", "ECDSA+SHA256:RSA+SHA256")
        assert both_send([*first, *second], wants_ecdsa) == pems(p256.certificate, p256.intermediate)
        wants_rsa = (version, "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256")
        assert both_send([*first, *second], wants_rsa) == pems(rsa.certificate)
    assert both_send([*first, *second]) == pems(p256.certificate, p256.intermediate)
    both_refuse([*first, "-dcert", p256.certificate], "Could not read second certificate private key from")
    certificate = to_der(p256.certificate, tmp_path / "c.der", "x509")
    key = to_der(p256.key, tmp_path / "k.der", "pkey")
    second = ["-dcert", certificate, "-dkey", key, "-dcertform", "DER", "-dkeyform", "DER"]
    assert both_send([*first, *second]) == pems(p256.certificate)
    both_refuse([*first, *second[:4], "-dcertform", "PEM"], "Could not read second server certificate from")


def test_dpass(pki: Pki, tmp_path: Path) -> None:
    rsa, p256, locked = pki.server("rsa"), pki.server("p256"), tmp_path / "locked.pem"
    command: Words = [program("openssl"), "pkey", "-in", p256.key, "-aes256", "-passout", "pass:secret"]
    run([*command, "-out", locked])
    options: Words = ["-cert", rsa.certificate, "-key", rsa.key, "-dcert", p256.certificate, "-dkey", locked]
    assert both_send([*options, "-dpass", "pass:secret"]) == pems(p256.certificate)
    both_refuse([*options, "-dpass", "pass:wrong"], "Could not read second certificate private key from")


def test_xcert(pki: Pki, tmp_path: Path) -> None:
    rsa, p256 = pki.server("rsa"), pki.server("p256")
    first: Words = ["-cert", rsa.certificate, "-key", rsa.key]
    options: list[str | Path] = [
        *first,
        "-xcert",
        p256.certificate,
        "-xkey",
        p256.key,
        "-xchain",
        p256.intermediate,
    ]
    options += ["-xcert", rsa.certificate, "-xkey", rsa.key]
    assert both_send(options) == pems(p256.certificate, p256.intermediate)
    assert both_send(options, ("-sigalgs", "RSA-PSS+SHA256")) == pems(rsa.certificate)
    assert both_send(options, ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")) == pems(
        p256.certificate, p256.intermediate
    )
    certificate = to_der(p256.certificate, tmp_path / "c.der", "x509")
    key = to_der(p256.key, tmp_path / "k.der", "pkey")
    forms = ["-xcertform", "DER", "-xkeyform", "DER"]
    assert both_send([*first, "-xcert", certificate, "-xkey", key, *forms]) == pems(p256.certificate)
    assert both_send([*first, "-xkey", p256.key]) == pems(rsa.certificate), "it means nothing alone"
    both_refuse([*first, "-xkey", p256.key, "-xkey", rsa.key], "Key already specified")
    both_refuse([*first, "-xchain", p256.root, "-xchain", rsa.root], "Chain already specified")


def test_xchain_build(pki: Pki, tmp_path: Path) -> None:
    rsa, p256 = pki.server("rsa"), pki.server("p256")
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(p256.intermediate.read_text() + p256.root.read_text())
    options: list[str | Path] = [
        "-cert",
        rsa.certificate,
        "-key",
        rsa.key,
        "-xcert",
        p256.certificate,
        "-xkey",
        p256.key,
    ]
    options += ["-xchain_build", "-chainCAfile", authorities]
    assert both_send(options) == pems(p256.certificate, p256.intermediate, p256.root)


def test_build_chain(pki: Pki, tmp_path: Path) -> None:
    p256 = pki.server("p256")
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(p256.intermediate.read_text() + p256.root.read_text())
    options: Words = ["-cert", p256.certificate, "-key", p256.key, "-build_chain"]
    whole = pems(p256.certificate, p256.intermediate, p256.root)
    assert both_send([*options, "-chainCAfile", authorities]) == whole
    assert both_send([*options, "-CAfile", authorities]) == whole
    both_refuse([*options, "-chainCAfile", p256.intermediate], "error building certificate chain")
    both_refuse([*options, "-CAfile", p256.root], "error building certificate chain")


def test_chains_are_completed(pki: Pki, tmp_path: Path) -> None:
    p256 = pki.server("p256")
    bare: Words = ["-cert", p256.certificate, "-key", p256.key]
    authorities, hashed = tmp_path / "authorities.pem", tmp_path / "hashed"
    authorities.write_text(p256.intermediate.read_text() + p256.root.read_text())
    hash_directory(hashed, p256.intermediate, p256.root)
    whole = pems(p256.certificate, p256.intermediate, p256.root)
    for option, value in (
        ("-chainCAfile", authorities),
        ("-chainCApath", hashed),
        ("-chainCAstore", hashed),
        ("-CAfile", authorities),
        ("-CAstore", authorities),
    ):
        assert both_send([*bare, option, value]) == whole
    assert both_send([*bare, "-CAfile", p256.root, "-chainCAfile", authorities]) == whole
    assert both_send([*bare, "-CAfile", authorities, "-chainCAfile", pki.server("rsa").root]) == whole[:1]
    assert both_send([*bare, "-verifyCAfile", authorities]) == whole[:1], "those are for the peer alone"
    assert both_send([*bare, "-chainCAfile", p256.intermediate]) == whole[:2]
    own: Words = ["-cert_chain", p256.intermediate, "-CAfile", authorities]
    assert both_send([*bare, *own]) == whole[:2], "who brings a chain gets no other"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_what_clients_are_told(pki: Pki, version: str) -> None:
    """The authorities and the signature algorithms of a CertificateRequest."""
    p256 = pki.server("p256")
    base: Words = ["-cert", p256.certificate, "-key", p256.key, "-verify", "3"]
    lines = re.compile(
        r"^(?:Acceptable client certificate CA names\n.*|No client certificate CA names sent|"
        r"(?:Shared )?Requested Signature Algorithms: .*)$",
        re.MULTILINE,
    )
    for options in (
        ["-CAfile", p256.root],
        ["-CAfile", p256.root, "-no_ca_names"],
        ["-verifyCAfile", p256.root],
        ["-client_sigalgs", "RSA-PSS+SHA384:ECDSA+SHA256"],
    ):
        told = []
        for command in (PROGRAM, []):
            with serving(command, *base, *options) as port:
                asking = [program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}", version]
                told.append(lines.findall(run(asking, data=b"Q\n").text))
        assert told[0][0] == told[1][0]
        assert ("CN = ec root" in told[0][0]) == (options == ["-CAfile", p256.root])
        if "-client_sigalgs" in options:
            assert told[0] == told[1]
            assert told[0][1] == "Requested Signature Algorithms: RSA-PSS+SHA384:ECDSA+SHA256"


def test_client_sigalgs_holds_for_the_signature(pki: Pki) -> None:
    p256, rsa = pki.server("p256"), pki.client("rsa")
    base: Words = [
        "-cert",
        p256.certificate,
        "-key",
        p256.key,
        "-verify",
        "3",
        "-client_sigalgs",
        "RSA-PSS+SHA384",
    ]
    for command in (PROGRAM, [program("openssl")]):
        with Process([*command, "s_server", "-accept", f"{ADDRESS}:0", *base]) as server:
            port = server.wait_for(r"^ACCEPT \S*:(\d+)$")[1]
            own: Words = ["-cert", rsa.certificate, "-key", rsa.key]
            run([program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}", *own], data=b"Q\n")
            server.wait_for("^Peer signing digest: SHA384$")
