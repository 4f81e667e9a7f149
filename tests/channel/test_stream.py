"""Records of a stream: what is refused and when, how messages are cut and put together, limits."""

from __future__ import annotations

import pytest

from handglass.channel.limits import Limits
from handglass.channel.stream import StreamChannel
from handglass.record.aead13 import Aead13
from handglass.registry import reasons
from handglass.registry.code_points import AlertDescription
from handglass.registry.errors import PeerError

ALERT, HANDSHAKE, DATA = 21, 22, 23
MESSAGE = b"\x0b\0\0\x0a0123456789"


def protection() -> Aead13:
    """Give a protection; all of these have the same keys."""
    return Aead13("AES_128_GCM", bytes(16), bytes(12))


def channel(epoch: int = 0, limits: Limits | None = None) -> StreamChannel:
    """Give a channel of TLS 1.3; with an epoch it reads and writes under keys."""
    made = StreamChannel(limits or Limits())
    made.is_tls13 = True
    made.version = 0x0303
    if epoch:
        made.install_reader(protection(), epoch)
        made.install_writer(protection(), epoch)
    return made


def drain(made: StreamChannel) -> list[tuple[int, bytes]]:
    """Take all that is complete."""
    found = []
    while (item := made.next()) is not None:
        found.append((item[0], bytes(item[1])))
    return found


@pytest.mark.parametrize(
    ("start", "reason", "needs"),
    [
        (b"HTTP/1.1 400 Bad Request", "NOT_TLS_HTTP", 1),
        (b"GET / HTTP/1.1\r\n", "NOT_TLS", 1),
        (b"SSH-2.0-OpenSSH", "NOT_TLS", 1),
        (b"220 mail.test ESMTP", "NOT_TLS", 1),
        (b"\x80\x2e\1\3\1\0\x15", "SSL2_HELLO_REFUSED", 1),
        (b"\x16\x02\0\0\4\1\0\0\0", "NOT_TLS", 2),
        (b"\x63\3\1\0\4\1\0\0\0", "UNKNOWN_RECORD_TYPE", 1),
    ],
    ids=["http-answer", "http-request", "ssh", "smtp", "ssl2", "version-2", "odd-type"],
)
def test_no_tls(start: bytes, reason: str, needs: int) -> None:
    """Something else is told apart from a TLS record of an odd type, whole or as soon as it can be."""
    made = channel()
    made.feed(start)
    with pytest.raises(PeerError) as caught:
        made.next()
    assert caught.value.reason.name == reason
    early = channel()
    early.feed(start[:needs])
    with pytest.raises(PeerError):
        early.next()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("epoch", [0, 2])
def test_messages_in_any_records(size: int, epoch: int) -> None:
    """Fragments of messages are put together, and several in one record taken apart (RFC 8446 §5.1)."""
    sender, receiver = channel(epoch), channel(epoch)
    sender.write_limit = size
    for _ in range(3):
        sender.send_handshake(MESSAGE)
    stream = bytes(sender.take_output())
    for at in range(len(stream)):
        receiver.feed(stream[at : at + 1])
    assert drain(receiver) == [(HANDSHAKE, MESSAGE)] * 3
    assert receiver.at_message_boundary
    assert not receiver.has_partial_input


def test_nothing_stands_between_the_parts_of_a_message() -> None:
    """Only a fatal alert counts there: nothing comes after it."""
    for content_type, payload, reason in (
        (DATA, b"x", "HANDSHAKE_INTERRUPTED"),
        (ALERT, b"\1\x5a", "HANDSHAKE_INTERRUPTED"),
        (20, b"\1", "HANDSHAKE_INTERRUPTED"),
    ):
        receiver, seal = channel(2), protection()
        out = bytearray()
        seal.seal(HANDSHAKE, MESSAGE[:8], out)
        seal.seal(content_type, payload, out)
        receiver.feed(out)
        with pytest.raises(PeerError) as caught:
            drain(receiver)
        assert caught.value.reason.name == reason
    receiver, seal, out = channel(2), protection(), bytearray()
    seal.seal(HANDSHAKE, MESSAGE[:8], out)
    seal.seal(ALERT, b"\2\x28", out)
    receiver.feed(out)
    assert drain(receiver) == [(ALERT, b"\2\x28")]


