"""The servers that other people's programs are let loose on, each with something to find out.

Every server is OpenSSL's, or a mail server from Debian's packages: who looks at it is what changes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

from handglass.records import dataclass
from net.real import daemons
from support.peers import ADDRESS, program
from support.pki import Authority, Identity, once, pem, write_identity
from support.processes import Process, free_port, run

NAME = "server.test"
KEY = ec.SECP256R1()


@dataclass(frozen=True)
class Lab:
    """A directory with an authority's certificates."""

    directory: Path

    @property
    def root(self) -> Path:
        """What the programs are to trust."""
        return self.directory / "root.pem"

    def identity(self, name: str) -> Identity:
        """Return one of the certificates: good, expired, other, weak, rsa, client, self."""
        return Identity(name, "", self.directory / name)


def shared_lab(directory: Path) -> Lab:
    """Return the certificates in `directory`, made now if absent; safe for several processes at once."""
    once(directory, lambda: _make(directory))
    return Lab(directory)


def _make(directory: Path) -> None:
    root = Authority.make_root("drop-in root", ec.generate_private_key(KEY))
    middle = root.intermediate("drop-in authority", ec.generate_private_key(KEY))
    (directory / "root.pem").write_bytes(pem(root.certificate))
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "good": ec.generate_private_key(KEY),
        "expired": ec.generate_private_key(KEY),
        "other": ec.generate_private_key(KEY),
        "client": ec.generate_private_key(KEY),
        "weak": rsa.generate_private_key(65537, 1024),
        "rsa": rsa.generate_private_key(65537, 2048),
    }
    for name, key in keys.items():
        names = ("other.test",) if name == "other" else (NAME, "localhost")
        days = (-40, -3) if name == "expired" else (-1, 90)
        leaf = middle.leaf(names[0], key, unit=name, names=names, days=days)
        write_identity(directory / name, "", leaf, key, middle)
        if name == "good":
            (directory / "response.der").write_bytes(_ocsp_response(leaf, middle))
    (directory / "page.txt").write_text("looked at\n")
    _make_self_signed(Identity("self", "", directory / "self"))


def _make_self_signed(identity: Identity) -> None:
    identity.directory.mkdir()
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    names = (
        "-subj",
        f"/O=Nobody/CN={NAME}",
        "-addext",
        f"subjectAltName=DNS:{NAME},DNS:localhost",
        "-days",
        "90",
    )
    files = ("-keyout", identity.key, "-out", identity.certificate)
    run([program("openssl"), "req", "-x509", *curve, *names, *files]).check()


def _ocsp_response(leaf: x509.Certificate, issuer: Authority) -> bytes:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0, tzinfo=None)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=now - datetime.timedelta(hours=1),
        next_update=now + datetime.timedelta(days=3),
        revocation_time=None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer.certificate)
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


# The servers.

S_SERVERS: dict[str, tuple[str, str]] = {
    "good": ("good", ""),
    "expired": ("expired", ""),
    "self-signed": ("self", ""),
    "wrong-host": ("other", ""),
    "tls12": ("good", "-tls1_2"),
    "tls13": ("good", "-tls1_3"),
    "client-wanted": ("good", "-verify 2 -CAfile {lab}/root.pem"),
    "client-needed": ("good", "-Verify 2 -CAfile {lab}/root.pem"),
    "weak-key": ("weak", "-cipher DEFAULT@SECLEVEL=0"),
    "many-suites": ("rsa", "-cipher ALL:@SECLEVEL=1 -min_protocol TLSv1.2"),
    "old-versions": ("rsa", "-cipher ALL:@SECLEVEL=0 -min_protocol TLSv1"),
    "server-prefers": ("rsa", "-serverpref"),
    "stapled": ("good", "-status_file {lab}/response.der"),
    "two-names": (
        "other",
        f"-servername {NAME} -cert2 {{lab}}/good/certificate.pem -key2 {{lab}}/good/key.pem",
    ),
    "alpn": ("good", "-alpn h2,http/1.1"),
    "files": ("good", "-WWW"),
}
"""Name -> (its certificate, its options to `openssl s_server`)."""

MAIL = ("smtp", "imap")
"""Behind STARTTLS, by the word for it."""
RSYNC = {"rsync": "good", "rsync-wrong-host": "other", "rsync-expired": "expired"}
"""An rsync daemon behind TLS -> its certificate."""


@contextmanager
def serve(name: str, lab: Lab) -> Iterator[int]:
    """Run one of `S_SERVERS`, `MAIL` or `RSYNC`; its port."""
    if name in MAIL:
        with daemons.workshop(lab.identity("good")) as shop:
            if name == "smtp":
                with daemons.postfix(shop, tls=True) as port:
                    yield port
            else:
                with daemons.dovecot(shop, tls=True) as ports:
                    yield ports[name]
        return
    if name in RSYNC:
        with _rsync(lab.identity(RSYNC[name])) as port:
            yield port
        return
    certificate, options = S_SERVERS[name]
    identity = lab.identity(certificate)
    argv: list[str | Path] = [program("openssl"), "s_server", "-accept", f"{ADDRESS}:0", "-www"]
    argv += ["-cert", identity.certificate, "-key", identity.key]
    if identity.intermediate.exists():
        argv += ["-cert_chain", identity.intermediate]
    argv += options.format(lab=lab.directory).split()
    with Process(argv, cwd=lab.directory) as server:
        yield int(server.wait_for(r"^ACCEPT \S*:(\d+)$")[1])


@contextmanager
def _rsync(identity: Identity) -> Iterator[int]:
    """An rsync daemon per connection, behind socat's TLS."""
    with daemons.workshop(identity) as shop:
        files = shop.folder("files")
        for size in (0, 1, 70_000, 3_000_000):
            (files / f"{size}.bin").write_bytes(bytes(range(256)) * (size // 256 + 1))
        configuration = shop.write(
            "rsyncd.conf", f"use chroot = no\nlog file = {shop.directory}/log\n[files]\npath = {files}\n"
        )
        port = free_port()
        listen = f"OPENSSL-LISTEN:{port},bind={ADDRESS},fork,reuseaddr,verify=0"
        tls = f"{listen},cert={shop.chain},key={shop.key}"
        daemon = f"EXEC:rsync --daemon --config={configuration}"
        with Process([program("socat"), tls, daemon]) as server:
            server.wait_until_listening(port)
            yield port
