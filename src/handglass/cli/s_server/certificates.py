"""Which certificate each client gets: -cert, -cert2 for one name, -cert_dir for many; read again on SIGHUP.

Strategy: everything is loaded before anything is used, so a reload that fails changes nothing. The choice by
name is made once per name and kept, since configurations are shared by all connections.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from handglass.cli.options.s_server import SServerOptions
from handglass.cli.own_certificates.extra_certificates import extra_sets
from handglass.cli.own_certificates.identity import SECOND_NAME, IdentityFiles, LoadError, load_identity
from handglass.cli.s_server.identity import (
    Ask,
    Chains,
    CheckedSets,
    Secrets,
    as_client_prefers,
    load_default,
)
from handglass.cli.verification.chain_parameters import name_flags
from handglass.crypto.containers import ContainerError, load_certificates, load_private_key
from handglass.crypto.identity import Identity, make_identity
from handglass.crypto.throwaway import self_signed
from handglass.handshake.config import ServerConfig
from handglass.handshake.state import ClientHelloView
from handglass.net.files import FileError, read_file
from handglass.records import dataclass, replace
from handglass.registry import reasons, suites
from handglass.registry.errors import PeerError
from handglass.verify.certificate import Certificate
from handglass.verify.identity import matches_host

Choose = Callable[[ClientHelloView, tuple[Identity, ...]], Sequence[Identity]]

DEFAULT_CERTIFICATE = "server.pem"
SUFFIXES = (".pem", ".crt", ".cer", ".p12", ".pfx")
WITHOUT_CERTIFICATE = ("NULL", "PSK", "SRP")
"""How a suite authenticates a server that has no certificate."""
MOST_NAMES = 1024
"""Names whose choice is kept; a client can ask for any."""
MISSING = (
    "Could not open file or uri for loading server certificate private key from server.pem: "
    "No such file or directory\n"
    "s_server: there is no certificate to serve: give one with -cert and -key, or -throwaway_cert for one that "
    "is made in memory for this run"
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """`default`: for whoever asks for no other; `second`: for the name of -servername; `directory`: by their names.

    The first `sets` of `default` are those of -xcert.
    """

    default: tuple[Identity, ...]
    second: Identity | None = None
    directory: tuple[Identity, ...] = ()
    sets: int = 0

    @property
    def all(self) -> tuple[Identity, ...]:
        """Every one of them."""
        return (*self.default, *((self.second,) if self.second is not None else ()), *self.directory)


def load_all(
    options: SServerOptions,
    secrets: Secrets,
    chains: Chains,
    ask: Ask | None = None,
    before: Certificates | None = None,
) -> Certificates:
    """Read every certificate that the options name.

    `ask(name)` gives the pass phrase of an encrypted file (default: the terminal). A throwaway certificate is
    taken from `before`, if there is one. Raises LoadError.
    """
    if options.nocert:
        return Certificates(())
    second = None
    if options.servername is not None:
        files = IdentityFiles(options.cert2, options.key2, passphrase=secrets.own)
        second = chains.complete(load_identity(files, SECOND_NAME, ask))
    directory: tuple[Identity, ...] = ()
    if options.cert_dir is not None:
        found = load_directory(Path(options.cert_dir), secrets.own, ask)
        directory = tuple(map(chains.complete, found))
    if options.cert is not None or (
        Path(DEFAULT_CERTIFICATE).exists() and not directory and not options.throwaway_cert
    ):
        default = load_default(options.cert or DEFAULT_CERTIFICATE, options, secrets, chains, ask)
        return Certificates(default, second, directory, len(extra_sets(options.given)))
    if options.throwaway_cert:
        default = before.default if before is not None else (self_signed(datetime.now(UTC)),)
        return Certificates(default, second, directory)
    if not directory:
        raise LoadError(MISSING)
    return Certificates(directory[:1], second, directory)


def load_directory(directory: Path, secret: bytes | None, ask: Ask | None = None) -> tuple[Identity, ...]:
    """Every certificate of a directory whose key is in the same file or in one of the same name with .key.

    In the order of the files' names; what follows the certificate in its file is its chain. Files without
    certificate or key are passed over. Raises LoadError for what is damaged, and if there is none at all.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise LoadError(f"cannot read the directory {directory}: {error.strerror}") from error
    found = [identity for path in paths if (identity := _load_pair(path, secret, ask)) is not None]
    if not found:
        raise LoadError(f"there is no certificate with its key in {directory}")
    return tuple(found)


def _load_pair(path: Path, secret: bytes | None, ask: Ask | None) -> Identity | None:
    key_path = path.with_suffix(".key")
    passphrase = secret if secret is not None or ask is None else (lambda: ask(str(path)))
    try:
        data = read_file(path)
        separate = key_path.exists()
        if not separate and b"PRIVATE KEY-----" not in data and path.suffix.lower() not in {".p12", ".pfx"}:
            return None
        leaf, *chain = load_certificates(data, None, passphrase)
        key = load_private_key(read_file(key_path) if separate else data, passphrase)
        return make_identity(leaf, key, tuple(chain), str(path))
    except FileError as error:
        raise LoadError(str(error)) from error
    except ContainerError as error:
        raise LoadError(f"Could not read {path}: {error}") from error


def can_serve_nobody(config: ServerConfig) -> bool:
    """Whether there is no certificate, and nothing that could do without one."""
    if config.identities or config.psks or config.find_psk is not None:
        return False
    facts = [suites.facts_of(suite) for suite in config.suites]
    return not any(each is not None and each.authentication in WITHOUT_CERTIFICATE for each in facts)


def with_certificates(
    config: ServerConfig, certificates: Certificates, options: SServerOptions
) -> ServerConfig:
    """The configuration that serves these."""
    choose: Choose | None = as_client_prefers if len(certificates.default) > 1 else None
    if certificates.sets:
        choose = CheckedSets(config, certificates.default[: certificates.sets], name_flags(options.nameopt))
    plain = replace(config, identities=certificates.default, choose_identity=choose, choose_config=None)
    if certificates.second is None and not certificates.directory and not options.servername_fatal:
        return plain
    return replace(plain, choose_config=_Chooser(plain, certificates, options))


class _Chooser:
    """The `choose_config` of a server with several names."""

    def __init__(self, plain: ServerConfig, certificates: Certificates, options: SServerOptions) -> None:
        self._plain = plain
        self._second = certificates.second
        self._servername = options.servername.lower() if options.servername is not None else None
        self._directory = [(Certificate(each.certificate), each) for each in certificates.directory]
        self._is_fatal = options.servername_fatal
        self._known: OrderedDict[str, ServerConfig] = OrderedDict()

    def __call__(self, hello: ClientHelloView) -> ServerConfig:
        """The configuration for the name that a client asks for. Raises PeerError if no other name is served."""
        if hello.server_name is None:
            return self._plain
        name = hello.server_name.lower().rstrip(".")
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._choose(name)
            if len(self._known) > MOST_NAMES:
                self._known.popitem(last=False)
        return found

    def _choose(self, name: str) -> ServerConfig:
        if self._second is not None and name == self._servername:
            return replace(self._plain, identities=(self._second,))
        own = any(matches_host(Certificate(each.certificate), name) for each in self._plain.identities)
        fitting = tuple(identity for facts, identity in self._directory if matches_host(facts, name))
        if self._is_fatal and not fitting and not (own and self._servername is None):
            raise PeerError(reasons.UNRECOGNIZED_NAME, f"it asks for {name}")
        return replace(self._plain, identities=fitting) if fitting and not own else self._plain
