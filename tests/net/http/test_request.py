"""The request reader: whole, in pieces, pipelined, typed by hand, too large, in doubt, mutated."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handglass.net.http import Request, RequestError, RequestLimits, RequestReader

PLAIN = b"GET /a?b HTTP/1.1\r\nHost: server.test\r\nAccept: */*\r\n\r\n"


def requests(data: bytes, piece: int | None = None, *, eof: bool = False) -> list[Request]:
    reader = RequestReader()
    found = []
    size = piece or max(1, len(data))
    for at in range(0, len(data), size):
        reader.receive(data[at : at + size])
        while (request := reader.next_request()) is not None:
            found.append(request)
    if eof:
        reader.receive_eof()
        while (request := reader.next_request()) is not None:
            found.append(request)
    return found


@pytest.mark.parametrize("piece", [None, 1, 2, 7])
def test_a_request(piece: int | None) -> None:
    (request,) = requests(PLAIN, piece)
    assert (request.method, request.target, request.path) == ("GET", "/a?b", "/a")
    assert request.version == (1, 1)
    assert request.fields == (("Host", "server.test"), ("Accept", "*/*"))
    assert request.value("accept") == "*/*"
    assert request.keep_alive


@pytest.mark.parametrize("piece", [None, 1, 5])
def test_pipelining(piece: int | None) -> None:
    data = PLAIN + b"\r\nHEAD /2 HTTP/1.1\nHost: x\n\n" + b"GET /3 HTTP/1.0\r\n\r\n" + PLAIN
    assert [r.target for r in requests(data, piece)] == ["/a?b", "/2", "/3"], (
        "1.0 without keep-alive is the last"
    )


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        ("HTTP/1.1\r\n", True),
        ("HTTP/1.1\r\nConnection: close\r\n", False),
        ("HTTP/1.1\r\nConnection: TE, Close\r\n", False),
        ("HTTP/1.0\r\n", False),
        ("HTTP/1.0\r\nConnection: Keep-Alive\r\n", True),
        ("HTTP/1.1\r\nContent-Length: 0\r\n", True),
        ("HTTP/1.1\r\nContent-Length: 9999999999\r\n", False),
        ("HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", False),
        ("HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n", False),
        ("HTTP/1.2\r\n", True),
    ],
)
def test_keep_alive(head: str, keep_alive: bool) -> None:
    (request,) = requests(f"GET / {head}\r\n".encode())
    assert request.keep_alive == keep_alive


@pytest.mark.parametrize("piece", [None, 1, 3])
def test_a_body_is_skipped(piece: int | None) -> None:
    data = b"POST /1 HTTP/1.1\r\nContent-Length: 20\r\n\r\nGET /x HTTP/1.1\r\n\r\n!" + PLAIN
    assert [r.target for r in requests(data, piece)] == ["/1", "/a?b"]


def test_a_body_of_unknown_length_ends_the_connection() -> None:
    data = b"POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + PLAIN
    assert [r.target for r in requests(data)] == ["/1"]


@pytest.mark.parametrize("data", [b"GET /x\r\n", b"GET /x\n", b"\r\n\nGET /x\r\n"])
def test_a_simple_request_is_answered_at_once(data: bytes) -> None:
    (request,) = requests(data)
    assert (request.target, request.version, request.keep_alive) == ("/x", (0, 9), False)


@pytest.mark.parametrize(
    "data", [b"GET /x HTTP/1.0\r\n", b"GET /x HTTP/1.1\r\nHost: x\r\n", b"GET /x HTTP/1.1\r\nHo"]
)
def test_the_end_of_input_ends_the_head(data: bytes) -> None:
    """``echo 'GET / HTTP/1.0' | s_client`` gets its answer."""
    assert requests(data) == []
    if data.endswith(b"\n"):
        (request,) = requests(data, eof=True)
        assert (request.target, request.keep_alive) == ("/x", False)
    else:
        with pytest.raises(RequestError, match="a header line is not of HTTP"):
            requests(data, eof=True)


def test_half_a_line_is_no_request() -> None:
    assert requests(b"GET /x HTT", eof=True) == []


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/a/b?c=/d", "/a/b"),
        ("https://server.test/a?b", "/a"),
        ("https://server.test", "/"),
        ("http://server.test//etc/passwd", "//etc/passwd"),
        ("*", "*"),
        ("/http://x/y", "/http://x/y"),
    ],
)
def test_paths(target: str, path: str) -> None:
    (request,) = requests(f"GET {target} HTTP/1.0\r\n\r\n".encode())
    assert request.path == path


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x00\xa5\x01\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET / x HTTP/1.1\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", 400),
        (b"GET /\x7f HTTP/1.1\r\n\r\n", 400),
        (b"POST /\r\n", 400),
        (b"G(T / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.10\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/3.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nnocolon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 40000, 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 33000 + b"\r\n\r\n", 431),
        (b"\r\n" * 100, 400),
    ],
)
@pytest.mark.parametrize("piece", [None, 997])
def test_what_is_refused(data: bytes, status: int, piece: int | None) -> None:
    with pytest.raises(RequestError) as caught:
        requests(data, piece)
    assert caught.value.status == status


def test_all_is_over_after_an_error() -> None:
    reader = RequestReader()
    reader.receive(b"nonsense\r\n")
    with pytest.raises(RequestError):
        reader.next_request()
    reader.receive(PLAIN)
    assert reader.next_request() is None
    assert reader.finished
    assert not reader.wants_data


def states(reader: RequestReader) -> dict[str, bool]:
    return {"wants data": reader.wants_data, "idle": reader.between_requests}


def test_the_pump_is_told_when_to_wait() -> None:
    reader = RequestReader()
    assert states(reader) == {"wants data": True, "idle": True}
    for _ in range(1000):
        reader.receive(PLAIN)
    assert states(reader) == {"wants data": False, "idle": False}, "answer first, read then"
    assert len(drain(reader)) == 1000
    assert states(reader) == {"wants data": True, "idle": True}


def test_memory_is_bounded_even_if_the_pump_does_not_wait() -> None:
    reader = RequestReader(RequestLimits(line=64, head=64))
    for _ in range(10_000):
        reader.receive(PLAIN)
    found = drain(reader)
    assert 0 < len(found) < 10_000
    assert found[-1] == 400, "too much came behind a request that was not answered yet"


def test_slow_and_idle_can_be_told_apart() -> None:
    reader = RequestReader()
    reader.receive(b"GET /")
    assert reader.next_request() is None
    assert not states(reader)["idle"]
    reader.receive(b" HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
    assert reader.next_request() is not None
    assert not states(reader)["idle"], "two bytes of a body are due"
    reader.receive(b"xx")
    assert reader.next_request() is None
    assert states(reader)["idle"]


SEEDS = [
    PLAIN,
    b"GET /x\r\n",
    b"POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + PLAIN,
    b"HEAD https://server.test/%2e%2e/ HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-\r\n\r\n",
]


def outcome(data: bytes, piece: int | None) -> list[object]:
    """Return what is found, up to the error that ends it."""
    reader, found = RequestReader(), list[object]()
    size = piece or max(1, len(data))
    for at in range(0, len(data), size):
        reader.receive(data[at : at + size])
        found += drain(reader)
    return found


def drain(reader: RequestReader) -> list[object]:
    """Return the facts of all requests that are there, and the status of the error that ends them."""
    found: list[object] = []
    try:
        while (request := reader.next_request()) is not None:
            found.append((request.method, request.path, request.fields, request.keep_alive))
    except RequestError as error:
        found.append(error.status)
    return found


def test_mutated_requests_read_the_same_whole_and_byte_by_byte() -> None:
    rng = random.Random(4)
    for _ in range(3000):
        data = bytearray(rng.choice(SEEDS) + rng.choice(SEEDS))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(3)] = rng.choice(
                (b"\r", b"\n", b":", b" ", b"\x00", rng.randbytes(2))
            )
        assert outcome(bytes(data), None) == outcome(bytes(data), 1)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_garbage_reads_the_same_in_any_pieces(data: bytes, piece: int) -> None:
    assert outcome(data, None) == outcome(data, piece)
