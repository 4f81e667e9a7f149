"""Which versions are offered, given limits and exclusions."""

from __future__ import annotations

import itertools

import pytest

from handglass.cli.lists.errors import ListError
from handglass.cli.lists.versions import DATAGRAM, STREAM, parse_protocol, select_versions, versions_asked_for
from handglass.cli.lists.versions import FLAGS as FLAG_VERSIONS
from handglass.cli.options.protocol import ONLY, WITHOUT
from handglass.cli.options.s_client import SClientOptions
from handglass.registry.code_points import ProtocolVersion
from support.hellos import SUPPORTED_VERSIONS, client_hello
from support.peers import needs

V = ProtocolVersion
FLAGS = {
    "-no_tls1": V.TLS1_0,
    "-no_tls1_1": V.TLS1_1,
    "-no_tls1_2": V.TLS1_2,
    "-no_tls1_3": V.TLS1_3,
}
# What OpenSSL's build here has.
TLS = STREAM[1:]


def test_everything_highest_first() -> None:
    choice = select_versions(STREAM)
    assert choice.versions == STREAM[::-1]
    assert choice.explanation is None
    assert select_versions([V.TLS1_2, V.TLS1_3]).versions == (V.TLS1_3, V.TLS1_2)
    assert select_versions(STREAM + DATAGRAM, datagram=True).versions == DATAGRAM[::-1]


def test_one_version_wins_over_the_limits() -> None:
    assert select_versions(STREAM, only=V.TLS1_2, minimum=V.TLS1_3).versions == (V.TLS1_2,)
    with pytest.raises(ListError, match=r"no protocols available: TLS 1\.0 is not available"):
        select_versions([V.TLS1_3], only=V.TLS1_0)


def test_limits() -> None:
    assert select_versions(STREAM, minimum=V.TLS1_2).versions == (V.TLS1_3, V.TLS1_2)
    assert select_versions(STREAM, maximum=V.TLS1_0).versions == (V.TLS1_0, V.SSL3)
    assert select_versions(STREAM, maximum=V.DTLS1_2).versions == STREAM[::-1]
    assert select_versions(DATAGRAM, minimum=V.DTLS1_2, maximum=V.DTLS1_2, datagram=True).versions == (
        V.DTLS1_2,
    )
    with pytest.raises(ListError, match="no protocols available"):
        select_versions(STREAM, minimum=V.TLS1_3, maximum=V.TLS1_2)


def test_a_hole_drops_what_is_below_it() -> None:
    choice = select_versions(STREAM, excluded=[V.TLS1_1])
    assert choice.versions == (V.TLS1_3, V.TLS1_2)
    assert choice.explanation == (
        "Offering TLS 1.3 and TLS 1.2, but not TLS 1.0 and SSL 3.0: "
        "with TLS 1.1 left out there would be a hole in the versions below TLS 1.3"
    )


def test_without_tls12_tls13_stays() -> None:
    choice = select_versions(STREAM, excluded=[V.TLS1_2])
    assert choice.versions == (V.TLS1_3, V.TLS1_1, V.TLS1_0, V.SSL3)
    assert choice.explanation is None
    assert select_versions([V.TLS1_2, V.TLS1_3], excluded=[V.TLS1_2]).versions == (V.TLS1_3,)


def test_two_holes() -> None:
    choice = select_versions(STREAM, excluded=[V.TLS1_2, V.TLS1_0])
    assert choice.versions == (V.TLS1_3, V.TLS1_1)
    assert choice.explanation is not None
    assert "with TLS 1.0 left out" in choice.explanation


@pytest.mark.parametrize("count", range(len(FLAGS) + 1))
def test_every_combination_keeps_to_the_rule(count: int) -> None:
    for flags in itertools.combinations(FLAGS, count):
        excluded = {FLAGS[flag] for flag in flags}
        try:
            choice = select_versions(TLS, excluded=excluded)
        except ListError:
            assert excluded == set(TLS)
            continue
        assert not excluded & set(choice.versions)
        assert (V.TLS1_3 in choice.versions) == (V.TLS1_3 not in excluded)
        older = [version for version in choice.versions if version != V.TLS1_3]
        assert [TLS.index(version) for version in older] == list(
            range(TLS.index(older[0]), TLS.index(older[-1]) - 1, -1) if older else ()
        )
        missing = set(TLS) - excluded - set(choice.versions)
        assert (choice.explanation is not None) == bool(missing)


@needs("openssl")
@pytest.mark.parametrize(
    "flags",
    [(), ("-no_tls1",), ("-no_tls1", "-no_tls1_1"), ("-min_protocol=TLSv1.2",), ("-min_protocol=None",)],
)
def test_as_openssl_where_there_is_no_hole(flags: tuple[str, ...]) -> None:
    hello = client_hello(*flags)
    assert hello is not None
    limit = next((parse_protocol(flag.split("=")[1]) for flag in flags if "=" in flag), None)
    choice = select_versions(TLS, excluded=[FLAGS[flag] for flag in flags if flag in FLAGS], minimum=limit)
    assert hello[SUPPORTED_VERSIONS][1:] == b"".join(int(v).to_bytes(2, "big") for v in choice.versions)


def test_words() -> None:
    assert parse_protocol("TLSv1.1") is V.TLS1_1
    assert parse_protocol("None") is None
    for word in ("tlsv1.2", "", "TLSv1.4", "SSLv2"):
        with pytest.raises(ListError, match="unsupported protocol"):
            parse_protocol(word)


def test_options() -> None:
    def asked_for(*words: str) -> tuple[ProtocolVersion, ...]:
        return versions_asked_for(SClientOptions.parse(list(words)), [V.TLS1_2, V.TLS1_3]).versions

    assert asked_for() == (V.TLS1_3, V.TLS1_2)
    assert asked_for("-tls1_2") == (V.TLS1_2,)
    assert asked_for("-tls1_3") == (V.TLS1_3,)
    assert asked_for("-no_tls1_3") == (V.TLS1_2,)
    assert asked_for("-no_tls1_2", "-no_ssl3", "-no_tls1", "-no_tls1_1") == (V.TLS1_3,)
    with pytest.raises(ListError, match="no protocols available: the options leave no version"):
        asked_for("-no_tls1_2", "-no_tls1_3")


def test_every_option_that_names_a_version_is_known() -> None:
    assert {row.names[0] for row in ONLY} <= set(FLAG_VERSIONS)
    assert {row.names[0].removeprefix("no_") for row in WITHOUT} <= set(FLAG_VERSIONS)
