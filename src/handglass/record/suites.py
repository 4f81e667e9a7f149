"""From the facts of a cipher suite and keys to the protection of one direction."""

from __future__ import annotations

from handglass.crypto.aead import AEADS
from handglass.crypto.cbc import CBC_CIPHERS, cbc
from handglass.crypto.entropy import SYSTEM_ENTROPY, Entropy
from handglass.crypto.errors import Missing
from handglass.crypto.hashes import HASHES
from handglass.keys.labels import TLS13_PREFIX
from handglass.keys.prf import DirectionKeys
from handglass.keys.schedule import traffic_keys
from handglass.registry.suites import SuiteFacts

from .aead12 import Aead12
from .aead13 import Aead13
from .cbc import CbcEncryptThenMac, CbcMacThenEncrypt
from .protection import Protection


def protection13(facts: SuiteFacts, traffic_secret: bytes, *, prefix: bytes = TLS13_PREFIX) -> Aead13:
    """Protect one direction of TLS 1.3 under a traffic secret (RFC 8446 §7.3). Raises Missing."""
    sizes = AEADS.get(facts.cipher)
    if sizes is None:
        raise Missing(f"the cipher {facts.cipher} is not supported")
    key, iv = traffic_keys(facts.prf_hash, traffic_secret, sizes.key_size, sizes.nonce_size, prefix=prefix)
    return Aead13(facts.cipher, key, iv)


def key_sizes(facts: SuiteFacts) -> tuple[int, int, int]:
    """Give the sizes of MAC key, cipher key and IV in a TLS 1.2 key block (RFC 5246 §6.3). Raises Missing."""
    sizes = AEADS.get(facts.cipher)
    if sizes is not None and sizes.salt_size:
        return 0, sizes.key_size, sizes.salt_size
    block = CBC_CIPHERS.get(facts.cipher)
    if block is not None:
        # With explicit IVs (TLS 1.1 and 1.2) the key block has none.
        return HASHES[facts.mac.lower()].digest_size, block.key_size, 0
    raise Missing(f"the cipher {facts.cipher} is not supported in TLS 1.2")


def protection12(
    facts: SuiteFacts,
    keys: DirectionKeys,
    *,
    encrypt_then_mac: bool = False,
    entropy: Entropy = SYSTEM_ENTROPY,
    version: int = 0x0303,
) -> Protection:
    """Protect one direction of TLS 1.2; `keys` are cut to `key_sizes`. Raises Missing.

    `encrypt_then_mac` says that both sides agreed on it; it means nothing to AEAD suites (RFC 7366 §3).
    """
    if facts.cipher in AEADS:
        return Aead12(facts.cipher, keys.key, keys.iv, version)
    if facts.cipher not in CBC_CIPHERS:
        raise Missing(f"the cipher {facts.cipher} is not supported in TLS 1.2")
    kind = CbcEncryptThenMac if encrypt_then_mac else CbcMacThenEncrypt
    return kind(cbc(facts.cipher, keys.key), facts.mac.lower(), keys.mac, entropy, version)
