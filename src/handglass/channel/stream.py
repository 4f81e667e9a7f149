"""TLS over a byte stream: records in, whole handshake messages out, and the other way round.

Strategy: received bytes are appended to one buffer with a read cursor and are opened record by record, only
when the caller asks for the next thing, because a message can change the keys under which the record after
it is read. Handshake messages to send gather until something else must go out first; then they leave in as
few records as their lengths allow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as Interface

from handglass.channel.limits import Limits
from handglass.channel.not_tls import not_tls
from handglass.record.null import NullProtection
from handglass.record.protection import (
    MAX_CIPHERTEXT_12,
    MAX_CIPHERTEXT_13,
    MAX_PLAINTEXT,
    OPEN_ROOM,
    Protection,
)
from handglass.registry import reasons
from handglass.registry.code_points import AlertLevel, ContentType, ProtocolVersion
from handglass.registry.errors import PeerError
from handglass.registry.reasons import Reason

CHANGE_CIPHER_SPEC = int(ContentType.CHANGE_CIPHER_SPEC)
ALERT = int(ContentType.ALERT)
HANDSHAKE = int(ContentType.HANDSHAKE)
APPLICATION_DATA = int(ContentType.APPLICATION_DATA)
HEARTBEAT = int(ContentType.HEARTBEAT)
FATAL = int(AlertLevel.FATAL)
KNOWN_TYPES = frozenset({CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA})

FIRST_VERSION = int(ProtocolVersion.TLS1_0)
"""What a first ClientHello's record header says, for the sake of old servers (RFC 8446 §5.1)."""

LEAST_EXPANSION = 1 + 16
"""Bytes by which a record with an AEAD of TLS 1.3 is longer than what it holds: content type and tag."""

EARLY = 1
"""The epoch of early data (RFC 9147 §6.1 numbers them so)."""

UNDECIPHERABLE = (reasons.BAD_RECORD_MAC, reasons.RECORD_TOO_SHORT)
"""What becomes of a record under other keys: it may be early data that is refused (RFC 8446 §4.2.10)."""

BULK = 2048
"""Bytes of input from which on records are opened many at a time."""


class Watcher(Interface):
    """What a channel tells whoever watches it; `sent` is the direction."""

    def record(self, sent: bool, header: bytes, epoch: int) -> None:
        """A record header, as it stands on the wire."""

    def inner_content_type(self, sent: bool, content_type: int) -> None:
        """The content type inside a protected TLS 1.3 record."""

    def change_cipher_spec(self, sent: bool, raw: bytes) -> None:
        """The body of a ChangeCipherSpec record."""

    def heartbeat(self, sent: bool, raw: bytes) -> None:
        """A heartbeat message (RFC 6520)."""

    def alert(self, sent: bool, level: int, description: int) -> None:
        """An alert."""


