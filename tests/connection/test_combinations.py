"""Two engines back to back over everything that they support, whole, byte by byte and in random pieces."""

from __future__ import annotations

import pytest

from handglass.crypto.identity import Identity
from handglass.handshake.config import (
    DEFAULT_SIGNATURE_SCHEMES,
    ClientAuthentication,
    ClientConfig,
    ServerConfig,
)
from handglass.records import replace
from handglass.registry import suites
from handglass.registry.code_points import (
    CertificateCompressionAlgorithm,
    CipherSuite,
    NamedGroup,
    ProtocolVersion,
    PskKeyExchangeMode,
)
from support.engines import (
    KEY_TYPES,
    Clock,
    connect,
    identity,
    pair,
    random_pieces,
    reason_of,
    sessions,
    single_bytes,
    subject,
)

TLS13, TLS12 = ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2

SUITES13 = (
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_AES_256_GCM_SHA384,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_128_CCM_SHA256,
    CipherSuite.TLS_AES_128_CCM_8_SHA256,
    CipherSuite.TLS_SHA256_SHA256,
    CipherSuite.TLS_SHA384_SHA384,
)
SUITES12 = tuple(
    CipherSuite(suite)
    for suite, facts in suites.FACTS.items()
    if facts.max_version == TLS12 or facts.min_version <= TLS12 <= facts.max_version
    if facts.key_exchange in {"RSA", "DHE", "ECDHE"}
    if facts.authentication in {"RSA", "ECDSA"}
    if facts.cipher
    in {
        "AES_128_GCM",
        "AES_256_GCM",
        "CHACHA20_POLY1305",
        "AES_128_CCM",
        "AES_256_CCM",
        "AES_128_CCM_8",
        "AES_256_CCM_8",
        "AES_128_CBC",
        "AES_256_CBC",
    }
    if facts.mac in {"AEAD", "SHA1", "SHA256", "SHA384"}
)
GROUPS13 = (
    NamedGroup.X25519,
    NamedGroup.X448,
    NamedGroup.SECP256R1,
    NamedGroup.SECP384R1,
    NamedGroup.SECP521R1,
    NamedGroup.BRAINPOOLP256R1TLS13,
    NamedGroup.BRAINPOOLP384R1TLS13,
    NamedGroup.BRAINPOOLP512R1TLS13,
    NamedGroup.FFDHE2048,
    NamedGroup.FFDHE3072,
    NamedGroup.FFDHE4096,
    NamedGroup.FFDHE6144,
    NamedGroup.FFDHE8192,
    NamedGroup.X25519MLKEM768,
    NamedGroup.SECP256R1MLKEM768,
    NamedGroup.SECP384R1MLKEM1024,
)
GROUPS12 = (
    NamedGroup.X25519,
    NamedGroup.X448,
    NamedGroup.SECP256R1,
    NamedGroup.SECP384R1,
    NamedGroup.SECP521R1,
    NamedGroup.BRAINPOOLP256R1,
    NamedGroup.BRAINPOOLP384R1,
    NamedGroup.BRAINPOOLP512R1,
)
CUTS = {"whole": None, "bytes": single_bytes, "pieces": random_pieces(7)}
COMPRESSIONS = (
    CertificateCompressionAlgorithm.ZLIB,
    CertificateCompressionAlgorithm.BROTLI,
    CertificateCompressionAlgorithm.ZSTD,
)


def leaf_for(suite: CipherSuite) -> str:
    """Give the key type that a suite needs."""
    facts = suites.facts_of(suite)
    assert facts is not None
    return "rsa" if facts.authentication == "RSA" else "p256"


@pytest.mark.parametrize("suite", SUITES13, ids=lambda suite: suite.name)
def test_suites_of_tls13(suite: CipherSuite) -> None:
    """Every suite of TLS 1.3, the integrity-only ones of RFC 9150 too, in full and resumed."""
    clock = Clock()
    server = ServerConfig(identities=(identity("p256"),), suites=(suite,), sessions=sessions(clock))
    client = ClientConfig(versions=(TLS13,), suites=(suite,))
    first = connect(client, server, clock=clock)
    assert first.client.negotiated.suite == suite
    again = connect(replace(client, session=first.session()), server, clock=clock)
    assert again.client.negotiated.resumed


def test_there_are_all_suites_of_tls12() -> None:
    """The list of what is tried below is worth something."""
    assert len(SUITES12) == 39


