"""Every container of certificates and keys, the sentence for every mix-up, and garbage without an escape."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)

from handglass.crypto import der
from handglass.crypto.containers import (
    CertificateEntry,
    ContainerError,
    Form,
    PassphraseNeededError,
    WrongPassphraseError,
    certificates_to_pem,
    describe,
    key_matches,
    load_certificate_entries,
    load_certificates,
    load_crls,
    load_dh_parameters,
    load_pkcs12,
    load_private_key,
    load_public_keys,
    public_key_info_of_certificate,
    subject_and_issuer,
)
from handglass.crypto.identity import Identity, make_identity
from handglass.crypto.pem import encode_pem, pem_blocks
from handglass.crypto.private_keys import key_type_of, limit_work, without_panic
from handglass.crypto.throwaway import Authority, KeyType, generate_key, self_signed

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SECRET = b"open sesame"
PLAIN = NoEncryption()
LOCKED = BestAvailableEncryption(SECRET)


@cache
def identity(key_type: KeyType = "p256") -> Identity:
    return self_signed(NOW, ["server.test", "127.0.0.1"], key_type)


@cache
def dsa_key() -> dsa.DSAPrivateKey:
    return dsa.generate_private_key(2048)


def key_bytes(
    key: PrivateKeyTypes, encoding: Encoding, form: PrivateFormat, lock: KeySerializationEncryption = PLAIN
) -> bytes:
    return key.private_bytes(encoding, form, lock)


def bundle(lock: KeySerializationEncryption = LOCKED, *, with_key: bool = True) -> bytes:
    own = identity("rsa")
    assert isinstance(own.key, rsa.RSAPrivateKey)
    other = x509.load_der_x509_certificate(identity().certificate)
    return pkcs12.serialize_key_and_certificates(
        b"name",
        own.key if with_key else None,
        x509.load_der_x509_certificate(own.certificate) if with_key else None,
        [other],
        lock,
    )


ALL_KEY_TYPES: list[KeyType] = [
    "rsa",
    "p256",
    "p384",
    "p521",
    "ed25519",
    "ed448",
    "mldsa44",
    "mldsa65",
    "mldsa87",
]


@pytest.mark.parametrize("key_type", ALL_KEY_TYPES)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("lock", [PLAIN, LOCKED], ids=["plain", "encrypted"])
def test_pkcs8_of_every_kind(key_type: KeyType, encoding: Encoding, lock: KeySerializationEncryption) -> None:
    own = identity(key_type)
    data = key_bytes(own.key, encoding, PrivateFormat.PKCS8, lock)
    loaded = load_private_key(data, SECRET)
    assert key_matches(loaded, own.certificate)
    assert key_type_of(loaded) == own.key_type


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("kind", ["rsa", "p384", "dsa"])
def test_traditional_keys(kind: str, encoding: Encoding) -> None:
    key: PrivateKeyTypes = dsa_key() if kind == "dsa" else identity("rsa" if kind == "rsa" else "p384").key
    plain = key_bytes(key, encoding, PrivateFormat.TraditionalOpenSSL)
    assert load_private_key(plain).public_key() == key.public_key()
    assert load_private_key(plain, SECRET).public_key() == key.public_key(), (
        "a pass phrase too many is no fault"
    )
    if encoding is Encoding.PEM:
        locked = key_bytes(key, encoding, PrivateFormat.TraditionalOpenSSL, LOCKED)
        assert b"Proc-Type" in locked
        assert load_private_key(locked, SECRET).public_key() == key.public_key()
        assert (
            load_private_key(locked.replace(b"\n", b"\r\n"), lambda: SECRET).public_key() == key.public_key()
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: key_bytes(identity().key, Encoding.PEM, PrivateFormat.PKCS8, LOCKED),
        lambda: key_bytes(identity().key, Encoding.DER, PrivateFormat.PKCS8, LOCKED),
        lambda: key_bytes(identity().key, Encoding.PEM, PrivateFormat.TraditionalOpenSSL, LOCKED),
        bundle,
    ],
    ids=["pkcs8-pem", "pkcs8-der", "traditional", "pkcs12"],
)
def test_wrong_and_missing_pass_phrases(make: Callable[[], bytes]) -> None:
    data = make()
    with pytest.raises(WrongPassphraseError, match="the pass phrase does not open"):
        load_private_key(data, b"wrong")
    for nothing in (None, b"", lambda: b""):
        with pytest.raises(PassphraseNeededError, match="is encrypted and no pass phrase was given"):
            load_private_key(data, nothing)


@pytest.mark.parametrize(
    ("cipher", "sentence"),
    [
        ("AES-128-CBC,00", "DEK-Info line"),
        ("AES-128-CBC", "DEK-Info line"),
        ("ROT13,00", "with ROT13, which is not"),
    ],
)
def test_damaged_dek_info(cipher: str, sentence: str) -> None:
    headers = (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", cipher))
    with pytest.raises(ContainerError, match=sentence):
        load_private_key(encode_pem("RSA PRIVATE KEY", bytes(64), headers).encode(), SECRET)


def test_a_pass_phrase_is_asked_for_only_when_needed() -> None:
    def ask() -> bytes:
        raise AssertionError("asked")

    load_private_key(key_bytes(identity().key, Encoding.PEM, PrivateFormat.PKCS8), ask)
    load_pkcs12(bundle(PLAIN), ask)
    with pytest.raises(AssertionError, match="asked"):
        load_pkcs12(bundle(), ask)


def test_pem_in_any_order_with_text_around() -> None:
    rsa_identity, ec_identity = identity("rsa"), identity()
    text = (
        "subject=CN = first\n-----BEGIN nonsense\n"
        + encode_pem("X509 CERTIFICATE", rsa_identity.certificate)
        + "Bag Attributes: <none>\r\n"
        + encode_pem("EC PARAMETERS", bytes.fromhex("06082a8648ce3d030107"))
        + key_bytes(rsa_identity.key, Encoding.PEM, PrivateFormat.PKCS8).decode()
        + "\n\n"
        + certificates_to_pem([ec_identity.certificate])
        + "the end"
    )
    expected = [rsa_identity.certificate, ec_identity.certificate]
    for data in (text.encode(), text.replace("\n", "\r\n").encode(), text.encode("utf-16")):
        assert load_certificates(data) == expected
        assert key_matches(load_private_key(data), rsa_identity.certificate)


def test_der_certificates_one_after_the_other() -> None:
    first, second = identity("rsa").certificate, identity().certificate
    assert load_certificates(first) == [first]
    assert load_certificates(first + second + b"\n") == [first, second]


def test_trusted_certificate() -> None:
    certificate = identity().certificate
    oid = der.encode_object_identifier("1.3.6.1.5.5.7.3.1")
    other = der.encode_object_identifier("1.3.6.1.5.5.7.3.2")
    auxiliary = der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, oid),
        der.encode(0xA0, other),
        der.encode(der.UTF8_STRING, b"a root"),
    )
    entries = load_certificate_entries(encode_pem("TRUSTED CERTIFICATE", certificate + auxiliary).encode())
    assert entries == [
        CertificateEntry(certificate, ("1.3.6.1.5.5.7.3.1",), ("1.3.6.1.5.5.7.3.2",), "a root")
    ]
    assert (
        load_certificate_entries(encode_pem("TRUSTED CERTIFICATE", certificate).encode())[0].trusted is None
    )


def test_pkcs7_and_pkcs12_certificates() -> None:
    certificates = [identity().certificate, identity("rsa").certificate]
    objects = [x509.load_der_x509_certificate(each) for each in certificates]
    for encoding in (Encoding.PEM, Encoding.DER):
        assert sorted(load_certificates(pkcs7.serialize_certificates(objects, encoding))) == sorted(
            certificates
        )
    assert load_certificates(bundle(), None, SECRET) == certificates[::-1]
    opened = load_pkcs12(bundle(), SECRET)
    assert opened.certificate == certificates[1]
    assert opened.others == (certificates[0],)
    assert "key" not in repr(opened)


def dh_numbers(*numbers: int) -> bytes:
    return der.encode(der.SEQUENCE, *map(der.encode_integer, numbers))


def test_public_keys() -> None:
    """From public keys and certificates, each once; from a private key only if there is nothing else."""
    first, second = (self_signed(datetime.now(UTC), ("x",), kind) for kind in ("p256", "ed25519"))
    keys = [public_key_info_of_certificate(each.certificate).raw for each in (first, second)]
    public = encode_pem("PUBLIC KEY", keys[1]).encode()
    certificates = certificates_to_pem([first.certificate, second.certificate]).encode()
    assert load_public_keys(public + certificates) == keys[::-1]
    assert load_public_keys(keys[0]) == keys[:1]
    private = first.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert load_public_keys(private) == keys[:1]
    assert load_public_keys(private + public) == keys[1:]
    for data in (b"", b"x", encode_pem("X509 CRL", b"0\0").encode()):
        with pytest.raises(ContainerError, match="there is no public key in it"):
            load_public_keys(data)
    with pytest.raises(ContainerError, match="the public key cannot be read"):
        load_public_keys(encode_pem("PUBLIC KEY", b"0\0").encode())


def test_dh_parameters() -> None:
    prime = 2**521 - 1
    for data in (dh_numbers(prime, 2), encode_pem("DH PARAMETERS", dh_numbers(prime, 2, 225)).encode()):
        loaded = load_dh_parameters(data)
        assert (loaded.p, loaded.g, loaded.q) == (prime, 2, None)
    x942 = encode_pem("X9.42 DH PARAMETERS", dh_numbers(prime, 3, prime // 2)).encode()
    assert load_dh_parameters(x942).q == prime // 2
    with pytest.raises(ContainerError, match="no prime and generator"):
        load_dh_parameters(dh_numbers(prime - 1, 2))
    with pytest.raises(ContainerError, match="the limit is 16384"):
        load_dh_parameters(dh_numbers(2**20000 + 1, 2))


def revocation_list() -> bytes:
    name = der.encode(der.SEQUENCE)
    algorithm = der.encode(der.SEQUENCE, der.encode_object_identifier("1.2.840.10045.4.3.2"))
    body = der.encode(der.SEQUENCE, algorithm, name, der.encode(der.UTC_TIME, b"260101000000Z"))
    return der.encode(der.SEQUENCE, body, algorithm, der.encode(der.BIT_STRING, b"\0"))


def test_revocation_lists() -> None:
    crl = revocation_list()
    assert load_crls(crl + crl) == [crl, crl]
    assert load_crls((encode_pem("X509 CRL", crl) * 3).encode()) == [crl] * 3
    with pytest.raises(ContainerError, match="no certificate revocation list in it, only a certificate"):
        load_crls(identity().certificate)


MIXED_UP: list[tuple[Callable[[], object], str]] = [
    (lambda: load_private_key(identity().certificate), "there is no private key in it, only a certificate"),
    (
        lambda: load_certificates(key_bytes(identity().key, Encoding.PEM, PrivateFormat.PKCS8)),
        "there is no certificate in it, only a private key",
    ),
    (
        lambda: load_certificates(key_bytes(identity().key, Encoding.DER, PrivateFormat.PKCS8), "PEM"),
        "PEM was asked for, but it is DER with a private key",
    ),
    (
        lambda: load_certificates(certificates_to_pem([identity().certificate] * 2).encode(), "DER"),
        "DER was asked for, but it is PEM with 2 certificates",
    ),
    (lambda: load_certificates(bundle(), "DER"), "DER was asked for, but it is a PKCS#12 file"),
    (
        lambda: load_private_key(bundle(with_key=False), SECRET),
        "no private key in the PKCS#12 file, only cert",
    ),
    (
        lambda: load_certificates(identity().certificate, "P12"),
        "PKCS#12 was asked for, but it is DER with a cert",
    ),
    (lambda: load_certificates(b""), "it holds nothing (it is empty)"),
    (lambda: load_certificates(b"hello\n"), "it holds text without any PEM block"),
    (lambda: load_certificates(b"\x02\x01\x05"), "it holds DER of a kind that is not known here"),
    (lambda: load_certificates(b"\xff\x00\x80zzz"), "it holds bytes that are neither PEM nor DER"),
    (
        lambda: load_certificates(b"-----BEGIN CERTIFICATE-----\nMII"),
        "the block that begins in line 1 does not end",
    ),
    (
        lambda: load_certificates(b"\n-----BEGIN CERTIFICATE-----\nM*I\n-----END CERTIFICATE-----\n"),
        "the base64 of the block that begins in line 2 is damaged",
    ),
    (
        lambda: load_certificates(
            certificates_to_pem([identity().certificate]).encode() + b"-----BEGIN CERTIFICATE-----\n"
        ),
        "the block that begins in line",
    ),
    (
        lambda: load_private_key(encode_pem("OPENSSH PRIVATE KEY", b"openssh-key-v1").encode()),
        "there is no private key in it, only an OpenSSH private key",
    ),
]


@pytest.mark.parametrize(("load", "sentence"), MIXED_UP, ids=[sentence[:45] for _, sentence in MIXED_UP])
def test_mixed_up_files_say_what_they_hold(load: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ContainerError) as caught:
        load()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["PEM", "DER", "P12", None])
def test_forms_are_enforced(form: Form | None) -> None:
    samples: dict[Form, bytes] = {
        "PEM": certificates_to_pem([identity().certificate]).encode(),
        "DER": identity().certificate,
        "P12": bundle(PLAIN),
    }
    for actual, data in samples.items():
        if form in {actual, None}:
            assert identity().certificate in load_certificates(data, form)
        else:
            with pytest.raises(ContainerError, match="was asked for, but it is"):
                load_certificates(data, form)


def test_described_in_words() -> None:
    text = certificates_to_pem([identity().certificate] * 2).encode() + key_bytes(
        identity().key, Encoding.PEM, PrivateFormat.PKCS8, LOCKED
    )
    assert describe(text) == "2 certificates and an encrypted private key"
    assert describe(dh_numbers(23, 5)) == "a set of DH parameters"


def test_keys_and_certificates_that_do_not_match() -> None:
    assert not key_matches(generate_key("p256"), identity().certificate)
    with pytest.raises(ContainerError, match=r"^Private key does not match the certificate public key$"):
        make_identity(identity().certificate, generate_key("p256"))
    with pytest.raises(ContainerError, match=r"\(one is rsa, the other ec\)$"):
        make_identity(identity().certificate, identity("rsa").key)


@pytest.mark.parametrize("bare", [True, False], ids=["SEC 1", "PKCS#8"])
def test_ec_keys_of_old_programs(bare: bool) -> None:
    """They left out the leading zeros of the scalar, which OpenSSL reads all the same."""
    key = ec.derive_private_key(0x1234567890, ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    curve = der.encode_object_identifier("1.2.840.10045.3.1.7")
    scalar = der.encode(der.OCTET_STRING, bytes.fromhex("1234567890"))
    public = der.encode(0xA1, der.encode(der.BIT_STRING, b"\0" + point))
    parameters = der.encode(0xA0, curve) if bare else b""
    data = der.encode(der.SEQUENCE, der.encode_integer(1), scalar, parameters, public)
    if not bare:
        algorithm = der.encode(der.SEQUENCE, der.encode_object_identifier("1.2.840.10045.2.1"), curve)
        whole = der.encode(der.OCTET_STRING, data)
        data = der.encode(der.SEQUENCE, der.encode_integer(0), algorithm, whole)
    loaded = load_private_key(data)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.private_numbers() == key.private_numbers()


def test_an_inconsistent_rsa_key_is_refused() -> None:
    key = identity("rsa").key
    assert isinstance(key, rsa.RSAPrivateKey)
    good = key_bytes(key, Encoding.DER, PrivateFormat.TraditionalOpenSSL)
    exponent = key.private_numbers().d
    bad = good.replace(
        exponent.to_bytes((exponent.bit_length() + 7) // 8, "big"), b"\x01" * (len(hex(exponent)) // 2 - 1)
    )
    with pytest.raises(ContainerError):
        load_private_key(bad)


def test_identity_hides_its_key_and_knows_its_kind() -> None:
    own = make_identity(identity("mldsa65").certificate, identity("mldsa65").key, (b"chain",))
    assert own.key_type == "mldsa65"
    assert own.certificates == (identity("mldsa65").certificate, b"chain")
    assert "PrivateKey" not in repr(own)


def test_rsa_pss_keys_are_told_from_rsa_keys() -> None:
    certificate = identity("rsa").certificate
    info = public_key_info_of_certificate(certificate)
    assert (info.key_type, info.pss_hash) == ("rsa", None)
    sha256 = der.encode(der.SEQUENCE, der.encode_object_identifier("2.16.840.1.101.3.4.2.1"))
    parameters = der.encode(der.SEQUENCE, der.encode(0xA0, sha256))
    oid = der.encode_object_identifier("1.2.840.113549.1.1.10")
    plain = der.encode(der.SEQUENCE, der.encode_object_identifier("1.2.840.113549.1.1.1"), b"\x05\0")
    for pss, expected in (
        (der.encode(der.SEQUENCE, oid, parameters), "sha256"),
        (der.encode(der.SEQUENCE, oid), None),
    ):
        tbs = der.read(certificate).children()[0].children()
        spki = der.encode(der.SEQUENCE, pss, info.raw[info.raw.index(plain) + len(plain) :])
        body = der.encode(
            der.SEQUENCE, *(spki if each.encoding == info.raw else each.encoding for each in tbs)
        )
        forged = der.encode(
            der.SEQUENCE, body, *(each.encoding for each in der.read(certificate).children()[1:])
        )
        assert public_key_info_of_certificate(forged).key_type == "rsa_pss"
        assert public_key_info_of_certificate(forged).pss_hash == expected
        assert key_matches(identity("rsa").key, forged)


def test_work_is_limited_before_it_begins() -> None:
    salt = der.encode(der.OCTET_STRING, b"saltsalt")
    pbkdf2 = der.encode_object_identifier("1.2.840.113549.1.5.12")
    scrypt = der.encode_object_identifier("1.3.6.1.4.1.11591.4.11")
    endless = der.encode(der.SEQUENCE, pbkdf2, der.encode(der.SEQUENCE, salt, der.encode_integer(2**40)))
    with pytest.raises(ContainerError, match="rounds of key derivation"):
        limit_work(der.encode(der.SEQUENCE, der.encode(der.OCTET_STRING, endless)))
    memory = [der.encode_integer(number) for number in (2**30, 8, 1)]
    with pytest.raises(ContainerError, match="of memory"):
        limit_work(der.encode(der.SEQUENCE, scrypt, der.encode(der.SEQUENCE, salt, *memory)))
    limit_work(bundle())


def test_throwaway_authority() -> None:
    authority = Authority(NOW)
    own = authority.issue(["server.test", "::1"], "ed25519")
    assert subject_and_issuer(own.certificate)[1] == subject_and_issuer(authority.certificate)[0]
    certificate = x509.load_der_x509_certificate(own.certificate)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(authority.certificate))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["server.test"]
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_pem_blocks_keep_their_headers() -> None:
    text = encode_pem("X", b"abc", (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES"))).encode()
    (block,) = pem_blocks(text)
    assert block.encrypted
    assert block.data == b"abc"
    assert dict(block.headers)["DEK-Info"] == "AES"


def test_bytes_behind_a_certificate_in_its_block_are_left_out() -> None:
    own = identity().certificate
    assert load_certificates(encode_pem("CERTIFICATE", own + b"junk").encode()) == [own]
    assert load_certificates(encode_pem("CERTIFICATE", own[:-1]).encode()) == [own[:-1]]


SAMPLES: dict[str, Callable[[], bytes]] = {
    "pkcs12": bundle,
    "pkcs12-plain": lambda: bundle(PLAIN),
    "pkcs8": lambda: key_bytes(identity().key, Encoding.DER, PrivateFormat.PKCS8),
    "pkcs8-encrypted": lambda: key_bytes(identity().key, Encoding.DER, PrivateFormat.PKCS8, LOCKED),
    "rsa": lambda: key_bytes(identity("rsa").key, Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "encrypted-pem": lambda: key_bytes(
        identity().key, Encoding.PEM, PrivateFormat.TraditionalOpenSSL, LOCKED
    ),
    "certificate": lambda: identity().certificate,
    "dh": lambda: dh_numbers(2**255 - 19, 2),
    "crl": revocation_list,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_mutated_files_never_escape(name: str) -> None:
    dice = random.Random(f"containers {name}")
    original = SAMPLES[name]()
    for _ in range(150):
        data = bytearray(original)
        for _ in range(dice.randint(1, 4)):
            position = dice.randrange(len(data))
            match dice.randrange(4):
                case 0:
                    data[position] = dice.randrange(256)
                case 1:
                    data[position] ^= 1 << dice.randrange(8)
                case 2:
                    del data[position : position + dice.randint(1, 20)]
                case _:
                    data[position:position] = dice.randbytes(dice.randint(1, 5))
            data = data or bytearray(b"0")
        for load in (load_certificates, load_crls, load_dh_parameters, describe):
            try:
                load(bytes(data))
            except ContainerError:
                continue
        for secret in (None, SECRET):
            try:
                load_private_key(bytes(data), secret)
            except ContainerError:
                continue


@pytest.mark.parametrize("name", ["PanicException", "InternalError"])
def test_what_fails_in_the_librarys_depths_is_an_error_of_ours(name: str) -> None:
    failure = type(name, (BaseException,), {})

    def fail() -> None:
        raise failure

    with pytest.raises(ValueError, match="damaged"):
        without_panic(fail)


def test_other_failures_pass_through() -> None:
    def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        without_panic(fail)
