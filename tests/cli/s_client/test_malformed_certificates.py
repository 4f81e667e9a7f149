"""Servers whose certificates are damaged: shown as far as it goes, with what is wrong, and never called good.

Our engine serves any bytes; what OpenSSL's s_server loads is served by it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cli.s_client.setups.parts import GOOD, Chain, plain
from handglass.net.blocking import Server
from handglass.records import replace
from support.chain_server import Serving, chain_server, disguised
from support.peers import OpenSSLServer, needs
from support.pki import Identity
from support.s_client import ours, said, theirs
from verify.support import build
from verify.support.scenes import FAULTS, Layer, option, put

LONG = "1.3.6.1.4.1." + ".".join(["99999999999999999999999999"] * 30)
ESCAPE = b"\x1b[31mred\x1b]0;title\x07"


def bytes_of_leaf(change: Callable[[bytes], bytes]) -> Callable[[], Chain]:
    """Give a chain whose leaf has other bytes."""

    def made() -> Chain:
        chain = GOOD()
        return {**chain, "leaf": replace(chain["leaf"], der=change(chain["leaf"].der))}

    return made


def empty_names(layer: Layer) -> None:
    """Leave out subject and issuer."""
    layer.subject = build.name()
    layer.options["issuer_name"] = build.name()


def odd_names(layer: Layer) -> None:
    """Put bytes into the subject that are no text, and some that a terminal obeys."""
    odd = (
        build.attribute("CN", b"\xff\xfe" + ESCAPE, build.UTF8),
        build.attribute("O", ESCAPE + b"\n\0", build.UTF8),
    )
    layer.subject = build.seq(*map(build.set_of, odd))


CASES: dict[str, tuple[Callable[[], Chain], str, int]] = {
    "negative serial": (plain(leaf=FAULTS["negative serial"]), "the serial number is negative", 0),
    "no serial": (
        plain(leaf=option(raw_serial=b"\2\0")),
        "the serial number is no integer: it has no bytes",
        21,
    ),
    "long serial": (
        plain(leaf=FAULTS["long serial"]),
        "the serial number is 26 bytes long, 20 are allowed",
        0,
    ),
    "version 9": (plain(leaf=option(version=9)), "version 9 does not exist", 0),
    "times": (
        plain(leaf=FAULTS["both times malformed"]),
        "notAfter is no time of a certificate: b'3001010000Z'",
        14,
    ),
    "times with commands": (
        plain(leaf=option(validity=build.seq(build.encode(0x17, ESCAPE), build.encode(0x18, b"9" * 14)))),
        r"notBefore is no time of a certificate: b'\x1b[31mred",
        14,
    ),
    "unknown algorithm": (
        plain(leaf=FAULTS["algorithm unknown"]),
        "algorithm 1.3.6.1.4.1.99999.5 is unknown",
        21,
    ),
    "two algorithms": (plain(leaf=FAULTS["algorithms differ"]), "is named differently inside and outside", 7),
    "huge identifier": (plain(leaf=put("x", build.extension(LONG, b"\5\0"))), "unfinished or over long", 21),
    "endless identifier": (
        plain(leaf=option(outer=build.seq(b"\6\2\x2a\xff"))),
        "unfinished or over long",
        21,
    ),
    "malformed extension": (
        plain(leaf=FAULTS["malformed usage"]),
        "the extension 2.5.29.15 is malformed",
        21,
    ),
    "extension twice": (plain(leaf=FAULTS["extension twice"]), "the extension 2.5.29.15 stands 2 times", 21),
    "one part too many": (plain(leaf=option(tail=b"\5\0")), "4 parts where three belong", 21),
    "bytes behind": (bytes_of_leaf(lambda data: data + b"junk"), "4 bytes after the end", 21),
    "empty names": (plain(leaf=empty_names), "the issuer has no name", 21),
    "odd names": (plain(leaf=odd_names), "the value of 2.5.4.3 is no text of its type", 21),
    "unknown key": (
        plain(leaf=FAULTS["key of unknown kind"]),
        "no public key can be made of the 1.3.6.1.4.1.9",
        1,
    ),
    "damaged key": (
        plain(leaf=FAULTS["key unreadable"]),
        "no public key can be made of the rsaEncryption key",
        1,
    ),
    "point off the curve": (plain(leaf=FAULTS["point not on the curve"]), "no public key can be made", 1),
    "cut": (bytes_of_leaf(lambda data: data[:-7]), "bytes announced", 66),
    "no certificate": (bytes_of_leaf(lambda _: b"this is no certificate"), "bytes announced", 66),
    "nothing in it": (bytes_of_leaf(lambda _: b"\x30\x00"), "0 parts where three belong", 66),
    "indefinite length": (
        bytes_of_leaf(lambda data: b"\x30\x80" + data[4:] + b"\0\0"),
        "an indefinite length",
        66,
    ),
}


@cache
def made(name: str) -> Chain:
    """Give a case's chain, the same for server and client."""
    return CASES[name][0]()


def serve(server_name: str) -> Serving:
    """Give the chain of the case whose number is in the name."""
    number = int(server_name.removeprefix("case-").removesuffix(".test"))
    chain = made(list(CASES)[number])
    return disguised([chain["leaf"].der, chain["middle"].der], GOOD()["leaf"].der, GOOD()["leaf"].key.private)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all cases."""
    with chain_server(serve) as server:
        yield server


@pytest.mark.parametrize("name", CASES)
def test_damage_is_shown(server: Server, tmp_path: Path, name: str) -> None:
    """The chain is printed with what is wrong; no terminal is commanded, and no Python is seen."""
    _, sentence, code = CASES[name]
    (tmp_path / "root.pem").write_text(made(name)["root"].pem)
    line = ("-CAfile", tmp_path / "root.pem", "-servername", f"case-{list(CASES).index(name)}.test")
    told = ours(server.port, *line)
    block = told.stdout.decode().split("---\n")[1]
    assert " 0 s:" in block
    assert " 1 s:C = XX, O = Lab, CN = middle\n" in block
    assert any(each.startswith("   !:") and sentence in each for each in block.splitlines())
    assert f"Verify return code: {code} (" in told.text
    for unwanted in ("Traceback", "Error(", "index out of range", "\x1b", "\x07"):
        assert unwanted not in told.text
    ended = ours(server.port, *line, "-verify_return_error")
    assert ended.returncode == (1 if code else told.returncode)


@needs("openssl")
@pytest.mark.parametrize(
    "name",
    ["negative serial", "long serial", "version 9", "times", "malformed extension"],
)
def test_what_openssl_serves(tmp_path: Path, name: str) -> None:
    """The outcome is that of OpenSSL's client, and so is the report, but for the lines that say what is wrong."""
    chain = made(name)
    identity = Identity(name, "p256", tmp_path)
    key = chain["leaf"].key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    identity.key.write_bytes(key)
    for part, path in (
        ("root", identity.root),
        ("middle", identity.intermediate),
        ("leaf", identity.certificate),
    ):
        path.write_text(chain[part].pem)
    with OpenSSLServer(identity, "-num_tickets", "0") as peer:
        told, expected = (said(client(peer.port, "-CAfile", identity.root)) for client in (ours, theirs))
    lines = told.stdout.splitlines()
    assert any(line.startswith("   !:") and CASES[name][1] in line for line in lines)
    assert [line for line in lines if not line.startswith("   !:")] == expected.stdout.splitlines()
    assert (told.status, told.stderr) == (expected.status, expected.stderr)
