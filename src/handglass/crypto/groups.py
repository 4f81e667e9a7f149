"""Key exchange groups by code point: one row for each, one interface for Diffie-Hellman and KEMs.

The side that speaks first makes a `KeyShare` with `generate`, sends its `public` and later gives the
answer to `exchange`. The side that answers calls `respond` once. For Diffie-Hellman the two are the
same computation; for a KEM (and the hybrids, which are one of each) they are not. TLS 1.2 servers,
which speak first, use `generate` too; groups with a KEM exist only in TLS 1.3.

With `SYSTEM_ENTROPY` keys come from the library's generators; with any other source they are built
from its bytes, so that a run can be replayed. One thing cannot: the library draws the randomness of an
ML-KEM encapsulation itself, so an answer to a KEM share differs from run to run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x448, x25519

from handglass.records import dataclass, field
from handglass.registry.code_points import NamedGroup

from . import finite_field
from .entropy import SYSTEM_ENTROPY, Entropy
from .errors import BadPublic, Missing


@dataclass(frozen=True, slots=True)
class KeyShare:
    """Our half of an exchange that has not been answered yet. `public` is what goes on the wire."""

    group: NamedGroup
    public: bytes
    _exchange: Callable[[bytes], bytes] = field(repr=False)

    def exchange(self, peer: bytes | memoryview) -> bytes:
        """Give the shared secret, from the peer's key share. Raises BadPublic if that is no good.

        What is checked: the length, that the point is on the curve and uncompressed (RFC 8446
        §4.2.8.2), that a Diffie-Hellman value is in range (§4.2.8.1), that the secret of X25519
        or X448 is not all zero (§7.4.2). The secret of a finite field group keeps its leading
        zeros, as TLS 1.3 wants; TLS 1.2's DHE goes through `finite_field` itself.
        """
        return self._exchange(bytes(peer))


def generate(group: int, entropy: Entropy = SYSTEM_ENTROPY) -> KeyShare:
    """Make a key share. Raises Missing for a group that is not in `supported()`."""
    public, exchange = _methods(group).generate(entropy)
    return KeyShare(NamedGroup(group), public, exchange)


def respond(group: int, peer: bytes | memoryview, entropy: Entropy = SYSTEM_ENTROPY) -> tuple[bytes, bytes]:
    """Answer a peer's key share: our public value and the shared secret.

    Raises Missing for a group that is not in `supported()`, and BadPublic as `KeyShare.exchange` does.
    """
    return _methods(group).respond(bytes(peer), entropy)


def supported() -> tuple[NamedGroup, ...]:
    """List the groups that this module has code for; `capabilities` says whether the library does too."""
    return tuple(_GROUPS)


def share_size(group: int, *, answer: bool = False) -> int:
    """Give the size in bytes of the group's key share: the first one, or the answer to it."""
    methods = _methods(group)
    return methods.answer_size if answer else methods.share_size


Half = tuple[bytes, Callable[[bytes], bytes]]


