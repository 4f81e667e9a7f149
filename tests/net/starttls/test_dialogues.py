"""Each protocol's dialogue, without a socket.

Agreed, refused, not offered, cut, in pieces, without end, mutated.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handglass.net.dialogue import Dialogue, Exchange
from handglass.net.errors import NetCode, NetError
from handglass.net.starttls import PROTOCOLS, Names, Spoken, help_lines, protocol_named
from net.scripts import HAPPY, LAST_LINES, NOT_OFFERED, REFUSALS, Said, Script, play, sent

NAMES = Names("server.test")


def dialogue(word: str, names: Names = NAMES) -> Dialogue[Spoken]:
    return protocol_named(word).dialogue(names)


def test_every_protocol_has_its_scripts() -> None:
    assert set(HAPPY) == set(PROTOCOLS) == {word for word, _, _ in REFUSALS} | {"xmpp-server"}


@pytest.mark.parametrize("piece", [None, 1, 3])
@pytest.mark.parametrize("word", PROTOCOLS)
def test_agreed(word: str, piece: int | None) -> None:
    exchange = play(dialogue(word), HAPPY[word], piece)
    assert exchange.done
    assert exchange.findings == []
    assert exchange.leftover == b""
    spoken = exchange.value
    assert isinstance(spoken, Spoken)
    assert spoken.last_line == LAST_LINES.get(word, b"")


@pytest.mark.parametrize("piece", [None, 1])
@pytest.mark.parametrize(("word", "script", "words"), REFUSALS)
def test_refused_with_the_servers_own_words(word: str, script: Script, words: str, piece: int | None) -> None:
    with pytest.raises(NetError) as caught:
        play(dialogue(word), script, piece)
    assert caught.value.code == NetCode.REFUSED
    assert words in caught.value.sentence


@pytest.mark.parametrize("word", NOT_OFFERED)
def test_not_offered_is_asked_for_nevertheless(word: str) -> None:
    exchange = play(dialogue(word), NOT_OFFERED[word])
    assert exchange.done
    assert [finding.code for finding in exchange.findings] == [NetCode.NOT_OFFERED]
    assert exchange.findings[0].sentence.endswith("trying anyway...")


@pytest.mark.parametrize("word", PROTOCOLS)
def test_cut_at_each_byte(word: str) -> None:
    """However far the server gets, its closing is an error that names what was awaited."""
    total = sum(len(line.data) for line in HAPPY[word] if isinstance(line, Said))
    for length in range(total):
        exchange = Exchange(dialogue(word))
        left = length
        for line in HAPPY[word]:
            if isinstance(line, Said):
                exchange.receive(line.data[:left])
                left -= min(left, len(line.data))
        assert not exchange.done
        with pytest.raises(NetError, match="closed while waiting for the ") as caught:
            exchange.receive_eof()
        assert caught.value.code == NetCode.PEER_CLOSED


@pytest.mark.parametrize(
    "filler", [b"A" * 4096, b"220-x\r\n" * 512, b"* x\r\n" * 512, b"\xff" * 4096, bytes(4096)]
)
@pytest.mark.parametrize("word", PROTOCOLS)
def test_an_answer_without_end_is_bounded(word: str, filler: bytes) -> None:
    """4 MiB of something: an error comes long before that, or a short answer was taken for what it is."""
    exchange = Exchange(dialogue(word))
    error = None
    for _ in range(1024):
        if exchange.done or error is not None:
            break
        error = error_of(exchange, filler)
    assert exchange.done or error is not None
    if error is not None:
        assert error.code in (NetCode.ANSWER_TOO_LONG, NetCode.ANSWER_MALFORMED, NetCode.REFUSED)
        assert len(error.sentence) < 1500


@pytest.mark.parametrize("word", PROTOCOLS)
def test_mutated_answers_end_well_or_with_our_error(word: str) -> None:
    rng = random.Random(word)
    scripts = [HAPPY[word], *(script for other, script, _ in REFUSALS if other == word)]
    for _ in range(300):
        pieces = [mutate(line.data, rng) for line in rng.choice(scripts) if isinstance(line, Said)]
        error = error_of(Exchange(dialogue(word)), *pieces)
        assert error is None or error.sentence.isprintable()


def error_of(exchange: Exchange[Spoken], *pieces: bytes) -> NetError | None:
    """Return what the dialogue makes of `pieces`; anything but our own error escapes."""
    try:
        for piece in pieces:
            exchange.receive(piece)
    except NetError as error:
        return error
    return None


def mutate(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(3):
            case 0:
                changed[at : at + 1] = bytes((rng.randrange(256),))
            case 1:
                del changed[at : at + rng.randrange(5)]
            case _:
                changed[at:at] = rng.randbytes(rng.randrange(5))
    return bytes(changed)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(PROTOCOLS)), st.lists(st.binary(max_size=40), max_size=8))
def test_garbage_ends_well_or_with_our_error(word: str, pieces: list[bytes]) -> None:
    error = error_of(Exchange(dialogue(word)), *pieces)
    assert error is None or error.sentence.isprintable()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("smtp", b"EHLO me.test\r\n"),
        ("lmtp", b"LHLO me.test\r\n"),
        ("xmpp", b"to='me.test'"),
        ("xmpp-server", b"to='me.test'"),
    ],
)
def test_name_takes_its_place(word: str, expected: bytes) -> None:
    exchange = Exchange(dialogue(word, Names("server.test", "me.test")))
    if word in ("smtp", "lmtp"):
        exchange.receive(b"220 hello\r\n")
    assert expected in sent(exchange)


def test_a_name_is_escaped_in_xml() -> None:
    exchange = Exchange(dialogue("xmpp", Names("a'b&c<d")))
    assert b"to='a&apos;b&amp;c&lt;d'" in sent(exchange)


def test_offered_capabilities_are_kept() -> None:
    assert play(dialogue("smtp"), HAPPY["smtp"]).value.offered == ("PIPELINING", "starttls", "OK")
    assert play(dialogue("imap"), HAPPY["imap"]).value.offered == ("IMAP4rev1", "STARTTLS", "LOGINDISABLED")
    assert play(dialogue("mssql"), HAPPY["mssql"]).value.offered == ("version 15.0", "encryption on")
    assert play(dialogue("rdp"), HAPPY["rdp"]).value.offered == ("TLS",)
    assert play(dialogue("nats"), HAPPY["nats"]).value.offered == ("tls_required",)


def test_irc_answers_a_ping() -> None:
    exchange = Exchange(dialogue("irc"))
    assert sent(exchange) == b"STARTTLS\r\n"
    exchange.receive(b"PING :cookie\r\n")
    assert sent(exchange) == b"PONG :cookie\r\n"
    exchange.receive(b":x 670 * :go\r\n")
    assert exchange.done


@pytest.mark.parametrize("word", ["mongodb", "redis"])
def test_protocols_that_begin_with_tls_say_so(word: str) -> None:
    with pytest.raises(NetError, match="speaks TLS from the first byte: leave -starttls") as caught:
        protocol_named(word)
    assert caught.value.code == NetCode.NO_SUCH_PROTOCOL


def test_an_unknown_word_lists_the_known_ones() -> None:
    with pytest.raises(NetError, match=r"Value must be one of: smtp, pop3, imap, ftp, .* nats"):
        protocol_named("gopher")


def test_help_lists_every_protocol() -> None:
    text = help_lines()
    assert [line.split()[0] for line in text] == [*PROTOCOLS, "mongodb", "redis"]
    assert all(len(line) <= 110 for line in text)
