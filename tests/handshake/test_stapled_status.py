"""Stapled responses below TLS 1.3: who asks for what, what is answered, what is refused (RFC 6066 §8, RFC 6961)."""

from __future__ import annotations

import pytest

from handglass.crypto.identity import Identity
from handglass.handshake.config import ClientConfig, ServerConfig
from handglass.messages import extensions as ext
from handglass.messages.handshake import (
    CertificateStatus,
    Extension,
    OCSPResponse,
    OCSPResponseList,
    ServerHello,
    frame,
)
from handglass.records import replace
from handglass.registry.code_points import CertificateStatusType, ExtensionType, ProtocolVersion
from support.engines import connect, identity, pair, reason_of
from support.rogue import Tap, changed, instead

OCSP, MULTI = CertificateStatusType.OCSP, CertificateStatusType.OCSP_MULTI
V1, V2 = ExtensionType.STATUS_REQUEST, ExtensionType.STATUS_REQUEST_V2
TLS12, TLS13 = ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3
STATUS_AT = 2  # ServerHello, Certificate, then this


def chain() -> Identity:
    """Give an identity with three certificates."""
    others = (identity("rsa").certificate, identity("p384").certificate)
    return replace(identity("p256"), chain=others)


def server(*responses: bytes | None) -> ServerConfig:
    """Give a server with these responses for its three certificates."""
    return ServerConfig(identities=(chain(),), staple=lambda _: responses)


def asking(*, v1: bool = False, v2: bytes | None = None) -> ClientConfig:
    """Give a TLS 1.2 client that asks in one way or the other; `v2` is the body of status_request_v2."""
    extra = () if v2 is None else (Extension(V2, v2),)
    return ClientConfig(versions=(TLS12,), request_status=v1, extra_extensions=extra)


def wanting(*kinds: int) -> bytes:
    """Give the body of status_request_v2 that asks for these kinds, best first."""
    items = (ext.StatusRequestItem(CertificateStatusType(kind), bytes(4)) for kind in kinds)
    return ext.StatusRequestV2(tuple(items)).encode()


ALL = ClientConfig(versions=(TLS13, TLS12), request_status=True, request_all_statuses=True)


def test_the_bytes_of_the_request() -> None:
    """RFC 6961 §2.2: a list of items, each with the length of what it asks for."""
    hello = pair(ALL).start().server.negotiated.client_hello
    assert hello is not None
    multi, single = bytes.fromhex("02 0004 0000 0000"), bytes.fromhex("01 0004 0000 0000")
    assert hello.body(V2) == b"\0\x0e" + multi + single
    assert hello.body(V1) == bytes.fromhex("01 0000 0000")
    for config in (replace(ALL, versions=(TLS13,)), replace(ALL, request_all_statuses=False)):
        hello = pair(config).start().server.negotiated.client_hello
        assert hello is not None
        assert V2 not in hello


def test_the_bytes_of_the_answer() -> None:
    """RFC 6961 §2.2: lengths of three bytes around the list and around each response, which may be empty."""
    status = CertificateStatus(MULTI, OCSPResponseList((b"leaf", b"", b"root")))
    data = bytes.fromhex("02 000011 000004") + b"leaf" + bytes.fromhex("000000 000004") + b"root"
    assert status.encode() == data
    assert CertificateStatus.decode(data) == status
    assert status.responses == (b"leaf", None, b"root")
    single = CertificateStatus(OCSP, OCSPResponse(b"leaf"))
    assert single.encode() == bytes.fromhex("01 000004") + b"leaf"
    assert single.responses == (b"leaf",)
    assert CertificateStatus.decode(b"\x09any").responses == (None,)


def test_every_certificate_gets_its_response() -> None:
    """In both versions; where TLS 1.3 is spoken, in its own way."""
    for versions in ((TLS12,), (TLS13,), (TLS13, TLS12)):
        done = connect(replace(ALL, versions=versions), server(b"leaf", None, b"root", b"one too many"))
        assert done.client.negotiated.peer_ocsp_responses == (b"leaf", None, b"root")


