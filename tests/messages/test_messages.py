"""Every message and extension: round trips, damage, and the bounds that the RFCs set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handglass.messages import extensions, record
from handglass.messages.extension import Extension, Place, by_type, duplicates, find
from handglass.messages.extensions import BODIES, body_of
from handglass.messages.handshake import (
    TLS12_MESSAGES,
    TLS13_MESSAGES,
    Certificate13,
    CertificateEntry,
    CertificateRequest12,
    ClientHello,
    CompressedCertificate,
    DatagramClientHello,
    Finished,
    KeyUpdate,
    Message,
    ServerHello,
    frame,
    frame_body,
)
from handglass.messages.permissions import PERMITTED, permitted
from handglass.records import replace
from handglass.registry.code_points import (
    CipherSuite,
    CompressionMethod,
    ExtensionType,
    HandshakeType,
    KeyUpdateRequest,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.wire import DecodeError, EncodeError, Struct
from support import rfc8448
from support.structs import check_readers_agree, structs


def declarations(base: type[Struct] = Struct) -> Iterator[type[Struct]]:
    for cls in base.__subclasses__():
        if cls.__module__.startswith("handglass.messages."):
            if cls not in {Message, extensions.Body}:
                yield cls
            yield from declarations(cls)


ALL = sorted(set(declarations()), key=lambda cls: (cls.__module__, cls.__name__))
by_name = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)


def test_all_are_found() -> None:
    assert len(ALL) > 80
    assert {ClientHello, extensions.KeyShareEntry, record.Alert} <= set(ALL)


@by_name
def test_round_trip(cls: type[Struct]) -> None:
    @settings(max_examples=25, derandomize=True, deadline=None)
    @given(structs(cls))
    def check(value: Struct) -> None:
        assert cls.decode(value.encode()) == value

    check()


@by_name
def test_cut_at_every_length_and_made_longer(cls: type[Struct]) -> None:
    @settings(max_examples=4, derandomize=True, deadline=None)
    @given(structs(cls))
    def check(value: Struct) -> None:
        data = value.encode()
        for length in range(len(data)):
            check_readers_agree(cls, data[:length])
        check_readers_agree(cls, data + b"\x00")

    check()


@by_name
def test_changed_bytes(cls: type[Struct]) -> None:
    @settings(max_examples=25, derandomize=True, deadline=None)
    @given(structs(cls), st.lists(st.tuples(st.integers(0, 255), st.sampled_from(b"\x00\x01\x0a\x7f\xff"))))
    def check(value: Struct, changes: list[tuple[int, int]]) -> None:
        data = bytearray(value.encode())
        for place, byte in changes if data else ():
            data[place % len(data)] = byte
        check_readers_agree(cls, bytes(data))

    check()


CUTTABLE = {"SessionTicket", "Padding", "Finished", "MessageHash"}
"""What is nothing but the rest of the bytes has no wrong length."""


@pytest.mark.parametrize(
    "cls", [cls for cls in ALL if cls.__name__ not in CUTTABLE], ids=lambda cls: cls.__name__
)
def test_a_cut_message_is_refused(cls: type[Struct]) -> None:
    """Except where an optional block begins, and inside bytes of a form that we do not know."""

    @settings(max_examples=6, derandomize=True, deadline=None)
    @given(structs(cls))
    def check(value: Struct) -> None:
        if any(isinstance(getattr(value, name, None), bytes) for name in ("request", "response")):
            return
        data = value.encode()
        allowed = set()
        if isinstance(value, ClientHello | DatagramClientHello | ServerHello):
            allowed = {len(replace(value, extensions=None).encode())}
        for length in set(range(len(data))) - allowed:
            with pytest.raises(DecodeError):
                cls.decode(data[:length])

    check()


# RFC 8448 §3, the two hellos with their headers.
CLIENT_HELLO = rfc8448.trace(3).message("client", "ClientHello")
SERVER_HELLO = rfc8448.trace(3).message("server", "ServerHello")


def test_rfc8448_hellos() -> None:
    hello = ClientHello.decode(CLIENT_HELLO[4:])
    assert frame(hello) == CLIENT_HELLO
    assert hello.cipher_suites == (
        CipherSuite.TLS_AES_128_GCM_SHA256,
        CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_AES_256_GCM_SHA384,
    )
    assert hello.extensions is not None
    assert [e.type.name for e in hello.extensions] == [
        "SERVER_NAME",
        "RENEGOTIATION_INFO",
        "SUPPORTED_GROUPS",
        "SESSION_TICKET",
        "KEY_SHARE",
        "SUPPORTED_VERSIONS",
        "SIGNATURE_ALGORITHMS",
        "PSK_KEY_EXCHANGE_MODES",
        "RECORD_SIZE_LIMIT",
    ]
    for extension in hello.extensions:
        body = body_of(Place.CH, extension.type)
        assert body is not None
        assert body.decode(extension.data).encode() == extension.data
    bodies = by_type(hello.extensions)
    names = extensions.ServerNameList.decode(bodies[ExtensionType.SERVER_NAME])
    assert [name.host_name for name in names.server_name_list] == [b"server"]
    shares = extensions.KeyShareClientHello.decode(bodies[ExtensionType.KEY_SHARE])
    assert [(share.group, len(share.key_exchange)) for share in shares.client_shares] == [
        (NamedGroup.X25519, 32)
    ]
    limit = extensions.RecordSizeLimit.decode(bodies[ExtensionType.RECORD_SIZE_LIMIT])
    assert limit.record_size_limit == 16385

    answer = ServerHello.decode(SERVER_HELLO[4:])
    assert frame(answer) == SERVER_HELLO
    assert not answer.is_retry
    assert find(answer.extensions, ExtensionType.SUPPORTED_VERSIONS) == b"\x03\x04"


def hello_with(*items: Extension) -> ClientHello:
    return ClientHello(
        ProtocolVersion.TLS1_2,
        bytes(32),
        b"",
        (CipherSuite.TLS_AES_128_GCM_SHA256,),
        (CompressionMethod.NULL,),
        items,
    )


def test_a_hello_without_extensions_is_not_one_with_none() -> None:
    with_empty = hello_with()
    without = replace(with_empty, extensions=None)
    assert with_empty.encode() == without.encode() + b"\x00\x00"
    assert ClientHello.decode(without.encode()).extensions is None
    assert ClientHello.decode(with_empty.encode()).extensions == ()


def test_unknown_code_points_survive() -> None:
    hello = replace(
        hello_with(Extension(ExtensionType(0x4A4A), b"x"), Extension(ExtensionType(0xABCD), b"")),
        legacy_version=ProtocolVersion(0x0399),
        cipher_suites=(CipherSuite(0x0A0A), CipherSuite(0xABCD), CipherSuite.TLS_FALLBACK_SCSV),
        legacy_compression_methods=(CompressionMethod(77),),
    )
    back = ClientHello.decode(hello.encode())
    assert back == hello
    assert [suite.name for suite in back.cipher_suites] == [
        "GREASE_0x0A0A",
        "UNKNOWN_0xABCD",
        "TLS_FALLBACK_SCSV",
    ]
    assert KeyUpdate.decode(b"\x09").request_update == 9


@pytest.mark.parametrize(
    ("cls", "data"),
    [
        (extensions.ServerNameList, "0000"),
        (extensions.ServerNameList, "0003000000"),
        (extensions.ProtocolNameList, "0000"),
        (extensions.ProtocolNameList, "000100"),
        (extensions.ProtocolNameList, "00020000"),
        (extensions.SupportedGroups, "0000"),
        (extensions.SupportedGroups, "000100"),
        (extensions.SignatureAlgorithms, "0000"),
        (extensions.SignatureAlgorithms, "0003040304"),
        (extensions.ECPointFormatList, "00"),
        (extensions.SupportedVersionsClientHello, "00"),
        (extensions.SupportedVersionsClientHello, "03030403"),
        (extensions.PskKeyExchangeModes, "00"),
        (extensions.Cookie, "0000"),
        (extensions.KeyShareServerHello, "001d0000"),
        (extensions.CompressCertificateAlgorithms, "00"),
        (extensions.CertificateAuthorities, "0000"),
        (extensions.SignedCertificateTimestampList, "0000"),
        (extensions.ExtendedMasterSecret, "00"),
        (extensions.EarlyDataTicket, "000000"),
        (extensions.RecordSizeLimit, "40"),
        (extensions.PreSharedKeyClientHello, "0000" + "0021" + "20" + "00" * 32),
        (extensions.PreSharedKeyClientHello, "0007" + "00016100000000" + "0000"),
        (extensions.PreSharedKeyClientHello, "0007" + "00016100000000" + "0020" + "1f" + "00" * 31),
        (CertificateRequest12, "00" + "00020403" + "0000"),
        (CertificateRequest12, "0101" + "0000" + "0000"),
        (CompressedCertificate, "0001" + "000001" + "000000"),
        (Certificate13, "00" + "000005" + "000000" + "0000"),
        (KeyUpdate, ""),
        (KeyUpdate, "0000"),
    ],
)
def test_lists_that_are_too_short_or_uneven_are_refused(cls: type[Struct], data: str) -> None:
    with pytest.raises(DecodeError):
        cls.decode(bytes.fromhex(data))


def test_hello_bounds() -> None:
    hello = hello_with()
    for changes in (
        {"random": bytes(31)},
        {"legacy_session_id": bytes(33)},
        {"cipher_suites": ()},
        {"legacy_compression_methods": ()},
        {"extensions": (Extension(ExtensionType.PADDING, bytes(65536)),)},
        {"extensions": (Extension(ExtensionType.PADDING, bytes(40000)),) * 2},
    ):
        with pytest.raises(EncodeError):
            replace(hello, **changes).encode()
    longest = replace(hello, cipher_suites=(CipherSuite(0),) * 32767)
    assert ClientHello.decode(longest.encode()) == longest
    with pytest.raises(EncodeError):
        replace(hello, cipher_suites=(CipherSuite(0),) * 32768).encode()


def test_binders_size_is_the_tail_of_the_hello() -> None:
    offer = extensions.PreSharedKeyClientHello(
        (extensions.PskIdentity(b"a", 1), extensions.PskIdentity(b"bb", 2)), (bytes(32), bytes(48))
    )
    assert offer.binders_size == 2 + 33 + 49
    encoded = offer.encode()
    assert encoded[: -offer.binders_size].endswith(b"\x00\x02bb\x00\x00\x00\x02")
    data = frame(hello_with(Extension(ExtensionType.PRE_SHARED_KEY, encoded)))
    assert data.endswith(encoded[-offer.binders_size :])


def test_retry() -> None:
    retry = ServerHello(
        ProtocolVersion.TLS1_2,
        hashlib.sha256(b"HelloRetryRequest").digest(),
        b"",
        CipherSuite.TLS_AES_128_GCM_SHA256,
        extensions=(Extension(ExtensionType.KEY_SHARE, b"\x00\x17"),),
    )
    assert retry.is_retry
    assert not replace(retry, random=bytes(32)).is_retry
    nodes = {node.path: node for node in ServerHello.walk(retry.encode())}
    assert nodes["extensions[0].data.selected_group"].value == NamedGroup.SECP256R1


def test_the_walk_knows_where_extensions_stand() -> None:
    entry = CertificateEntry(b"der", (Extension(ExtensionType.STATUS_REQUEST, b"\x01\x00\x00\x01x"),))
    nodes = {node.path: node for node in Certificate13.walk(Certificate13(b"", (entry,)).encode())}
    assert nodes["certificate_list[0].extensions[0].data.response.ocsp_response"].value == b"x"
    answer = ServerHello(
        ProtocolVersion.TLS1_2,
        bytes(32),
        b"",
        CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
        extensions=(Extension(ExtensionType.RENEGOTIATION_INFO, b"\x02ab"),),
    )
    nodes = {node.path: node for node in ServerHello.walk(answer.encode())}
    assert nodes["extensions[0].data.renegotiated_connection"].value == b"ab"


def test_finding_extensions() -> None:
    a, b, c = (
        Extension(ExtensionType.PADDING, b"1"),
        Extension(ExtensionType.COOKIE, b"2"),
        Extension(ExtensionType.PADDING, b"3"),
    )
    assert find((a, b, c), ExtensionType.PADDING) == b"1"
    assert find((a, b, c), ExtensionType.KEY_SHARE) is None
    assert find(None, ExtensionType.PADDING) is None
    assert duplicates((a, b, c, a)) == (ExtensionType.PADDING,)
    assert duplicates((a, b)) == duplicates(None) == ()
    assert list(by_type((b, a))) == [ExtensionType.COOKIE, ExtensionType.PADDING]


def test_frames() -> None:
    assert frame(Finished(b"abc")) == b"\x14\x00\x00\x03abc"
    assert frame(KeyUpdate(KeyUpdateRequest.UPDATE_REQUESTED)) == b"\x18\x00\x00\x01\x01"
    assert frame_body(HandshakeType.MESSAGE_HASH, bytes(32))[:4] == b"\xfe\x00\x00\x20"
    with pytest.raises(EncodeError):
        frame_body(0, bytes(1 << 24))


def test_message_tables() -> None:
    for table in (TLS12_MESSAGES, TLS13_MESSAGES):
        for handshake_type, cls in table.items():
            assert cls.handshake_type == handshake_type
    assert HandshakeType.HELLO_REQUEST not in TLS13_MESSAGES
    assert HandshakeType.KEY_UPDATE not in TLS12_MESSAGES


def test_known_bodies_stand_only_where_they_may() -> None:
    misplaced = {(place, extension) for place, extension in BODIES if not permitted(extension, place)}
    # Servers do send it, against RFC 4492, and everybody lets them: it is shown, and it is not permitted.
    assert misplaced == {(Place.SH12, int(ExtensionType.SUPPORTED_GROUPS))}


def test_permissions_of_rfc8446() -> None:
    def places(extension: ExtensionType) -> str:
        order = [Place.CH, Place.SH, Place.HRR, Place.EE, Place.CT, Place.CR, Place.NST]
        return " ".join(place.name for place in order if place in PERMITTED[extension])

    # RFC 8446 §4.2, the table of the section
    assert places(ExtensionType.SERVER_NAME) == "CH EE"
    assert places(ExtensionType.MAX_FRAGMENT_LENGTH) == "CH EE"
    assert places(ExtensionType.STATUS_REQUEST) == "CH CT CR"
    assert places(ExtensionType.SUPPORTED_GROUPS) == "CH EE"
    assert places(ExtensionType.SIGNATURE_ALGORITHMS) == "CH CR"
    assert places(ExtensionType.USE_SRTP) == "CH EE"
    assert places(ExtensionType.HEARTBEAT) == "CH EE"
    assert places(ExtensionType.ALPN) == "CH EE"
    assert places(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP) == "CH CT CR"
    assert places(ExtensionType.CLIENT_CERTIFICATE_TYPE) == "CH EE"
    assert places(ExtensionType.SERVER_CERTIFICATE_TYPE) == "CH EE"
    assert places(ExtensionType.PADDING) == "CH"
    assert places(ExtensionType.KEY_SHARE) == "CH SH HRR"
    assert places(ExtensionType.PRE_SHARED_KEY) == "CH SH"
    assert places(ExtensionType.PSK_KEY_EXCHANGE_MODES) == "CH"
    assert places(ExtensionType.EARLY_DATA) == "CH EE NST"
    assert places(ExtensionType.COOKIE) == "CH HRR"
    assert places(ExtensionType.SUPPORTED_VERSIONS) == "CH SH HRR"
    assert places(ExtensionType.CERTIFICATE_AUTHORITIES) == "CH CR"
    assert places(ExtensionType.OID_FILTERS) == "CR"
    assert places(ExtensionType.POST_HANDSHAKE_AUTH) == "CH"
    assert places(ExtensionType.SIGNATURE_ALGORITHMS_CERT) == "CH CR"
    assert permitted(0xABCD, Place.SH)


def test_declared_bodies_say_their_type() -> None:
    shared = {
        ExtensionType.SIGNATURE_ALGORITHMS_CERT,
        ExtensionType.CLIENT_CERTIFICATE_TYPE,
        ExtensionType.APPLICATION_SETTINGS_OLD,
    }
    for (_, extension), body in BODIES.items():
        if issubclass(body, extensions.Body) and extension not in shared:
            assert body.extension_type == extension


def test_signature_schemes_are_hash_and_signature_pairs() -> None:
    """RFC 5246 §7.4.1.4.1: SHA-256 is 4, ECDSA is 3."""
    body = extensions.SignatureAlgorithms.decode(b"\x00\x02\x04\x03")
    assert body.supported_signature_algorithms == (SignatureScheme.ECDSA_SECP256R1_SHA256,)
