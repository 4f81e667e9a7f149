"""Diffie-Hellman modulo a prime: the primes of the RFCs, both ways of computing, hostile values."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest

from handglass.crypto import SYSTEM_ENTROPY, BadPublic
from handglass.crypto.finite_field import ffdhe_prime, generate, modp_prime, strip


def looks_prime(number: int) -> bool:
    return all(pow(base, number - 1, number) == 1 for base in (2, 3))


@pytest.mark.parametrize(
    ("prime", "start", "end"),
    [  # RFC 7919 §A.1 to §A.5 and RFC 3526 §2 to §7, as printed there
        (ffdhe_prime(2048), "FFFFFFFFFFFFFFFFADF85458A2BB4A9A", "886B423861285C97FFFFFFFFFFFFFFFF"),
        (ffdhe_prime(3072), "FFFFFFFFFFFFFFFFADF85458A2BB4A9A", "25E41D2B66C62E37FFFFFFFFFFFFFFFF"),
        (ffdhe_prime(4096), "FFFFFFFFFFFFFFFFADF85458A2BB4A9A", "C68A007E5E655F6AFFFFFFFFFFFFFFFF"),
        (ffdhe_prime(6144), "FFFFFFFFFFFFFFFFADF85458A2BB4A9A", "A40E329CD0E40E65FFFFFFFFFFFFFFFF"),
        (ffdhe_prime(8192), "FFFFFFFFFFFFFFFFADF85458A2BB4A9A", "D68C8BB7C5C6424CFFFFFFFFFFFFFFFF"),
        (modp_prime(1536), "FFFFFFFFFFFFFFFFC90FDAA22168C234", "F1746C08CA237327FFFFFFFFFFFFFFFF"),
        (modp_prime(2048), "FFFFFFFFFFFFFFFFC90FDAA22168C234", "15728E5A8AACAA68FFFFFFFFFFFFFFFF"),
        (modp_prime(3072), "FFFFFFFFFFFFFFFFC90FDAA22168C234", "4B82D120A93AD2CAFFFFFFFFFFFFFFFF"),
        (modp_prime(4096), "FFFFFFFFFFFFFFFFC90FDAA22168C234", "4DF435C934063199FFFFFFFFFFFFFFFF"),
        (modp_prime(6144), "FFFFFFFFFFFFFFFFC90FDAA22168C234", "E694F91E6DCC4024FFFFFFFFFFFFFFFF"),
        (modp_prime(8192), "FFFFFFFFFFFFFFFFC90FDAA22168C234", "60C980DD98EDD3DFFFFFFFFFFFFFFFFF"),
    ],
    ids=lambda value: f"{value.bit_length()}" if isinstance(value, int) else "",
)
def test_primes_are_those_of_the_rfcs(prime: int, start: str, end: str) -> None:
    assert f"{prime:X}".startswith(start)
    assert f"{prime:X}".endswith(end)
    # A single wrong digit in the middle would hardly leave a safe prime; the large ones take too long.
    if prime.bit_length() <= 2048:
        assert looks_prime(prime)
        assert looks_prime(prime // 2)


def test_library_and_pow_agree() -> None:
    prime = ffdhe_prime(2048)
    fast, slow = generate(prime, 2, SYSTEM_ENTROPY), generate(prime, 2, Random(5).randbytes)
    assert len(fast.public) == len(slow.public) == 256
    assert fast.exchange(slow.public) == slow.exchange(fast.public)


# Primes that no library has in a table; both are one more than a multiple of three.
OWN_PRIMES = {512: 2**511 + 809, 1024: 2**1023 + 1493}


@pytest.mark.parametrize("bits", [512, 1024])
def test_any_prime_that_a_server_sends(bits: int) -> None:
    prime = OWN_PRIMES[bits]
    assert looks_prime(prime)
    client, server = generate(prime, 5, SYSTEM_ENTROPY), generate(prime, 5, SYSTEM_ENTROPY)
    assert client.exchange(server.public) == server.exchange(client.public)
    assert len(client.public) == bits // 8
    for value in (0, 1, prime - 1, prime, prime + 1):
        with pytest.raises(BadPublic):
            client.exchange(value.to_bytes(bits // 8 + 1, "big").lstrip(b"\0"))
    with pytest.raises(BadPublic, match="longer than its prime"):
        client.exchange(b"\0" + server.public)
    # TLS 1.2 peers may leave out leading zeros (RFC 5246 §7.4.7.2: it is an integer).
    assert client.exchange(b"\2") == client.exchange(b"\0\2")


def test_peers_parameters_have_limits() -> None:
    with pytest.raises(BadPublic, match="511 bits"):
        generate(2**511 - 1, 2, SYSTEM_ENTROPY)
    with pytest.raises(BadPublic, match="8193 bits"):
        generate(2**8192 + 1, 2, SYSTEM_ENTROPY)
    with pytest.raises(BadPublic, match="even"):
        generate(2**1023, 2, SYSTEM_ENTROPY)
    prime = modp_prime(2048)
    for generator in (0, 1, prime - 1, prime):
        with pytest.raises(BadPublic, match="generator"):
            generate(prime, generator, SYSTEM_ENTROPY)


def test_a_secret_from_a_small_subgroup_is_refused() -> None:
    """Where the prime is not a safe one, a value can have a small order: here three."""
    prime = OWN_PRIMES[512]
    cube_root_of_one = next(
        root for base in range(2, 50) if (root := pow(base, prime // 3, prime)) != 1
    ).to_bytes(64, "big")
    # This exponent comes out as 2^255 + 1, a multiple of three.
    share = generate(prime, 2, lambda count: (1).to_bytes(count, "big"))
    with pytest.raises(BadPublic, match="small subgroup"):
        share.exchange(cube_root_of_one)


def test_strip() -> None:
    assert strip(b"\0\0\1\0") == b"\1\0"


def test_repr_shows_no_exponent() -> None:
    share = generate(ffdhe_prime(2048), 2, lambda count: sha256(bytes(count)).digest()[:count])
    assert "agree" not in repr(share)
