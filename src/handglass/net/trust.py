"""Whom we trust: -CAfile, -CApath, -CAstore and the system's own default, looked up by subject on demand.

A connection needs one or two of the system's hundred and fifty anchors, and parsing all of them would cost
more than the handshake. So nothing is parsed in advance. A hashed directory is asked for the one file whose
name is the hash of the subject that is wanted. A bundle is read when it is first asked, cut into its PEM
blocks, and of these only the ones that hold a word of the wanted name are looked at: their subjects are found
by skipping over five DER headers, and compared in their canonical form.

Sources: X509_LOOKUP_hash_dir(3) (file names, <hash>.N and <hash>.rN), X509_NAME_hash(3), openssl-rehash(1)
(both hash styles), SSL_CTX_set_default_verify_paths(3), openssl-verification-options(1), and where systems
keep their bundles.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from handglass.crypto.containers import CertificateEntry, ContainerError, load_certificate_entries, load_crls
from handglass.records import dataclass
from handglass.verify import Auxiliary, Certificate, Crl, Name, TrustStore
from handglass.verify.name_hash import (
    canonical_name,
    longest_word,
    may_hold_word,
    name_hash,
    old_name_hash,
    subject_bytes,
)

from .files import (
    MAX_FILE,
    MAX_REVOCATION_LIST,
    FileError,
    exists,
    is_directory,
    path_of,
    read_file,
    require_directory,
)

# Certificates whose subjects have the same hash; openssl-rehash(1) numbers them from 0.
MAX_SAME_HASH = 64

# Where OpenSSL is built to look (its OPENSSLDIR): cert.pem and certs/ in the first of these that has one of
# them.
LAYOUTS = (
    "/usr/lib/ssl",  # Debian, Ubuntu
    "/etc/pki/tls",  # Red Hat, Fedora, Amazon Linux
    "/etc/ssl",  # Alpine, Arch, SUSE, FreeBSD, macOS
    "/usr/local/ssl",  # OpenSSL built from source
    "/opt/homebrew/etc/openssl@3",  # macOS, Homebrew
    "/usr/local/etc/openssl@3",
    "/etc/openssl",  # NetBSD
)
# Bundles of systems whose layout holds none of the two, or a directory without hashes.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Gentoo, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/certs/ca-bundle.crt",  # NixOS
    "/usr/local/etc/ssl/cert.pem",  # FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",  # Arch
    "/opt/homebrew/etc/ca-certificates/cert.pem",
    "/etc/ssl/cert.pem",
    "/data/data/com.termux/files/usr/etc/tls/cert.pem",  # Termux
)
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class TrustError(ValueError):
    """A place of trust that was named cannot be used. The text is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """-CAfile, -CApath, -CAstore (each may be given once) and the switches that leave out default places."""

    file: str | None = None
    directory: str | None = None
    store: str | None = None
    no_file: bool = False
    no_directory: bool = False
    no_store: bool = False
    # Whether a place that is named replaces the default of its own kind alone, and leaves the others, as
    # openssl-verify(1) has it. In s_client and s_server it replaces all of them.
    beside_defaults: bool = False

    @property
    def given(self) -> bool:
        """Whether any place is named."""
        return not (self.file is None and self.directory is None and self.store is None)


class Source(Protocol):
    """A place of certificates and revocation lists."""

    def by_subject(self, name: bytes) -> list[CertificateEntry]:
        """Return the certificates whose subject equals a name (DER)."""
        ...

    def crls_by_issuer(self, name: bytes) -> list[bytes]:
        """Return the revocation lists (DER) whose issuer equals a name (DER)."""
        ...


class TrustPlaces:
    """Several places in the order in which they are asked. What was found is kept, the rest asked again.

    It is a `Source` of `handglass.verify.TrustStore` as it stands.
    """

    def __init__(self, sources: tuple[Source, ...] = (), description: tuple[str, ...] = ()) -> None:
        self.sources = sources
        self.description = description
        self._found: dict[bytes, tuple[CertificateEntry, ...]] = {}

    def by_subject(self, name: bytes) -> tuple[CertificateEntry, ...]:
        """Return the certificates whose subject equals a name (DER), of the first place that has any."""
        found = self._found.get(name)
        if found is None:
            found = ()
            for source in self.sources:
                if entries := {entry.certificate: entry for entry in source.by_subject(name)}:
                    found = self._found[name] = tuple(entries.values())
                    break
        return found

    def crls_by_issuer(self, name: bytes) -> tuple[bytes, ...]:
        """Return the revocation lists (DER) whose issuer equals a name (DER), each once."""
        return tuple(dict.fromkeys(crl for source in self.sources for crl in source.crls_by_issuer(name)))

    def certificates(self, subject: Name) -> list[Certificate]:
        """Return the certificates of a subject, with what a "TRUSTED CERTIFICATE" says of them."""
        return list(map(_certificate, self.by_subject(subject.encoding)))

    def crls(self, issuer: Name) -> list[Crl]:
        """Return the revocation lists of an issuer."""
        return list(map(Crl, self.crls_by_issuer(issuer.encoding)))

    def listed(self) -> Iterator[CertificateEntry]:
        """Yield every certificate of the files among the places: the authorities that a server names."""
        for source in self.sources:
            if isinstance(source, Bundle):
                yield from source.certificates()

    def __repr__(self) -> str:
        return f"TrustPlaces({', '.join(self.description) or 'empty'})"


