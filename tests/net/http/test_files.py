"""Serving files: what is there, parts of it, conditions, and a hundred ways out that lead nowhere."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.s_server.serving import serve
from handglass.net.errors import NetCode, NetError
from handglass.net.http import FileBody, FileResponder, Request, RequestReader, Response, content_type
from handglass.net.http.response import http_date
from support.peers import ADDRESS, needs, program
from support.pki import Pki
from support.processes import DEFAULT_LIMIT, run

BIG = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a served directory, in a directory with a secret beside it."""
    top = tmp_path_factory.mktemp("tree")
    (top / "secret").write_text("SECRET")
    (top / "served2").mkdir()
    (top / "served2" / "secret").write_text("SECRET")
    served = top / "served"
    (served / "sub" / "deep").mkdir(parents=True)
    (served / "page.html").write_text("<p>page")
    (served / "a b").write_text("space")
    (served / "a:b").write_text("colon")
    (served / "x..").write_text("dots")
    (served / "..x").write_text("dots")
    (served / "ü").write_text("umlaut")
    (served / "big.bin").write_bytes(BIG)
    (served / "empty").write_bytes(b"")
    (served / "sub" / "file").write_text("below")
    (served / "answer").write_bytes(b"HTTP/1.0 418 I'm a teapot\r\nA: b\r\n\r\nshort and stout")
    (served / "closed").write_text("closed")
    links = {
        "link": "sub/file",
        "link_up_and_down": "sub/deep/../file",
        "sub/link_up": "../page.html",
        "dirlink": "sub",
        "out": "../secret",
        "out_absolute": str(top / "secret"),
        "in_absolute": str(served / "page.html"),
        "out_dir": "..",
        "out_root": "/",
        "sub/out": "../../secret",
        "sub/out_twice": "../out",
        "sibling": "../served2",
        "over": "sub/../../served/page.html",
        "loop": "loop",
        "loop1": "loop2",
        "loop2": "loop1",
        "dangling": "nowhere",
        "device_link": "/dev/zero",
        "proc_link": "/proc/self/environ",
        "fifo_link": "fifo",
    }
    for name, goal in links.items():
        (served / name).symlink_to(goal)
    os.mkfifo(served / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(served / "socket"))
    return served


@pytest.fixture(scope="module")
def files(tree: Path) -> Iterator[FileResponder]:
    responder = FileResponder(str(tree))
    yield responder
    responder.close()


def request(target: str, *fields: str, method: str = "GET", version: str = "1.1") -> Request:
    reader = RequestReader()
    lines = [f"{method} {target} HTTP/{version}", *fields, "", ""]
    reader.receive("\r\n".join(lines).encode("latin-1"))
    found = reader.next_request()
    assert found is not None
    return found


def sent(response: Response, for_request: Request) -> bytes:
    answer = b"".join(bytes(piece) for piece in response.stream(for_request))
    response.body.close()
    return answer


def ask(
    files: FileResponder, target: str, *fields: str, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    asked = request(target, *fields, method=method)
    response = files.respond(asked)
    head, _, body = sent(response, asked).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0].startswith(f"HTTP/1.1 {response.status} ")
    return response.status, dict(line.split(": ", 1) for line in lines[1:]), body


@pytest.mark.parametrize(
    ("target", "body", "kind"),
    [
        ("/page.html", b"<p>page", "text/html"),
        ("/page.html?query=../..", b"<p>page", "text/html"),
        ("/a%20b", b"space", "text/plain"),
        ("/sub/file", b"below", "text/plain"),
        ("/sub//file", b"below", "text/plain"),
        ("/./sub/./file", b"below", "text/plain"),
        ("/x..", b"dots", "text/plain"),
        ("/..x", b"dots", "text/plain"),
        ("/%c3%bc", b"umlaut", "text/plain"),
        ("/\xc3\xbc", b"umlaut", "text/plain"),
        ("/big.bin", BIG, "application/octet-stream"),
        ("/empty", b"", "text/plain"),
        ("/link", b"below", "text/plain"),
        ("/link_up_and_down", b"below", "text/plain"),
        ("/sub/link_up", b"<p>page", "text/plain"),
        ("/dirlink/file", b"below", "text/plain"),
        ("https://server.test/page.html", b"<p>page", "text/html"),
    ],
)
def test_what_is_there(files: FileResponder, target: str, body: bytes, kind: str) -> None:
    status, fields, answer = ask(files, target)
    assert status == 200
    assert answer == body
    assert fields["Content-type"] == kind
    assert fields["Content-length"] == str(len(body))