@pytest.mark.parametrize(
    ("header", "epoch", "refused"),
    [
        (b"\x16\3\3\x40\0", 0, False),
        (b"\x16\3\3\x40\1", 0, True),
        (b"\x17\3\3\x41\0", 2, False),
        (b"\x17\3\3\x41\1", 2, True),
    ],
)
def test_lengths_of_records(header: bytes, epoch: int, refused: bool) -> None:
    """2^14 bytes unprotected, 256 more protected (RFC 8446 §5.1, §5.2); refused by the header alone."""
    receiver = channel(epoch)
    receiver.feed(header)
    if not refused:
        assert receiver.next() is None
        return
    with pytest.raises(PeerError) as caught:
        receiver.next()
    assert caught.value.alert == AlertDescription.RECORD_OVERFLOW


def test_limit_on_what_is_read() -> None:
    """A smaller limit holds for the protections that follow too (RFC 8449 §4)."""
    receiver = channel(2)
    receiver.limit_reads(100, reasons.RECORD_SIZE_LIMIT_EXCEEDED)
    seal, out = protection(), bytearray()
    seal.seal(DATA, bytes(100), out)
    receiver.feed(out)
    assert drain(receiver) == [(DATA, bytes(100))]
    receiver.install_reader(protection(), 3)
    seal, out = protection(), bytearray()
    seal.seal(DATA, bytes(101), out)
    receiver.feed(out)
    with pytest.raises(PeerError) as caught:
        drain(receiver)
    assert caught.value.reason is reasons.RECORD_SIZE_LIMIT_EXCEEDED


@pytest.mark.parametrize("amount", [1, 100, 2048, 16384, 16385, 100_000])
@pytest.mark.parametrize("limit", [64, 16384])
@pytest.mark.parametrize("pad_to", [0, 256])
def test_data_in_bulk(amount: int, limit: int, pad_to: int) -> None:
    """Data arrives as it was sent, in any cuts, with alerts and messages in between."""
    sender, receiver = channel(3), channel(3)
    sender.write_limit, sender.pad_to = limit, pad_to
    data = bytes(range(256)) * (amount // 256) + bytes(amount % 256)
    sender.send_data(data)
    sender.send_handshake(MESSAGE)
    sender.send_data(data)
    sender.send_alert(1, 0)
    stream = bytes(sender.take_output())
    items = []
    for at in range(0, len(stream), 5000):
        receiver.feed(stream[at : at + 5000])
        items += drain(receiver)
    kinds = [kind for kind, _ in items]
    middle = kinds.index(HANDSHAKE)
    assert b"".join(payload for _, payload in items[:middle]) == data
    assert b"".join(payload for _, payload in items[middle + 1 : -1]) == data
    assert items[-1] == (ALERT, b"\1\0")
    assert sender.bytes_written == receiver.bytes_read == len(stream)


def test_refused_early_data_is_counted_by_its_plaintext() -> None:
    """A record's expansion does not count, but no record is free (RFC 8446 §4.2.10)."""
    receiver = channel()
    receiver.skip_early_data = 1000
    receiver.feed(b"\x17\3\3\4\0" + bytes(1024))
    with pytest.raises(PeerError):
        receiver.next()
    receiver = channel()
    receiver.skip_early_data = 1000
    receiver.feed(b"\x17\3\3\3\xf9" + bytes(1017))
    assert receiver.next() is None
    assert receiver.skip_early_data == 0
    receiver = channel()
    receiver.skip_early_data = 5
    receiver.feed(b"\x17\3\3\0\1x" * 6)
    with pytest.raises(PeerError) as caught:
        receiver.next()
    assert caught.value.alert == AlertDescription.UNEXPECTED_MESSAGE


def test_nothing_is_sent_after_the_end() -> None:
    """What waits goes out, what comes later does not."""
    sender = channel(3)
    sender.send_handshake(MESSAGE)
    sender.close_writes()
    waiting = len(sender.take_output())
    assert waiting
    sender.send_handshake(MESSAGE)
    sender.send_data(b"x")
    sender.send_alert(1, 0)
    sender.send_change_cipher_spec()
    assert not sender.has_output


def test_messages_are_announced() -> None:
    """A message that is not complete is told by its header, so that it can be refused early."""
    receiver = channel()
    seen: list[tuple[int, int]] = []
    receiver.announce = lambda kind, length: seen.append((kind, length))
    receiver.feed(b"\x16\3\3\0\5\x0b\0\1\0x")
    assert receiver.next() is None
    assert seen == [(11, 256)]