class Bundle:
    """A file of certificates and revocation lists, or such bytes, read when first asked."""

    def __init__(self, path: str, data: bytes | None = None) -> None:
        self.path = path
        self._data = data
        self._entries: list[CertificateEntry] | None = None
        self._crls: list[bytes] = []

    def load(self) -> int:
        """Read the file; return the number of its certificates and lists. Raises `TrustError`."""
        if self._entries is not None:
            return len(self._entries) + len(self._crls)
        try:
            data = read_file(path_of(self.path), MAX_REVOCATION_LIST) if self._data is None else self._data
            self._entries = _entries_in(data)
            self._crls = _crls_in(data)
        except FileError as problem:
            self._entries = []
            raise TrustError(str(problem)) from None
        except ContainerError as problem:
            self._entries = []
            raise TrustError(f"cannot use {self.path}: {problem}") from None
        return len(self._entries) + len(self._crls)

    def certificates(self) -> Iterator[CertificateEntry]:
        """Yield all certificates in their order."""
        self._try_load()
        yield from self._entries or ()

    def by_subject(self, name: bytes) -> list[CertificateEntry]:
        """Return the certificates whose subject equals a name (DER)."""
        self._try_load()
        word = longest_word(name)
        return [
            entry
            for entry in self._entries or ()
            if may_hold_word(entry.certificate, word) and _has_subject(entry.certificate, name)
        ]

    def crls_by_issuer(self, name: bytes) -> list[bytes]:
        """Return the revocation lists (DER) whose issuer equals a name (DER)."""
        self._try_load()
        return [crl for crl in self._crls if _crl_issuer(crl) == canonical_name(name)] if self._crls else []

    def _try_load(self) -> None:
        try:
            self.load()
        except TrustError:
            return


