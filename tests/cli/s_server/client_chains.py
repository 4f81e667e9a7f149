"""Client certificate chains with something special each, and both servers' judgement of them.

Our side runs in memory, from the command line's words to the alert that the client gets; OpenSSL's is its program.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from handglass.cli.options.s_server import SServerOptions
from handglass.cli.s_server.settings import read_settings
from handglass.connection import ClientConnection, ServerConnection
from handglass.crypto.containers import load_certificates, load_private_key, subject_and_issuer
from handglass.crypto.identity import make_identity
from handglass.handshake.config import ClientConfig
from handglass.records import dataclass
from handglass.registry.errors import AlertReceived
from handglass.verify.name_hash import name_hash
from support.peers import ADDRESS, OpenSSLServer, program
from support.pki import Identity
from support.processes import run
from verify.support import build
from verify.support.build import Built

JUDGED = re.compile(
    r"(depth=|verify error:num|verify return:|notAfter=|notBefore=|issuer=|Require explicit|"
    r"(Authority|User) Policies|  +(Policy|Non Critical|No Qualifiers|[A-Z]{1,2} *=|[a-zA-Z]+Name *=))"
)


@dataclass(frozen=True)
class Client:
    """A client's files: its certificate, its key, the certificates that it sends besides, and their root."""

    directory: Path

    @property
    def root(self) -> Path:
        """The anchor."""
        return self.directory / "root.pem"

    @property
    def between(self) -> Path:
        """The intermediate certificates."""
        return self.directory / "between.pem"

    @property
    def leaf(self) -> Path:
        """The certificate."""
        return self.directory / "leaf.pem"

    @property
    def key(self) -> Path:
        """The key."""
        return self.directory / "key.pem"


def write_client(directory: Path, chain: Sequence[Built], label: str = "leaf") -> Client:
    """Write a chain, root first; `label` names the key of the last one (`build.ec_key`)."""
    client = Client(directory)
    client.root.write_text(chain[0].pem)
    client.between.write_text("".join(each.pem for each in chain[-2:0:-1]))
    client.leaf.write_text(chain[-1].pem)
    number = int.from_bytes(hashlib.sha256(label.encode()).digest()[:20], "big") + 1
    private = ec.derive_private_key(number, ec.SECP256R1())
    client.key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    assert chain[-1].key == build.ec_key(label)
    return client


@dataclass(frozen=True)
class Judgement:
    """What a server printed about a chain, and the alert that the client got (None: it was let in)."""

    lines: list[str]
    alert: int | None


def ours(server: Identity, client: Client, options: Sequence[str | Path]) -> Judgement:
    """Let our server judge, with the settings that these options make."""
    words = ["-cert", server.certificate, "-key", server.key, "-cert_chain", server.intermediate, *options]
    printed = io.StringIO()
    with redirect_stderr(printed):
        settings = read_settings(SServerOptions.parse(list(map(str, words))))
        leaf, *between = load_certificates(client.leaf.read_bytes() + client.between.read_bytes())
        own = make_identity(leaf, load_private_key(client.key.read_bytes()), tuple(between))
        here = ServerConnection(settings.config, clock=time.time)
        there = ClientConnection(ClientConfig(identities=(own,)), clock=time.time)
        there.start()
        while there.has_data_to_send or here.has_data_to_send:
            if data := there.data_to_send():
                here.receive(data)
            if data := here.data_to_send():
                there.receive(data)
    alert = int(there.error.description) if isinstance(there.error, AlertReceived) else None
    assert there.error is None or alert is not None, there.error
    return Judgement(_judged(printed.getvalue()), alert)


def openssl(server: Identity, client: Client, options: Sequence[str | Path]) -> Judgement:
    """Let OpenSSL's server judge, and its client knock."""
    with OpenSSLServer(server, "-naccept", "1", *options) as process:
        _, alert = knock(process.port, client, "-verify_return_error" in options)
        process.wait()
        return Judgement(_judged(process.stderr.decode()), alert)


def knock(port: int, client: Client, old: bool = True) -> tuple[str, int | None]:
    """Connect with OpenSSL's client; what it says, and the alert that it got.

    `old`: with TLS 1.2, where the alert comes before the client is done.
    """
    command: list[str | Path] = [program("openssl"), "s_client", "-connect", f"{ADDRESS}:{port}"]
    command += ["-cert", client.leaf, "-key", client.key, "-cert_chain", client.between]
    said = run([*command, "-tls1_2"] if old else command, data=b"Q\n").text
    alert = re.search(r"SSL alert number (\d+)", said)
    return said, int(alert[1]) if alert else None


def _judged(text: str) -> list[str]:
    return [line for line in text.splitlines() if JUDGED.match(line)]


def hash_directory(directory: Path, *certificates: Path) -> None:
    """Make a directory as `openssl rehash` does."""
    directory.mkdir()
    for certificate in certificates:
        subject, _ = subject_and_issuer(load_certificates(certificate.read_bytes())[0])
        shutil.copy(certificate, directory / f"{name_hash(subject)}.0")
