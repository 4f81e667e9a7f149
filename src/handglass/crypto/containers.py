"""Bytes to certificates, keys, revocation lists and parameters: whatever form they came in.

Without a form the content decides: PEM wherever a block is found, else DER, PKCS#12 told from the rest by its
shape. With a form ("PEM", "DER", "P12") that form alone counts. A function takes what it was asked for and
passes over the rest; if that leaves nothing, its `ContainerError` says what is there instead. No certificate
is parsed here beyond its outer shape: judging damaged ones is the business of `verify`.

Sources: RFC 7468 (PEM), RFC 7292 (PKCS#12), RFC 5652 §5.1 (PKCS#7), PKCS #3 and RFC 3279 §2.3.3 (DH
parameters); the auxiliary data of "TRUSTED CERTIFICATE" is OpenSSL's own (x509(1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from handglass.records import dataclass, field

from . import der
from .container_errors import ContainerError, PassphraseNeededError, WrongPassphraseError
from .pem import encode_pem
from .private_keys import (
    Passphrase,
    PublicKeyInfo,
    limit_work,
    load_der_key,
    load_encrypted_pem_key,
    load_public_key,
    read_public_key_info,
    without_panic,
)
from .shapes import LABELS, Kind, Part, der_parts, describe, describe_parts, pem_parts

if TYPE_CHECKING:
    from .private_keys import PrivateKey, PublicKey

__all__ = [
    "CertificateEntry",
    "ContainerError",
    "DhParameters",
    "Form",
    "Passphrase",
    "PassphraseNeededError",
    "Pkcs12",
    "PublicKeyInfo",
    "WrongPassphraseError",
    "certificates_to_pem",
    "describe",
    "key_matches",
    "load_certificate_entries",
    "load_certificates",
    "load_crls",
    "load_dh_parameters",
    "load_pkcs12",
    "load_private_key",
    "load_public_keys",
    "public_key_info_of_certificate",
    "public_key_of_certificate",
    "subject_and_issuer",
]

Form = Literal["PEM", "DER", "P12"]
_CERTIFICATES = {Kind.CERTIFICATE, Kind.TRUSTED_CERTIFICATE}
_SIGNED_DATA = "1.2.840.113549.1.7.2"


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate (DER) and what a "TRUSTED CERTIFICATE" says beside it.

    `trusted` and `rejected` are the dotted purposes (extended key usages) that the file's owner allows or
    forbids it as an anchor; None where nothing is said, which is the ordinary case.
    """

    certificate: bytes
    trusted: tuple[str, ...] | None = None
    rejected: tuple[str, ...] | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Pkcs12:
    """What a PKCS#12 file holds: the key, its certificate, and all others in their order (DER)."""

    key: PrivateKey | None = field(repr=False)
    certificate: bytes | None
    others: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DhParameters:
    """A finite-field Diffie-Hellman group: prime, generator, and the order where the file names it."""

    p: int
    g: int
    q: int | None = None


def load_certificates(data: bytes, form: Form | None = None, passphrase: Passphrase = None) -> list[bytes]:
    """Return every certificate (DER) of a file, in its order. Raises `ContainerError` if there is none."""
    return [entry.certificate for entry in load_certificate_entries(data, form, passphrase)]


def load_certificate_entries(
    data: bytes, form: Form | None = None, passphrase: Passphrase = None
) -> list[CertificateEntry]:
    """Return every certificate of a file with its auxiliary trust data; `ContainerError` if there is none.

    PEM blocks in any order with text around, one or more DER certificates, PKCS#7 and PKCS#12 are understood.
    """
    parts = _parts(data, form)
    entries: list[CertificateEntry] = []
    for part in parts:
        if part.kind is Kind.CERTIFICATE:
            entries.append(CertificateEntry(_first_value(part.data)))
        elif part.block is not None and part.block.problem and LABELS.get(part.block.label) in _CERTIFICATES:
            raise ContainerError(part.block.problem)
        elif part.kind is Kind.TRUSTED_CERTIFICATE:
            entries.append(_trusted_certificate(part.data))
        elif part.kind is Kind.PKCS7:
            entries += map(CertificateEntry, _pkcs7_members(part.data, 0xA0))
        elif part.kind is Kind.PKCS12:
            bundle = load_pkcs12(part.data, passphrase)
            own = () if bundle.certificate is None else (bundle.certificate,)
            entries += map(CertificateEntry, (*own, *bundle.others))
    if not entries:
        raise _nothing("certificate", parts, data, form)
    return entries


def load_private_key(data: bytes, passphrase: Passphrase = None, form: Form | None = None) -> PrivateKey:
    """Return the first private key of a file.

    PKCS#8 plain and encrypted, traditional RSA, EC and DSA (PEM also encrypted) and PKCS#12 are understood.
    Raises `WrongPassphraseError`, `PassphraseNeededError` or another `ContainerError`.
    """
    parts = _parts(data, form)
    for part in parts:
        if part.kind is Kind.PRIVATE_KEY and part.block is not None and part.block.encrypted:
            return load_encrypted_pem_key(part.block, passphrase)
        if part.kind in {Kind.PRIVATE_KEY, Kind.ENCRYPTED_PRIVATE_KEY}:
            return load_der_key(part.data, passphrase, encrypted=part.kind is Kind.ENCRYPTED_PRIVATE_KEY)
        if part.kind is Kind.PKCS12:
            key = load_pkcs12(part.data, passphrase).key
            if key is None:
                raise ContainerError("there is no private key in the PKCS#12 file, only certificates")
            return key
    raise _nothing("private key", parts, data, form)