UP = [
    "..",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "..%00",
    "%00..",
    "..%2f",
    "..%5c",
    "..\\",
    "....",
]
UP += [
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%uff0e%uff0e",
    "..;",
    "%2e%2e%3b",
    "..%20",
    "..%09",
    "%ff..",
    "..%c0%af",
]
TRAVERSALS = [f"/{up}/secret" for up in UP]
TRAVERSALS += [f"/sub/{up}/{up}/secret" for up in UP]
TRAVERSALS += [f"/sub/deep/{up}/{up}/{up}/secret" for up in UP]
TRAVERSALS += [
    "/..", "/../", "/.", "/../served/page.html", "/../served2/secret", "/./../secret",
    "/sub/./../../secret", "/sub/../page.html", "//etc/passwd", "///etc/passwd", "/%2fetc/passwd",
    "/%2Fetc%2Fpasswd", "/sub/%2f../secret", "/sub%2ffile", "/\\etc\\passwd", "/%5cetc%5cpasswd",
    "/..%2fsecret", "/%2e%2e%2fsecret", "/..%5csecret", "/page.html%00", "/page.html%00.png", "/%00",
    "/secret%00/../page.html", "/file:///etc/passwd", "/c:/secret", "/a:b", "/a%3ab", "/::$DATA", "/%",
    "/%2", "/%zz", "/%2e%2", "/%u002e%u002e/secret", "file:///etc/passwd", "https://server.test/../secret",
    "https://server.test//etc/passwd", "https://../secret", "*", "etc/passwd", "../secret", "..", "/out",
    "/out_absolute", "/in_absolute", "/out_dir/secret", "/out_dir", "/out_root/etc/passwd", "/sub/out",
    "/sub/out_twice", "/dirlink/out", "/dirlink/../secret", "/sibling/secret", "/over", "/loop", "/loop1",
    "/loop/secret", "/dangling", "/device_link", "/proc_link", "/fifo", "/fifo_link", "/socket", "/fifo/x",
    "/sub", "/sub/", "/", "/page.html/", "/page.html/.", "/page.html/..", "/page.html/x", "/nothing",
    "/nothing/file", "/~root/secret", "/~/secret", "/$HOME/secret", "/" + "a" * 300,
    "/" + "sub/" * 300 + "file", "/" + "../" * 100 + "secret", "/" + "%2e%2e/" * 100 + "etc/passwd",
    "/\xff\xfe", "/%ff%fe", "/sub/deep/....//....//secret", "/page.html.", "/page.html..", "/page.html...", "/sub.",
    "/sub./file", "/page.html%20", "/page.html%2e", "/page.html;x", "/sub;x/file", "/;/../secret", "/out;/secret",
    "/page.html:stream", "/PAGE.HTML", "/con", "/NUL", "/dev/null", "/dev/stdin", "/proc/self/environ",
    "/proc/self/root/etc/passwd", "/out_root/proc/self/cwd/secret", "/out_root/dev/zero", "/%2e", "/%2e/",
    "/%2e/%2e%2e/secret",
    "/.%00./secret", "/%2e%00%2e/secret", "/..%0d/secret", "/..%0a/secret", "/%0a../secret", "/..%0d%0a/secret",
    "/%f0%80%80%ae%f0%80%80%ae/secret", "/%c0%2e%c0%2e/secret", "/%ef%bc%8e%ef%bc%8e/secret",
    "/%e2%80%a4%e2%80%a4/secret",
    "/..%ef%bc%8fsecret", "/..%e2%88%95secret", "/..%252fsecret", "/..%25%32%66secret", "/%25%32%65%25%32%65/secret",
    "/\\..\\secret", "/..\\..\\secret", "/\\\\server\\share", "//server/share", "/?../secret", "/??/../secret",
    "/%3f/../secret",
    "/%23/../secret", "http:///etc/passwd", "HTTP://x/%2e%2e/secret", "ftp://x/../secret", "file://x/etc/passwd",
    "x:/secret",
    "/sub/" + "%2e%2e%2f" * 20 + "secret", "/" + "./" * 2000 + "../secret", "/" + "a/" * 500 + "../" * 501 + "secret",
    "/" + "%2e" * 2000, "/" + "link" * 1500, "/dirlink/../../secret", "/dirlink/out/../secret", "/link/", "/link/..",
    "/socket/",
]  # fmt: skip


