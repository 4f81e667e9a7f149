"""Private and public keys from bytes: every common container, and one clear sentence where one stays shut.

The library below decrypts and parses; this module finds out what is asked of it first, so that a wrong pass
phrase, a missing one, a cipher that nobody has any more and a damaged key are told apart, and so that a file
cannot make us work for hours (iteration counts are limited before any decryption starts).

Sources: RFC 5958 (PKCS#8), RFC 8018 (PBES), RFC 7914 §7 (scrypt), RFC 5915 (EC), RFC 8017 app. A.1.2 (RSA),
RFC 7292 (PKCS#12), RFC 4055 §1.2 (RSA-PSS), RFC 9881 (ML-DSA).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from handglass.records import dataclass

from . import der
from .container_errors import ContainerError, PassphraseNeededError, WrongPassphraseError
from .ec_keys import with_full_scalar
from .pem import PemBlock
from .traditional import decrypt_traditional

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    PrivateKey = PrivateKeyTypes
    PublicKey = PublicKeyTypes

T = TypeVar("T")
# The bytes of a pass phrase, or a function that asks for them and is called only when they are needed.
Passphrase = bytes | Callable[[], bytes] | None

MAX_ITERATIONS = 10_000_000
MAX_SCRYPT_MEMORY = 512 << 20
MAX_NESTING = 12

_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
_PBES1 = ("1.2.840.113549.1.5.", "1.2.840.113549.1.12.1.")
_PSS = "1.2.840.113549.1.1.10"
_KEY_TYPES = {
    "1.2.840.113549.1.1.1": "rsa",
    _PSS: "rsa_pss",
    "1.2.840.10045.2.1": "ec",
    "1.2.840.10040.4.1": "dsa",
    "1.2.840.113549.1.3.1": "dh",
    "1.2.840.10046.2.1": "dh",
    "1.3.101.110": "x25519",
    "1.3.101.111": "x448",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
    "2.16.840.1.101.3.4.3.17": "mldsa44",
    "2.16.840.1.101.3.4.3.18": "mldsa65",
    "2.16.840.1.101.3.4.3.19": "mldsa87",
    "1.2.643.7.1.1.1.1": "gost2012_256",
    "1.2.643.7.1.1.1.2": "gost2012_512",
}
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True, slots=True)
class PublicKeyInfo:
    """What a SubjectPublicKeyInfo says of its key, without loading it (RFC 5280 §4.1.2.7).

    `key_type` is in the words of the table of signature schemes ("rsa", "rsa_pss", "ec", "ed25519", "mldsa44"
    …), or the dotted object identifier where it is none that we know. `pss_hash` is the one hash that an
    RSA-PSS key allows.
    """

    algorithm: str
    key_type: str
    pss_hash: str | None
    raw: bytes
    key_bits: bytes


def read_public_key_info(spki: bytes) -> PublicKeyInfo:
    """Take a SubjectPublicKeyInfo apart. Raises `ContainerError`."""
    try:
        algorithm, key = der.read(spki).expect(der.SEQUENCE, "a public key").children()[:2]
        parts = algorithm.expect(der.SEQUENCE, "a public key's algorithm").children()
        oid = der.object_identifier(parts[0])
        pss_hash = pss_hash_of(parts[1:]) if oid == _PSS else None
        return PublicKeyInfo(oid, _KEY_TYPES.get(oid, oid), pss_hash, spki, der.bit_string(key))
    except (der.DerError, ValueError, IndexError) as problem:
        raise ContainerError(f"the public key cannot be read: {problem}") from None


def pss_hash_of(parameters: list[der.Element]) -> str | None:
    """Return the hash that RSASSA-PSS-params name (SHA-1 by default), None if the key allows every hash."""
    if not parameters or parameters[0].tag != der.SEQUENCE:
        return None
    for field in parameters[0].children():
        if field.tag == 0xA0:
            oid = der.object_identifier(field.children()[0].children()[0])
            return _HASHES.get(oid, oid)
    return "sha1"


def load_public_key(spki: bytes) -> PublicKey:
    """Return the key object of a SubjectPublicKeyInfo in DER. Raises `ContainerError`."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (lazy: costs 25 ms at start)

    from .public_keys import load_subject_public_key  # noqa: PLC0415 (lazy)

    try:
        return without_panic(lambda: load_subject_public_key(spki))
    except UnsupportedAlgorithm as problem:
        raise ContainerError(f"its public key is of a kind that is not supported: {problem}") from None
    except (ValueError, TypeError, OverflowError) as problem:
        raise ContainerError(f"its public key cannot be read: {_first_sentence(problem)}") from None


