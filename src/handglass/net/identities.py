"""Identities from files, for programs that use the library."""

from __future__ import annotations

import os

from handglass.crypto.containers import load_certificates, load_private_key
from handglass.crypto.identity import Identity, make_identity
from handglass.net.files import read_file

Path = str | os.PathLike[str]


def load_identity(
    certificate: Path, key: Path | None = None, chain: Path | None = None, *, passphrase: bytes | None = None
) -> Identity:
    """The identity of a certificate file and its key; PEM or DER.

    `certificate` may hold the issuers' certificates behind its own, and the key too; `chain` is a file with
    (more) issuers' certificates.

    Raises:
        FileError: a file cannot be read.
        ContainerError: it does not hold what it should, the pass phrase is wrong, or the key is another's.
    """
    data = read_file(certificate)
    own, *issuers = load_certificates(data, None, passphrase)
    if chain is not None:
        issuers += load_certificates(read_file(chain), None, passphrase)
    secret = load_private_key(data if key is None else read_file(key), passphrase, None)
    return make_identity(own, secret, tuple(issuers), os.fspath(certificate))
