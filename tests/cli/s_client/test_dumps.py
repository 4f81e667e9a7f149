"""-tlsextdebug and -debug of both programs: extensions and raw bytes in OpenSSL's layout."""

from __future__ import annotations

import re
from itertools import groupby

import pytest

from cli.s_server.serving import PROGRAM
from handglass.handshake.wants import Direction
from handglass.messages.handshake import ClientHello, EncryptedExtensions, Extension, frame
from handglass.observe.extensions import ExtensionDump
from handglass.registry.code_points import CipherSuite, CompressionMethod, ExtensionType, ProtocolVersion
from net.scripts import HAPPY
from support.peers import OpenSSLClient, OpenSSLServer, needs
from support.pki import Pki
from support.plain_then_tls import plain_then_tls
from support.processes import Outcome
from support.s_client import ours, theirs

PIECE = re.compile(
    r"^(write to|read from) 0x[0-9a-f]+ \[0x[0-9a-f]+\] \((\d+) bytes => (\d+) \(0x([0-9A-F]+)\)\)$"
)
ROW = re.compile(r"^[0-9a-f]{4} - ((?:[0-9a-f]{2}[- ])+) *  .{1,16}$")


class Lines:
    """A file of text."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def extensions(outcome: Outcome) -> list[str]:
    """List the lines about extensions, and the bytes of those that are the same in each run."""
    lines = outcome.stdout.decode().partition("---\n")[0].splitlines()
    return [line for line in lines if not re.match(r"CONNECTED|OCSP|00[1-9a-f]0 - |0000 - 00 1d", line)]


@needs("openssl")
@pytest.mark.parametrize(
    "options", [("-tls1_2",), ("-tls1_3",), ("-tls1_2", "-no_etm"), ("-brief",), ("-quiet",)]
)
def test_extensions_of_a_server(pki: Pki, options: tuple[str, ...]) -> None:
    """Name, number, length and bytes are OpenSSL's, and they stand before the report; -brief and -quiet show none."""
    cbc = ("-cipher", "ECDHE-RSA-AES128-SHA", "-no_ticket")
    with OpenSSLServer(pki.server("rsa"), "-alpn", "h2", "-www") as server:
        command = (
            *options,
            *cbc,
            "-tlsextdebug",
            "-alpn",
            "h2",
            "-maxfraglen",
            "1024",
            "-servername",
            "server.test",
        )
        data = b"GET / HTTP/1.0\r\n\r\n" if options == ("-quiet",) else b""
        expected, found = theirs(server.port, *command, data=data), ours(server.port, *command, data=data)
    if options in {("-brief",), ("-quiet",)}:
        assert "extension" not in expected.text + found.text
    else:
        assert extensions(found) == extensions(expected)
        assert any("server extension" in line for line in extensions(found))


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_extensions_of_a_client(pki: Pki, version: str) -> None:
    """A server shows the same of OpenSSL's hello as OpenSSL's server."""
    shown = []
    client = OpenSSLClient(trust=pki.roots, options=(version, "-alpn", "h2", "-status"))
    for command in ([], PROGRAM):
        with OpenSSLServer(pki.server("p256"), "-tlsextdebug", "-rev", command=command) as server:
            client.exchange(server.port, b"CLOSE\n")
            titles = re.findall(r"^TLS client extension .*", server.text, re.MULTILINE)
        shown.append([title for title in titles if "psk" not in title])
    assert shown[1] == shown[0]
    assert 'TLS client extension "status request" (id=5), len=5' in shown[0]


def hello(*offered: Extension) -> bytes:
    """Make a ClientHello with these extensions."""
    return frame(
        ClientHello(
            legacy_version=ProtocolVersion.TLS1_2,
            random=bytes(32),
            legacy_session_id=b"",
            cipher_suites=(CipherSuite.TLS_AES_128_GCM_SHA256,),
            legacy_compression_methods=(CompressionMethod.NULL,),
            extensions=offered,
        )
    )


