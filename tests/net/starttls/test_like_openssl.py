"""Beside the installed s_client: the same script, the same bytes from both, the same last line."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handglass.net.dial import Target, dial
from handglass.net.proxy import Credentials, go_through, parse_proxy
from handglass.net.starttls import Names, start_tls
from handglass.records import dataclass, field
from net.scripts import HAPPY, Heard, Said, Script
from support.peers import needs, program
from support.pki import Identity, Pki
from support.processes import run

pytestmark = needs("openssl")

OPENSSL_WORDS = (
    "smtp", "pop3", "imap", "ftp", "xmpp", "xmpp-server", "telnet", "irc", "mysql", "postgres", "lmtp", "nntp",
    "sieve", "ldap",
)  # fmt: skip
# What OpenSSL's program cannot take from a server: the same thing, said more simply.
SIMPLER: dict[str, Script] = {
    "smtp": tuple(Said(s.data.replace(b"starttls", b"STARTTLS")) if isinstance(s, Said) else s for s in HAPPY["smtp"]),
    "ftp": (Said(b"220-welcome\r\n220 ready\r\n"), *HAPPY["ftp"][1:]),
    "irc": (HAPPY["irc"][0], Said(b":irc.test 670 * :STARTTLS successful\r\n")),
    "telnet": (Said(b"\xff\xfd\x2e"), *HAPPY["telnet"][1:]),
    "sieve": (Said(b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "hello"\r\n'), *HAPPY["sieve"][1:]),
    "xmpp-server": (
        *HAPPY["xmpp-server"][:1],
        Said(b"<stream:stream id='1'><stream:features>"
             b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"),
        *HAPPY["xmpp-server"][2:],
    ),
}  # fmt: skip


@dataclass()
class Recorder:
    """A server that follows a script for each of two clients, then does TLS; keeps what each has said."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def recorder(script: Script, identity: Identity, clients: int = 2) -> Iterator[Recorder]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.chain, identity.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        record = Recorder(listener.getsockname()[1])

        def serve() -> None:
            for _ in range(clients):
                peer, _ = listener.accept()
                peer.settimeout(60)
                record.heard.append(follow(peer, script, context))

        thread = threading.Thread(target=serve)
        thread.start()
        yield record
        thread.join()


def follow(peer: socket.socket, script: Script, context: ssl.SSLContext) -> bytes:
    heard = b""
    for line in script:
        if isinstance(line, Said):
            peer.sendall(line.data)
            continue
        missing = len(line.data)
        while missing > 0 and (data := peer.recv(missing)):
            heard += data
            missing -= len(data)
    with context.wrap_socket(peer, server_side=True) as tls:
        while tls.recv(4096):
            pass
    return heard


@pytest.fixture
def identity(pki: Pki) -> Identity:
    return pki.server("p256")


def handshake(sock: socket.socket, identity: Identity) -> None:
    context = ssl.create_default_context(cafile=identity.root)
    context.wrap_socket(sock, server_hostname="server.test").close()


@pytest.mark.parametrize("word", OPENSSL_WORDS)
def test_the_same_bytes_and_the_same_last_line(word: str, identity: Identity) -> None:
    script = SIMPLER.get(word, HAPPY[word])
    with recorder(script, identity) as record:
        target = f"127.0.0.1:{record.port}"
        named = ["-name", "server.test"] if word in ("xmpp", "xmpp-server") else []
        outcome = run([program("openssl"), "s_client", "-connect", target, "-starttls", word, *named])
        with dial(Target("127.0.0.1", str(record.port))).socket as sock:
            negotiated = start_tls(sock, word, Names("127.0.0.1", "server.test" if named else None))
            handshake(sock, identity)
    assert record.heard[0] == record.heard[1] == b"".join(s.data for s in script if isinstance(s, Heard))
    assert negotiated.findings == ()
    assert outcome.returncode == 0, outcome.text
    if word == "pop3":  # OpenSSL 3.0 cuts the greeting at the length of the answer to STLS
        assert negotiated.last_line[: len(b"+OK begin\r\n")] + b"DONE" in outcome.stderr
    elif negotiated.last_line:
        assert negotiated.last_line + b"DONE" in outcome.stderr


@pytest.mark.parametrize("user", [None, "bob"])
def test_the_same_bytes_to_a_proxy(user: str | None, identity: Identity) -> None:
    credentials = Credentials(user, "pw") if user else None
    options = ["-proxy_user", user, "-proxy_pass", "pass:pw"] if user else []
    head = b"CONNECT server.test:443 HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n"
    head += b"Proxy-Authorization: Basic Ym9iOnB3\r\n\r\n" if user else b"\r\n"
    with recorder((Heard(head), Said(b"HTTP/1.0 200 OK\r\n\r\n")), identity) as record:
        proxy = f"127.0.0.1:{record.port}"
        run(
            [program("openssl"), "s_client", "-proxy", proxy, "-connect", "server.test:443", *options]
        ).check()
        with dial(parse_proxy(proxy).target).socket as sock:
            go_through(sock, parse_proxy(proxy, credentials), Target("server.test", "443"))
            handshake(sock, identity)
    assert record.heard == [head, head]
