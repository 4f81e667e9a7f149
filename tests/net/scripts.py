"""What the servers of each protocol say when all goes well and when they refuse; and how to play it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from handglass.net.dialogue import Dialogue, Exchange
from handglass.records import dataclass

T = TypeVar("T")


@dataclass(frozen=True)
class Said:
    """The server says this."""

    data: bytes


@dataclass(frozen=True)
class Heard:
    """The client must say exactly this."""

    data: bytes


Script = tuple[Said | Heard, ...]

STREAM = (
    b"<?xml version='1.0'?>"
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>"
)
TLS_FEATURE = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
START = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
MYSQL_GREETING = (
    bytes.fromhex("000a")
    + b"8.0.31\x00"
    + bytes.fromhex("08000000")
    + b"abcdefgh\x00"
    + bytes.fromhex("ffff ff 0200 ffdf 15 00000000000000000000")
    + b"abcdefghijkl\x00mysql_native_password\x00"
)
MYSQL_PLAIN = MYSQL_GREETING.replace(bytes.fromhex("ffff ff 0200"), bytes.fromhex("fff7 ff 0200"))
MYSQL_SSL_REQUEST = bytes.fromhex("20000001 85ae7f00 00000001 21") + bytes(23)
LDAP_REQUEST = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
TDS_REQUEST = bytes.fromhex(
    "1201002f00000000"
    "00001a0006 0100200001 0200210001 0300220004 0400260001 ff"
    "000000000000 01 00 00000000 00"
)  # fmt: skip


def tds_answer(encryption: int) -> bytes:
    body = bytes.fromhex("00000b0006 0100110001 ff 0f0007d00000") + bytes((encryption,))
    return bytes.fromhex("0401") + (len(body) + 8).to_bytes(2) + bytes(4) + body


RDP_REQUEST = bytes.fromhex("0300001302 e00000000000010008000b000000").replace(b"\x13\x02", b"\x13\x0e")
TDS_OK = tds_answer(1)


def mysql_packet(data: bytes) -> bytes:
    return (len(data) - 1).to_bytes(3, "little") + data


HAPPY: dict[str, Script] = {
    "smtp": (
        Said(b"220-mx.test hello\r\n220 ESMTP\r\n"),
        Heard(b"EHLO mail.example.com\r\n"),
        Said(b"250-mx.test\r\n250-PIPELINING\r\n250-starttls\r\n250 OK\r\n"),
        Heard(b"STARTTLS\r\n"),
        Said(b"220 go\r\n"),
    ),
    "lmtp": (
        Said(b"220 mx.test\r\n"),
        Heard(b"LHLO mail.example.com\r\n"),
        Said(b"250-mx.test\r\n250 STARTTLS\r\n"),
        Heard(b"STARTTLS\r\n"),
        Said(b"220 2.0.0 go\r\n"),
    ),
    "pop3": (Said(b"+OK <1.2@pop.test>\r\n"), Heard(b"STLS\r\n"), Said(b"+OK begin\r\n")),
    "imap": (
        Said(b"* OK [CAPABILITY IMAP4rev1] hello\r\n"),
        Heard(b". CAPABILITY\r\n"),
        Said(b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n* OK still here\r\n. OK done\r\n"),
        Heard(b". STARTTLS\r\n"),
        Said(b". OK Begin TLS\r\n"),
    ),
    "ftp": (
        Said(b"120 in a minute\r\n220-welcome\r\n 220 not the end\r\nnor this\r\n220 ready\r\n"),
        Heard(b"AUTH TLS\r\n"),
        Said(b"234 AUTH TLS successful\r\n"),
    ),
    "xmpp": (
        Heard(
            b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'"
            b" to='server.test' version='1.0'>"
        ),
        Said(STREAM + b"<stream:features>" + TLS_FEATURE + b"</stream:features>"),
        Heard(START),
        Said(PROCEED),
    ),
    "xmpp-server": (
        Heard(
            b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'"
            b" to='server.test' version='1.0'>"
        ),
        Said(STREAM + b"<stream:features >" + TLS_FEATURE + b"</stream:features >"),
        Heard(START),
        Said(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>"),
    ),
    "telnet": (
        Said(b"\xff\xfb\x01hello\xff\xfa\x18\x01\xff\xf0\xff\xfd\x2e"),
        Heard(b"\xff\xfb\x2e\xff\xfa\x2e\x01\xff\xf0"),
        Said(b"\xff\xfa\x2e\x01\xff\xf0"),
    ),
    "irc": (
        Heard(b"STARTTLS\r\n"),
        Said(b":irc.test NOTICE AUTH :looking you up\r\n:irc.test 670 * :STARTTLS successful\r\n"),
    ),
    "postgres": (Heard(bytes.fromhex("0000000804d2162f")), Said(b"S")),
    "mysql": (Said(mysql_packet(MYSQL_GREETING)), Heard(MYSQL_SSL_REQUEST)),
    "nntp": (
        Said(b"200 news.test\r\n"),
        Heard(b"CAPABILITIES\r\n"),
        Said(b"101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"),
        Heard(b"STARTTLS\r\n"),
        Said(b"382 go\r\n"),
    ),
    "sieve": (
        Said(b'"IMPLEMENTATION" {5}\r\nx\r\nOK\r\n"SASL" ""\r\n"starttls"\r\nOK "hello"\r\n'),
        Heard(b"STARTTLS\r\n"),
        Said(b'OK "go"\r\n'),
    ),
    "ldap": (Heard(LDAP_REQUEST), Said(bytes.fromhex("300c02010178070a010004000400"))),
    "mssql": (Heard(TDS_REQUEST), Said(TDS_OK)),
    "rdp": (
        Heard(bytes.fromhex("030000130ee000000000000100080000000000")[:15] + bytes.fromhex("0b000000")),
        Said(bytes.fromhex("030000130ed000001234000200080001000000")),
    ),
    "amqp": (Heard(b"AMQP\x02\x01\x00\x00"), Said(b"AMQP\x02\x01\x00\x00")),
    "nats": (Said(b'INFO {"server_id":"x","tls_required":true,"tls_verify":false} \r\n'),),
}

LAST_LINES = {
    "smtp": b"250 OK\r\n",
    "lmtp": b"250 STARTTLS\r\n",
    "pop3": b"+OK <1.2@pop.test>\r\n",
    "imap": b". OK done\r\n",
    "ftp": b"220 ready\r\n",
    "irc": b":irc.test 670 * :STARTTLS successful\r\n",
    "nntp": b"382 go\r\n",
    "sieve": b'OK "go"\r\n',
}

_SMTP, _IMAP, _XMPP = HAPPY["smtp"], HAPPY["imap"], HAPPY["xmpp"]
REFUSALS: list[tuple[str, Script, str]] = [
    ("smtp", (Said(b"554-go\r\n554 away\r\n"),), "554-go / 554 away"),
    ("smtp", (*_SMTP[:4], Said(b"454 4.7.0 TLS not available\r\n")), "454 4.7.0 TLS not available"),
    ("lmtp", (*HAPPY["lmtp"][:4], Said(b"502 no\r\n")), "502 no"),
    ("pop3", (Said(b"-ERR busy\r\n"),), "busy"),
    ("pop3", (*HAPPY["pop3"][:2], Said(b"-ERR no TLS here\r\n")), "no TLS here"),
    ("imap", (Said(b"* BYE overloaded\r\n"),), "overloaded"),
    ("imap", (*_IMAP[:4], Said(b". NO not now\r\n")), "NO not now"),
    ("imap", (*_IMAP[:4], Said(b". BAD unknown command\r\n")), "BAD unknown command"),
    ("ftp", (Said(b"421 closing\r\n"),), "421 closing"),
    ("ftp", (*HAPPY["ftp"][:2], Said(b"502 AUTH not understood\r\n")), "502 AUTH not understood"),
    (
        "xmpp",
        (*_XMPP[:3], Said(b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")),
        "<failure",
    ),
    (
        "xmpp",
        (_XMPP[0], Said(STREAM + b"<stream:error><host-unknown/></stream:error></stream:stream>")),
        "host-unknown",
    ),
    ("telnet", (Said(b"\xff\xfe\x2e"),), "refused START_TLS"),
    ("irc", (HAPPY["irc"][0], Said(b":irc.test 691 * :not set up\r\n")), "not set up"),
    ("irc", (HAPPY["irc"][0], Said(b":irc.test 421 * STARTTLS :Unknown command\r\n")), "Unknown command"),
    ("irc", (HAPPY["irc"][0], Said(b"ERROR :closing link\r\n")), "closing link"),
    ("postgres", (HAPPY["postgres"][0], Said(b"N")), "it answered N"),
    (
        "postgres",
        (HAPPY["postgres"][0], Said(b"E\x00\x00\x00\x1cSFATAL\x00C08P01\x00Mno more\x00\x00")),
        "no more",
    ),
    ("postgres", (HAPPY["postgres"][0], Said(b"Einvalid length of startup packet\n\x00")), "invalid length"),
    ("mysql", (Said(mysql_packet(MYSQL_PLAIN)),), "8.0.31"),
    (
        "mysql",
        (Said(mysql_packet(b"\x00\xff\x6a\x04Host is not allowed")),),
        "error 1130: Host is not allowed",
    ),
    ("nntp", (Said(b"502 no permission\r\n"),), "502 no permission"),
    ("nntp", (*HAPPY["nntp"][:4], Said(b"580 can not\r\n")), "580 can not"),
    ("sieve", (Said(b'BYE "busy"\r\n'),), "busy"),
    ("sieve", (*HAPPY["sieve"][:2], Said(b'NO (TRANSITION) "no TLS"\r\n')), "no TLS"),
    (
        "ldap",
        (HAPPY["ldap"][0], Said(bytes.fromhex("300f02010178 0a0a0102 0400 0403") + b"bad")),
        "result code 2 (protocolError): bad",
    ),
    ("mssql", (HAPPY["mssql"][0], Said(tds_answer(2))), "does not support encryption"),
    (
        "rdp",
        (HAPPY["rdp"][0], Said(bytes.fromhex("030000130ed000001234000300080002000000"))),
        "SSL_NOT_ALLOWED_BY_SERVER",
    ),
    ("rdp", (HAPPY["rdp"][0], Said(bytes.fromhex("0300000b06d00000123400"))), "standard RDP security only"),
    ("amqp", (HAPPY["amqp"][0], Said(b"AMQP\x03\x01\x00\x00")), "SASL 1.0.0"),
    ("nats", (Said(b"-ERR 'Authorization Violation'\r\n"),), "Authorization Violation"),
]

NOT_OFFERED: dict[str, Script] = {
    "smtp": (*_SMTP[:2], Said(b"250 mx.test\r\n"), *_SMTP[3:]),
    "lmtp": (*HAPPY["lmtp"][:2], Said(b"502 what?\r\n"), *HAPPY["lmtp"][3:]),
    "imap": (*_IMAP[:2], Said(b"* CAPABILITY IMAP4rev1\r\n. OK\r\n"), *_IMAP[3:]),
    "nntp": (*HAPPY["nntp"][:2], Said(b"500 what?\r\n"), *HAPPY["nntp"][3:]),
    "sieve": (Said(b'OK "hello"\r\n'), *HAPPY["sieve"][1:]),
    "xmpp": (_XMPP[0], Said(STREAM + b"<stream:features/>"), *_XMPP[2:]),
    "nats": (Said(b'INFO {"server_id":"x"}\r\n'),),
}


def sent(exchange: Exchange[T]) -> bytes:
    return b"".join(step.data for step in exchange.data_to_send())


def play(dialogue: Dialogue[T], script: Script, piece: int | None = None) -> Exchange[T]:
    """Run a dialogue against a script, the server's bytes in pieces of `piece` bytes."""
    exchange = Exchange(dialogue)
    for line in script:
        if isinstance(line, Heard):
            assert sent(exchange) == line.data
            continue
        size = piece or len(line.data)
        for at in range(0, len(line.data), size):
            exchange.receive(line.data[at : at + size])
    return exchange


@contextmanager
def served(*script: Said | Heard, hold: float = 0.0) -> Iterator[socket.socket]:
    """Give the client's end of a connection whose other end follows `script` in a thread, then closes."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(60)
    released = threading.Event()

    def follow() -> None:
        try:
            for line in script:
                if isinstance(line, Said):
                    theirs.sendall(line.data)
                else:
                    missing = len(line.data)
                    while missing > 0 and (data := theirs.recv(missing)):
                        missing -= len(data)
            released.wait(hold)
        except OSError:
            pass  # the client has gone: what it made of that is the test's business
        finally:
            theirs.close()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield ours
    finally:
        released.set()
        ours.close()
        thread.join()