def test_unknown_extensions_are_shown() -> None:
    """OpenSSL's program leaves out what it does not know."""
    out = Lines()
    unknown, grease = ExtensionType(0x7777), ExtensionType(0x3A3A)
    raw = hello(
        Extension(unknown, b"abc"), Extension(grease, b""), Extension(ExtensionType.RECORD_SIZE_LIMIT, b"@\0")
    )
    dump = ExtensionDump(out, "client")
    dump.handshake_message(Direction.READ, raw)
    assert out.text == (
        'TLS client extension "unknown" (id=30583), len=3\n'
        f"{'0000 - 61 62 63':<57}abc\n"
        'TLS client extension "unknown" (id=14906), len=0\n'
        'TLS client extension "record size limit" (id=28), len=2\n'
        f"{'0000 - 40 00':<57}@.\n"
    )


def test_what_cannot_be_read_is_passed_over() -> None:
    """A message that is cut off, of another version or our own is no reason to stop."""
    out = Lines()
    dump = ExtensionDump(out, "client")
    raw = hello(Extension(ExtensionType.SERVER_NAME, b"x"))
    dump.handshake_message(Direction.WRITE, raw)
    dump.handshake_message(Direction.READ, raw[:-1])
    dump.handshake_message(Direction.READ, frame(EncryptedExtensions(())))
    dump.handshake_message(Direction.READ, b"\xfe\0\0\0")
    assert out.text == ""


@needs("openssl")
@pytest.mark.parametrize("options", [(), ("-brief",), ("-tls1_2", "-quiet")])
def test_raw_bytes(pki: Pki, options: tuple[str, ...]) -> None:
    """Every byte both ways, as many as the report counts; with -brief CONNECTED is shown again."""
    with OpenSSLServer(pki.server("p256"), "-www") as server:
        request = b"GET / HTTP/1.0\r\n\r\n" if "-quiet" in options else b""
        found = ours(server.port, "-debug", *options, data=request)
    lines = found.stdout.decode("utf-8", "replace").splitlines()
    assert any(line.startswith("CONNECTED(") for line in lines)
    passed = {"write to": b"", "read from": b""}
    doing, size, shown = "", 0, 0
    for line in lines:
        if match := PIECE.match(line):
            assert shown == size
            doing, size, shown = match[1], int(match[2]), 0
            assert (int(match[3]), int(match[4], 16)) == (size, size)
        elif shown < size:
            row = ROW.match(line)
            assert row
            assert int(line[:4], 16) == shown
            data = bytes.fromhex(row[1].replace("-", " "))
            passed[doing] += data
            shown += len(data)
    assert passed["write to"][:3] == b"\x16\x03\x01"
    assert passed["read from"][:3] == b"\x16\x03\x03"


@needs("openssl")
def test_raw_bytes_before_tls(pki: Pki) -> None:
    """What is said in plain text is shown as well, in its order and before the hello, as OpenSSL does."""
    shown = []
    for client in (theirs, ours):
        with plain_then_tls(pki.server("p256"), HAPPY["smtp"]) as met:
            found = client(met.port, "-starttls", "smtp", "-debug", "-brief")
        text = found.stdout.decode("utf-8", "replace").partition(" - 16 03 01")[0]
        columns = re.findall(r"^[0-9a-f]{4} - .{48}  (.*)$", text, re.MULTILINE)
        directions = [line.partition(" 0x")[0] for line in text.splitlines() if PIECE.match(line)]
        shown.append(("".join(columns), [each for each, _ in groupby(directions)]))
    assert shown[1] == shown[0]
    assert "EHLO mail.example.com" in shown[0][0]
    starts = re.findall(
        r"^write to \S+ \[0x([0-9a-f]+)\] \((\d+) bytes",
        found.stdout.decode("utf-8", "replace"),
        re.MULTILINE,
    )
    assert [int(start, 16) for start, _ in starts] == [
        sum(int(size) for _, size in starts[:at]) for at in range(len(starts))
    ]
