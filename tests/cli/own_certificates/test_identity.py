"""From file names to identities; OpenSSL's words in every failure, and the reason behind them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from handglass.cli.own_certificates import identity as loading
from handglass.cli.own_certificates.identity import (
    CLIENT,
    EXTRA,
    SECOND_KIND,
    SERVER,
    IdentityFiles,
    LoadError,
    load_identity,
)
from handglass.crypto.containers import certificates_to_pem, subject_and_issuer
from handglass.crypto.identity import Identity
from handglass.crypto.throwaway import Authority, self_signed

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@cache
def authority() -> Authority:
    return Authority(NOW)


@cache
def made() -> tuple[Identity, Identity]:
    return authority().issue(["server.test"]), self_signed(NOW, ["other.test"], "ed25519")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make certificates and keys under telling names in a directory, and go there."""
    own, other = made()
    for name, identity in (("own", own), ("other", other)):
        key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        locked = identity.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        certificate = certificates_to_pem([identity.certificate]).encode()
        (tmp_path / f"{name}.crt").write_bytes(certificate)
        (tmp_path / f"{name}.der").write_bytes(identity.certificate)
        (tmp_path / f"{name}.key").write_bytes(key)
        (tmp_path / f"{name}.locked").write_bytes(locked)
        (tmp_path / f"{name}.both").write_bytes(locked + certificate)
    (tmp_path / "chain.pem").write_text(certificates_to_pem([authority().certificate]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked_for(name: str) -> bytes:
    raise AssertionError(f"asked for {name}")


@pytest.mark.usefixtures("files")
def test_every_way_to_give_an_identity() -> None:
    own = made()[0]
    ways = [
        IdentityFiles("own.crt", "own.key", "chain.pem"),
        IdentityFiles("own.der", "own.key", "chain.pem", "DER", "PEM"),
        IdentityFiles("own.both", None, "chain.pem", passphrase=b"secret"),
        IdentityFiles("own.crt", "own.locked", "chain.pem", passphrase=b"secret"),
    ]
    for files in ways:
        identity = load_identity(files, SERVER, asked_for)
        assert identity.certificate == own.certificate
        assert identity.chain == (authority().certificate,)
        assert identity.key_type == "ec"
        assert "secret" not in repr(files)


@pytest.mark.usefixtures("files")
def test_the_pass_phrase_is_asked_for_once_and_by_file_name() -> None:
    asked: list[str] = []

    def ask(name: str) -> bytes:
        asked.append(name)
        return b"secret"

    load_identity(IdentityFiles("own.both"), CLIENT, ask)
    load_identity(IdentityFiles("own.crt", "own.locked"), CLIENT, ask)
    assert asked == ["own.both", "own.locked"]


FAILURES = [
    (
        IdentityFiles("nofile"),
        SERVER,
        "Could not open file or uri for loading server certificate private key from nofile: No such file",
    ),
    (
        IdentityFiles("own.crt"),
        CLIENT,
        "Could not read client certificate private key from own.crt: there is no private key in it",
    ),
    (
        IdentityFiles("own.key", "own.key"),
        SERVER,
        "Could not read server certificate from own.key: there is no certificate in it, only a private key",
    ),
    (
        IdentityFiles("own.crt", "own.locked", passphrase=b"wrong"),
        SECOND_KIND,
        "Could not read second certificate private key from own.locked: the pass phrase does not open",
    ),
    (
        IdentityFiles("own.crt", "own.key", "nofile"),
        SERVER,
        "Could not open file or uri for loading certs of server certificate chain from nofile: No such file",
    ),
    (
        IdentityFiles("own.crt", "own.key", "own.key"),
        SERVER,
        "Could not read any server certificate chain from own.key: there is no certificate in it",
    ),
    (
        IdentityFiles("own.crt", "own.key", key_form="DER"),
        CLIENT,
        "from own.key: DER was asked for, but it is PEM",
    ),
    (
        IdentityFiles("own.crt", "own.key", None, "DER"),
        CLIENT,
        "from own.crt: DER was asked for, but it is PEM",
    ),
    (
        IdentityFiles("own.crt", "other.key"),
        SERVER,
        "key values mismatch: Private key does not match the certificate public key (one is ed25519,",
    ),
    (
        IdentityFiles("pkcs11:token=x"),
        CLIENT,
        "from pkcs11:token=x: the scheme 'pkcs11' is not supported here",
    ),
    (IdentityFiles("nofile"), EXTRA, "Could not open file or uri for loading server key from nofile"),
]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("given", "words", "sentence"), FAILURES)
def test_failures(given: IdentityFiles, words: loading.Words, sentence: str) -> None:
    with pytest.raises(LoadError) as caught:
        load_identity(given, words, asked_for)
    assert sentence in str(caught.value)


def test_file_uris(files: Path) -> None:
    for name in (f"file:{files}/own.crt", f"file://{files}/own.crt", f"file://localhost{files}/own%2ecrt"):
        assert load_identity(IdentityFiles(name, "own.key"), CLIENT).certificate == made()[0].certificate
    for name, sentence in (("file:own.crt", "path must be absolute"), ("file://elsewhere/x", "another host")):
        with pytest.raises(LoadError, match=sentence):
            load_identity(IdentityFiles("own.crt", name), CLIENT)


@pytest.mark.usefixtures("files")
def test_names_lists_and_parameters() -> None:
    Path("many.pem").write_text(certificates_to_pem([authority().certificate, made()[1].certificate] * 2))
    names = loading.load_ca_names("many.pem")
    assert names == [subject_and_issuer(each)[0] for each in (authority().certificate, made()[1].certificate)]
    for load, sentence in (
        (loading.load_ca_names, "Error loading CA names from nofile: cannot open nofile"),
        (loading.load_crl_file, "Could not open file or uri for loading CRL from nofile"),
        (loading.load_dh_file, "Could not open file or uri for loading params of DH parameters from nofile"),
    ):
        with pytest.raises(LoadError, match=sentence):
            load("nofile")
    with pytest.raises(
        LoadError, match=r"Could not read CRL from own\.key: there is no certificate revocation"
    ):
        loading.load_crl_file("own.key")
    extra = loading.load_extra_identities(
        [IdentityFiles("own.crt", "own.key"), IdentityFiles("other.crt", "other.key")]
    )
    assert [each.key_type for each in extra] == ["ec", "ed25519"]
