"""TLS 1.3 records: a published one, hidden types, padding, limits."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handglass.record import MAX_PLAINTEXT, OPEN_ROOM, Aead13, Run
from handglass.registry.errors import LocalError, PeerError
from handglass.registry.reasons import KEY_LIMIT_REACHED, NO_CONTENT_TYPE, RECORD_OVERFLOW
from support import rfc8448

KEY, IV = bytes(range(16)), bytes(range(50, 62))
ALERT, HANDSHAKE, DATA = 21, 22, 23


def end() -> Aead13:
    return Aead13("AES_128_GCM", KEY, IV)


def by_hand(inner: bytes, sequence: int = 0) -> bytes:
    """RFC 8446 §5.2 spelled out: any inner plaintext, also one that nobody should send."""
    header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    nonce = (int.from_bytes(IV, "big") ^ sequence).to_bytes(12, "big")
    return header + AESGCM(KEY).encrypt(nonce, inner, header)


def opened(protection: Aead13, record: bytes) -> tuple[int, bytes]:
    return protection.open(record[:5], memoryview(record)[5:])


def room(size: int = 4 * OPEN_ROOM) -> memoryview:
    return memoryview(bytearray(size))


@pytest.mark.parametrize("section", [3, 4])
@pytest.mark.parametrize("role", ["client", "server"])
def test_application_data_of_rfc8448(section: int, role: str) -> None:
    """RFC 8448 §3 and §4, send application_data record; in §3 a ticket takes the server's first number."""
    trace = rfc8448.trace(section)
    keys = trace.find(role, "derive write traffic keys for application data")[0].values
    protection = Aead13("AES_128_GCM", keys["key expanded"], keys["iv expanded"])
    sent = trace.find(role, "send application_data record")[-1].values
    out = bytearray()
    if (section, role) == (3, "server"):
        protection.seal(HANDSHAKE, trace.message("server", "NewSessionTicket"), out)
        assert out == trace.find(role, "send handshake record")[-1].values["complete record"]
        out.clear()
    protection.seal(DATA, sent["payload"], out)
    assert out == sent["complete record"]


def test_sealed_is_what_the_rfc_says() -> None:
    protection, out = end(), bytearray()
    protection.seal(HANDSHAKE, memoryview(b"abc"), out)
    protection.seal(ALERT, b"", out)
    assert out == by_hand(b"abc\x16") + by_hand(b"\x15", 1)


@pytest.mark.parametrize("padding", [1, 2, 100, 5000])
def test_padding_is_taken_off(padding: int) -> None:
    zeros = bytes(padding)
    assert opened(end(), by_hand(b"ab\0\0\x16" + zeros)) == (HANDSHAKE, b"ab\0\0")
    wire = by_hand(b"ab\0\x17" + zeros) + by_hand(b"cd\x17", 1) + by_hand(b"e\x17" + zeros, 2)
    out = room()
    assert end().open_run(memoryview(wire), out) == Run(len(wire), 6, None, 0)
    assert bytes(out[:6]) == b"ab\0cde"


def test_padding_of_our_own() -> None:
    """Content, type and padding together come to a multiple, but never beyond a full record."""
    for length, pad_to, inner in (
        (0, 16, 16),
        (15, 16, 16),
        (16, 16, 32),
        (100, 1, 101),
        (100, 512, 512),
        (MAX_PLAINTEXT - 1, 4096, MAX_PLAINTEXT),
        (MAX_PLAINTEXT, 4096, MAX_PLAINTEXT + 1),
        (1, MAX_PLAINTEXT + 1, MAX_PLAINTEXT + 1),
        (1, 60000, MAX_PLAINTEXT + 1),
    ):
        out = bytearray()
        end().seal(DATA, bytes(length), out, pad_to)
        assert len(out) == 5 + inner + 16
        assert opened(end(), bytes(out)) == (DATA, bytes(length))
    out = bytearray()
    end().seal(DATA, b"x", out, 512, 100)  # a peer that takes at most 100 bytes
    assert len(out) == 5 + 101 + 16
    bulk = bytearray()
    end().seal_many(DATA, b"x" * 250, 100, bulk, 64)
    assert len(bulk) == 2 * (5 + 101 + 16) + 5 + 64 + 16
    assert end().open_run(memoryview(bulk), room()) == Run(len(bulk), 250, None, 0)


