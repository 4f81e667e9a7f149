"""Record protection: one small class per kind, all with the interface of `Protection`.

`protection` describes that interface and the way of bulk data; `suites` makes the right one for a
cipher suite.
"""

from .aead12 import Aead12
from .aead13 import Aead13
from .cbc import CbcEncryptThenMac, CbcMacThenEncrypt
from .null import NullProtection
from .protection import (
    HEADER_SIZE,
    MAX_CIPHERTEXT_12,
    MAX_CIPHERTEXT_13,
    MAX_PLAINTEXT,
    OPEN_ROOM,
    Protection,
    Run,
)
from .suites import key_sizes, protection12, protection13

__all__ = [
    "HEADER_SIZE",
    "MAX_CIPHERTEXT_12",
    "MAX_CIPHERTEXT_13",
    "MAX_PLAINTEXT",
    "OPEN_ROOM",
    "Aead12",
    "Aead13",
    "CbcEncryptThenMac",
    "CbcMacThenEncrypt",
    "NullProtection",
    "Protection",
    "Run",
    "key_sizes",
    "protection12",
    "protection13",
]
