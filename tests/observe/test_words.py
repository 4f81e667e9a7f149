"""Names, sentences and blocks for people and for the scripts that read OpenSSL's."""

from __future__ import annotations

import re

import pytest

from handglass.handshake.config import ClientConfig
from handglass.observe import advice, labels, report
from handglass.observe.session_text import session_text, shown_session_id
from handglass.registry import reasons
from handglass.registry.code_points import (
    AlertDescription,
    AlertLevel,
    CipherSuite,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
)
from handglass.registry.errors import AlertReceived, LocalError, PeerError, TLSError
from support.engines import Pair, connect, pair
from support.peers import needs, program
from support.processes import run

TLS12 = ClientConfig(versions=(ProtocolVersion.TLS1_2,))
OPENSSL_LINE = re.compile(r"[0-9A-F]{16}:error:[0-9A-F]{8}:SSL routines:handglass:[^:]+:[^:]*:0:[^:]*")


# Errors.


@pytest.mark.parametrize("name", advice.OPENSSL_REASONS)
def test_each_translated_reason_exists(name: str) -> None:
    assert name in reasons.all_reasons()


@needs("openssl")
def test_the_numbers_are_those_of_openssl() -> None:
    """`openssl errstr` knows the words of each number that the installed release has."""
    known = dict(advice.OPENSSL_REASONS.values())
    known |= {1000 + alert: words for alert, words in advice.ALERT_WORDS.items()}
    command = [program("openssl"), "errstr", *(f"{0x0A000000 + code:08X}" for code in known)]
    lines = run(command).check().stdout.decode().splitlines()
    for words, line in zip(known.values(), lines, strict=True):
        theirs = line.split(":")[-1]
        if not theirs.startswith("reason("):
            assert words == theirs, line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            AlertReceived(AlertLevel.FATAL, AlertDescription.HANDSHAKE_FAILURE),
            "sslv3 alert handshake failure",
        ),
        (AlertReceived(AlertLevel.FATAL, AlertDescription(77)), "reason(1077)"),
        (PeerError(reasons.NOT_TLS), "wrong version number"),
        (PeerError(reasons.DECODE_ERROR, "a detail: with colons"), "length mismatch"),
        (LocalError(reasons.CANCELED), "canceled"),
        (PeerError(reasons.BAD_CERTIFICATE, "certificate verify failed: x"), "certificate verify failed"),
    ],
)
def test_the_line_for_scripts(error: TLSError, words: str) -> None:
    line = advice.openssl_line(error, "read_server_hello")
    assert OPENSSL_LINE.fullmatch(line)
    assert line.split(":")[5] == words
    assert ("SSL alert number" in line) == isinstance(error, AlertReceived)


def test_hints_are_for_clients() -> None:
    made = connect()
    error = AlertReceived(AlertLevel.FATAL, AlertDescription.PROTOCOL_VERSION)
    sentence, hint = advice.explain(error, made.client.negotiated)
    assert sentence == str(error)
    assert hint.startswith("Hint: the server speaks none of the versions")
    assert advice.explain(error, made.server.negotiated) == [str(error)]


# Names.


def test_what_has_no_name_has_a_number() -> None:
    assert labels.version_name(ProtocolVersion(0x0305)) == "0x0305"
    assert labels.suite_name(CipherSuite(0x4A4B)).endswith("4A4B")
    assert labels.group_name(NamedGroup(0x1234)) == "0x1234"
    assert labels.scheme_name(SignatureScheme(0x0A1F)) == "0x0A+0x1F"
    assert labels.version_name(None) == labels.suite_name(None) == labels.suite_version(None) == "(NONE)"
    assert labels.signing_digest(None) is None
    assert labels.signature_type(SignatureScheme(0x0A1F)) is None


@pytest.mark.parametrize(
    ("scheme", "digest", "kind"),
    [
        (SignatureScheme.RSA_PSS_RSAE_SHA256, "SHA256", "RSA-PSS"),
        (SignatureScheme.RSA_PKCS1_SHA384, "SHA384", "RSA"),
        (SignatureScheme.ECDSA_SECP256R1_SHA256, "SHA256", "ECDSA"),
        (SignatureScheme.ED25519, None, "ed25519"),
        (SignatureScheme.MLDSA44, None, "mldsa44"),
    ],
)
def test_signatures(scheme: SignatureScheme, digest: str | None, kind: str) -> None:
    assert (labels.signing_digest(scheme), labels.signature_type(scheme)) == (digest, kind)


# Reports and sessions.


def facts(made: Pair) -> report.Facts:
    client = made.client
    schemes = [SignatureScheme.ECDSA_SECP256R1_SHA256]
    return report.Facts(client.negotiated, None, client.bytes_read, client.bytes_written, schemes)


def test_a_report_of_nothing() -> None:
    made = pair()
    text = report.full_report(facts(made))
    assert "no peer certificate available" in text
    assert "New, (NONE), Cipher is (NONE)" in text
    assert "SSL handshake has read 0 bytes and written 0 bytes" in text


def test_a_report_is_cut_where_the_handshake_was() -> None:
    """The server's hello is all that came: what it says is reported, and nothing else is made up."""
    made = pair()
    made.client.start()
    made.server.receive(made.client.data_to_send())
    answer = made.server.data_to_send()
    made.client.receive(answer[: 5 + int.from_bytes(answer[3:5])])
    text = report.full_report(facts(made))
    assert "no peer certificate available" in text
    assert "New, TLSv1.3, Cipher is TLS_" in text
    assert f"has read {5 + int.from_bytes(answer[3:5])} bytes" in text


def test_the_brief_report() -> None:
    text = report.brief_report(facts(connect()))
    assert re.search(r"^Protocol version: TLSv1\.3\nCiphersuite: TLS_AES_\d+_GCM_SHA\d+$", text, re.MULTILINE)
    assert "Peer certificate: CN = server.test\n" in text
    assert "Signature type: ECDSA\n" in text


def test_secrets_are_only_in_the_block_of_the_session() -> None:
    made = connect(TLS12)
    session = made.client.negotiated.session
    assert session is not None
    secret = session.secret.hex().upper()
    assert secret in report.full_report(facts(made))
    assert secret not in report.brief_report(facts(made))
    assert secret.lower() not in repr(facts(made)).lower()
    text = session_text(session, session_id=shown_session_id(session), verify_line="0 (ok)")
    assert f"    Master-Key: {secret}\n" in text
    assert "    Verify return code: 0 (ok)\n" in text
    assert "    Extended master secret: yes\n" in text


def test_keying_material_that_cannot_be_had() -> None:
    assert report.keying_material("x", 3, None).endswith("    Length: 3 bytes\n    Error\n")
    assert report.keying_material("x", 3, b"\1\2\3").endswith("    Keying material: 010203\n")
