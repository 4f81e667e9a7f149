"""Session files: ours read by openssl, openssl's read by us, and damaged ones."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from handglass.cli.sessions import (
    SessionFile,
    SessionFileError,
    decode_session,
    encode_session,
    read_session,
    to_pem,
    write_session,
)
from handglass.registry.code_points import CipherSuite, CompressionMethod, NamedGroup, ProtocolVersion
from support.peers import OpenSSLServer, needs
from support.pki import Pki

TLS13 = SessionFile(
    version=ProtocolVersion.TLS1_3,
    suite=CipherSuite.TLS_AES_256_GCM_SHA384,
    session_id=bytes(range(32)),
    secret=bytes(range(48)),
    start_time=1_795_205_774,
    timeout=7200,
    verify_result=20,
    hostname="server.test",
    ticket_lifetime=7200,
    ticket=b"ticket" * 30,
    ticket_age_add=0xFEDCBA98,
    max_early_data=16384,
    alpn=b"h2",
    max_fragment_length=2,
    group=NamedGroup.X25519MLKEM768,
)
TLS12 = SessionFile(
    version=ProtocolVersion.TLS1_2,
    suite=CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    session_id=b"\xab" * 32,
    secret=b"\x80" * 48,
    start_time=1_795_205_774,
    timeout=300,
    context=b"\1\0\0\0",
    psk_identity_hint=b"hint",
    psk_identity=b"me",
    srp_username="joe",
    compression=CompressionMethod(1),
    extended_master_secret=True,
    ticket_data=b"data",
)


def sess_id(data: bytes, *options: str) -> str:
    done = subprocess.run(["openssl", "sess_id", *options], input=data, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("session", [TLS13, TLS12], ids=["TLS 1.3", "TLS 1.2"])
def test_there_and_back(session: SessionFile) -> None:
    assert read_session(write_session(session).encode()) == session
    assert read_session(encode_session(session)) == session
    assert read_session(b"some words\n" + write_session(session).encode() + b"and more\n") == session


def test_secrets_are_not_in_the_repr() -> None:
    text = repr(TLS13)
    assert "ticketticket" not in text
    assert " secret=" not in text
    assert str(TLS13.secret) not in text


@needs("openssl")
def test_openssl_reads_ours_tls13(pki: Pki) -> None:
    certificate = pki.server("rsa").der_chain[0]
    session = SessionFile(
        **{**{name: getattr(TLS13, name) for name in SessionFile.__slots__}, "certificate": certificate}
    )
    text = sess_id(write_session(session).encode(), "-text", "-noout")
    assert "Protocol  : TLSv1.3" in text
    assert "Cipher    : TLS_AES_256_GCM_SHA384" in text
    assert f"Session-ID: {session.session_id.hex().upper()}" in text
    assert f"Resumption PSK: {session.secret.hex().upper()}" in text
    assert "TLS session ticket lifetime hint: 7200 (seconds)" in text
    assert "0000 - 74 69 63 6b 65 74" in text
    assert "Start Time: 1795205774" in text
    assert "Timeout   : 7200 (sec)" in text
    assert "Verify return code: 20 (unable to get local issuer certificate)" in text
    assert "Extended master secret: no" in text
    assert "Max Early Data: 16384" in text
    assert read_session(sess_id(write_session(session).encode()).encode()) == session
    assert "-----BEGIN CERTIFICATE-----" in sess_id(write_session(session).encode(), "-cert")


@needs("openssl")
def test_openssl_reads_ours_tls12() -> None:
    text = sess_id(write_session(TLS12).encode(), "-text", "-noout")
    assert "Protocol  : TLSv1.2" in text
    assert f"Master-Key: {TLS12.secret.hex().upper()}" in text
    assert "Session-ID-ctx: 01000000" in text
    assert "PSK identity: me" in text
    assert "PSK identity hint: hint" in text
    assert "SRP username: joe" in text
    assert "Compression: 1" in text
    assert "Extended master secret: yes" in text
    assert read_session(sess_id(write_session(TLS12).encode()).encode()) == TLS12


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_what_openssl_writes(pki: Pki, tmp_path: Path, version: str) -> None:
    file = tmp_path / "session.pem"
    identity = pki.server("rsa")
    options = ["-rev", "-alpn", "h2", "-max_early_data", "1000"]
    if version == "-tls1_2":  # a server that switches to its second certificate forgets ALPN
        options += [
            "-servername",
            "server.test",
            "-cert2",
            str(identity.certificate),
            "-key2",
            str(identity.key),
        ]
    with OpenSSLServer(identity, *options) as server:
        command = [
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{server.port}",
            version,
            "-sess_out",
            str(file),
        ]
        command += ["-servername", "server.test", "-alpn", "h2", "-ign_eof", "-quiet"]
        subprocess.run(command, input=b"hello\nCLOSE\n", capture_output=True, check=True, timeout=60)
    data = file.read_bytes()
    session = read_session(data)
    assert session.version == (ProtocolVersion.TLS1_2 if version == "-tls1_2" else ProtocolVersion.TLS1_3)
    assert session.certificate == identity.der_chain[0]
    assert session.hostname == ("server.test" if version == "-tls1_2" else None)
    assert session.alpn == (b"h2" if version == "-tls1_3" else None)
    assert session.ticket
    assert session.extended_master_secret == (version == "-tls1_2")
    if version == "-tls1_3":
        assert session.max_early_data == 1000
        assert session.ticket_age_add
        assert session.group == NamedGroup.X25519
    assert write_session(session).encode() == data


@needs("openssl")
def test_openssl_resumes_what_we_have_rewritten(pki: Pki, tmp_path: Path) -> None:
    file = tmp_path / "session.pem"
    with OpenSSLServer(pki.server("p256"), "-rev") as server:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-ign_eof"]
        first = subprocess.run(
            [*command, "-sess_out", str(file)],
            input=b"hello\nCLOSE\n",
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert re.search(rb"^New, TLSv1.3", first.stdout, re.M)
        file.write_text(write_session(read_session(file.read_bytes())))
        second = subprocess.run(
            [*command, "-sess_in", str(file)],
            input=b"hello\nCLOSE\n",
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert re.search(rb"^Reused, TLSv1.3", second.stdout, re.M)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "there is no block BEGIN SSL SESSION PARAMETERS"),
        (b"-----BEGIN SSL SESSION PARAMETERS-----\nMII=\n", "there is no block"),
        (b"-----BEGIN SSL SESSION PARAMETERS-----\nMI\n-----END SSL SESSION PARAMETERS-----", "base64"),
        (b"\x30\x82", "the encoding is damaged"),
        (b"\x30\x00", "at least 5 fields"),
        (b"x" * (1 << 21), "no session has more"),
        (to_pem(b"\x30\x03\x02\x01\x01").encode(), "at least 5 fields"),
    ],
)
def test_complaints(data: bytes, complaint: str) -> None:
    with pytest.raises(SessionFileError, match=complaint):
        read_session(data)


def test_damaged_fields_never_escape() -> None:
    encoded = encode_session(TLS13)
    for length in range(len(encoded)):
        with pytest.raises(SessionFileError):
            decode_session(encoded[:length])
    chance = random.Random(8446)
    for _ in range(5000):
        damaged = bytearray(encoded)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            session = decode_session(bytes(damaged))
        except SessionFileError:
            continue
        assert decode_session(encode_session(session)) == session
