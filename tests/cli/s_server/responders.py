"""A server's chain whose certificates have responders, and `openssl ocsp` to be one."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import AuthorityInformationAccessOID

from handglass.records import dataclass
from support.peers import program
from support.pki import KEY_MAKERS, Authority, Identity, pem, write_identity
from support.processes import Process, free_port


@dataclass(frozen=True)
class Stage:
    """A server's chain; the leaf names `port` of 127.0.0.1 as its responder, unless that is None."""

    directory: Path
    root: Authority
    intermediate: Authority
    server: Identity
    port: int | None

    @property
    def url(self) -> str:
        """The leaf's responder."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def trust(self) -> Path:
        """A file of the intermediate and the root."""
        return self.directory / "trust.pem"


def make_stage(directory: Path, port: int | None) -> Stage:
    """Make the chain."""
    root = Authority.make_root("ocsp root", KEY_MAKERS["p256"]())
    intermediate = root.intermediate("ocsp intermediate", KEY_MAKERS["p256"]())
    key = KEY_MAKERS["p256"]()
    access = []
    if port is not None:
        place = x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}")
        description = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        access.append((x509.AuthorityInformationAccess([description]), False))
    leaf = intermediate.leaf("server.test", key, names=("server.test", "localhost"), extra=access)
    server = write_identity(directory / "server", "p256", leaf, key, intermediate)
    (directory / "trust.pem").write_bytes(pem(intermediate.certificate) + pem(root.certificate))
    return Stage(directory, root, intermediate, server, port)


def responder(
    stage: Stage, authority: Authority, certificate: x509.Certificate, port: int, *more: str
) -> Process:
    """Start `openssl ocsp` for one certificate of an authority."""
    folder = stage.directory / f"responder-{port}"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(pem(authority.certificate))
    (folder / "key.pem").write_bytes(
        authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    ends = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)).strftime("%y%m%d%H%M%SZ")
    digits = f"{certificate.serial_number:X}"
    serial = digits if len(digits) % 2 == 0 else f"0{digits}"
    (folder / "index.txt").write_text(f"V\t{ends}\t\t{serial}\tunknown\t/CN=x\n")
    ca = folder / "ca.pem"
    command: list[str | Path] = [
        program("openssl"),
        "ocsp",
        "-port",
        str(port),
        "-index",
        folder / "index.txt",
    ]
    command += ["-CA", ca, "-rsigner", ca, "-rkey", folder / "key.pem", "-nmin", "60", *more]
    process = Process(command)
    process.wait_until_listening(port)
    return process


def leaf_responder(stage: Stage, *more: str) -> Process:
    """Start the responder that the leaf names."""
    assert stage.port is not None
    leaf = x509.load_pem_x509_certificate(stage.server.certificate.read_bytes())
    return responder(stage, stage.intermediate, leaf, stage.port, *more)


__all__ = ["Stage", "free_port", "leaf_responder", "make_stage", "responder"]