@pytest.mark.parametrize(
    ("client", "promise", "responses"),
    [
        (asking(v1=True), V1, (b"leaf",)),
        (asking(v2=wanting(MULTI)), V2, (b"leaf", None, b"root")),
        (asking(v1=True, v2=wanting(MULTI)), V2, (b"leaf", None, b"root")),
        (asking(v1=True, v2=wanting(MULTI, OCSP)), V2, (b"leaf", None, b"root")),
        (asking(v1=True, v2=wanting(OCSP, MULTI)), V2, (b"leaf",)),
        (asking(v2=wanting(9, OCSP)), V2, (b"leaf",)),
        (asking(v1=True, v2=wanting(9)), V1, (b"leaf",)),
        (asking(v2=wanting(9)), None, (None,)),
        (asking(), None, (None,)),
    ],
)
def test_the_best_kind_that_both_know(
    client: ClientConfig, promise: ExtensionType | None, responses: tuple[bytes | None, ...]
) -> None:
    """The second version goes first, in the client's order."""
    made = pair(client, server(b"leaf", None, b"root"))
    tap = Tap(made.server)
    made.start()
    promised = [
        each for each in ServerHello.decode(tap.seen[0][4:]).extensions or () if each.type in {V1, V2}
    ]
    assert promised == ([] if promise is None else [Extension(promise, b"")])
    statuses = [
        CertificateStatus.decode(raw[4:]) for raw in tap.seen if raw[0] == CertificateStatus.handshake_type
    ]
    assert [status.responses for status in statuses] == ([] if promise is None else [responses])


def test_without_responses_nothing_is_promised() -> None:
    """A list of nothing would be no answer."""
    for responses in ((), (None, None)):
        assert connect(
            replace(ALL, versions=(TLS12,)), server(*responses)
        ).client.negotiated.peer_ocsp_responses == (None,)
    done = connect(asking(v2=wanting(OCSP)), server(None, b"middle"))
    assert done.client.negotiated.peer_ocsp_responses == (None,)


def test_tls13_servers_do_not_look_at_the_second_version() -> None:
    """RFC 8446 §4.4.2.1: not even at a malformed one."""
    for body in (wanting(MULTI), b"\xff"):
        client = replace(asking(v2=body), versions=(TLS13,))
        assert not any(connect(client, server(b"leaf")).client.negotiated.peer_ocsp_responses)


@pytest.mark.parametrize("body", ["", "0000", "0007 02 0004 0000", "0007 02 0004 0001 0000", "0003 02 0000"])
def test_malformed_requests(body: str) -> None:
    """The list, its items, and the requests in them."""
    made = pair(asking(v2=bytes.fromhex(body)), server(b"leaf")).start()
    assert reason_of(made.server) == "DECODE_ERROR"


@pytest.mark.parametrize(
    ("status", "client", "reason"),
    [
        ((MULTI, OCSPResponseList((b"leaf",))), asking(v1=True), "UNWANTED_STATUS_TYPE"),
        ((CertificateStatusType(9), b"what"), ALL, "UNWANTED_STATUS_TYPE"),
        ((MULTI, OCSPResponseList((b"",) * 4)), ALL, "TOO_MANY_STATUS_RESPONSES"),
    ],
)
def test_answers_that_were_not_asked_for(
    status: tuple[CertificateStatusType, OCSPResponseList | bytes], client: ClientConfig, reason: str
) -> None:
    """A kind that was not offered, and more responses than certificates."""
    made = pair(replace(client, versions=(TLS12,)), server(b"leaf"))
    Tap(made.server, STATUS_AT, instead(frame(CertificateStatus(*status))))
    assert reason_of(made.start().client) == reason


@pytest.mark.parametrize("body", ["02 000000", "02 000003 000001", "02 000004 00000200", "01 000000"])
def test_malformed_answers(body: str) -> None:
    """Lengths that do not fit."""
    made = pair(replace(ALL, versions=(TLS12,)), server(b"leaf"))
    data = bytes.fromhex(body)
    header = bytes((CertificateStatus.handshake_type,)) + len(data).to_bytes(3, "big")
    Tap(made.server, STATUS_AT, instead(header + data))
    assert reason_of(made.start().client) == "DECODE_ERROR"


def test_a_promise_is_empty_and_asked_for() -> None:
    """The extension in the ServerHello."""

    def promising(body: bytes, client: ClientConfig) -> str:
        made = pair(client, server())
        Tap(made.server, 0, changed(lambda raw: with_extension(raw, Extension(V2, body))))
        return reason_of(made.start().client)

    assert promising(b"\0", replace(ALL, versions=(TLS12,))) == "DECODE_ERROR"
    assert promising(b"", asking(v1=True)) == "UNSOLICITED_EXTENSION"


def with_extension(server_hello: bytes, extension: Extension) -> bytes:
    """Put one more extension behind those of a framed ServerHello."""
    message = ServerHello.decode(server_hello[4:])
    return frame(replace(message, extensions=(*(message.extensions or ()), extension)))
