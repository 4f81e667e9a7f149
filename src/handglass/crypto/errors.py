"""What primitives raise. None of these names TLS: the caller knows which alert it means."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag

# The library's own exception under our name: translating it would put a Python frame around
# each record that is opened, and nothing would be gained.
BadTag = InvalidTag


class CryptoError(Exception):
    """Any failure of a primitive that is not a bad tag."""


class BadPublic(CryptoError):  # noqa: N818 - says what is bad, beside the library's InvalidTag
    """A peer's key share is malformed, out of range, not on its curve, or gives a degenerate secret."""


class BadSignature(CryptoError):  # noqa: N818 - as above
    """A signature does not verify, or cannot have been made by a key of this kind."""


class Missing(CryptoError):  # noqa: N818 - as above
    """The installed library lacks this algorithm; the text says which."""