@pytest.mark.parametrize("padding", [0, 1, 2, 100, MAX_PLAINTEXT + 1])
def test_nothing_but_padding_is_an_unexpected_message(padding: int) -> None:
    """RFC 8446 §5.4."""
    record = by_hand(bytes(padding))
    assert end().open_run(memoryview(record), room()) == Run(0, 0, None, 0)
    with pytest.raises(PeerError) as caught:
        opened(end(), record)
    assert caught.value.reason is NO_CONTENT_TYPE
    assert caught.value.alert.name == "UNEXPECTED_MESSAGE"


def test_padding_counts_towards_the_limit() -> None:
    """RFC 8446 §5.4: the whole inner plaintext has at most 2^14 + 1 bytes."""
    assert opened(end(), by_hand(b"\x16".ljust(MAX_PLAINTEXT + 1, b"\0"))) == (HANDSHAKE, b"")
    record = by_hand(b"\x17".ljust(MAX_PLAINTEXT + 2, b"\0"))
    assert end().open_run(memoryview(record), room()) == Run(0, 0, None, 0)
    with pytest.raises(PeerError) as caught:
        opened(end(), record)
    assert caught.value.reason is RECORD_OVERFLOW


@pytest.mark.parametrize("content_type", [0x14, ALERT, HANDSHAKE, 0x18, 0x40, 0xFF])
@pytest.mark.parametrize("padding", [b"", bytes(20)], ids=("bare", "padded"))
@pytest.mark.parametrize("content", [b"", b"message"], ids=("empty", "message"))
def test_another_type_ends_a_run_and_is_handed_over(
    content_type: int, padding: bytes, content: bytes
) -> None:
    first, second = by_hand(b"one\x17"), by_hand(content + bytes((content_type,)) + padding, 1)
    wire = memoryview(first + second + by_hand(b"two\x17", 2))
    protection, out = end(), room()
    run = protection.open_run(wire, out)
    assert run == Run(len(first) + len(second), 3, content_type, len(content))
    assert bytes(out[: 3 + len(content)]) == b"one" + content
    assert protection.sequence == 2
    assert protection.open_run(wire[run.consumed :], out) == Run(len(wire) - run.consumed, 3, None, 0)


@pytest.mark.parametrize("padding", [0, 30])
def test_empty_application_data_ends_a_run(padding: int) -> None:
    wire = memoryview(by_hand(b"one\x17") + by_hand(b"\x17" + bytes(padding), 1))
    assert end().open_run(wire, room()) == Run(len(wire), 3, DATA, 0)


def test_full_records_fill_the_output_to_the_byte() -> None:
    """The type byte needs one byte of room behind the last content, and no more."""
    wire = bytearray()
    end().seal_many(DATA, bytes(3 * MAX_PLAINTEXT), MAX_PLAINTEXT, wire)
    assert end().open_run(memoryview(wire), room(3 * MAX_PLAINTEXT + 1)).written == 3 * MAX_PLAINTEXT
    assert end().open_run(memoryview(wire), room(3 * MAX_PLAINTEXT)).written == 2 * MAX_PLAINTEXT


def test_headers_cut_anywhere() -> None:
    record = by_hand(b"data\x17")
    for length in range(len(record)):
        protection = end()
        assert protection.open_run(memoryview(record)[:length], room()) == Run(0, 0, None, 0)
        assert protection.sequence == 0


def test_keys_wear_out() -> None:
    """RFC 8446 §5.5: nothing is sealed beyond the cipher's limit, and nothing half."""
    protection = end()
    assert protection.seals_left == 23_726_566
    protection.sequence = 23_726_564
    protection.seal(DATA, b"", bytearray())
    assert protection.seals_left == 1
    out = bytearray()
    with pytest.raises(LocalError) as caught:
        protection.seal_many(DATA, b"ab", 1, out)
    assert caught.value.reason is KEY_LIMIT_REACHED
    assert protection.seals_left == 1
    protection.seal(DATA, b"", bytearray())
    with pytest.raises(LocalError) as caught:
        protection.seal(DATA, b"", bytearray())
    assert caught.value.reason is KEY_LIMIT_REACHED
    assert Aead13("CHACHA20_POLY1305", bytes(32), bytes(12)).seals_left == 2**64 - 1


def test_iv_size_is_checked() -> None:
    with pytest.raises(ValueError, match="IV of 12 bytes"):
        Aead13("AES_128_GCM", KEY, bytes(8))
    with pytest.raises(ValueError, match="IV of 32 bytes"):
        Aead13("SHA256_SHA256", bytes(32), bytes(12))
