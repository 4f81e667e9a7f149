"""The thread between s_server and a reader of its output that may be slow, stop or vanish."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from handglass.cli.s_server.outlet import LIMIT, FileOutlet, Outlet, never_waits
from support.processes import DEFAULT_LIMIT


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # a test has closed it
            os.close(end)


def read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(descriptor, size - len(data))
    return data


def has_room(outlet: Outlet) -> bool:
    return not outlet.is_full


def test_everything_comes_in_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(lambda: None)
    pieces = [f"{number}\n".encode() for number in range(1000)]
    for piece in pieces:
        outlet.put(writing, piece, is_report=True)
    assert read(reading, sum(map(len, pieces))) == b"".join(pieces)
    outlet.close(DEFAULT_LIMIT)


def test_a_reader_that_stops_loses_reports_and_is_told_and_never_data(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    room = threading.Event()
    outlet = Outlet(room.set)
    data = os.urandom(1 << 14) * (LIMIT // (1 << 14) + 10)
    outlet.put(writing, data, is_report=False)
    assert not has_room(outlet)
    for _ in range(3):
        outlet.put(writing, b"a report\n", is_report=True)
    outlet.put(writing, b"more data\n", is_report=False)
    assert not room.is_set()
    note = b"\ns_server: 3 reports were left out here: nobody read them\n"
    found = read(reading, len(data) + 10 + len(note))
    assert found == data + b"more data\n" + note
    assert room.wait(DEFAULT_LIMIT)
    assert has_room(outlet)
    outlet.put(writing, b"a report\n", is_report=True)
    assert read(reading, 9) == b"a report\n"
    outlet.close(DEFAULT_LIMIT)


def test_a_reader_that_has_gone(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.close(reading)
    woken = threading.Event()
    outlet = Outlet(woken.set)
    outlet.put(writing, b"x", is_report=False)
    assert woken.wait(DEFAULT_LIMIT)
    assert isinstance(outlet.error, BrokenPipeError)
    outlet.put(writing, b"y", is_report=False)
    outlet.close(DEFAULT_LIMIT)


def test_the_end_does_not_wait_for_ever(pipe: tuple[int, int]) -> None:
    outlet = Outlet(lambda: None)
    outlet.put(pipe[1], bytes(LIMIT), is_report=False)
    outlet.close(0.01)
    assert outlet.error is None


def test_what_cannot_stall_needs_no_thread(pipe: tuple[int, int], tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file, Path(os.devnull).open("wb") as null:
        assert never_waits(file.fileno())
        assert never_waits(null.fileno())
    assert not never_waits(pipe[1])


def test_a_full_disk_is_told_and_stops_nothing() -> None:
    woken: list[bool] = []
    with Path("/dev/full").open("wb", buffering=0) as full:
        outlet = FileOutlet(lambda: woken.append(True))
        outlet.put(full.fileno(), b"x", is_report=True)
    assert outlet.error is not None
    assert outlet.error.errno == errno.ENOSPC
    assert woken == [True]
    outlet.close(0)
