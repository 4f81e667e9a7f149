"""The grammar of the command line, on its own and against the installed openssl."""

from __future__ import annotations

import subprocess

import pytest

from handglass.cli.options import HelpWanted, UsageError, parse
from handglass.cli.options.s_client import SClientOptions
from handglass.cli.options.s_server import SServerOptions
from support.peers import needs


def client(*words: str) -> SClientOptions:
    return parse(SClientOptions, list(words))


def server(*words: str) -> SServerOptions:
    return parse(SServerOptions, list(words))


def complaint(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        client(*words)
    return str(caught.value)


def test_defaults() -> None:
    options = client()
    assert options.connect is None
    assert options.brief is False
    assert options.handshake_timeout == 30.0
    assert options.given == ()
    assert server().num_tickets == 2


def test_one_dash_or_two_and_an_equals_sign() -> None:
    for words in (["-connect", "a:1"], ["--connect", "a:1"], ["-connect=a:1"], ["--connect=a:1"]):
        assert client(*words).connect == "a:1"


def test_a_value_may_begin_with_a_dash() -> None:
    assert client("-servername", "-x").servername == "-x"
    assert client("-alpn=").alpn == ""


def test_the_target_stands_last() -> None:
    options = client("-brief", "example.com:443")
    assert (options.target, options.brief) == ("example.com:443", True)
    assert client("--", "-odd").target == "-odd"
    assert client("").target == ""
    assert "options stand before the target" in complaint("example.com", "-brief")
    assert 'Extra argument "b"' in complaint("a", "b")


def test_the_last_of_repeated_options_wins_and_the_order_is_kept() -> None:
    options = client("-servername", "a", "-brief", "-servername", "b")
    assert options.servername == "b"
    assert options.given == (
        (SClientOptions.servername, "a"),
        (SClientOptions.brief, True),
        (SClientOptions.servername, "b"),
    )
    assert options.all(SClientOptions.servername) == ("a", "b")
    assert options.last(SClientOptions.servername, SClientOptions.brief) is SClientOptions.servername
    assert options.has(SClientOptions.brief)
    assert not options.has(SClientOptions.quiet)


def test_options_that_undo_each_other() -> None:
    assert client("-quiet").ign_eof
    assert not client("-quiet", "-no_ign_eof").ign_eof
    assert client("-no_ign_eof", "-quiet").ign_eof
    assert server("-port", "1", "-accept", "2").port is None
    assert server("-accept", "2", "-port", "1").accept is None
    assert server("-www", "-WWW").www is False


def test_synonyms_are_one_option() -> None:
    assert client("-curves", "X25519").groups == "X25519"


def test_parsed_options_do_not_change() -> None:
    with pytest.raises(AttributeError, match="connect"):
        client().connect = "x"


def test_help_ends_the_parsing_but_not_an_earlier_mistake() -> None:
    with pytest.raises(HelpWanted):
        client("--help", "-nonsense")
    assert "Unknown option: -nonsense" in complaint("-nonsense", "-help")


@pytest.mark.parametrize(
    ("word", "suggestion"),
    [
        ("-servernam", "-servername"),
        ("-cafile", "-CAfile"),
        ("-tls1.3", "-tls1_3"),
        ("-key_log_file", "-keylogfile"),
        ("-show", "-showcerts"),
        ("-recconect", "-reconnect"),
    ],
)
def test_a_near_miss_is_named(word: str, suggestion: str) -> None:
    lines = complaint(word).splitlines()
    assert lines[0] == f"s_client: Unknown option: {word}"
    assert lines[1].startswith("s_client: Did you mean ")
    assert suggestion in lines[1]
    assert lines[2] == "s_client: Use -help for summary."


def test_nothing_is_suggested_for_what_resembles_nothing() -> None:
    assert "Did you mean" not in complaint("-xyzzy")


@pytest.mark.parametrize("limit", ["-1", "nan", "inf", "1e10", "1_0", "٣", "", "x"])
def test_bad_time_limits(limit: str) -> None:
    assert complaint("-connect_timeout", limit).endswith("s_client: Use -help for summary.")


def test_time_limits() -> None:
    assert client("-connect_timeout", "2.5").connect_timeout == 2.5
    assert client("-connect_timeout", "0").connect_timeout == 0


@pytest.mark.parametrize(
    ("word", "value"), [("5", 5), ("0x1F", 31), ("010", 8), ("+5", 5), (" 5", 5), ("2147483647", 2147483647)]
)
def test_numbers_are_read_as_strtol_reads_them(word: str, value: int) -> None:
    assert client("-verify", word).verify == value


WRONG = [
    ("s_client", "-xyzzy"),
    ("s_client", "-"),
    ("s_client", "-=x"),
    ("s_client", "--="),
    ("s_client", "-connect"),
    ("s_client", "--connect"),
    ("s_client", "-brief=1"),
    ("s_client", "-brief="),
    ("s_client", "-verify", "0"),
    ("s_client", "-verify=0"),
    ("s_client", "-verify", "-1"),
    ("s_client", "-verify", "x"),
    ("s_client", "-verify", ""),
    ("s_client", "-verify", "5x"),
    ("s_client", "-verify", "5 "),
    ("s_client", "-verify", "08"),
    ("s_client", "-verify", "0x"),
    ("s_client", "-verify", "0x-1"),
    ("s_client", "-verify", "--1"),
    ("s_client", "-verify", "1_0"),
    ("s_client", "-verify", "2147483648"),
    ("s_client", "-verify", "-2147483649"),
    ("s_client", "-verify", "99999999999999999999"),
    ("s_client", "-port", "0"),
    ("s_client", "-CApath", "/nonexistent"),
    ("s_client", "-tls1_2", "-tls1_3"),
    ("s_client", "-tls1_2", "-tls1_2"),
    ("s_client", "-tls1_2", "-no_tls1_3"),
    ("s_client", "-no_ssl3", "-tls1_3"),
    ("s_client", "-servername", "a", "-noservername"),
    ("s_client", "-connect", "a:1", "b:2"),
    ("s_server", "-naccept", "0"),
    ("s_server", "-port", "0"),
    ("s_server", "-verify", "z"),
    ("s_server", "-max_early_data", "-1"),
    ("s_server", "-early_data", "-rev"),
    ("s_server", "-early_data", "-www"),
]


@needs("openssl")
@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_complaints_are_those_of_openssl(words: tuple[str, ...]) -> None:
    theirs = subprocess.run(
        ["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    with pytest.raises(UsageError) as caught:
        parse(SClientOptions if words[0] == "s_client" else SServerOptions, list(words[1:]))
    assert theirs.returncode == 1
    assert str(caught.value).splitlines() == theirs.stderr.splitlines()


@pytest.mark.parametrize("program", [SClientOptions, SServerOptions])
def test_what_means_nothing_is_taken(program: type[SClientOptions | SServerOptions]) -> None:
    assert program.parse(["-debug_broken_protocol"]).debug_broken_protocol