@pytest.mark.parametrize("suite", SUITES12, ids=lambda suite: suite.name)
@pytest.mark.parametrize("modern", [True, False], ids=["modern", "old"])
def test_suites_of_tls12(suite: CipherSuite, modern: bool) -> None:
    """Every suite of TLS 1.2, with and without extended master secret and encrypt-then-MAC, in full and resumed."""
    clock = Clock()
    server = ServerConfig(
        identities=(identity(leaf_for(suite)),),
        versions=(TLS12,),
        suites=(suite,),
        sessions=sessions(clock),
        tickets=modern,
    )
    client = ClientConfig(
        versions=(TLS12,), suites=(suite,), extended_master_secret=modern, encrypt_then_mac=modern
    )
    first = connect(client, server, clock=clock)
    facts = suites.facts_of(suite)
    assert facts is not None
    assert first.client.negotiated.extended_master_secret is modern
    assert first.client.negotiated.encrypt_then_mac is (modern and facts.mac != "AEAD")
    session = first.session()
    assert bool(session.ticket) is modern
    again = connect(replace(client, session=session), server, clock=clock)
    assert again.client.negotiated.resumed


@pytest.mark.parametrize("group", GROUPS13, ids=lambda group: group.name)
@pytest.mark.parametrize("retry", [False, True], ids=["at-once", "retried"])
def test_groups_of_tls13(group: NamedGroup, retry: bool) -> None:
    """Every group of TLS 1.3, with its share in the first hello or only in the second."""
    done = connect(
        ClientConfig(groups=(NamedGroup.X25519, group), key_shares=() if retry else (group,)),
        ServerConfig(identities=(identity("p256"),), groups=(group,)),
    )
    assert done.client.negotiated.group == group
    assert done.client.negotiated.hello_retried is retry


@pytest.mark.parametrize("group", GROUPS12, ids=lambda group: group.name)
def test_curves_of_tls12(group: NamedGroup) -> None:
    """Every curve of TLS 1.2."""
    client = ClientConfig(versions=(TLS12,), groups=(group,))
    server = ServerConfig(identities=(identity("rsa"),), groups=(group,))
    assert connect(client, server).client.negotiated.group == group


@pytest.mark.parametrize("group", [NamedGroup.FFDHE2048, NamedGroup.FFDHE3072, NamedGroup.FFDHE4096])
def test_finite_fields_of_tls12(group: NamedGroup) -> None:
    """The groups of RFC 7919, which the client names and the server answers with bare numbers."""
    client = ClientConfig(
        versions=(TLS12,), groups=(group,), suites=(CipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,)
    )
    done = pair(client, ServerConfig(identities=(identity("rsa"),), groups=(group,))).start()
    assert done.client.negotiated.dh_bits == int(group.name[5:])
    done.exchange()


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
def test_certificates_of_both_sides(key_type: str, version: ProtocolVersion) -> None:
    """Every kind of key signs for the server and for the client."""
    server = ServerConfig(
        identities=(identity(key_type),),
        versions=(version,),
        client_authentication=ClientAuthentication.REQUIRE,
        authorities=(subject(key_type, "client.test"),),
    )
    client = ClientConfig(versions=(version,), identities=(identity(key_type, "client.test"),))
    if version == TLS12 and key_type.startswith("mldsa"):
        failed = pair(client, server).start()  # ML-DSA is for TLS 1.3 alone
        assert reason_of(failed.server) == "NO_COMMON_SUITE"
        return
    done = connect(client, server)
    assert done.server.negotiated.peer_certificates == identity(key_type, "client.test").certificates
    assert done.client.negotiated.client_certificate_sent


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
@pytest.mark.parametrize("mode", list(ClientAuthentication), ids=lambda mode: mode.value)
@pytest.mark.parametrize("has", [True, False], ids=["has-one", "has-none"])
def test_client_authentication(version: ProtocolVersion, mode: ClientAuthentication, has: bool) -> None:
    """Asked or not, required or not, with a certificate or without."""
    server = ServerConfig(identities=(identity("p256"),), client_authentication=mode)
    client = ClientConfig(versions=(version,), identities=(identity("ed25519"),) if has else ())
    tried = pair(client, server).start()
    if mode is ClientAuthentication.REQUIRE and not has:
        expected = "CERTIFICATE_REQUIRED" if version == TLS13 else "CERTIFICATE_REQUIRED_LEGACY"
        assert reason_of(tried.server) == expected
        return
    tried.check()
    came = bool(tried.server.negotiated.peer_certificates)
    assert came is (has and mode is not ClientAuthentication.NONE)


