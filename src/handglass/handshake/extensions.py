"""The rules that hold for every extension block (RFC 8446 §4.2, RFC 5246 §7.4.1.4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from handglass.handshake.state import decode_extension
from handglass.messages.extension import Place
from handglass.messages.extensions import BODIES
from handglass.messages.handshake import Extension
from handglass.messages.permissions import PERMITTED
from handglass.registry import reasons
from handglass.registry.code_points import ExtensionType
from handglass.registry.errors import PeerError

TOLERATED = {(Place.SH12, ExtensionType.SUPPORTED_GROUPS)}
"""What deployed servers send although it may not stand there; it means nothing, and nobody refuses it."""


def check_extensions(
    found: Sequence[Extension], place: Place, asked: Collection[ExtensionType] | None
) -> dict[ExtensionType, bytes]:
    """The bodies by type, after the rules of RFC 8446 §4.2: none twice, none in the wrong message, none unasked for.

    `asked` are the types that this may answer; None where the message is itself a question (CertificateRequest,
    NewSessionTicket), in which unknown extensions are passed over.

    Raises:
        PeerError: illegal_parameter, unsupported_extension, or decode_error for a body that is malformed.
    """
    bodies: dict[ExtensionType, bytes] = {}
    for extension in found:
        kind = extension.type
        if kind in bodies:
            raise PeerError(reasons.DUPLICATE_EXTENSION, kind.name)
        if asked is not None and kind not in asked:
            raise PeerError(reasons.UNSOLICITED_EXTENSION, f"{kind.name} in {place.value}")
        if kind.is_grease and asked is not None:
            raise PeerError(reasons.UNSOLICITED_EXTENSION, f"{kind.name} in {place.value} (RFC 8701 §4.1)")
        places = PERMITTED.get(kind)
        if places is not None and place not in places and (place, kind) not in TOLERATED:
            raise PeerError(reasons.MISPLACED_EXTENSION, f"{kind.name} in {place.value}")
        form = BODIES.get((place, kind))
        if form is not None:
            decode_extension(form, extension.data, kind)
        bodies[kind] = extension.data
    return bodies
