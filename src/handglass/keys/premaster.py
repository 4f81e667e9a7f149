"""The premaster secret of the RSA key exchange (RFC 5246 §7.4.7.1).

Whatever is wrong with what the client sent, the server goes on with a secret that nobody knows, and
the handshake fails later at the Finished message: an attacker must not learn whether the padding, the
length or the version was right. Python is not constant-time; what is avoided here is any difference in
behaviour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handglass.crypto.entropy import Entropy
from handglass.crypto.hashes import equal
from handglass.crypto.rsa import decrypt_pkcs1, encrypt_pkcs1

if TYPE_CHECKING:
    from handglass.crypto.rsa import RSAPrivateKey, RSAPublicKey

PREMASTER_SIZE = 48


def make_rsa_premaster(key: RSAPublicKey, offered_version: int, entropy: Entropy) -> tuple[bytes, bytes]:
    """Make the client's premaster secret and its encryption under the server's key.

    `offered_version` is that of the ClientHello, not the negotiated one. Raises BadPublic if the key
    is too small.
    """
    premaster = offered_version.to_bytes(2, "big") + entropy(PREMASTER_SIZE - 2)
    return premaster, encrypt_pkcs1(key, premaster, entropy)


def open_rsa_premaster(key: RSAPrivateKey, encrypted: bytes, offered_version: int, entropy: Entropy) -> bytes:
    """Give the client's premaster secret, or one from `entropy` if there is anything wrong with it."""
    version = offered_version.to_bytes(2, "big")
    made_up = version + entropy(PREMASTER_SIZE - 2)
    plain = decrypt_pkcs1(key, encrypted)
    right_size = len(plain) == PREMASTER_SIZE
    right_version = equal(plain[:2], version)
    return plain if right_size & right_version else made_up
