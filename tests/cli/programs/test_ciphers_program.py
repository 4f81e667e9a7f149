"""`handglass ciphers` beside `openssl ciphers`: the same lines for the suites that both have."""

from __future__ import annotations

import pytest

from handglass.__main__ import main
from handglass.cli.options.s_client import SClientOptions
from handglass.cli.protocol.negotiation import TLS13_SUITES, engine_settings, legacy_suites
from handglass.registry.suites import facts_of
from support.peers import needs, program
from support.processes import run

OURS = frozenset(
    facts.openssl_name for suite in (*TLS13_SUITES, *legacy_suites()) if (facts := facts_of(suite))
)
"""The names of every suite that the engine has."""


@pytest.fixture
def ciphers(capsys: pytest.CaptureFixture[str]) -> Ciphers:
    return Ciphers(capsys)


class Ciphers:
    """Runs the program."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        assert main(["ciphers", *words]) == 0
        out, err = self._capsys.readouterr()
        assert err == ""
        return out

    def fails(self, *words: str) -> str:
        assert main(["ciphers", *words]) == 1
        out, err = self._capsys.readouterr()
        assert out == ""
        return err


def theirs(*words: str) -> str:
    return run([program("openssl"), "ciphers", *words]).check().stdout.decode()


@needs("openssl")
@pytest.mark.parametrize(
    "words",
    [
        ("ALL",),
        ("HIGH:!aRSA",),
        ("ECDHE+AESGCM:AES128-SHA",),
        ("ALL:@STRENGTH",),
        ("-ciphersuites", "TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256", "AES256-SHA"),
        ("-s", "-tls1_2", "ALL"),
        ("-s", "-tls1_3", "ALL"),
        ("-s", "ALL:@SECLEVEL=3"),
        ("-tls1_2", "ALL"),
    ],
)
def test_lists(ciphers: Ciphers, words: tuple[str, ...]) -> None:
    names = [name for name in theirs(*words).strip().split(":") if name in OURS]
    assert names
    assert ciphers(*words).strip().split(":") == names


@needs("openssl")
@pytest.mark.parametrize("options", [("-v",), ("-V",), ("-stdname",), ("-V", "-stdname")])
def test_descriptions(ciphers: Ciphers, options: tuple[str, ...]) -> None:
    found = ciphers(*options, "ALL").splitlines()
    assert len(found) > 40
    assert set(found) <= set(theirs(*options, "ALL:COMPLEMENTOFALL").splitlines())


def test_default_is_what_a_client_offers(ciphers: Ciphers) -> None:
    offered = engine_settings(SClientOptions.parse([])).suites
    assert ciphers("-s").strip().split(":") == [
        facts.openssl_name for each in offered if (facts := facts_of(each))
    ]


@pytest.mark.parametrize("version", ["-ssl3", "-tls1", "-tls1_1"])
def test_versions_that_are_not_there(ciphers: Ciphers, version: str) -> None:
    """An empty list says to a scanner that it cannot ask."""
    assert ciphers("-s", version, "ALL") == "\n"


@needs("openssl")
@pytest.mark.parametrize("name", ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_128_GCM_SHA256", "NOTHING"])
def test_names(ciphers: Ciphers, name: str) -> None:
    assert ciphers("-convert", name) == theirs("-convert", name)


@pytest.mark.parametrize(
    "words", [("BOGUS",), ("ALL:!ALL",), ("-ciphersuites", "BOGUS"), ("aNULL",), ("RC4",)]
)
def test_nothing_is_left(ciphers: Ciphers, words: tuple[str, ...]) -> None:
    assert ciphers.fails(*words).startswith("Error in cipher list\nno cipher match")
