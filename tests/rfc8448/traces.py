"""The traces of RFC 8448: read from their files, and opened by code of their own.

A file holds the secret values that were handed in and every record on the wire. Nothing more is needed: the key
schedule (RFC 8446 §7.1), written out here with `hmac` alone, opens each record, and a wrong digit anywhere breaks
an authentication tag. The hexadecimal digits were taken from Botan's test data (tls_13_rfc8448/transcripts.vec)
and are those of the RFC.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAMES = ("simple_1rtt", "resumed_0rtt", "hello_retry_request", "client_authentication", "compatibility_mode")
CLIENT, SERVER = ">", "<"

_DIRECTORY = Path(__file__).parent
_CHANGE_CIPHER_SPEC, _HANDSHAKE = 20, 22
_CLIENT_HELLO, _SERVER_HELLO, _NEW_SESSION_TICKET, _END_OF_EARLY_DATA, _FINISHED = 1, 2, 4, 5, 20
_MESSAGE_HASH = 254
_RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()
_SIZE = 32
_EARLY_DATA = b"\0\x2a\0\0"
"""The extension early_data as a ClientHello has it."""


@dataclass
class Trace:
    """One trace: the values handed in, and the records in the order of the document."""

    name: str
    values: dict[str, bytes]
    records: list[tuple[str, bytes]]

    def sent_by(self, side: str) -> bytes:
        """Return all that a side sends."""
        return b"".join(record for sender, record in self.records if sender == side)


@cache
def load(name: str) -> Trace:
    """Read a trace. An indented line goes on with the digits of the one before."""
    entries: list[str] = []
    for line in (_DIRECTORY / f"{name}.txt").read_text().splitlines():
        if line.startswith(" "):
            entries[-1] += line.strip()
        elif line and not line.startswith("#"):
            entries.append(line)
    values, records = {}, []
    for entry in entries:
        title, digits = entry.rsplit(maxsplit=1)
        if title in (CLIENT, SERVER):
            records.append((title, bytes.fromhex(digits)))
        else:
            values[title] = bytes.fromhex(digits)
    return Trace(name, values, records)


@dataclass
class Opened:
    """What is inside a trace's records, in their order: (side, content type, plaintext)."""

    contents: list[tuple[str, int, bytes]] = field(default_factory=list)
    psk: bytes = b""
    """What the ticket of this connection resumes with."""

    def messages(self, side: str) -> Iterator[bytes]:
        """Give the handshake messages of a side, each with its header."""
        flow = b"".join(text for sender, kind, text in self.contents if (sender, kind) == (side, _HANDSHAKE))
        while flow:
            end = 4 + int.from_bytes(flow[1:4])
            yield flow[:end]
            flow = flow[end:]

    def message(self, side: str, kind: int) -> bytes:
        """Give the body of a side's first handshake message of this type."""
        return next(message[4:] for message in self.messages(side) if message[0] == kind)


class _Schedule:
    """The secrets of one connection, and the keys of its two directions."""

    def __init__(self, psk: bytes) -> None:
        self.transcript = b""
        self.early = _extract(bytes(_SIZE), psk or bytes(_SIZE))
        self.master = self.client_handshake = self.server_handshake = self.client_application = b""
        self._keys: dict[str, tuple[AESGCM, bytes]] = {}
        self._count: dict[str, int] = {}

    def enter_handshake(self, shared: bytes) -> None:
        """Go from the early secret to the master secret; the ServerHello is in the transcript."""
        handshake = _extract(self._derived(self.early), shared)
        self.client_handshake = self.derive(handshake, "c hs traffic")
        self.server_handshake = self.derive(handshake, "s hs traffic")
        self.master = _extract(self._derived(handshake), bytes(_SIZE))

    def derive(self, secret: bytes, label: str) -> bytes:
        """Derive-Secret over the transcript so far."""
        return _expand(secret, label, hashlib.sha256(self.transcript).digest(), _SIZE)

    @staticmethod
    def _derived(secret: bytes) -> bytes:
        return _expand(secret, "derived", hashlib.sha256().digest(), _SIZE)

    def finished(self, side: str) -> bytes:
        """The verify_data that this side must send now (RFC 8446 §4.4.4)."""
        base = self.client_handshake if side == CLIENT else self.server_handshake
        return _hmac(_expand(base, "finished", b"", _SIZE), hashlib.sha256(self.transcript).digest())

    def install(self, side: str, traffic_secret: bytes) -> None:
        """Protect what this side sends from now on by this secret."""
        self._keys[side] = (
            AESGCM(_expand(traffic_secret, "key", b"", 16)),
            _expand(traffic_secret, "iv", b"", 12),
        )
        self._count[side] = 0

    def has_keys(self, side: str) -> bool:
        """Whether what this side sends is protected."""
        return side in self._keys

    def open(self, side: str, record: bytes) -> tuple[int, bytes]:
        """Give content type and plaintext (RFC 8446 §5.2)."""
        kind, body = record[0], record[5:]
        assert len(body) == int.from_bytes(record[3:5], "big")
        if side not in self._keys or kind == _CHANGE_CIPHER_SPEC:
            return kind, body
        key, iv = self._keys[side]
        nonce = (int.from_bytes(iv, "big") ^ self._count[side]).to_bytes(12, "big")
        self._count[side] += 1
        inner = key.decrypt(nonce, body, record[:5]).rstrip(b"\0")
        return inner[-1], inner[:-1]


