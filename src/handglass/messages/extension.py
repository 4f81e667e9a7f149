"""An extension in its envelope, where it may stand, and how to find it.

Strategy: messages keep their extensions raw, in their order, known or not; a body is decoded when somebody
wants it (`extensions.KeyShareClientHello.decode(data)`), so that one damaged extension that nobody needs
hurts nobody. The walk looks into bodies by way of the table in `extensions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Annotated

from handglass.registry.code_points import ExtensionType
from handglass.wire import Struct, opaque


class Place(Enum):
    """The messages that carry extensions (RFC 8446 §4.2); SH12 is a ServerHello of TLS 1.2 or earlier."""

    CH = "ClientHello"
    SH = "ServerHello"
    HRR = "HelloRetryRequest"
    EE = "EncryptedExtensions"
    CT = "Certificate"
    CR = "CertificateRequest"
    NST = "NewSessionTicket"
    SH12 = "ServerHello up to TLS 1.2"


def _content(values: Mapping[str, object], context: object) -> type[Struct] | None:
    from handglass.messages.extensions import body_of  # noqa: PLC0415 - the bodies know the envelope

    kind = values.get("type")
    if isinstance(context, Place) and isinstance(kind, ExtensionType):
        return body_of(context, kind)
    return None


class Extension(Struct):
    """RFC 8446 §4.2."""

    type: ExtensionType
    data: Annotated[bytes, opaque(0, 2**16 - 1, _content)]


def find(extensions: Iterable[Extension] | None, wanted: int) -> bytes | None:
    """Return the body of the first extension of this type, or None."""
    if extensions is not None:
        for extension in extensions:
            if extension.type == wanted:
                return extension.data
    return None


def by_type(extensions: Iterable[Extension] | None) -> dict[ExtensionType, bytes]:
    """Return the bodies by type, in the order of the message. Check for `duplicates` before."""
    return {extension.type: extension.data for extension in extensions or ()}


def duplicates(extensions: Iterable[Extension] | None) -> tuple[ExtensionType, ...]:
    """Return the types that occur more than once, which RFC 8446 §4.2 forbids."""
    seen: set[ExtensionType] = set()
    twice: dict[ExtensionType, None] = {}
    for extension in extensions or ():
        if extension.type in seen:
            twice[extension.type] = None
        seen.add(extension.type)
    return tuple(twice)
