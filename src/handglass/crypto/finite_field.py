"""Diffie-Hellman in the integers modulo a prime: the named groups, and any prime a TLS 1.2 server sends.

The library computes with primes that it knows at eight times the speed of `pow`, so the named groups
(RFC 7919, RFC 3526) go through it when nothing needs to be replayed. It has declared this algorithm
deprecated; where it should be gone, `pow` does all of it. Neither way is constant-time in Python,
and every exponent is used once.

The primes are not listed: both RFCs define them by formula, from e and from pi.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache

from handglass.records import dataclass, field

from .entropy import SYSTEM_ENTROPY, Entropy
from .errors import BadPublic

MIN_BITS = 512
MAX_BITS = 8192


@dataclass(frozen=True, slots=True)
class FieldShare:
    """One side's half of an exchange modulo `prime`: `public` is as long as the prime."""

    prime: int
    generator: int
    public: bytes
    _agree: Callable[[int], int] = field(repr=False)

    def exchange(self, peer: bytes) -> bytes:
        """Agree with the peer's value; the secret is as long as the prime, leading zeros and all.

        TLS 1.3 takes it as it is (RFC 8446 §7.4.1); TLS 1.2 wants `strip` on it. Raises BadPublic
        for a value outside 2 .. p-2 (RFC 7919 §5.1) and for one that leads to a trivial secret.
        """
        size = _size(self.prime)
        if len(peer) > size:
            raise BadPublic(f"a public value of {len(peer)} bytes, longer than its prime")
        value = int.from_bytes(peer, "big")
        if not 2 <= value <= self.prime - 2:
            raise BadPublic("the public value is out of range")
        shared = self._agree(value)
        if not 2 <= shared <= self.prime - 2:
            raise BadPublic("the public value lies in a small subgroup")
        return shared.to_bytes(size, "big")


def generate(prime: int, generator: int, entropy: Entropy) -> FieldShare:
    """Make a share. Raises BadPublic as `check_group` does."""
    check_group(prime, generator)
    if entropy is SYSTEM_ENTROPY and _is_known(prime):
        share = _library_share(prime, generator)
        if share is not None:
            return share
    exponent = _exponent(prime.bit_length(), entropy)
    public = pow(generator, exponent, prime)
    return FieldShare(
        prime, generator, public.to_bytes(_size(prime), "big"), lambda peer: pow(peer, exponent, prime)
    )


def check_group(prime: int, generator: int) -> None:
    """Look at what a group must have, whoever chose it; whether the modulus is prime is not checked.

    Raises BadPublic for a modulus that is even or not of 512 to 8192 bits, and for a generator out of range.
    """
    bits = prime.bit_length()
    if not MIN_BITS <= bits <= MAX_BITS:
        raise BadPublic(f"a prime of {bits} bits: only {MIN_BITS} to {MAX_BITS} are accepted")
    if prime % 2 == 0:
        raise BadPublic("the prime is even")
    if not 2 <= generator <= prime - 2:
        raise BadPublic("the generator is out of range")


def strip(shared: bytes) -> bytes:
    """Give the TLS 1.2 premaster secret: leading zero bytes are dropped (RFC 5246 §8.1.2)."""
    return shared.lstrip(b"\0")


def ffdhe_prime(bits: int) -> int:
    """Give the prime of the group ffdhe`bits` (RFC 7919 appendix A). Raises KeyError for other sizes."""
    return _prime(bits, _FFDHE[bits], _e)


def modp_prime(bits: int) -> int:
    """Give the prime of the MODP group of this size (RFC 3526). Raises KeyError for other sizes."""
    return _prime(bits, _MODP[bits], _pi)


def _size(prime: int) -> int:
    return (prime.bit_length() + 7) // 8


def _exponent(bits: int, entropy: Entropy) -> int:
    """Draw an exponent of twice the group's strength (RFC 7919 §5.2), never a trivial one."""
    wanted = next(length for most, length in _EXPONENT_BITS if bits <= most)
    count = (wanted + 7) // 8
    return int.from_bytes(entropy(count), "big") % (1 << wanted) | 1 << (wanted - 1)


_EXPONENT_BITS = ((2048, 256), (3072, 275), (4096, 325), (6144, 375), (MAX_BITS, 400))


def _library_share(prime: int, generator: int) -> FieldShare | None:
    """Make a share with the library, or None if it no longer can."""
    try:
        from cryptography.hazmat.primitives.asymmetric import dh  # noqa: PLC0415 - may go away
    except ImportError:
        return None

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbers = dh.DHParameterNumbers(prime, generator)
        private = numbers.parameters().generate_private_key()
        public = private.public_key().public_numbers().y

    def agree(peer: int) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = dh.DHPublicNumbers(peer, numbers).public_key()
            try:
                return int.from_bytes(private.exchange(key), "big")
            except ValueError as error:
                raise BadPublic("the public value lies in a small subgroup") from error

    return FieldShare(prime, generator, public.to_bytes(_size(prime), "big"), agree)


# RFC 7919 appendix A and RFC 3526: the number X in
# p = 2^b - 2^(b-64) + (floor(2^(b-130) c) + X) 2^64 - 1, where c is e or pi.
_FFDHE = {2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728}
_MODP = {1536: 741804, 2048: 124476, 3072: 1690314, 4096: 240904, 6144: 929484, 8192: 4743158}


def _is_known(prime: int) -> bool:
    """Tell whether the library has tables for this prime; it knows it by its value."""
    bits = prime.bit_length()
    return (bits in _FFDHE and prime == ffdhe_prime(bits)) or (bits in _MODP and prime == modp_prime(bits))


@cache
def _prime(bits: int, extra: int, constant: Callable[[int], int]) -> int:
    return (1 << bits) - (1 << (bits - 64)) + (constant(bits - 130) + extra << 64) - 1


def _e(bits: int) -> int:
    """Give floor(2^bits e): the sum of 1/k! with 64 bits to spare."""
    total, term, k = 0, 1 << (bits + 64), 1
    while term:
        total += term
        term //= k
        k += 1
    return total >> 64


def _pi(bits: int) -> int:
    """Give floor(2^bits pi) by Machin's formula, with 64 bits to spare."""
    one = 1 << (bits + 64)

    def arctan_of_inverse(x: int) -> int:
        total, power, k = 0, one // x, 1
        while power:
            total += power // k if k % 4 == 1 else -(power // k)
            power //= x * x
            k += 2
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 64