@pytest.mark.parametrize("cut", list(CUTS), ids=list(CUTS))
@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
@pytest.mark.parametrize("resumed", [False, True], ids=["full", "resumed"])
@pytest.mark.parametrize("authenticated", [False, True], ids=["server-only", "both"])
def test_cut_anywhere(cut: str, version: ProtocolVersion, resumed: bool, authenticated: bool) -> None:
    """The bytes may arrive in any pieces."""
    clock = Clock()
    mode = ClientAuthentication.REQUIRE if authenticated else ClientAuthentication.NONE
    server = ServerConfig(
        identities=(identity("p256"),), sessions=sessions(clock), client_authentication=mode
    )
    client = ClientConfig(versions=(version,), identities=(identity("ed25519"),), server_name="server.test")
    if resumed:
        client = replace(client, session=connect(client, server, clock=clock).session())
    done = connect(client, server, clock=clock, **({"cut": CUTS[cut]} if CUTS[cut] else {}))
    assert done.server.negotiated.resumed is resumed
    assert bool(done.server.negotiated.peer_certificates) is authenticated


@pytest.mark.parametrize("algorithm", COMPRESSIONS, ids=lambda algorithm: algorithm.name)
@pytest.mark.parametrize("both", [False, True], ids=["server", "both"])
def test_certificate_compression(algorithm: CertificateCompressionAlgorithm, both: bool) -> None:
    """Compressed certificates (RFC 8879) in both directions."""
    mode = ClientAuthentication.REQUIRE if both else ClientAuthentication.NONE
    done = connect(
        ClientConfig(certificate_compression=(algorithm,), identities=(identity("p256"),)),
        ServerConfig(
            identities=(identity("rsa"),), certificate_compression=(algorithm,), client_authentication=mode
        ),
    )
    assert done.client.negotiated.certificate_compression == algorithm
    assert (done.server.negotiated.certificate_compression == algorithm) is both


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
@pytest.mark.parametrize("client_limit", [64, 511, 16384, 16385])
@pytest.mark.parametrize("server_limit", [64, 4096, 16385])
def test_record_size_limit(version: ProtocolVersion, client_limit: int, server_limit: int) -> None:
    """Each side keeps to the limit of the other (RFC 8449)."""
    done = connect(
        ClientConfig(versions=(version,), record_size_limit=client_limit),
        ServerConfig(identities=(identity("p256"),), record_size_limit=server_limit),
    )
    hidden = 1 if version == TLS13 else 0
    assert done.server._channel.write_limit == min(client_limit - hidden, 1 << 14)
    assert done.client._channel.write_limit == min(server_limit - hidden, 1 << 14)
    done.exchange(70_000)


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
@pytest.mark.parametrize("length", [512, 1024, 2048, 4096])
def test_max_fragment_length(version: ProtocolVersion, length: int) -> None:
    """Both sides keep to the length that the client asked for (RFC 6066 §4)."""
    done = connect(ClientConfig(versions=(version,), max_fragment_length=length))
    assert done.server._channel.write_limit == done.client._channel.write_limit == length
    assert done.server.negotiated.max_fragment_length == length
    done.exchange(20_000)


@pytest.mark.parametrize("padding", [1, 16, 512, 16384])
def test_record_padding(padding: int) -> None:
    """Padded records (RFC 8446 §5.4) hold what they held, also beside a record size limit."""
    for limit in (None, 100):
        connect(
            ClientConfig(record_padding=padding, record_size_limit=limit),
            ServerConfig(identities=(identity("p256"),), record_padding=padding, record_size_limit=limit),
        ).exchange(5000)