def test_there_are_more_than_two_hundred_of_them() -> None:
    assert len(set(TRAVERSALS)) == len(TRAVERSALS) >= 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", TRAVERSALS)
def test_no_way_out(files: FileResponder, target: str, method: str) -> None:
    status, _, body = ask(files, target, method=method)
    assert status in (400, 403, 404)
    assert b"SECRET" not in body
    assert b"root:" not in body


@needs("curl")
@pytest.mark.parametrize("option", ["-WWW", "-HTTP"])
def test_no_way_out_of_the_program(pki: Pki, tree: Path, tmp_path: Path, option: str) -> None:
    """All of them as they are, sent by curl to s_server; what it did not refuse would be in a file."""
    with serve(pki, option, cwd=tree) as server:
        blocks = [
            f'url = "https://{ADDRESS}:{server.port}/"\nrequest-target = "{quoted(target)}"\n'
            f'output = "{tmp_path / str(number)}"\npath-as-is\ninsecure\nsilent\nnoproxy = "*"\n'
            'write-out = "%{http_code} "\n'
            for number, target in enumerate(TRAVERSALS)
        ]
        config = tmp_path / "config"
        config.write_bytes("next\n".join(blocks).encode("latin-1"))
        codes = run([program("curl"), "-K", config], limit=4 * DEFAULT_LIMIT).stdout.decode().split()
    assert len(codes) == len(TRAVERSALS)
    assert set(codes) <= {"400", "403", "404"}, [
        pair for pair in zip(codes, TRAVERSALS, strict=True) if pair[0] < "4"
    ]
    for answer in tmp_path.iterdir():
        data = b"" if answer == config else answer.read_bytes()
        assert b"SECRET" not in data
        assert b"root:" not in data


def quoted(text: str) -> str:
    """As a string of a configuration file of curl."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "sub", "deep", "out", "sibling", "secret", "%2e%2e", "", "%2f", "dirlink"]
        )
    ),
    st.booleans(),
)
def test_no_combination_leads_out(tree: Path, parts: list[str], double: bool) -> None:
    responder = FileResponder(str(tree))
    _, _, body = ask(responder, "/" + ("//" if double else "/").join(parts))
    responder.close()
    assert b"SECRET" not in body


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        ("/nothing", 404, "Error opening 'nothing' mode='r'"),
        ("/../x", 403, "'../x' contains '..' or ':'"),
        ("/a:b", 403, "'a:b' contains '..' or ':'"),
        ("//etc/passwd", 403, "'/etc/passwd' is an invalid path"),
        ("/sub", 403, "'sub' is a directory"),
        ("/out", 403, "'out' is an invalid path"),
        ("/fifo", 403, "'fifo' is no regular file"),
        ("/%1b[2J", 404, "Error opening '\\x1b[2J' mode='r'"),
        ("/x%0d%0aSet-Cookie:a", 403, "'x\\r\\nSet-Cookie:a' contains '..' or ':'"),
    ],
)
def test_openssls_sentences(files: FileResponder, target: str, status: int, text: str) -> None:
    found, fields, body = ask(files, target)
    assert (found, body.decode()) == (status, f"{text}\r\n")
    assert fields["Content-type"] == "text/plain"
    assert fields["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("number", "status"), [(errno.EACCES, 403), (errno.EMFILE, 503), (errno.ENFILE, 503)]
)
def test_what_the_system_refuses(
    tree: Path, files: FileResponder, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    real = os.open

    def denied(path: bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == b"closed":
            raise OSError(number, os.strerror(number))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", denied)
    assert ask(files, "/closed")[0] == status


def test_a_file_that_becomes_a_link_while_we_look(
    tree: Path, files: FileResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening the name changes hands: the opening does not follow."""
    victim = tree / "victim"
    victim.write_text("mine")
    real = os.open

    def swapped(path: bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == b"victim":
            victim.unlink()
            victim.symlink_to("../secret")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapped)
    status, _, body = ask(files, "/victim")
    assert (status, b"SECRET" in body) == (404, False)


