"""The only importer of cryptographic primitives: AEAD, CBC, groups, signatures, hashes.

The names that every user needs are here: the errors and the source of randomness. The
algorithms are one module per kind (`hashes`, `aead`, `cbc`, `groups`, `finite_field`,
`signatures`, `rsa`), each with a table keyed by the registry's names; `capabilities` says
which of them this machine's library has.
"""

from .entropy import SYSTEM_ENTROPY, Entropy
from .errors import BadPublic, BadSignature, BadTag, CryptoError, Missing

__all__ = [
    "SYSTEM_ENTROPY",
    "BadPublic",
    "BadSignature",
    "BadTag",
    "CryptoError",
    "Entropy",
    "Missing",
]
