"""From the values of -cert, -key, -pass, -cert_chain and their kin to identities and the like.

Plain functions with typed arguments; whoever reads the options calls them. Every failure is one `LoadError`
that begins with the words OpenSSL uses (scripts look for them) and goes on with what is really the matter.

The order is OpenSSL's: the private key is loaded first, from the certificate's file where no file is given
for it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from handglass.cli.own_certificates.passphrase import prompt
from handglass.crypto.containers import (
    ContainerError,
    DhParameters,
    Form,
    Passphrase,
    load_certificates,
    load_crls,
    load_dh_parameters,
    load_private_key,
    subject_and_issuer,
)
from handglass.crypto.identity import Identity, make_identity
from handglass.net.files import MAX_FILE, MAX_REVOCATION_LIST, FileError, path_of, read_file
from handglass.records import dataclass, field

T = TypeVar("T")


class LoadError(ValueError):
    """Something on the command line cannot be loaded. The text is one sentence for standard error."""


@dataclass(frozen=True, slots=True)
class Words:
    """How OpenSSL's program calls the three files of one identity in its messages."""

    certificate: str
    key: str
    chain: str


CLIENT = Words("client certificate", "client certificate private key", "client certificate chain")
SERVER = Words("server certificate", "server certificate private key", "server certificate chain")
SECOND_NAME = Words("second server certificate", "second server certificate private key", "")
SECOND_KIND = Words(
    "second server certificate", "second certificate private key", "second server certificate chain"
)
EXTRA = Words("Server Certificate", "server key", "server chain")


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """The options of one identity: -cert, -key, -cert_chain, -certform, -keyform, and what -pass gave.

    `passphrase` None means that it is asked for on the terminal if a file is encrypted.
    """

    certificate: str
    key: str | None = None
    chain: str | None = None
    certificate_form: Form | None = None
    key_form: Form | None = None
    passphrase: bytes | None = field(default=None, repr=False)


def load_identity(files: IdentityFiles, words: Words, ask: Callable[[str], bytes] | None = None) -> Identity:
    """Return the identity that the files make. Raises `LoadError`.

    `ask(name)` returns the pass phrase of an encrypted file; the default prompts on the terminal.
    """
    asking = ask or prompt
    key_file = files.key or files.certificate
    key_form = files.key_form if files.key else files.key_form or files.certificate_form
    secret = _secret(files.passphrase, key_file, asking)
    key = _load(key_file, words.key, lambda data: load_private_key(data, secret, key_form))
    if files.certificate != key_file:
        secret = _secret(files.passphrase, files.certificate, asking)
    certificate = _load(
        files.certificate,
        words.certificate,
        lambda data: load_certificates(data, files.certificate_form, secret)[0],
    )
    chain: tuple[bytes, ...] = ()
    if files.chain:
        # A file that begins with the certificate itself holds the whole chain.
        found = _load(files.chain, words.chain, load_certificates, several=True)
        chain = tuple(each for each in found if each != certificate)
    try:
        return make_identity(certificate, key, chain, files.certificate)
    except ContainerError as problem:
        raise LoadError(
            f"error setting private key: key values mismatch: {problem} "
            f"(key from {key_file}, certificate from {files.certificate})"
        ) from None


def load_extra_identities(
    slots: Sequence[IdentityFiles], ask: Callable[[str], bytes] | None = None
) -> list[Identity]:
    """Return the identities of -xcert, -xkey, -xchain … in their order. Raises `LoadError`."""
    return [load_identity(files, EXTRA, ask) for files in slots]


def load_ca_names(path: str) -> list[bytes]:
    """Return the subject names (DER) of -requestCAfile or a server's -CAfile, each once, in their order."""
    try:
        data = read_file(path_of(path))
        names = [subject_and_issuer(certificate)[0] for certificate in load_certificates(data)]
    except (FileError, ContainerError) as problem:
        raise LoadError(f"Error loading CA names from {path}: {problem}") from None
    return list(dict.fromkeys(names))


def load_crl_file(path: str, form: Form | None = None) -> list[bytes]:
    """Return every revocation list (DER) of -CRL. Raises `LoadError`."""
    return _load(path, "CRL", lambda data: load_crls(data, form), limit=MAX_REVOCATION_LIST)


def load_dh_file(path: str) -> DhParameters:
    """Return the Diffie-Hellman parameters of -dhparam. Raises `LoadError`."""
    return _load(path, "DH parameters", load_dh_parameters, kind="params of ")


def _secret(given: bytes | None, name: str, ask: Callable[[str], bytes]) -> Passphrase:
    """Return the pass phrase as given, or a function that asks once."""
    return given if given is not None else functools.cache(lambda: ask(os.fspath(name)))


def _load(
    path: str,
    what: str,
    take: Callable[[bytes], T],
    *,
    several: bool = False,
    kind: str = "",
    limit: int = MAX_FILE,
) -> T:
    """Read a file and take from it what is wanted, with OpenSSL's two messages for the two ways to fail."""
    try:
        data = read_file(path_of(path), limit)
    except FileError as problem:
        kind = "certs of " if several else kind
        reason = str(problem).partition(": ")[2] or str(problem)
        raise LoadError(
            f"Could not open file or uri for loading {kind}{what} from {path}: {reason}"
        ) from None
    try:
        return take(data)
    except ContainerError as problem:
        raise LoadError(f"Could not read {'any ' if several else ''}{what} from {path}: {problem}") from None
