"""Signatures by signature scheme, on the library's key objects.

The registry's table says what a scheme consists of; here each kind of key has its way of signing and
verifying. A key object does not say that its certificate named RSASSA-PSS instead of plain RSA, so
`schemes_for` takes that fact from whoever read the certificate (`PublicKeyInfo.key_type`).

With a source of randomness that is not the system's, signatures are made from it alone, so that a run
can be replayed: ECDSA then takes its nonce from key and message (RFC 6979), PSS its salt from the
source, and the RSA computation is a plain `pow`. ML-DSA and DSA stay random: the library offers no way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

from handglass.registry.code_points import NamedGroup, SignatureScheme
from handglass.registry.signatures import FACTS, SchemeFacts

from .entropy import SYSTEM_ENTROPY, Entropy
from .errors import BadSignature, Missing
from .hashes import digest
from .rsa import private_operation, pss_encode

PrivateKey = PrivateKeyTypes
PublicKey = PublicKeyTypes


def sign(scheme: int, key: PrivateKey, data: bytes, entropy: Entropy = SYSTEM_ENTROPY) -> bytes:
    """Sign `data` (the message, not its hash).

    Raises Missing for a scheme that is not supported and ValueError for a key that cannot make it:
    one that `schemes_for` would not list it for.
    """
    facts = _facts(scheme)
    if key_type(key) not in _same_key(facts.key_type):
        raise ValueError(f"a key of type {key_type(key)} cannot sign {facts.scheme.name}")
    if isinstance(key, rsa.RSAPrivateKey):
        return _sign_rsa(facts, key, data, entropy)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(_HASHES[facts.hash], entropy is not SYSTEM_ENTROPY))
    if isinstance(key, dsa.DSAPrivateKey):
        return key.sign(data, _HASHES[facts.hash])
    if isinstance(key, _WHOLE_PRIVATE):
        return key.sign(data)
    raise ValueError(f"a key of type {key_type(key)} cannot sign")


def verify(scheme: int, key: PublicKey, data: bytes, signature: bytes) -> None:
    """Check a signature of `data`. Raises BadSignature, whatever is wrong with it, and Missing.

    Whether the scheme fits the key's certificate and curve is `schemes_for`'s to say; here a key
    of the wrong type is a bad signature too.
    """
    facts = _facts(scheme)
    try:
        if key_type(key) not in _same_key(facts.key_type):
            raise BadSignature(f"a key of type {key_type(key)} cannot have signed {facts.scheme.name}")
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, _rsa_padding(facts), _HASHES[facts.hash])
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(_HASHES[facts.hash]))
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(signature, data, _HASHES[facts.hash])
        elif isinstance(key, _WHOLE_PUBLIC):
            key.verify(signature, data)
        else:
            raise BadSignature(f"a key of type {key_type(key)} makes no signatures")
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(f"the {facts.scheme.name} signature does not match") from error
    except UnsupportedAlgorithm as error:
        raise Missing(f"the installed cryptography library cannot verify {facts.scheme.name}") from error


def sign_legacy(key: PrivateKey, data: bytes, entropy: Entropy = SYSTEM_ENTROPY) -> bytes:
    """Sign as before TLS 1.2: RSA signs MD5 and SHA-1 side by side, DSA and ECDSA sign SHA-1.

    RFC 4346 §7.4.3, RFC 8422 §5.10. Raises ValueError for any other key.
    """
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest("md5-sha1", data), padding.PKCS1v15(), NoDigestInfo())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA1(), entropy is not SYSTEM_ENTROPY))
    if isinstance(key, dsa.DSAPrivateKey):
        return key.sign(data, hashes.SHA1())
    raise ValueError(f"a key of type {key_type(key)} cannot sign before TLS 1.2")


def verify_legacy(key: PublicKey, data: bytes, signature: bytes) -> None:
    """Check a signature made as by `sign_legacy`. Raises BadSignature."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            # The annotation leaves out what the library takes and documents.
            algorithm: Any = NoDigestInfo()
            key.verify(signature, digest("md5-sha1", data), padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashes.SHA1()))
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(signature, data, hashes.SHA1())
        else:
            raise BadSignature(f"a key of type {key_type(key)} makes no signatures before TLS 1.2")
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the signature does not match") from error


def schemes_for(
    key: PrivateKey | PublicKey,
    *,
    key_type_named: str | None = None,
    pss_hash: str | None = None,
    curve_bound: bool = True,
) -> tuple[SignatureScheme, ...]:
    """List the schemes that this key can sign or verify with, in the registry's order of preference.

    `key_type_named` is the type that the certificate gives the key where it matters: `rsa_pss` for
    id-RSASSA-PSS, which the key object does not tell from `rsa`; `pss_hash` the one hash that its
    parameters allow. With `curve_bound` an ECDSA scheme needs its own curve, as in TLS 1.3 (RFC 8446
    §4.2.3); without, any curve does, as in TLS 1.2 (RFC 8422 §5.1.3). RSA keys too small for a
    scheme's hash and padding are left out.
    """
    rsa_bits = key.key_size if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) else 0
    return _schemes(key_type_named or key_type(key), pss_hash, rsa_bits, curve_of(key), curve_bound)


@lru_cache(maxsize=64)
def _schemes(
    kind: str, pss_hash: str | None, rsa_bits: int, curve: NamedGroup | None, curve_bound: bool
) -> tuple[SignatureScheme, ...]:
    """Answer `schemes_for` from what matters of the key; servers ask the same for each connection."""
    return tuple(
        facts.scheme
        for facts in FACTS.values()
        if facts.key_type == kind
        and (pss_hash is None or facts.hash == pss_hash)
        and (facts.key_type != "ec" or _fits_curve(facts, curve, curve_bound=curve_bound))
        and (not rsa_bits or _fits_size(facts, rsa_bits))
    )


