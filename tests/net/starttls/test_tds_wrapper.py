"""TLS records in TDS packets: any cut of the stream gives the same records; the switch to bare records."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handglass.net.errors import NetError
from handglass.net.starttls.mssql import TdsWrapper

RECORD = bytes.fromhex("1603030005") + b"hello"


def packet(data: bytes, kind: int = 0x12) -> bytes:
    return bytes((kind, 1)) + (len(data) + 8).to_bytes(2) + bytes(4) + data


def test_outgoing_is_wrapped_until_the_handshake_is_done() -> None:
    wrapper = TdsWrapper()
    assert wrapper.outgoing(RECORD) == packet(RECORD)
    assert wrapper.outgoing(b"") == b""
    wrapper.handshake_done()
    assert wrapper.outgoing(RECORD) == RECORD


def test_a_long_flight_takes_several_packets() -> None:
    data = random.Random(1).randbytes(10_000)
    wrapped = TdsWrapper().outgoing(data)
    packets, at = [], 0
    while at < len(wrapped):
        length = int.from_bytes(wrapped[at + 2 : at + 4])
        assert length <= 4096
        packets.append(wrapped[at : at + length])
        at += length
    assert [p[1] for p in packets] == [0, 0, 1]
    assert b"".join(p[8:] for p in packets) == data


@given(st.lists(st.integers(1, 30), min_size=1), st.booleans())
def test_incoming_in_any_pieces(sizes: list[int], bare_end: bool) -> None:
    stream = (
        packet(RECORD) + packet(RECORD[:3], 0x04) + packet(RECORD[3:]) + (RECORD * 2 if bare_end else b"")
    )
    wrapper, records, at, turn = TdsWrapper(), b"", 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        records += wrapper.incoming(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert records == RECORD * (4 if bare_end else 2)


@pytest.mark.parametrize("stream", [b"HTTP/1.1 400", bytes.fromhex("1201000700000000"), bytes(8)])
def test_what_is_no_packet_is_an_error(stream: bytes) -> None:
    with pytest.raises(NetError, match="a TDS packet with TLS inside"):
        TdsWrapper().incoming(stream)