@cache
def opened(name: str) -> Opened:
    """Open every record of a trace; raises InvalidTag where a digit is wrong."""
    trace = load(name)
    schedule = _Schedule(opened("simple_1rtt").psk if name == "resumed_0rtt" else b"")
    result = Opened()
    for side, record in trace.records:
        kind, text = schedule.open(side, record)
        result.contents.append((side, kind, text))
        if kind == _HANDSHAKE:
            for message in Opened([(side, kind, text)]).messages(side):
                _take(trace, schedule, result, side, message)
    return result


def _take(trace: Trace, schedule: _Schedule, result: Opened, side: str, message: bytes) -> None:
    """Go on in the key schedule where a message brings a new state (RFC 8446 §7.1)."""
    kind = message[0]
    is_retry = kind == _SERVER_HELLO and message[6:38] == _RETRY_RANDOM
    if kind == _NEW_SESSION_TICKET:
        nonce = message[13 : 13 + message[12]]
        result.psk = _expand(schedule.derive(schedule.master, "res master"), "resumption", nonce, _SIZE)
        return
    if is_retry:
        digest = hashlib.sha256(schedule.transcript).digest()
        schedule.transcript = bytes((_MESSAGE_HASH, 0, 0, len(digest))) + digest
    if kind == _FINISHED:
        assert message[4:] == schedule.finished(side)
    schedule.transcript += message
    if kind == _CLIENT_HELLO and _EARLY_DATA in message:
        schedule.install(CLIENT, schedule.derive(schedule.early, "c e traffic"))
    elif kind == _SERVER_HELLO and not is_retry:
        schedule.enter_handshake(_shared_secret(trace, message))
        schedule.install(SERVER, schedule.server_handshake)
        if not schedule.has_keys(CLIENT):
            schedule.install(CLIENT, schedule.client_handshake)
    elif kind == _END_OF_EARLY_DATA:
        schedule.install(CLIENT, schedule.client_handshake)
    elif kind == _FINISHED and side == SERVER:
        schedule.client_application = schedule.derive(schedule.master, "c ap traffic")
        schedule.install(SERVER, schedule.derive(schedule.master, "s ap traffic"))
    elif kind == _FINISHED:
        schedule.install(CLIENT, schedule.client_application)


def _shared_secret(trace: Trace, server_hello: bytes) -> bytes:
    """Work the shared secret out from the client's private key and the share in the ServerHello."""
    at = server_hello.index(b"\0\x33\0", 38) + 4
    group, length = (int.from_bytes(server_hello[at + i : at + i + 2], "big") for i in (0, 2))
    public = server_hello[at + 4 : at + 4 + length]
    if group == 0x1D:
        key = x25519.X25519PrivateKey.from_private_bytes(trace.values["client x25519"])
        return key.exchange(x25519.X25519PublicKey.from_public_bytes(public))
    private = ec.derive_private_key(int.from_bytes(trace.values["client secp256r1"], "big"), ec.SECP256R1())
    return private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public))


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _extract(salt: bytes, key: bytes) -> bytes:
    return _hmac(salt, key)


def _expand(secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label for at most one hash's length (RFC 8446 §7.1)."""
    name = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes((len(name),)) + name + bytes((len(context),)) + context
    return _hmac(secret, info + b"\1")[:length]