class HashedDirectory:
    """A directory as openssl-rehash(1) leaves it, in the new style of hash or the old one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def by_subject(self, name: bytes) -> list[CertificateEntry]:
        """Return the certificates whose subject equals a name (DER), from <hash>.0, <hash>.1 …."""
        found: list[CertificateEntry] = []
        for data in self._files(name, "", MAX_FILE):
            try:
                entries = _entries_in(data)
            except ContainerError:
                continue
            found += [entry for entry in entries if _has_subject(entry.certificate, name)]
        return found

    def crls_by_issuer(self, name: bytes) -> list[bytes]:
        """Return the revocation lists (DER) whose issuer equals a name (DER), from <hash>.r0, <hash>.r1 …."""
        wanted = canonical_name(name)
        return [
            crl
            for data in self._files(name, "r", MAX_REVOCATION_LIST)
            for crl in _crls_in(data)
            if _crl_issuer(crl) == wanted
        ]

    def _files(self, name: bytes, letter: str, limit: int) -> Iterator[bytes]:
        """Yield the contents of the files for a name, up to the first number that is missing."""
        for hashed in (name_hash(name), old_name_hash(name)):
            for number in range(MAX_SAME_HASH):
                try:
                    yield read_file(f"{self.path}/{hashed}.{letter}{number}", limit)
                except FileError:
                    break


def open_trust(options: TrustOptions, environment: Mapping[str, str] | None = None) -> TrustPlaces:
    """Return the store that the options name, or the system's default if they name none.

    With `beside_defaults` the defaults of the kinds that they do not name come after it. Places that were
    named must be usable: `TrustError` otherwise. Default places may be missing.
    """
    if not options.given:
        return default_trust(options, environment)
    sources: list[Source] = []
    description: list[str] = []
    if options.file is not None:
        sources.append(_given_bundle(options.file))
        description.append(options.file)
    for directory in filter(None, (options.directory,)):
        sources.append(_given_directory(directory))
        description.append(directory)
    if options.store is not None:
        sources.append(_given_store(options.store))
        description.append(options.store)
    if options.beside_defaults:
        defaults = default_trust(_without_named(options), environment)
        sources += defaults.sources
        description += defaults.description
    return TrustPlaces(tuple(sources), tuple(description))


def open_store(options: TrustOptions, environment: Mapping[str, str] | None = None) -> TrustStore:
    """Return the store for path building that looks certificates up in the places of `open_trust`."""
    return TrustStore(sources=[open_trust(options, environment)])


def default_trust(
    options: TrustOptions | None = None,
    environment: Mapping[str, str] | None = None,
    layouts: tuple[str, ...] = LAYOUTS,
    bundles: tuple[str, ...] = BUNDLES,
) -> TrustPlaces:
    """Return the system's default trust. SSL_CERT_FILE and SSL_CERT_DIR (several, colons between) come first.

    As in OpenSSL 3, the default store is the default directory again: it takes both -no-CApath and
    -no-CAstore to leave the directory out.
    """
    chosen = options or TrustOptions()
    variables = os.environ if environment is None else environment
    use_file = not chosen.no_file
    use_directory = not (chosen.no_directory and chosen.no_store)
    layout = next(
        (each for each in layouts if exists(f"{each}/cert.pem") or is_directory(f"{each}/certs")), None
    )
    file = variables.get("SSL_CERT_FILE") or (layout and f"{layout}/cert.pem")
    directories = [
        each
        for each in (variables.get("SSL_CERT_DIR") or (f"{layout}/certs" if layout else "")).split(os.pathsep)
        if each
    ]
    own_bundle = bool(file) and exists(str(file))
    if not own_bundle and "SSL_CERT_FILE" not in variables and "SSL_CERT_DIR" not in variables:
        # Here OpenSSL itself would find nothing, unless the directory has hashes.
        if not any(map(_has_hashes, directories)):
            file = next((each for each in bundles if exists(each)), None)
        else:
            file = None
    sources: list[Source] = []
    description: list[str] = []
    if use_directory:
        sources += map(HashedDirectory, directories)
        description += directories
    if use_file and file:
        sources.append(Bundle(file))
        description.append(file)
    return TrustPlaces(tuple(sources), tuple(description))


def _without_named(options: TrustOptions) -> TrustOptions:
    """Return the options with the defaults switched off whose kind is named."""
    return TrustOptions(
        no_file=options.no_file or options.file is not None,
        no_directory=options.no_directory or options.directory is not None,
        no_store=options.no_store or options.store is not None,
    )


def _certificate(entry: CertificateEntry) -> Certificate:
    auxiliary = None
    if entry.trusted is not None or entry.rejected is not None:
        trusted = frozenset(entry.trusted) if entry.trusted is not None else None
        auxiliary = Auxiliary(trusted, frozenset(entry.rejected or ()))
    return Certificate(entry.certificate, auxiliary)


def _given_bundle(path: str) -> Bundle:
    bundle = Bundle(path)
    if not bundle.load():
        raise TrustError(f"cannot use {path}: no certificate or crl found")
    return bundle


def _given_directory(path: str) -> HashedDirectory:
    try:
        return HashedDirectory(require_directory(path))
    except FileError as problem:
        raise TrustError(str(problem)) from None


def _given_store(uri: str) -> Source:
    """Open -CAstore: an absolute "file:" URI or a plain path, of a file or of a hashed directory."""
    try:
        path = path_of(uri)
    except FileError as problem:
        raise TrustError(str(problem)) from None
    return HashedDirectory(path) if is_directory(path) else _given_bundle(path)


def _has_hashes(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return any(_HASHED.fullmatch(entry.name) for entry in entries)
    except OSError:
        return False


def _entries_in(data: bytes) -> list[CertificateEntry]:
    """Return the certificates of a file, none if it holds none. Raises `ContainerError` for damaged PEM."""
    try:
        return load_certificate_entries(data)
    except ContainerError:
        if b"-----BEGIN CERTIFICATE" in data:
            raise
        return []


def _crls_in(data: bytes) -> list[bytes]:
    if b"-----BEGIN " in data and b"-----BEGIN X509 CRL" not in data:
        return []
    try:
        return load_crls(data)
    except ContainerError:
        return []


def _has_subject(certificate: bytes, name: bytes) -> bool:
    """Whether the subject of a certificate equals a name (DER)."""
    subject = subject_bytes(certificate)
    return subject is not None and (subject == name or canonical_name(subject) == canonical_name(name))


def _crl_issuer(crl: bytes) -> bytes | None:
    """Return the canonical form of a revocation list's issuer, None if it cannot be read."""
    name = subject_bytes(crl, crl=True)
    return None if name is None else canonical_name(name)
