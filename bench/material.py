"""Certificates and files for the measurements, made for one run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handglass.crypto.containers import certificates_to_pem
from handglass.crypto.identity import Identity
from handglass.crypto.throwaway import Authority

CHUNK = 1 << 20


class Material:
    """A directory with an authority (ca.pem) and, for each kind of key, a certificate and its key."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._authority = Authority(datetime.now(UTC))
        self.identities: dict[str, Identity] = {}
        self.ca = directory / "ca.pem"
        self.ca.write_text(certificates_to_pem([self._authority.certificate]), encoding="ascii")

    def certificate(self, kind: Literal["p256", "rsa"]) -> Path:
        """A file with certificate and key."""
        path = self.directory / f"{kind}.pem"
        if kind not in self.identities:
            identity = self._authority.issue(("localhost", "127.0.0.1"), kind)
            self.identities[kind] = identity
            key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_text(certificates_to_pem(identity.certificates) + key.decode(), encoding="ascii")
        return path

    def large_file(self, mebibytes: int) -> Path:
        """A file of this size that no compression would help with."""
        path = self.directory / "large.bin"
        if not path.exists():
            block = bytes(range(256)) * (CHUNK // 256)
            with path.open("wb") as file:
                for _ in range(mebibytes):
                    file.write(block)
        return path