class Methods(Protocol):
    """What a kind of group can do."""

    @property
    def share_size(self) -> int:
        """Bytes of a first key share."""

    @property
    def answer_size(self) -> int:
        """Bytes of the answer."""

    def generate(self, entropy: Entropy) -> Half:
        """Make a first share: the public value, and the function from the answer to the secret."""

    def respond(self, peer: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        """Answer a first share: the public value and the secret."""


def _methods(group: int) -> Methods:
    methods = _GROUPS.get(NamedGroup(group))
    if methods is None:
        raise Missing(f"the group {NamedGroup(group).name} is not supported")
    return methods


Answer = TypeVar("Answer")


def _available(name: str, make: Callable[[], Answer]) -> Answer:
    try:
        return make()
    except UnsupportedAlgorithm as error:
        raise Missing(f"the installed cryptography library has no {name}") from error


def _check_size(what: str, peer: bytes, size: int) -> None:
    if len(peer) != size:
        raise BadPublic(f"{what} key share of {len(peer)} bytes, not {size}")


class _Symmetric:
    """Diffie-Hellman: who answers does the same as who asks."""

    share_size: int

    @property
    def answer_size(self) -> int:
        return self.share_size

    def generate(self, entropy: Entropy) -> Half:
        raise NotImplementedError

    def respond(self, peer: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        public, exchange = self.generate(entropy)
        return public, exchange(peer)


class _X25519(_Symmetric):
    """RFC 7748 §5; its private key is 32 bytes as they come."""

    share_size = 32

    def generate(self, entropy: Entropy) -> Half:
        if entropy is SYSTEM_ENTROPY:
            key = _available("X25519", x25519.X25519PrivateKey.generate)
        else:
            key = x25519.X25519PrivateKey.from_private_bytes(entropy(32))

        def exchange(peer: bytes) -> bytes:
            _check_size("an X25519", peer, 32)
            try:
                return key.exchange(x25519.X25519PublicKey.from_public_bytes(peer))
            except ValueError as error:  # the library refuses an all-zero secret itself
                raise BadPublic("the X25519 secret would be all zero") from error

        return key.public_key().public_bytes_raw(), exchange


class _X448(_Symmetric):
    """RFC 7748 §5; its private key is 56 bytes as they come."""

    share_size = 56

    def generate(self, entropy: Entropy) -> Half:
        if entropy is SYSTEM_ENTROPY:
            key = _available("X448", x448.X448PrivateKey.generate)
        else:
            key = x448.X448PrivateKey.from_private_bytes(entropy(56))

        def exchange(peer: bytes) -> bytes:
            _check_size("an X448", peer, 56)
            try:
                return key.exchange(x448.X448PublicKey.from_public_bytes(peer))
            except ValueError as error:
                raise BadPublic("the X448 secret would be all zero") from error

        return key.public_key().public_bytes_raw(), exchange


class _Curve(_Symmetric):
    """A short Weierstrass curve; shares are uncompressed points (RFC 8446 §4.2.8.2, RFC 8422 §5.4.1)."""

    def __init__(self, curve: ec.EllipticCurve) -> None:
        self._curve = curve
        self._scalar_size = (curve.key_size + 7) // 8
        self.share_size = 1 + 2 * self._scalar_size

    def generate(self, entropy: Entropy) -> Half:
        name = self._curve.name
        if entropy is SYSTEM_ENTROPY:
            key = _available(name, lambda: ec.generate_private_key(self._curve))
        else:
            key = _available(name, lambda: self._from(entropy))

        def exchange(peer: bytes) -> bytes:
            _check_size(f"a {name}", peer, self.share_size)
            if peer[0] != 4:
                raise BadPublic(f"the {name} point is not in uncompressed form")
            try:
                point = ec.EllipticCurvePublicKey.from_encoded_point(self._curve, peer)
            except ValueError as error:
                raise BadPublic(f"the point is not on the curve {name}") from error
            return key.exchange(ec.ECDH(), point)

        # The library's serialization of points would bring formats of SSH with it, and 10 ms of start.
        numbers, size = key.public_key().public_numbers(), self._scalar_size
        return b"\x04" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big"), exchange

    def _from(self, entropy: Entropy) -> ec.EllipticCurvePrivateKey:
        """Make the key whose scalar is the next bytes that are a scalar, cut to the curve's bits."""
        mask = (1 << self._curve.key_size) - 1
        for _ in range(_DRAWS):
            scalar = int.from_bytes(entropy(self._scalar_size), "big") & mask
            if 1 <= scalar < self._curve.group_order:
                return ec.derive_private_key(scalar, self._curve)
        raise ValueError("this source of randomness gives no scalar of the curve")


# A scalar drawn from random bytes is one of a standard curve's with a chance of at least one half
# (brainpool: about two thirds), so a source that fails this often is not random.
_DRAWS = 128


class _FiniteField(_Symmetric):
    """A named group of RFC 7919; shares are as long as the prime (RFC 8446 §4.2.8.1)."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self.share_size = bits // 8

    def generate(self, entropy: Entropy) -> Half:
        share = finite_field.generate(finite_field.ffdhe_prime(self._bits), 2, entropy)

        def exchange(peer: bytes) -> bytes:
            _check_size(f"an ffdhe{self._bits}", peer, self.share_size)
            return share.exchange(peer)

        return share.public, exchange


class _MlKem:
    """ML-KEM alone (FIPS 203, draft-ietf-tls-mlkem): an encapsulation key, answered by a ciphertext."""

    def __init__(
        self,
        name: str,
        private: type[mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey],
        public: type[mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey],
        sizes: tuple[int, int],
    ) -> None:
        self._name = name
        self._private = private
        self._public = public
        self.share_size, self.answer_size = sizes

    def generate(self, entropy: Entropy) -> Half:
        def make() -> mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey:
            if entropy is SYSTEM_ENTROPY:
                return self._private.generate()
            return self._private.from_seed_bytes(entropy(64))

        key = _available(self._name, make)

        def exchange(peer: bytes) -> bytes:
            _check_size(f"an {self._name}", peer, self.answer_size)
            return key.decapsulate(peer)

        return key.public_key().public_bytes_raw(), exchange

    def respond(self, peer: bytes, entropy: Entropy) -> tuple[bytes, bytes]:  # noqa: ARG002 - see the module
        _check_size(f"an {self._name}", peer, self.share_size)
        try:
            key = _available(self._name, lambda: self._public.from_public_bytes(peer))
        except ValueError as error:  # FIPS 203 §7.2: a coefficient is not reduced
            raise BadPublic(f"the {self._name} encapsulation key is not valid") from error
        secret, ciphertext = key.encapsulate()
        return ciphertext, secret


class _Hybrid:
    """Two groups at once: shares and secrets stand in the same order (draft-ietf-tls-ecdhe-mlkem)."""

    def __init__(self, first: Methods, second: Methods) -> None:
        self._first = first
        self._second = second
        self.share_size = first.share_size + second.share_size
        self.answer_size = first.answer_size + second.answer_size

    def generate(self, entropy: Entropy) -> Half:
        first_public, first_exchange = self._first.generate(entropy)
        second_public, second_exchange = self._second.generate(entropy)

        def exchange(peer: bytes) -> bytes:
            _check_size("a hybrid", peer, self.answer_size)
            cut = self._first.answer_size
            return first_exchange(peer[:cut]) + second_exchange(peer[cut:])

        return first_public + second_public, exchange

    def respond(self, peer: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        _check_size("a hybrid", peer, self.share_size)
        cut = self._first.share_size
        first_public, first_secret = self._first.respond(peer[:cut], entropy)
        second_public, second_secret = self._second.respond(peer[cut:], entropy)
        return first_public + second_public, first_secret + second_secret


_X25519_METHODS = _X25519()
_P256 = _Curve(ec.SECP256R1())
_P384 = _Curve(ec.SECP384R1())
_MLKEM768 = _MlKem("ML-KEM-768", mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey, (1184, 1088))
_MLKEM1024 = _MlKem("ML-KEM-1024", mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey, (1568, 1568))

_GROUPS: dict[NamedGroup, Methods] = {
    NamedGroup.X25519: _X25519_METHODS,
    NamedGroup.SECP256R1: _P256,
    NamedGroup.X448: _X448(),
    NamedGroup.SECP384R1: _P384,
    NamedGroup.SECP521R1: _Curve(ec.SECP521R1()),
    # ML-KEM stands first here and second in the other two: draft-ietf-tls-ecdhe-mlkem §3.1
    NamedGroup.X25519MLKEM768: _Hybrid(_MLKEM768, _X25519_METHODS),
    NamedGroup.SECP256R1MLKEM768: _Hybrid(_P256, _MLKEM768),
    NamedGroup.SECP384R1MLKEM1024: _Hybrid(_P384, _MLKEM1024),
    NamedGroup.MLKEM768: _MLKEM768,
    NamedGroup.MLKEM1024: _MLKEM1024,
    NamedGroup.FFDHE2048: _FiniteField(2048),
    NamedGroup.FFDHE3072: _FiniteField(3072),
    NamedGroup.FFDHE4096: _FiniteField(4096),
    NamedGroup.FFDHE6144: _FiniteField(6144),
    NamedGroup.FFDHE8192: _FiniteField(8192),
    NamedGroup.BRAINPOOLP256R1TLS13: _Curve(ec.BrainpoolP256R1()),
    NamedGroup.BRAINPOOLP384R1TLS13: _Curve(ec.BrainpoolP384R1()),
    NamedGroup.BRAINPOOLP512R1TLS13: _Curve(ec.BrainpoolP512R1()),
    NamedGroup.BRAINPOOLP256R1: _Curve(ec.BrainpoolP256R1()),
    NamedGroup.BRAINPOOLP384R1: _Curve(ec.BrainpoolP384R1()),
    NamedGroup.BRAINPOOLP512R1: _Curve(ec.BrainpoolP512R1()),
    NamedGroup.SECP256K1: _Curve(ec.SECP256K1()),
    NamedGroup.SECP224R1: _Curve(ec.SECP224R1()),
    NamedGroup.SECP192R1: _Curve(ec.SECP192R1()),
}