def load_der_key(data: bytes, passphrase: Passphrase, *, encrypted: bool) -> PrivateKey:
    """Return the private key of a PKCS#8, encrypted PKCS#8 or traditional RSA, DSA or EC structure in DER."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415 (lazy)

    secret = _secret(passphrase, data) if encrypted else None
    if not encrypted:
        data = with_full_scalar(data)
    return _load(
        lambda: load_der_private_key(data, secret, unsafe_skip_rsa_key_validation=True), encrypted=encrypted
    )


def load_encrypted_pem_key(block: PemBlock, passphrase: Passphrase) -> PrivateKey:
    """Return the private key of a traditional PEM block with "Proc-Type: 4,ENCRYPTED"."""
    secret = _secret(passphrase, b"")
    data = decrypt_traditional(block.data, dict(block.headers).get("DEK-Info", ""), secret)
    try:
        return load_der_key(data, None, encrypted=False)
    except ContainerError:
        # One padding in 256 looks right by chance.
        raise WrongPassphraseError("the pass phrase does not open the private key") from None


def _secret(passphrase: Passphrase, data: bytes) -> bytes:
    """Return the pass phrase, asked for if need be, once it is known that trying it costs a bounded time."""
    limit_work(data)
    secret = passphrase() if callable(passphrase) else passphrase
    if not secret:
        raise PassphraseNeededError("the private key is encrypted and no pass phrase was given")
    return secret


def _load(load: Callable[[], PrivateKey], *, encrypted: bool = False) -> PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (lazy)

    try:
        key = without_panic(load)
    except UnsupportedAlgorithm as problem:
        raise ContainerError(f"the private key is of a kind that is not supported: {problem}") from None
    except (ValueError, TypeError, OverflowError) as problem:
        if "password" in str(problem).lower():
            raise WrongPassphraseError("the pass phrase does not open the private key") from None
        if encrypted:  # one padding in 256 looks right by chance
            raise WrongPassphraseError(
                "the pass phrase does not open the private key (or it is damaged)"
            ) from None
        raise ContainerError(f"the private key cannot be read: {_first_sentence(problem)}") from None
    _check_rsa(key)
    return key


def without_panic(load: Callable[[], T]) -> T:
    """Call into the library; what fails unforeseen in its depths becomes a `ValueError`.

    Seen for damaged parameters of password-based encryption. The type of a panic can be imported from nowhere.
    """
    try:
        return load()
    except BaseException as problem:
        if type(problem).__name__ in {"PanicException", "InternalError"}:
            raise ValueError("damaged") from None
        raise


def _check_rsa(key: PrivateKey) -> None:
    """Check that the parts of an RSA key belong together; the library's own check takes 35 ms for a key."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 (lazy)

    if not isinstance(key, rsa.RSAPrivateKey):
        return
    numbers = key.private_numbers()
    public = numbers.public_numbers
    if numbers.p * numbers.q != public.n or any(
        (numbers.d * public.e - 1) % (prime - 1) for prime in (numbers.p, numbers.q)
    ):
        raise ContainerError("the parts of the RSA private key do not belong together")


def _first_sentence(problem: BaseException) -> str:
    return str(problem).split(". ")[0].split(" (")[0].rstrip(".")[:200] or type(problem).__name__


def key_type_of(key: PrivateKey | PublicKey) -> str:
    """Return the kind of a key object ("rsa", "ec", "ed25519", "mldsa65" …); an RSA-PSS key is "rsa" here."""
    name = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lower()
    return {"ellipticcurve": "ec", "_ellipticcurve": "ec"}.get(name, name)


def limit_work(data: bytes) -> None:
    """Refuse key derivation parameters that would keep us busy for hours. Raises `ContainerError`."""
    total = sum(_iterations(data, 0))
    if total > MAX_ITERATIONS:
        raise ContainerError(
            f"opening it would take {total:,} rounds of key derivation; the limit is {MAX_ITERATIONS:,}"
        )


def _iterations(data: bytes, depth: int) -> Iterator[int]:
    """Yield every iteration count in key derivation parameters or a PKCS#12 MAC, however nested."""
    if depth > MAX_NESTING:
        return
    try:
        children = list(der.read_all(data))
    except der.DerError:
        return
    tags = tuple(child.tag for child in children)
    if tags[:2] == (der.OID, der.SEQUENCE):
        yield from _algorithm_cost(children)
    if tags == (der.SEQUENCE, der.OCTET_STRING, der.INTEGER):  # MacData of RFC 7292 §4
        yield abs(der.integer(children[2]))
    for child in children:
        if child.constructed or child.tag == der.OCTET_STRING:
            yield from _iterations(child.content, depth + 1)


def _algorithm_cost(children: list[der.Element]) -> Iterator[int]:
    """Yield the rounds that one AlgorithmIdentifier asks for, if it is that of a key derivation."""
    try:
        oid = der.object_identifier(children[0])
        parameters = children[1].children()
        numbers = [der.integer(item) for item in parameters if item.tag == der.INTEGER]
    except der.DerError:
        return
    if oid == _SCRYPT and len(numbers) >= 3:
        cost, block, parallel = numbers[:3]
        if cost * block * 128 > MAX_SCRYPT_MEMORY:
            raise ContainerError(f"opening it would take {cost * block * 128 >> 20:,} MiB of memory (scrypt)")
        yield cost * block * parallel // 4
    elif oid == _PBKDF2 or oid.startswith(_PBES1):
        yield from (abs(number) for number in numbers[:1])
