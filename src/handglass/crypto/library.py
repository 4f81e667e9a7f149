"""Which library does the arithmetic."""

from __future__ import annotations

import cryptography
from cryptography.hazmat.backends.openssl import backend


def versions() -> tuple[str, str]:
    """Return the version of `cryptography` and the name and version of the OpenSSL that it carries."""
    return cryptography.__version__, backend.openssl_version_text()