@pytest.mark.parametrize("compatibility", [True, False], ids=["compatible", "plain"])
@pytest.mark.parametrize("cookie", [True, False], ids=["cookie", "no-cookie"])
@pytest.mark.parametrize("group", [True, False], ids=["group", "no-group"])
def test_retries(compatibility: bool, cookie: bool, group: bool) -> None:
    """HelloRetryRequest for a cookie, for a group, and for both, with and without ChangeCipherSpec."""
    client = ClientConfig(
        groups=(NamedGroup.X25519, NamedGroup.SECP256R1),
        key_shares=(NamedGroup.X25519,),
        middlebox_compatibility=compatibility,
        grease=True,
    )
    groups = (NamedGroup.SECP256R1,) if group else (NamedGroup.X25519,)
    server = ServerConfig(
        identities=(identity("p256"),),
        groups=groups,
        send_cookie=cookie,
        middlebox_compatibility=compatibility,
    )
    done = connect(client, server, cut=single_bytes)
    assert done.client.negotiated.hello_retried is (cookie or group)


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
def test_alpn_and_server_name(version: ProtocolVersion) -> None:
    """The server's order decides (RFC 7301 §3.2), and it acknowledges the name (RFC 6066 §3)."""
    client = ClientConfig(versions=(version,), alpn=(b"h2", b"http/1.1"), server_name="server.test")
    server = ServerConfig(identities=(identity("p256"),), alpn=(b"http/1.1", b"h2"))
    done = connect(client, server)
    assert done.client.negotiated.alpn == b"http/1.1"
    assert done.server.negotiated.server_name == "server.test"
    refused = pair(replace(client, alpn=(b"smtp",)), server).start()
    assert reason_of(refused.server) == "NO_APPLICATION_PROTOCOL"
    lenient = replace(server, require_alpn_overlap=False)
    assert connect(replace(client, alpn=(b"smtp",)), lenient).client.negotiated.alpn is None


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
def test_grease(version: ProtocolVersion) -> None:
    """Reserved code points everywhere in the hello (RFC 8701) change nothing."""
    done = connect(ClientConfig(versions=(version,), grease=True))
    hello = done.server.negotiated.client_hello
    assert hello is not None
    assert hello.suites[0].is_grease
    assert hello.extension_types[0].is_grease


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
def test_staples(version: ProtocolVersion) -> None:
    """An OCSP answer and signed certificate timestamps arrive where they were asked for."""
    server = ServerConfig(identities=(identity("p256"),), ocsp_response=b"ocsp", scts=b"\0\4\0\2ct")
    done = connect(ClientConfig(versions=(version,), request_status=True, request_scts=True), server)
    assert done.client.negotiated.peer_ocsp_responses == (b"ocsp",)
    assert done.client.negotiated.peer_scts == b"\0\4\0\2ct"
    silent = connect(ClientConfig(versions=(version,)), server)
    assert silent.client.negotiated.peer_ocsp_responses == (None,)
    assert silent.client.negotiated.peer_scts is None


@pytest.mark.parametrize("version", [TLS13, TLS12], ids=lambda version: version.name)
def test_staples_for_each_certificate(version: ProtocolVersion) -> None:
    """In TLS 1.3 every certificate of the chain has its own answer (RFC 8446 §4.4.2.1)."""
    leaf = identity("p256")
    own = replace(leaf, chain=(identity("rsa").certificate, identity("p384").certificate))
    asked: list[Identity] = []

    def staple(about: Identity) -> list[bytes | None]:
        asked.append(about)
        return [b"leaf's", None, b"root's", b"one too many"]

    server = ServerConfig(identities=(own,), staple=staple)
    done = connect(ClientConfig(versions=(version,), request_status=True), server)
    expected = (b"leaf's", None, b"root's") if version == TLS13 else (b"leaf's",)
    assert done.client.negotiated.peer_ocsp_responses == expected
    assert asked == [own]
    connect(ClientConfig(versions=(version,)), server)
    assert asked == [own], "nobody wanted it"


@pytest.mark.parametrize("modes", [(0,), (1,), (0, 1), (1, 0)], ids=str)
@pytest.mark.parametrize("retry", [False, True], ids=["at-once", "retried"])
def test_resumption_modes_of_tls13(modes: tuple[int, ...], retry: bool) -> None:
    """psk_ke and psk_dhe_ke (RFC 8446 §4.2.9)."""
    clock = Clock()
    server = ServerConfig(
        identities=(identity("p256"),),
        sessions=sessions(clock),
        psk_modes=(PskKeyExchangeMode.PSK_DHE_KE, PskKeyExchangeMode.PSK_KE),
        send_cookie=retry,
    )
    client = ClientConfig(versions=(TLS13,), psk_modes=tuple(map(PskKeyExchangeMode, modes)))
    session = connect(client, server, clock=clock).session()
    again = connect(replace(client, session=session), server, clock=clock)
    assert again.client.negotiated.resumed
    assert (again.client.negotiated.group is None) is (modes == (0,))


def test_every_offered_scheme_is_understood() -> None:
    """What a client offers it can also check: each default scheme belongs to a certificate that was tried above."""
    tried = set()
    for key_type in KEY_TYPES:
        for scheme in DEFAULT_SIGNATURE_SCHEMES:
            server = ServerConfig(identities=(identity(key_type),), signature_schemes=(scheme,))
            attempt = pair(ClientConfig(versions=(TLS13,)), server).start()
            if attempt.client.error is None:
                tried.add(scheme)
    missing = [scheme.name for scheme in DEFAULT_SIGNATURE_SCHEMES if scheme not in tried]
    assert all("PKCS1" in name or "BRAINPOOL" in name for name in missing), missing