def probe(scheme: int) -> None:
    """Try whether the library has the scheme's kind of key. Raises Missing or UnsupportedAlgorithm."""
    make = _GENERATORS.get(_facts(scheme).key_type)
    if make is not None:
        make()


def key_type(key: PrivateKey | PublicKey) -> str:
    """Name the key's type in the registry's words (rsa, ec, ed25519, mldsa44…), else its class's name."""
    for kind, classes in _CLASSES:
        if isinstance(key, classes):
            return kind
    name = type(key).__name__.lower()
    return name.removesuffix("privatekey").removesuffix("publickey")


def curve_of(key: PrivateKey | PublicKey) -> NamedGroup | None:
    """Name the curve of an EC key by its TLS 1.2 code point; None for another key or curve."""
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name)
    return None


def _fits_size(facts: SchemeFacts, bits: int) -> bool:
    """Tell whether an RSA modulus of `bits` bits has room for the scheme's hash and padding."""
    size = _HASHES[facts.hash].digest_size
    # RFC 8017 §9.1.1: emLen >= hLen + sLen + 2, of one bit less than the modulus;
    # §9.2: emLen >= tLen + 11, where the DigestInfo adds at most 19 bytes to the hash.
    if facts.padding == "pss":
        return (bits + 6) // 8 >= 2 * size + 2
    return (bits + 7) // 8 >= size + 19 + 11


def _fits_curve(facts: SchemeFacts, curve: NamedGroup | None, *, curve_bound: bool) -> bool:
    if not curve_bound:
        return facts.tls12_allowed
    return facts.curve is None or _TLS12_TWIN.get(facts.curve, facts.curve) == curve


def _sign_rsa(facts: SchemeFacts, key: rsa.RSAPrivateKey, data: bytes, entropy: Entropy) -> bytes:
    if facts.padding == "pss" and entropy is not SYSTEM_ENTROPY:
        salt = entropy(_HASHES[facts.hash].digest_size)
        return private_operation(
            key, pss_encode(facts.hash, digest(facts.hash, data), salt, key.key_size - 1)
        )
    return key.sign(data, _rsa_padding(facts), _HASHES[facts.hash])


def _rsa_padding(facts: SchemeFacts) -> padding.PKCS1v15 | padding.PSS:
    """Give the padding; PSS always has a salt as long as the hash (RFC 8446 §4.2.3)."""
    if facts.padding == "pkcs1":
        return padding.PKCS1v15()
    algorithm = _HASHES[facts.hash]
    return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


def _facts(scheme: int) -> SchemeFacts:
    facts = FACTS.get(scheme)
    if facts is None:
        raise Missing(f"the signature scheme {SignatureScheme(scheme).name} is not supported")
    return facts


def _same_key(kind: str) -> tuple[str, ...]:
    """Say which key objects serve a scheme for `kind`: RSASSA-PSS keys are RSA objects to the library."""
    return ("rsa",) if kind == "rsa_pss" else (kind,)


# Keys whose algorithm takes the message whole.
_WHOLE_PRIVATE = (
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    mldsa.MLDSA44PrivateKey,
    mldsa.MLDSA65PrivateKey,
    mldsa.MLDSA87PrivateKey,
)
_WHOLE_PUBLIC = (
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
)

# Kinds of key that a build of the library may lack; it always has the others.
_GENERATORS: dict[str, Callable[[], object]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "mldsa44": mldsa.MLDSA44PrivateKey.generate,
    "mldsa65": mldsa.MLDSA65PrivateKey.generate,
    "mldsa87": mldsa.MLDSA87PrivateKey.generate,
}

_CLASSES: tuple[tuple[str, tuple[type, type]], ...] = (
    ("ec", (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)),
    ("rsa", (rsa.RSAPrivateKey, rsa.RSAPublicKey)),
    ("ed25519", (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey)),
    ("ed448", (ed448.Ed448PrivateKey, ed448.Ed448PublicKey)),
    ("mldsa44", (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey)),
    ("mldsa65", (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey)),
    ("mldsa87", (mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey)),
    ("dsa", (dsa.DSAPrivateKey, dsa.DSAPublicKey)),
)

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}

_CURVES: dict[str, NamedGroup] = {
    "secp256r1": NamedGroup.SECP256R1,
    "secp384r1": NamedGroup.SECP384R1,
    "secp521r1": NamedGroup.SECP521R1,
    "secp256k1": NamedGroup.SECP256K1,
    "secp224r1": NamedGroup.SECP224R1,
    "secp192r1": NamedGroup.SECP192R1,
    "brainpoolP256r1": NamedGroup.BRAINPOOLP256R1,
    "brainpoolP384r1": NamedGroup.BRAINPOOLP384R1,
    "brainpoolP512r1": NamedGroup.BRAINPOOLP512R1,
}

# The brainpool curves have two code points each (RFC 7027, RFC 8734).
_TLS12_TWIN: dict[NamedGroup, NamedGroup] = {
    NamedGroup.BRAINPOOLP256R1TLS13: NamedGroup.BRAINPOOLP256R1,
    NamedGroup.BRAINPOOLP384R1TLS13: NamedGroup.BRAINPOOLP384R1,
    NamedGroup.BRAINPOOLP512R1TLS13: NamedGroup.BRAINPOOLP512R1,
}
