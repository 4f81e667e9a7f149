"""-www, -WWW, -HTTP and -rev, through the real program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.s_server.serving import ask, connect, read_all, serve
from support.peers import ADDRESS, needs
from support.pki import Pki
from support.processes import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
    "--dump-dom",
)


def test_the_page_has_the_lines_of_openssl(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        answer = ask(server.port, b"GET / HTTP/1.0\r\n\r\n").decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.0 200 ok\r\nContent-type: text/html")
    text = body[body.index("<pre>\n") :]
    assert re.search(
        r"s_server -accept \S+ .*-www\nSecure Renegotiation IS supported\nCiphers supported in s_server binary\n"
        r"TLSv1\.3 +:TLS_AES_256_GCM_SHA384 ",
        text,
    )
    for line in (
        "---\nCiphers common between both SSL end points:\nTLS_AES_256_GCM_SHA384",
        "---\nNew, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384\nSSL-Session:\n    Protocol  : TLSv1.3\n",
        "   1 server accepts that finished\n",
        "---\nno client certificate available\n</pre>",
    ):
        assert line in text


def test_the_page_as_json(pki: Pki) -> None:
    with (
        serve(pki, "-www", "-alpn", "http/1.1") as server,
        connect(server.port, alpn=["x", "http/1.1"]) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nConnection: close\r\n\r\n")
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        suite = client.cipher()
    assert b"Content-type: application/json" in head
    facts = json.loads(body)
    assert suite is not None
    assert facts["connection"]["protocol"] == "TLSv1.3"
    assert facts["connection"]["cipher"]["name"] == suite[0]
    assert facts["connection"]["group"] == "x25519"
    assert facts["connection"]["alpn"] == "http/1.1"
    assert facts["connection"]["server_name"] == "localhost"
    hello = facts["client_hello"]
    assert hello["alpn"] == ["x", "http/1.1"]
    assert hello["key_shares"] == ["x25519"]
    names = {each["name"]: each for each in hello["extensions"]}
    assert names["server_name"]["value"][-1] == "localhost"
    assert names["application_layer_protocol_negotiation"]["hex"] == "000b017808687474702f312e31"
    assert any(each["shared"] for each in hello["cipher_suites"])


def test_no_secret_is_on_the_page(pki: Pki, tmp_path: Path) -> None:
    log = tmp_path / "keys"
    with serve(pki, "-www", "-tls1_2", "-keylogfile", log) as server:
        page = ask(server.port, b"GET / HTTP/1.0\r\n\r\n").decode()
    secret = log.read_text().split()[-1]
    assert len(secret) == 96
    assert secret not in page.lower()
    assert "Master-Key: \n" in page


def test_a_hello_from_a_stranger_world(pki: Pki) -> None:
    """Unknown suites, groups, schemes and extensions are named by number, and what they hold cannot be markup."""
    with serve(pki, "-www") as server:
        command = ["openssl", "s_client", "-connect", f"{ADDRESS}:{server.port}", "-ign_eof", "-quiet"]
        command += ["-servername", "<script>alert(1)</script>"]
        page = run(command, data=b"GET / HTTP/1.0\r\n\r\n").text
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_other_methods_are_refused_and_head_has_no_body(pki: Pki) -> None:
    with serve(pki, "-www") as server:
        assert ask(server.port, b"HEAD / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\n")
        assert ask(server.port, b"POST / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 405 ")
        assert ask(server.port, b"\x00\x01\r\n\r\n").startswith(b"HTTP/1.0 400 ")


@pytest.mark.skipif(CHROMIUM is None, reason="not installed: chromium")
def test_chromium_opens_the_page(pki: Pki, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    with serve(pki, "-www", "-tls1_3", "-alpn", "http/1.1") as server:
        dom = subprocess.run(
            [CHROMIUM, *CHROMIUM_OPTIONS, f"--user-data-dir={tmp_path}", f"https://localhost:{server.port}/"],
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        ).stdout
    assert '<dd id="version">TLSv1.3</dd>' in dom
    assert re.search(r'<dd id="suite">TLS_(AES_\d+_GCM|CHACHA20_POLY1305)_SHA\d+</dd>', dom)
    assert re.search(r'<dd id="group">(X25519MLKEM768|x25519)</dd>', dom)
    assert '<dd id="alpn">http/1.1</dd>' in dom
    assert '<dd id="sni">localhost</dd>' in dom
    offers = dom[dom.index('id="offered-suites"') : dom.index('id="client-certificate"')]
    for offer in (
        "TLS_AES_128_GCM_SHA256",
        "GREASE_0x",
        "x25519",
        "ECDSA+SHA256",
        "supported_versions",
        "h2",
    ):
        assert offer in offers


# Files.


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = tmp_path / "site"
    (directory / "sub").mkdir(parents=True)
    (directory / "page.html").write_bytes(b"<p>hello</p>")
    (directory / "big").write_bytes(bytes(range(256)) * 20_000)
    (directory / "raw").write_bytes(b"HTTP/1.0 299 Mine\r\nX: y\r\n\r\nbody")
    (tmp_path / "secret").write_text("SECRET")
    (directory / "link").symlink_to(tmp_path / "secret")
    (directory / "pipe").unlink(missing_ok=True)
    os.mkfifo(directory / "pipe")
    return directory


def test_files(pki: Pki, site: Path) -> None:
    with serve(pki, "-WWW", cwd=site) as server:
        answer = ask(server.port, b"GET /page.html HTTP/1.0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.0 200 ok\r\nContent-type: text/html")
        assert answer.endswith(b"\r\n\r\n<p>hello</p>")
        server.wait_for("^FILE:page.html$")
        big = ask(server.port, b"GET /big HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")[2]
        assert big == (site / "big").read_bytes()
        assert b"New, TLSv1.3, Cipher is" in ask(server.port, b"GET /stats HTTP/1.0\r\n\r\n")


def test_several_requests_on_one_connection(pki: Pki, site: Path) -> None:
    with serve(pki, "-WWW", cwd=site) as server, connect(server.port) as client:
        head = b"HEAD /big HTTP/1.1\r\nHost: x\r\n\r\n"
        part = b"GET /big HTTP/1.1\r\nHost: x\r\nRange: bytes=255-256\r\n\r\n"
        client.sendall(head + part + b"GET /page.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = read_all(client).split(b"HTTP/1.1 ")
    assert answers[1].startswith(b"200 ok")
    assert answers[1].endswith(b"\r\n\r\n")
    assert b"Content-length: 5120000" in answers[1]
    assert answers[2].startswith(b"206 ")
    assert answers[2].endswith(b"\r\n\r\n\xff\x00")
    assert answers[3].endswith(b"\r\n\r\n<p>hello</p>")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret",
        "/sub/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/link",
        "//etc/passwd",
        "/sub//../../secret",
        "/pipe",
        "/sub",
        "/page.html%00.txt",
        "/./../secret",
        "/..%5csecret",
        "secret",
        "http://x/../secret",
        "/c:secret",
        "/none",
    ],
)
def test_nothing_outside_the_directory_is_served(pki: Pki, site: Path, path: str) -> None:
    with serve(pki, "-WWW", cwd=site) as server:
        answer = ask(server.port, f"GET {path} HTTP/1.0\r\n\r\n".encode())
    assert re.match(rb"HTTP/1\.0 (400|403|404) ", answer)
    assert b"SECRET" not in answer


def test_the_file_may_be_the_whole_answer(pki: Pki, site: Path) -> None:
    with serve(pki, "-HTTP", cwd=site) as server:
        assert ask(server.port, b"GET /raw HTTP/1.0\r\n\r\n") == (site / "raw").read_bytes()


@needs("curl")
def test_curl(pki: Pki, site: Path) -> None:
    with serve(pki, "-WWW", cwd=site) as server:
        url = f"https://localhost:{server.port}"
        common: list[str | Path] = ["curl", "-sS", "--noproxy", "*", "--cacert", pki.server("p256").root]
        common += ["--resolve", f"localhost:{server.port}:{ADDRESS}"]
        answer = run([*common, f"{url}/page.html", f"{url}/page.html"]).check()
        assert answer.stdout == b"<p>hello</p>" * 2
        slow = run([*common, "--limit-rate", "20M", f"{url}/big"]).check()
        assert slow.stdout == (site / "big").read_bytes()


@needs("openssl")
def test_rev(pki: Pki) -> None:
    with serve(pki, "-rev") as server:
        with connect(server.port) as client:
            client.sendall(b"hello\nworld\r\n")
            assert client.recv(5) + client.recv(100) == b"olleh\ndlrow\n"
            client.sendall(b"CLOSE\n")
            assert client.recv(10) == b""
        server.wait_for(
            "(?s)^CONNECTION ESTABLISHED\nProtocol version: TLSv1.3\nClient cipher list: .*Ciphersuite: "
        )
        server.wait_for("^No peer certificate$")
        server.wait_for("^CONNECTION CLOSED$")
