"""What every protection promises: round trips, refusal of everything damaged, limits, sequence numbers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handglass.crypto.aead import AEADS
from handglass.crypto.capabilities import missing
from handglass.crypto.cbc import cbc
from handglass.record import (
    HEADER_SIZE,
    MAX_PLAINTEXT,
    OPEN_ROOM,
    Aead12,
    Aead13,
    CbcEncryptThenMac,
    CbcMacThenEncrypt,
    NullProtection,
    Protection,
    Run,
)
from handglass.records import dataclass
from handglass.registry.errors import LocalError, PeerError
from handglass.registry.reasons import (
    BAD_RECORD_MAC,
    CIPHERTEXT_OVERFLOW,
    RECORD_OVERFLOW,
    RECORD_SIZE_LIMIT_EXCEEDED,
    RECORD_TOO_SHORT,
    SEQUENCE_EXHAUSTED,
)

ALERT, HANDSHAKE, DATA = 21, 22, 23


@dataclass(frozen=True)
class Kind:
    """A protection to test: `make` gives one end of it, always with the same keys."""

    name: str
    make: Callable[[], Protection]
    needs: str
    most: int
    """The longest ciphertext the version allows."""

    def __str__(self) -> str:
        return self.name


def _aead13(name: str) -> Kind:
    facts = AEADS[name]
    return Kind(
        f"1.3 {name}",
        lambda: Aead13(name, bytes(range(facts.key_size)), bytes(range(100, 100 + facts.nonce_size))),
        name,
        MAX_PLAINTEXT + 256,
    )


def _aead12(name: str) -> Kind:
    facts = AEADS[name]
    return Kind(
        f"1.2 {name}",
        lambda: Aead12(name, bytes(range(facts.key_size)), bytes(range(100, 100 + facts.salt_size))),
        name,
        MAX_PLAINTEXT + 2048,
    )


def _cbc(kind: type[CbcEncryptThenMac | CbcMacThenEncrypt], name: str, mac: str, size: int) -> Kind:
    def make() -> Protection:
        key = bytes(range(32 if "256" in name else 16))
        return kind(cbc(name, key), mac, bytes(range(size)), Random(1).randbytes)

    return Kind(f"{kind.__name__} {name} {mac}", make, name, MAX_PLAINTEXT + 2048)


KINDS = [
    *(_aead13(name) for name in AEADS),
    *(_aead12(name) for name, facts in AEADS.items() if facts.salt_size),
    *(
        _cbc(kind, name, mac, size)
        for kind in (CbcMacThenEncrypt, CbcEncryptThenMac)
        for name, mac, size in (
            ("AES_128_CBC", "sha1", 20),
            ("AES_256_CBC", "sha1", 20),
            ("AES_128_CBC", "sha256", 32),
            ("AES_256_CBC", "sha384", 48),
        )
    ),
]


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    if (problem := missing(chosen.needs)) is not None:
        pytest.skip(problem)
    return chosen


def sealed(end: Protection, content_type: int, data: bytes, pad_to: int = 0) -> bytearray:
    out = bytearray()
    end.seal(content_type, data, out, pad_to)
    return out


def opened(end: Protection, record: bytes | bytearray) -> tuple[int, bytes]:
    assert int.from_bytes(record[3:5], "big") == len(record) - HEADER_SIZE
    return end.open(bytes(record[:HEADER_SIZE]), memoryview(record)[HEADER_SIZE:])


def with_length(record: bytes | bytearray) -> bytes:
    """Write the true length into the header."""
    return bytes(record[:3]) + (len(record) - HEADER_SIZE).to_bytes(2, "big") + bytes(record[HEADER_SIZE:])


def test_records_come_back_in_order(kind: Kind) -> None:
    ours, theirs, random = kind.make(), kind.make(), Random(2)
    for length in (0, 1, 14, 15, 16, 17, 31, 32, 33, 255, 256, 1000, MAX_PLAINTEXT - 1, MAX_PLAINTEXT):
        for content_type in (ALERT, HANDSHAKE, DATA):
            data = random.randbytes(length)
            record = sealed(ours, content_type, data)
            assert len(record) <= length + ours.overhead
            assert opened(theirs, record) == (content_type, data)
    assert ours.sequence == theirs.sequence == 14 * 3


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    index=st.integers(0, len(KINDS) - 1),
    pieces=st.lists(st.binary(max_size=300), max_size=6),
    limit=st.integers(1, 400),
    spare=st.integers(0, 60),
)
def test_any_pieces_at_any_limit(index: int, pieces: list[bytes], limit: int, spare: int) -> None:
    """Bulk sealing and bulk opening are each other's inverse, and agree with the single records."""
    if missing(KINDS[index].needs) is not None:
        return
    ours, theirs, third = (KINDS[index].make() for _ in range(3))
    wire = bytearray(b"before")
    for piece in pieces:
        ours.seal_many(DATA, piece, limit, wire)
    one_by_one = bytearray()
    for piece in pieces:
        for start in range(0, len(piece), limit):
            third.seal(DATA, piece[start : start + limit], one_by_one)
    assert wire == b"before" + one_by_one
    everything = b"".join(pieces)
    out = bytearray(len(everything) + OPEN_ROOM)
    run = theirs.open_run(memoryview(wire)[6:], memoryview(out))
    assert run == Run(len(wire) - 6, len(everything), None, 0)
    assert out[: len(everything)] == everything
    # Cut anywhere, the run ends at the last whole record.
    fourth = KINDS[index].make()
    cut = memoryview(one_by_one)[: max(0, len(one_by_one) - spare)]
    run = fourth.open_run(cut, memoryview(out))
    assert fourth.open_run(cut[run.consumed :], memoryview(out)) == Run(0, 0, None, 0)
    rest = fourth.open_run(memoryview(one_by_one)[run.consumed :], memoryview(out)[run.written :])
    assert run.written + rest.written == len(everything)
    assert out[: len(everything)] == everything


