"""What this machine's library can do: one question per algorithm, answered by trying it once.

Names are those of the tables: ciphers of `aead` and `cbc`, hashes by hashlib name, groups and signature
schemes by their registry names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from cryptography.exceptions import UnsupportedAlgorithm

from handglass.registry.code_points import NamedGroup, SignatureScheme
from handglass.registry.signatures import FACTS

from .errors import Missing


@cache
def missing(name: str) -> str | None:
    """Say in a sentence why the algorithm `name` cannot be used here; None if it can."""
    probe = _probe(name)
    if probe is None:
        return f"{name} is not supported by this program"
    try:
        probe()
    except Missing as error:
        return str(error)
    except UnsupportedAlgorithm:
        return f"the installed cryptography library has no {name}"
    return None


def _probe(name: str) -> Callable[[], object] | None:
    """Find what tries the algorithm out; None for a name that no table has."""
    from . import aead, cbc, groups, hashes, signatures  # noqa: PLC0415 - this module is asked on start

    if name in aead.AEADS:
        return lambda: aead.aead(name, bytes(aead.AEADS[name].key_size))
    if name in cbc.CBC_CIPHERS:
        return lambda: cbc.cbc(name, bytes(cbc.CBC_CIPHERS[name].key_size))
    if name in hashes.HASHES:
        return lambda: hashes.digest(name, b"")
    group = NamedGroup.__members__.get(name)
    if group is not None and group in groups.supported():
        return lambda: groups.generate(group)
    scheme = SignatureScheme.__members__.get(name)
    if scheme is not None and scheme in FACTS:
        return lambda: signatures.probe(scheme)
    return None