class StreamChannel:
    """Both halves of the record layer of one connection.

    What the handshake allows besides handshake messages is in plain attributes, which it sets as it goes:
    `is_tls13` (the version is settled and it is TLS 1.3), `drop_change_cipher_spec` (RFC 8446 §D.4),
    `plain_alerts` (the peer may not have our keys yet), `skip_early_data` (bytes of refused early data that
    are still passed over, RFC 8446 §4.2.10), `write_limit` (plaintext bytes per record sent), `pad_to` (TLS
    1.3 padding).
    """

    def __init__(self, limits: Limits, watcher: Watcher | None = None) -> None:
        self.limits = limits
        self.watcher = watcher
        self.is_tls13 = False
        self._version: int = 0
        self.drop_change_cipher_spec = False
        self.plain_alerts = False
        self.skip_early_data = 0
        self.write_limit = MAX_PLAINTEXT
        self.pad_to = 0
        self.takes_heartbeats = False
        """Records with heartbeats are allowed (RFC 6520)."""
        self.announce: Callable[[int, int], None] | None = None
        """Told type and body length of each message that is not complete yet, so that it can be refused early."""
        self.bytes_read = 0
        self.bytes_written = 0
        self.reader: Protection = NullProtection(FIRST_VERSION)
        self.writer: Protection = NullProtection(FIRST_VERSION)
        self.read_epoch = 0
        self.write_epoch = 0
        self._in = bytearray()
        self._at = 0
        self._handshake = bytearray()
        self._pending = bytearray()
        self._out = bytearray()
        self._empty_records = 0
        self._dropped_ccs = 0
        self._first_record = True
        self._opened: tuple[int, bytes] | None = None
        self._read_limit: tuple[int, Reason] | None = None
        self._write_closed = False

    @property
    def version(self) -> int:
        """What record headers say once the version is settled; 0 before (RFC 8446 §5.1, RFC 5246 §6.2.1)."""
        return self._version

    @version.setter
    def version(self, version: int) -> None:
        self._version = version
        if not self.write_epoch:
            self._flush_handshake()
            self.writer.version = version

    # Reading ---------------------------------------------------------------------------------------------

    @property
    def at_message_boundary(self) -> bool:
        """Whether no part of a further handshake message has been read."""
        return not self._handshake

    @property
    def has_partial_input(self) -> bool:
        """Whether the input ends inside a record or inside a message."""
        return self._at < len(self._in) or bool(self._handshake)

    @property
    def waiting_input(self) -> int:
        """How many bytes have come that were not opened yet."""
        return len(self._in) - self._at

    @property
    def dropped_change_cipher_specs(self) -> int:
        """How many ChangeCipherSpec messages were passed over as the decoys of TLS 1.3."""
        return self._dropped_ccs

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the peer; `next` gives what they mean."""
        self.bytes_read += len(data)
        if self._at:
            del self._in[: self._at]
            self._at = 0
        self._in += data

    def pass_over(self, message: bytes) -> bool:
        """Drop this handshake message if it is the next thing that has been read; whether it was."""
        found = self._handshake.startswith(message)
        if found:
            del self._handshake[: len(message)]
        return found

    def next(self) -> tuple[int, bytes] | None:
        """The next thing that is complete: (content type, bytes), or None when more input is needed.

        Handshake messages come whole with their header, alerts as their two bytes.

        Raises:
            PeerError: a record or its protection is broken, or a limit is exceeded.
        """
        while True:
            if self._handshake:
                message = self._take_message()
                if message is not None:
                    return HANDSHAKE, message
            if self.read_epoch and self.watcher is None and self._opened is None and not self._handshake:
                data = self._open_run()
                if data:
                    return APPLICATION_DATA, data
            record = self._next_record()
            if record is None:
                return None
            content_type, payload = record
            if content_type == HANDSHAKE:
                self._take_fragment(payload)
                continue
            if self._handshake and not is_fatal(content_type, payload):
                raise PeerError(
                    reasons.HANDSHAKE_INTERRUPTED,
                    f"{ContentType(content_type).name} stands between the parts of a handshake message",
                )
            if content_type == APPLICATION_DATA:
                self._count_empty(payload)
            return content_type, self._check_content(content_type, payload)

    def _take_fragment(self, payload: bytes) -> None:
        if not payload:
            raise PeerError(reasons.EMPTY_RECORD, "a handshake record of length 0")
        self._handshake += payload

    def _check_content(self, content_type: int, payload: bytes) -> bytes:
        """What a record holds that is no handshake message, if its type allows that content."""
        if content_type == ALERT:
            return self._check_alert(payload)
        if content_type == CHANGE_CIPHER_SPEC:
            if payload != b"\x01":
                raise PeerError(reasons.BAD_CHANGE_CIPHER_SPEC, f"its content is {payload[:8].hex()!r}")
            if self.watcher is not None:
                self.watcher.change_cipher_spec(False, payload)
        elif content_type == HEARTBEAT and self.takes_heartbeats:
            if self.watcher is not None:
                self.watcher.heartbeat(False, payload)
        elif content_type != APPLICATION_DATA:
            raise PeerError(reasons.UNKNOWN_RECORD_TYPE, f"type {content_type}")
        return payload

    def _take_message(self) -> bytes | None:
        buffer = self._handshake
        if len(buffer) < 4:
            return None
        length = int.from_bytes(buffer[1:4], "big")
        if len(buffer) < 4 + length:
            if self.announce is not None:
                self.announce(buffer[0], length)
            if length > self.limits.handshake_message:
                raise PeerError(
                    reasons.HANDSHAKE_MESSAGE_TOO_LONG,
                    f"{length} bytes, and the limit is {self.limits.handshake_message}",
                )
            return None
        message = bytes(buffer[: 4 + length])
        del buffer[: 4 + length]
        return message

    def _next_record(self) -> tuple[int, bytes] | None:
        """Open the next record: (inner content type, plaintext)."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            return opened
        while True:
            at = self._at
            have = len(self._in) - at
            if have == 0:
                return None
            if have < 5:
                self._check_start(self._in[at : at + 3])
                return None
            header = bytes(self._in[at : at + 5])
            self._check_start(header)
            length = header[3] << 8 | header[4]
            outer_type = header[0]
            if have < 5 + length:
                return None
            self._at = at + 5 + length
            if self.watcher is not None:
                self.watcher.record(False, header, self.read_epoch)
            record = self._open(outer_type, header, at + 5, length)
            if record is not None:
                self._first_record = False
                return record

    def _open_run(self) -> bytes | None:
        """Application data from as many complete records as there are, opened in one go."""
        size = len(self._in) - self._at
        if size < BULK or self._in[self._at] != APPLICATION_DATA:
            return None
        out = bytearray(max(size, OPEN_ROOM))
        with memoryview(self._in) as received, received[self._at :] as source, memoryview(out) as room:
            run = self.reader.open_run(source, room)
        self._at += run.consumed
        if run.content_type is not None:
            self._opened = (run.content_type, bytes(out[run.written : run.written + run.length]))
        if not run.consumed:
            return None
        self._first_record, self.skip_early_data, self._empty_records = False, 0, 0
        del out[run.written :]
        return bytes(out)

    def _open(self, outer_type: int, header: bytes, start: int, length: int) -> tuple[int, bytes] | None:
        """One record's content, or None if the record is one to pass over in silence."""
        if self.read_epoch == 0 or self.is_tls13:
            if outer_type == CHANGE_CIPHER_SPEC and self.drop_change_cipher_spec:
                self._drop_change_cipher_spec(bytes(self._in[start : start + length]))
                return None
            if self.read_epoch == 0:
                return self._open_plain(outer_type, start, length)
            if outer_type != APPLICATION_DATA:
                if outer_type == ALERT and self.plain_alerts and length == 2:
                    return ALERT, bytes(self._in[start : start + length])
                raise PeerError(
                    reasons.UNPROTECTED_RECORD, f"a record of type {ContentType(outer_type).name}"
                )
        view = memoryview(self._in)[start : start + length]
        try:
            content_type, plain = self.reader.open(header, view)
        except PeerError as error:
            if self.skip_early_data and error.reason in UNDECIPHERABLE:
                self._skip(length)
                return None
            raise
        finally:
            view.release()
        self.skip_early_data = 0
        if self.watcher is not None and self.is_tls13:
            self.watcher.inner_content_type(False, content_type)
        return content_type, bytes(plain)

    def _open_plain(self, outer_type: int, start: int, length: int) -> tuple[int, bytes] | None:
        if outer_type == APPLICATION_DATA:
            if self.skip_early_data:
                self._skip(length)
                return None
            raise PeerError(reasons.UNEXPECTED_APPLICATION_DATA)
        return outer_type, bytes(self._in[start : start + length])

    def _check_start(self, header: bytes | bytearray) -> None:
        """Refuse what is no TLS record as soon as its first bytes tell."""
        if self._first_record:
            # A TLS record of an odd type is another mistake than another protocol: the version tells.
            foreign = header[1] != 3 if len(header) > 1 else header[0] not in KNOWN_TYPES
            if foreign:
                raise not_tls(bytes(self._in[self._at : self._at + 64]))
        if header[0] not in KNOWN_TYPES and not (self.takes_heartbeats and header[0] == HEARTBEAT):
            raise PeerError(reasons.UNKNOWN_RECORD_TYPE, f"type {header[0]}")
        if len(header) > 1 and header[1] != 3:
            raise PeerError(reasons.WRONG_RECORD_VERSION, f"0x{header[1:3].hex()}")
        if len(header) < 5:
            return
        if self.read_epoch and not self.is_tls13 and self._version:
            claimed = header[1] << 8 | header[2]
            if claimed != self._version:
                raise PeerError(
                    reasons.WRONG_RECORD_VERSION, f"0x{claimed:04x} after 0x{self._version:04x} was settled"
                )
        self._check_length(header[0], header[3] << 8 | header[4])

    def _check_length(self, outer_type: int, length: int) -> None:
        """Refuse a record by its length, before all of it is here (RFC 8446 §5.1, §5.2, RFC 5246 §6.2)."""
        if self.read_epoch == 0 and not (outer_type == APPLICATION_DATA and self.skip_early_data):
            limit = MAX_PLAINTEXT
        else:
            limit = MAX_CIPHERTEXT_13 if self.is_tls13 else MAX_CIPHERTEXT_12
        if length > limit:
            raise PeerError(reasons.RECORD_OVERFLOW, f"a record announces {length} bytes")

    def _drop_change_cipher_spec(self, payload: bytes) -> None:
        if payload != b"\x01":
            raise PeerError(reasons.BAD_CHANGE_CIPHER_SPEC, f"its content is {payload[:8].hex()!r}")
        if self._handshake:
            raise PeerError(
                reasons.HANDSHAKE_INTERRUPTED,
                "ChangeCipherSpec stands between the parts of a handshake message",
            )
        if self.watcher is not None:
            self.watcher.change_cipher_spec(False, payload)
        self._dropped_ccs += 1
        if self._dropped_ccs > self.limits.change_cipher_specs:
            raise PeerError(
                reasons.TOO_MANY_CHANGE_CIPHER_SPECS, f"more than {self.limits.change_cipher_specs}"
            )

    def _skip(self, length: int) -> None:
        """Pass over one record of early data that is not accepted; its plaintext is what counts (§4.2.10)."""
        plain = max(length - LEAST_EXPANSION, 1)
        if plain > self.skip_early_data:
            raise PeerError(reasons.TOO_MUCH_SKIPPED_DATA)
        self.skip_early_data -= plain

    def _count_empty(self, payload: bytes) -> None:
        """Empty application data is allowed, but not without end (RFC 8446 §5.1)."""
        if payload:
            self._empty_records = 0
            return
        self._empty_records += 1
        if self._empty_records > self.limits.empty_records:
            raise PeerError(reasons.TOO_MANY_EMPTY_RECORDS, f"more than {self.limits.empty_records} in a row")

    def _check_alert(self, payload: bytes) -> bytes:
        if len(payload) != 2:
            raise PeerError(
                reasons.BAD_ALERT if payload else reasons.EMPTY_RECORD, f"an alert of {len(payload)} bytes"
            )
        if self.watcher is not None:
            self.watcher.alert(False, payload[0], payload[1])
        return payload

    def limit_reads(self, length: int, reason: Reason) -> None:
        """Accept at most `length` bytes of content in a protected record from now on (RFC 8449, RFC 6066 §4)."""
        self._read_limit = (length, reason)
        if not (self.is_tls13 and self.read_epoch == EARLY):  # early data was sent before the client knew
            self.reader.limit_plaintext(length, reason)

    def install_reader(self, protection: Protection, epoch: int) -> None:
        """Open what comes from now on with this protection."""
        if self._read_limit is not None:
            protection.limit_plaintext(*self._read_limit)
        self.reader = protection
        self.read_epoch = epoch

    # Writing ---------------------------------------------------------------------------------------------

    def install_writer(self, protection: Protection, epoch: int) -> None:
        """Seal what is sent from now on with this protection."""
        self._flush_handshake()
        self.writer = protection
        self.write_epoch = epoch

    def send_handshake(self, raw: bytes) -> None:
        """Queue a whole handshake message; it leaves together with what follows it under the same keys."""
        if not self._write_closed:
            self._pending += raw

    def send_change_cipher_spec(self) -> None:
        """Send ChangeCipherSpec: never protected in TLS 1.3, protected as all else below it."""
        if self._write_closed:
            return
        self._flush_handshake()
        if self.watcher is not None:
            self.watcher.change_cipher_spec(True, b"\x01")
        if self.is_tls13:
            self._out += b"\x14\x03\x03\x00\x01\x01"
            if self.watcher is not None:
                self.watcher.record(True, b"\x14\x03\x03\x00\x01", 0)
        else:
            self._seal(CHANGE_CIPHER_SPEC, b"\x01", MAX_PLAINTEXT)

    def send_alert(self, level: int, description: int) -> None:
        """Send an alert under the present keys."""
        if self._write_closed:
            return
        self._flush_handshake()
        if self.watcher is not None:
            self.watcher.alert(True, level, description)
        self._seal(ALERT, bytes((level, description)), MAX_PLAINTEXT)

    def send_data(self, data: bytes | bytearray | memoryview) -> None:
        """Send application data in records of at most `write_limit` bytes."""
        if self._write_closed:
            return
        self._flush_handshake()
        self._seal(APPLICATION_DATA, data, self.write_limit)

    def send_heartbeat(self, message: bytes) -> None:
        """Send a heartbeat in a record of its own (RFC 6520 §4)."""
        if self._write_closed:
            return
        self._flush_handshake()
        if self.watcher is not None:
            self.watcher.heartbeat(True, message)
        self._seal(HEARTBEAT, message, MAX_PLAINTEXT)

    def close_writes(self) -> None:
        """Send nothing more: after close_notify or a fatal alert nothing may follow (RFC 8446 §6.1, §6.2)."""
        self._flush_handshake()
        self._write_closed = True

    def take_output(self) -> bytearray:
        """All bytes that wait to be sent; they are the caller's now."""
        if self._pending:
            self._flush_handshake()
        out = self._out
        self.bytes_written += len(out)
        self._out = bytearray()
        return out

    @property
    def has_output(self) -> bool:
        """Whether bytes wait to be sent."""
        return bool(self._out or self._pending)

    def _flush_handshake(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, bytearray()
            self._seal(HANDSHAKE, pending, self.write_limit)

    def _seal(self, content_type: int, data: bytes | bytearray | memoryview, limit: int) -> None:
        start = len(self._out)
        with memoryview(data) as view:
            self.writer.seal_many(content_type, view, limit, self._out, self.pad_to)
        if self.watcher is not None:
            self._show_sent(start, content_type)

    def _show_sent(self, start: int, content_type: int) -> None:
        assert self.watcher is not None  # noqa: S101 - the caller looked; for the type checker
        out = self._out
        while start < len(out):
            self.watcher.record(True, bytes(out[start : start + 5]), self.write_epoch)
            if self.is_tls13 and self.write_epoch:
                self.watcher.inner_content_type(True, content_type)
            start += 5 + int.from_bytes(out[start + 3 : start + 5], "big")


def is_fatal(content_type: int, payload: bytes) -> bool:
    """Whether this is a fatal alert, which counts even between the parts of a message: nothing comes after it."""
    return content_type == ALERT and len(payload) == 2 and payload[0] == FATAL