def load_public_keys(data: bytes) -> list[bytes]:
    """Return every public key of a file, each once, as SubjectPublicKeyInfo in DER; `ContainerError` if there is none.

    The keys of certificates count; only if there is nothing else, a private key stands for its public one.
    """
    parts = _parts(data, None)
    keys = [read_public_key_info(part.data).raw for part in parts if part.kind is Kind.PUBLIC_KEY]
    keys += [public_key_info_of_certificate(part.data).raw for part in parts if part.kind is Kind.CERTIFICATE]
    if not keys and any(part.kind is Kind.PRIVATE_KEY for part in parts):
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 (lazy)

        public = load_private_key(data).public_key()
        keys = [public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
    if not keys:
        raise _nothing("public key", parts, data, None)
    return list(dict.fromkeys(keys))


def load_crls(data: bytes, form: Form | None = None) -> list[bytes]:
    """Return every certificate revocation list (DER) of a file. Raises `ContainerError` if there is none."""
    parts = _parts(data, form)
    lists = [part.data for part in parts if part.kind is Kind.REVOCATION_LIST]
    for part in parts:
        if part.kind is Kind.PKCS7:
            lists += _pkcs7_members(part.data, 0xA1)
    if not lists:
        raise _nothing("certificate revocation list", parts, data, form)
    return lists


def load_dh_parameters(data: bytes, form: Form | None = None) -> DhParameters:
    """Return the first set of DH parameters of a file. Raises `ContainerError` if there is none."""
    parts = _parts(data, form)
    for part in parts:
        if part.kind is Kind.DH_PARAMETERS:
            return _dh_parameters(part)
    raise _nothing("set of DH parameters", parts, data, form)


def load_pkcs12(data: bytes, passphrase: Passphrase = None) -> Pkcs12:
    """Open a PKCS#12 file; the empty and the absent pass phrase are tried before one is asked for.

    Raises `WrongPassphraseError`, `PassphraseNeededError` or another `ContainerError`.
    """
    limit_work(data)
    try:
        return _open_pkcs12(data, None)
    except WrongPassphraseError:
        secret = passphrase() if callable(passphrase) else passphrase
        if not secret:
            raise PassphraseNeededError(
                "the PKCS#12 file is encrypted and no pass phrase was given"
            ) from None
    return _open_pkcs12(data, secret)


def _open_pkcs12(data: bytes, secret: bytes | None) -> Pkcs12:
    import warnings  # noqa: PLC0415 (lazy)

    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (lazy: costs 50 ms at start)
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12  # noqa: PLC0415 (lazy)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the library's parser: BER, negative serial numbers
            bundle = without_panic(lambda: pkcs12.load_pkcs12(data, secret))
            own = None if bundle.cert is None else bundle.cert.certificate.public_bytes(Encoding.DER)
            others = tuple(each.certificate.public_bytes(Encoding.DER) for each in bundle.additional_certs)
    except UnsupportedAlgorithm as problem:
        raise ContainerError(f"the PKCS#12 file uses what is not supported: {problem}") from None
    except (ValueError, TypeError, OverflowError) as problem:
        if "password" in str(problem).lower():
            raise WrongPassphraseError(
                "the pass phrase does not open the PKCS#12 file (or it is damaged)"
            ) from None
        raise ContainerError(f"the PKCS#12 file cannot be read: {problem}") from None
    return Pkcs12(bundle.key, own, others)


def public_key_of_certificate(certificate: bytes) -> PublicKey:
    """Return the key object of a certificate (DER). Raises `ContainerError`."""
    return load_public_key(public_key_info_of_certificate(certificate).raw)


def public_key_info_of_certificate(certificate: bytes) -> PublicKeyInfo:
    """Return what a certificate (DER) says of its public key, without loading it. Raises `ContainerError`."""
    return read_public_key_info(_certificate_fields(certificate)[5].encoding)


def subject_and_issuer(certificate: bytes) -> tuple[bytes, bytes]:
    """Return the DER of a certificate's subject and issuer names. Raises `ContainerError`."""
    fields = _certificate_fields(certificate)
    return fields[4].encoding, fields[2].encoding


def _certificate_fields(certificate: bytes) -> list[der.Element]:
    """Return serial, signature, issuer, validity, subject, public key and the rest (RFC 5280 §4.1)."""
    try:
        parts = der.read(certificate).expect(der.SEQUENCE, "a certificate").children()
        fields = parts[0].children() if parts else []
    except der.DerError as problem:
        raise ContainerError(f"the certificate cannot be read: {problem}") from None
    if fields and fields[0].tag == 0xA0:
        del fields[0]
    if len(fields) < 6:
        raise ContainerError("the certificate cannot be read: fields are missing")
    return fields


def key_matches(private: PrivateKey, certificate: bytes) -> bool:
    """Tell whether a private key belongs to a certificate (DER). `ContainerError` if that is damaged."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 (lazy)

    info = public_key_info_of_certificate(certificate)
    public = private.public_key()
    # An RSA-PSS key's SubjectPublicKeyInfo differs from that of the same key named as plain RSA; a compressed
    # EC point differs from the same point uncompressed. So unequal bytes are compared as keys.
    if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == info.raw:
        return True
    return public == load_public_key(info.raw)


def certificates_to_pem(certificates: Sequence[bytes]) -> str:
    """Return certificates (DER) as PEM, one block after the other."""
    return "".join(encode_pem("CERTIFICATE", certificate) for certificate in certificates)


def _parts(data: bytes, form: Form | None) -> list[Part]:
    """Return the pieces of a file, of the one form that is asked for or of the one that it has."""
    if form == "PEM":
        return pem_parts(data)
    if form is None:
        return pem_parts(data) or der_parts(data)
    parts = der_parts(data)
    return [part for part in parts if (part.kind is Kind.PKCS12) == (form == "P12")]


def _nothing(wanted: str, parts: list[Part], data: bytes, form: Form | None) -> ContainerError:
    """Say that `wanted` is missing and what is there instead."""
    for part in parts:
        if part.block is not None and part.block.problem:
            return ContainerError(part.block.problem)
    others = _parts(data, None)
    if form is not None and others:
        actual = "PEM" if others[0].block else "P12" if others[0].kind is Kind.PKCS12 else "DER"
        if actual != form:
            found = describe_parts(others)
            shown = f"it is {found}" if actual == "P12" else f"it is {actual} with {found}"
            return ContainerError(f"{'PKCS#12' if form == 'P12' else form} was asked for, but {shown}")
    if parts:
        return ContainerError(f"there is no {wanted} in it, only {describe_parts(parts)}")
    return ContainerError(f"there is no {wanted} in it: it holds {describe(data)}")


def _first_value(data: bytes) -> bytes:
    """Leave out what follows the certificate in its PEM block, as every other program does; damage stays as it is."""
    try:
        return der.read(data).encoding
    except der.DerError:
        return data


def _trusted_certificate(data: bytes) -> CertificateEntry:
    """Split a "TRUSTED CERTIFICATE": the certificate, then perhaps OpenSSL's auxiliary data."""
    try:
        certificate = der.read(data).encoding
        if len(certificate) == len(data):
            return CertificateEntry(certificate)
        trusted: tuple[str, ...] | None = None
        rejected: tuple[str, ...] = ()
        alias = None
        for item in der.read_whole(data[len(certificate) :]).expect(der.SEQUENCE, "trust data").children():
            if item.tag == der.SEQUENCE:
                trusted = tuple(map(der.object_identifier, item.children()))
            elif item.tag == 0xA0:
                rejected = tuple(map(der.object_identifier, item.children()))
            elif item.tag == der.UTF8_STRING:
                alias = item.content.decode("utf-8", "replace")
    except der.DerError as problem:
        raise ContainerError(f"the TRUSTED CERTIFICATE cannot be read: {problem}") from None
    return CertificateEntry(certificate, trusted, rejected, alias)


def _pkcs7_members(data: bytes, tag: int) -> list[bytes]:
    """Return the certificates (tag 0xA0) or revocation lists (0xA1) of a SignedData (RFC 5652 §5.1)."""
    try:
        kind, wrapped = der.read(data).expect(der.SEQUENCE, "a PKCS#7 message").children()[:2]
        if der.object_identifier(kind) != _SIGNED_DATA:
            return []
        for member in wrapped.children()[0].children()[2:]:
            if member.tag == tag:
                return [each.encoding for each in member.children() if each.tag == der.SEQUENCE]
    except (ValueError, IndexError) as problem:
        detail = problem if isinstance(problem, der.DerError) else "parts are missing"
        raise ContainerError(f"the PKCS#7 message cannot be read: {detail}") from None
    return []


def _dh_parameters(part: Part) -> DhParameters:
    """Read PKCS #3 parameters (p, g, private length) or X9.42 ones (p, g, q)."""
    try:
        numbers = [der.integer(item) for item in der.read(part.data).children() if item.tag == der.INTEGER]
    except der.DerError as problem:
        raise ContainerError(f"the DH parameters cannot be read: {problem}") from None
    if len(numbers) < 2 or numbers[0] < 5 or not 1 < numbers[1] < numbers[0] or numbers[0] % 2 == 0:
        raise ContainerError("the DH parameters hold no prime and generator")
    if numbers[0].bit_length() > 16384:
        raise ContainerError(f"the DH parameters have {numbers[0].bit_length()} bits; the limit is 16384")
    # The third number is the order only if it is nearly as long as a subgroup must be; PKCS #3 has a bit
    # count there.
    order = numbers[2] if len(numbers) > 2 and numbers[2].bit_length() >= 128 else None
    return DhParameters(numbers[0], numbers[1], order)