@pytest.mark.parametrize("goal", ["..", "/", "../served2"])
def test_a_directory_that_becomes_a_link_while_we_look(
    tree: Path, files: FileResponder, monkeypatch: pytest.MonkeyPatch, goal: str
) -> None:
    victim = tree / "swapped"
    victim.mkdir()
    (victim / "secret").write_text("mine")
    real = os.open

    def swapped(path: bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == b"swapped":
            victim.rename(tree.parent / "moved")
            victim.symlink_to(goal)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapped)
    status, _, body = ask(files, "/swapped/secret")
    victim.unlink()
    shutil.rmtree(tree.parent / "moved")
    assert (status, b"SECRET" in body) == (404, False)


def test_a_directory_that_moves_out_while_we_are_in_it(
    tree: Path, files: FileResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is elsewhere, the way up from it is the one that we came, not the one that it has now."""
    (tree / "mover" / "in").mkdir(parents=True)
    (tree / "mover" / "in" / "up").symlink_to("../../secret")
    real = os.readlink

    def moved(path: bytes, *, dir_fd: int | None = None) -> bytes:
        if path == b"up":
            (tree / "mover").rename(tree.parent / "moved")
        return real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "readlink", moved)
    status, _, body = ask(files, "/mover/in/up")
    shutil.rmtree(tree.parent / "moved")
    assert (status, b"SECRET" in body) == (404, False)


def test_the_directory_is_fixed_at_the_start(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "f").write_text("old")
    responder = FileResponder(str(old))
    old.rename(tmp_path / "moved")
    old.mkdir()
    (old / "f").write_text("new")
    assert ask(responder, "/f")[2] == b"old"
    responder.close()
    responder.close()


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=5-9", 206, 5, 10),
        ("bytes=1048570-", 206, 1048570, 1048576),
        ("bytes=1048570-9999999999", 206, 1048570, 1048576),
        ("bytes=-10", 206, 1048566, 1048576),
        ("bytes=-9999999", 206, 0, 1048576),
        ("Bytes = 5-9", 206, 5, 10),
        ("bytes=0-524288", 206, 0, 524289),
        ("bytes=9-5", 200, 0, 1048576),
        ("bytes=0-1,5-6", 200, 0, 1048576),
        ("lines=1-2", 200, 0, 1048576),
        ("bytes=", 200, 0, 1048576),
        ("bytes=-", 200, 0, 1048576),
        ("bytes=a-b", 200, 0, 1048576),
        ("bytes=\xb2-5", 200, 0, 1048576),
        ("bytes=" + "9" * 30 + "-", 200, 0, 1048576),
    ],
)
def test_ranges(files: FileResponder, wanted: str, status: int, start: int, end: int) -> None:
    found, fields, body = ask(files, "/big.bin", f"Range: {wanted}")
    assert found == status
    assert body == BIG[start:end]
    assert fields["Content-length"] == str(end - start)
    assert fields.get("Content-Range") == (f"bytes {start}-{end - 1}/1048576" if status == 206 else None)


@pytest.mark.parametrize(
    ("target", "wanted"), [("/big.bin", "bytes=1048576-"), ("/empty", "bytes=0-"), ("/big.bin", "bytes=-0")]
)
def test_a_range_behind_the_end(files: FileResponder, target: str, wanted: str) -> None:
    status, fields, _ = ask(files, target, f"Range: {wanted}")
    assert status == 416
    assert fields["Content-Range"] == f"bytes */{0 if target == '/empty' else 1048576}"


def test_a_range_of_another_version_is_the_whole(files: FileResponder) -> None:
    _, fields, _ = ask(files, "/big.bin")
    for condition in (fields["ETag"], fields["Last-Modified"]):
        assert ask(files, "/big.bin", "Range: bytes=0-0", f"If-Range: {condition}")[0] == 206
    for condition in ('"other"', f"W/{fields['ETag']}", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert ask(files, "/big.bin", "Range: bytes=0-0", f"If-Range: {condition}")[0] == 200


def test_conditions(files: FileResponder) -> None:
    _, fields, _ = ask(files, "/page.html")
    tag, date = fields["ETag"], fields["Last-Modified"]
    old = "Thu, 01 Jan 1970 00:00:00 GMT"
    for condition, status in [
        (f"If-None-Match: {tag}", 304),
        (f'If-None-Match: "x", W/{tag}', 304),
        ("If-None-Match: *", 304),
        ('If-None-Match: "x"', 200),
        (f"If-Modified-Since: {date}", 304),
        (f"If-Modified-Since: {old}", 200),
        ("If-Modified-Since: nonsense", 200),
        (f"If-Match: {tag}", 200),
        (f"If-Match: W/{tag}", 412),
        ('If-Match: "x"', 412),
        (f"If-Unmodified-Since: {old}", 412),
        (f"If-Unmodified-Since: {date}", 200),
    ]:
        found, _, body = ask(files, "/page.html", condition)
        assert (condition, found) == (condition, status)
        assert body == (b"<p>page" if status == 200 else b"")


def test_head(files: FileResponder) -> None:
    status, fields, body = ask(files, "/big.bin", "Range: bytes=0-0", method="HEAD")
    assert (status, body) == (200, b"")
    assert fields["Content-length"] == "1048576"


@pytest.mark.parametrize(
    ("method", "status"), [("POST", 405), ("DELETE", 405), ("CONNECT", 405), ("BREW", 501)]
)
def test_other_methods(files: FileResponder, method: str, status: int) -> None:
    found, fields, _ = ask(files, "/page.html", method=method)
    assert found == status
    assert fields.get("Allow") == ("GET, HEAD" if status == 405 else None)


def test_the_head_for_old_and_new_clients(files: FileResponder) -> None:
    old = request("/page.html", version="1.0")
    head = sent(files.respond(old), old)
    assert head.startswith(b"HTTP/1.0 200 ok\r\nContent-type: text/html\r\n")
    assert b"Connection" not in head
    for keep in (
        request("/page.html", "Connection: keep-alive", version="1.0"),
        request("/page.html", "Connection: close"),
    ):
        word = b"keep-alive" if keep.keep_alive else b"close"
        assert b"\r\nConnection: " + word + b"\r\n" in sent(files.respond(keep), keep)
    new = request("/page.html")
    assert b"Connection" not in sent(files.respond(new), new)
    assert files.respond(new).keeps_alive(new)


def test_dates_do_not_depend_on_the_locale() -> None:
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_bare_files_are_the_whole_answer(tree: Path) -> None:
    responder = FileResponder(str(tree), bare=True)
    asked = request("/answer")
    response = responder.respond(asked)
    assert not response.keeps_alive(asked)
    assert sent(response, asked) == (tree / "answer").read_bytes()
    head = request("/answer", method="HEAD")
    assert sent(responder.respond(head), head) == b"HTTP/1.0 418 I'm a teapot\r\nA: b\r\n\r\n"
    missing = request("/nothing")
    assert sent(responder.respond(missing), missing).startswith(b"HTTP/1.1 404 Not Found\r\n")
    responder.close()


def test_large_files_come_in_views_of_one_buffer(files: FileResponder) -> None:
    asked = request("/big.bin")
    response = files.respond(asked)
    buffer = bytearray(1 << 18)
    head, *pieces = [bytes(piece) for piece in response.stream(asked, buffer)]
    assert head.endswith(b"\r\n\r\n")
    assert [len(piece) for piece in pieces] == [1 << 18] * 4
    assert b"".join(pieces) == BIG
    assert bytes(buffer) == BIG[-(1 << 18) :]
    response.body.close()
    response.body.close()


def test_a_file_that_shrinks_while_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(BIG)
    body = FileBody(os.open(path, os.O_RDONLY), 0, len(BIG))
    pieces = body.pieces()
    next(pieces)
    os.truncate(path, 1 << 18)
    with pytest.raises(NetError, match="786432 bytes early") as caught:
        list(pieces)
    assert caught.value.code == NetCode.FILE_CHANGED
    body.close()


def test_no_descriptor_is_lost(tree: Path, files: FileResponder) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - as quick as can be
    for target in [
        "/page.html",
        "/sub/deep/../file",
        "/out",
        "/fifo",
        "/sub",
        "/loop",
        "/dirlink/file",
        "/page.html/x",
    ]:
        for fields in [(), ("Range: bytes=99999999-",), ("If-None-Match: *",)]:
            ask(files, target, *fields)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_content_types() -> None:
    assert content_type("x.HTML") == "text/html"
    assert content_type("x.php") == "text/html"
    assert content_type("x.unknown") == "text/plain"
    assert content_type("html") == "text/plain"
    assert content_type("ca.crl") == "application/pkix-crl"
