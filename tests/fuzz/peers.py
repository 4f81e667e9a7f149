"""The fuzz target for everything in `net` that reads what a peer wrote: `python -m fuzz.peers [inputs [seed]]`.

The invariant: whatever comes in, the reader is content, waits for more, or ends with one of our errors, whose
sentence can be shown on a terminal; what it keeps, what it says and the time it takes stay within limits.

Strategy: honest conversations (the scripts of the tests) are damaged by the mutations of the engine's target and by a
few of text protocols, cut anywhere, and given to the readers without a socket. A reader of whole connections
(`fetch`) gets a socket that is none.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from unittest import mock

import dns.message
import dns.rrset

from fuzz.mutate import mutate
from handglass.net import http_fetch
from handglass.net.dane_lookup import find_tlsa
from handglass.net.dial import Target
from handglass.net.dialogue import Exchange, Finding
from handglass.net.errors import NetError
from handglass.net.http import FileResponder
from handglass.net.http_fetch import FetchOptions, fetch
from handglass.net.proxy import Credentials, Proxy, dialogue_with
from handglass.net.server import HttpApplication, ServedConnection
from handglass.net.starttls import PROTOCOLS, Names
from handglass.net.starttls.negotiate import Prelude
from handglass.records import dataclass, field
from handglass.verify.dane import MAX_RECORDS
from net.scripts import HAPPY, NOT_OFFERED, REFUSALS, Said, Script
from support.dns_server import resolver, respond

SECONDS = 2.0
"""Of CPU that one input may take, on any machine."""
MANY_SECONDS = 30.0
"""That a lookup with its limit may take while other programs run too."""
MOST_KEPT = (1 << 16) + (1 << 14)
MOST_SAID = 1 << 14
MOST_SENTENCE = 3000
SECRET = b"THE SECRET"
BUFFER = bytearray(1 << 18)

TEXT = (
    b"\r\n", b"\n", b"\r", b"\0", b"\x1b[2J", b"\x9b31m", b" ", b"\t", b"-", b":", b"220 ", b"250-x\r\n" * 400,
    b"A" * 9000, b"* OK\r\n" * 2000, b"<" * 3000, b"\xff" * 300, b"\xc2\x9b", b"4294967295", b"-1",
    b"%00", b"\xe2\x80\xae",
)  # fmt: skip
"""What means something in protocols of lines, or on a terminal, or is too much."""

NAMES = Names("server.test")
PROXIES: dict[str, tuple[Proxy, list[bytes]]] = {
    "http proxy": (
        Proxy("http", Target("127.0.0.1", "1"), Credentials("bob", "pw")),
        [
            b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n",
            b"HTTP/1.0 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 3\r\n\r\nno\n",
        ],
    ),
    "socks4 proxy": (
        Proxy("socks4", Target("127.0.0.1", "1"), Credentials("bob")),
        [b"\0\x5a" + bytes(6), b"\0\x5b" + bytes(6), b"\0\x5d" + bytes(6)],
    ),
    "socks5 proxy": (
        Proxy("socks5", Target("127.0.0.1", "1"), Credentials("bob", "pw")),
        [
            b"\5\2\1\0\5\0\0\1" + bytes(6),
            b"\5\0\5\0\0\3\4name" + bytes(2),
            b"\5\0\5\0\0\4" + bytes(18),
            b"\5\0\5\5\0\1" + bytes(6),
        ],
    ),
}
REQUESTS = [
    b"GET /inside HTTP/1.1\r\nHost: x\r\nRange: bytes=1-3\r\n\r\n",
    b"GET /large HTTP/1.1\r\nHost: x\r\n\r\nHEAD /inside HTTP/1.1\r\nHost: x\r\n\r\nGET /d/deep HTTP/1.0\r\n\r\n",
    b"GET /inside HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n1234567GET /inside HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /inside HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"GET /../secret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%2e%2e/secret HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /link HTTP/1.0\r\n\r\n",
    b"GET http://x/inside?y HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\", W/\"b\"\r\nIf-Range: *\r\n\r\n",
    b"GET /inside HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
    b"Expect: 100-continue\r\n\r\n",
    b"GET /inside HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b"0-1," * 2000 + b"5-\r\n\r\n",
    b"GET /inside\r\n",
]  # fmt: skip
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 4000 + b"0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1]:80/b?c=d#e\r\n\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: //user:pw@host.test/x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\n\r\nnothing here",
    b"HTTP/1.0 200 OK\r\n\r\nto the end",
]


@dataclass()
class Outcome:
    """What came of a run."""

    inputs: int = 0
    results: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


class Peers:
    """A run from a seed."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.outcome = Outcome()
        self._scripts = {word: [said(HAPPY[word])] for word in PROTOCOLS}
        for word, script in [(word, script) for word, script, _ in REFUSALS] + list(NOT_OFFERED.items()):
            self._scripts[word].append(said(script))
        self._pieces = [piece for scripts in self._scripts.values() for script in scripts for piece in script]

    def run(self, inputs: int) -> Outcome:
        """Take so many inputs, every reader in its turn."""
        with site() as files, mock.patch.object(http_fetch, "dial", self.dial):
            readers: list[Callable[[], str]] = [
                lambda: self.server(files),
                lambda: self.server(files),
                self.fetch,
                *(lambda word=word: self.start_tls(word) for word in PROTOCOLS),
                *(lambda word=word: self.proxy(word) for word in PROXIES),
            ]
            while self.outcome.inputs < inputs:
                for number, reader in enumerate(readers):
                    self.judge(number, reader)
        return self.outcome

    def judge(self, number: int, reader: Callable[[], str]) -> None:
        """Have one input read, and check what can be checked of any."""
        state = self.source.getstate()
        start = time.process_time()
        try:
            result = reader()
        except NetError as error:
            result = code_of(error)
        except Exception as problem:
            self.source.setstate(state)  # what calls again with this gets the same input
            raise AssertionError(f"input {self.outcome.inputs} to reader {number}") from problem
        taken = time.process_time() - start
        assert taken < SECONDS, f"{taken} s for input {self.outcome.inputs} to reader {number}"
        self.outcome.slowest = max(self.outcome.slowest, taken)
        self.outcome.results[result] += 1
        self.outcome.inputs += 1

    # What comes in ---------------------------------------------------------------------------------------

    def damaged(self, honest: bytes) -> bytes:
        """Damage it, mostly."""
        source = self.source
        data = honest
        if source.random() < 0.7:
            data = mutate(source, data, self._pieces)
        for _ in range(source.choice((0, 0, 1, 1, 2, 5))):
            at = source.randrange(len(data) + 1)
            cut = at if source.random() < 0.6 else source.randrange(at, len(data) + 1)
            data = data[:at] + source.choice(TEXT) * source.choice((1, 1, 1, 3)) + data[cut:]
        if source.random() < 0.03:
            data += source.choice((b"A", b"x\r\n", b"250-x\r\n", b"\0", source.randbytes(9))) * (1 << 18)
        return data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Cut it somewhere; short ones now and then byte by byte."""
        if len(data) < 2000 and self.source.random() < 0.1:
            yield from (data[at : at + 1] for at in range(len(data)))
            return
        at = 0
        while at < len(data):
            size = self.source.choice((1, 7, 100, 4096, 4096, 4096))
            yield data[at : at + size]
            at += size

    # The readers -----------------------------------------------------------------------------------------

    def start_tls(self, word: str) -> str:
        """A server's side of a STARTTLS dialogue."""
        prelude = Prelude(word, NAMES)
        exchange = Exchange(prelude.dialogue())
        script = self.source.choice(self._scripts[word])
        self.hold(exchange, [self.damaged(part) if self.source.random() < 0.6 else part for part in script])
        if not exchange.done:
            exchange.receive_eof()
        agreed = prelude.agreed(exchange.value, exchange.leftover, tuple(exchange.findings))
        for finding in agreed.findings:
            code_of(finding)
        assert sum(map(len, agreed.offered)) < 1 << 20
        if agreed.wrapper is not None:
            for piece in self.pieces(self.damaged(b"\x12\1\0\x10" + bytes(4) + b"\x16\3\3\0\3abc")):
                agreed.wrapper.incoming(piece)
                agreed.wrapper.outgoing(piece)
        return f"{word} agreed"

    def proxy(self, word: str) -> str:
        """A proxy's side."""
        proxy, answers = PROXIES[word]
        exchange = Exchange(dialogue_with(proxy, Target("server.test", "443")))
        self.hold(exchange, [self.damaged(self.source.choice(answers))])
        if not exchange.done:
            exchange.receive_eof()
        return f"{word} agreed"

    def hold(self, exchange: Exchange[Any], parts: list[bytes]) -> None:
        """Let the peer say all of it, as far as that is heard."""
        told = 0
        for part in parts:
            for piece in self.pieces(part):
                exchange.receive(piece)
                told += sum(len(step.data) for step in exchange.data_to_send())
                assert told < MOST_SAID
                if exchange.done:
                    return
                assert len(exchange.leftover) < MOST_KEPT, len(exchange.leftover)

    def server(self, files: FileResponder) -> str:
        """A client of our HTTP server that asks for files, and may not read."""
        link = Link()
        application = HttpApplication(lambda _, request: files.respond(request), BUFFER)
        served = cast("ServedConnection", link)
        for piece in self.pieces(self.damaged(b"".join(self.source.choices(REQUESTS, k=3)))):
            if link.over:
                break
            if not application.streaming or self.source.random() < 0.01:
                application.on_data(served, piece, early=False)
            while application.streaming and not link.over:
                application.produce(served)
            assert len(application._reader._buffer) < 1 << 19
        if not link.over and self.source.random() < 0.5:
            application.on_end(served, clean=True)
            while application.streaming and not link.over:
                application.produce(served)
        application.on_close(served)
        assert SECRET not in link.said
        assert not link.said or link.said.startswith(b"HTTP/1.")
        status = bytes(link.said[9:12]).decode() if link.said else "nothing"
        return f"HTTP {status}{'' if link.over else ' and on'}"

    def fetch(self) -> str:
        """A server that certificates point to."""
        options = FetchOptions(seconds=60, size=1 << 16, proxy="", no_proxy="")
        question = b"?" if self.source.random() < 0.3 else None
        answer = fetch("http://server.test/x", options, body=question, content_type="x/y")
        assert len(answer) <= options.size
        return "fetched"

    def look_up(self, times: int) -> None:
        """A resolver's answers about TLSA records, over UDP and TCP. What dnspython drops ends in a time limit."""

        def answer(query: dns.message.Message, by_tcp: bool) -> bytes:
            name = query.question[0].name
            kind = query.question[0].rdtype.name
            rows = {
                "TLSA": [f"3 1 1 {'ab' * 32}", "9 0 0 00", "0 0 0 30820100"],
                "A": ["127.0.0.1"],
            }[kind]
            if kind == "A" and self.source.random() < 0.5:
                kind, rows = "CNAME", [self.source.choice(("other.test.", "\\x1b\\.x.test.", f"{name}"))]
            found = dns.rrset.from_text(name, 60, "IN", kind, *rows)
            honest = respond(query, found, validated=self.source.random() < 0.8).to_wire()
            # Most damage before the records only makes it nobody's answer; what dnspython throws away costs time.
            kept = self.source.choice((2, 12 + len(name.to_text()) + 1 + 4, len(honest) - 12, len(honest)))
            damaged = honest[:kept] + (
                mutate(self.source, honest[kept:], [honest]) if kept < len(honest) else b""
            )
            return damaged if by_tcp or self.source.random() < 0.9 else damaged[:2] + b"\x83" + damaged[3:]

        with resolver(answer) as address:
            for _ in range(times):
                start = time.monotonic()
                try:
                    found = find_tlsa("server.test", 443, resolver=address, timeout=0.2)
                    assert len(found.records) <= MAX_RECORDS
                    self.outcome.results[f"TLSA {'validated' if found.validated else 'unproven'}"] += 1
                except NetError as error:
                    self.outcome.results[f"TLSA {code_of(error)}"] += 1
                assert time.monotonic() - start < MANY_SECONDS
                self.outcome.inputs += 1

    def dial(self, target: Target, _: object) -> object:
        """Stand in for a connection: whatever is sent, a damaged answer comes."""
        assert target.host
        answer = self.source.choice(ANSWERS)
        pieces = self.pieces(self.damaged(answer) if self.source.random() < 0.9 else answer)
        sock = mock.Mock(spec=["settimeout", "sendall", "recv", "close"])
        sock.recv.side_effect = lambda _: next(pieces, b"")
        return mock.Mock(socket=sock)


