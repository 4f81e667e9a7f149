"""Microsoft SQL Server.

The PRELOGIN exchange of TDS, and TLS inside of TDS packets ([MS-TDS] §2.2.6.5, §3.2.5.1).

Up to TDS 7.4 the handshake's records travel as the contents of PRELOGIN packets; once it is over, records go
bare. (TDS 8.0 needs nothing of this: it is TLS from the first byte, with ALPN "tds/8.0".)
"""

from __future__ import annotations

from handglass.net.dialogue import Dialogue, ReadExactly, RefusedError, Send, malformed, too_long
from handglass.net.errors import NetCode, NetError
from handglass.net.starttls.spoken import Names, Spoken

PRELOGIN, TABULAR_RESULT = 0x12, 0x04
END_OF_MESSAGE = 0x01
HEADER = 8
PACKET_SIZE = 4096
ANSWER_LIMIT = 1 << 16
VERSION, ENCRYPTION, INSTANCE, THREAD_ID, MARS, TERMINATOR = 0, 1, 2, 3, 4, 0xFF
ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED = 0x01, 0x02
ENCRYPTION_WORDS = {0: "for the login only", 1: "on", 3: "required"}
TLS_RECORDS = range(0x14, 0x19)
AWAITED = "the server's PRELOGIN answer"


def mssql(_names: Names) -> Dialogue[Spoken]:
    """[MS-TDS] §2.2.6.5: say our version and that we want encryption; read what the server makes of it."""
    yield Send(_packet(_prelogin(), last=True))
    answer = yield from _message()
    options = _options(answer)
    encryption = options.get(ENCRYPTION, b"")
    if len(encryption) != 1:
        raise malformed(AWAITED, answer)
    if encryption[0] == ENCRYPT_NOT_SUPPORTED:
        raise RefusedError("the server does not support encryption (ENCRYPT_NOT_SUP)")
    word = ENCRYPTION_WORDS.get(encryption[0], f"0x{encryption[0]:02x}")
    offered = (f"version {'.'.join(map(str, options.get(VERSION, b'')[:2]))}", f"encryption {word}")
    return Spoken(offered=offered, wrapper=TdsWrapper())


class TdsWrapper:
    """TLS records inside of PRELOGIN packets during the handshake, bare afterwards.

    Towards the server the switch is `handshake_done`. From the server the first byte of each unit tells: a
    packet's type and a record's type have no value in common; after the first bare record all are bare.
    """

    def __init__(self) -> None:
        self._wrapping = True
        self._bare = False
        self._buffer = bytearray()

    def outgoing(self, data: bytes) -> bytes:
        """Return what goes to the socket: packets of at most 4096 bytes, or the records as they are."""
        if not self._wrapping or not data:
            return data
        size = PACKET_SIZE - HEADER
        return b"".join(
            _packet(data[at : at + size], last=at + size >= len(data)) for at in range(0, len(data), size)
        )

    def incoming(self, data: bytes) -> bytes:
        """Return the records in what came. An unfinished packet (at most 65,535 bytes) is kept."""
        if self._bare:
            return data
        self._buffer += data
        records = bytearray()
        while self._buffer:
            if self._buffer[0] in TLS_RECORDS:
                self._bare = True
                records += self._buffer
                self._buffer.clear()
                break
            if self._buffer[0] not in (PRELOGIN, TABULAR_RESULT):
                raise malformed("a TDS packet with TLS inside", bytes(self._buffer))
            if len(self._buffer) < HEADER:
                break
            length = int.from_bytes(self._buffer[2:4])
            if length < HEADER:
                raise malformed("a TDS packet with TLS inside", bytes(self._buffer))
            if len(self._buffer) < length:
                break
            records += self._buffer[HEADER:length]
            del self._buffer[:length]
        return bytes(records)

    def handshake_done(self) -> None:
        """From now on records go out bare."""
        self._wrapping = False


def _prelogin() -> bytes:
    """Option list (token, offset, length) and data: [MS-TDS] §2.2.6.5."""
    options = (
        (VERSION, bytes(6)),
        (ENCRYPTION, bytes((ENCRYPT_ON,))),
        (INSTANCE, b"\x00"),
        (THREAD_ID, bytes(4)),
        (MARS, b"\x00"),
    )
    offset = 5 * len(options) + 1
    head, body = b"", b""
    for token, value in options:
        head += bytes((token,)) + (offset + len(body)).to_bytes(2) + len(value).to_bytes(2)
        body += value
    return head + bytes((TERMINATOR,)) + body


def _packet(data: bytes, *, last: bool) -> bytes:
    status = END_OF_MESSAGE if last else 0
    return bytes((PRELOGIN, status)) + (len(data) + HEADER).to_bytes(2) + bytes(4) + data


def _message() -> Dialogue[bytes]:
    """Return the data of all packets of one answer."""
    data = b""
    while True:
        header = yield ReadExactly(AWAITED, HEADER)
        length = int.from_bytes(header[2:4])
        if header[0] != TABULAR_RESULT or length < HEADER:
            raise malformed(AWAITED, header)
        data += yield ReadExactly(AWAITED, length - HEADER)
        if header[1] & END_OF_MESSAGE:
            return data
        if len(data) > ANSWER_LIMIT or length == HEADER:
            raise too_long(AWAITED, ANSWER_LIMIT)


def _options(answer: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    at = 0
    while at < len(answer) and answer[at] != TERMINATOR:
        entry = answer[at : at + 5]
        offset, length = int.from_bytes(entry[1:3]), int.from_bytes(entry[3:5])
        if len(entry) < 5 or offset + length > len(answer):
            raise NetError(
                NetCode.ANSWER_MALFORMED, "an option of the server's PRELOGIN answer lies outside of it"
            )
        options[entry[0]] = answer[offset : offset + length]
        at += 5
    return options
