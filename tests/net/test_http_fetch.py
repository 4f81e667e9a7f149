"""The small HTTP client: what it sends, what it takes, and every limit."""

from __future__ import annotations

import time

import pytest

from handglass.net.errors import NetCode, NetError
from handglass.net.http_fetch import FetchOptions, fetch
from support.processes import closed_port
from support.web import ok, web_server

NO_ENVIRONMENT: dict[str, str] = {}


def get(url: str, **options: object) -> bytes:
    return fetch(url, FetchOptions(**options), environment=NO_ENVIRONMENT)  # type: ignore[arg-type]  # keywords


def test_get_and_post() -> None:
    with web_server(lambda _: ok(b"answer")) as server:
        assert get(server.url("/a/b?c=d")) == b"answer"
        posted = fetch(server.url(), body=b"question", content_type="text/x", environment=NO_ENVIRONMENT)
    assert posted == b"answer"
    first, second = server.requests
    assert first.startswith(b"GET /a/b?c=d HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n" % server.port)
    assert second.startswith(b"POST / HTTP/1.0\r\n")
    assert b"\r\nContent-Type: text/x\r\nContent-Length: 8\r\n" in second
    assert second.endswith(b"\r\n\r\nquestion")


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (ok(b"exact") + b"more", b"exactmore"[:9]),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 200\r\n\r\n", b""),
    ],
)
def test_forms_of_answers(answer: bytes, body: bytes) -> None:
    with web_server(lambda _: answer) as server:
        assert get(server.url()) == body


@pytest.mark.parametrize(
    ("answer", "code", "sentence"),
    [
        (b"", NetCode.ANSWER_MALFORMED, "the answer is not HTTP: nothing"),
        (b"SSH-2.0-x\r\n\r\n", NetCode.ANSWER_MALFORMED, "the answer is not HTTP: SSH-2.0-x"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", NetCode.REFUSED, "was answered with 404 Not Found"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            NetCode.PEER_CLOSED,
            "ends after 5 of 9 bytes",
        ),
        (ok(b"x" * 2000), NetCode.ANSWER_TOO_LONG, "more than 1000 bytes"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 2000, NetCode.ANSWER_TOO_LONG, "more than 1000 bytes"),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
            NetCode.ANSWER_TOO_LONG,
            "more than 1000 bytes",
        ),
        (b"x" * 70_000, NetCode.ANSWER_TOO_LONG, "the head of the answer does not end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            NetCode.ANSWER_MALFORMED,
            "the chunks of the answer are damaged",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            NetCode.PEER_CLOSED,
            "ends inside a chunk",
        ),
    ],
)
def test_answers_that_are_not_taken(answer: bytes, code: NetCode, sentence: str) -> None:
    with web_server(lambda _: answer) as server, pytest.raises(NetError, match=sentence) as caught:
        get(server.url(), size=1000)
    assert caught.value.code is code


def test_one_limit_of_time_for_everything() -> None:
    begun = time.monotonic()
    with (
        web_server(lambda _: None) as server,
        pytest.raises(NetError, match=r"within 0\.3 seconds") as caught,
    ):
        get(server.url(), seconds=0.3)
    assert caught.value.code is NetCode.STEP_TIMEOUT
    assert time.monotonic() - begun < 60
    with closed_port() as port, pytest.raises(NetError) as caught:
        get(f"http://127.0.0.1:{port}/")
    assert caught.value.code is NetCode.CONNECT_FAILED


def test_redirections() -> None:
    def answer(request: bytes) -> bytes:
        path = request.split(b" ")[1]
        if path == b"/end":
            return ok(b"arrived")
        there = b"/end" if path == b"/one" else b"/loop"
        return b"HTTP/1.1 302 Found\r\nLocation: " + there + b"\r\n\r\n"

    with web_server(answer) as server:
        assert get(server.url("/one")) == b"arrived"
        with pytest.raises(NetError, match="more than 3 redirections"):
            get(server.url("/loop"))
        with pytest.raises(NetError, match="302 Found"):
            fetch(server.url("/one"), body=b"x", environment=NO_ENVIRONMENT)


@pytest.mark.parametrize(
    "url",
    [
        "https://x/",
        "ftp://x/",
        "file:///etc/passwd",
        "http:///",
        "http://[::1",
        "http://x:99999/",
        "http://a b/",
        "x",
    ],
)
def test_nothing_but_http(url: str) -> None:
    with pytest.raises(NetError) as caught:
        get(url)
    assert caught.value.code is NetCode.TARGET_MALFORMED


def test_proxies() -> None:
    with web_server(lambda _: ok(b"by proxy")) as proxy, web_server(lambda _: ok(b"direct")) as server:
        way = f"http://me:word@127.0.0.1:{proxy.port}"
        assert get(server.url("/x"), proxy=way) == b"by proxy"
        assert get(server.url("/x"), proxy=way, no_proxy="other, 127.0.0.1") == b"direct"
        assert get(server.url("/x"), proxy="") == b"direct"
        environment = {"http_proxy": f"127.0.0.1:{proxy.port}"}
        assert fetch(server.url("/y"), environment=environment) == b"by proxy"
        assert fetch(server.url("/y"), environment={**environment, "no_proxy": "127.0.0.1"}) == b"direct"
    head = proxy.requests[0]
    assert head.startswith(
        b"GET http://127.0.0.1:%d/x HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n" % (server.port, server.port)
    )
    assert b"\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n" in head
    assert len(proxy.requests) == 2


def test_many_small_chunks_take_no_longer_than_their_bytes() -> None:
    """The work must not grow with the square of their number: that would be 6 seconds of CPU."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"
    with web_server(lambda _: answer) as server:
        start = time.process_time()
        assert get(server.url(), size=2 << 20, seconds=60.0) == b"x" * 200_000
        assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("http://[", "redirected to what is no URL"),
        ("/" + "a" * 3000, "is no URL that is asked for"),
        ("/\x9b31m", r"'http://127.0.0.1:\d+/\\x9b31m' is no URL that is asked for"),
        ("file:///etc/passwd", "only http is supported"),
    ],
)
def test_redirected_nowhere(location: str, sentence: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    with web_server(lambda _: answer) as server, pytest.raises(NetError, match=sentence) as caught:
        get(server.url())
    assert caught.value.sentence.isprintable()