class Link:
    """What an application sees of a served connection: it takes everything."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.over = False

    def send(self, data: bytes | memoryview) -> None:
        """Take it; of large ones only the beginning is kept."""
        if not self.over:
            self.said += bytes(data)[: 1 << 16]

    def close(self) -> None:
        """End."""
        self.over = True

    drop = close


def code_of(problem: NetError | Finding) -> str:
    """The code of an error or a finding, after a look at its sentence."""
    assert len(problem.sentence) < MOST_SENTENCE, problem.sentence[:300]
    assert problem.sentence.isprintable(), ascii(problem.sentence)
    return str(problem.code)


def said(script: Script) -> list[bytes]:
    """What the server says in a script, one piece per answer."""
    return [line.data for line in script if isinstance(line, Said)]


@contextlib.contextmanager
def site() -> Iterator[FileResponder]:
    """Files to ask for, and one outside that must not come."""
    with tempfile.TemporaryDirectory(prefix="handglass-fuzz-") as name:
        top = Path(name)
        (top / "secret").write_bytes(SECRET)
        (top / "www" / "d").mkdir(parents=True)
        (top / "www" / "inside").write_bytes(b"inside" * 10)
        (top / "www" / "large").write_bytes(bytes(1 << 19))
        (top / "www" / "d" / "deep").write_bytes(b"deep")
        (top / "www" / "link").symlink_to("../secret")
        os.mkfifo(top / "www" / "fifo")
        files = FileResponder(str(top / "www"))
        try:
            yield files
        finally:
            files.close()


def main() -> None:
    """Run as many inputs as the command line says, from the seed that it says."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = time.perf_counter()
    peers = Peers(seed)
    peers.look_up(inputs // 500)
    outcome = peers.run(inputs)
    print(
        f"{outcome.inputs} inputs in {time.perf_counter() - start:.1f} s, the slowest {outcome.slowest:.3f} s of CPU"
    )
    for name, count in outcome.results.most_common():
        print(f"{count:8} {name}")


if __name__ == "__main__":
    main()
