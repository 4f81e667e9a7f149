"""The echo of -rev."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handglass.net.http import LineReverser


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_lines_come_back_reversed(piece: int) -> None:
    data = b"hello\nab\r\n\nCLOSEX\nCLOSE\r\nafter\n"
    reverser = LineReverser()
    answer = b"".join(reverser.receive(data[at : at + piece]) for at in range(0, len(data), piece))
    assert answer == b"olleh\nba\n\nXESOLC\n"
    assert reverser.closed


def test_close_may_be_a_line_like_any_other() -> None:
    reverser = LineReverser(ignore_close=True)
    assert reverser.receive(b"CLOSE\n") == b"ESOLC\n"
    assert not reverser.closed


def test_a_long_line_counts_as_several() -> None:
    """As with OpenSSL 3.0: 16,384 bytes at a time."""
    answer = LineReverser().receive(b"a" * 20000 + b"b\n")
    assert answer == b"a" * 16384 + b"\n" + b"b" + b"a" * 3616 + b"\n"


def test_memory_is_bounded() -> None:
    reverser = LineReverser()
    answered = sum(len(reverser.receive(b"x" * 1000)) for _ in range(1000))
    assert answered >= 1_000_000 - 17_000


@given(st.lists(st.binary(max_size=50)), st.integers(1, 60))
def test_the_same_in_any_pieces(lines: list[bytes], piece: int) -> None:
    data = b"\n".join(lines) + b"\n"
    whole, pieces = LineReverser(), LineReverser()
    expected = whole.receive(data)
    assert b"".join(pieces.receive(data[at : at + piece]) for at in range(0, len(data), piece)) == expected
    assert whole.closed == pieces.closed
