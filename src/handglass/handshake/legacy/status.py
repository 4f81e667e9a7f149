"""Stapled OCSP responses below TLS 1.3, both sides: RFC 6066 §8 for the leaf, RFC 6961 for the whole chain.

The client asks with status_request, status_request_v2 or both; the server promises a CertificateStatus with one of them
in its ServerHello. Only the second one can bring a response for each certificate. TLS 1.3 has done away with it: there
each certificate carries its own response (RFC 8446 §4.4.2.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handglass.crypto.identity import Identity
from handglass.handshake.config import ServerConfig
from handglass.handshake.negotiation import stapled_responses
from handglass.handshake.state import ClientHelloView, decode_extension
from handglass.handshake.wants import Conversation, Expectation, maybe
from handglass.messages import extensions as ext
from handglass.messages.handshake import CertificateStatus, OCSPResponse, OCSPResponseList
from handglass.registry import reasons
from handglass.registry.code_points import CertificateStatusType, ExtensionType
from handglass.registry.errors import PeerError

READ_CERTIFICATE_STATUS = Expectation("read certificate status", CertificateStatus, optional=True)

OCSP, OCSP_MULTI = CertificateStatusType.OCSP, CertificateStatusType.OCSP_MULTI
ANSWERS = {
    ExtensionType.STATUS_REQUEST: frozenset({OCSP}),
    ExtensionType.STATUS_REQUEST_V2: frozenset({OCSP, OCSP_MULTI}),
}
"""The kinds of status that may follow each of the server's promises, as our client asks."""


# The server's side.


def choose_status(
    config: ServerConfig, hello: ClientHelloView, identity: Identity
) -> Conversation[tuple[ExtensionType, CertificateStatus] | None]:
    """The extension to promise a status with, and the status; None if none is wanted or there is none."""
    wanted = wanted_status(hello)
    if wanted is None:
        return None
    extension, kind = wanted
    responses = yield from stapled_responses(config, identity)
    status = make_status(kind, responses[: len(identity.certificates)])
    return None if status is None else (extension, status)


def wanted_status(hello: ClientHelloView) -> tuple[ExtensionType, CertificateStatusType] | None:
    """What the client would like best: the first kind that we know of its list (RFC 6961), else the leaf's status."""
    request = hello.decoded(ext.StatusRequestV2, ExtensionType.STATUS_REQUEST_V2)
    for item in request.certificate_status_req_list if request is not None else ():
        if item.status_type in {OCSP, OCSP_MULTI}:
            decode_extension(ext.OCSPStatusRequest, item.request, ExtensionType.STATUS_REQUEST_V2)
            return ExtensionType.STATUS_REQUEST_V2, item.status_type
    if ExtensionType.STATUS_REQUEST in hello:
        return ExtensionType.STATUS_REQUEST, OCSP
    return None


def make_status(kind: CertificateStatusType, responses: Sequence[bytes | None]) -> CertificateStatus | None:
    """The message with these responses, leaf's first; None if it would hold nothing."""
    if kind == OCSP_MULTI and any(responses):
        return CertificateStatus(kind, OCSPResponseList(tuple(response or b"" for response in responses)))
    if kind == OCSP and responses and responses[0]:
        return CertificateStatus(kind, OCSPResponse(responses[0]))
    return None


# The client's side.


def read_status(
    bodies: Mapping[ExtensionType, bytes], certificates: int
) -> Conversation[tuple[bytes | None, ...]]:
    """The stapled responses, leaf's first; a server that promised a status may still leave it out.

    `bodies`: the ServerHello's extensions; `certificates`: how many certificates it sent.
    """
    allowed = {kind for extension, kinds in ANSWERS.items() if extension in bodies for kind in kinds}
    if not allowed:
        return (None,)
    status = yield from maybe(READ_CERTIFICATE_STATUS)
    if status is None:
        return (None,)
    if status.status_type not in allowed:
        raise PeerError(reasons.UNWANTED_STATUS_TYPE, status.status_type.name)
    responses = status.responses
    if len(responses) > max(certificates, 1):
        detail = f"{len(responses)} responses for {certificates} certificates"
        raise PeerError(reasons.TOO_MANY_STATUS_RESPONSES, detail)
    return responses