def test_sealing_into_a_buffer_takes_no_more_than_it_says(kind: Kind) -> None:
    for length, limit in ((0, 10), (10, 10), (11, 10), (5, 10), (100, 7), (MAX_PLAINTEXT + 1, MAX_PLAINTEXT)):
        ours = kind.make()
        size = ours.sealed_size(length, limit)
        room = bytearray(b"\xee" * (size + 20))
        written = ours.seal_into(DATA, bytes(length), memoryview(room)[:size], limit)
        assert written <= size
        assert room[size:] == b"\xee" * 20
        assert ours.sequence == -(-length // limit)


def test_every_flipped_bit_is_a_bad_record_mac(kind: Kind) -> None:
    ours, theirs = kind.make(), kind.make()
    record = sealed(ours, DATA, b"some plaintext")
    for position in range(HEADER_SIZE, len(record)):
        for bit in range(8):
            damaged = bytearray(record)
            damaged[position] ^= 1 << bit
            with pytest.raises(PeerError) as caught:
                opened(theirs, damaged)
            assert caught.value.reason is BAD_RECORD_MAC, (position, bit)
    # The header is authenticated too: type and version.
    for position in (0, 1, 2):
        damaged = bytearray(record)
        damaged[position] ^= 1
        with pytest.raises(PeerError) as caught:
            opened(theirs, damaged)
        assert caught.value.reason is BAD_RECORD_MAC
    assert theirs.sequence == 0
    assert opened(theirs, record) == (DATA, b"some plaintext")


def test_every_truncation_is_refused(kind: Kind) -> None:
    ours, theirs = kind.make(), kind.make()
    record = sealed(ours, DATA, b"some plaintext")
    for length in range(HEADER_SIZE, len(record)):
        with pytest.raises(PeerError) as caught:
            opened(theirs, with_length(record[:length]))
        assert caught.value.reason in {BAD_RECORD_MAC, RECORD_TOO_SHORT}
        assert caught.value.alert.name == "BAD_RECORD_MAC"
    for extra in (1, 16):
        with pytest.raises(PeerError, match="authenticated"):
            opened(theirs, with_length(record + bytes(extra)))


def test_repeated_dropped_and_swapped_records_are_refused(kind: Kind) -> None:
    ours, theirs = kind.make(), kind.make()
    records = [sealed(ours, DATA, bytes((number,))) for number in range(3)]
    with pytest.raises(PeerError):
        opened(theirs, records[1])
    assert opened(theirs, records[0]) == (DATA, b"\0")
    with pytest.raises(PeerError):
        opened(theirs, records[0])
    with pytest.raises(PeerError):
        opened(theirs, records[2])
    assert opened(theirs, records[1]) == (DATA, b"\1")


def test_a_run_stops_before_a_bad_record_and_keeps_what_came_first(kind: Kind) -> None:
    ours, theirs = kind.make(), kind.make()
    first, second, third = (sealed(ours, DATA, data) for data in (b"one", b"two", b"three"))
    damaged = bytearray(second)
    damaged[-1] ^= 1
    out = memoryview(bytearray(2 * OPEN_ROOM))
    run = theirs.open_run(memoryview(first + damaged + third), out)
    assert run == Run(len(first), 3, None, 0)
    assert bytes(out[:3]) == b"one"
    assert theirs.open_run(memoryview(damaged + third), out) == Run(0, 0, None, 0)
    with pytest.raises(PeerError):
        opened(theirs, damaged)
    assert theirs.open_run(memoryview(second + third), out) == Run(len(second) + len(third), 8, None, 0)
    assert bytes(out[:8]) == b"twothree"


def test_a_run_stops_at_an_empty_record_and_tells(kind: Kind) -> None:
    """So that whoever counts records without progress sees each of them."""
    ours, theirs = kind.make(), kind.make()
    parts = [sealed(ours, DATA, data) for data in (b"one", b"", b"", b"two")]
    wire = memoryview(b"".join(parts))
    out = memoryview(bytearray(2 * OPEN_ROOM))
    run = theirs.open_run(wire, out)
    assert run == Run(len(parts[0]) + len(parts[1]), 3, DATA, 0)
    again = theirs.open_run(wire[run.consumed :], out)
    assert again == Run(len(parts[2]), 0, DATA, 0)
    assert theirs.open_run(wire[run.consumed + again.consumed :], out) == Run(len(parts[3]), 3, None, 0)


def test_a_run_without_room_does_nothing(kind: Kind) -> None:
    ours, theirs = kind.make(), kind.make()
    wire = sealed(ours, DATA, bytes(100)) + sealed(ours, DATA, bytes(100))
    assert theirs.open_run(memoryview(wire), memoryview(bytearray(50))) == Run(0, 0, None, 0)
    assert theirs.sequence == 0
    run = theirs.open_run(memoryview(wire), memoryview(bytearray(200 + OPEN_ROOM)))
    assert run == Run(len(wire), 200, None, 0)


def test_a_run_leaves_odd_headers_to_the_caller(kind: Kind) -> None:
    ours = kind.make()
    record = sealed(ours, DATA, b"data")
    out = memoryview(bytearray(OPEN_ROOM))
    for position, value in ((0, 20), (0, 22), (1, 2), (2, 1)):
        odd = bytearray(record)
        odd[position] = value
        theirs = kind.make()
        assert theirs.open_run(memoryview(odd), out) == Run(0, 0, None, 0)
        assert theirs.sequence == 0


def test_too_much_ciphertext(kind: Kind) -> None:
    """RFC 8446 §5.2, RFC 5246 §6.2.3; one byte less is only a bad MAC."""
    theirs = kind.make()
    with pytest.raises(PeerError) as caught:
        theirs.open(b"\x17\x03\x03\x00\x00", memoryview(bytes(kind.most + 1)))
    assert caught.value.reason is CIPHERTEXT_OVERFLOW
    with pytest.raises(PeerError) as caught:
        theirs.open(b"\x17\x03\x03\x00\x00", memoryview(bytes(kind.most)))
    assert caught.value.reason is BAD_RECORD_MAC


def test_record_size_limit(kind: Kind) -> None:
    """RFC 8449 §4: more than we asked for is record_overflow."""
    ours, theirs = kind.make(), kind.make()
    theirs.limit_plaintext(100, RECORD_SIZE_LIMIT_EXCEEDED)
    out = memoryview(bytearray(OPEN_ROOM))
    assert opened(theirs, sealed(ours, HANDSHAKE, bytes(100))) == (HANDSHAKE, bytes(100))
    assert theirs.open_run(memoryview(sealed(ours, DATA, bytes(100))), out).written == 100
    record = sealed(ours, DATA, bytes(101))
    assert theirs.open_run(memoryview(record), out) == Run(0, 0, None, 0)
    with pytest.raises(PeerError) as caught:
        opened(theirs, record)
    assert caught.value.reason is RECORD_SIZE_LIMIT_EXCEEDED
    assert caught.value.alert.name == "RECORD_OVERFLOW"


def test_too_much_to_seal(kind: Kind) -> None:
    ours = kind.make()
    with pytest.raises(ValueError, match="do not go into a record"):
        ours.seal(DATA, bytes(MAX_PLAINTEXT + 1), bytearray())
    with pytest.raises(ValueError, match="do not go into a record"):
        ours.seal(DATA, bytes(11), bytearray(), 0, 10)
    with pytest.raises(ValueError, match="do not go into a record"):
        ours.seal_many(DATA, bytes(2 * MAX_PLAINTEXT), MAX_PLAINTEXT + 1, bytearray())


def test_the_sequence_number_ends(kind: Kind) -> None:
    """RFC 8446 §5.3: it must not wrap."""
    ours, theirs = kind.make(), kind.make()
    ours.seal_limit = 2**64 - 1
    ours.sequence = theirs.sequence = 2**64 - 2
    record = sealed(ours, DATA, b"last")
    assert ours.seals_left == 0
    out = memoryview(bytearray(OPEN_ROOM))
    assert theirs.open_run(memoryview(record), out).written in {0, 4}
    theirs.sequence = 2**64 - 2
    assert opened(theirs, record) == (DATA, b"last")
    with pytest.raises(LocalError) as caught:
        ours.seal(DATA, b"", bytearray())
    assert caught.value.reason is SEQUENCE_EXHAUSTED
    with pytest.raises(LocalError) as caught:
        ours.seal_many(DATA, b"x", 1, bytearray())
    assert caught.value.reason is SEQUENCE_EXHAUSTED
    theirs.sequence = 2**64
    assert theirs.open_run(memoryview(record), out) == Run(0, 0, None, 0)
    with pytest.raises(LocalError) as caught:
        opened(theirs, record)
    assert caught.value.reason is SEQUENCE_EXHAUSTED


def test_no_key_in_repr(kind: Kind) -> None:
    assert repr(kind.make()) == f"<{type(kind.make()).__name__} sequence=0>"


def test_null_protection() -> None:
    ours = NullProtection(0x0301)
    record = sealed(ours, HANDSHAKE, b"hello")
    assert record == b"\x16\x03\x01\x00\x05hello"
    assert opened(NullProtection(0x0303), record) == (HANDSHAKE, b"hello")
    assert ours.open_run(memoryview(b"\x17\x03\x01\x00\x01x"), memoryview(bytearray(100))) == Run(
        0, 0, None, 0
    )
    with pytest.raises(PeerError) as caught:
        opened(ours, b"\x17\x03\x01\x40\x01" + bytes(MAX_PLAINTEXT + 1))
    assert caught.value.reason is RECORD_OVERFLOW
    out = bytearray()
    ours.seal_many(DATA, b"abcde", 2, out)
    assert out == b"\x17\x03\x01\0\2ab\x17\x03\x01\0\2cd\x17\x03\x01\0\1e"


def test_sealing_more_than_a_megabyte_at_once() -> None:
    ours = Aead13("AES_128_GCM", bytes(16), bytes(12))
    theirs = Aead13("AES_128_GCM", bytes(16), bytes(12))
    data = Random(3).randbytes((1 << 20) + 12345)
    wire = bytearray(b"before")
    ours.seal_many(DATA, data, MAX_PLAINTEXT, wire)
    out = bytearray(len(data) + OPEN_ROOM)
    run = theirs.open_run(memoryview(wire)[6:], memoryview(out))
    assert run == Run(len(wire) - 6, len(data), None, 0)
    assert out[: len(data)] == data
