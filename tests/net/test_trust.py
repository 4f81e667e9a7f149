"""Where trust comes from: files, hashed directories of both styles, stores, and each system's default."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from handglass.crypto import der
from handglass.crypto.containers import certificates_to_pem, subject_and_issuer
from handglass.crypto.pem import encode_pem
from handglass.crypto.throwaway import Authority
from handglass.net.trust import (
    Bundle,
    HashedDirectory,
    TrustError,
    TrustOptions,
    TrustPlaces,
    default_trust,
    open_store,
    open_trust,
)
from handglass.records import replace
from handglass.verify import Certificate, Purpose, Trust, VerifyCode, VerifyParams, verify_chain
from handglass.verify.name_hash import (
    canonical_name,
    longest_word,
    may_hold_word,
    name_hash,
    old_name_hash,
    subject_bytes,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OIDS = {"C": "2.5.4.6", "O": "2.5.4.10", "CN": "2.5.4.3"}


def name(*attributes: tuple[str, str], tag: int = der.PRINTABLE_STRING, codec: str = "utf-8") -> bytes:
    """Encode a name of one-attribute RDNs."""
    return der.encode(
        der.SEQUENCE,
        *(
            der.encode(
                der.SET,
                der.encode(
                    der.SEQUENCE,
                    der.encode_object_identifier(OIDS[kind]),
                    der.encode(tag, value.encode(codec)),
                ),
            )
            for kind, value in attributes
        ),
    )


@cache
def authority(common_name: str = "Root") -> bytes:
    return Authority(NOW, common_name).certificate


def subject(certificate: bytes) -> bytes:
    return subject_and_issuer(certificate)[0]


def revocation_list(issuer: bytes, number: int = 1) -> bytes:
    algorithm = der.encode(der.SEQUENCE, der.encode_object_identifier("1.2.840.10045.4.3.2"))
    body = der.encode(
        der.SEQUENCE,
        der.encode_integer(1),
        algorithm,
        issuer,
        der.encode(der.UTC_TIME, b"260101000000Z"),
        der.encode(der.UTC_TIME, f"27010100000{number}Z".encode()),
    )
    return der.encode(der.SEQUENCE, body, algorithm, der.encode(der.BIT_STRING, b"\0"))


def found(store: TrustPlaces, subject_name: bytes) -> list[bytes]:
    return [entry.certificate for entry in store.by_subject(subject_name)]


def test_known_hashes() -> None:
    # Names of two files in Debian's /etc/ssl/certs (new style), and c_rehash's of old for the same
    # certificate.
    isrg = name(("C", "US"), ("O", "Internet Security Research Group"), ("CN", "ISRG Root X1"))
    assert name_hash(isrg) == "4042bcee"
    assert old_name_hash(isrg) == "6187b673"
    globalsign = name(("C", "BE"), ("O", "GlobalSign nv-sa"), ("CN", "GlobalSign Root R46"))
    assert name_hash(globalsign) == "002c0b4f"


def test_equal_names_have_one_canonical_form() -> None:
    plain = name(("O", "Some Body"), ("CN", "Grüße"), tag=der.UTF8_STRING)
    for other in (
        name(("O", "  some \t  BODY "), ("CN", "Grüße"), tag=der.UTF8_STRING),
        name(("O", "Some Body"), ("CN", "Grüße"), tag=der.BMP_STRING, codec="utf-16-be"),
        name(("O", "Some Body"), ("CN", "Grüße"), tag=der.T61_STRING, codec="latin-1"),
    ):
        assert canonical_name(other) == canonical_name(plain)
    assert canonical_name(name(("O", "SomeBody"), ("CN", "Grüße"), tag=der.UTF8_STRING)) != canonical_name(
        plain
    )
    assert canonical_name(b"garbage") == b"garbage"
    assert subject_bytes(b"garbage") is None
    assert subject_bytes(authority()) == subject(authority())
    assert subject_bytes(revocation_list(name(("CN", "x"))), crl=True) == name(("CN", "x"))


def test_equal_names_hold_the_same_word() -> None:
    plain = name(("O", "Some Body"), ("CN", "Grüßende"), tag=der.UTF8_STRING)
    for other in (
        plain,
        name(("O", "  some \t  BODY "), ("CN", "Grüßende"), tag=der.UTF8_STRING),
        name(("O", "Some Body"), ("CN", "GRüßENDE"), tag=der.BMP_STRING, codec="utf-16-be"),
        name(("O", "Some Body"), ("CN", "Grüßende"), tag=der.UNIVERSAL_STRING, codec="utf-32-be"),
        name(("O", "Some Body"), ("CN", "Grüßende"), tag=der.T61_STRING, codec="latin-1"),
    ):
        assert canonical_name(other) == canonical_name(plain)
        for each in (plain, other):
            assert longest_word(each) in {b"some", b"body", b"ende"}
            assert may_hold_word(plain, longest_word(each))
            assert may_hold_word(other, longest_word(each))
    assert not may_hold_word(name(("CN", "Other")), longest_word(plain))
    for wordless in (b"garbage", b"\x30\x00", name(("CN", "ß"), tag=der.UTF8_STRING)):
        assert longest_word(wordless) == b""
        assert may_hold_word(plain, longest_word(wordless))


def test_a_bundle_is_read_when_asked(tmp_path: Path) -> None:
    first, second = authority("First"), authority("Second")
    crl = revocation_list(subject(first))
    path = tmp_path / "bundle.pem"
    path.write_text("# roots\n" + certificates_to_pem([first, second]) + encode_pem("X509 CRL", crl))
    bundle = Bundle(str(path))
    assert [entry.certificate for entry in bundle.by_subject(subject(second))] == [second]
    assert bundle.by_subject(name(("CN", "Third"))) == []
    folded = name(("CN", "FIRST"), tag=der.IA5_STRING)
    assert [entry.certificate for entry in bundle.by_subject(folded)] == [first]
    assert bundle.crls_by_issuer(folded) == [crl]
    assert bundle.crls_by_issuer(subject(second)) == []
    assert [entry.certificate for entry in bundle.certificates()] == [first, second]


def test_a_file_of_lists_alone_will_do(tmp_path: Path) -> None:
    path = tmp_path / "lists.pem"
    path.write_text(encode_pem("X509 CRL", revocation_list(name(("CN", "x")))))
    assert len(open_trust(TrustOptions(file=str(path))).crls_by_issuer(name(("CN", "X")))) == 1


@pytest.mark.parametrize("style", [name_hash, old_name_hash])
def test_hashed_directories(tmp_path: Path, style: object) -> None:
    assert callable(style)
    wanted, other = authority("Root"), authority("Other")
    hashed = style(subject(wanted))
    (tmp_path / f"{hashed}.0").write_text(certificates_to_pem([other]))
    (tmp_path / f"{hashed}.1").write_bytes(wanted)
    (tmp_path / f"{hashed}.3").write_text(certificates_to_pem([authority("Unreached")]))
    (tmp_path / f"{hashed}.r0").write_text(encode_pem("X509 CRL", revocation_list(subject(wanted))))
    (tmp_path / f"{hashed}.r1").write_bytes(revocation_list(subject(wanted), 2))
    store = open_trust(TrustOptions(directory=str(tmp_path)))
    assert found(store, subject(wanted)) == [wanted]
    assert found(store, subject(other)) == []
    assert len(store.crls_by_issuer(subject(wanted))) == 2


def test_what_comes_later_into_a_directory_is_seen(tmp_path: Path) -> None:
    store = open_trust(TrustOptions(directory=str(tmp_path)))
    assert found(store, subject(authority())) == []
    (tmp_path / f"{name_hash(subject(authority()))}.0").write_bytes(authority())
    assert found(store, subject(authority())) == [authority()]


def test_damaged_files_in_a_directory_do_no_harm(tmp_path: Path) -> None:
    hashed = name_hash(subject(authority()))
    (tmp_path / f"{hashed}.0").write_bytes(b"-----BEGIN CERTIFICATE-----\nMII*\n-----END CERTIFICATE-----\n")
    (tmp_path / f"{hashed}.1").write_bytes(authority())
    assert found(open_trust(TrustOptions(directory=str(tmp_path))), subject(authority())) == [authority()]


def test_given_places_must_be_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.pem").write_text("nothing")
    Path("broken.pem").write_text("-----BEGIN CERTIFICATE-----\nM*\n-----END CERTIFICATE-----\n")
    Path("ca.pem").write_text(certificates_to_pem([authority()]))
    for options, sentence in (
        (TrustOptions(file="absent"), "cannot open absent: No such file or directory"),
        (TrustOptions(file="empty.pem"), "cannot use empty.pem: no certificate or crl found"),
        (TrustOptions(file="broken.pem"), "cannot use broken.pem: the base64 of the block that begins"),
        (TrustOptions(directory="absent"), "cannot open absent: No such file or directory"),
        (TrustOptions(directory="ca.pem"), "Not a directory: ca.pem"),
        (TrustOptions(store="file:ca.pem"), "path must be absolute"),
        (TrustOptions(store="absent"), "cannot open absent"),
    ):
        with pytest.raises(TrustError, match=sentence):
            open_trust(options)
    for store in ("ca.pem", f"file:{tmp_path}/ca.pem", f"file://{tmp_path}/ca.pem"):
        assert found(open_trust(TrustOptions(store=store)), subject(authority())) == [authority()]
    Path("hashed").mkdir()
    Path("hashed", f"{name_hash(subject(authority()))}.0").write_bytes(authority())
    for store in ("hashed", f"file:{tmp_path}/hashed"):
        assert found(open_trust(TrustOptions(store=store)), subject(authority())) == [authority()]


def test_a_given_place_replaces_every_default(tmp_path: Path) -> None:
    given, default = tmp_path / "given.pem", tmp_path / "default.pem"
    given.write_text(certificates_to_pem([authority("Given")]))
    default.write_text(certificates_to_pem([authority("Default")]))
    environment = {"SSL_CERT_FILE": str(default)}
    store = open_trust(TrustOptions(file=str(given), no_file=True), environment)
    assert found(store, subject(authority("Given"))) == [authority("Given")]
    assert found(store, subject(authority("Default"))) == []
    assert found(open_trust(TrustOptions(), environment), subject(authority("Default"))) == [
        authority("Default")
    ]


def test_a_given_place_beside_the_other_defaults(tmp_path: Path) -> None:
    given, file, hashed, empty = (tmp_path / each for each in ("given.pem", "file.pem", "dir", "empty"))
    given.write_text(certificates_to_pem([authority("Given")]))
    file.write_text(certificates_to_pem([authority("In file")]))
    empty.mkdir()
    hashed.mkdir()
    (hashed / f"{name_hash(subject(authority('In dir')))}.0").write_bytes(authority("In dir"))
    environment = {"SSL_CERT_FILE": str(file), "SSL_CERT_DIR": str(hashed)}

    def sees(options: TrustOptions) -> str:
        store = open_trust(replace(options, beside_defaults=True), environment)
        return " ".join(
            each for each in ("Given", "In file", "In dir") if found(store, subject(authority(each)))
        )

    assert sees(TrustOptions(file=str(given))) == "Given In dir"
    assert sees(TrustOptions(store=str(given))) == "Given In file In dir"
    # The default store is the default directory again.
    assert sees(TrustOptions(directory=str(empty))) == "In file In dir"
    assert sees(TrustOptions(directory=str(empty), no_store=True)) == "In file"
    assert sees(TrustOptions(file=str(given), no_directory=True, no_store=True)) == "Given"


def test_default_places_and_their_switches(tmp_path: Path) -> None:
    hashed = tmp_path / "dir"
    hashed.mkdir()
    (hashed / f"{name_hash(subject(authority('In dir')))}.0").write_bytes(authority("In dir"))
    file = tmp_path / "file.pem"
    file.write_text(certificates_to_pem([authority("In file")]))
    environment = {"SSL_CERT_FILE": str(file), "SSL_CERT_DIR": f"{tmp_path}/absent:{hashed}"}

    def sees(options: TrustOptions) -> tuple[bool, bool]:
        store = default_trust(options, environment, layouts=(), bundles=())
        return bool(found(store, subject(authority("In file")))), bool(
            found(store, subject(authority("In dir")))
        )

    assert sees(TrustOptions()) == (True, True)
    assert sees(TrustOptions(no_file=True)) == (False, True)
    # OpenSSL 3.0: the default store is the default directory again, so that one switch alone changes nothing.
    assert sees(TrustOptions(no_directory=True)) == (True, True)
    assert sees(TrustOptions(no_store=True)) == (True, True)
    assert sees(TrustOptions(no_directory=True, no_store=True)) == (True, False)


def test_layouts_of_systems(tmp_path: Path) -> None:
    debian, redhat, bundle = tmp_path / "ssl", tmp_path / "tls", tmp_path / "bundle.crt"
    bundle.write_text(certificates_to_pem([authority()]))

    def places(*layouts: Path) -> tuple[str, ...]:
        store = default_trust(None, {}, tuple(map(str, layouts)), (f"{tmp_path}/absent", str(bundle)))
        return tuple(each.replace(str(tmp_path), "") for each in store.description)

    assert places(debian, redhat) == ("/bundle.crt",)
    (debian / "certs").mkdir(parents=True)
    assert places(debian, redhat) == ("/ssl/certs", "/bundle.crt"), "a directory without hashes is not enough"
    (debian / "certs" / "0a775a30.0").write_bytes(authority())
    assert places(debian, redhat) == ("/ssl/certs",)
    redhat.mkdir()
    (redhat / "cert.pem").write_bytes(bundle.read_bytes())
    assert places(redhat, debian) == ("/tls/certs", "/tls/cert.pem")
    assert repr(default_trust(None, {}, (), ())) == "TrustPlaces(empty)"


def test_a_large_bundle_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text(certificates_to_pem([authority()] * 150))
    begun = time.process_time()
    assert len(Bundle(str(path)).by_subject(subject(authority()))) == 150
    assert time.process_time() - begun < 0.5, "about 3 ms without coverage"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_rehash_agrees(tmp_path: Path) -> None:
    certificates = [authority(f"Authority {number}  {'ÄÖ' * number}") for number in range(4)]
    for number, certificate in enumerate(certificates):
        (tmp_path / f"{number}.pem").write_text(certificates_to_pem([certificate]))
    subprocess.run(
        ["openssl", "rehash", "-compat", str(tmp_path)], check=True, capture_output=True, timeout=30
    )
    links = {path.name.split(".")[0] for path in tmp_path.iterdir() if path.is_symlink()}
    ours = {style(subject(each)) for each in certificates for style in (name_hash, old_name_hash)}
    assert links == ours
    directory = HashedDirectory(tmp_path)
    assert all(directory.by_subject(subject(each)) for each in certificates)


def test_hashes_are_digests_of_the_canonical_form() -> None:
    encoded = name(("CN", "x"))
    digest = hashlib.sha1(canonical_name(encoded), usedforsecurity=False).digest()
    assert int(name_hash(encoded), 16) == int.from_bytes(digest[:4], "little")


def test_path_building_looks_up_here(tmp_path: Path) -> None:
    root = Authority(NOW, "Root")
    leaf = Certificate(root.issue(["leaf.test"]).certificate)
    (tmp_path / f"{name_hash(subject(root.certificate))}.0").write_bytes(root.certificate)
    trusted = encode_pem("TRUSTED CERTIFICATE", root.certificate + auxiliary(reject="1.3.6.1.5.5.7.3.1"))
    (tmp_path / "rejected.pem").write_text(trusted)
    seconds = int(NOW.timestamp())
    params = VerifyParams(purpose=Purpose.SSL_SERVER, trust=Trust.SSL_SERVER)
    good = open_store(TrustOptions(directory=str(tmp_path)), {})
    assert verify_chain(leaf, [], good, params, seconds).ok
    rejecting = open_store(TrustOptions(file=str(tmp_path / "rejected.pem")), {})
    problems = verify_chain(leaf, [], rejecting, params, seconds).problems
    assert VerifyCode.CERT_REJECTED in [event.code for event in problems]


def auxiliary(reject: str) -> bytes:
    return der.encode(der.SEQUENCE, der.encode(0xA0, der.encode_object_identifier(reject)))
